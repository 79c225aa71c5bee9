"""What IAM has to allow a verifier or a deployer. `python -m verification.policies` writes docs/*-policy*.json.

A verifier's policies are made from the operations that a run calls (operations.toml), a deployer's from what
CloudFormation's own schemas say that the template's types take. See docs/adr/0015-guard-and-policies.md.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

import botocore.session

from readiness.environment import iam_action
from readiness.guard import operations
from readiness.probes import iam_actions, template
from verification.application import ROOT, production, settings

DOCS = ROOT / "docs"
LIMIT: Final = 6144
"""Characters of a managed policy, white space not counted. Source: IAM User Guide, "IAM and AWS STS quotas"."""

_POLICIES_OF_THE_EDGE: Final = (
    "arn:aws:cloudfront::*:cache-policy/*",
    "arn:aws:cloudfront::*:origin-access-control/*",
    "arn:aws:cloudfront::*:response-headers-policy/*",
)
# By IAM's resource types, as the reference names them: the stack's own by its name, and where a service gives
# names of its own making, all of the kind.
_OWN: Final[Mapping[str, Sequence[str]]] = {
    "apigateway": (
        "arn:aws:apigateway:*::/apis",
        "arn:aws:apigateway:*::/apis/*",
        "arn:aws:apigateway:*::/tags/*",
    ),
    "budgets:budget": ("arn:aws:budgets::*:budget/{stack}*",),
    "cloudformation:changeset": ("arn:aws:cloudformation:*:*:stack/{stack}*/*",),
    "cloudformation:stack": ("arn:aws:cloudformation:*:*:stack/{stack}*/*",),
    "cloudfront:cache-policy": _POLICIES_OF_THE_EDGE,
    "cloudfront:distribution": ("arn:aws:cloudfront::*:distribution/*",),
    "cloudfront:origin-access-control": _POLICIES_OF_THE_EDGE,
    "cloudfront:response-headers-policy": _POLICIES_OF_THE_EDGE,
    "cloudwatch:alarm": ("arn:aws:cloudwatch:*:*:alarm:{stack}*",),
    "dynamodb:table": ("arn:aws:dynamodb:*:*:table/{stack}*",),
    "iam:role": ("arn:aws:iam::*:role/{stack}*",),
    "kms:key": ("arn:aws:kms:*:*:key/*",),
    "lambda:eventsourcemapping": ("arn:aws:lambda:*:*:event-source-mapping:*",),
    "lambda:function": ("arn:aws:lambda:*:*:function:{stack}*",),
    "logs:log-group": ("arn:aws:logs:*:*:log-group:/pixel-prompt/{stack}*",),
    "s3:bucket": ("arn:aws:s3:::{stack}*",),
    "s3:object": ("arn:aws:s3:::{stack}*/*",),
    # CloudFormation names a secret after its logical id alone; the embedded AWS after the stack as well.
    "secretsmanager:secret": (
        "arn:aws:secretsmanager:*:*:secret:ProviderKeys-*",
        "arn:aws:secretsmanager:*:*:secret:{stack}*",
    ),
    "sns:topic": ("arn:aws:sns:*:*:{stack}*",),
    "sqs:queue": ("arn:aws:sqs:*:*:{stack}*",),
    "wafv2:managedruleset": ("arn:aws:wafv2:*:*:global/managedruleset/*",),
    "wafv2:webacl": ("arn:aws:wafv2:*:*:global/webacl/{stack}*",),
}
# Wider than the type or narrower, each for a reason.
_WIDER: Final[Mapping[str, Sequence[str]]] = {
    # CloudWatch asks about all alarms of the account, whatever names are given.
    "cloudwatch:DescribeAlarms": ("arn:aws:cloudwatch:*:*:alarm:*",),
    # Somebody may have attached any policy to a role.
    "iam:GetPolicy": ("*",),
    "iam:GetPolicyVersion": ("*",),
    # AWS's reference names a resource since lately only; an account that does not know it yet asks about `*`.
    "servicequotas:GetServiceQuota": ("*",),
    "sns:GetSubscriptionAttributes": ("*",),
    "sns:SetSubscriptionAttributes": ("*",),
    "sns:Unsubscribe": ("*",),
}
OF_BENCHMARKS: Final = "arn:aws:lambda:*:*:function:pixel-prompt-benchmark-*"
"""The functions that benchmarks make, by the names that benchmarks/reference.py gives them."""
_DRILL: Final = "{stack}-drill"
_OF_A_VERIFIER: Final[Mapping[str, Sequence[str]]] = {
    **_WIDER,
    # Stands for the API and its parts, and for the tags of both; and for every API of the account that may call a function.
    "apigateway:GET": (
        *_OWN["apigateway"],
        "arn:aws:apigateway:*::/restapis",
        "arn:aws:apigateway:*::/restapis/*",
    ),
    # INF-08 counts the account's stacks, CONF-15 compares with the other environments'.
    "cloudformation:DescribeStacks": ("*",),
    # INF-21 asks which stack has what hangs on this one.
    "cloudformation:DescribeStackResources": ("*",),
    "cloudformation:ListStackResources": ("arn:aws:cloudformation:*:*:stack/pixel-prompt-*/*",),
    # Drills delete what they have made, and nothing else.
    "cloudformation:DeleteStack": (f"arn:aws:cloudformation:*:*:stack/{_DRILL}/*",),
    "dynamodb:DeleteTable": (f"arn:aws:dynamodb:*:*:table/{_DRILL}*",),
    "s3:DeleteBucket": (f"arn:aws:s3:::{_DRILL}*",),
}
# AWS: no permission is needed to call GetCallerIdentity, and no policy can take it away.
_FREE: Final = {"sts:GetCallerIdentity"}

Document = dict[str, Any]


def action_of(operation: str) -> str:
    """What a policy has to allow for `service:Operation`."""
    service, _, name = operation.partition(":")
    return iam_action(_models(service).operation_model(name))


@cache
def _models(service: str) -> Any:
    return botocore.session.get_session().get_service_model(service)


def verifier(stack: str, called: Iterable[str]) -> Document:
    """The least that a run which calls these operations needs."""
    return _document(stack, {action_of(operation) for operation in called} - _FREE, _OF_A_VERIFIER)


def _document(stack: str, actions: Iterable[str], exceptions: Mapping[str, Sequence[str]]) -> Document:
    """A policy in which each action is allowed on the stack's own resources, where IAM can tell them apart."""
    grouped: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for action in sorted(actions):
        grouped[tuple(exceptions.get(action) or _resources(action))].append(action)
    return {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": names, "Resource": _named(resources, stack)}
            for resources, names in sorted(grouped.items(), key=lambda entry: entry[1])
        ],
    }


