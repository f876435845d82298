"""Funnels as other tools count them."""
