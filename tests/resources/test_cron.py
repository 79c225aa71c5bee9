"""readiness/aws/cron.py"""

from __future__ import annotations

from datetime import date

import pytest

from readiness.aws.cron import comes_round

TODAY = date(2026, 11, 28)


@pytest.mark.parametrize(
    "expression",
    [
        "cron(0 8 * * ? *)",
        "cron(0 8 ? * MON-FRI *)",
        "cron(0/15 * ? * 2#5 2027)",
        "cron(0 8 29 2 ? *)",
        "cron(0 8 31 * ? *)",
        "cron(0 8 L 2 ? *)",
        "cron(0 8 31W JAN-MAR ? *)",
        "cron(0 8 28 11 ? 2026)",
        "cron(0 8 1/10 FEB,APR ? 2026-2027)",
        "cron(0 8 30 2/2 ? *)",
        "cron(0 8 1 NOV-FEB ? *)",
        "cron(8 o'clock)",
        "rate(1 day)",
        "at(2020-01-01T00:00:00)",
        "",
    ],
)
def test_an_expression_that_comes_round_or_is_not_understood(expression: str) -> None:
    assert comes_round(expression, TODAY)


@pytest.mark.parametrize(
    "expression",
    [
        "cron(0 8 30 2 ? *)",
        "cron(0 8 31 APR,JUN ? *)",
        "cron(0 8 30-31 FEB ? *)",
        "cron(0 8 29 2 ? 2027)",
        "cron(0 8 * * ? 2025)",
        "cron(0 8 ? * MON 2020-2025)",
        "cron(0 8 27 11 ? 2026)",
        "cron(0 8 * 1-10 ? 2026)",
    ],
)
def test_an_expression_that_never_comes_round(expression: str) -> None:
    assert not comes_round(expression, TODAY)
