"""readiness/judgement.py"""

from __future__ import annotations

from types import SimpleNamespace

import botocore.exceptions
import pytest

from readiness.errors import (
    Denied,
    Gap,
    Missing,
    NeedsAws,
    NeedsInternet,
    Planned,
    Unverified,
    UsageProblem,
)
from readiness.findings import Comparison
from readiness.judgement import OBSERVED, Seen, _of_comparison, judge
from readiness.verdict import Found, Outcome, Result

KEY = "AKIA" + "Q3EGRJ4YT2X7LP5M"
BEGIN = "-----BEGIN " + "PRIVATE KEY-----"


def ended(problem, when="call", evidence="the whole story", seen=None, sections=()):
    """How a check's phase ended, as pytest tells it."""

    def phase():
        if problem is not None:
            raise problem

    call = pytest.CallInfo.from_call(phase, when)
    report = SimpleNamespace(
        nodeid="test_a.py::test_door",
        longreprtext=evidence,
        sections=sections,
        location=("test_a.py", 6, "test_door"),
    )
    return judge("SEC-01", call, report, seen)


def test_a_check_that_ends_quietly_has_passed():
    result = ended(None)

    assert result == Result(
        "SEC-01", Outcome.PASS, seconds=result.seconds, node="test_a.py::test_door", line=7
    )


@pytest.mark.parametrize("problem", [None, AssertionError("it is open"), Unverified("no answer")])
def test_what_a_check_read_is_kept_without_secrets(problem):
    seen = Seen(
        read={"doors": 3, "key": KEY},
        observed=[
            (
                "door.key == KEY",
                f"{KEY!r} == {KEY!r}\n +  where {KEY!r} = Door().key\n +    where Door() = house.door\n\n  Use -v to get more diff",
            )
        ],
        exchanges=[f"<GET /?key={KEY} -> 200>"],
    )
    result = ended(problem, seen=seen, sections=[("Captured log call", KEY)])

    assert result.read == {"doors": "3", "key": "[redacted]"}
    assert result.observed == (
        ("door.key == KEY", "'[redacted]' == '[redacted]'\n +  where '[redacted]' = Door().key"),
    )
    assert result.exchanges == ("<GET /?key=[redacted] -> 200>",)
    assert result.output == "Captured log call:\n[redacted]"


def test_of_very_much_only_so_much_is_kept_and_the_rest_is_counted():
    seen = Seen(
        read={"long": "x" * 10_000},
        observed=[("a == b", f"{number}" * 10_000) for number in range(100)],
        exchanges=[f"<GET /{number} -> 200>" for number in range(100)],
    )
    result = ended(
        AssertionError("no"), evidence="e" * 100_000 + "the end", seen=seen, sections=[("out", "o" * 100_000)]
    )

    assert len(result.read["long"]) <= 400
    assert len(result.observed) == OBSERVED
    assert all(len(values) <= 400 for _, values in result.observed)
    assert result.exchanges[2:4] == ("<GET /2 -> 200>", "[... 94 more ...]")
    assert result.exchanges[-1] == "<GET /99 -> 200>"
    assert len(result.evidence) <= 20_000
    assert result.evidence.endswith("the end")
    assert "characters and more cut" in result.evidence
    assert len(result.output) <= 5_000


REFUSED = botocore.exceptions.ClientError(
    {"Error": {"Code": "Throttling", "Message": "slow down"}}, "GetItem"
)


