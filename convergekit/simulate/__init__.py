"""Simulate a believable store: people, devices, events and exports with a known truth."""
