"""What Bandit finds."""

from __future__ import annotations

import pytest

from readiness.errors import Unverified


def test_bandits_findings_of_weight_are_found(checkout):
    code = "import subprocess\n\n\ndef run(name):\n    assert name\n    subprocess.call('ls ' + name, shell=True)\n"
    checkout.write("backend/src/app/run.py", code)

    (found,) = checkout.source.bandit()

    assert (found.file, found.line, found.rule) == ("backend/src/app/run.py", 6, "B602")


def test_clean_code_has_no_finding(checkout):
    checkout.write("backend/src/app.py", "def half(x):\n    return x / 2\n")

    assert checkout.source.bandit() == []


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"backend/src/notes.md": "no code"}, "bandit read 0 lines"),
        (
            {"backend/src/ok.py": "x = 1\n", "backend/src/bad.py": "def (:\n"},
            r"bandit read \d+ lines; errors: .*bad\.py",
        ),
    ],
)
def test_what_bandit_could_not_read_is_unverified(checkout, files, message):
    for name, text in files.items():
        checkout.write(name, text)

    with pytest.raises(Unverified, match=message):
        checkout.source.bandit()
