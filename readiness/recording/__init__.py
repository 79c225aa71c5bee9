"""Recordings of runs: what was asked and answered, kept without secrets, and played back without any network.

See docs/adr/0030-recorded-runs.md, and docs/RECORDINGS.md for the format.
"""
