"""Pixel Prompt's own items, probes, budgets and deployment."""