@pytest.mark.parametrize(
    ("problem", "outcome", "reason", "gap"),
    [
        (AssertionError("assert 1 == 2"), Outcome.FAIL, "assert 1 == 2", None),
        (AssertionError(), Outcome.FAIL, "the assertion carries no message", None),
        (Missing("no output 'ApiEndpoint'"), Outcome.UNVERIFIED, "no output 'ApiEndpoint'", None),
        (Unverified("no answer"), Outcome.UNVERIFIED, "no answer", None),
        (Denied("s3:GetObject", "no"), Outcome.UNVERIFIED, "denied s3:GetObject: no", None),
        (NeedsAws("no such service"), Outcome.UNVERIFIED, "no such service", Gap.NEEDS_AWS),
        (NeedsInternet("offline"), Outcome.UNVERIFIED, "offline", Gap.NEEDS_INTERNET),
        (Planned("no check yet"), Outcome.UNVERIFIED, "no check yet", Gap.PLANNED),
        (UsageProblem("prod is read-only"), Outcome.UNVERIFIED, "UsageProblem: prod is read-only", None),
        (KeyError("Timeout"), Outcome.UNVERIFIED, "KeyError: 'Timeout'", None),
        (RuntimeError(), Outcome.UNVERIFIED, "RuntimeError:", None),
        (REFUSED, Outcome.UNVERIFIED, f"ClientError: {REFUSED}", None),
        (pytest.skip.Exception("not today"), Outcome.UNVERIFIED, "skipped: not today", None),
        (SystemExit(1), Outcome.UNVERIFIED, "SystemExit: 1", None),
        (
            ExceptionGroup("several", [AssertionError("a")]),
            Outcome.UNVERIFIED,
            "ExceptionGroup: several",
            None,
        ),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else "",
)
def test_only_a_failed_assertion_is_a_failure(problem, outcome, reason, gap):
    result = ended(problem)

    assert (result.outcome, result.gap) == (outcome, gap)
    assert result.reason.startswith(reason)
    assert (result.item, result.node, result.evidence) == (
        "SEC-01",
        "test_a.py::test_door",
        "the whole story",
    )


@pytest.mark.parametrize("when", ["setup", "teardown"])
def test_a_fixtures_failed_assertion_has_not_looked(when):
    result = ended(AssertionError("no key"), when)

    assert result.outcome is Outcome.UNVERIFIED
    assert result.reason == result.cause == "AssertionError: no key"


@pytest.mark.parametrize(
    ("problem", "cause"),
    [
        (Unverified("bandit read 0 lines"), "bandit read 0 lines"),
        (Unverified("GET /a: no answer", cause="a.example does not answer"), "a.example does not answer"),
        (Denied("s3:GetObject", "user 17 may not"), "denied s3:GetObject"),
        (KeyError("Timeout"), "KeyError: 'Timeout'"),
        (
            botocore.exceptions.TokenRetrievalError(provider="sso", error_msg="Token has expired"),
            "the credentials expired during the run",
        ),
        (
            botocore.exceptions.EndpointConnectionError(endpoint_url="https://sqs.example:443/1/jobs?a=b"),
            "sqs.example:443 does not answer",
        ),
        (
            botocore.exceptions.ReadTimeoutError(endpoint_url="https://sqs.example/2/others"),
            "sqs.example does not answer",
        ),
        (RuntimeError(f"\n\n{KEY}\nmore"), "RuntimeError:"),
        (RuntimeError("\ud800" + "x" * 1000), "RuntimeError: \\ud800" + "x" * 179 + "…"),
        (AssertionError("it is open"), ""),
        (None, ""),
    ],
)
def test_what_kept_the_suite_from_looking_is_said_in_the_same_words_for_each_item(problem, cause):
    assert ended(problem).cause == cause


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("one\n\n  two\n", "one | two"),
        ("1\n2\n3\n4\n5\n6", "1 | 2 | 3 | 4"),
        ("a" * 600, "a" * 600),
        ("a" * 601, "a" * 599 + "…"),
        ("b" * 100_000, "b" * 599 + "…"),
    ],
    ids=["lines", "many lines", "just short enough", "too long", "far too long"],
)
def test_a_reason_is_short(text, reason):
    assert ended(AssertionError(text)).reason == reason


@pytest.mark.parametrize(
    "text",
    [
        f"found {KEY}",
        "a" * 590 + f" {KEY}",
        f"{BEGIN}\n{KEY[4:]}\nMIIEpAIBAAKCAQEA\nmore\nand more",
    ],
    ids=["short", "at the cut", "a key of many lines"],
)
def test_neither_reason_nor_evidence_tells_a_secret(text):
    result = ended(AssertionError(text), evidence=text)

    for part in ("Q3EGRJ4YT", "AKIAQ", "MIIE"):
        assert part not in result.reason
        assert part not in result.evidence
    assert "[reda" in result.reason, "cut perhaps, but there"


def test_what_pytest_says_of_a_values_origin_is_redacted_before_it_is_cut():
    """The cut would leave half a key, which no longer looks like one."""
    told = f"assert 1 == 2\n +  where 1 = {'x' * 35} {KEY} {'y ' * 200}.size"
    comparison = Comparison(compile("1", "a.py", "eval"), 1, [Found("expected 2, found 1")], listed=False)

    text = _of_comparison(AssertionError(told), comparison)

    assert text.startswith("expected 2, found 1, where 1 = xxx")
    assert not any(KEY[at : at + 8] in text for at in range(len(KEY) - 8))
