"""Keeps the notes."""

try:
    import orjson as json
except ImportError:
    import json

NOTES = json.dumps([])
