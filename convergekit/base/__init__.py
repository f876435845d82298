"""What every part of the package uses, and what depends on none."""
