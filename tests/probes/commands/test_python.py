"""Lint, format and types of Python, by the real tools."""

from __future__ import annotations

import pytest

from readiness.errors import Unverified

SETTINGS = """
[tool.ruff.lint]
select = ["F", "ANN"]
[tool.mypy]
files = ["backend/src"]
"""


def python(checkout, settings=SETTINGS, **files):
    """A checkout with settings and Python modules of its own."""
    checkout.write("pyproject.toml", settings)
    for name, text in {"half": "def half(x: float) -> float:\n    return x / 2\n", **files}.items():
        checkout.write(f"backend/src/{name}.py", text)
    return checkout.source


def test_clean_python_has_no_finding(checkout):
    source = python(checkout)

    assert source.ruff() + source.mypy() == []


def test_lint_format_and_types_are_each_judged(checkout):
    source = python(
        checkout,
        unused="import os\n",
        loose="WORDS = {  1 }\n",
        length="def length(word: str | None) -> int:\n    return len(word)\n",
    )

    assert {(found.file, found.rule) for found in source.ruff()} == {
        ("backend/src/unused.py", "F401"),
        ("backend/src/loose.py", "unformatted"),
    }
    assert [(found.file, found.line, found.rule) for found in source.mypy()] == [
        ("backend/src/length.py", 2, "arg-type")
    ]


def test_what_does_not_parse_is_a_finding_of_both(checkout):
    source = python(checkout, broken="def (:\n")

    assert source.ruff() != []
    assert {found.file for found in source.mypy()} == {"backend/src/broken.py"}


def test_types_are_strict_whatever_the_settings_say(checkout):
    source = python(checkout, SETTINGS + "strict = false\n", loose="def f(x):\n    return x\n")

    assert [found.rule for found in source.mypy()] == ["no-untyped-def"]


@pytest.mark.parametrize("tool", ["ruff", "mypy"])
@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ("", r"expected \[tool\.(ruff|mypy)\] in .*pyproject.toml"),
        ("[tool", "pyproject.toml cannot be read"),
    ],
)
def test_python_without_settings_is_unverified(checkout, tool, settings, message):
    source = python(checkout, settings)

    with pytest.raises(Unverified, match=message):
        getattr(source, tool)()


@pytest.mark.parametrize(
    ("tool", "settings", "message"),
    [
        ("ruff", '[tool.ruff]\nexclude = ["half.py"]\n', r"ruff leaves out \['backend/src/half.py'\]"),
        ("mypy", '[tool.mypy]\nfiles = ["backend/nowhere"]\n', "mypy wrote nothing to judge"),
        ("mypy", "[tool.mypy]\nfiles = []\n", "mypy wrote nothing to judge"),
    ],
)
def test_a_tool_that_looks_away_is_unverified(checkout, tool, settings, message):
    source = python(checkout, settings)

    with pytest.raises(Unverified, match=message):
        getattr(source, tool)()


def test_an_application_without_python_is_unverified(checkout):
    checkout.write("pyproject.toml", SETTINGS)

    with pytest.raises(Unverified, match="ruff leaves out backend/src, which is empty"):
        checkout.source.ruff()
