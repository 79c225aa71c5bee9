"""docs/DEPLOYMENT.md quotes messages and names options: they must be the real ones."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from verification.deployment.keys import PROVIDERS

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = (ROOT / "docs" / "DEPLOYMENT.md").read_text()
SOURCE = "".join(
    re.sub(r'"\s*\n\s*f?"', "", file.read_text())
    for file in [
        *(ROOT / "verification" / "deployment").glob("*.py"),
        ROOT / "verification" / "environment.py",
    ]
)
MESSAGES = re.findall(r"(?m)^\| `([^`]+)` \|", DOCUMENT.partition("## Troubleshooting")[2])


def test_there_are_messages_to_look_for() -> None:
    assert len(MESSAGES) > 15


@pytest.mark.parametrize("message", MESSAGES)
def test_quoted_message_is_real(message: str) -> None:
    assert message in SOURCE


def test_every_key_is_documented() -> None:
    for provider in PROVIDERS:
        assert f"| `{provider.variable}` | `{provider.parameter}` |" in DOCUMENT


def test_every_script_and_option_exists() -> None:
    for script, option in re.findall(
        r"(?m)^\s*\./scripts/([a-z-]+\.sh)[^\n#]*?(--[a-z-]+)?(?:\s|$)", DOCUMENT
    ):
        text = (ROOT / "scripts" / script).read_text()
        assert option in text, f"{script} {option}"
