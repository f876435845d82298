"""Customers: what they ordered, when they returned, and in which cohorts."""
