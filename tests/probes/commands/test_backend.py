"""The backend's tests and their coverage."""

from __future__ import annotations

import pytest

from readiness.errors import Unverified
from verification.probes.commands import TestRun


def backend(checkout, tests, source="def half(x):\n    return x / 2\n\n\ndef unused():\n    return 1\n"):
    checkout.write("backend/src/app.py", source)
    checkout.write(
        "backend/tests/conftest.py",
        "import sys, pathlib\nsys.path.insert(0, str(pathlib.Path(__file__).parents[1] / 'src'))\n",
    )
    checkout.write("backend/tests/test_app.py", tests)


def test_the_backends_tests_pass_and_are_measured_whatever_this_runs_settings(checkout, monkeypatch):
    monkeypatch.setenv("PYTEST_ADDOPTS", "--no-such-option")
    monkeypatch.setenv("AWS_PROFILE", "mine")
    backend(
        checkout,
        """
        import os
        from app import half

        def test_half(): assert half(4) == 2
        def test_alone(): assert "AWS_PROFILE" not in os.environ
        """,
    )

    assert checkout.source.backend_tests() == TestRun(2, [], 75.0)
    assert not (checkout.root / "backend" / ".coverage").exists()


def test_the_backends_failures_are_named(checkout):
    tests = """
    import pytest
    from app import half

    @pytest.fixture
    def broken():
        raise OSError

    def test_fine(): assert half(2) == 1
    def test_wrong(): assert half(2) == 2
    def test_never_started(broken): pass
    @pytest.mark.skip
    def test_skipped(): pass
    """
    backend(checkout, tests)

    run = checkout.source.backend_tests()

    assert run.total == 3, "what was skipped did not run"
    assert run.failures == ["tests.test_app.test_wrong", "tests.test_app.test_never_started"]


def test_a_backends_import_error_is_a_failure(checkout):
    backend(checkout, "import no_such_module\ndef test_a(): pass\n")

    assert checkout.source.backend_tests().failures == [".tests.test_app"]


def test_a_backend_without_tests_and_source_has_neither_tests_nor_coverage(checkout):
    checkout.write("backend/tests/test_app.py", "")

    assert checkout.source.backend_tests() == TestRun(0, [], None)


@pytest.mark.parametrize(
    "conftest", ["import no_such_module\n", "import os\nos._exit(0)\n"], ids=["broken", "dead"]
)
def test_a_backend_whose_tests_cannot_start_is_unverified(checkout, conftest):
    checkout.write("backend/tests/conftest.py", conftest)

    with pytest.raises(Unverified, match="left no report"):
        checkout.source.backend_tests()


def test_a_checkout_without_backend_is_unverified(checkout):
    with pytest.raises(Unverified, match=r"backend.* does not exist"):
        checkout.source.backend_tests()
