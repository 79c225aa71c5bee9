"""The frontend's linter and tests, by npm tools that a few lines of shell imitate."""

from __future__ import annotations

import json

import pytest

from readiness.errors import Unverified
from readiness.probes.finding import Finding
from verification.probes.commands import TestRun


def eslint_report(root, *messages):
    return json.dumps([{"filePath": f"{root}/frontend/src/a.ts", "messages": list(messages)}])


def test_eslint_without_findings_is_clean(checkout):
    checkout.tool("eslint", f"echo '{eslint_report(checkout.root)}'")

    assert checkout.source.eslint() == []


def test_eslints_warnings_and_errors_are_findings(checkout):
    report = eslint_report(
        checkout.root,
        {"line": 3, "ruleId": "no-eval", "severity": 1, "message": "eval"},
        {"ruleId": None, "severity": 2, "message": "Parsing error"},
    )
    checkout.tool("eslint", f"echo '{report}'; exit 1")

    assert checkout.source.eslint() == [
        Finding("frontend/src/a.ts", 3, "no-eval", "eval"),
        Finding("frontend/src/a.ts", 0, "parser", "Parsing error"),
    ]


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("echo Oops", r"eslint wrote nothing to judge \(exit status 0\): Oops"),
        (
            "echo 'no such config' >&2; exit 2",
            r"eslint wrote nothing to judge \(exit status 2\): no such config",
        ),
        ("exit 0", "eslint wrote nothing to judge"),
        ("echo '[]'", "eslint linted no file"),
    ],
)
def test_an_eslint_that_cannot_be_judged_is_unverified(checkout, script, message):
    checkout.tool("eslint", script)

    with pytest.raises(Unverified, match=message):
        checkout.source.eslint()


@pytest.mark.parametrize("tool", ["eslint", "vitest"])
def test_a_tool_that_is_not_installed_is_unverified(checkout, tool):
    look = {"eslint": checkout.source.eslint, "vitest": checkout.source.frontend_tests}[tool]

    with pytest.raises(
        Unverified, match=rf"{tool} is not installed in frontend/node_modules; run ./scripts/setup"
    ):
        look()


def vitest(report, lines=None):
    """A vitest that writes this report, and a coverage summary with these lines."""
    summary = json.dumps({"total": {"lines": lines}})
    return f"""
for argument; do
  case $argument in
    --outputFile=*) echo '{json.dumps(report)}' >"${{argument#*=}}" ;;
    --coverage.reportsDirectory=*) folder="${{argument#*=}}" ;;
  esac
done
{f"mkdir -p $folder; echo '{summary}' >$folder/coverage-summary.json" if lines else ""}
"""


def vitest_report(root, *files, total=2, **counts):
    return {
        "numTotalTests": total,
        **counts,
        "testResults": [{"name": f"{root}/frontend/src/a.test.ts", **file} for file in files],
    }


def test_vitest_with_coverage_is_read(checkout):
    passed = {"status": "passed", "assertionResults": [{"status": "passed", "fullName": "adds"}]}
    checkout.tool("vitest", vitest(vitest_report(checkout.root, passed), {"total": 10, "pct": 81.5}))

    assert checkout.source.frontend_tests() == TestRun(2, [], 81.5)


@pytest.mark.parametrize(
    ("file", "failure"),
    [
        (
            {"assertionResults": [{"status": "passed"}, {"status": "failed", "fullName": "adds up"}]},
            "adds up",
        ),
        ({"assertionResults": [], "message": "Cannot find module ./b"}, "Cannot find module ./b"),
        ({"assertionResults": []}, "broken"),
    ],
)
def test_vitests_failures_are_named(checkout, file, failure):
    checkout.tool("vitest", vitest(vitest_report(checkout.root, {"status": "failed", **file})) + "exit 1")

    assert checkout.source.frontend_tests() == TestRun(2, [f"frontend/src/a.test.ts: {failure}"], None)


def test_tests_that_vitest_skipped_did_not_run(checkout):
    checkout.tool("vitest", vitest(vitest_report(checkout.root, total=5, numPendingTests=3, numTodoTests=1)))

    assert checkout.source.frontend_tests().total == 1


def test_coverage_of_no_line_is_no_coverage(checkout):
    checkout.tool("vitest", vitest(vitest_report(checkout.root), {"total": 0, "pct": "Unknown"}))

    assert checkout.source.frontend_tests().coverage_percent is None


@pytest.mark.parametrize("script", ["echo 'Startup Error' >&2; exit 1", "exit 0"])
def test_a_vitest_without_report_is_unverified(checkout, script):
    checkout.tool("vitest", script)

    with pytest.raises(Unverified, match="vitest wrote nothing to judge"):
        checkout.source.frontend_tests()


def test_vitest_writes_nothing_into_the_checkout(checkout):
    checkout.tool("vitest", vitest(vitest_report(checkout.root), {"total": 1, "pct": 100}))
    before = sorted(checkout.root.rglob("*"))

    checkout.source.frontend_tests()

    assert sorted(checkout.root.rglob("*")) == before
