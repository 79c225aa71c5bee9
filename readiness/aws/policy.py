"""The statements of a policy, and the principals that it allows.

Only `Statement` parses a statement's elements, so that a list, a single value and the elements with `Not` mean the same
everywhere. tests/resources/test_policy.py checks that.
"""

from __future__ import annotations

import fnmatch
import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

DEPUTIES: Final = frozenset(
    f"{name}.amazonaws.com"
    for name in (
        *("budgets", "cloudfront", "cloudtrail", "cloudwatch", "config", "delivery.logs", "events"),
        *("logging.s3", "s3", "scheduler", "ses", "sns"),
    )
)
"""Services that act on a resource for whichever account asks them, and say for whom in `aws:SourceArn` or `aws:SourceAccount`.
Source: IAM User Guide, "The confused deputy problem", and each service's guide."""

LOAD_BALANCERS: Final = frozenset(
    (
        *("127311923021", "033677994240", "027434742980", "797873946194", "098369216593", "754344448648"),
        *("589379963580", "718504428378", "383597477331", "600734575887", "114774131450", "783225319266"),
        *("582318560864", "985666609251", "054676820928", "156460612806", "652711504416", "635631232127"),
        *("009996457667", "897822967062", "076674570225", "507241528517"),
    )
)
"""AWS's own accounts that deliver the access logs of load balancers. Source: Elastic Load Balancing User Guide, "Enable access
logs for your Application Load Balancer"."""

_OWN_ACCOUNT: Final = frozenset(
    {
        "aws:principalaccount",
        "aws:sourceaccount",
        "aws:sourceowner",
        "kms:calleraccount",
        "aws:resourceaccount",
    }
)
_ARNS: Final = frozenset({"aws:principalarn", "aws:sourcearn"})
_CONTEXT: Final = "kms:encryptioncontext:"
"""Begins the keys of what a service encrypts something for: of logs, buckets, queues and trails their ARN."""
_FENCES: Final = frozenset(
    {
        *("aws:principalorgid", "aws:principalorgpaths", "aws:sourceorgid", "aws:sourceorgpaths"),
        *("aws:sourcevpc", "aws:sourcevpce"),
    }
)
_HOLDS: Final = re.compile(r"(?:foranyvalue:)?(?:string|arn)(?:equals|like|equalsignorecase)", re.IGNORECASE)
"""The operators that a request without the key does not satisfy; those with IfExists and ForAllValues it does."""


def listed(value: str | Sequence[str] | None) -> Sequence[str]:
    """An element of a policy that may be one text or a list of them."""
    return [value] if isinstance(value, str) else list(value or [])


def statements_of(policy: Mapping[str, Any] | str | None) -> Sequence[Mapping[str, Any]]:
    """The statements of a policy's document, as JSON or read already; none without a policy."""
    document: Mapping[str, Any] = json.loads(policy or "{}") if isinstance(policy, str) else policy or {}
    statements = document.get("Statement", [])
    return [statements] if isinstance(statements, Mapping) else list(statements)


def matches(pattern: str, value: str) -> bool:
    """Return whether a pattern of a policy, with `*` and `?`, matches a value. Case counts."""
    return fnmatch.fnmatchcase(value, pattern.replace("[", "[[]"))


