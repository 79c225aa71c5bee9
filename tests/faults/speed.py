"""Faults of speed: slow starts, slow answers, a cache that does not help."""
