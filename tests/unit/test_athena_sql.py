"""Athena's SQL on files: what Trino means, in DuckDB."""
