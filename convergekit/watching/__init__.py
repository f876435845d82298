"""Numbers compared with their own past every day: `watch`."""
