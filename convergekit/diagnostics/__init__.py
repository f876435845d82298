"""How good profiles are, and why they are as they are."""
