"""What columns hold, gathered a batch at a time in bounded memory: statistics.json."""
