"""Normalise events: any export's column names and values to one vocabulary."""
