"""Verdicts: constraints that a baseline suggests, and where live data breaks them."""
