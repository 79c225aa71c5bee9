"""Runs whose comment on a pull request a reviewer reads: red, green, the first of all, and one that was interrupted."""

from __future__ import annotations

from dataclasses import replace

from readiness.verdict import Found, Outcome
from tests.report import examples
from tests.report.examples import CODE_09, INF_07, LOST, SEC_10, SEC_17, ended, history, past, results

EARLIER = "2026-11-22T08:00:00+00:00"
REACHED = 40  # items that an interrupted run checked
NOW = "2026-11-23T07:05:09+00:00"
UNUSED = ended(
    "CODE-06",
    Outcome.FAIL,
    "40 findings",
    findings=[
        Found(
            f"F401 `module_{n}` imported but unused",
            f"backend/src/pixel_prompt/storage.py:{n}",
            "remove the import",
        )
        for n in range(1, 41)
    ],
)
TRACES = ended(
    "INF-12",
    Outcome.FAIL,
    "2 findings",
    findings=[
        Found("Tracing is PassThrough", "backend/template.yaml:98 ApiFunction", "set Tracing: Active"),
        Found("Tracing is PassThrough", "backend/template.yaml:210 WorkerFunction", "set Tracing: Active"),
    ],
)
DENIED = {
    id_.replace("-", "_"): ended(
        id_,
        Outcome.UNVERIFIED,
        "denied cloudfront:GetDistributionConfig: User is not authorized to perform this operation on the distribution",
        cause="denied cloudfront:GetDistributionConfig",
    )
    for id_ in (
        "CDN-01",
        "CDN-02",
        "CDN-03",
        "CDN-05",
        "CDN-06",
        "CDN-07",
        "CDN-08",
        "CDN-09",
        "CDN-10",
        "SEC-12",
        "SEC-16",
    )
}
RED = results(
    SEC_10=SEC_10,
    INF_07=INF_07,
    CODE_06=UNUSED,
    CODE_09=CODE_09,
    SEC_17=SEC_17,
    **{**DENIED, **LOST, "INF_12": TRACES},
)


def _compared(made, *runs, folder):
    return history(folder, *runs).compare({result.item: str(result.outcome) for result in made}, NOW)


def red(make, folder):
    """Three items fail anew, one still fails, two causes keep many items from being checked."""
    before = past(EARLIER, INF_07="fail", SEC_17="waived")
    return make(
        *RED, items=examples.ITEMS, budgets=examples.FIGURES, comparison=_compared(RED, before, folder=folder)
    )


def green(make, folder):
    """Every claim holds; one failed before."""
    made = results(SEC_17=SEC_17)
    before = past(EARLIER, INF_07="fail", SEC_17="waived")
    return make(*made, items=examples.ITEMS, comparison=_compared(made, before, folder=folder))


def first(make, folder):
    """Some items fail, and there is no earlier run."""
    made = results(SEC_10=SEC_10, INF_07=INF_07, CODE_09=CODE_09)
    return make(*made, items=examples.ITEMS, comparison=_compared(made, folder=folder))


def interrupted(make, folder):
    """A deadline ended the run when one item had failed and many had not been checked."""
    ended_early = "by its deadline of 45 min"
    cause = f"the run was ended {ended_early}"
    made = [
        result
        if number < REACHED or result.item == SEC_10.item
        else ended(result.item, Outcome.UNVERIFIED, f"{cause}, before this check", cause=cause)
        for number, result in enumerate(results(SEC_10=SEC_10))
    ]
    run = make(
        *made, items=examples.ITEMS, comparison=_compared(made, past(EARLIER, INF_07="fail"), folder=folder)
    )
    return replace(run, verdict=replace(run.verdict, interrupted=ended_early))


COMMENTS = {"red": red, "green": green, "first": first, "interrupted": interrupted}
