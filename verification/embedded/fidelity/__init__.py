"""Whether a deployed stack is what its template says: every declared property, read back through its own API.

An emulator that silently drops a property can make a good template fail a check, and a bad one pass it.
"""
