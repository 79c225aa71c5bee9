"""The page's budgets, by Lighthouse's mobile preset: the median of several runs on the built page.

Every run leaves its HTML and JSON in reports/lighthouse/<time>/.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import fmean

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.figures import Figures
from readiness.errors import Unverified
from verification import budgets
from verification.application import ROOT
from verification.probes import chromium, lighthouse
from verification.probes.chromium import Chromium
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


@dataclass(frozen=True)
class Runs:
    """Both pages, served; each run audits one after the other."""

    addresses: tuple[str, str]
    browser: Chromium
    where: Path
    page: list[Audit] = field(default_factory=list)
    greeting: list[Audit] = field(default_factory=list)

    def once_more(self) -> None:
        number = len(self.page) + 1
        ours, least = self.addresses
        self.page.append(lighthouse.audit(ours, self.browser, self.where / f"page-{number}"))
        self.greeting.append(lighthouse.audit(least, self.browser, self.where / f"greeting-{number}"))


@pytest.fixture(scope="session")
def runs(app: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runs]:
    browser = chromium.find()
    where = ROOT / "reports" / "lighthouse" / f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    where.mkdir(parents=True)
    scratch = tmp_path_factory.mktemp("lighthouse")
    with (
        lighthouse.served_page(scratch, app / "frontend") as ours,
        lighthouse.served_greeting(scratch) as least,
    ):
        yield Runs((ours, least), browser, where)


@pytest.fixture(scope="session")
def measured(runs: Runs) -> Measured:
    while len(runs.page) < budgets.LIGHTHOUSE_RUNS:
        runs.once_more()
    return Measured(lighthouse.middle(runs.page), lighthouse.middle(runs.greeting), runs.where)


def test_pages_can_be_audited(runs: Runs, benchmark: BenchmarkFixture) -> None:
    """Whatever every run said goes into --benchmark-json; the times beside it are of Lighthouse's own work."""
    benchmark.pedantic(runs.once_more, rounds=budgets.LIGHTHOUSE_RUNS)  # type: ignore[no-untyped-call]  # it declares no types
    benchmark.extra_info["lighthouse"] = {
        "page": [asdict(audit) for audit in runs.page],
        "greeting": [asdict(audit) for audit in runs.greeting],
        "reports": str(runs.where.relative_to(ROOT)),
    }

    assert len(runs.page) == len(runs.greeting) >= budgets.LIGHTHOUSE_RUNS


@pytest.mark.parametrize("category", lighthouse.CATEGORIES)
def test_score_is_full(measured: Measured, figures: Figures, category: str) -> None:
    """A point that is lost is a user who waits, or one who cannot use the page."""
    score, limit = measured.page.scores[category], budgets.LIGHTHOUSE_SCORE

    assert figures.hold(category, score, ">=", limit, "points", samples=budgets.LIGHTHOUSE_RUNS), (
        measured.page.lost
    )


@pytest.mark.parametrize("metric", lighthouse.METRICS)
def test_metric_is_within_budget(measured: Measured, figures: Figures, metric: str) -> None:
    """A score is a mean, behind which one bad figure can hide."""
    (limit, unit), value = _LIMITS[metric], measured.page.metrics[metric]

    assert figures.hold(metric, value, "<", limit, unit, samples=budgets.LIGHTHOUSE_RUNS), measured.where


def test_paints_nearly_as_soon_as_the_least_page(runs: Runs, measured: Measured, figures: Figures) -> None:
    """Measured in the same run, so that a slow machine slows both; of means, see docs/adr/0011."""
    ours, least = (
        fmean(audit.metrics["largest-contentful-paint"] for audit in audits)
        for audits in (runs.page, runs.greeting)
    )

    assert figures.hold(
        "LCP / hello world's", ours / least, "<=", budgets.PAINT_RATIO, "", samples=budgets.LIGHTHOUSE_RUNS
    ), f"{measured.page}, {measured.greeting}"


def test_first_view_is_light(measured: Measured, figures: Figures) -> None:
    """On a slow line each 50 KB cost a second."""
    weight = measured.page.loaded_bytes
    if not weight:
        raise Unverified(f"Lighthouse saw nothing load; see {measured.where}")

    assert figures.hold(
        "first view, as transferred",
        weight / 1024,
        "<=",
        budgets.FIRST_VIEW_BYTES / 1024,
        "KB",
        samples=budgets.LIGHTHOUSE_RUNS,
    ), measured.where
