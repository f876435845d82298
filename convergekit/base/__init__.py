"""What every part of the package uses, and what knows no part of it."""
