"""Keeps secrets, and characters that would break or falsify it, out of every format of the report.

Each pattern takes time in proportion to the text, for any text: no pattern starts again within characters that it has
already read to the end. tests/report/test_redaction.py checks that.
"""

from __future__ import annotations

import re

from readiness.report import known
from readiness.report.characters import visible

# What a name is followed by; the bracket that opens a map of YAML is no value.
_VALUE = r"[\"']?\s*[:=]\s*+(?!\{(?:\s|\w++:\s))[^\s,}]+"
_SECRETS = [
    re.compile(
        r"\b(?:AKIA|ASIA)[A-Z0-9]{4}[A-Z0-9.]{8,}\b"
    ),  # AWS access key ids; pytest shortens texts with dots
    re.compile(r"\bsk-[A-Za-z0-9_.-]{10,}"),  # OpenAI and Stability
    re.compile(r"\b(?:gh[oprsu]|github_pat)_[A-Za-z0-9_.]{10,}"),  # GitHub
    re.compile(r"\bbfl_[A-Za-z0-9.]{10,}"),  # Black Forest Labs
    re.compile(r"(?i)(?:secret_?access_?key|session_?token|api_?key)\b" + _VALUE),  # recognised by its name
    re.compile(r"\bAIza[A-Za-z0-9_.-]{10,}"),  # Google
    # presigned URLs, also where they are part of another one
    re.compile(r"(?i)x-(?:amz|goog)-(?:signature|security-token|credential)(?:=|%3D)[^&\s\"'<>]+"),
    re.compile(r"(?i)\b(?:authorization|x-api-key|x-goog-api-key|x-key)\b[\"']?\s*[:=]\s*[^\r\n,}]+"),
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL),
]
# Taken out of a report, and yet no proof that something has leaked: a log may well hold such words.
_PRIVATE = [
    re.compile(
        r"(?i)(?<=[?&])(?:signature|policy|key-pair-id|awsaccesskeyid|access_token|token)=[^&\s\"'<>]+"
    ),  # CloudFront's signed URLs, and S3's old ones
    # JSON web tokens, and what is written to the left of one without a space
    re.compile(
        r"(?<![\w-])(?=[\w-]++\.[\w.-]{8})[\w-]*?\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_.-]{8,}", re.ASCII
    ),
    re.compile(r"(?<=://)[^\s/@:\"']+:[^\s/@\"']+(?=@)"),  # a name and its password within a URL
    re.compile(r"(?i)\b\w*(?:password|passwd|client_?secret)\b" + _VALUE),  # recognised by its name
]
# pytest shortens a text in its middle, and what is left of a key has no form any more.
_WORD = re.compile(r"[^\s'\"]{7,}")
_REST = 4  # characters of a shortened word that may be what is left of a key
_ACCOUNTS = [
    re.compile(r"(?<=[:/])()\d{8}(\d{4})(?=[:/])"),  # in ARNs and in queues' URLs
    re.compile(
        r"(?i)\b((?:account|owner)(?:[ _-]?id)?[\"']?\s*+(?:[:=]|is)?+\s*+[\"']?)\d{8}(\d{4})(?!\d)"
    ),  # recognised by its name
]


def looks_secret(text: str) -> bool:
    """Return whether the text contains a credential of a known form."""
    return any(pattern.search(text) for pattern in _SECRETS)


def redact(text: str) -> str:
    """The text as it may leave: `without_secrets`, and with every character that a format cannot hold made visible."""
    return visible(without_secrets(text))


def without_secrets(text: str) -> str:
    """Return the text without known secrets and without texts in a credential's form. Account ids keep four digits.

    In a text with a credential, shortened words are removed too, because they may be a part of the same credential.
    """
    text = known.without(text)
    if looks_secret(text):
        text = _WORD.sub(_unless_shortened, text)
    for pattern in (*_SECRETS, *_PRIVATE):
        text = pattern.sub("[redacted]", text)
    for pattern in _ACCOUNTS:
        text = pattern.sub(r"\1********\2", text)
    return text


def _unless_shortened(word: re.Match[str]) -> str:
    before, dots, after = word[0].partition("...")
    return "[redacted]" if dots and max(len(before), len(after)) >= _REST else word[0]
