"""readiness/aws/policy.py"""

from __future__ import annotations

import ast
import json

import pytest

from readiness.aws.policy import Statement, listed, statements_of, strangers
from verification.application import ROOT

ONE = {"Effect": "Allow", "Action": "sqs:SendMessage"}
ACCOUNT, OTHER = "123456789012", "111122223333"


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


def statement(**content):
    return Statement({"Effect": "Allow", **content})


@pytest.mark.parametrize(
    ("content", "meant", "not_meant"),
    [
        ({"Action": "s3:GetObject"}, "s3:getobject", "s3:PutObject"),
        ({"Action": ["s3:Get*", "s3:Put?ject"]}, "s3:PutXject", "s3:PutAnXject"),
        ({"NotAction": "s3:GetObject"}, "s3:PutObject", "S3:GetObject"),
        ({"NotAction": ["s3:*", "sqs:*"]}, "sns:Publish", "sqs:SendMessage"),
    ],
)
def test_actions_in_every_form(content, meant, not_meant):
    assert statement(**content).covers(meant)
    assert not statement(**content).covers(not_meant)


@pytest.mark.parametrize(
    ("content", "meant", "not_meant"),
    [
        ({"Resource": "arn:aws:s3:::a"}, "arn:aws:s3:::a", "arn:aws:s3:::a/b"),
        ({"Resource": ["arn:aws:s3:::a/*", "arn:aws:s3:::b"]}, "arn:aws:s3:::a/key", "arn:aws:s3:::c"),
        ({"NotResource": "arn:aws:s3:::a"}, "arn:aws:s3:::b", "arn:aws:s3:::a"),
        ({"NotResource": ["arn:aws:s3:::a", "arn:aws:s3:::b*"]}, "arn:aws:s3:::c", "arn:aws:s3:::b/key"),
    ],
)
def test_resources_in_every_form(content, meant, not_meant):
    assert statement(**content).is_about(meant)
    assert not statement(**content).is_about(not_meant)


@pytest.mark.parametrize(
    ("content", "who"),
    [
        ({}, []),
        ({"Principal": "*"}, [("AWS", "*")]),
        ({"Principal": {"AWS": "*"}}, [("AWS", "*")]),
        ({"Principal": {"AWS": [ACCOUNT, OTHER]}}, [("AWS", ACCOUNT), ("AWS", OTHER)]),
        (
            {"Principal": {"Service": "sns.amazonaws.com", "AWS": ACCOUNT}},
            [("Service", "sns.amazonaws.com"), ("AWS", ACCOUNT)],
        ),
        ({"NotPrincipal": {"AWS": ACCOUNT}}, [("AWS", "*")]),
    ],
)
def test_principals_in_every_form(content, who):
    assert statement(**content).principals == who


def test_a_statement_is_said_in_words():
    one = statement(NotAction=["s3:GetObject", "s3:PutObject"], NotResource="arn:aws:s3:::a")

    assert (one.what, one.where) == (
        "everything but s3:GetObject, s3:PutObject",
        "everything but arn:aws:s3:::a",
    )
    assert one.named_actions == ["s3:GetObject", "s3:PutObject"]


@pytest.mark.parametrize(
    ("content", "alone"),
    [
        ({"Action": "S3:getobject"}, True),
        ({"Action": ["s3:GetObject", "s3:ListBucket"]}, True),
        ({"Action": ["s3:GetObject", "s3:PutObject"]}, False),
        ({"Action": "s3:Get*"}, False),
        ({"NotAction": "s3:PutObject"}, False),
    ],
)
def test_only_spelt_actions_are_those_actions_alone(content, alone):
    assert statement(**content).names_only({"s3:GetObject", "s3:ListBucket"}) is alone


@pytest.mark.parametrize(
    "content",
    [
        {"Action": "secretsmanager:GetSecretValue", "Principal": {"AWS": f"arn:aws:iam::{OTHER}:root"}},
        {"Action": "secretsmanager:GetSecretValue", "Principal": {"AWS": [ACCOUNT, OTHER]}},
        {"NotAction": "secretsmanager:PutSecretValue", "Principal": {"AWS": OTHER}},
        {"Action": "*", "NotPrincipal": {"AWS": ACCOUNT}},
        {"Action": "*", "Principal": "*", "NotResource": "arn:aws:s3:::a"},
    ],
)
def test_whoever_is_let_in_is_noticed_in_every_form(content):
    assert len(strangers([{"Effect": "Allow", **content}], ACCOUNT)) == 1


# AWS has elements of these names elsewhere: rules of web ACLs, tasks of state machines, changes of CloudFormation, dimensions.
NO_POLICY = {"readiness/aws/policy.py", "readiness/aws/web_acl.py", "readiness/aws/state_machine.py"}
WRITES_POLICIES = {"verification/policies.py"}
# Brings the statements of a template and those of AWS into one form, every element as it is, to compare them.
COMPARES_POLICIES = {"readiness/catalogue/undeclared/policies.py"}
ELEMENTS = {"Action", "Principal", "Resource", "NotAction", "NotPrincipal", "NotResource"}


def taken_apart(tree):
    """The elements of a statement that code takes by their names."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Subscript):
            named = node.slice
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "get" and node.args:
            named = node.args[0]
        else:
            continue
        if isinstance(named, ast.Constant) and named.value in ELEMENTS:
            yield named.value


@pytest.mark.parametrize(
    "package", ["readiness", "verification/checks", "verification/probes", "verification"]
)
def test_nobody_else_takes_statements_apart(package):
    """A reader of its own forgets a form, and ends in a KeyError or, worse, sees nothing."""
    files = (ROOT / package).glob("*.py" if package == "verification" else "**/*.py")
    names = {file: str(file.relative_to(ROOT)) for file in files}

    assert {
        name: found
        for file, name in names.items()
        if name not in NO_POLICY | WRITES_POLICIES | COMPARES_POLICIES
        and (found := [*taken_apart(ast.parse(file.read_text(encoding="utf-8")))])
    } == {}
