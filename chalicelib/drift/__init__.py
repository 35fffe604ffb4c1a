"""What the loop does about drift."""
