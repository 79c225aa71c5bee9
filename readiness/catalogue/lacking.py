"""Which calls of a function's code, and of Lambda in its name, its role does not grant."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from readiness.aws.bucket import Bucket
from readiness.aws.function import Function
from readiness.aws.key import Key
from readiness.aws.policy import Statement, matches, read
from readiness.aws.queue import Queue
from readiness.aws.role import Role
from readiness.aws.secret import Secret
from readiness.aws.table import Table
from readiness.aws.topic import Topic
from readiness.discovery.graph import Graph
from readiness.environment import Environment, iam_action
from readiness.errors import Unverified
from readiness.probes.iam_actions import is_known
from readiness.probes.made_calls import Call, Package
from readiness.probes.service_models import model

_SERVICES: Final = frozenset(
    {"dynamodb", "events", "kinesis", "kms", "lambda", "s3", "secretsmanager", "sns", "sqs", "states"}
)
"""Services whose actions are granted on ARNs of the service itself."""
_TRANSACTION: Final[Mapping[str, str]] = {
    "ConditionCheck": "dynamodb:ConditionCheckItem",
    "Delete": "dynamodb:DeleteItem",
    "Put": "dynamodb:PutItem",
    "Update": "dynamodb:UpdateItem",
}
"""The keys of a transaction's items, with what each needs. Source: Amazon DynamoDB Developer Guide, "Using IAM with transactions"."""
_VERSIONED: Final = frozenset({"s3:DeleteObject", "s3:GetObject"})
"""Actions that IAM calls `...Version` where a call names a version."""
_NOT_JUDGED: Final = frozenset({"sts"})
"""Services that are not judged: a trust policy alone can allow a role, and GetCallerIdentity needs no grant."""
_OF_A_SOURCE: Final[Mapping[str, Sequence[str]]] = {
    "dynamodb": ("dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"),
    "kinesis": ("kinesis:GetRecords", "kinesis:GetShardIterator"),
    "sqs": ("sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"),
}
"""What Lambda calls with a function's role to feed it. Source: Lambda Developer Guide, "Configuring permissions" of each source."""
_OF_A_TARGET: Final[Mapping[str, str]] = {
    "events": "events:PutEvents",
    "lambda": "lambda:InvokeFunction",
    "sns": "sns:Publish",
    "sqs": "sqs:SendMessage",
}
"""What Lambda calls with a function's role to hand on an event that failed. Source: Lambda Developer Guide, "Asynchronous
invocation"."""
_LOGS: Final = ("logs:CreateLogStream", "logs:PutLogEvents")
_TRACES: Final = ("xray:PutTraceSegments", "xray:PutTelemetryRecords")
"""Source: Lambda Developer Guide, "Visualize Lambda function invocations using AWS X-Ray", execution role permissions."""
_OF_OBJECTS: Final = ("s3:GetObject", "s3:PutObject", "s3:DeleteObject")
_WITH_POLICIES: Final[Mapping[str, tuple[str, Callable[[Environment, str], Any]]]] = {
    "dynamodb": ("AWS::DynamoDB::Table", Table),
    "kms": ("AWS::KMS::Key", Key),
    "lambda": ("AWS::Lambda::Function", Function),
    "s3": ("AWS::S3::Bucket", Bucket),
    "secretsmanager": ("AWS::SecretsManager::Secret", Secret),
    "sns": ("AWS::SNS::Topic", Topic),
    "sqs": ("AWS::SQS::Queue", Queue),
}
"""What has a policy of its own, which may let a role in."""


