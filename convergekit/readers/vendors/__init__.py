"""The vendors whose exports are known: one module a format."""
