"""Puts the application into an environment: judged parameters, a private key file, one lock, one stamp."""
