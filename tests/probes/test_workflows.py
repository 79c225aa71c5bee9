"""verification/probes/workflows.py: the real tools on small workflows."""

from __future__ import annotations

import pytest

from readiness.errors import Missing, Unverified
from verification.application import ROOT
from verification.probes.workflows import Workflows

SHA = "de0fac2e4500dabe0009e67214ff5f5447ce83dd"
GOOD = f"""\
name: Build
on:
  pull_request:
permissions: {{}}
concurrency:
  group: build-${{{{ github.ref }}}}
  cancel-in-progress: true
jobs:
  build:
    name: Build
    runs-on: ubuntu-24.04
    timeout-minutes: 5
    permissions:
      contents: read # to check it out
    steps:
      - uses: actions/checkout@{SHA} # v6.0.2
        with:
          persist-credentials: false
      - name: Region
        env:
          REGION: ${{{{ vars.AWS_REGION }}}}
        run: echo "$REGION"
"""


@pytest.fixture
def checkout(tmp_path):
    def write(text, name="build.yml"):
        file = tmp_path / ".github" / "workflows" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return Workflows(tmp_path)

    return write


def rules(workflows):
    found = workflows.actionlint() + workflows.zizmor() + workflows.stored_keys()
    return {(finding.file, finding.rule) for finding in found}


def test_a_careful_workflow_has_no_finding(checkout):
    assert rules(checkout(GOOD)) == set()


def test_this_projects_own_workflows_have_no_finding():
    assert rules(Workflows(ROOT)) == set()


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        (f"@{SHA} # v6.0.2", "@v6", "unpinned-uses"),
        ('"$REGION"', "${{ github.event.pull_request.title }}", "template-injection"),
        ('"$REGION"', "${{ github.head_ref }}", "expression"),
        ("permissions: {}\n", "", "excessive-permissions"),
        ("pull_request:", "pull_request_target:", "dangerous-triggers"),
        ("vars.AWS_REGION", "secrets.AWS_SECRET_ACCESS_KEY", "stored-key"),
        ("runs-on: ubuntu-24.04", "runs-on: ubuntu-2404", "runner-label"),
        ("steps:", "stepps:", "syntax-check"),
    ],
)
def test_what_can_be_turned_against_us_is_found(checkout, old, new, rule):
    assert old in GOOD

    assert (".github/workflows/build.yml", rule) in rules_of_valid(checkout(GOOD.replace(old, new)), rule)


def rules_of_valid(workflows, rule):
    """zizmor refuses what is no workflow at all, which actionlint finds."""
    if rule == "syntax-check":
        return {(finding.file, finding.rule) for finding in workflows.actionlint()}
    return rules(workflows)


def test_a_key_that_only_a_comment_names_is_none(checkout):
    assert rules(checkout(GOOD + "# never AWS_SECRET_ACCESS_KEY\n")) == set()


def test_a_finding_stands_where_it_matters(checkout):
    (found,) = checkout(GOOD.replace(f"@{SHA} # v6.0.2", "@v6")).zizmor()

    assert (found.line, found.message) == (16, "unpinned action reference")


def test_where_there_is_no_workflow_there_is_nothing_to_read(tmp_path):
    assert Workflows(tmp_path).found == []
    with pytest.raises(Missing, match=r"expected workflows in \.github/workflows, found none"):
        Workflows(tmp_path).actionlint()


def test_a_workflow_that_zizmor_cannot_read_is_unverified(checkout):
    workflows = checkout("jobs: [")
    checkout(GOOD, "other.yml")

    with pytest.raises(Unverified, match="zizmor"):
        workflows.zizmor()
