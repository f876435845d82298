"""Stitched events to files, and back."""
