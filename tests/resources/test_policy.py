"""readiness/aws/policy.py"""

from __future__ import annotations

import json

import pytest

from readiness.aws.policy import listed, statements_of

ONE = {"Effect": "Allow", "Action": "sqs:SendMessage"}


@pytest.mark.parametrize(
    "policy", [{"Statement": [ONE]}, {"Statement": ONE}, json.dumps({"Statement": [ONE]})]
)
def test_statements_are_read_however_they_are_written(policy):
    assert statements_of(policy) == [ONE]


@pytest.mark.parametrize("policy", [None, "", {}])
def test_no_policy_has_no_statement(policy):
    assert statements_of(policy) == []


@pytest.mark.parametrize(("value", "read"), [("a", ["a"]), (["a", "b"], ["a", "b"]), (None, [])])
def test_one_text_is_a_list_of_one(value, read):
    assert listed(value) == read
