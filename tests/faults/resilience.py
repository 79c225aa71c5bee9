"""Faults of what has to survive other parts' faults."""
