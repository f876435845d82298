"""Rows read by whole columns: lines of JSON as Arrow has them, and the objects in them."""
