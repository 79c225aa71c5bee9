"""AWS::Lambda::Function."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import random
import re
import time
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from http import HTTPStatus
from itertools import islice
from typing import TYPE_CHECKING, Any

import requests

from readiness import budgets, hindrance
from readiness.aws.invocation import Invocation
from readiness.aws.policy import statements_of
from readiness.environment import Environment
from readiness.errors import Denied, Missing, Unverified
from readiness.interruptions import held_back
from readiness.progress import waiting

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

_FRESH = "cold start, measured by stack-readiness"
"""What describes a version that is there to be started and deleted."""
_IN_LAYER = re.compile(r"^python/(lib/python[\d.]+/site-packages/)?")


@dataclass(frozen=True)
class Function:
    """A deployed function."""

    env: Environment = field(repr=False)
    name: str

    @property
    def _client(self) -> LambdaClient:
        return self.env.client("lambda")

    @cached_property
    def configuration(self) -> Mapping[str, Any]:
        return dict(self._client.get_function_configuration(FunctionName=self.name))

    @property
    def arn(self) -> str:
        return str(self.configuration["FunctionArn"])

    @property
    def timeout(self) -> timedelta:
        return timedelta(seconds=self.configuration["Timeout"])

    @property
    def memory_mb(self) -> int:
        return int(self.configuration["MemorySize"])

    @property
    def is_image(self) -> bool:
        """Whether it runs from a container image, which brings its own runtime."""
        return bool(self.configuration.get("PackageType") == "Image")

    @property
    def state(self) -> str:
        """Active, Pending, Inactive or Failed; '' where Lambda does not report it."""
        return str(self.configuration.get("State", ""))

    @property
    def last_update_status(self) -> str:
        """Successful, InProgress or Failed; '' where Lambda does not report it."""
        return str(self.configuration.get("LastUpdateStatus", ""))

    @property
    def runtime(self) -> str:
        return str(self.configuration["Runtime"])

    @property
    def role_name(self) -> str:
        return str(self.configuration["Role"]).rpartition("/")[2]

    @property
    def tracing_mode(self) -> str:
        return str(self.configuration.get("TracingConfig", {}).get("Mode", "PassThrough"))

    @property
    def environment(self) -> Mapping[str, str]:
        """Environment variables by name.

        Raises:
            Denied: they are encrypted with a key that the verifier may not use; Lambda answers 200 all the same.
        """
        settings = self.configuration.get("Environment", {})
        if "Error" in settings:
            raise Denied("kms:Decrypt", settings["Error"].get("Message", f"environment of {self.name}"))
        return dict(settings.get("Variables", {}))

    @cached_property
    def package(self) -> Mapping[str, bytes]:
        """Files of the deployed package by their path in it.

        Raises:
            Unverified: it cannot be had, is no zip, or is not what `CodeSha256` is about.
        """
        address = self._client.get_function(FunctionName=self.name)["Code"].get("Location")
        if not address:
            raise Unverified(f"{self!r} has no package to download; only zip packages can be compared")
        # Not by its address, which is signed again each time.
        request = {"function": self.name}
        files = self.env.exchanges.call(
            "package", request, lambda: self._download("the package", address, self.code_sha256)
        )
        return dict(files)

    @cached_property
    def layer_files(self) -> Mapping[str, bytes]:
        """Files of its layers, by their path where Python looks for modules; a later layer replaces files of an earlier one.

        Raises:
            Unverified: a layer cannot be downloaded.
        """
        found: dict[str, bytes] = {}
        for layer in self.configuration.get("Layers") or []:
            found |= {_IN_LAYER.sub("", path): content for path, content in self._layer(layer["Arn"]).items()}
        return found

    def _layer(self, arn: str) -> Mapping[str, bytes]:
        content = self._client.get_layer_version_by_arn(Arn=arn)["Content"]
        address = content.get("Location")
        if not address:
            raise Unverified(f"the layer {arn} of {self!r} cannot be downloaded; compare it by hand")
        files = self.env.exchanges.call(
            "package", {"layer": arn}, lambda: self._download("the layer", address, content["CodeSha256"])
        )
        return dict(files)

    def _download(self, what: str, address: str, sha256: str) -> Mapping[str, bytes]:
        try:
            answer = requests.get(address, timeout=30, verify=self.env.ca_bundle or True)
        except requests.RequestException as problem:
            raise Unverified(
                f"{what} of {self!r} could not be downloaded: {type(problem).__name__}"
            ) from problem
        digest = base64.b64encode(hashlib.sha256(answer.content).digest()).decode()
        if answer.status_code != HTTPStatus.OK or digest != sha256:
            raise Unverified(
                f"the download of {self!r} ({answer.status_code}) is not {what} that runs; run again"
            )
        try:
            with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
                return {name: archive.read(name) for name in archive.namelist() if not name.endswith("/")}
        except zipfile.BadZipFile as problem:
            raise Unverified(f"{what} of {self!r} is no zip: {problem}") from problem

    @property
    def code_sha256(self) -> str:
        return str(self.configuration["CodeSha256"])

    @property
    def log_group_name(self) -> str:
        return str(self.configuration.get("LoggingConfig", {}).get("LogGroup") or f"/aws/lambda/{self.name}")

    @property
    def log_stream_arn(self) -> str:
        """A stream that it could write to."""
        where = ":".join([*self.arn.split(":")[:2], "logs", *self.arn.split(":")[3:5]])
        return f"{where}:log-group:{self.log_group_name}:log-stream:any"

    def invoke(self, event: Mapping[str, Any], patience: timedelta = budgets.API_TIMEOUT_LIMIT) -> Any:
        """What the function returns for an event, called once and waited for.

        Raises:
            Unverified: the function failed instead of returning.
        """
        return self._invoke(event, patience, {})[0]

    def report(self, event: Mapping[str, Any], qualifier: str = "$LATEST") -> Invocation:
        """What Lambda reports of one call with an event, of one version of the function.

        Raises:
            Unverified: the function failed, or Lambda reported nothing that can be read.
        """
        wanted = {"LogType": "Tail", "Qualifier": qualifier}
        before = self._hindrance()
        _, answer = self._invoke(event, budgets.API_TIMEOUT_LIMIT, wanted)
        hindered = max(self._hindrance() - before, timedelta())  # what has ended meanwhile is not counted
        # The log's last 4 KB may begin within a character.
        log = base64.b64decode(answer.get("LogResult", "")).decode("utf-8", "replace")
        return replace(Invocation.reported_in(log), hindered=hindered)

    def _hindrance(self) -> timedelta:
        server = self.env.server
        waited = self.env.exchanges.call(
            "hindrance", {}, lambda: hindrance.waited(server).total_seconds() if server else 0.0
        )
        return timedelta(seconds=waited)

    def _invoke(
        self, event: Mapping[str, Any], patience: timedelta, options: Mapping[str, Any]
    ) -> tuple[Any, Mapping[str, Any]]:
        client = self.env.client("lambda", read_timeout=patience.total_seconds(), attempts=1)
        answer = client.invoke(FunctionName=self.name, Payload=json.dumps(event).encode(), **options)
        content = json.loads(answer["Payload"].read() or "null")
        if failure := answer.get("FunctionError"):
            kind = content.get("errorType") if isinstance(content, dict) else content
            raise Unverified(f"{self!r} returned nothing: {failure} {kind}; read its log")
        return content, answer

    @contextmanager
    def fresh_version(self) -> Iterator[str]:
        """A version that has no execution environment yet, for as long as the context lasts.

        The live function keeps its settings and its warm environments. Lambda makes no second version of the same
        code and configuration ("PublishVersion" of the API reference), so one that stood before is no fresh one,
        unless a run that was killed, or denied the deletion, has left it.

        Raises:
            Unverified: this code and configuration had been published before.
        """
        version = ""
        try:
            with held_back():
                version = self._publish()
            waiter = self._client.get_waiter("published_version_active")
            waiter.wait(
                FunctionName=self.name, Qualifier=version, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
            )
            yield version
        finally:
            with held_back():
                if version:
                    self._client.delete_function(FunctionName=self.name, Qualifier=version)

    def _publish(self) -> str:
        before = self.forget_fresh_versions()
        published = self._client.publish_version(FunctionName=self.name, Description=_FRESH)
        version = str(published["Version"])
        if version in before:
            raise Unverified(
                f"{self!r} is published as version {version} already, so no fresh environment can be had; "
                "delete that version, or publish by an alias from another function"
            )
        return version

    def forget_fresh_versions(self) -> set[str]:
        """Delete what interrupted measurements left, and give back the versions that stay."""
        pages = self._client.get_paginator("list_versions_by_function").paginate(FunctionName=self.name)
        found = {entry["Version"]: entry.get("Description") for page in pages for entry in page["Versions"]}
        left = {name for name, description in found.items() if description == _FRESH}
        for name in left:
            self._client.delete_function(FunctionName=self.name, Qualifier=name)
        return found.keys() - left

    @waiting("cold starts of a function")
    def cold_starts(self, event: Mapping[str, Any], count: int) -> Sequence[Invocation]:
        """First invocations, each in an execution environment of its own.

        Raises:
            Unverified: an invocation was none of a fresh environment.
        """
        starts = []
        for _ in range(count):
            with self.fresh_version() as version:
                starts.append(self.report(event, version))
        if warm := [start for start in starts if not start.cold]:
            raise Unverified(f"{self!r}: {len(warm)} of {count} first invocations report no init: {warm[0]}")
        return starts

    def warm_invocations(self, event: Mapping[str, Any], count: int) -> Sequence[Invocation]:
        """Invocations of the live function that found an environment ready; at most twice as many are tried."""
        reports = (self.report(event) for _ in range(2 * count))
        return list(islice((one for one in reports if not one.cold), count))

    def fail(self, event: Mapping[str, Any]) -> None:
        """Invoke the function with an event that it has to fail on.

        Raises:
            Unverified: it did not.
        """
        client = self.env.client("lambda", attempts=1)
        answer = client.invoke(FunctionName=self.name, Payload=json.dumps(event).encode())
        if not answer.get("FunctionError"):
            raise Unverified(f"{self!r} does not fail on {event}, so no error can be forced")

    def errors(self, since: datetime) -> float:
        """How many invocations CloudWatch counts as failed, from a while before that moment until now."""
        answer = self.env.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/Lambda",
            MetricName="Errors",
            Dimensions=[{"Name": "FunctionName", "Value": self.name}],
            StartTime=since.replace(second=0, microsecond=0) - budgets.CLOCK_SKEW,
            EndTime=datetime.now(UTC) + budgets.CLOCK_SKEW,
            Period=60,
            Statistics=["Sum"],
        )
        return float(sum(point["Sum"] for point in answer["Datapoints"]))

    @waiting("CloudWatch to count errors")
    def wait_for_errors(self, count: float, since: datetime, deadline: timedelta) -> None:
        """Wait until CloudWatch counts that many.

        Raises:
            Unverified: it does not.
        """
        started = time.monotonic()
        while (counted := self.errors(since)) < count:
            if (waited := time.monotonic() - started) > self.env.patience(deadline).total_seconds():
                raise Unverified(
                    f"CloudWatch counts {counted:g} of {count:g} errors of {self!r} after {waited:.0f} s"
                )
            time.sleep(random.uniform(0.5, 1.5))  # noqa: S311  # jitter, not a secret

    @cached_property
    def reserved_concurrency(self) -> int | None:
        """Executions kept for this function, None when it shares the account's pool."""
        answer = self._client.get_function_concurrency(FunctionName=self.name)
        reserved: int | None = answer.get("ReservedConcurrentExecutions")
        return reserved

    @cached_property
    def permissions(self) -> Sequence[Mapping[str, Any]]:
        """Statements of the resource policy: who may invoke the function."""
        name = self.configuration["FunctionName"]  # for Lambda says Missing of either, function or policy
        try:
            policy = self._client.get_policy(FunctionName=name)["Policy"]
        except Missing:
            return []
        return statements_of(policy)

    @cached_property
    def aliases(self) -> Sequence[str]:
        pages = self._client.get_paginator("list_aliases").paginate(FunctionName=self.name)
        return [entry["Name"] for page in pages for entry in page["Aliases"]]

    @cached_property
    def versions(self) -> Sequence[str]:
        """The published ones, by number."""
        pages = self._client.get_paginator("list_versions_by_function").paginate(FunctionName=self.name)
        return [
            entry["Version"] for page in pages for entry in page["Versions"] if entry["Version"] != "$LATEST"
        ]

    @cached_property
    def permissions_of_qualifiers(self) -> Mapping[str, Sequence[Mapping[str, Any]]]:
        """Statements of the resource policies that an alias or a version has of its own."""
        found = {}
        for qualifier in (*self.aliases, *self.versions):
            try:
                answer = self._client.get_policy(FunctionName=self.name, Qualifier=qualifier)
            except Missing:
                continue
            found[qualifier] = statements_of(answer["Policy"])
        return found

    @property
    def every_permission(self) -> Sequence[Mapping[str, Any]]:
        """Statements of the function's own resource policy, and of those of its aliases and versions."""
        own = (self.permissions, *self.permissions_of_qualifiers.values())
        return [statement for statements in own for statement in statements]

    @property
    def received(self) -> str:
        """The parts of its configuration that give it names of resources, or that make Lambda use a resource for it."""
        sources = [mapping.get("EventSourceArn", "") for mapping in self.event_sources]
        return "\n".join([*self.environment.values(), self.log_group_name, *sources, *self.failure_targets])

    @cached_property
    def failure_targets(self) -> Sequence[str]:
        """ARNs of what gets the events of asynchronous invocations that failed."""
        pages = self._client.get_paginator("list_function_event_invoke_configs")
        targets = [
            config.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")
            for page in pages.paginate(FunctionName=self.name)
            for config in page["FunctionEventInvokeConfigs"]
        ]
        targets.append(self.configuration.get("DeadLetterConfig", {}).get("TargetArn"))
        return [target for target in targets if target]

    @cached_property
    def urls(self) -> Sequence[str]:
        """Function URLs, which callers can use without the API."""
        pages = self._client.get_paginator("list_function_url_configs").paginate(FunctionName=self.name)
        return [entry["FunctionUrl"] for page in pages for entry in page["FunctionUrlConfigs"]]

    @property
    def handler(self) -> str:
        """What Lambda calls, as `package.module.function`."""
        return str(self.configuration["Handler"])

    @cached_property
    def event_sources(self) -> Sequence[Mapping[str, Any]]:
        """What polls events for the function."""
        pages = self._client.get_paginator("list_event_source_mappings").paginate(FunctionName=self.name)
        return [mapping for page in pages for mapping in page["EventSourceMappings"]]
