"""Performance budgets, measured."""
