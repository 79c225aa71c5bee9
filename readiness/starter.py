"""`verify-stack init`: the files that an application needs to have items of its own, ready to be changed."""

from __future__ import annotations

from collections.abc import Iterator

from readiness import environment
from readiness.application import Application
from readiness.errors import UsageProblem

_ENVIRONMENTS = """\
# What a verification has to know beyond samconfig.toml. Stack and region stand there.
#   guard       "read-only", which is what nothing means on AWS, or "none": checks may send requests and write
#   production  true where users rely on it
{sections}"""
_CHECKLIST = """\
# Production checklist

What this application claims beyond the catalogue of verify-stack. Each item has one check in `checks/`.

## Code

### CODE-01 Every resource has a description of its purpose

*low · static*

The template has a `Description`, so that the console shows the stack's purpose.

**Why.** An operator who does not recognise a stack deletes it by mistake, or keeps it and pays for it.

**Remedy.** Add `Description:` to the template.
"""
_CHECK = '''\
"""What only this application claims. See PRODUCTION_CHECKLIST.md."""

import pytest

from readiness.api import Application

pytestmark = pytest.mark.code


@pytest.mark.item("CODE-01")
def test_template_has_a_description(application: Application) -> None:
    """An operator who does not recognise a stack deletes it by mistake."""
    lines = application.template.read_text().splitlines()

    assert [line for line in lines if line.startswith("Description:")], application.template.name
'''
_FAULT = '''\
"""Each check of checks/ is seen to fail: run `pytest tests/test_checks_can_fail.py`."""

import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parents[1]


def test_a_template_without_a_description_is_noticed(tmp_path: Path) -> None:
    shutil.copytree(HERE, tmp_path / "app", ignore=shutil.ignore_patterns(".*", "reports", "node_modules"))
    template = tmp_path / "app" / "{template}"
    template.write_text("".join(
        line for line in template.read_text().splitlines(keepends=True) if not line.startswith("Description:")
    ))

    ended = subprocess.run(
        [sys.executable, "-m", "readiness", "--static", "-m", "CODE-01"],
        cwd=tmp_path / "app", capture_output=True, text=True, check=False,
    )

    assert ended.returncode == 1, ended.stdout
    assert "CODE-01" in ended.stdout
'''
_WORKFLOW = """\
name: verify

on:
  workflow_dispatch:
    inputs:
      environment:
        description: environment of samconfig.toml
        default: {name}

permissions:
  contents: read
  id-token: write # AWS hands out short credentials for it

jobs:
  verify:
    runs-on: ubuntu-24.04
    environment: ${{{{ inputs.environment }}}}
    steps:
      # Each action is pinned to a commit, since a tag can be moved to other code.
      - uses: actions/checkout@de0fac2e4500dabe0009e67214ff5f5447ce83dd # v6.0.2
        with:
          persist-credentials: false
      - uses: actions/setup-python@a309ff8b426b58ec0e2a45f0f869d46889d02405 # v6.2.0
        with:
          python-version: "3.13"
      - uses: aws-actions/configure-aws-credentials@8df5847569e6427dd6c4fb1cf565c83acfa8afa7 # v6.0.0
        with:
          role-to-assume: ${{{{ vars.VERIFIER_ROLE_ARN }}}}
          aws-region: {region}
      - run: pip install "stack-readiness[static]"
      - run: verify-stack --env "$ENVIRONMENT"
        env:
          ENVIRONMENT: ${{{{ inputs.environment }}}}
      - if: always()
        uses: actions/upload-artifact@b7c566a772e6b6bfb58ed0dc250532a479d7789f # v6.0.0
        with:
          name: verification
          path: reports/
"""


def _section(settings: environment.Settings) -> str:
    guard = "none" if settings.name in ("local", "dev") else "read-only"
    production = "production = true\n" if settings.production else ""
    return f'[{settings.name}]\nguard = "{guard}"\n{production}'


def write(application: Application) -> Iterator[str]:
    """Write what is missing; say of each file what it is for, and at the end what to do next.

    Raises:
        UsageProblem: a file of the starter is there already, so that nothing was written.
    """
    names = environment.names(application)
    first = environment.settings(application, names[0])
    sections = "\n".join(_section(environment.settings(application, name)) for name in names)
    relative = application.template.relative_to(application.folder)
    files = {
        "environments.toml": (
            _ENVIRONMENTS.format(sections=sections),
            "what may be done to which environment",
        ),
        "PRODUCTION_CHECKLIST.md": (_CHECKLIST, "your own items beside the catalogue's, one to begin with"),
        "checks/test_code.py": (_CHECK, "the check of that item"),
        "tests/test_checks_can_fail.py": (
            _FAULT.replace("{template}", str(relative)),
            "its fault: the check is seen to fail",
        ),
        ".github/workflows/verify.yml": (
            _WORKFLOW.format(name=names[0], region=first.region),
            "runs it on GitHub; needs a role that GitHub may assume",
        ),
    }
    there = [name for name in files if (application.folder / name).exists()]
    if there:
        raise UsageProblem(f"{', '.join(there)} exists already, so nothing was written; move it away first")
    for name, (text, purpose) in files.items():
        file = application.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        yield f"wrote {name}: {purpose}"
    yield f"next: verify-stack --static, then verify-stack --env {names[0]}"
