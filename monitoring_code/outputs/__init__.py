"""What a monitoring job writes: reports, the status, metrics, a page."""
