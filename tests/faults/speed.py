"""Faults of speed and capacity."""
