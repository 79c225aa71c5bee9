"""What a failed comparison found, in plain words and one by one, instead of pytest's `assert [...] == []`.

pytest tells of each comparison of an assertion with both its sides, so no check has to do anything for it.
See docs/adr/0024-causes-and-findings.md.
"""

from __future__ import annotations

import ast
import linecache
import operator
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from http import HTTPStatus
from pathlib import Path
from types import CodeType, FrameType, TracebackType
from typing import Any

from readiness.probes.finding import Finding
from readiness.verdict import Found

_OPERATORS: Mapping[str, tuple[Callable[[Any, Any], object], str]] = {
    "==": (operator.eq, ""),
    "!=": (operator.ne, "anything but "),
    "<": (operator.lt, "less than "),
    "<=": (operator.le, "at most "),
    ">": (operator.gt, "more than "),
    ">=": (operator.ge, "at least "),
    "is": (operator.is_, ""),
    "is not": (operator.is_not, "anything but "),
}
_NAMES: Mapping[str, type[ast.cmpop]] = {
    "==": ast.Eq,
    "!=": ast.NotEq,
    "<": ast.Lt,
    "<=": ast.LtE,
    ">": ast.Gt,
    ">=": ast.GtE,
    "is": ast.Is,
    "is not": ast.IsNot,
}
_SUBJECT = 60  # characters of an expression that still reads as a name
_NOT_OURS = ("_pytest", "pluggy")


@dataclass(frozen=True)
class Comparison:
    """A comparison that did not hold.

    Args:
        code: the code object of the comparison.
        line: the line of the comparison.
        findings: the single differences.
        listed: whether they were a list already, rather than one difference between two values.
    """

    code: CodeType
    line: int
    findings: Sequence[Found]
    listed: bool

    def ended(self, traceback: TracebackType | None) -> bool:
        """Whether this is where an exception was raised, so that it is what the exception is about."""
        if traceback is None:
            return False
        while traceback.tb_next:
            traceback = traceback.tb_next
        return (traceback.tb_frame.f_code, traceback.tb_lineno) == (self.code, self.line)


def compared(op: str, left: object, right: object) -> Comparison | None:
    """A comparison of which pytest tells right now, None when it holds; to be called from pytest's hook."""
    frame = _asserting()
    if frame is None or _holds(op, left, right):
        return None
    try:
        listed = _listed(op, left, right)
        found = None if listed is None else list(listed)
    except Exception:  # noqa: BLE001  # what a strange container raises must not turn a failure into a doubt
        found = None
    if found:
        return Comparison(frame.f_code, frame.f_lineno, found, listed=True)
    one = Found(_difference(op, left, right), _subject(frame, op))
    return Comparison(frame.f_code, frame.f_lineno, [one], listed=False)


def _holds(op: str, left: object, right: object) -> bool:
    """Return whether a comparison holds, because pytest also reports those that hold. An unknown result counts as False."""
    try:
        if op in ("in", "not in"):
            return (left in right) is (op == "in")  # type: ignore[operator]
        return bool(_OPERATORS[op][0](left, right)) if op in _OPERATORS else False
    except Exception:  # noqa: BLE001  # whatever a strange object raises when it is compared
        return False


def _asserting() -> FrameType | None:
    """The frame whose assertion pytest is explaining."""
    frame: FrameType | None = sys._getframe(3)  # noqa: SLF001  # past this, `compared`, and the hook that called it
    while frame and any(part in _NOT_OURS for part in Path(frame.f_code.co_filename).parts):
        frame = frame.f_back
    return frame


def _listed(op: str, left: object, right: object) -> Iterator[Found] | None:
    """What is wrong as a list, None where two single values were compared."""
    if op == "==" and isinstance(right, Mapping | list | tuple | AbstractSet) and not right:
        if isinstance(left, Mapping):
            return (_named(key, value) for key, value in left.items())
        if isinstance(left, list | tuple | AbstractSet):
            return map(_entry, left)
    if isinstance(left, AbstractSet) and isinstance(right, AbstractSet):
        if op in ("<=", "<"):
            return (Found(f"{said(one)} is not allowed") for one in left - right)
        if op == "==":
            return _differences_of_sets(left, right)
    if op == "==" and isinstance(left, Mapping) and isinstance(right, Mapping):
        return _differences_of_mappings(left, right)
    return None


def _entry(one: object) -> Found:
    if isinstance(one, Finding):
        return Found(f"{one.rule} {one.message}", one.place, one.remedy)
    return Found(one if isinstance(one, str) else said(one))


def _named(key: object, value: object) -> Found:
    """Of a mapping from what is wrong to how: how it is wrong may be a list again."""
    if isinstance(value, list | tuple | AbstractSet) and value:
        return Found("; ".join(one if isinstance(one, str) else said(one) for one in value), _name(key))
    return Found(value if isinstance(value, str) else said(value), _name(key))


def _differences_of_sets(left: AbstractSet[Any], right: AbstractSet[Any]) -> Iterator[Found]:
    yield from (Found(f"{said(one)} is not expected") for one in left - right)
    yield from (Found(f"{said(one)} is missing") for one in right - left)


def _differences_of_mappings(left: Mapping[Any, Any], right: Mapping[Any, Any]) -> Iterator[Found]:
    for key in dict.fromkeys([*right, *left]):
        if key not in left:
            yield Found(f"missing, expected {said(right[key])}", _name(key))
        elif key not in right:
            yield Found(f"not expected, found {said(left[key])}", _name(key))
        elif not _holds("==", left[key], right[key]):
            yield Found(_difference("==", left[key], right[key]), _name(key))


def _difference(op: str, left: object, right: object) -> str:
    if op not in _OPERATORS:
        return f"{said(left)} is{' not' if op == 'in' else ''} in {said(right)}"
    return f"expected {_OPERATORS[op][1]}{said(right)}, found {said(left)}"


def _name(key: object) -> str:
    return key if isinstance(key, str) else said(key)


def said(value: object) -> str:
    """A value in a sentence: times and statuses as people write them, all else as Python does."""
    try:
        if isinstance(value, HTTPStatus):
            return f"{value.value} {value.phrase}"
        if isinstance(value, timedelta | date):
            return str(value)
        return repr(value)
    except Exception as problem:  # noqa: BLE001  # a broken __repr__ must not hide what was found
        return f"<{type(value).__name__}, which cannot be shown: {type(problem).__name__}>"


def _subject(frame: FrameType, op: str) -> str:
    """What the assertion compares, as its source names it, where that is short; '' where it is an expression or unknown."""
    with suppress(SyntaxError, ValueError, RecursionError):
        source = "".join(linecache.getlines(frame.f_code.co_filename, frame.f_globals))
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Assert) and node.lineno == frame.f_lineno:
                return _left_of(node.test, op)
    return ""


def _left_of(test: ast.expr, op: str) -> str:
    if not isinstance(test, ast.Compare) or op not in _NAMES:
        return ""
    sides = [
        side
        for side, sign in zip([test.left, *test.comparators], test.ops, strict=False)
        if isinstance(sign, _NAMES[op])
    ]
    if len(sides) != 1 or not isinstance(sides[0], ast.Name | ast.Attribute | ast.Subscript | ast.Call):
        return ""
    name = ast.unparse(sides[0])
    return name if len(name) <= _SUBJECT else ""
