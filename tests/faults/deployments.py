"""Faults of deploying: rollback, repetition, rebuilding, hosting."""
