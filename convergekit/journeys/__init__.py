"""Journeys: which events follow each other."""
