"""Keeps secrets out of every format of the report."""

from __future__ import annotations

import re

_SECRETS = [
    re.compile(
        r"\b(?:AKIA|ASIA)[A-Z0-9]{4}[A-Z0-9.]{8,}\b"
    ),  # AWS access key ids; pytest shortens texts with dots
    re.compile(r"\bsk-[A-Za-z0-9_.-]{10,}"),  # OpenAI and Stability
    re.compile(r"\b(?:gh[oprsu]|github_pat)_[A-Za-z0-9_.]{10,}"),  # GitHub
    re.compile(r"\bbfl_[A-Za-z0-9.]{10,}"),  # Black Forest Labs
    re.compile(
        r"(?i)(?:secret_?access_?key|session_?token|api_?key)\b[\"']?\s*[:=]\s*[^\s,}]+"
    ),  # told by its name
    re.compile(r"\bAIza[A-Za-z0-9_.-]{10,}"),  # Google
    re.compile(r"(?i)(?:x-amz-(?:signature|security-token|credential)=)[^&\s\"']+"),  # presigned URLs
    re.compile(r"(?i)\b(?:authorization|x-api-key|x-goog-api-key|x-key)\b[\"']?\s*[:=]\s*[^\r\n,}]+"),
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL),
]
# pytest shortens a text in its middle, and what is left of a key has no form any more.
_SHORTENED = re.compile(r"[^\s'\"]*\.\.\.[^\s'\"]{4,}|[^\s'\"]{4,}\.\.\.")
_ACCOUNT = re.compile(r"(?<=[:/])\d{8}(\d{4})(?=[:/])")  # in ARNs and in queues' URLs


def looks_secret(text: str) -> bool:
    """Whether a credential of a known form stands in the text."""
    return any(pattern.search(text) for pattern in _SECRETS)


def redact(text: str) -> str:
    """The text with whatever looks like a credential replaced, and account ids shortened to four digits.

    Where a credential stands, shortened texts go too: they may be what is left of the same one.
    """
    if looks_secret(text):
        text = _SHORTENED.sub("[redacted]", text)
    for pattern in _SECRETS:
        text = pattern.sub("[redacted]", text)
    return _ACCOUNT.sub(r"********\1", text)
