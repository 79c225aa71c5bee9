"""Faults of the source tree that the field's own tools find."""
