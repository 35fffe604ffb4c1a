"""From dropped files to a typed, accounted-for dataset."""
