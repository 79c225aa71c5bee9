"""What a pytest session does in a verification, one concern in each module; readiness/plugin.py puts them together."""
