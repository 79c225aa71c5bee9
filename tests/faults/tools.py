"""Faults of the source that a well-kept tool finds."""