def lacking(function: Function, roles: Sequence[Role], graph: Graph) -> Iterator[str]:
    """Calls that a function's code makes for certain, and that no policy grants on any resource.

    Args:
        function: one in Python, whose deployed package is read.
        roles: the function's, and those of other functions with the same code, which may make the call in its stead.
        graph: the stack, whose resources may let the role in themselves.

    Raises:
        Unverified: its code cannot be read; or every call is granted, and a permissions boundary may still keep one out.
    """
    package = Package(function.package, function.handler, function.environment)
    statements = [read(role.statements) for role in roles]
    judged = found = False
    for call in package.calls:
        for alternatives, part in _needed(call):
            judged = True
            if any(_grants(one, action, part) for one in statements for action in alternatives):
                continue
            if _lets_in(graph, roles, alternatives):
                continue
            found = True
            on = f" on {part}" if part else ""
            yield (
                f"expected that the role grants each call, found that {call.place} calls {call.service} {call.operation} and that "
                f"{roles[0].name} lacks {alternatives[0]}{on}; add it to the role, on the resource that is called"
            )
    if judged and not found and any(role.description.get("PermissionsBoundary") for role in roles):
        raise Unverified(
            f"{roles[0]!r} has a permissions boundary, which may forbid what its policies grant; compare the two by hand"
        )


def lacking_for_lambda(function: Function, role: Role, graph: Graph) -> Iterator[str]:
    """Yield the actions that Lambda itself needs of a function's role and that no policy grants.

    Args:
        function: the function, whose logs, traces, event sources and targets of failures are checked.
        role: the function's role.
        graph: the stack. Its resources may allow the role by policies of their own.

    Raises:
        Unverified: all is granted, and a permissions boundary may still keep some of it out.
    """
    statements = read(role.statements)
    yield from ungranted(_of_lambda(function, statements), role, statements, graph, needs="what Lambda needs")


def ungranted(
    needed: Iterable[tuple[str, str, str]],
    role: Role,
    statements: Collection[Statement],
    graph: Graph,
    *,
    needs: str,
) -> Iterator[str]:
    """What is needed for certain, and no policy grants.

    Args:
        needed: actions, the ARN that each is about ('' for any), and what for.
        role: that has to grant them.
        statements: of that role.
        graph: the stack, whose resources may let the role in themselves.
        needs: names all that is needed, in a finding.

    Raises:
        Unverified: all is granted, and a permissions boundary may still keep some of it out.
    """
    found = False
    for action, resource, why in needed:
        granted = _may(statements, action, resource) if resource else _grants(statements, action, "")
        if not granted and not _lets_in(graph, [role], [action]):
            found = True
            on = f" on {resource}" if resource else ""
            yield f"expected that the role grants {needs} {why}, found that {role.name} lacks {action}{on}; add it"
    if not found and role.description.get("PermissionsBoundary"):
        raise Unverified(
            f"{role!r} has a permissions boundary, which may forbid what its policies grant; compare the two by hand"
        )


def _of_lambda(function: Function, statements: Collection[Statement]) -> Iterator[tuple[str, str, str]]:
    """Actions, the ARN that each is about ('' for any), and what for."""
    stream = function.log_stream_arn
    for action in _LOGS:
        if not any(not one.allows and one.covers(action) and _denies_more(one, stream) for one in statements):
            yield action, stream, "to write logs"
    if function.tracing_mode == "Active":
        yield from ((action, "", "for active tracing") for action in _TRACES)
    for mapping in function.event_sources:
        arn = str(mapping.get("EventSourceArn", ""))
        if "/consumer/" not in arn and mapping.get("State") not in ("Disabled", "Disabling"):
            yield from ((action, arn, "to read events") for action in _OF_A_SOURCE.get(_service(arn), ()))
    for arn in function.failure_targets:
        if wanted := _OF_A_TARGET.get(_service(arn)):
            yield wanted, arn, "to hand on what failed"


def _denies_more(denial: Statement, stream: str) -> bool:
    """Return whether a statement denies all logs, and not only those of one log group."""
    return denial.is_about(stream.replace(":log-stream:", "-another:log-stream:"))


def _service(arn: str) -> str:
    """The service of an ARN, '' for what is none."""
    return arn.split(":")[2] if arn.startswith("arn:") else ""


def _may(statements: Collection[Statement], action: str, resource: str) -> bool:
    """Return whether policies allow an action on one resource. A log group includes its streams."""
    group = resource.partition(":log-stream:")[0]
    about = [
        one for one in statements if one.covers(action) and (one.is_about(resource) or one.is_about(group))
    ]
    return any(one.allows for one in about) and all(one.allows or [*one.conditions] for one in about)


