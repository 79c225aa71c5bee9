"""Edits a .env file in place, as a careful person would: only the named variables change.

Vite reads `frontend/.env` with Node's `parseEnv`, so a variable is found by its rules: an optional `export`,
quotes of three kinds, quoted values over several lines, the last of several wins.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
from collections.abc import Callable, Mapping
from pathlib import Path

# One assignment. A quoted value may span lines; without its closing quote it ends with the line.
_ASSIGNMENT = re.compile(
    r"""
    (?:^|(?<=\r))[^\S\r\n]*(?:export[^\S\r\n]+)?
    (?P<name>[\w.-]+)
    [^\S\r\n]*=[^\S\r\n]*
    (?P<value>
        "(?:\\"|[^"])*"
      | '(?:\\'|[^'])*'
      | `(?:\\`|[^`])*`
      | [^#\r\n]*?
    )
    (?P<rest>[^\S\r\n]*(?:\#[^\r\n]*)?)
    (?=\r?\n|\r|\Z)
    """,
    re.MULTILINE | re.VERBOSE,
)
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# What means the same to Node, dotenv-expand and a shell, quoted or bare.
_PLAIN = re.compile(r"[A-Za-z0-9_./:@%+,~=?&-]+")
_QUOTES = "\"'`"
# Windows editors put it at the start of a file. Node takes it for a part of the first name, so it does not stay.
_BYTE_ORDER_MARK = "\ufeff"

# Bytes that are not UTF-8 survive a round trip.
_TEXT = {"encoding": "utf-8", "errors": "surrogateescape"}

Write = Callable[[int, bytes], int]


class DotenvProblem(Exception):
    """The file could not be read or written; it is as it was."""


def edited(text: str, values: Mapping[str, str]) -> str:
    """The text with each variable set to its value, everything else untouched.

    A variable that is there keeps its place, its quotes and its comment; one that is missing is
    appended with the line ending the file already uses.

    Raises:
        ValueError: a name or a value would not mean the same to every reader of the file.
    """
    for name, value in values.items():
        if not _NAME.fullmatch(name):
            raise ValueError(f"'{name}' is no name for an environment variable")
        if not _PLAIN.fullmatch(value):
            raise ValueError(
                f"the value of {name} is empty or holds a character that needs quoting: {value!r}"
            )

    text = text.removeprefix(_BYTE_ORDER_MARK)
    seen: set[str] = set()

    def replaced(match: re.Match[str]) -> str:
        name, old = match["name"], match["value"]
        if name not in values:
            return match[0]
        seen.add(name)
        quote = old[0] if len(old) > 1 and old[0] == old[-1] and old[0] in _QUOTES else ""
        start, end = (position - match.start() for position in match.span("value"))
        return f"{match[0][:start]}{quote}{values[name]}{quote}{match[0][end:]}"

    text = _ASSIGNMENT.sub(replaced, text)
    missing = [f"{name}={value}" for name, value in values.items() if name not in seen]
    if not missing:
        return text
    ending = "\r\n" if "\r\n" in text else "\n"
    if text and not text.endswith("\n"):
        text += ending
    return text + "".join(line + ending for line in missing)


def parsed(text: str) -> dict[str, str]:
    """The variables of a .env text; of several assignments to one name the last wins."""
    found = {}
    for match in _ASSIGNMENT.finditer(text.removeprefix(_BYTE_ORDER_MARK)):
        value = match["value"]
        if len(value) > 1 and value[0] == value[-1] and value[0] in _QUOTES:
            quote, value = value[0], value[1:-1]
            if quote == '"':
                value = value.replace("\\n", "\n").replace("\\r", "\r")
        found[match["name"]] = value
    return found


def read(path: Path) -> str:
    """The file's text; nothing when there is no file yet.

    Raises:
        DotenvProblem: it is there and cannot be read.
    """
    try:
        with path.open(newline="", **_TEXT) as file:  # type: ignore[call-overload]
            text: str = file.read()
            return text
    except FileNotFoundError:
        return ""
    except OSError as problem:
        raise DotenvProblem(
            f"{path} cannot be read: {problem.strerror}; make it a file that you may read"
        ) from problem


def update(path: Path, values: Mapping[str, str], *, write: Write = os.write) -> bool:
    """Set the variables in the file, all or nothing.

    The new content is complete on disk under a temporary name in the same directory before it takes
    the old one's place, so a full disk, a kill or a power cut leaves the old file whole. A symbolic
    link stays one; its target changes. Permissions stay.

    Returns:
        Whether anything changed. A file that already says so is not touched.

    Raises:
        ValueError: a value cannot stand in such a file.
        DotenvProblem: the file system refused; the file is as it was.
    """
    old = read(path)
    new = edited(old, values)
    if new == old:
        return False
    try:
        _replace(Path(os.path.realpath(path)), new.encode(**_TEXT), write)
    except OSError as problem:
        raise DotenvProblem(
            f"{path} cannot be written: {problem.strerror}; it is unchanged. Make room or fix the permissions, "
            "then run the same command again"
        ) from problem
    return True


def _replace(target: Path, content: bytes, write: Write) -> None:
    _remove_left_behind(target)
    temporary = target.parent / f"{_temporary(target)}{os.getpid()}"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        try:
            _adopt_mode(descriptor, target)
            rest = memoryview(content)
            while rest:
                rest = rest[write(descriptor, rest.tobytes()) :]
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _temporary(target: Path) -> str:
    """How a file in the making is named, before its writer's process id."""
    return f".{target.name}.new-"


def _remove_left_behind(target: Path) -> None:
    """Remove what a writer left that was killed between its first byte and the replacement."""
    for left in target.parent.glob(f"{_temporary(target)}[0-9]*"):
        if not _runs(left.name.removeprefix(_temporary(target))):
            left.unlink(missing_ok=True)


def _runs(process: str) -> bool:
    """Whether another process of that id is there."""
    try:
        os.kill(int(process), 0)
    except (ProcessLookupError, OverflowError):
        return False
    except (PermissionError, ValueError):
        return True
    return int(process) != os.getpid()


def _adopt_mode(descriptor: int, target: Path) -> None:
    """Give the new file the old one's permissions and owner, or what the umask leaves of 0644."""
    try:
        old = target.stat()
    except FileNotFoundError:
        umask = os.umask(0)
        os.umask(umask)
        os.fchmod(descriptor, 0o644 & ~umask)
        return
    if (old.st_uid, old.st_gid) != (os.geteuid(), os.getegid()):
        with contextlib.suppress(PermissionError):
            os.fchown(descriptor, old.st_uid, old.st_gid)
    os.fchmod(descriptor, stat.S_IMODE(old.st_mode))
