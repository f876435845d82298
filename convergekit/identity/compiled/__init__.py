"""Compiled twins of the loops of identity resolution."""
