"""What the policies of a role give away beyond need."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from readiness.aws.policy import Statement
from readiness.aws.role import Role
from readiness.discovery.graph import Graph, Resource
from readiness.probes import iam_actions

_GUARDED: Final = frozenset(
    (
        *("cognito-idp", "dynamodb", "events", "execute-api", "firehose", "iam", "kinesis", "kms", "lambda"),
        *("s3", "secretsmanager", "sns", "sqs", "ssm", "states", "sts"),
    )
)
"""The services whose resources hold what an application keeps, or run what it may do. Of others, some name a resource that
an action need not have, so that `*` may be all that one can write."""

_KEEPING_NOTHING: Final = frozenset({"textract", "xray"})
"""Services with hardly a resource: SAM's policy template for one of them grants it as a whole."""

_FORMER: Final = frozenset(f"sqs:{name}messagebatch" for name in ("delete", "send")) | {
    "sqs:changemessagevisibilitybatch"
}
"""Actions that IAM knew once, and that SAM's policy templates still grant."""

_NEVER_CONFINED: Final = frozenset({"sts:getcalleridentity", "sts:getsessiontoken"})

# Conditions that say when, from where or how, and not on what.
_NOT_ABOUT_RESOURCES: Final = re.compile(
    r"aws:(securetransport|sourceip|vpcsourceip|currenttime|epochtime|useragent|referer|requestedregion|multifactor\w+|"
    r"tokenissuetime|viaawsservice|principal\w+)"
)

_ESCALATING: Final[Mapping[str, str]] = {
    "iam:addusertogroup": "group",
    "iam:attachgrouppolicy": "group",
    "iam:attachrolepolicy": "role",
    "iam:attachuserpolicy": "user",
    "iam:createaccesskey": "user",
    "iam:createloginprofile": "user",
    "iam:createpolicyversion": "policy",
    "iam:passrole": "role",
    "iam:putgrouppolicy": "group",
    "iam:putrolepolicy": "role",
    "iam:putuserpolicy": "user",
    "iam:setdefaultpolicyversion": "policy",
    "iam:updateassumerolepolicy": "role",
    "iam:updateloginprofile": "user",
    "lambda:updatefunctioncode": "function",
    "sts:assumerole": "role",
}
"""Actions that give their holder another identity, and on which resource. Source: Rhino Security Labs, "AWS IAM
Privilege Escalation"."""
_ANY_NAME: Final = "whatever-there-is"


def whole_services(role: Role) -> Iterator[str]:
    """Yield the grants of all actions of a service, or of all actions with exceptions.

    Raises:
        Unverified: a policy could not be read. The findings of the other policies are yielded before.
    """
    for policy in role.each_policy():
        for statement in map(Statement, policy.statements):
            if not statement.allows:
                continue
            if statement.excluded_actions:
                yield f"expected actions by name, found {statement.what} in {policy.name}; list what is needed"
            for action in statement.actions:
                service, _, name = action.lower().partition(":")
                if not name.strip("*?") and service not in _KEEPING_NOTHING:
                    yield (
                        f"expected actions by name, found {action} in {policy.name}; "
                        + (
                            "attach a policy that lists what is needed"
                            if policy.is_of_aws
                            else "list what is needed"
                        )
                    )


def open_resources(role: Role) -> Iterator[str]:
    """Yield actions that are granted on every resource, although IAM can confine them.

    Grants of AWS managed policies are left out, because the account cannot narrow them.

    Raises:
        Unverified: a policy or the list of IAM's actions cannot be read. The findings are yielded before.
    """
    for policy in role.each_policy(own=True):
        for statement in map(Statement, policy.statements):
            if not statement.allows or _is_narrowed(statement):
                continue
            wide = [one for one in statement.resources if _is_wide(one)]
            if statement.excluded_resources:
                wide = [statement.where]
            actions = [one for one in statement.actions if _can_be_confined(one)]
            if statement.excluded_actions:
                actions = [statement.what]
            if wide and actions:
                yield (
                    f"expected {', '.join(actions)} on named resources, found {', '.join(wide)} in {policy.name}; "
                    "name the resources that are needed"
                )


