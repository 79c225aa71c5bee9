"""readiness/catalogue/judging.py"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from readiness.catalogue.judging import findings
from readiness.discovery.graph import Resource
from readiness.errors import NotApplicable, Unverified

WRONG, OTHER, UNREAD, SOUND = (Resource("AWS::SQS::Queue", name, name) for name in "abcd")


def judge(resource: Resource) -> Iterator[str]:
    if resource is WRONG:
        yield "expected one, found two; take one out"
    if resource is OTHER:
        raise NotApplicable("it has none")
    if resource is UNREAD:
        raise Unverified("denied")


@pytest.mark.parametrize(
    "resources", [[OTHER, WRONG], [WRONG, OTHER], [UNREAD, WRONG], [OTHER, UNREAD, WRONG]]
)
def test_what_is_wrong_is_named_whatever_becomes_of_the_others(resources: list[Resource]) -> None:
    assert findings(resources, judge) == {"a": ["expected one, found two; take one out"]}


def test_what_was_found_before_a_resource_could_not_be_read_to_the_end_is_named() -> None:
    def partly(_: Resource) -> Iterator[str]:
        yield "found"
        raise Unverified("denied")

    assert findings([SOUND], partly) == {"d": ["found"]}


def test_a_resource_that_the_claim_is_not_about_hides_none_that_was_not_read() -> None:
    with pytest.raises(Unverified, match="c: denied"):
        findings([OTHER, UNREAD], judge)


def test_a_claim_about_none_of_the_resources_is_not_applicable() -> None:
    with pytest.raises(NotApplicable):
        findings([OTHER, OTHER], judge)
    assert findings([OTHER, SOUND], judge) == {}
    assert findings([], judge) == {}
