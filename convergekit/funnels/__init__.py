"""Funnels: which profiles pass the steps, in which order and in what time."""
