"""What is committed for everybody to read names no registry: neither lock files nor documents.

The test names none either. It knows the few hosts that documents may lead to, and takes any other for a finding.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
# Where documents send their readers. Never a registry, an advisory service or a mirror.
LINKED = {
    "ai.google.dev",
    "airbyte.com",
    "aws.amazon.com",
    "c3x.dev",
    "cloudchipr.com",
    "developer.puter.com",
    "developers.openai.com",
    "docs.aws.amazon.com",
    "docs.bfl.ai",
    "github.com",
    "platform.stability.ai",
    "pre-commit.com",
    "www.artillery.io",
    "www.recraft.ai",
    "www.w3.org",
}
# Who is spoken of: AWS's services as principals, a vendor, names that are reserved for examples, loopback.
SPOKEN_OF = re.compile(
    r"(.+\.)?(amazonaws\.com|cloudfront\.net|example|example\.(com|org|net)|test|localhost|api\.openai\.com|127\.0\.0\.1)"
)
# By their last part, or by what stands before them.
NAMED = re.compile(
    r"(?:://|host=['\"]?|ENOTFOUND |EAI_AGAIN )([\w.*-]+)"
    r"|(?<![\w./@-])((?:[a-z0-9-]+\.)+(?:com|org|net|dev|io|cloud|corp|internal|lan))(?![\w.-]*[\w-])",
    re.IGNORECASE,
)
# npm's lock keeps who a package's makers are; those are no addresses that anything is fetched from.
OF_PEOPLE = {"url", "funding", "homepage", "bugs"}


def tracked(*patterns: str) -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", *patterns], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    return [ROOT / name for name in listed.split("\0") if name]


DOCUMENTS = tracked("*.md", "docs/*.svg", "docs/*.json", "docs/*.toml")
NPM_LOCKS = tracked("*package-lock.json")
PYTHON_LOCKS = tracked("requirements/*.txt")


def hosts(text: str) -> set[str]:
    return {(found[1] or found[2]).lower().strip("*.") for found in NAMED.finditer(text)}


def unknown(text: str) -> list[str]:
    return sorted(host for host in hosts(text) - LINKED if not SPOKEN_OF.fullmatch(host))


def fetched(value: Any, key: str = "") -> Iterator[str]:
    """The addresses in a lock, but those of people."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if name not in OF_PEOPLE:
                yield from fetched(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from fetched(inner, key)
    elif isinstance(value, str) and ("://" in value or value.startswith("//")):
        yield f"{key}: {value}"


def test_there_is_something_to_look_at() -> None:
    assert (len(DOCUMENTS) > 30, len(NPM_LOCKS), len(PYTHON_LOCKS)) == (True, 4, 5)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_documents_name_no_registry(document: Path) -> None:
    assert unknown(document.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("lock", NPM_LOCKS, ids=lambda path: str(path.relative_to(ROOT)))
def test_locks_of_npm_fetch_from_nowhere_in_particular(lock: Path) -> None:
    assert list(fetched(json.loads(lock.read_text(encoding="utf-8")))) == []


@pytest.mark.parametrize("lock", PYTHON_LOCKS, ids=lambda path: path.name)
def test_locks_of_python_fetch_from_nowhere_in_particular(lock: Path) -> None:
    assert [
        line for line in lock.read_text(encoding="utf-8").splitlines() if "://" in line or "--index" in line
    ] == []


@pytest.mark.parametrize(
    "text",
    [
        "POST https://packages.corp.invalid/npm/",
        "HTTPSConnectionPool(host='packages.corp', port=443)",
        "getaddrinfo ENOTFOUND packages",
        "asked packages.corp.internal twice",
        "with the service at packages.dev.",
    ],
)
def test_would_find(text: str) -> None:
    assert unknown(text) != []


def test_would_find_in_a_lock() -> None:
    assert list(fetched({"packages": {"a": {"resolved": "https://packages.example/a.tgz"}}})) != []
