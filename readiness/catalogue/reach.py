"""Whose resources a role's grants reach, and whether its functions can know them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Self

from readiness.application import Application
from readiness.aws.cloudformation import CloudFormationStack
from readiness.aws.function import Function
from readiness.aws.policy import Statement, matches, read
from readiness.aws.role import Role
from readiness.discovery.graph import Graph, Relation, Resource

_MADE_BY_STACKS: Final = frozenset(
    {"dynamodb", "events", "firehose", "kinesis", "lambda", "s3", "sns", "sqs", "states"}
)
"""Services whose resources a stack creates itself. The name of a foreign resource in a template needs a reason."""
_MADE_ELSEWHERE: Final = frozenset(
    {"cognito-idp", "execute-api", "iam", "kms", "secretsmanager", "ssm", "sts"}
)
"""Services whose resources are often made by hand, or for the whole account: a template may name them."""
_EVERYBODYS: Final = re.compile(
    r"event-bus/default$|parameter/aws/|alias/aws/|rule/StepFunctionsGetEventsFor\w+Rule$"
)
"""What AWS has in every account. Step Functions makes the rules for tasks that wait for a job (`.sync`). Source: AWS Step Functions
Developer Guide, "IAM policies for integrated services"."""
_WITH_NAMES: Final[Mapping[str, str]] = {
    "AWS::DynamoDB::Table": "TableName",
    "AWS::Events::EventBus": "Name",
    "AWS::Kinesis::Stream": "Name",
    "AWS::Lambda::Function": "FunctionName",
    "AWS::S3::Bucket": "BucketName",
    "AWS::SNS::Topic": "TopicName",
    "AWS::SQS::Queue": "QueueName",
    "AWS::SecretsManager::Secret": "Name",
    "AWS::StepFunctions::StateMachine": "StateMachineName",
}
"""Types whose names a function has to get, each with the property that sets a fixed name, which code can contain."""
_STARTS: Final = (Relation.INVOKES, Relation.MAY_INVOKE, Relation.NOTIFIES, Relation.READS_FROM)
_HANDS_OVER: Final = (Relation.DEAD_LETTERS_TO, Relation.NOTIFIES, Relation.READS_FROM)
RELATIONS: Final = frozenset({*_STARTS, *_HANDS_OVER, Relation.USES})
"""Relations that have to be read completely before a finding says that a function does not get a resource's name."""
_LISTS_NAMES: Final = (
    *("ssm:GetParameter", "ssm:GetParameters", "ssm:GetParametersByPath"),
    *("appconfig:GetConfiguration", "appconfig:GetLatestConfiguration"),
    *(
        "cloudformation:DescribeStacks",
        "cloudformation:DescribeStackResources",
        "cloudformation:ListStackResources",
    ),
    *("servicediscovery:DiscoverInstances", "tag:GetResources"),
    *("dynamodb:ListTables", "s3:ListAllMyBuckets", "sns:ListTopics", "sqs:ListQueues"),
)
"""What can tell code the names of resources."""
_BY_TOKEN: Final = frozenset({"states:SendTaskFailure", "states:SendTaskHeartbeat", "states:SendTaskSuccess"})
"""What says in its token which state machine it is about."""
_SHORTEST: Final = 4
"""Fewest characters of a resource's name. A shorter text is a word of an ARN."""
_ANYTHING: Final = r"[^*?]+"
_NOTHING: Final = "(?!)"
_PARTS: Final = 6  # arn:partition:service:region:account:resource


def foreign(
    role: Role, graph: Graph, stack: CloudFormationStack, application: Application, account: str
) -> Iterator[str]:
    """Grants on what neither belongs to the stack nor is declared.

    Args:
        role: its policies are judged, except for AWS's own.
        graph: the stack's resources.
        stack: declares the role.
        application: says what its roles need of others.
        account: the stack's.
    """
    expressions = _Expressions.of(stack)
    for policy in role.own_policies:
        for arn in (one for each in read(policy.statements) if each.allows for one in each.resources):
            parts = arn.split(":", _PARTS - 1)
            if len(parts) < _PARTS or parts[2] not in _MADE_BY_STACKS | _MADE_ELSEWHERE or parts[4] == "aws":
                continue
            here = parts[4] in ("", "*", account)
            if (here and _is_of(graph, arn)) or _EVERYBODYS.search(arn) or application.declares_foreign(arn):
                continue
            if expressions.name(arn, as_text=here and parts[2] in _MADE_ELSEWHERE):
                continue
            yield (
                f"expected resources of the stack, found {arn} in {policy.name}; take the grant out, hand the name over as a "
                "parameter, or declare it in readiness.toml under [[foreign]]"
            )


def _is_of(graph: Graph, arn: str) -> bool:
    if any(one.declared for one in graph.matching(arn)):
        return True
    # Of some types the graph knows no ARN, and some have several, as a state machine's executions.
    parts = set(re.split("[:/]", arn.split(":", _PARTS - 1)[-1]))
    return any(
        one.declared
        and not one.type.endswith("::Stage")
        and len(name := _short(one)) >= _SHORTEST
        and name in parts
        for one in graph.resources
    )


