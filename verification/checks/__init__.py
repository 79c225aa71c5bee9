"""The checklist as tests: one a claim, each named by the item it settles."""
