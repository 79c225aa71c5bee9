"""Faults that a person meets in a browser."""
