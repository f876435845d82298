"""Some events of all parts as one stitching in memory, and what is asked of it."""