def unreceived(role: Role, functions: Mapping[Resource, Function], graph: Graph) -> Iterator[str]:
    """Grants on resources of the stack whose names the functions do not receive.

    CloudFormation gives a resource a name with a random part, so that code can only know what its environment, its event or
    another resource tells it. Left out are resources that the template names, and roles that may read parameters or lists of
    resources, which tell names.

    Args:
        role: its policies are judged, except for AWS's own.
        functions: every one that has the role.
        graph: the stack's resources and relations.
    """
    statements = [
        (policy.name, one) for policy in role.own_policies for one in read(policy.statements) if one.allows
    ]
    if any(_lists_names(one) for _, one in statements):
        return
    received = "\n".join(function.received for function in functions.values())
    known = {*functions} | {resource for function in functions for resource in _around(function, graph)}
    for name, statement in statements:
        for arn in () if statement.names_only(_BY_TOKEN) else statement.resources:
            found = [one for one in graph.matching(arn) if one.declared]
            if (
                found
                and all(_needs_a_received_name(one) for one in found)
                and not any(one in known or _short(one) in received for one in found)
            ):
                yield (
                    f"expected that the function uses what it may, found that it does not receive the name of {', '.join(map(str, found))}, on "
                    f"which {name} grants {statement.what}; take the grant out, or set a variable"
                )


def _lists_names(statement: Statement) -> bool:
    """Whether it lets code ask for names; one that grants a whole service does not grant it for that."""
    spelt = [action.lower() for action in statement.actions if action.partition(":")[2].strip("*?")]
    return any(matches(one, action.lower()) for one in spelt for action in _LISTS_NAMES)


def _needs_a_received_name(resource: Resource) -> bool:
    return resource.type in _WITH_NAMES and _WITH_NAMES[resource.type] not in resource.properties


def _short(resource: Resource) -> str:
    """The part of a name that is in each way to refer to a resource: name, ARN or URL."""
    return re.split("[:/]", resource.physical_id)[-1]


def _around(function: Resource, graph: Graph) -> set[Resource]:
    """What starts a function, from near or far, what its results go to, and what those use that start it."""
    found: set[Resource] = set()
    waiting: set[Resource] = {function}
    while waiting:
        one = waiting.pop()
        before = {edge.source for edge in graph.to(one, *_STARTS)}
        before |= {edge.target for edge in graph.from_(one, Relation.READS_FROM)}
        waiting |= before - found
        found |= before
    used = {edge.target for one in found - {function} for edge in graph.from_(one, Relation.USES)}
    return found | used | {edge.target for edge in graph.from_(function, *_HANDS_OVER)}


@dataclass(frozen=True)
class _Expressions:
    """What the resources of a template's policies are written as.

    Args:
        given: the values of the stack's parameters.
        declared: the template's resources.
    """

    given: Mapping[str, str]
    declared: Mapping[str, Mapping[str, Any]]

    @classmethod
    def of(cls, stack: CloudFormationStack) -> Self:
        parameters = stack.description.get("Parameters", [])
        given = {one["ParameterKey"]: one.get("ResolvedValue", one["ParameterValue"]) for one in parameters}
        return cls(given, stack.declared)

    @cached_property
    def _all(self) -> Sequence[tuple[re.Pattern[str], bool]]:
        found = [
            self._pattern(expression)
            for statement in read(_statements(self.declared))
            for expression in statement.resource_expressions
        ]
        return [(re.compile(pattern), outside) for pattern, outside in found]

    def name(self, arn: str, *, as_text: bool) -> bool:
        """Whether a policy names it with a part that is given from outside, or, with `as_text`, in any other way."""
        return any(pattern.fullmatch(arn) for pattern, outside in self._all if outside or as_text)

    def _pattern(self, node: Any) -> tuple[str, bool]:
        """Return a pattern of an expression's values, and whether a part of them comes from outside the template.

        References to the stack's own resources match nothing, because the graph has those.
        """
        if isinstance(node, str):
            return (_ANYTHING, True) if "{{resolve:" in node else (re.escape(node), False)
        if not isinstance(node, Mapping) or len(node) != 1:
            return _NOTHING, False
        ((function, argument),) = node.items()
        read_by: Mapping[str, Callable[[Any], tuple[str, bool]]] = {
            "Ref": self._reference,
            "Fn::GetAtt": self._attribute,
            "Fn::Sub": self._substituted,
            "Fn::Join": lambda both: self._joined(re.escape(both[0]), both[1]),
            "Fn::If": lambda three: self._joined("|", three[1:]),
        }
        # Otherwise an import, a mapping, a part of a list.
        return read_by[function](argument) if function in read_by else (_ANYTHING, True)

    def _attribute(self, argument: Any) -> tuple[str, bool]:
        return self._reference((argument.split(".") if isinstance(argument, str) else argument)[0])

    def _reference(self, name: str) -> tuple[str, bool]:
        if name.startswith("AWS::"):
            return "[^:/]*", False
        if (value := self.given.get(name)) is not None:
            hidden = not value.strip("*")
            return (
                _ANYTHING if hidden else "|".join({re.escape(one) for one in (value, *value.split(","))})
            ), True
        kind = str(self.declared.get(name, {}).get("Type", ""))
        return (
            (_ANYTHING, True) if kind.startswith(("Custom::", "AWS::CloudFormation::")) else (_NOTHING, False)
        )

    def _substituted(self, argument: Any) -> tuple[str, bool]:
        text, own = (argument, {}) if isinstance(argument, str) else argument
        parts: list[Any] = []
        for literal, name in re.findall(r"([^$]+|\$(?!\{[^!]))|\$\{([^!}][^}]*)\}", text):
            parts.append(literal or own.get(name, {"Ref": name.split(".")[0]}))
        return self._joined("", parts)

    def _joined(self, separator: str, parts: Any) -> tuple[str, bool]:
        if not isinstance(parts, list):
            return _ANYTHING, True
        found = [self._pattern(one) for one in parts]
        return separator.join(f"(?:{pattern})" for pattern, _ in found), any(outside for _, outside in found)


def _statements(node: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(node, Mapping) and "Effect" in node:
        yield node
    elif isinstance(node, Mapping | list):
        for value in node.values() if isinstance(node, Mapping) else node:
            yield from _statements(value)
