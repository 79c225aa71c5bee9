"""Stacks for the tests of the overlays."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator
from typing import Any

import requests
from botocore.exceptions import ClientError

from tests.embedded.conftest import Running, unique

POLL_SECONDS = 0.1
CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]


class Stack:
    """One stack of a running cloud."""

    def __init__(self, cloud: Running, template: dict[str, Any] | str) -> None:
        self.cloud = cloud
        self.name = unique("stack")
        self.outputs: dict[str, str] = {}
        self._session = requests.Session()
        self._formation = cloud.client("cloudformation")
        self._formation.create_stack(**self._request(template))
        assert self.settle() == "CREATE_COMPLETE", self.reasons()

    def _request(self, template: dict[str, Any] | str) -> dict[str, Any]:
        body = template if isinstance(template, str) else json.dumps(template)
        return {"StackName": self.name, "TemplateBody": body, "Capabilities": CAPABILITIES}

    def update(self, template: dict[str, Any] | str) -> str:
        """Update the stack and return its final status."""
        self._formation.update_stack(**self._request(template))
        return self.settle()

    def delete(self) -> str:
        """Delete the stack and return its final status."""
        self._formation.delete_stack(StackName=self.name)
        return self.settle()

    def settle(self) -> str:
        """Wait until nothing is in progress; return the status."""
        while True:
            try:
                stack = self._formation.describe_stacks(StackName=self.name)["Stacks"][0]
            except ClientError:
                return "DELETE_COMPLETE"
            if not stack["StackStatus"].endswith("_IN_PROGRESS"):
                self.outputs = {one["OutputKey"]: one["OutputValue"] for one in stack.get("Outputs", [])}
                return str(stack["StackStatus"])
            time.sleep(POLL_SECONDS)

    def reasons(self) -> list[str]:
        """Return why resources failed."""
        events = self._formation.describe_stack_events(StackName=self.name)["StackEvents"]
        failed = [one for one in events if "FAILED" in one["ResourceStatus"]]
        return [f"{one['LogicalResourceId']}: {one.get('ResourceStatusReason')}" for one in failed]

    def id_of(self, logical_id: str) -> str:
        """Return the physical id of a resource."""
        answer = self._formation.describe_stack_resource(StackName=self.name, LogicalResourceId=logical_id)
        return str(answer["StackResourceDetail"]["PhysicalResourceId"])

    def ask(self, method: str, url: str, **options: Any) -> requests.Response:
        """Send one request that trusts the cloud's authority and follows no redirect."""
        options = {"verify": self.cloud.state.ca_bundle, "allow_redirects": False, "timeout": 40, **options}
        return self._session.request(method, url, **options)

    def close(self) -> None:
        """Close the connections to the stack's addresses."""
        self._session.close()


@contextlib.contextmanager
def deployed(cloud: Running, template: dict[str, Any] | str) -> Iterator[Stack]:
    """Create a stack and delete it in the end."""
    stack = Stack(cloud, template)
    yield stack
    stack.delete()
    stack.close()