@dataclass(frozen=True)
class Statement:
    """One statement of a policy, NotAction, NotResource and NotPrincipal understood."""

    content: Mapping[str, Any]

    def __str__(self) -> str:
        return f"statement '{self.sid}'" if self.sid else "a statement"

    @property
    def sid(self) -> str:
        return str(self.content.get("Sid", ""))

    @property
    def allows(self) -> bool:
        return bool(self.content["Effect"] == "Allow")

    @property
    def actions(self) -> Sequence[str]:
        return listed(self.content.get("Action"))

    @property
    def resources(self) -> Sequence[str]:
        return listed(self.content.get("Resource"))

    @property
    def resource_expressions(self) -> Sequence[Any]:
        """The resources as a template writes them: texts, and functions such as Ref."""
        return _several(self.content.get("Resource", []))

    @property
    def excluded_actions(self) -> Sequence[str]:
        """What NotAction names; the statement is about every other action."""
        return listed(self.content.get("NotAction"))

    @property
    def excluded_resources(self) -> Sequence[str]:
        """What NotResource names; the statement is about every other resource."""
        return listed(self.content.get("NotResource"))

    @property
    def excludes_principals(self) -> bool:
        """Whether the statement applies to all principals except those that NotPrincipal names."""
        return "NotPrincipal" in self.content

    @property
    def named_actions(self) -> Sequence[str]:
        """Every action that is spelt in it, meant or excluded."""
        return [*self.actions, *self.excluded_actions]

    @property
    def what(self) -> str:
        """The actions in words."""
        excluded = self.excluded_actions
        return f"everything but {', '.join(excluded)}" if excluded else ", ".join(self.actions)

    @property
    def where(self) -> str:
        """The resources in words."""
        excluded = self.excluded_resources
        return f"everything but {', '.join(excluded)}" if excluded else ", ".join(self.resources)

    def names_only(self, actions: Collection[str]) -> bool:
        """Whether it is about some of these actions, spelt out, and about no other."""
        known = {action.lower() for action in actions}
        return bool(self.actions) and {action.lower() for action in self.actions} <= known

    def covers(self, action: str) -> bool:
        """Whether the statement is about an action."""
        wanted = action.lower()
        if excluded := self.excluded_actions:
            return not any(matches(one.lower(), wanted) for one in excluded)
        return any(matches(one.lower(), wanted) for one in self.actions)

    def is_about(self, resource: str) -> bool:
        """Whether the statement is about a resource, by its ARN."""
        if excluded := self.excluded_resources:
            return not any(matches(one, resource) for one in excluded)
        return any(matches(one, resource) for one in self.resources)

    @property
    def principals(self) -> Sequence[tuple[str, str]]:
        """The principals, each with its kind: AWS, Service, CanonicalUser, Federated. `("AWS", "*")` is any caller.

        NotPrincipal counts as any caller. A role's own policy has no principal.
        """
        if self.excludes_principals:
            return [("AWS", "*")]
        principal = self.content.get("Principal", {})
        if isinstance(principal, str):
            return [("AWS", principal)]
        return [(kind, name) for kind, names in principal.items() for name in listed(names)]

    @property
    def conditions(self) -> Iterator[tuple[str, str, Sequence[str]]]:
        """Operator and key in lower case, and the values."""
        for operator, keys in (self.content.get("Condition") or {}).items():
            for key, values in keys.items():
                yield operator.lower(), key.lower(), [str(value) for value in _several(values)]

    @property
    def sources(self) -> Sequence[str]:
        """The ARNs of which a request must come from one, empty where it may come from anywhere."""
        return self.required("aws:SourceArn") or []

    def required(self, key: str) -> Sequence[str] | None:
        """The values of which a request must have one at a key, None where it need not have any."""
        for operator, name, values in self.conditions:
            if name == key.lower() and _HOLDS.fullmatch(operator):
                return values
        return None

    def is_kept_to(self, account: str) -> bool:
        """Whether a condition keeps the statement to one account, to its organisation, or to named networks."""
        for operator, key, values in self.conditions:
            if key == "aws:sourceip" and operator == "ipaddress":
                if not any(value.endswith("/0") for value in values):
                    return True
            elif not _HOLDS.fullmatch(operator):
                continue
            elif key in _OWN_ACCOUNT:
                if all(value == account for value in values):
                    return True
            elif key in _ARNS or key.startswith(_CONTEXT):
                if all(_is_of(value, account) for value in values):
                    return True
            elif key in _FENCES and not any(set(value) <= {"*"} for value in values):
                return True
        return False


def _several(values: Any) -> Sequence[Any]:
    return values if isinstance(values, list) else [values]


def _is_of(arn: str, account: str) -> bool:
    """Whether an ARN, with wildcards or without, is of one account; S3's name the bucket and no account."""
    parts = arn.split(":", 5)
    if len(parts) < 6:  # noqa: PLR2004  # arn:partition:service:region:account:resource
        return False
    if parts[2] == "s3" and not parts[4]:
        return not set(parts[5].split("/")[0]) <= {"*"}
    return parts[4] == account


def read(statements: Iterable[Mapping[str, Any]]) -> Sequence[Statement]:
    """The statements, to be asked."""
    return [Statement(content) for content in statements]


def external_principals(
    statements: Iterable[Mapping[str, Any]],
    account: str,
    known: Collection[str] = (),
    trusted: Collection[str] = (),
    deputies: Collection[str] = (),
) -> Sequence[str]:
    """Return one finding for each principal outside the account that a resource's policy allows.

    Args:
        statements: the statements of the resource's policy.
        account: the account that owns the resource.
        known: canonical user ids and accounts that belong to the account, or that AWS uses to deliver data.
        trusted: services that need no condition, because they only act for their own account.
        deputies: services that need a condition on this kind of resource, in addition to those that always need one.
    """
    return [
        finding
        for statement in read(statements)
        if statement.allows and not statement.is_kept_to(account)
        for who in statement.principals
        if (
            finding := _external_principal(
                statement, who, account, {*known}, (DEPUTIES | {*deputies}) - {*trusted}
            )
        )
    ]


