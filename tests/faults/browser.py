"""Faults of the page, as a browser shows it."""
