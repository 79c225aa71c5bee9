"""readiness/aws/policy.py"""

from __future__ import annotations

import ast
import json

import pytest

from readiness.aws.policy import (
    Statement,
    administered,
    external_principals,
    listed,
    statements_of,
    unlimited,
)
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
def test_an_allowed_principal_is_found_in_every_form(content):
    assert len(external_principals([{"Effect": "Allow", **content}], ACCOUNT)) == 1


ITSELF = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
EVENTS = {"Service": "events.amazonaws.com"}
ROLE = {"AWS": f"arn:aws:iam::{ACCOUNT}:role/deployer"}


@pytest.mark.parametrize(
    "content",
    [
        {
            "Action": "sns:*",
            "Principal": EVENTS,
            "Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}},
        },
        {"Action": ["sqs:SendMessage", "SQS:*"], "Principal": EVENTS},
        {"Action": "*", "Principal": ROLE},
        {"NotAction": "s3:DeleteBucket", "Principal": {**ITSELF, **EVENTS}},
        {"Action": "s3:*", "Principal": "*"},
        {"Action": "s3:*", "NotPrincipal": ROLE},
    ],
)
def test_whatever_allows_all_is_noticed(content):
    (finding,) = unlimited([{"Effect": "Allow", **content}], ACCOUNT)

    assert "list what is needed" in finding


@pytest.mark.parametrize(
    "content",
    [
        {"Action": "kms:*", "Principal": ITSELF},
        {"Action": "kms:*", "Principal": {"AWS": ACCOUNT}},
        {"Action": "s3:*", "Principal": "*", "Effect": "Deny"},
        {"Action": "s3:Get*", "Principal": ROLE},
        {"Action": "sns:Publish", "Principal": EVENTS},
        {
            "Action": "kms:*",
            "Principal": {"AWS": "*"},
            "Condition": {"StringEquals": {"kms:CallerAccount": ACCOUNT}},
        },
    ],
)
def test_the_account_itself_may_do_everything(content):
    assert list(unlimited([{"Effect": "Allow", **content}], ACCOUNT)) == []


@pytest.mark.parametrize(
    ("content", "taken"),
    [
        ({"Action": ["kms:Decrypt", "kms:PutKeyPolicy"], "Principal": EVENTS}, "kms:PutKeyPolicy"),
        ({"Action": "kms:Schedule*", "Principal": EVENTS}, "kms:ScheduleKeyDeletion"),
        ({"Action": "kms:PutKeyPolicy", "Principal": ROLE}, ""),
        ({"Action": ["kms:Decrypt", "kms:GenerateDataKey*"], "Principal": EVENTS}, ""),
        ({"Action": "kms:PutKeyPolicy", "Principal": EVENTS, "Effect": "Deny"}, ""),
    ],
)
def test_a_service_that_administers_a_key_is_noticed(content, taken):
    found = list(administered([{"Effect": "Allow", **content}]))

    assert len(found) == bool(taken)
    assert all(taken in one for one in found)


@pytest.mark.parametrize(
    ("arn", "count"),
    [
        (f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:/shop/*", 0),
        ("arn:aws:logs:us-east-1:*:log-group:*", 1),
        ("", 1),
    ],
)
def test_what_is_encrypted_keeps_a_service_to_the_account(arn, count):
    service = "logs.us-east-1.amazonaws.com"
    condition = {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": arn}} if arn else {}
    content = {"Action": "kms:Decrypt", "Principal": {"Service": service}, "Condition": condition}

    assert len(external_principals([{"Effect": "Allow", **content}], ACCOUNT, deputies=[service])) == count


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
def test_no_other_module_parses_statements(package):
    """A reader of its own forgets a form, and ends in a KeyError or, worse, sees nothing."""
    files = (ROOT / package).glob("*.py" if package == "verification" else "**/*.py")
    names = {file: str(file.relative_to(ROOT)) for file in files}

    assert {
        name: found
        for file, name in names.items()
        if name not in NO_POLICY | WRITES_POLICIES | COMPARES_POLICIES
        and (found := [*taken_apart(ast.parse(file.read_text(encoding="utf-8")))])
    } == {}
