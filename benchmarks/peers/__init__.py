"""The same work in other tools: scripts for an environment of their own, which print JSON."""
