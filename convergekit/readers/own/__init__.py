"""Exports of one's own: what their columns mean, and how their texts are written."""
