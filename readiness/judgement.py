"""How a check's end becomes a result: a failed assertion is a failure, any other exception is not knowing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from urllib.parse import urlsplit

import botocore.exceptions
import pytest

from readiness.errors import EXPIRED, NotApplicable, TookTooLong, Unverified
from readiness.findings import Comparison
from readiness.report.redaction import redact
from readiness.report.shortening import beginning, shorten
from readiness.verdict import Found, Outcome, Result

# Characters and lines that the report keeps of one check.
_REASON_LIMIT = 600  # the whole text stands in the evidence
_TRACE_LIMIT = 20_000
_OUTPUT_LIMIT = 5_000
_VALUE_LIMIT = 400
_CAUSE_LIMIT = 200
_FINDING_LIMIT = 1_000
FINDINGS = 200_000
"""Characters of all findings of one check; what a whole report holds of them is limited in report/document.py."""
OBSERVED = 12
_EXCHANGES = 6
# What botocore raises when it cannot renew the credentials of a profile.
_SIGNED_OUT = (
    botocore.exceptions.CredentialRetrievalError,
    botocore.exceptions.SSOError,
    botocore.exceptions.TokenRetrievalError,
)
# Hints on how to see more, and where the parts of a part come from.
_NOISE = re.compile(r"^\s*(?:Use -v|Omitting \d+ identical|\+\s{3,})")
_WHERE = re.compile(r"^\s*\+  where (.*)", re.MULTILINE)
_WHERE_LIMIT = 200


@dataclass
class Seen:
    """What a check found while it ran.

    Args:
        read: the values that it reports as read.
        observed: its assertions that held, each with the values it saw.
        exchanges: its requests, each with an excerpt of the answer.
        compared: the latest comparison of its assertions that did not hold.
    """

    read: dict[str, object] = field(default_factory=dict)
    observed: list[tuple[str, str]] = field(default_factory=list)
    exchanges: list[str] = field(default_factory=list)
    compared: Comparison | None = None


def judge(
    item: str,
    call: pytest.CallInfo[None],
    report: pytest.TestReport,
    seen: Seen | None = None,
    *,
    expected: bool = False,
) -> Result:
    """Return the result of a check that ran to its end, or whose fixtures failed, with what it found.

    An item that does not apply fails where the application expects that it does.

    A fixture's failed assertion is UNVERIFIED, because the item's claim was not checked.
    """
    seen = seen or Seen()
    problem = call.excinfo.value if call.excinfo else None
    absent = isinstance(problem, NotApplicable)
    failed = (isinstance(problem, AssertionError) and call.when == "call") or (absent and expected)
    outcome = Outcome.FAIL if failed else Outcome.NOT_APPLICABLE if absent else Outcome.UNVERIFIED
    comparison = seen.compared if problem and failed else None
    if comparison and problem and not comparison.ended(problem.__traceback__):
        comparison = None  # the assertion that failed compared nothing
    findings = _findings(comparison.findings) if comparison else ()
    return Result(
        item,
        outcome if problem else Outcome.PASS,
        reason=_reason(problem, comparison, failed=failed) if problem else "",
        seconds=call.duration,
        gap=problem.gap if isinstance(problem, Unverified) else None,
        evidence=shorten(redact(report.longreprtext), _TRACE_LIMIT) if problem and not absent else "",
        node=redact(report.nodeid),
        read=_read(seen.read),
        line=(report.location[1] or 0) + 1,
        observed=tuple(
            (redact(written), _values(redact(values))) for written, values in seen.observed[:OBSERVED]
        ),
        exchanges=_first_and_last(seen.exchanges),
        output=shorten(
            "\n".join(f"{name}:\n{redact(text)}" for name, text in report.sections), _OUTPUT_LIMIT
        ),
        cause=_cause(problem) if outcome is Outcome.UNVERIFIED and problem else "",
        findings=findings,
        findings_left_out=len(comparison.findings) - len(findings) if comparison else 0,
    )


def _values(text: str) -> str:
    """What pytest says of an assertion that held: what was compared, and where that comes from."""
    lines = [line.rstrip() for line in text.splitlines() if line.strip() and not _NOISE.search(line)]
    short = "\n".join(lines)
    return short if len(short) <= _VALUE_LIMIT else short[: _VALUE_LIMIT - 1] + "…"


def _read(read: Mapping[str, object]) -> Mapping[str, str]:
    return {redact(name): shorten(redact(str(value)), _VALUE_LIMIT) for name, value in read.items()}


def _first_and_last(exchanges: Sequence[str]) -> Sequence[str]:
    texts = tuple(shorten(redact(text), _VALUE_LIMIT) for text in exchanges)
    if len(texts) <= _EXCHANGES:
        return texts
    half = _EXCHANGES // 2
    return (*texts[:half], f"[... {len(texts) - 2 * half} more ...]", *texts[-half:])


def _findings(found: Sequence[Found]) -> tuple[Found, ...]:
    """As many as there is room for, each of them redacted before it is cut: half a key no longer looks like one."""
    kept: list[Found] = []
    room = FINDINGS
    for one in found:
        short = Found(*(shorten(redact(text), _FINDING_LIMIT) for text in (one.text, one.place, one.remedy)))
        room -= len(short.text) + len(short.place) + len(short.remedy)
        if room < 0:
            break
        kept.append(short)
    return tuple(kept)


def _reason(problem: BaseException, comparison: Comparison | None, *, failed: bool) -> str:
    said = _text(problem)
    if comparison:
        text = _of_comparison(problem, comparison)
    elif failed:
        text = _message(problem) or said or "the assertion carries no message"
    elif isinstance(problem, pytest.skip.Exception):
        text = f"skipped: {said}"
    elif isinstance(problem, Unverified | TookTooLong):
        text = said
    else:
        text = f"{type(problem).__name__}: {said}"
    # Redacted before it is cut: half a key no longer looks like one.
    lines = [line.strip() for line in redact(text).splitlines() if line.strip()]
    short = " | ".join(lines[:4])
    return short if len(short) <= _REASON_LIMIT else short[: _REASON_LIMIT - 1] + "…"


def _text(problem: BaseException) -> str:
    """Return the text of an exception. The `__str__` of a library's exception may itself fail."""
    try:
        return beginning(str(problem))
    except (Exception, SystemExit) as other:  # noqa: BLE001  # whatever it raises, it says nothing
        return f"it has no text ({type(other).__name__})"


