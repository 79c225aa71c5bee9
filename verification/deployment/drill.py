"""Drills: the deployment commands of users, run on a copy of the backend and on a stack of their own.

Nothing of the checkout and nothing of the environment's own stack is changed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

import botocore.exceptions

from readiness.environment import Environment
from readiness.errors import Missing, Unverified
from readiness.progress import waiting
from verification import budgets
from verification.application import ROOT
from verification.deployment import health, keys, parameters, sam, scratch, standing
from verification.deployment.standing import Standing

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

SUFFIX = "-drill"

# What two stacks cannot both have, what would notify people, and what would be taken from others.
_OF_ITS_OWN = {
    "AlarmEmail": "",
    "ApiReservedConcurrency": "0",
    "CdnDomainName": "",
    "MonthlyBudgetUsd": "0",
    "SiteDomainName": "",
    "WorkerReservedConcurrency": "0",
}
# Cannot be created; tried once the function before it has been changed, so that there is something to undo.
_IMPOSSIBLE = """
  DrillImpossible:
    Type: AWS::Lambda::EventSourceMapping
    DependsOn: [ApiFunction]
    Properties:
      FunctionName: pixel-prompt-no-such-function
      EventSourceArn: !GetAtt JobsQueue.Arn
"""
_CHANGED = {"GlobalHourlyLimit": "998"}
_NEVER_CREATED = ("CREATE_FAILED", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED")
_TAIL = 800  # characters of what SAM said that are shown


@dataclass(frozen=True)
class Copy:
    """The backend of a checkout, copied to where it may be built and changed."""

    folder: Path

    @classmethod
    def of(cls, app: Path, folder: Path) -> Copy:
        """Copy what a deployment reads, without bytecode, which a deployment removes first."""
        ignored = shutil.ignore_patterns("__pycache__", "*.py[co]")
        for name in ("template.yaml", "samconfig.toml", "openapi.yaml"):
            if (app / "backend" / name).is_file():
                folder.mkdir(parents=True, exist_ok=True)
                shutil.copy2(app / "backend" / name, folder / name)
        shutil.copytree(app / "backend" / "src", folder / "src", ignore=ignored)
        return cls(folder)

    def spoil(self) -> None:
        """Add what cannot be created to what was built."""
        built = self.folder / ".aws-sam" / "build" / "template.yaml"
        text = built.read_text(encoding="utf-8")
        if text.count("\nResources:\n") != 1:
            raise Unverified(f"{built.name} as built has no place for one resource more")
        built.write_text(text.replace("\nResources:\n", f"\nResources:{_IMPOSSIBLE}"), encoding="utf-8")

    def passed(self, environment: Environment, found: Standing, own: Mapping[str, str]) -> Mapping[str, str]:
        """The parameters that a deployment of the environment passes, without keys, with some of its own."""
        declared = parameters.declared(self.folder / "template.yaml")
        configured = parameters.configured(
            self.folder / "samconfig.toml", environment.name, environment.stack_name
        ) | parameters.ambient(environment.name, os.environ)
        known = {parameter.name for parameter in declared}
        own = {name: value for name, value in own.items() if name in known}
        no_keys = keys.Keys({}, {})
        found_parameters, exists = found.parameters, found.exists
        return parameters.combined(
            declared, {**configured, **own}, no_keys, found_parameters, exists=exists
        ).passed

    def run(self, environment: Environment, command: Sequence[str]) -> subprocess.CompletedProcess[str]:
        """Run the SAM CLI as a deployment does, however it ends.

        Raises:
            Unverified: there is none, or it did not end in time.
        """
        variables = sam.variables(environment, os.environ)
        variables |= {
            "PATH": f"{ROOT / '.tools' / 'bin'}{os.pathsep}{variables.get('PATH', '')}",
            "SAM_CLI_TELEMETRY": "0",
        }
        program = shutil.which(command[0], path=variables["PATH"])
        if program is None:
            raise Unverified(f"'{command[0]}' is not installed; run ./scripts/setup.sh")
        try:
            with scratch.variables(self.folder.parent) as temporary:
                return subprocess.run(
                    [program, *command[1:]],
                    cwd=self.folder,
                    env={**variables, **temporary},
                    stdin=subprocess.DEVNULL,
                    capture_output=True,
                    text=True,
                    check=False,
                    timeout=budgets.DEPLOYMENT_DEADLINE.total_seconds(),
                )
        except subprocess.TimeoutExpired as problem:
            raise Unverified(
                f"{' '.join(command[:2])} took longer than {budgets.DEPLOYMENT_DEADLINE}"
            ) from problem

    def build(self, environment: Environment) -> None:
        """Build the functions.

        Raises:
            Unverified: that failed.
        """
        done = self.run(environment, sam.build())
        if done.returncode:
            raise Unverified(f"sam build ended with {done.returncode}: {_said(done)}")


def changes(environment: Environment, app: Path, folder: Path) -> list[str]:
    """What deploying the checkout again would change in the environment's own stack; nothing is executed.

    Raises:
        Unverified: no change set could be made.
    """
    require_drills(environment)
    copy, found = Copy.of(app, folder / "backend"), standing.standing(environment)
    client = environment.client("cloudformation")
    before = _change_sets(client, environment.stack_name)
    copy.build(environment)
    with parameters.private_file(folder, copy.passed(environment, found, {})) as file:
        done = copy.run(environment, [*sam.deploy(environment, file), "--no-execute-changeset"])
    made = _change_sets(client, environment.stack_name) - before
    try:
        if done.returncode:
            raise Unverified(f"sam deploy made no change set: {_said(done)}")
        return sorted(change for id_ in made for change in _changes(client, environment.stack_name, id_))
    finally:
        for id_ in made:
            client.delete_change_set(StackName=environment.stack_name, ChangeSetName=id_)


def _change_sets(client: CloudFormationClient, stack: str) -> set[str]:
    pages = client.get_paginator("list_change_sets").paginate(StackName=stack)
    return {str(summary["ChangeSetId"]) for page in pages for summary in page["Summaries"]}


def _changes(client: CloudFormationClient, stack: str, id_: str) -> list[str]:
    found = []
    token: dict[str, Any] = {}
    while True:
        page = client.describe_change_set(StackName=stack, ChangeSetName=id_, **token)
        for change in page.get("Changes", []):
            resource = change["ResourceChange"]
            details = {
                str(detail["Target"].get("Name") or detail["Target"]["Attribute"])
                for detail in resource.get("Details", [])
            }
            what = f" ({', '.join(sorted(details))})" if details else ""
            found.append(f"{resource['Action']} {resource['LogicalResourceId']}{what}")
        if "NextToken" not in page:
            return found
        token = {"NextToken": page["NextToken"]}


def require_drills(environment: Environment) -> None:
    """Refuse where nothing may be changed: SAM would not ask the guard.

    Raises:
        Unverified: the environment is read-only.
    """
    if environment.settings.read_only:
        raise Unverified(
            f"'{environment.name}' is read-only, and this drill deploys; run it on another environment"
        )


@dataclass(frozen=True)
class ThrowAway:
    """A second stack of an environment, for drills alone.

    Args:
        of: the environment whose name, region and parameters it has.
        app: the checkout that is deployed.
        folder: a private folder, for the copy that is built.
    """

    of: Environment
    app: Path
    folder: Path
    retained: list[tuple[str, str]] = field(default_factory=list, init=False, repr=False)

    @cached_property
    def env(self) -> Environment:
        """The environment whose stack is the throw-away one."""
        return replace(self.of, settings=replace(self.of.settings, stack=f"{self.of.stack_name}{SUFFIX}"))

    @cached_property
    def _copy(self) -> Copy:
        copy = Copy.of(self.app, self.folder / "backend")
        copy.build(self.env)
        return copy

    def standing(self) -> Standing:
        """What CloudFormation says about it."""
        return standing.standing(self.env)

    @property
    def created(self) -> bool:
        """Whether this run created it."""
        return self.standing().status not in (None, *_NEVER_CREATED)

    @waiting("a throw-away stack to be deployed")
    def deploy(self) -> Standing:
        """Deploy it as `deploy.sh` deploys its environment.

        Raises:
            Unverified: SAM failed before CloudFormation took it on.
        """
        return self._deploy(self._copy, {})

    @waiting("an update to fail and to be taken back")
    def fail_update(self) -> Standing:
        """Begin an update that changes the API's function and then fails.

        Raises:
            Unverified: it succeeded, or failed before it had changed anything.
        """
        spoilt = Copy(self.folder / "spoilt")
        shutil.copytree(self._copy.folder, spoilt.folder)
        spoilt.spoil()
        found = self._deploy(spoilt, _CHANGED)
        if "FAILED" not in str(found.status) and "ROLLBACK" not in str(found.status):
            raise Unverified(f"the update that was made to fail ended as {found.status}")
        if not self._was_updated("ApiFunction"):
            raise Unverified("the update failed before it had changed the API's function")
        return found

    def _deploy(self, copy: Copy, own: Mapping[str, str]) -> Standing:
        require_drills(self.of)
        before = self.standing()
        passed = copy.passed(self.of, before, {**_OF_ITS_OWN, **own})
        with parameters.private_file(self.folder, passed) as file:
            done = copy.run(self.env, sam.deploy(self.env, file))
        after = self.standing()
        if done.returncode and (after.status, after.changed) == (before.status, before.changed):
            raise Unverified(f"sam deploy ended with {done.returncode}: {_said(done)}")
        return after

    def _was_updated(self, logical_id: str) -> bool:
        """Whether the last operation changed a resource, of what the stack's events tell, newest first."""
        pages = self.env.client("cloudformation").get_paginator("describe_stack_events")
        for page in pages.paginate(StackName=self.env.stack_name):
            for event in page["StackEvents"]:
                what, status = event["LogicalResourceId"], event["ResourceStatus"]
                if what == logical_id and status == "UPDATE_COMPLETE":
                    return True
                if what == self.env.stack_name and status == "UPDATE_IN_PROGRESS":
                    return False
        return False

    def why(self) -> str:
        """The first failure of the last operation, in CloudFormation's words."""
        return standing.first_failure(self.env)

    @waiting("a throw-away stack to be healthy")
    def wait_until_healthy(self) -> Mapping[str, Any]:
        """What `/health` says once it says 200.

        Raises:
            AssertionError: it does not, before the deadline.
        """
        trusted = self.env.ca_bundle or os.environ.get("AWS_CA_BUNDLE") or os.environ.get("SSL_CERT_FILE")
        try:
            return health.wait_until_healthy(
                self.standing().outputs["ApiEndpoint"],
                self.env.name,
                health.https_fetch(trusted),
                deadline_s=budgets.DRILL_HEALTH_DEADLINE.total_seconds(),
            )
        except health.Unhealthy as problem:
            raise AssertionError(str(problem)) from problem

    @waiting("a throw-away stack to be deleted")
    def delete(self) -> None:
        """Delete the stack as a person would, and wait until it is gone.

        Raises:
            Unverified: that did not happen in time, or was refused.
        """
        if self.standing().status is None:
            return
        client, name = self.env.client("cloudformation"), self.env.stack_name
        stack_id = self.standing().stack_id
        self.retained.extend(self._buckets_and_tables(client))
        client.delete_stack(StackName=name)
        end = time.monotonic() + budgets.DEPLOYMENT_DEADLINE.total_seconds()
        pause = 0.2
        while (status := _status(client, stack_id)) != "DELETE_COMPLETE":
            if status == "DELETE_FAILED" or time.monotonic() > end:
                raise Unverified(
                    f"stack '{name}' is {status} ({self.why() or 'no reason is given'}); delete it by hand"
                )
            time.sleep(pause)
            pause = min(pause * 1.5, 10.0)

    def tear_down(self) -> list[str]:
        """Delete the stack and what its deletion left behind on purpose, also of a run that was cut off; what it was.

        Raises:
            Unverified: something could not be deleted.
        """
        require_drills(self.of)
        gone = [] if self.standing().status is None else [self.env.stack_name]
        self.delete()
        for kind, id_ in dict.fromkeys([*self.retained, *self._orphans()]):
            try:
                if kind == "AWS::S3::Bucket":
                    self._delete_bucket(id_)
                else:
                    self.env.client("dynamodb").delete_table(TableName=id_)
            except Missing:  # it went with the stack
                continue
            gone.append(id_)
        return gone

    def _orphans(self) -> list[tuple[str, str]]:
        """Buckets and tables whose stack is gone, by the names that CloudFormation gave them after it."""
        prefix = f"{self.env.stack_name}-"
        buckets = self.env.client("s3").get_paginator("list_buckets").paginate()
        tables = self.env.client("dynamodb").get_paginator("list_tables").paginate()
        return [
            *(
                ("AWS::S3::Bucket", bucket["Name"])
                for page in buckets
                for bucket in page["Buckets"]
                if bucket["Name"].startswith(prefix)
            ),
            *(
                ("AWS::DynamoDB::Table", name)
                for page in tables
                for name in page["TableNames"]
                if name.startswith(prefix)
            ),
        ]

    def _buckets_and_tables(self, client: CloudFormationClient) -> list[tuple[str, str]]:
        """Return the buckets and tables that this stack created, which its deletion keeps.

        A resource that failed because its name was taken has the name of another stack's resource.
        """
        pages = client.get_paginator("describe_stack_events").paginate(StackName=self.env.stack_name)
        return [
            (event["ResourceType"], event["PhysicalResourceId"])
            for page in pages
            for event in page["StackEvents"]
            if event["ResourceStatus"] == "CREATE_COMPLETE"
            and event["ResourceType"] in ("AWS::S3::Bucket", "AWS::DynamoDB::Table")
        ]

    def _delete_bucket(self, name: str) -> None:
        client = self.env.client("s3")
        for page in client.get_paginator("list_objects_v2").paginate(Bucket=name):
            for entry in page.get("Contents", []):
                client.delete_object(Bucket=name, Key=entry["Key"])
        client.delete_bucket(Bucket=name)


def _status(client: CloudFormationClient, stack_id: str) -> str:
    """A stack's status by its id, by which a deleted one can still be asked for."""
    try:
        return str(client.describe_stacks(StackName=stack_id)["Stacks"][0]["StackStatus"])
    except botocore.exceptions.ClientError as problem:
        if problem.response["ResponseMetadata"]["HTTPStatusCode"] == HTTPStatus.BAD_REQUEST:
            return "DELETE_COMPLETE"
        raise


def _said(done: subprocess.CompletedProcess[str]) -> str:
    text = f"{done.stdout}\n{done.stderr}".strip()
    return text[-_TAIL:]
