"""Another application in the same repository is held to its own checklist."""

from __future__ import annotations

import json

import pytest

from readiness import environment
from tests.plugin.project import CHECKLIST

OTHER_CHECKS = """
import pytest

@pytest.mark.infra
@pytest.mark.item("INF-01")
def test_bridge(): pass
"""


@pytest.fixture
def another(project):
    """Another application in the same repository: its checklist, environments and template, and its checks."""
    home = project.root / "bridges" / "one"
    (home / "checks").mkdir(parents=True)
    (home / "PRODUCTION_CHECKLIST.md").write_text(
        CHECKLIST.partition("### SEC-02")[0]
        .replace("SEC-01 Door is closed", "INF-01 Bridge is up")
        .replace("Security", "Infra")
    )
    (home / "environments.toml").write_text("[staging]\nstack = 'one'\nregion = 'us-east-1'\n")
    (home / "template.yaml").write_text("")
    (home / "checks" / "test_infra.py").write_text(OTHER_CHECKS)
    return home


def other_run(project, *arguments: str) -> int:
    (project.root / "PRODUCTION_CHECKLIST.md").write_text(project.checklist)
    plugins = (
        "-p",
        "readiness.plugin",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:hypothesispytest",
        "-p",
        "no:xdist",
    )
    project.result = project.pytester.runpytest_inprocess(*plugins, "--env", "staging", *arguments)
    return int(project.result.ret)


def test_checks_beside_a_checklist_of_their_own_are_held_to_it(project, another, monkeypatch):
    declared = []
    connect = environment.connect
    monkeypatch.setattr(
        environment,
        "connect",
        lambda application, name, **_: (
            declared.append(application.environments) or connect(application, name)
        ),
    )

    assert other_run(project, "bridges/one/checks") == 0
    report = json.loads((another / "reports" / "staging" / "verification.json").read_text())
    assert [(item["id"], item["title"]) for item in report["items"]] == [("INF-01", "Bridge is up")]
    assert report["verdict"] == "READY"
    assert declared == [another / "environments.toml"]


def test_a_gap_of_this_repository_is_none_of_another_application(project, another):
    (project.root / "gaps.toml").write_text('[[needs-aws]]\nitem = "INF-01"\nreason = "no such service"\n')

    assert other_run(project, "bridges/one/checks/test_infra.py") == 0


def test_another_application_has_its_own_waivers_and_template(project, another):
    (project.root / "waivers.toml").write_text("[[waiver]]\n")
    assert other_run(project, "bridges/one/checks") == 0

    (another / "waivers.toml").write_text("[[waiver]]\n")
    assert other_run(project, "bridges/one/checks") == 4

    (another / "waivers.toml").unlink()
    (another / "template.yaml").unlink()
    assert other_run(project, "bridges/one/checks") == 4
    assert "expected a checkout with template.yaml" in project.output


def test_another_application_lists_and_explains_its_own_items(project, another):
    assert other_run(project, "bridges/one/checks", "--list-items") == 0
    assert "Bridge is up" in project.output
    assert "Door is closed" not in project.output


def test_a_run_over_two_applications_is_refused(project, another):
    (project.root / "checks").mkdir()

    assert other_run(project, "checks", "bridges/one/checks") == 4
    assert "one run verifies one application" in project.output