def _of_comparison(problem: BaseException, comparison: Comparison) -> str:
    """The assertion's own message, then its one finding or how many there are, and what was compared."""
    message = _message(problem)
    count = len(comparison.findings)
    said = str(comparison.findings[0]) if count == 1 else f"{count} findings"
    if not comparison.listed:
        said = ", where ".join(
            [said, *(shorten(redact(of), _WHERE_LIMIT) for of in islice(_wheres(_text(problem)), 2))]
        )
    return f"{message}: {said}" if message else said


def _message(problem: BaseException) -> str:
    """What the check itself says of its failed assertion, before pytest's own words."""
    text = _text(problem)
    return "" if text.startswith("assert ") else text.partition("\nassert ")[0].strip()


def _wheres(text: str) -> Iterator[str]:
    """What pytest tells of where the compared values come from, nearest first."""
    return (found[1] for found in _WHERE.finditer(text))


def _cause(problem: BaseException) -> str:
    """What kept the suite from looking, in one line."""
    if isinstance(problem, Unverified):
        text = problem.cause
    elif isinstance(problem, botocore.exceptions.HTTPClientError | botocore.exceptions.ConnectionError):
        address = urlsplit(str(problem.kwargs.get("endpoint_url", "")))
        text = f"{address.netloc or 'AWS'} does not answer"
    elif isinstance(problem, _SIGNED_OUT):
        text = EXPIRED
    else:
        text = f"{type(problem).__name__}: {_text(problem)}"
    line = next((line.strip() for line in redact(text).splitlines() if line.strip()), type(problem).__name__)
    return line if len(line) <= _CAUSE_LIMIT else line[: _CAUSE_LIMIT - 1] + "…"
