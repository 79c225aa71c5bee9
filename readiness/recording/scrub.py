"""Replaces private data in a recording. Each value gets one stand-in, so that equal values stay equal.

An account number, an address, a mail address and a person's name get the same stand-in in requests and answers, in
encoded texts, and in every process of the run. Stand-ins have a form of their own and are not replaced, so that a
replay's request, made from recorded answers, equals the recorded request. Credentials become `[redacted]`. Where a
check may search for credentials, the replaced text still has a credential's form.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import hashlib
import hmac
import ipaddress
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from readiness.recording.values import BYTES, TEXT, bytes_of, of_bytes
from readiness.report.redaction import looks_secret, without_secrets

OWN_ACCOUNT = "999900000000"
_KEY_STAND_IN = "AKIA" + "REDACTED00000000"
"""A text in the form of an access key, for checks that search for one. It is no access key."""
_REDACTED = "[redacted]"
_OTHER_ACCOUNT = re.compile(r"(?<=[:/])(?!9999)\d{12}(?=[:/])|(?<=%3A)(?!9999)\d{12}(?=%3A)")
_IPV4 = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w]|\.\d)")
_IPV6 = re.compile(r"(?i)(?<![\w:.])(?:[0-9a-f]{0,4}:){3,7}[0-9a-f]{0,4}(?![\w:.])")
_MAIL = re.compile(r"(?<![\w.+-])[\w.+-]++(?:@|%40)(?:[\w-]+\.)+[A-Za-z]{2,}")
_PERSON = re.compile(r"(?<=:)(user/|assumed-role/[\w+=,.@-]+/)([\w+=,.@/-]+)")
_RESERVED_NETWORKS = [
    ipaddress.ip_network(network)
    for network in (
        *("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "192.0.2.0/24", "198.18.0.0/15"),
        *("198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4", "::/64", "2001:db8::/32"),
    )
]
# Digits that redaction must not take for an account's; private use, so that no answer has them.
_SHIELD = str.maketrans("0123456789", "".join(map(chr, range(0xE000, 0xE00A))))
_UNSHIELD = {new: old for old, new in _SHIELD.items()}
_BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{4}){6,}(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")
_NAMED_LIKE_A_SECRET = re.compile(r"(?i)api_?key|secret|passw|credential|private_?key|token")
_NO_SECRET = re.compile(r"arn:|https?://|\d*$|(?i:true|false|none)$")
_SETTING = 4096  # characters; no longer text is a password
# Formats that contain no readable text: pictures, fonts.
_OPAQUE = (b"\x89PNG", b"\xff\xd8\xff", b"RIFF", b"GIF8", b"wOF2", b"wOFF")
WITHHELD = "$withheld"
"""In the place of content that cannot be looked into."""


class Scrubber:
    """Makes the stand-ins of one run.

    Args:
        salt: the same in every process, and secret, because a reader of the recording could guess values with it.
        account: the run's account.
    """

    def __init__(self, salt: str, account: str = "") -> None:
        self._salt = salt.encode()
        self.account = account

    def value(self, value: Any, key: str = "", *, of_variables: bool = False) -> Any:
        """Return a value with its private data replaced. `value` has JSON types, see `values.plain`."""
        if isinstance(value, str):
            return self._named(key, value) if of_variables else self._leaf(key, value)
        if isinstance(value, Mapping):
            if len(value) == 1 and TEXT in value:
                return {TEXT: self.text(value[TEXT])}
            if len(value) == 1 and BYTES in value:
                return self._binary(value)
            variables = key in ("Variables", "environment")
            return {
                self.text(name): self.value(inner, name, of_variables=variables)
                for name, inner in value.items()
            }
        if isinstance(value, Sequence):
            return [self.value(inner, key) for inner in value]
        return value

    def text(self, text: str) -> str:
        """One text, and the texts within it."""
        if text[:1] in ("{", "[") and (inner := _parsed(text)) is not None:
            scrubbed = self.value(inner)
            return text if scrubbed == inner else json.dumps(scrubbed)
        if _BASE64.fullmatch(text) and (decoded := _decoded(text)):
            scrubbed = self.text(decoded)
            return text if scrubbed == decoded else base64.b64encode(scrubbed.encode()).decode("ascii")
        return self._line(text)

    def _named(self, name: str, value: str) -> str:
        """A setting, which is a secret where its name says so."""
        if _NAMED_LIKE_A_SECRET.search(name) and not _NO_SECRET.match(value):
            return _KEY_STAND_IN if looks_secret(value) else _REDACTED
        return self._leaf(name, value)

    def _leaf(self, key: str, value: str) -> str:
        if key.lower() in ("set-cookie", "cookie"):
            return _REDACTED
        shielded = self._accounts(value)
        is_setting = key and len(value) < _SETTING and shielded == without_secrets(shielded)
        if is_setting and shielded not in without_secrets(f'"{key}": "{shielded}"'):
            return _REDACTED  # a secret by its name alone
        return self.text(value)

    def _line(self, text: str) -> str:
        shielded = self._accounts(text)
        # Line by line, or a name that ends a line of a template would take the next line along.
        parts = [shielded] if "-----BEGIN" in shielded else shielded.splitlines(keepends=True)
        redacted = "".join(map(without_secrets, parts))
        if redacted != shielded and looks_secret(shielded) and not looks_secret(redacted):
            redacted = redacted.replace(_REDACTED, _KEY_STAND_IN, 1)
        text = redacted.translate(_UNSHIELD)
        text = _MAIL.sub(self._mail, text)
        text = _PERSON.sub(lambda found: f"{found[1]}{self._stand_in(found[2])}", text)
        return _IPV6.sub(self._address, _IPV4.sub(self._address, text))

    def _accounts(self, text: str) -> str:
        if self.account:
            own = OWN_ACCOUNT.translate(_SHIELD)
            text = re.sub(rf"(?<!\d){self.account}(?!\d)", own, text)
        text = re.sub(r"(?<!\d)9999\d{8}(?!\d)", lambda found: found[0].translate(_SHIELD), text)
        return _OTHER_ACCOUNT.sub(
            lambda found: f"9999{self._number(found[0]) % 10**8:08}".translate(_SHIELD), text
        )

    def _mail(self, found: re.Match[str]) -> str:
        at = "%40" if "%40" in found[0] else "@"
        name, domain = found[0].split(at, 1)
        if domain.endswith(("example.com", "example.org", "example.invalid")):
            return found[0]
        return f"{self._stand_in(name + domain)}{at}example.com"

    def _stand_in(self, name: str) -> str:
        return name if name.startswith("someone-") else f"someone-{self._number(name) % 16**8:08x}"

    def _address(self, found: re.Match[str]) -> str:
        try:
            address = ipaddress.ip_address(found[0])
        except ValueError:
            return found[0]
        if any(address in network for network in _RESERVED_NETWORKS if network.version == address.version):
            return found[0]
        if isinstance(address, ipaddress.IPv6Address):
            # Whoever reckons by /64 reckons by it here.
            prefix = self._number(str(ipaddress.ip_network((address, 64), strict=False))) % 2**32
            return str(
                ipaddress.IPv6Address((0x20010DB8 << 96) | (prefix << 64) | self._number(found[0]) % 2**64)
            )
        return str(ipaddress.IPv4Address((240 << 24) | self._number(found[0]) % 2**28))

    def _number(self, text: str) -> int:
        return int.from_bytes(hmac.digest(self._salt, text.encode(), hashlib.sha256)[:8], "big")

    def _binary(self, marked: Mapping[str, Any]) -> dict[str, str]:
        content = bytes_of(marked)
        if content.startswith(_OPAQUE) or content[4:8] == b"ftyp":
            return dict(marked)
        if content.startswith(b"\x1f\x8b"):
            try:
                text = gzip.decompress(content).decode("utf-8")
            except (OSError, EOFError, UnicodeDecodeError):
                pass
            else:
                return of_bytes(gzip.compress(self.text(text).encode(), mtime=0))
        return {WITHHELD: f"{len(content)} bytes that cannot be looked into for secrets"}


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _decoded(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        return ""
