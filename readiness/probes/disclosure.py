"""Internal details of the server in its answers to unauthenticated callers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from readiness.probes.http import Answer

_SIGNS: Final = {
    "a Python stack trace": re.compile(r"Traceback \(most recent call last\)|File \"[^\"]+\", line \d+"),
    "a JavaScript stack trace": re.compile(r"\n?\s+at .+\(?(?:/[\w./-]+|node:[\w/]+):\d+:\d+\)?"),
    "a Java stack trace": re.compile(r"\bat [\w$.]+\([\w]+\.java:\d+\)"),
    "Lambda's own error": re.compile(r"\"stackTrace\"\s*:\s*\["),
    "a path of the server": re.compile(r"/var/(?:task|runtime|lang)/"),
}


def disclosed(answer: Answer) -> Sequence[str]:
    """Return a description of each internal detail of the server in an answer."""
    text = answer.body.decode("utf-8", "replace")
    return [what for what, sign in _SIGNS.items() if sign.search(text)]
