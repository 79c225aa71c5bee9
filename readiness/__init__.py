"""Decides whether a deployed serverless application may go to production."""

__version__ = "0.1.0"
