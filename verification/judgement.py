"""How a check's end becomes a result: a failed assertion is a failure, any other exception is not knowing."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from verification.errors import Unverified
from verification.report.redaction import redact
from verification.verdict import Outcome, Result

_REASON_LIMIT = 600  # characters; the whole text stands in the evidence


def judge(
    item: str,
    call: pytest.CallInfo[None],
    report: pytest.TestReport,
    read: Mapping[str, object] | None = None,
) -> Result:
    """The result of a check that ran to its end, or whose fixtures broke, with what it says it read.

    A fixture's failed assertion is UNVERIFIED: what the item claims was never looked at.
    """
    noted = {name: redact(str(value)) for name, value in (read or {}).items()}
    if call.excinfo is None:
        return Result(item, Outcome.PASS, seconds=call.duration, node=report.nodeid, read=noted)
    problem = call.excinfo.value
    failed = isinstance(problem, AssertionError) and call.when == "call"
    return Result(
        item,
        Outcome.FAIL if failed else Outcome.UNVERIFIED,
        reason=_reason(problem, failed=failed),
        seconds=call.duration,
        gap=problem.gap if isinstance(problem, Unverified) else None,
        evidence=redact(report.longreprtext),
        node=report.nodeid,
        read=noted,
    )


def _reason(problem: BaseException, *, failed: bool) -> str:
    if failed:
        text = str(problem) or "the assertion carries no message"
    elif isinstance(problem, pytest.skip.Exception):
        text = f"skipped: {problem}"
    elif isinstance(problem, Unverified):
        text = str(problem)
    else:
        text = f"{type(problem).__name__}: {problem}"
    # Redacted before it is cut: half a key no longer looks like one.
    lines = [line.strip() for line in redact(text).splitlines() if line.strip()]
    short = " | ".join(lines[:4])
    return short if len(short) <= _REASON_LIMIT else short[: _REASON_LIMIT - 1] + "…"
