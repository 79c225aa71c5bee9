"""The denied matrix: whatever call comes to nothing, the items that need it are UNVERIFIED; none passes, none fails.

One way: pytest tests/faults/test_refusals.py -k denied. Some operations of each item, or all with --thorough.
"""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tests.faults.bench import Bench
from tests.faults.refusals import FOR_THE_RUN, PLUGIN, Spoilt, apart, drawn
from verification.policies import action_of

# What a run asks before any item; it ends there with exit status 4 and one message.
PREFLIGHT = {"cloudformation:DescribeStacks", "sts:GetCallerIdentity"}
# Answers whose content is an object's own bytes: garbage is what such an object may well hold.
OWN_BYTES = {"s3:GetObject", "lambda:Invoke"}
# The ways that are tried by default: one in which the call fails, one in which it seems to succeed.
QUICK = {Spoilt.DENIED, Spoilt.GARBAGE}
# Operations of an item that are tried by default. Most items have fewer; INF-21 has some fifty, each in a run of its own.
MOST = 4


@pytest.mark.parametrize(
    "kind",
    [pytest.param(kind, marks=[] if kind in QUICK else [pytest.mark.further]) for kind in Spoilt],
)
def test_a_call_that_comes_to_nothing_proves_nothing(
    kind: Spoilt, bench: Bench, callers: dict[str, set[str]], request: pytest.FixtureRequest
) -> None:
    assert len(callers) > 30, "the recording is no recording"
    spoilt = {
        operation: items - {FOR_THE_RUN}
        for operation, items in sorted(callers.items())
        if items != {FOR_THE_RUN}
        and operation not in PREFLIGHT
        and not (kind is Spoilt.GARBAGE and operation in OWN_BYTES)
    }
    thorough = request.config.getoption("--thorough", default=False)
    wrong: list[str] = []
    for group in apart(spoilt if thorough else drawn(spoilt, MOST), spoilt):
        found = _spoil(bench, kind, group)
        if found and len(group) > 1:
            found = [line for one, items in group.items() for line in _spoil(bench, kind, {one: items})]
        wrong += found

    assert not wrong, "\n".join(wrong)


def _spoil(bench: Bench, kind: Spoilt, callers: Mapping[str, set[str]]) -> list[str]:
    """What is not as it should be when these operations come to nothing."""
    items = sorted(set().union(*callers.values()))
    seen = bench.verify("-m", " or ".join(items), *PLUGIN, SPOIL_CALLS=f"{kind}={','.join(callers)}")
    wrong = []
    for operation, users in callers.items():
        for item in sorted(users):
            if seen[item].outcome != "unverified":
                wrong.append(f"{operation} {kind}: {item} {seen[item]}")
            elif kind is Spoilt.DENIED and f"denied {action_of(operation)}:" not in seen[item].reason:
                wrong.append(f"{operation} {kind}: {item} does not name the action: {seen[item].reason}")
    return wrong


@pytest.mark.parametrize("operation", sorted(PREFLIGHT))
def test_what_the_preflight_may_not_ask_ends_the_run(operation: str, bench: Bench) -> None:
    done = bench.run("-m", "INF-01", *PLUGIN, SPOIL_CALLS=f"{Spoilt.DENIED}={operation}")

    assert done.returncode == 4
    assert done.stderr.count("ERROR") == 1
    assert "AccessDenied" in done.stderr or operation in done.stderr
