"""Whether a resource's policy lets an AWS service in that acts for one of the account's resources."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from readiness.aws.key import Key
from readiness.aws.policy import Statement, matches, read
from readiness.errors import Unverified

# What a request of a service principal never has, so that a condition on it never holds.
# Source: IAM User Guide, "AWS global condition context keys", under "Availability" of each key.
_NEVER_SENT: Final = (
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:principalaccount",
    "aws:principalarn",
    "aws:userid",
)
_NEVER_SENT_BEGINNINGS: Final = ("aws:principaltag/", "aws:sourcevpc", "aws:sourceip", "aws:username")
_NEGATED: Final = (
    "stringnotequals",
    "stringnotequalsignorecase",
    "stringnotlike",
    "arnnotequals",
    "arnnotlike",
)
_PLAIN: Final = ("stringequals", "stringequalsignorecase", "stringlike", "arnequals", "arnlike", "bool")
_IF_EXISTS: Final = "ifexists"


@dataclass(frozen=True)
class Caller:
    """A service that acts for a resource.

    Args:
        service: such as `events.amazonaws.com`.
        arn: of the resource that it acts for, what it says in `aws:SourceArn`.
        account: of that resource.
        context: further condition keys of its requests, in lower case, such as what it encrypts.
    """

    service: str
    arn: str
    account: str
    context: Mapping[str, str] = field(default_factory=dict)

    @property
    def request(self) -> Mapping[str, str]:
        """The condition keys of its requests, in lower case."""
        return {
            "aws:sourcearn": self.arn,
            "aws:sourceaccount": self.account,
            "aws:sourceowner": self.account,
            "aws:securetransport": "true",
            "aws:principalisawsservice": "true",
            "aws:principalservicename": self.service,
            **self.context,
        }


def lets_in(statements: Iterable[Mapping[str, Any]], caller: Caller, action: str, resource: str = "") -> bool:
    """Whether a policy lets a service do something.

    Args:
        statements: of the policy.
        caller: the service.
        action: IAM's name of it.
        resource: the ARN that it is done to; '' where the policy is of the resource alone, as a key's is.

    Raises:
        Unverified: it depends on a condition that is not understood.
    """
    about = [
        statement
        for statement in read(statements)
        if _is_meant(statement, caller)
        and statement.covers(action)
        and (not resource or statement.is_about(resource))
    ]
    denied = {_holds(one, caller) for one in about if not one.allows}
    allowed = {_holds(one, caller) for one in about if one.allows}
    if True in denied or not allowed - {False}:
        return False
    if True in allowed and None not in denied:
        return True
    raise Unverified(
        f"whether {caller.service} may do {action} depends on a condition of a policy that is not understood: "
        f"{', '.join(sorted({key for one in about for _, key, _ in one.conditions}))}; look by hand",
        cause="a condition of a policy that is not understood",
    )


def _is_meant(statement: Statement, caller: Caller) -> bool:
    return bool({("Service", caller.service), ("Service", "*"), ("AWS", "*")} & {*statement.principals})


def _holds(statement: Statement, caller: Caller) -> bool | None:
    """Whether all conditions hold; None where one is not understood, and no other one fails."""
    found = [_condition(*one, caller.request) for one in statement.conditions]
    if False in found:
        return False
    return None if None in found else True


def _condition(operator: str, key: str, values: Sequence[str], request: Mapping[str, str]) -> bool | None:
    absent = key in _NEVER_SENT or key.startswith(_NEVER_SENT_BEGINNINGS)
    if operator == "null" and (absent or key in request):
        return any((value.lower() == "true") is absent for value in values)
    plain = operator.removesuffix(_IF_EXISTS)
    if plain not in _PLAIN + _NEGATED or not (absent or key in request):
        return None
    if absent:
        return operator.endswith(_IF_EXISTS) or plain in _NEGATED
    ignore_case = plain.endswith("ignorecase") or plain == "bool"
    said = request[key].lower() if ignore_case else request[key]
    same = any(matches(value.lower() if ignore_case else value, said) for value in values)
    return same is (plain in _PLAIN)


def may_decrypt(key: Key, caller: Caller) -> bool:
    """Return whether a key's policy lets a service decrypt for its caller. No service may use AWS's own keys so.

    Raises:
        Unverified: a condition of the policy is not understood.
    """
    return not key.is_of_aws and lets_in(key.policy_statements, caller, "kms:Decrypt")
