"""Pixel Prompt's backend: an API function, a worker function, and what they share."""

__version__ = "1.0.0"
