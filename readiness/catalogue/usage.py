"""Which grants of a role the code of its functions has no use for."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Final

from readiness.aws.function import Function
from readiness.aws.policy import Statement
from readiness.aws.role import Role
from readiness.errors import Unverified
from readiness.probes import resource_methods
from readiness.probes.called_actions import OF_A_QUEUES_READER, OF_EVERY_FUNCTION, Code
from readiness.probes.iam_actions import meant_by

OF_A_STREAMS_READER: Final = frozenset(
    {
        *("dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"),
        *("dynamodb:ListStreams", "kinesis:DescribeStream", "kinesis:DescribeStreamSummary"),
        *("kinesis:GetRecords", "kinesis:GetShardIterator", "kinesis:ListShards", "kinesis:ListStreams"),
        *("kinesis:SubscribeToShard", "sqs:SendMessage", "sns:Publish"),
    }
)
"""What Lambda calls for a function that a stream feeds, its destination for failures included. Source: the managed policies
AWSLambdaDynamoDBExecutionRole and AWSLambdaKinesisExecutionRole."""

# Granted for what others do in the function's name, or called in words that no method has. Source: Service Authorization
# Reference; for s3:ListBucket, S3 API Reference, "GetObject": without it an absent key is reported as forbidden.
_INDIRECT: Final = re.compile(
    r"(kms|logs|xray|ec2|lakeformation|execute-api|es|aoss|appsync|rds-db|kafka-cluster|elasticfilesystem|bedrock|ssmmessages|appconfig):.*|"
    r"dynamodb:partiql.*|dynamodb:conditioncheckitem|iam:passrole|lambda:invokefunctionurl|s3:listbucket|s3:.*multipart.*",
)
_READS: Final = re.compile(r"(get|list|describe|batchget|query|scan|head|select|receive|conditioncheck|view)")
_ADMINISTERS: Final = re.compile(
    r"(create|delete|purge|update|put|set|restore|import)"
    r"(table|queue|queueattributes|bucket|bucketpolicy|topic|topicattributes|function|functioncode|secret|role|rolepolicy|"
    r"resourcepolicy|secretvalue|statemachine|user|policy|rule)"
)
_ON_BEHALF: Final[Mapping[str, frozenset[str]]] = {
    "athena": frozenset({"glue", "lakeformation", "s3"}),
    **dict.fromkeys(
        (
            *("bedrock", "comprehend", "forecast", "medialive", "personalize", "polly", "rekognition"),
            *("sagemaker", "textract", "transcribe", "translate"),
        ),
        frozenset({"s3"}),
    ),
    **dict.fromkeys(("rds-data", "redshift-data"), frozenset({"redshift", "secretsmanager"})),
}
"""Services that use others with the caller's own rights, such as Rekognition for an image in S3. Source: each service's guide."""

_DEPLOYING: Final = frozenset(
    f"cloudformation:{name}" for name in ("createstack", "executechangeset", "updatestack")
)
_SPLIT: Final = frozenset({"dynamodb", "s3"})
"""The services for which SAM has a policy template that only reads and one that only writes."""
# DynamoDB's resources have methods of the same names as its client's.
_BY_RESOURCES: Final = re.compile(
    rb"""resource\(\s*["'](s3|sqs|sns|cloudformation|cloudwatch|iam|glacier)["']"""
)
# What else calls an action, beside what the probe knows. Source: Service Authorization Reference; boto3's documentation.
_OTHER_METHODS: Final[Mapping[str, re.Pattern[bytes]]] = {
    action: re.compile(methods)
    for action, methods in {
        "dynamodb:batchgetitem": rb"batch_get_item",
        "dynamodb:batchwriteitem": rb"batch_writer",
        "kinesis:putrecord": rb"put_records",
        "lambda:invokefunction": rb"\binvoke\b|invoke_async",
        "s3:deleteobject": rb"delete_objects",
        "s3:getencryptionconfiguration": rb"get_bucket_encryption",
        "s3:getlifecycleconfiguration": rb"get_bucket_lifecycle",
        "s3:getobject": rb"copy_object|\bcopy\b|select_object_content|get_object",
        "s3:getobjectversion": rb"VersionId",
        "s3:listallmybuckets": rb"list_buckets",
        "s3:listbucketversions": rb"list_object_versions",
        "s3:putbucketnotification": rb"put_bucket_notification",
        "s3:putlifecycleconfiguration": rb"put_bucket_lifecycle",
        "s3:putobject": rb"copy_object|\bcopy\b|presigned_post",
        "ses:sendemail": rb"send_\w*email",
        "ses:sendrawemail": rb"send_\w*email",
        "sns:publish": rb"publish_batch",
        "sqs:changemessagevisibility": rb"change_message_visibility",
    }.items()
}
# How JavaScript calls DynamoDB by documents: a command of version 3, a method of version 2. Source: AWS SDK for JavaScript,
# `@aws-sdk/lib-dynamodb` and `AWS.DynamoDB.DocumentClient`.
_OF_DOCUMENTS: Final[Mapping[str, re.Pattern[bytes]]] = {
    f"dynamodb:{action}": re.compile(rb"(?<![a-z])%s(command\b|\s*\()" % call)
    for action, call in {
        "batchgetitem": b"batchget",
        "batchwriteitem": b"batchwrite",
        "deleteitem": b"delete",
        "getitem": b"get",
        "putitem": b"put",
        "updateitem": b"update",
    }.items()
}
_DOCUMENTS: Final = re.compile(rb"lib-dynamodb|documentclient")
_DELIVERING: Final[Mapping[str, str]] = {
    "events": "events:PutEvents",
    "lambda": "lambda:InvokeFunction",
    "s3": "s3:PutObject",
    "sns": "sns:Publish",
    "sqs": "sqs:SendMessage",
}


def unused(role: Role, functions: Sequence[Function], folder: Path) -> Iterator[str]:
    """Grants that none of the role's functions has a use for.

    A policy is judged service by service, for SAM's policy templates and CDK's grants give a whole set: the set is in use where
    one of its actions is called. Reads and writes are sets of their own where SAM has a template for each, and what changes the
    resource itself is judged action by action.

    Args:
        role: its policies are judged, except for AWS's own.
        functions: every one that has the role.
        folder: takes the packages.

    Raises:
        Unverified: no grant is seen to be without use, and some code cannot be read.
    """
    calls = [Calls(function, folder) for function in functions]
    doubts: list[Unverified] = []
    found = False
    granted = {
        policy.name: [
            action for one in map(Statement, policy.statements) if one.allows for action in one.actions
        ]
        for policy in role.own_policies
    }
    every = {action.lower() for actions in granted.values() for action in actions}
    if every & _DEPLOYING:
        raise Unverified(
            f"{role!r} may deploy stacks, and CloudFormation creates every resource of a template with the role's permissions; "
            "compare the role with the templates by hand"
        )
    services = {action.partition(":")[0] for action in every}
    lent = {service for one in services for service in _ON_BEHALF.get(one, ())}
    for name, actions in granted.items():
        for group in _groups([one for one in actions if one.lower().partition(":")[0] not in lent]):
            try:
                used = _is_called(group, calls)
            except Unverified as doubt:
                doubts.append(doubt)
                continue
            if not used:
                found = True
                yield (
                    f"expected grants that the code uses, found that it never calls {', '.join(group)} of {name}; "
                    "grant only the actions that it calls"
                )
    if doubts and not found:
        raise doubts[0]


def _is_called(actions: Sequence[str], calls: Iterable[Calls]) -> bool:
    """Whether one of several functions calls one of these actions."""
    doubt: Unverified | None = None
    for one in calls:
        try:
            if one.any_of(actions):
                return True
        except Unverified as problem:
            doubt = problem
    if doubt:
        raise doubt
    return False


def _groups(actions: Collection[str]) -> Sequence[Sequence[str]]:
    found: dict[tuple[str, str], list[str]] = {}
    for action in actions:
        service, _, name = action.lower().partition(":")
        if not name.strip("*?") or _INDIRECT.fullmatch(action.lower()):
            continue
        kind = "uses"
        if _ADMINISTERS.fullmatch(name):
            kind = name
        elif service in _SPLIT:
            kind = "reads" if _READS.match(name) else "writes"
        found.setdefault((service, kind), []).append(action)
    return list(found.values())


@dataclass(frozen=True)
class Calls:
    """What one function calls, by its deployed package."""

    function: Function
    folder: Path = field(repr=False)

    def any_of(self, actions: Sequence[str]) -> bool:
        """Whether one of these actions is called, by the code or by Lambda in its name.

        Raises:
            Unverified: none is seen to be called, and the code cannot be read to the end.
        """
        wanted = {one for action in actions for one in meant_by(action) or [action.lower()]}
        if wanted & {action.lower() for action in self._served}:
            return True
        methods = [_OTHER_METHODS[action] for action in wanted & _OTHER_METHODS.keys()]
        if any(method.search(content) for method in methods for content in self._own):
            return True
        if not self.function.configuration.get("Runtime", "").startswith("python"):
            return self._names_one_of(wanted)
        if self._reaches_one_of(actions, wanted, self.function.package, self._code):
            return True
        if not self.function.configuration.get("Layers"):
            return False
        return self._reaches_one_of(actions, wanted, self._with_layers, self._code_with_layers)

    def _reaches_one_of(
        self, actions: Sequence[str], wanted: Collection[str], files: Mapping[str, bytes], code: Code
    ) -> bool:
        if len(code.uncalled(actions, self.function.handler, self._served)) < len(actions):
            return True
        return _calls_by_resources(wanted, files)

    def _names_one_of(self, actions: Collection[str]) -> bool:
        """Whether the text of code that is not read as Python names an action; it may call one that it does not name."""
        names = {action.partition(":")[2].encode() for action in actions}
        own = [content.lower() for content in self._own]
        if any(name in content for name in names for content in own):
            return True
        calls = [_OF_DOCUMENTS[action] for action in actions if action in _OF_DOCUMENTS]
        if any(call.search(content) for content in own if _DOCUMENTS.search(content) for call in calls):
            return True
        raise Unverified(
            f"{self.function!r} is not written in Python, and does not name {', '.join(sorted(actions))}; compare the role with "
            "the code by hand"
        )

    @cached_property
    def _own(self) -> Sequence[bytes]:
        """The package's files."""
        return _without_clients(self.function.package)

    @cached_property
    def _served(self) -> set[str]:
        """What Lambda itself calls in the function's name."""
        served = {*OF_EVERY_FUNCTION}
        # A mapping to an alias is not listed with the function.
        if self.function.event_sources or any(b"Records" in content for content in self._own):
            served |= OF_A_QUEUES_READER | OF_A_STREAMS_READER
        if self.function.configuration.get("DeadLetterConfig", {}).get("TargetArn"):
            served |= {"sqs:SendMessage", "sns:Publish"}
        return served | {_DELIVERING[one] for one in self._destinations if one in _DELIVERING}

    @property
    def _destinations(self) -> set[str]:
        """The services that Lambda delivers the results of asynchronous invocations to."""
        client = self.function.env.client("lambda")
        pages = client.get_paginator("list_function_event_invoke_configs")
        configured = [
            config.get("DestinationConfig", {})
            for page in pages.paginate(FunctionName=self.function.name)
            for config in page["FunctionEventInvokeConfigs"]
        ]
        arns = [
            destination.get("Destination", "")
            for config in configured
            for destination in (config.get("OnSuccess", {}), config.get("OnFailure", {}))
        ]
        return {arn.split(":")[2] for arn in arns if arn}

    @cached_property
    def _with_layers(self) -> Mapping[str, bytes]:
        """The files of its layers, and those of the package, which replace them."""
        return {**self.function.layer_files, **self.function.package}

    @cached_property
    def _code(self) -> Code:
        return Code(self._unpacked(self.function.package, "package"))

    @cached_property
    def _code_with_layers(self) -> Code:
        return Code(self._unpacked(self._with_layers, "with-layers"))

    def _unpacked(self, files: Mapping[str, bytes], folder: str) -> Path:
        place = self.folder / self.function.name / folder
        for name, content in files.items():
            file = place / name
            if name.endswith(".py") and place.resolve() in file.resolve().parents:
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(content)
        return place


def _calls_by_resources(actions: Collection[str], files: Mapping[str, bytes]) -> bool:
    """Whether code may call one of these actions by boto3's resources, whose methods have names of their own."""
    own = _without_clients(files)
    services = {found.decode() for content in own for found in _BY_RESOURCES.findall(content)}
    names = {
        name
        for service in services
        for action, needed_by in resource_methods.methods(service).items()
        if action in actions
        for name in needed_by
    }
    called = [re.compile(rb"\.%s\b" % name.encode()) for name in names]
    return any(method.search(content) for method in called for content in own)


def _without_clients(files: Mapping[str, bytes]) -> Sequence[bytes]:
    """The files' contents, without AWS's clients, which name every action."""
    clients = {"boto3", "botocore", "@aws-sdk", "aws-sdk"}
    return [content for name, content in files.items() if not {*PurePosixPath(name).parts} & clients]
