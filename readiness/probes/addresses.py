"""Addresses in a tool's output. A published document must not name a private registry, proxy or host."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

HIDDEN = "[address]"

_NAME = r"[A-Za-z0-9*](?:[A-Za-z0-9.-]*[A-Za-z0-9])?"
# With its path, in which a company's registry may name a project, and with the credentials before its host.
_URL = re.compile(r"(?<![\w/.:])(?:[A-Za-z][A-Za-z0-9+.-]*:)?//[^\s'\"`|<>()\[\]{},;]+")
# What npm, Node, pip, pip-audit, uv and their libraries write before a host that is no part of a URL.
_HOST = re.compile(
    r"(?:\b(?:ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH)\s+"
    r"|\bhost=|\b[Rr]esolve(?:\shost)?:?\s|\b(?:Host|DNS|IP Address):\s?|\b[Cc]onnection\sto\s|\bhostname\s)"
    rf"['\"]?({_NAME}(?::\d+)?|\[?[0-9A-Fa-f:]*::[0-9A-Fa-f:]*\]?(?::\d+)?)"
)
_IPV4 = re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?(?![\w.]*\w)")


def hidden(text: str) -> str:
    """The text without URLs and hosts; a host that it names in one place is hidden in all of them."""
    # A port without a host leads nowhere, and a word that is no name is only known from its place.
    hosts = {found[1] for found in _HOST.finditer(text)}
    hosts |= {urlsplit(found[0]).hostname or "" for found in _URL.finditer(text)}
    text = _URL.sub(HIDDEN, text)
    for host in sorted(hosts - {""}, key=len, reverse=True):
        text = re.sub(rf"(?<![\w.-]){re.escape(host)}(?![\w-]|\.\w)", HIDDEN, text, flags=re.IGNORECASE)
    return _IPV4.sub(HIDDEN, text)
