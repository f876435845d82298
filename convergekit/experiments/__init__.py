"""Experiments on people: what a variant changed, and how long it has to run."""
