"""readiness/probes/made_up.py"""

from __future__ import annotations

import re

import pytest

from readiness.errors import Unverified
from readiness.probes.made_up import token


@pytest.mark.parametrize(
    "expression",
    [
        r"^Bearer [a-z0-9-]{1,40}\.[0-9]{1,12}\.[0-9a-f]{64}$",
        r"^(?:Bearer|Token) [-0-9a-zA-Z._]*$",
        r"Bearer (?P<token>\S+)",
        r"key-\d{4}(-\d{4})?",
        r"[^\s]+",
        r"[]a-f]{8,}",
        r"x\w+?",
    ],
)
def test_a_token_has_the_form_that_is_asked_for_and_is_another_each_time(expression: str) -> None:
    made = {token(expression) for _ in range(5)}

    assert all(re.fullmatch(expression, one) for one in made)
    assert len(made) > 1


def test_a_token_of_no_form_is_a_bearers() -> None:
    assert re.fullmatch(r"Bearer [0-9a-f]{32}", token(""))


@pytest.mark.parametrize("expression", ["allow", "allow|deny", "(?=a)a+", r"\p{Alpha}+", "a(", "[", " +"])
def test_nothing_is_made_up_of_what_is_fixed_or_not_understood(expression: str) -> None:
    with pytest.raises(Unverified, match="made-up token yourself"):
        token(expression)