def _needed(call: Call) -> Iterator[tuple[Sequence[str], str]]:
    """What a call needs: actions of which one is enough, and the part of a resource that it is about, '' for any."""
    if (service := model(call.service)) is None:
        return
    operation = service.operation_model(call.operation)
    action = iam_action(operation)
    if "smithy.api#noAuth" in (getattr(operation, "auth", None) or ()) or operation.auth_type == "none":
        return
    if action == "dynamodb:TransactWriteItems":
        yield from (([_TRANSACTION[word]], "") for word in sorted(call.words & _TRANSACTION.keys()))
    elif action.partition(":")[0] in _NOT_JUDGED or not is_known(action):
        return
    elif action in _VERSIONED and call.arguments & {"VersionId", "**"}:
        version = f"{action}Version"
        yield ([version] if "VersionId" in call.arguments else [action, version]), "objects"
    elif action.startswith(_OF_OBJECTS):
        yield [action], "objects"
    elif action == "s3:ListBucket":
        yield [action], "a bucket"
    elif action in ("dynamodb:Query", "dynamodb:Scan") and "IndexName" in call.arguments:
        yield [action], "an index"
    else:
        yield [action], ""


def _grants(statements: Collection[Statement], action: str, part: str) -> bool:
    """Whether policies allow an action on at least one resource of its service."""
    denied = [one for one in statements if not one.allows and one.covers(action) and not [*one.conditions]]
    for statement in statements:
        if not statement.allows or not statement.covers(action):
            continue
        if statement.excluded_resources:
            return True
        for resource in statement.resources:
            if _fits(resource, action, part) and not any(_is_denied(each, resource) for each in denied):
                return True
    return False


def _fits(resource: str, action: str, part: str) -> bool:
    """Return whether a pattern of a policy matches the kind of resource of an action."""
    parts = resource.split(":", 5)
    if len(parts) < 6:  # noqa: PLR2004  # arn:partition:service:region:account:resource; `*` or the like
        return "*" in resource
    service = action.partition(":")[0]
    if service in _SERVICES and not matches(parts[2], service):
        return False
    if part == "objects":
        return "/" in parts[5] or "*" in parts[5]
    if part == "a bucket":
        return "/" not in parts[5] or ":accesspoint/" in resource or parts[5].startswith("accesspoint/")
    if part == "an index":
        return "/index/" in parts[5] or parts[5].endswith("*")
    return True


def _is_denied(statement: Statement, resource: str) -> bool:
    """Return whether a statement denies everything that a pattern matches."""
    if excluded := statement.excluded_resources:
        return not any(matches(one, resource) or matches(resource, one) for one in excluded)
    return any(matches(one, resource) for one in statement.resources)


def _lets_in(graph: Graph, roles: Sequence[Role], actions: Collection[str]) -> bool:
    """Whether a resource of the stack lets a role in by a policy of its own, or may do so outside the stack."""
    for action in actions:
        if (kind := _WITH_POLICIES.get(action.partition(":")[0])) is None:
            continue
        type_, resource = kind
        found = graph.of(type_)
        if not found and type_ == "AWS::KMS::Key":  # a key's policy often names who may use it
            return True
        for one in found:
            live = resource(roles[0].env, one.physical_id)
            policy = live.every_permission if isinstance(live, Function) else live.policy_statements
            for statement in read(policy):
                if statement.allows and statement.covers(action) and _names(statement, roles):
                    return True
    return False


def _names(statement: Statement, roles: Sequence[Role]) -> bool:
    """Return whether a statement allows a role by name or as any caller. Only services satisfy a condition on a source."""
    if any(key.startswith("aws:source") for _, key, _ in statement.conditions):
        return False
    sessions = tuple(f":assumed-role/{role.name}/" for role in roles)
    known = {"*"} | {role.arn for role in roles}
    return any(
        kind == "AWS" and (name in known or any(session in name for session in sessions))
        for kind, name in statement.principals
    )
