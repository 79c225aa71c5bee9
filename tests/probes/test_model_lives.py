"""verification/probes/model_lives.py"""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from readiness.errors import Unverified
from verification.probes.model_lives import ModelLife, read, today

DAY = date(2026, 11, 28)
PAGE = "https://vendor.example/deprecations"


def life(
    *,
    answer: dict[str, Any] | None = None,
    code: str | None = None,
    until: str | None = None,
    seen: str | None = "2026-11-28",
) -> ModelLife:
    (one,) = read(
        {
            "models": [
                {
                    "model": "m",
                    "vendor": "somebody",
                    "vendorModel": "model-1",
                    "told": answer,
                    "code": code,
                    "registry": {"availableUntil": until, "published": PAGE, "lookedUp": seen},
                }
            ]
        }
    )
    return one


def word(ends: str | None = None, *, served: bool | None = True, legacy: bool = False) -> dict[str, Any]:
    return {"ends": ends, "served": served, "legacy": legacy}


@pytest.mark.parametrize(
    ("one", "end", "doubt"),
    [
        (life(answer=word()), "", ""),
        (life(answer=word("2027-02-27")), "", ""),
        (
            life(answer=word("2027-02-26")),
            "model-1 ends on 2027-02-26, in 90 days, by the word of somebody",
            "",
        ),
        (life(answer=word("2026-11-28")), "model-1 has ended on 2026-11-28 by the word of somebody", ""),
        (life(answer=word(served=False)), "somebody serves no model-1", ""),
        (life(answer=word(served=False, legacy=True)), "somebody calls model-1 Legacy and refuses it", ""),
        (life(answer=word("2027-06-01", legacy=True)), "", ""),
        (life(answer=word("2027-01-01", legacy=True)), "model-1 ends on 2027-01-01", ""),
        (life(answer=word(legacy=True)), "", "somebody calls model-1 Legacy and names no day"),
        (life(answer=word("2027-06-01", served=None, legacy=True)), "", "whether this account may call it"),
        # A vendor's word counts, whatever the registry says, and however old that is.
        (life(answer=word(), until="2026-12-01", seen="2020-01-01"), "", ""),
        (life(code="timeout"), "", "somebody does not say how long it serves model-1 (timeout)"),
        (life(code="timeout", until="2026-12-01"), "", "(timeout)"),
        (life(), "", ""),
        (life(until="2027-01-27"), f"model-1 ends on 2027-01-27, in 60 days, by {PAGE}", ""),
        (life(until="2027-02-27"), "", ""),
        (life(until="2026-01-01"), "model-1 has ended on 2026-01-01", ""),
        (life(seen=None), "", "the end of model-1 has not been looked up"),
        (life(seen="2026-08-30"), "", ""),
        (life(seen="2026-08-29"), "", "was looked up on 2026-08-29"),
        (life(seen="2026-11-29"), "", "was looked up on 2026-11-29"),
        (life(until="2026-12-01", seen="2026-08-29"), "", "was looked up on 2026-08-29"),
    ],
)
def test_what_is_seen_of_an_end_and_what_is_not(one: ModelLife, end: str, doubt: str) -> None:
    """Only what was seen is a failure; each of the two says nothing, or what it is."""
    assert bool(one.end(DAY)) == bool(end)
    assert bool(one.doubt(DAY)) == bool(doubt)
    assert end in one.end(DAY)
    assert doubt in one.doubt(DAY)


def test_the_report_says_whose_word_it_is() -> None:
    assert life(answer=word()).how() == "no announced end, asked of somebody"
    assert life(answer=word("2027-06-01")).how() == "ends on 2027-06-01, asked of somebody"
    assert life(until="2027-06-01").how() == f"ends on 2027-06-01, looked up 2026-11-28 at {PAGE}"
    assert life(seen=None).how() == f"no announced end, not looked up at {PAGE}"


@pytest.mark.parametrize("answer", [None, {}, {"models": [{}]}, {"models": [{"told": 1}]}])
def test_another_shape_is_no_word(answer: Any) -> None:
    with pytest.raises(Unverified, match="deploy the application again"):
        read(answer)


def test_today_is_a_day() -> None:
    assert isinstance(today(), date)
