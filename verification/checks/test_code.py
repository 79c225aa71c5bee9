"""Section Code: the source tree, its tools and its packages."""

from __future__ import annotations

import pytest

from readiness.errors import Unverified
from verification import budgets
from verification.probes.artefacts import Artefacts
from verification.probes.commands import Source, TestRun
from verification.probes.packages import Packages

pytestmark = pytest.mark.code


@pytest.mark.item("CODE-01")
def test_eslint_reports_nothing(source: Source) -> None:
    """A warning that is left standing hides the next one."""
    assert source.eslint() == []


@pytest.mark.item("CODE-02")
@pytest.mark.xdist_group("unit-tests")
def test_frontend_unit_tests_pass(frontend_tests: TestRun) -> None:
    """A broken page is found by its users instead."""
    assert frontend_tests.failures == []
    assert frontend_tests.total > 0, "no frontend test ran"


@pytest.mark.item("CODE-03")
@pytest.mark.xdist_group("unit-tests")
def test_backend_unit_tests_pass(backend_tests: TestRun) -> None:
    """A regression that a test already knows about would be shipped."""
    assert backend_tests.failures == []
    assert backend_tests.total > 0, "no backend test ran"


@pytest.mark.item("CODE-04")
@pytest.mark.xdist_group("unit-tests")
def test_line_coverage_is_enough(frontend_tests: TestRun, backend_tests: TestRun) -> None:
    """Passing tests say nothing about lines that none of them runs."""
    measured = {"frontend": frontend_tests.coverage_percent, "backend": backend_tests.coverage_percent}
    unmeasured = [side for side, percent in measured.items() if percent is None]
    if unmeasured:
        raise Unverified(f"no coverage was measured for {' and '.join(unmeasured)}")

    assert {
        side: pct for side, pct in measured.items() if pct is not None and pct < budgets.COVERAGE_PERCENT
    } == {}


@pytest.mark.item("CODE-05")
def test_source_has_no_unfinished_words(source: Source) -> None:
    """A TODO note in shipped code is unplanned work."""
    assert source.unfinished_words() == []


@pytest.mark.item("CODE-06")
def test_python_lint_and_types_are_clean(source: Source) -> None:
    """A field that a vendor leaves out surfaces when that vendor has a bad day."""
    assert source.ruff() + source.mypy() == []


@pytest.mark.item("CODE-07")
def test_locks_match_their_manifests(packages: Packages) -> None:
    """An installation that differs from machine to machine has been tested on none."""
    assert packages.npm_mismatches() + packages.python_mismatches() == []


@pytest.mark.item("CODE-21")
def test_no_dependency_is_far_behind(packages: Packages) -> None:
    """The longer the wait, the larger the jump that an emergency demands."""
    assert [package for package in packages.behind() if package.majors > budgets.MAJORS_BEHIND] == []


@pytest.mark.item("CODE-24")
def test_page_names_the_hash_of_its_code(source: Source) -> None:
    """A script that was replaced under its own name would run in every visitor's browser."""
    assert Artefacts(source.app).unguarded_code() == []
