"""The Lambda states of the machines."""
