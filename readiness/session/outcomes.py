"""How the end of a check becomes the outcome of its item, with everything secret taken out."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import replace
from datetime import date
from typing import Any, cast

import pytest

from readiness import findings
from readiness.application import Application
from readiness.environment import Environment
from readiness.judgement import OBSERVED, Seen, judge
from readiness.probes.http import LATEST
from readiness.report import Picture
from readiness.report.redaction import redact
from readiness.report.shortening import beginning
from readiness.run.schedule import Check
from readiness.session.selection import item_id
from readiness.verdict import Outcome, Result, waive
from readiness.waivers import Waiver

_STATUS: dict[Outcome, Any] = {
    Outcome.PASS: ("passed", ".", "PASS"),
    Outcome.FAIL: ("failed", "F", ("FAIL", {"red": True})),
    Outcome.WAIVED: ("waived", "w", ("WAIVED", {"yellow": True})),
    Outcome.UNVERIFIED: ("unverified", "u", ("UNVERIFIED", {"yellow": True})),
    Outcome.NOT_APPLICABLE: ("not applicable", "-", "NOT APPLICABLE"),
}
SEEN = pytest.StashKey[Seen]()
"""What a check observed; the fixture `evidence` adds what it notes itself."""


class Outcomes:
    """A pytest plugin of every process of a run: workers judge, the controller gathers.

    Args:
        application: whose items are judged.
        waivers: by item.
        today: the date that waivers are judged by.
        environment: in a rehearsal a gap of it counts as a skipped test.
    """

    def __init__(
        self,
        application: Application,
        waivers: Mapping[str, Waiver],
        today: date,
        environment: Environment,
    ) -> None:
        self._application, self._waivers, self._today = application, waivers, today
        self._environment = environment
        self._compared: findings.Comparison | None = None
        self.results: dict[str, Result] = {}
        self.pictures: dict[str, list[Picture]] = {}

    def lost(self, check: Check, reason: str, last_words: str) -> pytest.TestReport:
        """The report of a check that ended with its process."""
        result = Result(
            check.item, Outcome.UNVERIFIED, redact(reason), evidence=redact(last_words), node=check.node
        )
        path = check.node.partition("::")[0]
        report = pytest.TestReport(
            check.node, (path, None, check.node), {}, "failed", result.reason, "call", duration=0.0
        )
        report.user_properties = [("outcome", str(result.outcome))]
        report.verification = result.plain()  # type: ignore[attr-defined]
        return report

    def pytest_assertrepr_compare(self, op: str, left: object, right: object) -> None:
        """What a comparison found that does not hold is the finding; pytest's own words stay in the evidence."""
        self._compared = findings.compared(op, left, right)

    def pytest_assertion_pass(self, item: pytest.Item, orig: str, expl: str) -> None:
        """An assertion that holds tells nothing by itself; what it compared is the evidence."""
        observed, pair = item.stash.setdefault(SEEN, Seen()).observed, (" ".join(orig.split()), expl)
        if len(observed) < OBSERVED and pair not in observed:
            observed.append(pair)

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(self) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        report = yield
        _redact(report)
        return report

    @pytest.hookimpl(tryfirst=True)
    def pytest_warning_recorded(self, warning_message: Any) -> None:
        text = str(warning_message.message)
        if redact(text) != text:
            warning_message.message = Warning(redact(text))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        item.user_properties[:] = [
            (redact(str(name)), redact(str(value))) for name, value in item.user_properties
        ]
        try:
            report = yield
        except (Exception, SystemExit) as problem:  # noqa: BLE001  # the representation of an object runs its own code
            report = _unrepresented(item, call, problem)
        _redact(report)
        seen = item.stash.setdefault(SEEN, Seen())
        seen.compared, self._compared = self._compared, None
        seen.exchanges += LATEST
        LATEST.clear()
        if call.when == "call" or call.excinfo:
            result = waive(self._judged(item, call, report, seen), self._waivers, self._today)
            result = replace(result, reason=redact(result.reason))  # a waiver's text may contain a secret too
            is_skipped = result.outcome in (Outcome.WAIVED, Outcome.NOT_APPLICABLE)
            if is_skipped or (result.gap and self._environment.rehearsal):
                report.outcome = "skipped"
                report.longrepr = (str(item.path), 0, result.reason)
            # Into the JUnit file: what was observed to fail has failed, whatever its clean-up came to.
            if ("outcome", Outcome.FAIL) not in item.user_properties:
                others = [each for each in item.user_properties if each[0] != "outcome"]
                item.user_properties[:] = [*others, ("outcome", str(result.outcome))]
            report.user_properties = list(item.user_properties)
            report.verification = result.plain()  # type: ignore[attr-defined]  # crosses to the controller
        return report

    def _judged(
        self, item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport, seen: Seen
    ) -> Result:
        id_ = item_id(item)
        expected = self._application.expects_item(id_) and id_ not in self._application.left_out
        return judge(id_, call, report, seen, expected=expected)

    def pytest_report_teststatus(self, report: pytest.TestReport) -> Any:
        return _STATUS[result.outcome] if (result := _result(report)) else None

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        result = _result(report)
        if result is None:
            return
        earlier = self.results.get(result.item)
        # A check that failed and then could not clean up behind itself has still failed.
        if earlier is None or earlier.outcome is not Outcome.FAIL:
            self.results[result.item] = result
        self.pictures.setdefault(result.item, []).extend(
            Picture(redact(str(extra["name"])), extra["content"])
            for extra in getattr(report, "extras", ())
            if extra["format_type"] == "image"
        )


def _unrepresented(
    item: pytest.Item, call: pytest.CallInfo[None], problem: BaseException
) -> pytest.TestReport:
    """The report of a phase whose failure cannot be written down as pytest does it."""
    said = f"{call.excinfo.typename if call.excinfo else 'it'} cannot be shown: {type(problem).__name__}"
    return pytest.TestReport(
        item.nodeid, item.location, {}, "failed", said, cast("Any", call.when), duration=call.duration
    )


def _result(report: pytest.TestReport) -> Result | None:
    plain = getattr(report, "verification", None)
    return Result.of(plain) if plain else None


def _redact(report: pytest.TestReport | pytest.CollectReport) -> None:
    report.sections = [(name, redact(beginning(text))) for name, text in report.sections]
    if isinstance(report.longrepr, tuple):  # a skip, of which pytest wants path, line and reason
        path, line, reason = report.longrepr
        report.longrepr = (path, line, redact(reason))
    elif report.longrepr:
        text = report.longreprtext
        if (redacted := redact(beginning(text))) != text:
            report.longrepr = redacted
