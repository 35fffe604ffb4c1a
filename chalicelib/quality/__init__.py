"""Declared checks of a run's new rows: one SQL query measures, pure functions judge."""
