"""Dropped files, read once in bounded pieces: taken as rows that Athena reads, or refused."""
