"""The page's budgets, by Lighthouse's mobile preset: the median of several runs on the built page.

Every run leaves its HTML and JSON in reports/lighthouse/<time>/.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from benchmarks.conftest import Figures
from verification import budgets
from verification.environment import ROOT
from verification.probes import chromium, lighthouse
from verification.probes.lighthouse import Audit

_LIMITS = {
    "largest-contentful-paint": (budgets.LARGEST_CONTENTFUL_PAINT_MS, "ms"),
    "first-contentful-paint": (budgets.FIRST_CONTENTFUL_PAINT_MS, "ms"),
    "total-blocking-time": (budgets.TOTAL_BLOCKING_TIME_MS, "ms"),
    "cumulative-layout-shift": (budgets.CUMULATIVE_LAYOUT_SHIFT, ""),
    "speed-index": (budgets.SPEED_INDEX_MS, "ms"),
}


@dataclass(frozen=True)
class Measured:
    """Medians of the page and of the least page that its framework can make, run by turns."""

    page: Audit
    greeting: Audit
    where: Path


@pytest.fixture(scope="session")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Measured:
    browser = chromium.find()
    where = ROOT / "reports" / "lighthouse" / f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    where.mkdir(parents=True)
    scratch = tmp_path_factory.mktemp("lighthouse")
    page, greeting = [], []
    with lighthouse.served_page(scratch) as ours, lighthouse.served_greeting(scratch) as least:
        for number in range(1, budgets.LIGHTHOUSE_RUNS + 1):
            page.append(lighthouse.audit(ours, browser, where / f"page-{number}"))
            greeting.append(lighthouse.audit(least, browser, where / f"greeting-{number}"))
    return Measured(lighthouse.middle(page), lighthouse.middle(greeting), where)


@pytest.mark.parametrize("category", lighthouse.CATEGORIES)
def test_score_is_full(measured: Measured, figures: Figures, category: str) -> None:
    """A point that is lost is a user who waits, or one who cannot use the page."""
    score = measured.page.scores[category]

    assert figures.judge(
        category,
        f"{score:.0f}",
        f"{budgets.LIGHTHOUSE_SCORE}",
        held=score >= budgets.LIGHTHOUSE_SCORE,
    ), measured.page.lost


@pytest.mark.parametrize("metric", lighthouse.METRICS)
def test_metric_is_within_budget(measured: Measured, figures: Figures, metric: str) -> None:
    """A score is a mean, behind which one bad figure can hide."""
    (limit, unit), value = _LIMITS[metric], measured.page.metrics[metric]
    shown = f"{value:.0f} {unit}" if unit else f"{value:.3f}"

    assert figures.judge(metric, shown, f"< {limit} {unit}", held=value < limit), measured.where


def test_paints_nearly_as_soon_as_the_least_page(measured: Measured, figures: Figures) -> None:
    """Measured in the same run, so that a slow machine slows both."""
    ratio = (
        measured.page.metrics["largest-contentful-paint"]
        / measured.greeting.metrics["largest-contentful-paint"]
    )
    limit = budgets.PAINT_RATIO

    assert figures.judge("LCP, to that of a hello world", f"{ratio:.2f}", f"<= {limit}", held=ratio <= limit)


def test_first_view_is_light(measured: Measured, figures: Figures) -> None:
    """On a slow line each 50 KB cost a second."""
    weight, limit = measured.page.loaded_bytes, budgets.FIRST_VIEW_BYTES

    assert figures.judge(
        "first view, as transferred",
        f"{weight / 1024:.1f} KB",
        f"<= {limit / 1024:.0f} KB",
        held=0 < weight <= limit,
    )
