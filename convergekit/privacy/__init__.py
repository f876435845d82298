"""Deletion of a person, and where a person's values occur."""
