"""Faults of the limits on requests."""
