"""Tells credentials from what merely speaks of them, in settings and in lines of logs."""

from __future__ import annotations

import re
from typing import Final

from readiness.probes import encodings
from readiness.report import known
from readiness.report.redaction import looks_secret

# A name and its value, where the value says that nothing is there or that it has been taken out.
_NOTHING: Final = re.compile(
    r"(?i)[\"']?[\w-]*(?:key|token|secret|authorization|signature|credential)[\"']?\s*(?:[:=]|%3D)\s*[\"']?"
    r"(?:\[?<?(?:redacted|masked|hidden|removed|filtered)>?\]?|\*+|null|none|nil|undefined|true|false|missing|invalid"
    r"|required|[\"']{2})(?![\w-])[\"']?"
)
_BEARER: Final = re.compile(r"\bBearer\s+[A-Za-z0-9_.~+/-]{20,}")
_PASSWORD_IN_URL: Final = re.compile(r"://[^\s/@:\"'{}$]+:(?!\*+@)[^\s/@\"'{}$]{4,}@")
_NAMED: Final = re.compile(r"(?i)api_?key|secret|passw(?:or)?d|credential|private_?key|token")
# What such a name goes on with where the value only tells where the secret is, or something about it.
_ABOUT: Final = re.compile(
    r"(?i)(?:arn|name|id|ids|url|uri|path|param|parameter|ttl|expiry|expiration|seconds|minutes|hours|days|header|table|prefix|"
    r"suffix|length|file|region|version|endpoint|issuer|audience|cookie|policy|type|field|enabled|required|limit|budget|count|"
    r"stage|bucket|queue|topic|algorithm|scope|mode|source|tokens|alias|location|store|provider|index|max|min|attribute)$"
)
_PLACE: Final = re.compile(
    r"(?i)arn:|https?://[^@]*$|/|\{\{resolve:|\$\{|[-+]?[\d.]*$|(?:true|false|none|null|yes|no)$|[a-z0-9_.-]+(?:/[a-z0-9_.-]+)+$"
)
_WORDS: Final = re.compile(r"[A-Za-z]+(?:[-_. :][A-Za-z]+)*")
_SHORTEST: Final = 6  # characters; a shorter text is a switch or a code, not a secret


def in_text(text: str) -> bool:
    """Return whether a line contains a credential of a known form."""
    return looks_secret(_NOTHING.sub("", text)) or bool(_BEARER.search(text))


def in_setting(name: str, value: str) -> bool:
    """Return whether a setting is a credential, by its value or by its name, in any known encoding.

    A value of plain words counts only where the name says password. In a token or a secret, plain words are its name.
    A secret of this process, such as the key that it signs with, counts in every form.
    """
    return any(_is_credential(*spelt) for spelt in encodings.spellings(name, value))


def _is_credential(name: str, value: str) -> bool:
    if looks_secret(value) or _PASSWORD_IN_URL.search(value):
        return True
    if not _PLACE.match(value) and known.holds(value):
        return True
    if not _NAMED.search(name) or _ABOUT.search(name) or len(value) < _SHORTEST or _PLACE.match(value):
        return False
    return "passw" in name.lower() or not _WORDS.fullmatch(value)