def _external_principal(
    statement: Statement, who: tuple[str, str], account: str, known: set[str], deputies: Collection[str]
) -> str:
    kind, name = who
    may = f"expected access for account {account} alone, found that {statement} lets"
    if name == "*":
        return f"{may} any caller do {statement.what}; name the allowed principals, or add a condition such as aws:PrincipalAccount"
    if kind == "Service" and name in deputies:
        return f"{may} {name} do {statement.what} for any account; add a condition on aws:SourceArn or aws:SourceAccount"
    owner = name.split(":")[4] if name.startswith("arn:") else name
    if kind not in ("AWS", "CanonicalUser") or owner in ({account, "cloudfront"} | LOAD_BALANCERS | known):
        return ""
    if kind == "CanonicalUser":
        return f"{may} canonical user {name[:12]}... do {statement.what}, who is not of this account; take it out"
    if not owner.isdigit():
        return f"{may} {name} do {statement.what}, a principal that was deleted; take it out"
    return f"{may} account {owner} do {statement.what}; take it out, or deploy what uses it into this account"


def unlimited(statements: Iterable[Mapping[str, Any]], account: str) -> Iterator[str]:
    """Yield one finding for each statement that allows every action of a service to principals other than the account.

    The account is its root, or all of its principals by a condition. IAM policies then say who may do what.

    Args:
        statements: of the resource's policy.
        account: whose resource it is.
    """
    for statement in read(statements):
        whole = [action for action in statement.actions if not action.rpartition(":")[2].strip("*?")]
        if not statement.allows or not (whole or statement.excluded_actions):
            continue
        others = [
            name
            for kind, name in statement.principals
            if not (kind == "AWS" and _is_the_account(statement, name, account))
        ]
        if others:
            yield (
                f"expected actions by name, found that {statement} lets {', '.join(others)} do "
                f"{', '.join(whole) or statement.what}; list what is needed"
            )


_ADMINISTRATION: Final = (
    *("kms:PutKeyPolicy", "kms:ScheduleKeyDeletion", "kms:DisableKey", "kms:DisableKeyRotation"),
    *("kms:DeleteImportedKeyMaterial", "kms:RevokeGrant"),
)
"""Actions that disable a key or give other principals access to it. A service that encrypts needs none of them."""


def administered(statements: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """What a key's policy lets a service do to the key itself, one finding each; whole services are `unlimited`'s matter."""
    for statement in read(statements):
        services = [name for kind, name in statement.principals if kind == "Service"]
        taken = [
            action
            for action in _ADMINISTRATION
            if any(
                matches(one.lower(), action.lower()) and one.strip("*?")[-1:] != ":"
                for one in statement.actions
            )
        ]
        if statement.allows and services and taken:
            yield (
                f"expected that services only use the key, found that {statement} lets {', '.join(services)} do "
                f"{', '.join(taken)}; take it out"
            )


def _is_the_account(statement: Statement, name: str, account: str) -> bool:
    if name == "*":
        return statement.is_kept_to(account)
    return name == account or (name.startswith("arn:") and name.endswith(f":iam::{account}:root"))


def open_without_tls(
    statements: Iterable[Mapping[str, Any]], wanted: Iterable[tuple[str, str]]
) -> Sequence[str]:
    """Return the actions that a resource's policy does not deny to all requests without TLS.

    Args:
        statements: the statements of the resource's policy.
        wanted: the actions to check, each with the ARN of its resource.
    """
    denials = [each for each in read(statements) if not each.allows and _is_about_plain_http(each)]
    return [
        action
        for action, resource in wanted
        if not any(each.covers(action) and each.is_about(resource) for each in denials)
    ]


def _is_about_plain_http(statement: Statement) -> bool:
    conditions = list(statement.conditions)
    return (
        ("AWS", "*") in statement.principals
        and not statement.excludes_principals
        and len(conditions) == 1
        and conditions[0][0] in ("bool", "boolifexists", "stringequals", "stringlike")
        and conditions[0][1] == "aws:securetransport"
        and [value.lower() for value in conditions[0][2]] == ["false"]
    )