def _named(resources: Sequence[str], stack: str) -> str | list[str]:
    named = [resource.format(stack=stack) for resource in resources]
    return named[0] if len(named) == 1 else named


def _resources(action: str) -> Sequence[str]:
    """Where an action may be allowed: `*` only where IAM knows no narrower resource."""
    service = action.partition(":")[0]
    if service in _OWN:
        return _OWN[service]
    kinds = iam_actions.resource_types(action)
    known = [kind for kind in kinds if f"{service}:{kind}" in _OWN]
    if kinds and not known:
        raise ValueError(f"{action} is about {', '.join(kinds)}; say in {__name__} which are the stack's own")
    return tuple(dict.fromkeys(arn for kind in known for arn in _OWN[f"{service}:{kind}"])) or ("*",)


# What a deployment does beside its resources: SAM's own bucket and stack, the change set, the page.
_SAM_STACK: Final = "arn:aws:cloudformation:*:*:stack/aws-sam-cli-managed-default/*"
_SAM_BUCKET: Final = "arn:aws:s3:::aws-sam-cli-managed-default*"
_DEPLOYING: Final[Mapping[str, Sequence[str]]] = {
    **dict.fromkeys(
        (
            "cloudformation:CreateChangeSet",
            "cloudformation:DeleteChangeSet",
            "cloudformation:DescribeChangeSet",
            "cloudformation:DescribeStackEvents",
            "cloudformation:DescribeStacks",
            "cloudformation:ExecuteChangeSet",
            "cloudformation:GetTemplate",
            "cloudformation:ListChangeSets",
            "cloudformation:ListStackResources",
            "cloudformation:UpdateTerminationProtection",
        ),
        (
            "arn:aws:cloudformation:*:*:stack/{stack}*/*",
            _SAM_STACK,
            "arn:aws:cloudformation:*:aws:transform/Serverless-2016-10-31",
        ),
    ),
    "cloudformation:DeleteStack": ("arn:aws:cloudformation:*:*:stack/{stack}*/*",),
    # SAM asks it about a template that is no stack yet.
    "cloudformation:GetTemplateSummary": ("*",),
    **dict.fromkeys(
        (
            "s3:CreateBucket",
            "s3:GetBucketLocation",
            "s3:GetBucketPolicy",
            "s3:ListBucket",
            "s3:PutBucketPolicy",
            "s3:PutBucketPublicAccessBlock",
            "s3:PutBucketTagging",
            "s3:PutBucketVersioning",
            "s3:PutEncryptionConfiguration",
        ),
        ("arn:aws:s3:::{stack}*", _SAM_BUCKET),
    ),
    **dict.fromkeys(
        ("s3:GetObject", "s3:GetObjectVersion", "s3:PutObject"),
        ("arn:aws:s3:::{stack}*/*", f"{_SAM_BUCKET}/*"),
    ),
    # `sam delete` removes the packages that it uploaded; the content of the stack's buckets must not be deleted.
    "s3:DeleteObject": (f"{_SAM_BUCKET}/*",),
    # What the preflight looks for in the account.
    "bedrock:GetFoundationModelAvailability": ("*",),
    "lambda:GetAccountSettings": ("*",),
    "cloudfront:CreateInvalidation": _OWN["cloudfront:distribution"],
}
# What an HTTP API's access log and a distribution's take. Source: API Gateway Developer Guide, "Customize HTTP API
# access logs"; CloudFront Developer Guide, "Configure standard logging (legacy)".
_LOGGING: Final = {
    "logs:CreateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:DescribeLogGroups",
    "logs:DescribeResourcePolicies",
    "logs:GetLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:UpdateLogDelivery",
    "s3:GetBucketAcl",
    "s3:PutBucketAcl",
}
# Features of the template's types that the template does not use, by a word of the action's name.
_UNUSED: Final = (
    *("Abac", "Accelerate", "Analytics", "BearerToken", "CapacityProvider", "CodeSigning", "ConnectionGroup"),
    *(
        "ContributorInsights",
        "DataProtection",
        "Import",
        "IndexPolic",
        "IntelligentTiering",
        "Inventory",
        "Kinesis",
    ),
    *(
        "Layer",
        "Metadata",
        "Metrics",
        "ObjectLock",
        "Recursion",
        "Regions",
        "Replica",
        "RuntimeManagement",
        "Scaling",
    ),
    *("StagingConfig", "VpcOrigin", "Website", "BucketCORS", "BucketLogging", "BucketNotification", "KmsKey"),
    *("PermissionsBoundary", "CloudFrontOrigin", "ReplicateSecret", "RandomPassword", "DeletionProtection"),
)
# What this stack's deployment does not need, although a type's handlers may use it: rows, log lines, unencrypted
# secrets, the use of keys, and roles beyond what the template writes into them.
_WITHHELD: Final = {
    *(
        "dynamodb:BatchWriteItem",
        "dynamodb:DeleteItem",
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "dynamodb:Query",
    ),
    *("dynamodb:Scan", "dynamodb:UpdateItem", "iam:AttachRolePolicy", "iam:CreateServiceLinkedRole"),
    *("iam:DetachRolePolicy", "kms:CreateGrant", "kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"),
    *(
        "kms:RevokeGrant",
        "logs:CreateLogStream",
        "logs:DescribeLogStreams",
        "logs:PutLogEvents",
        "s3:DeleteObject",
    ),
    *("s3:GetObject", "s3:PutObjectAcl", "secretsmanager:GetSecretValue"),
}
_TYPES: Final[Mapping[str, Sequence[str]]] = {
    "AWS::Serverless::Function": (
        "AWS::Lambda::EventSourceMapping",
        "AWS::Lambda::Function",
        "AWS::Lambda::Permission",
    ),
    "AWS::Serverless::HttpApi": ("AWS::ApiGatewayV2::Api", "AWS::ApiGatewayV2::Stage"),
}
"""What SAM makes of its own types."""