def open_ends(role: Role, graph: Graph) -> Iterator[str]:
    """Yield grants on a resource of the stack and on all resources whose names begin with its name.

    Logs are left out, because the ARN of a log group always ends with a wildcard. So is a function that CloudFormation named:
    no other function's name begins with its random end, and SAM's LambdaInvokePolicy grants its aliases and versions so.

    Raises:
        Unverified: a policy could not be read. The findings of the other policies are yielded before.
    """
    for policy in role.each_policy(own=True):
        for statement in map(Statement, policy.statements):
            for resource in statement.resources if statement.allows else ():
                begun = resource.rstrip("*")
                known = graph.by_arn(begun) if begun != resource and ":logs:" not in resource else None
                if known is not None and not _is_named_by_aws(known):
                    yield (
                        f"expected {statement.what} on {known} alone, found {resource} in {policy.name}, which covers every "
                        "resource with this prefix; grant the exact ARN, and its content after a / or :"
                    )


def _is_named_by_aws(resource: Resource) -> bool:
    return resource.type == "AWS::Lambda::Function" and "FunctionName" not in resource.properties


def escalations(role: Role, partition: str, account: str) -> Iterator[str]:
    """Yield grants by which the role's holder can give itself more permissions.

    Raises:
        Unverified: a policy could not be read. The findings of the other policies are yielded before.
    """
    for policy in role.each_policy():
        for statement in map(Statement, policy.statements):
            passes_to_one_service = statement.required("iam:PassedToService") is not None
            if not statement.allows or (
                _is_narrowed(statement) and (policy.is_of_aws or not passes_to_one_service)
            ):
                continue
            taken = [
                action
                for action, kind in _ESCALATING.items()
                if statement.covers(action) and statement.is_about(_any(kind, partition, account))
            ]
            if taken:
                yield (
                    f"expected no way to more rights, found {', '.join(taken)} on every resource in {policy.name}; "
                    "name the resource that the role needs, or remove the action"
                )


def unknown_actions(role: Role) -> Iterator[str]:
    """Yield actions that IAM does not know, in policies that AWS does not manage.

    Raises:
        Unverified: a policy or the list of IAM's actions cannot be read. The findings are yielded before.
    """
    for policy in role.each_policy(own=True):
        for statement in map(Statement, policy.statements):
            for action in statement.named_actions:
                known = set(action) == {"*"} or action.lower() in _FORMER or iam_actions.is_known(action)
                if not known:
                    yield f"expected actions that exist, found {action} in {policy.name}; correct its spelling"


def _any(kind: str, partition: str, account: str) -> str:
    """The ARN of something that no policy names."""
    if kind == "function":
        return f"arn:{partition}:lambda:us-east-1:{account}:function:{_ANY_NAME}"
    return f"arn:{partition}:iam::{account}:{kind}/{_ANY_NAME}"


def _is_narrowed(statement: Statement) -> bool:
    return any(not _NOT_ABOUT_RESOURCES.fullmatch(key) for _, key, _ in statement.conditions)


def _is_wide(resource: str) -> bool:
    """Return whether a pattern matches all resources of a kind, in one account or in every account."""
    if set(resource) <= {"*"}:
        return True
    parts = resource.split(":", 5)
    if len(parts) < 6:  # noqa: PLR2004  # arn:partition:service:region:account:resource
        return False
    name = re.sub(r"^(?:table|secret|parameter|function|key|role|user|policy|stateMachine)[:/]", "", parts[5])
    return not set(name) - set("*/:")


def _can_be_confined(action: str) -> bool:
    service, _, name = action.lower().partition(":")
    if service not in _GUARDED or action.lower() in _NEVER_CONFINED:
        return False
    if not name.strip("*?"):
        return True
    meant = iam_actions.meant_by(action)
    return any(iam_actions.resource_types(one) for one in meant)
