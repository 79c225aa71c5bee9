"""How a verification run is carried out: checks in processes of their own, each with a time limit.

See docs/adr/0025-own-runner.md.
"""
