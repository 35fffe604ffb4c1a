"""Predictions for a file: batch/in/<name> becomes batch/out/<name>.out by batch transform."""