def types_of(file: Path) -> Sequence[str]:
    """CloudFormation's types in a template, after SAM's transform."""
    declared = {resource["Type"] for resource in template.resources(file).values()}
    return sorted({kind for name in declared for kind in _TYPES.get(name, (name,))})


def handled(types: Iterable[str], *ways: str) -> set[str]:
    """What CloudFormation's schemas say that handling these types takes, of what IAM knows and this stack uses.

    Args:
        types: resource types.
        ways: names of handlers: create, read, update, delete.
    """
    from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER as SCHEMAS  # noqa: PLC0415  # takes a second

    services = {
        action.partition(":")[0] for action in map(action_of, operations().prod | operations().elsewhere)
    }
    named = {
        action[: action.index(":") + 1]
        + action[action.index(":") + 1].upper()
        + action[action.index(":") + 2 :]
        for kind in types
        for way in ways
        for action in SCHEMAS.get_resource_schema("us-east-1", kind)
        .schema.get("handlers", {})
        .get(way, {})
        .get("permissions", [])
    }
    return {
        action
        for action in named - _WITHHELD
        if action.partition(":")[0] in services and iam_actions.is_known(action)
    }


def drift(stack: str, types: Iterable[str]) -> Document:
    """What CloudFormation reads with the verifier's own permissions to detect drift.

    Source: CloudFormation User Guide, "Detect unmanaged configuration changes", considerations.
    """
    actions = handled(types, "read") | {
        "cloudformation:BatchDescribeTypeConfigurations",
        "cloudformation:DetectStackResourceDrift",
    }
    known = {action_of(operation) for operation in operations().prod}
    return _document(stack, actions - known, _OF_A_VERIFIER)


