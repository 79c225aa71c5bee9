"""Faults of validation and of the limits."""
