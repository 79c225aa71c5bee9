"""Changes by hand to a live stack, chosen by people who had not read the checks. See docs/BLIND.md."""
