"""Live traffic and labels, look by look."""
