"""Secrets that this process holds itself. Their values are removed from a report in any form."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import quote

from readiness.secret_parameters import names_secret

_SHORTEST = 8  # characters; a shorter value would also be found in words that are no secret
_REST = 4  # characters of a secret that give too much of it away where it was shortened
# Tried once a run of characters, however long: its head begins where the run does, or is empty.
_SHORTENED = re.compile(r"((?:(?<![\w+/=-])[\w+/=-]++)?+)\.\.\.([\w+/=-]*+)")
_values: set[str] = set()
_accounts: set[str] = set()
_folders: set[str] = set()


def hide(values: Iterable[str]) -> None:
    """Hide these values in reports. Numbers, and values as short as a word, are not hidden."""
    for value in values:
        if len(value) >= _SHORTEST and not value.isdigit():
            _values.update({value, quote(value, safe=""), json.dumps(value)[1:-1]})


def hide_environment(variables: Mapping[str, str] = os.environ) -> None:
    """Hide the values of environment variables that are named like a secret. A path is no secret."""
    hide(value for name, value in variables.items() if names_secret(name) and not os.path.exists(value))  # noqa: PTH110


def holds(text: str) -> bool:
    """Return whether a text contains one of the hidden values."""
    return any(value in text for value in _values)


def hide_account(number: str) -> None:
    """Never let out more than the last four digits of an account's number."""
    if number:  # a run that reads files alone has none
        _accounts.add(number)


def hide_folders(*folders: Path) -> None:
    """Shorten paths to start from these folders. The folders' own paths are private, and differ between machines."""
    _folders.update(str(folder) for folder in folders if folder != Path(folder.anchor))


def without(text: str) -> str:
    """The text with every hidden value, and what pytest has left of one that it shortened, taken out."""
    for value in sorted(_values, key=len, reverse=True):
        text = text.replace(value, "[redacted]")
    for folder in sorted(_folders, key=len, reverse=True):
        text = text.replace(f"{folder}/", "")
        text = re.sub(rf"{re.escape(folder)}(?![\w.-])", ".", text)
    if "..." in text:
        text = _SHORTENED.sub(_whether_known, text)
    for number in _accounts:
        text = re.sub(rf"(?<!\d){number}(?!\d)", "*" * 8 + number[-4:], text)
    return text


def _whether_known(found: re.Match[str]) -> str:
    head, tail = found.groups()
    rest = any(
        (len(head) >= _REST and value.startswith(head)) or (len(tail) >= _REST and value.endswith(tail))
        for value in _values
    )
    return "[redacted]" if rest else found[0]
