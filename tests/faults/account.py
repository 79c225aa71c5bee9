"""Faults of the account, the stack's record and its cost."""
