"""Policies and grants, in one form for everything that says the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from readiness.aws.policy import listed, statements_of
from readiness.catalogue.undeclared.subject import Document, Subject
from readiness.discovery.template import UNKNOWN

_DELIVERY: Final = "delivery.logs.amazonaws.com"
_LOG_DELIVERY: Final = "c4c1ede66af53448b93c283ce9448c4ba468c9432aa01d700d3878632f77d2d0"
"""The account by which CloudFront writes logs; it adds the grant itself. Source: CloudFront Developer Guide, "Permissions
required to configure standard logging and to access your log files"."""
_BY_KIND: Final = ("CanonicalUser", "Federated", "Service")


def normal(policy: Any, *, named: bool = False) -> Sequence[Document]:
    """A policy's statements, each in one form; their names do not count.

    Args:
        policy: its document.
        named: whether the names are kept, for who looks for what made the statements.
    """
    return [
        {**_statement(one), **({"Sid": one["Sid"]} if named and "Sid" in one else {})}
        for one in statements_of(policy)
        if not _is_of_aws(one)
    ]


def _statement(statement: Mapping[str, Any]) -> Document:
    found: dict[str, Any] = {"Effect": statement.get("Effect", "Allow")}
    for name in ("Action", "NotAction", "Resource", "NotResource"):
        if name in statement:
            found[name] = sorted(str(one) for one in listed(statement[name]))
    for name in ("Principal", "NotPrincipal"):
        if name in statement:
            found[name] = sorted(_principals(statement[name]))
    if statement.get("Condition"):
        found["Condition"] = {
            f"{operator} {key}".lower(): sorted(
                _text(one) for one in (values if isinstance(values, list) else [values])
            )
            for operator, keys in statement["Condition"].items()
            for key, values in keys.items()
        }
    return found


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _principals(principal: Any) -> Iterator[str]:
    """Yield each principal with its kind. S3 returns another identity for a canonical user, so that its name is unknown."""
    for kind, names in (principal if isinstance(principal, Mapping) else {"AWS": principal}).items():
        for name in listed(names):
            if kind in _BY_KIND:
                yield f"{kind} {name}" if kind != "CanonicalUser" else f"AWS {UNKNOWN}"
            else:
                yield f"AWS arn:aws:iam::{name}:root" if str(name).isdigit() else f"AWS {name}"


def _is_of_aws(statement: Mapping[str, Any]) -> bool:
    """What AWS adds by itself: SNS's first policy, and leave for its delivery of logs."""
    principal = statement.get("Principal")
    return statement.get("Sid") == "__default_statement_ID" or (
        isinstance(principal, Mapping) and listed(principal.get("Service")) == [_DELIVERY]
    )


def of_function(subject: Subject) -> Document:
    """The statements of a function's policy, and of each alias's and version's."""
    versions = subject.ask("lambda", "list_versions_by_function", FunctionName=subject.id).get("Versions", [])
    aliases = subject.ask("lambda", "list_aliases", FunctionName=subject.id).get("Aliases", [])
    qualifiers = [one["Version"] for one in versions if one["Version"] != "$LATEST"]
    found: list[Any] = []
    for qualifier in (None, *qualifiers, *(one["Name"] for one in aliases)):
        which = {"Qualifier": qualifier} if qualifier else {}
        policy = subject.ask("lambda", "get_policy", FunctionName=subject.id, **which).get("Policy")
        found += statements_of(policy)
    return {"Policy": {"Statement": found}}


def permission(declared: Document, arn: str) -> Document:
    """The statement that an `AWS::Lambda::Permission` becomes.

    Args:
        declared: its properties.
        arn: of the function, alias or version.
    """
    principal = str(declared.get("Principal", ""))
    kind = "Service" if principal.endswith((".amazonaws.com", ".amazon.com")) else "AWS"
    equal = {
        key: declared[name]
        for name, key in (
            ("SourceAccount", "AWS:SourceAccount"),
            ("FunctionUrlAuthType", "lambda:FunctionUrlAuthType"),
            ("EventSourceToken", "lambda:EventSourceToken"),
            ("PrincipalOrgID", "aws:PrincipalOrgID"),
        )
        if name in declared
    }
    condition: dict[str, Any] = {"StringEquals": equal} if equal else {}
    if "SourceArn" in declared:
        condition["ArnLike"] = {"AWS:SourceArn": declared["SourceArn"]}
    if "InvokedViaFunctionUrl" in declared:
        condition["Bool"] = {"lambda:InvokedViaFunctionUrl": _text(declared["InvokedViaFunctionUrl"])}
    return {
        "Effect": "Allow",
        "Principal": {kind: principal},
        "Action": declared.get("Action"),
        "Resource": arn,
        "Condition": condition,
    }


def of_log_group(subject: Subject) -> Document:
    """The account's policies that name a log group; those by which AWS delivers logs are its own."""
    named = [
        one["policyName"]
        for one in subject.account.log_policies
        if f":log-group:{subject.id}:" in one["policyDocument"].replace("*", ":")
        and normal(one["policyDocument"])
    ]
    return {"ResourcePolicies": named}


def grants_of_key(subject: Subject) -> Document:
    """The grants of a key to other accounts; services make grants to their own as they need them."""
    grants = subject.ask("kms", "list_grants", KeyId=subject.id).get("Grants", [])
    account = subject.account.env.account_id
    foreign = [
        one["GranteePrincipal"]
        for one in grants
        if one["GranteePrincipal"].startswith("arn:") and one["GranteePrincipal"].split(":")[4] != account
    ]
    return {"KeyGrants": foreign}


def grants_of_bucket(subject: Subject) -> Document:
    """Whom a bucket's access control list grants something beside its owner."""
    found = subject.ask("s3", "get_bucket_acl", Bucket=subject.id)
    known = {found.get("Owner", {}).get("ID"), _LOG_DELIVERY}
    grants = [(one["Grantee"], one["Permission"]) for one in found.get("Grants", [])]
    return {
        "Grants": [
            {"Grantee": to.get("ID") or to.get("URI"), "Permission": permission}
            for to, permission in grants
            if to.get("ID") not in known or "URI" in to
        ]
    }


def data_protection_of_topic(subject: Subject) -> Document:
    """What a topic's messages are searched for; a FIFO topic cannot have it."""
    if subject.id.endswith(".fifo"):
        return {}
    found = subject.ask("sns", "get_data_protection_policy", ResourceArn=subject.id)
    return {"DataProtectionPolicy": found.get("DataProtectionPolicy")}