def benchmarks(stack: str) -> Document:
    """What `pytest benchmarks` needs beside a verifier's policy, most of it for functions of its own."""
    known = operations()
    called = {action_of(operation) for operation in known.prod | known.elsewhere | known.benchmarks}
    own = {action for action in called if iam_actions.resource_types(action)[:1] == ["function"]}
    others = {action_of(operation) for operation in known.benchmarks} - own
    # A function is made with tags.
    document = _document(
        stack,
        own | others | {"lambda:TagResource"},
        dict.fromkeys([*own, "lambda:TagResource"], (OF_BENCHMARKS,)),
    )
    document["Statement"].append(_passing(stack))
    return document


def _passing(stack: str) -> dict[str, Any]:
    """Roles are given to Lambda alone."""
    return {
        "Effect": "Allow",
        "Action": "iam:PassRole",
        "Resource": f"arn:aws:iam::*:role/{stack}*",
        "Condition": {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}},
    }


def deployer(stack: str, types: Iterable[str]) -> Sequence[Document]:
    """What `deploy.sh` needs, in as few policies as IAM's size allows; all of them have to be attached."""
    found = handled(types, "create", "read", "update", "delete")
    used = {action for action in found if not any(word in action for word in _UNUSED)}
    used -= {"iam:PassRole"}
    whole = _document(stack, used | _LOGGING | _DEPLOYING.keys(), {**_WIDER, **_DEPLOYING})
    whole["Statement"].append(_passing(stack))
    documents: list[Document] = []
    for statement in whole["Statement"]:
        if documents:
            longer = {**documents[-1], "Statement": [*documents[-1]["Statement"], statement]}
            if size(longer) <= LIMIT:
                documents[-1] = longer
                continue
        documents.append({"Version": "2012-10-17", "Statement": [statement]})
    return documents


def size(document: Document) -> int:
    """Return the number of characters as IAM counts them: without whitespace."""
    return len("".join(json.dumps(document).split()))


def files() -> Mapping[str, str]:
    """Every file that `docs/` holds of them, by its name."""
    known, types = operations(), types_of(ROOT / "backend" / "template.yaml")
    prod, staging = production().stack, settings("staging").stack
    documents = {
        "verifier-policy-prod.json": verifier(prod, known.prod),
        "verifier-policy.json": verifier(staging, known.prod | known.elsewhere),
        "drift-policy.json": drift("pixel-prompt-", types),
        "benchmarks-policy.json": benchmarks(staging),
    }
    deploying = deployer("pixel-prompt-", types)
    documents |= {
        f"deployer-policy{f'-{number}' if number > 1 else ''}.json": document
        for number, document in enumerate(deploying, 1)
    }
    return {name: json.dumps(document, indent=2) + "\n" for name, document in documents.items()}


if __name__ == "__main__":
    for name, text in files().items():
        (DOCS / name).write_text(text, encoding="utf-8")
