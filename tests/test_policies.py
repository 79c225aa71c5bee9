"""verification/policies.py and docs/*-policy*.json"""

from __future__ import annotations

import json
import re

import pytest

from benchmarks import reference
from readiness.guard import operations
from readiness.probes import iam_actions
from verification import policies
from verification.application import ROOT
from verification.policies import DOCS, LIMIT, action_of, size, verifier

FILES = policies.files()
POLICIES = {name: json.loads(text) for name, text in FILES.items()}
# Where IAM could tell resources apart and the policy does not, for the reasons that policies.py gives.
EVERYWHERE = {
    "cloudformation:DescribeStackResources",
    "cloudformation:DescribeStacks",
    "cloudformation:GetTemplateSummary",
    "iam:GetPolicy",
    "iam:GetPolicyVersion",
    "servicequotas:GetServiceQuota",
    "sns:GetSubscriptionAttributes",
    "sns:SetSubscriptionAttributes",
    "sns:Unsubscribe",
}


def statements(policy):
    for statement in policy["Statement"]:
        actions, resources = statement["Action"], statement["Resource"]
        yield (
            [actions] if isinstance(actions, str) else actions,
            [resources] if isinstance(resources, str) else resources,
        )


def test_the_files_are_what_is_made():
    """python -m verification.policies"""
    assert {file.name: file.read_text(encoding="utf-8") for file in DOCS.glob("*policy*.json")} == FILES


@pytest.mark.parametrize("name", POLICIES)
def test_each_fits_into_a_managed_policy(name):
    assert 0 < size(POLICIES[name]) <= LIMIT


@pytest.mark.parametrize("name", POLICIES)
def test_each_names_actions_that_exist_one_by_one(name):
    named = [action for actions, _ in statements(POLICIES[name]) for action in actions]

    assert [action for action in named if "*" in action or not iam_actions.is_known(action)] == []


@pytest.mark.parametrize("name", POLICIES)
def test_everything_is_allowed_only_where_nothing_narrower_is_known(name):
    wide = {
        action for actions, resources in statements(POLICIES[name]) if "*" in resources for action in actions
    }

    assert {action for action in wide if iam_actions.resource_types(action)} <= EVERYWHERE


def test_no_policy_hands_out_secrets():
    secret = {action_of(operation) for operation in operations().never}
    allowed = {
        action for policy in POLICIES.values() for actions, _ in statements(policy) for action in actions
    }

    assert not secret & allowed


def test_the_policy_of_prod_allows_what_the_guard_sends():
    allowed = {
        action for actions, _ in statements(POLICIES["verifier-policy-prod.json"]) for action in actions
    }

    assert allowed == {action_of(operation) for operation in operations().prod} - {"sts:GetCallerIdentity"}


def test_what_a_verifier_deletes_was_made_by_a_drill():
    policy = verifier("some-stack", operations().prod | operations().elsewhere)
    whole = {"cloudformation:DeleteStack", "dynamodb:DeleteTable", "s3:DeleteBucket"}

    assert {
        resource for actions, resources in statements(policy) if whole & {*actions} for resource in resources
    } == {
        "arn:aws:cloudformation:*:*:stack/some-stack-drill/*",
        "arn:aws:dynamodb:*:*:table/some-stack-drill*",
        "arn:aws:s3:::some-stack-drill*",
    }


def test_roles_are_passed_to_lambda_alone():
    passing = [
        statement
        for name, policy in POLICIES.items()
        for statement in policy["Statement"]
        if "iam:PassRole" in statement["Action"]
    ]

    to_lambda = {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}
    assert [statement["Condition"] for statement in passing] == [to_lambda] * 2


def test_benchmarks_may_do_what_they_like_to_their_own_functions_alone():
    changing = {
        "lambda:CreateFunction",
        "lambda:DeleteFunction",
        "lambda:InvokeFunction",
        "lambda:TagResource",
    }

    assert {
        resource
        for actions, resources in statements(POLICIES["benchmarks-policy.json"])
        if changing & {*actions}
        for resource in resources
    } == {f"arn:aws:lambda:*:*:function:{reference.PREFIX}*"}


@pytest.mark.parametrize("spoilt", [False, True])
def test_the_grammar_is_iams(spoilt):
    """By cfn-lint's schema of an identity policy; and it was seen to look."""
    from cfnlint.api import ManualArgs, lint  # a second

    documents = json.loads(json.dumps(POLICIES))
    if spoilt:
        documents["drift-policy.json"]["Statement"][0]["Effects"] = "Allow"
    template = {
        "Resources": {
            f"Policy{number}": {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": document}}
            for number, document in enumerate(documents.values())
        }
    }

    found = lint(json.dumps(template), config=ManualArgs(regions=["us-east-1"]))

    assert bool(found) is spoilt, found


def test_a_type_without_a_place_is_an_error():
    with pytest.raises(
        ValueError, match=r"kinesis:PutRecord is about stream.*; say in verification\.policies"
    ):
        policies._document("some-stack", ["kinesis:PutRecord"], {})


def test_every_action_that_is_named_in_the_documentation_exists():
    services = {action.partition(":")[0] for action in iam_actions._reference()}
    # What mutants write is no word of ours.
    texts = [file for file in (*DOCS.rglob("*.md"), *ROOT.glob("*.md")) if file.name != "RECALL.md"]
    named = {
        (file.name, found[0])
        for file in texts
        for found in re.finditer(
            r"(?<![\w:/-])([a-z][a-z0-9-]+):(?:[A-Z][A-Za-z]+|GET|POST)\b", file.read_text("utf-8")
        )
        if found[1] in services
    }

    assert len(named) > 10
    assert {one for one in named if not iam_actions.is_known(one[1])} == set()
