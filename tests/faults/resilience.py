"""Faults of jobs that meet failing services."""
