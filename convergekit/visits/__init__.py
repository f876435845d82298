"""Visits, the traffic that they come from, and its channels."""
