"""Faults of deploying, redeploying and the site's hosting."""
