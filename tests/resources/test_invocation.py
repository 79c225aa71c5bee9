"""readiness/aws/invocation.py"""

from __future__ import annotations

from datetime import timedelta

import pytest

from readiness.aws.invocation import Invocation
from readiness.errors import Unverified

WARM = (
    "START RequestId: 1f2e Version: $LATEST\n"
    "END RequestId: 1f2e\n"
    "REPORT RequestId: 1f2e\tDuration: 12.34 ms\tBilled Duration: 13 ms\tMemory Size: 1024 MB\tMax Memory Used: 87 MB\t\n"
)
COLD = WARM.replace("87 MB\t\n", "87 MB\tInit Duration: 6234.50 ms\t\n")


def test_the_figures_of_a_warm_invocation():
    seen = Invocation.reported_in(WARM)

    assert seen == Invocation("1f2e", timedelta(milliseconds=12.34), timedelta(milliseconds=13), 1024, 87)
    assert not seen.cold
    assert seen.start_to_answer == timedelta(milliseconds=12.34)


def test_an_init_of_seconds_is_read_whole():
    seen = Invocation.reported_in(COLD)

    assert seen.cold
    assert seen.init == timedelta(milliseconds=6234.5)
    assert seen.start_to_answer == timedelta(milliseconds=6246.84)


@pytest.mark.parametrize(
    "log",
    [
        "",
        "START RequestId: 1f2e\n",
        WARM + WARM,
        WARM.replace("Duration: 12.34 ms", "Duration: 12.34 s"),
        WARM.replace("12.34", "soon"),
        WARM.replace("Memory Size", "Memory"),
        '{"type":"platform.report","record":{}}\n',
    ],
)
def test_a_report_that_cannot_be_read_is_none(log):
    with pytest.raises(Unverified, match="REPORT line"):
        Invocation.reported_in(log)
