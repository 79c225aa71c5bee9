"""What a run concludes: an outcome an item, one line, one exit status.

See docs/adr/0002-verdict-contract.md.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from enum import StrEnum
from typing import Any

from readiness.errors import Gap
from readiness.waivers import Waiver


class Outcome(StrEnum):
    """The answers to 'does the claim hold?'."""

    PASS = "pass"  # noqa: S105  # a verdict, not a password
    FAIL = "fail"
    WAIVED = "waived"
    UNVERIFIED = "unverified"
    NOT_APPLICABLE = "not-applicable"


@dataclass(frozen=True)
class Waived:
    """Who answered for a failure, why, and until when."""

    reason: str
    approver: str
    expires: str
    days_left: int


@dataclass(frozen=True)
class Found:
    """One way in which a claim does not hold.

    Args:
        text: what is wrong.
        place: where, or of what; '' when the text says so.
        remedy: what to do about this one, where that is known and more than the item's own remedy.
    """

    text: str
    place: str = ""
    remedy: str = ""

    def __str__(self) -> str:
        return f"{self.place}: {self.text}" if self.place else self.text


@dataclass(frozen=True)
class Result:
    """What was observed about one item.

    Args:
        item: the item's id.
        outcome: the outcome.
        reason: the reason of the outcome; empty for a pass, except for one whose waiver is no longer needed.
        seconds: the check's own time.
        gap: the declared reason why the item could not be checked.
        evidence: the traceback of a check that did not pass.
        node: pytest's id of the check.
        read: the values that the check reports as read, for every outcome.
        line: the check's line in its file, from 1; 0 when unknown.
        observed: each assertion that held, as it is written, with its values.
        exchanges: requests that the check made, each with an excerpt of its answer.
        output: the output and log of the check.
        waiver: the waiver of a waived failure.
        cause: why the item could not be checked, in the same words for each item of this cause.
        findings: the single defects that a check found.
        findings_left_out: how many more there were.
    """

    item: str
    outcome: Outcome
    reason: str = ""
    seconds: float = 0.0
    gap: Gap | None = None
    evidence: str = ""
    node: str = ""
    read: Mapping[str, str] = field(default_factory=dict)
    line: int = 0
    observed: Sequence[tuple[str, str]] = ()
    exchanges: Sequence[str] = ()
    output: str = ""
    waiver: Waived | None = None
    cause: str = ""
    findings: Sequence[Found] = ()
    findings_left_out: int = 0

    def plain(self) -> dict[str, Any]:
        """The same as JSON's own types, which cross process borders."""
        plain = asdict(self)
        return {key: str(value) if isinstance(value, StrEnum) else value for key, value in plain.items()}

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> Result:
        """The inverse of `plain`."""
        gap, waiver = plain["gap"], plain["waiver"]
        exact = {
            "outcome": Outcome(plain["outcome"]),
            "gap": Gap(gap) if gap else None,
            "observed": tuple((written, seen) for written, seen in plain["observed"]),
            "exchanges": tuple(plain["exchanges"]),
            "waiver": Waived(**waiver) if waiver else None,
            "findings": tuple(Found(**one) for one in plain["findings"]),
        }
        return cls(**{**plain, **exact})


@dataclass(frozen=True)
class Verdict:
    """The conclusion over all selected items.

    Args:
        results: one result for each selected item.
        items: the number of items of the whole checklist.
        rehearsal: whether declared gaps are tolerated, which only `local` does.
        interrupted: what ended the run early, such as 'by SIGTERM'; empty for a complete run.
        replayed: the date of the replayed recording; empty for a run on a stack.
    """

    results: Sequence[Result]
    items: int
    rehearsal: bool
    interrupted: str = ""
    replayed: str = ""

    @property
    def counts(self) -> Counter[Outcome]:
        """How many results have each outcome."""
        return Counter(result.outcome for result in self.results)

    @property
    def tolerated(self) -> Counter[Gap]:
        """Unverified results that do not count against this run, by their declared gap."""
        return Counter(r.gap for r in self.results if r.gap and self.tolerates(r))

    def tolerates(self, result: Result) -> bool:
        """Whether this result is a declared gap of a rehearsal."""
        return self.rehearsal and result.outcome is Outcome.UNVERIFIED and result.gap is not None

    @property
    def ok(self) -> bool:
        """Whether every selected item that applies passed, is waived, or has a tolerated gap, and any applies.

        Never of a replay: it says what held when it was recorded.
        """
        unverified = self.counts[Outcome.UNVERIFIED] - self.tolerated.total()
        applies = self.counts[Outcome.NOT_APPLICABLE] < len(self.results)
        looked = applies and not self.interrupted and not self.replayed
        return looked and not self.counts[Outcome.FAIL] and not unverified

    @property
    def exit_status(self) -> int:
        return 0 if self.ok else 1

    def __str__(self) -> str:
        counts = self.counts
        notes = [f"{counts[Outcome.FAIL]} failed"] if counts[Outcome.FAIL] else []
        if unverified := counts[Outcome.UNVERIFIED] - self.tolerated.total():
            notes.append(f"{unverified} unverified")
        if counts[Outcome.WAIVED]:
            notes.append(f"{counts[Outcome.WAIVED]} waived")
        if counts[Outcome.NOT_APPLICABLE]:
            notes.append(f"{counts[Outcome.NOT_APPLICABLE]} not applicable")
        verbs = {Gap.NEEDS_AWS: "need AWS", Gap.NEEDS_INTERNET: "need internet", Gap.PLANNED: "planned"}
        notes += [f"{n} {verbs[gap]}" for gap, n in sorted(self.tolerated.items())]
        if self.interrupted:
            headline = f"INTERRUPTED {self.interrupted}"
            notes.insert(0, f"{counts[Outcome.PASS]} of {len(self.results)} selected passed")
        elif self.replayed:
            headline = f"REPLAYED of {self.replayed}"
            notes.insert(0, f"{counts[Outcome.PASS]} of {len(self.results)} selected passed")
        elif len(self.results) < self.items:
            headline = "PASSED" if self.ok else "NOT PASSED"
            headline += f" {counts[Outcome.PASS]} of {len(self.results)} selected"
            notes.append(f"{self.items - len(self.results)} items not selected")
        elif not self.ok:
            headline = "NOT READY"
        else:
            headline = "READY LOCALLY" if self.rehearsal else "READY"
        return headline + (f" ({', '.join(notes)})" if notes else "")


def waive(result: Result, waivers: Mapping[str, Waiver], today: date) -> Result:
    """Return a failure with a waiver as WAIVED. A pass with a waiver says that the waiver is no longer needed."""
    waiver = waivers.get(result.item)
    if waiver is None:
        return result
    if result.outcome is Outcome.PASS:
        return replace(
            result, reason=f"passes again: take its waiver of {waiver.approver} out of waivers.toml"
        )
    if result.outcome is not Outcome.FAIL:
        return result
    days = waiver.days_left(today)
    answered = (
        f"waived until {waiver.expires} ({days} day{'' if days == 1 else 's'} left) "
        f"by {waiver.approver}: {waiver.reason}"
    )
    waived = Waived(waiver.reason, waiver.approver, waiver.expires.isoformat(), days)
    return replace(result, outcome=Outcome.WAIVED, reason=f"{answered} [{result.reason}]", waiver=waived)
