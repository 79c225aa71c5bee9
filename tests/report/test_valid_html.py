"""The whole HTML page, as a validator reads it: html-validate, which asks nobody."""

from __future__ import annotations

import pytest

from readiness.report import html
from readiness.report.document import build
from tests.report import examples, validator
from tests.report.test_any_text import NASTY, results
from tests.report.test_in_a_browser import framed


def problems(fragment, folder):
    """What the HTML standard has against the page around that fragment."""
    page = folder / "page.html"
    framed(fragment, page)
    return validator.problems(page)


@pytest.mark.parametrize("name", examples.KINDS)
def test_each_kind_of_report_is_valid(make, tmp_path, name):
    run = examples.kind(make, name, tmp_path / "history")

    assert problems(html.summary(build(run), run.pictures, folder=tmp_path, suite=tmp_path), tmp_path) == []


def test_whatever_text_stands_in_a_report_it_is_valid(make, tmp_path):
    run = make(
        *results("".join(NASTY)), texts={"title": "<b>", "claim": "`<`", "why": "&", "remedy": "</main>"}
    )

    assert problems(html.summary(build(run), {}, folder=tmp_path, suite=tmp_path), tmp_path) == []


def test_the_validator_finds_what_is_wrong(tmp_path):
    assert problems("<style>\n:root {}</style><p><div></p>", tmp_path) != []
