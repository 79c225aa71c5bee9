"""Secrets that stand in an application's files."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from readiness.errors import Unverified
from readiness.probes.finding import Finding
from readiness.probes.process import read

# What tests and examples hold of these kinds is made up.
_MADE_UP: Final = {"JSON Web Token", "Basic Auth Credentials", "Private Key"}
_EXAMPLES: Final = re.compile(
    r"(?:^|[/_.-])(?:tests?|fixtures?|examples?|samples?|mocks?|docs?)(?:[/_.-]|$)|\.md$", re.IGNORECASE
)
_EXAMPLE: Final = re.compile(
    r"EXAMPLE|://[^/\s]*:[^/\s]*@(?:localhost|127\.|\[?::1|[\w.-]*\bexample\b|host\b|db\b)|://\w*:(?:pass(?:word)?|secret|\*+)@",
    re.IGNORECASE,
)
_BASE64: Final = re.compile(r"[A-Za-z0-9+/=]{40,}")


def found(folder: Path, files: Sequence[Path]) -> list[Finding]:
    """Each secret in these files; never the secret itself.

    Raises:
        Unverified: detect-secrets is not installed.
    """
    try:
        from readiness.probes import leaks  # noqa: PLC0415  # an optional extra
    except ImportError as problem:
        raise Unverified(f"{problem.name} is not installed; install stack-readiness[static]") from problem
    texts = {file.relative_to(folder).as_posix(): read(file).split("\n") for file in files}
    lines = ((name, number, line) for name, text in texts.items() for number, line in enumerate(text, 1))
    return [
        Finding(name, number, "secret", f"expected none, found what looks like: {kind}; revoke and remove it")
        for name, number, kind in sorted(leaks.found_in(lines))
        if _is_certain(name, kind, texts[name][number - 1 : number + 2])
    ]


def _is_certain(name: str, kind: str, lines: Sequence[str]) -> bool:
    if _EXAMPLE.search(lines[0]) or (kind in _MADE_UP and _EXAMPLES.search(name)):
        return False
    return kind != "Private Key" or any(_BASE64.search(line) for line in lines)
