"""Faults of the account around the stack: drift, tags, quotas, cost."""
