"""AWS::Lambda::Function."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from typing import Any

from verification import budgets
from verification.environment import Environment
from verification.errors import Denied, Missing, Unverified


@dataclass(frozen=True)
class Function:
    """A deployed function."""

    env: Environment = field(repr=False)
    name: str

    @cached_property
    def _client(self) -> Any:
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

    @property
    def log_group_name(self) -> str:
        return str(self.configuration.get("LoggingConfig", {}).get("LogGroup") or f"/aws/lambda/{self.name}")

    def invoke(self, event: Mapping[str, Any], patience: timedelta = budgets.API_TIMEOUT_LIMIT) -> Any:
        """What the function returns for an event, called once and waited for.

        Raises:
            Unverified: the function failed instead of returning.
        """
        client = self.env.client("lambda", read_timeout=patience.total_seconds(), attempts=1)
        answer = client.invoke(FunctionName=self.name, Payload=json.dumps(event).encode())
        content = json.loads(answer["Payload"].read() or "null")
        if "FunctionError" in answer:
            kind = content.get("errorType") if isinstance(content, dict) else content
            raise Unverified(f"{self!r} returned nothing: {answer['FunctionError']} {kind}; read its log")
        return content

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
        return list(json.loads(policy)["Statement"])

    @cached_property
    def urls(self) -> Sequence[str]:
        """Addresses of its own, which anybody can call past the API."""
        pages = self._client.get_paginator("list_function_url_configs").paginate(FunctionName=self.name)
        return [entry["FunctionUrl"] for page in pages for entry in page["FunctionUrlConfigs"]]

    @cached_property
    def event_sources(self) -> Sequence[Mapping[str, Any]]:
        """What polls events for the function."""
        pages = self._client.get_paginator("list_event_source_mappings").paginate(FunctionName=self.name)
        return [mapping for page in pages for mapping in page["EventSourceMappings"]]
