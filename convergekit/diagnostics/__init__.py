"""Measure how accurate profiles are, and explain why they are as they are."""
