"""Unfinished words in the source, and how a finding reads."""

from __future__ import annotations

import pytest

from readiness.errors import Unverified
from readiness.probes.finding import Finding

# Built here, for the project's own check reads this file too.
WORD = "TO" + "DO"


def test_a_finding_reads_like_a_compilers():
    assert repr(Finding("src/a.ts", 3, "no-eval", "eval is evil")) == "src/a.ts:3 no-eval eval is evil"


def test_unfinished_words_are_found_where_they_stand(checkout):
    checkout.write("backend/src/app/a.py", f"x = 1\ny = 2  # {WORD} later\n")
    checkout.write("frontend/src/App.tsx", f"const {WORD}S = 1;\nconst mastodon = 2;\n")
    checkout.write("backend/tests/test_a.py", f"# {WORD}\n")
    checkout.write("backend/src/notes.md", f"{WORD}\n")

    assert checkout.source.unfinished_words() == [
        Finding("backend/src/app/a.py", 2, WORD, f"y = 2  # {WORD} later")
    ]


def test_no_source_is_no_clean_source(checkout):
    checkout.write("backend/src/notes.md", "nothing")

    with pytest.raises(Unverified, match="no source found under backend/src"):
        checkout.source.unfinished_words()
