"""Which other accounts a statement of a function's resource policy lets invoke it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from readiness.aws.policy import Statement
from readiness.discovery.graph import Graph

# A function's URL and a skill are authorized by themselves; an organization is the customer's own.
_LIMITED_ELSEWHERE: Final = {
    *("lambda:functionurlauthtype", "lambda:invokedviafunctionurl", "lambda:eventsourcetoken"),
    *("aws:principalorgid", "aws:sourceorgid", "aws:principalorgpaths", "aws:sourceorgpaths"),
}
_ACCOUNTS: Final = ("aws:sourceaccount", "aws:sourceowner", "aws:principalaccount")
_ARNS: Final = ("aws:sourcearn", "aws:principalarn")


def opened_by(statement: Statement, account: str, graph: Graph) -> str:
    """Return why a statement lets another account invoke a function, '' where it does not."""
    conditions = _conditions(statement)
    invokes = statement.allows and statement.covers("lambda:InvokeFunction")
    if not invokes or _LIMITED_ELSEWHERE & conditions.keys():
        return ""
    sources = [value for key in _ARNS for value in conditions.get(key, [])]
    owners = {value for key in _ACCOUNTS for value in conditions.get(key, [])} | set(
        filter(None, map(_account_of, sources))
    )
    if not owners and sources and all(_is_bucket(arn, graph) for arn in sources):
        return ""
    return _foreign(owners, account) if owners else _unconditional(statement, account)


def _conditions(statement: Statement) -> Mapping[str, Sequence[str]]:
    """What keeps a statement to some callers, by the condition key in lower case."""
    return {
        key: values
        for operator, key, values in statement.conditions
        if "not" not in operator and "ifexists" not in operator
    }


def _account_of(arn: str) -> str:
    """The account that an ARN names, '' where it names none, as a bucket's, or any."""
    account = (arn.split(":")[4:5] or [""])[0]
    return account if account.isdigit() else ""


def _is_bucket(arn: str, graph: Graph) -> bool:
    """Return whether the ARN is of a bucket of the stack. No other bucket can have its name while it exists."""
    bucket = graph.named(arn.rpartition(":")[2], ["AWS::S3::Bucket"])
    return bucket is not None and bucket.declared


def _foreign(accounts: set[str], account: str) -> str:
    others = ", ".join(sorted(accounts - {account}))
    return f"expected account {account} alone, found {others}; remove the permission" if others else ""


def _unconditional(statement: Statement, account: str) -> str:
    people = [name for kind, name in statement.principals if kind == "AWS"]
    if "*" in people:
        return "expected a principal of this account, found any caller; name the caller that invokes it"
    if services := [name for kind, name in statement.principals if kind == "Service"]:
        return (
            f"expected SourceArn or SourceAccount of account {account}, found neither: {', '.join(services)} may invoke it for any "
            "customer; add SourceArn, or SourceAccount where the ARN names no account"
        )
    return _foreign(
        {found[0] for who in people if (found := re.search(r"(?<!\d)\d{12}(?!\d)", who))}, account
    )
