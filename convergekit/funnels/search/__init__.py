"""Searches for the steps of a funnel, in the orders that a funnel knows."""
