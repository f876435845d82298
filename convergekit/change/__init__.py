"""What changed, and why: the difference of a number between two periods, split exactly."""
