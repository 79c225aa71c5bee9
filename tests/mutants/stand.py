"""Where mutants are tried: an embedded AWS of its own, in which an application is deployed from one template after another.

The good application is deployed once as people do it. From then on the embedded AWS is emptied, given what was packaged,
and the stack created from the next template: that takes a second where `sam deploy` takes four, and leaves nothing of
the mutants before. The same template lies in the application's folder, so that neither drift nor a comparison of the
folder with the stack can tell. So does a changed file beside the template, and a changed source also in what is uploaded.
"""

from __future__ import annotations

import json
import os
import re
import sys
import tempfile
import time
import uuid
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import requests
from botocore.exceptions import ClientError

from readiness import samconfig
from readiness.aws.cloudformation import written_out
from tests.applications import trial
from tests.embedded.stacks import POLL_SECONDS
from tests.faults import bench
from tests.mutants.folder import Folder, repacked
from tests.mutants.mutant import Mutant, Rewritten
from tests.mutants.sources import SOURCE
from tests.probes.registries import Registries
from verification.application import ROOT
from verification.deployment import keys
from verification.embedded.cloud import Cloud

CATALOGUE = {"guest-book": "guest book", "rest_api": "REST API", "pipeline": "pipeline", "site": "site"}
"""The applications that the catalogue alone judges, and what tests/applications calls each."""
OWN = "pixel-prompt"
APPLICATIONS = (*CATALOGUE, OWN)

# What compares the stack with the folder: a mutant is what was intended, and there is no difference.
# And how full the account is, which takes long and depends on no property.
COMPARING = ("STACK-02", "STACK-06", "QUOTA-01")
_OWN_COMPARING = ("INF-04", "CONF-14", "INF-08")
# Tools that read the sources, which no mutant of a template changes, and INF-18, INF-20, which deploy what is committed.
OF_SOURCES = (
    *("CODE-01", "CODE-02", "CODE-03", "CODE-04", "CODE-05", "CODE-06", "CODE-07", "CODE-21"),
    *("SEC-01", "SEC-02", "SEC-03", "SEC-04", "SEC-05", "SEC-21", "SEC-23", "INF-18", "INF-20"),
)
STEPS = ("static", "read-only", "all")
DRIFT = "drift"
"""The step in which the item on drift alone runs."""
_SELECTED = {
    "static": "static",
    "read-only": "not active and not drill and not browser",
    "all": "not drill and not browser",
}
_SITE = "SiteBucketName"
_RECORDED = {"DeletionPolicy", "UpdateReplacePolicy"}
"""Attributes that no live resource has, so that no change by hand is one of them."""
_CAPABILITIES = ["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
_SETTLED_WITHIN_SECONDS = 120
_TELLING = 8
"""An output that is shorter may stand anywhere by chance."""
_TRANSFORM = re.compile(r"transform", re.IGNORECASE)


class Refused(Exception):
    """A template was not deployed.

    Args:
        by: who refused it: the SAM transform, CloudFormation, or the service of a resource.
        message: in its words.
    """

    def __init__(self, by: str, message: str) -> None:
        super().__init__(f"{by}: {message}")
        self.by, self.message = by, message


@dataclass(frozen=True)
class Said:
    """What a run said of one item: its outcome, and each finding as a text."""

    outcome: str
    findings: tuple[str, ...]


Look = Mapping[str, Said]
Packages = Mapping[tuple[str, str], bytes]
"""What was uploaded for the stack, by bucket and key."""


class Stand(ABC):
    """One application, deployed on an embedded AWS of its own.

    Args:
        application: one of APPLICATIONS.
        folder: where the copy of the application lies.
        cloud: the embedded AWS.
        by_hand: whether mutants are changes that CloudFormation and the folder do not know of.
    """

    def __init__(self, application: str, folder: Path, cloud: Cloud, *, by_hand: bool = False) -> None:
        self.application, self.folder, self.cloud, self.by_hand = application, folder, cloud, by_hand
        self.state = cloud.require()
        self.template = template_in(self.file)
        self.physical: dict[str, str] = {}
        """The resources' names in AWS by those in the template."""
        formation = self.client("cloudformation")
        self._stack = self._described(formation)
        self._outputs = self._now = _outputs(self._stack)
        original = formation.get_template(StackName=self.stack, TemplateStage="Original")["TemplateBody"]
        self._packaged = plain(written_out(original))
        self._packages = self._uploaded(formation)
        self._beside = Folder(self.file.parent)
        self._site = self._published()

    @property
    @abstractmethod
    def file(self) -> Path:
        """The template in the folder."""

    @property
    @abstractmethod
    def stack(self) -> str:
        """The stack's name."""

    @abstractmethod
    def _report(self, selection: str) -> Mapping[str, Any]:
        """Run the items and return the report."""

    def _secrets(self) -> Mapping[str, str]:
        """The values of the parameters that CloudFormation does not tell."""
        return {}

    def _point(self) -> None:  # noqa: B027  # most folders hold none
        """Tell the folder of the stack's new addresses, where it holds some."""

    def client(self, service: str) -> Any:
        session: Any = boto3.Session(
            self.state.access_key_id, self.state.secret_access_key, region_name=self.state.region
        )
        return session.client(service, endpoint_url=self.state.endpoint, verify=self.state.ca_bundle)

    def _switch(self, switches: Mapping[str, str]) -> None:
        """See verification/embedded/server/account.py."""
        answer = requests.post(
            f"{self.state.control}/account", json=switches, verify=self.state.ca_bundle, timeout=30
        )
        answer.raise_for_status()

    def _uploaded(self, formation: Any) -> Packages:
        """What `sam package` has put beside the stack, by bucket and key."""
        s3 = self.client("s3")
        listed = formation.describe_stack_resources(StackName=self.stack)["StackResources"]
        own = {each["PhysicalResourceId"] for each in listed}
        others = [one["Name"] for one in s3.list_buckets()["Buckets"] if one["Name"] not in own]
        return {(bucket, key): body for bucket in others for key, body, _ in _objects(s3, bucket)}

    def _published(self) -> Mapping[str, Mapping[str, Any]]:
        """The page as it was published, by key."""
        if not (bucket := self._outputs.get(_SITE)):
            return {}
        return {
            key: {"Body": body, "ContentType": told["ContentType"], "CacheControl": told["CacheControl"]}
            for key, body, told in _objects(self.client("s3"), bucket)
        }

    def deploy(self, mutants: Sequence[Mutant]) -> None:
        """Empty the embedded AWS and deploy the good template with some changes as if it were the intended one.

        Raises:
            Refused: it cannot be deployed.
        """
        if self.by_hand and (recorded := [one.says for one in mutants if _RECORDED & {*one.path}]):
            raise Refused(
                "CloudFormation", f"{', '.join(recorded)}: CloudFormation's record alone has this attribute"
            )
        intended, packaged, packages = self.template, self._packaged, self._packages
        rewritten = [each for each in mutants if isinstance(each, Rewritten)]
        for mutant in rewritten:
            packages = with_source(packages, mutant)
        for mutant in mutants:
            try:
                intended, packaged = mutant.applied(intended), mutant.applied(packaged)
            except (KeyError, IndexError, TypeError) as problem:
                raise Refused(
                    "sam package", f"{mutant.says}: the place is another one: {problem!r}"
                ) from problem
        if self.by_hand:
            self._deploy_and_change(packaged)
            return
        # YAML holds every JSON document.
        self.file.write_text(json.dumps(intended, indent=2), encoding="utf-8")
        self._beside.rewrite({mutant.file: mutant.text for mutant in rewritten})
        self.cloud.reset()
        self._upload(packages)
        self._create(packaged, {name: one for each in rewritten for name, one in each.parameters.items()})
        self._publish()

    def _deploy_and_change(self, changed: Mapping[str, Any]) -> None:
        """Deploy the good template, change the live stack to another one, and give CloudFormation its record back.

        Raises:
            Refused: the change cannot be made, or not without a new resource.
        """
        self.cloud.reset()
        self._upload(self._packages)
        self._create(self._packaged, {})
        self._publish()
        if changed == self._packaged:
            return
        before = self.physical
        self._switch({"keep_record": self.stack})
        self._update(changed)
        self._switch({"restore_record": self.stack})
        if replaced := [name for name, id_ in self.physical.items() if before.get(name, id_) != id_]:
            self.physical = before
            raise Refused("CloudFormation", f"{', '.join(replaced)}: the change needs another resource")
        self.physical = before

    def look(self, step: str) -> Look:
        """What the items of a step say, those left out that could tell a mutant by its being one."""
        if step == DRIFT:
            return self.report(_OWN_COMPARING[0] if self.application == OWN else COMPARING[0])
        left_out = (*_OWN_COMPARING, *OF_SOURCES) if self.application == OWN else COMPARING
        return self.report(f"({_SELECTED[step]}) and not ({' or '.join(left_out)})")

    def report(self, selection: str) -> Look:
        """What the items say that pytest's -m selects."""
        return said(self._report(selection))

    def names(self, mutant: Mutant) -> frozenset[str]:
        """What a finding about a mutant's resource calls it: by its logical or physical name, or those of its parts."""
        if not mutant.resource:
            return frozenset()
        own = self.template["Resources"]
        parts = [
            name
            for name in self.physical
            if name == mutant.resource or (name.startswith(mutant.resource) and name not in own)
        ]
        physical = [self.physical[name] for name in parts]
        ends = [re.split(r"[/:]", one)[-1] for one in physical]
        return frozenset({mutant.resource, *parts, *filter(None, physical), *filter(None, ends)})

    def related(self, one: str, other: str) -> bool:
        """Whether two resources are the same, or one is the other's policy, whose faults are told of the other."""
        return one == other or other in self._governed(one) or one in self._governed(other)

    def _governed(self, name: str) -> set[str]:
        resource = self.template["Resources"][name]
        if not resource["Type"].endswith("Policy"):
            return set()
        return {*re.findall(r"\w+", json.dumps(resource))}

    def _upload(self, packages: Packages) -> None:
        s3 = self.client("s3")
        for bucket in {bucket for bucket, _ in packages}:
            s3.create_bucket(Bucket=bucket)
        for (bucket, key), body in packages.items():
            s3.put_object(Bucket=bucket, Key=key, Body=body)

    def _create(self, packaged: Mapping[str, Any], changed: Mapping[str, str]) -> None:
        self._send("create_stack", packaged, changed)

    def _update(self, packaged: Mapping[str, Any]) -> None:
        self._send("update_stack", packaged, {})

    def _send(self, method: str, packaged: Mapping[str, Any], changed: Mapping[str, str]) -> None:
        formation = self.client("cloudformation")
        told = {one["ParameterKey"]: one["ParameterValue"] for one in self._stack.get("Parameters", [])}
        values = {**told, **self._secrets(), **changed}
        declared = packaged.get("Parameters") or {}
        try:
            getattr(formation, method)(
                StackName=self.stack,
                TemplateBody=json.dumps(packaged, separators=(",", ":")),
                Parameters=[
                    {"ParameterKey": name, "ParameterValue": value}
                    for name, value in values.items()
                    if name in declared
                ],
                Tags=self._stack.get("Tags", []),
                Capabilities=_CAPABILITIES,
            )
        except ClientError as problem:
            message = problem.response["Error"]["Message"]
            by = "SAM transform" if _TRANSFORM.search(message) else "CloudFormation"
            raise Refused(by, message) from problem
        deadline = time.monotonic() + _SETTLED_WITHIN_SECONDS
        while (found := self._described(formation))["StackStatus"].endswith("_IN_PROGRESS"):
            if time.monotonic() > deadline:
                raise Refused("CloudFormation", f"{found['StackStatus']} after {_SETTLED_WITHIN_SECONDS} s")
            time.sleep(POLL_SECONDS)
        listed = formation.describe_stack_resources(StackName=self.stack)["StackResources"]
        self.physical = {one["LogicalResourceId"]: one.get("PhysicalResourceId") or "" for one in listed}
        if found["StackStatus"] not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
            raise _refusal(formation.describe_stack_events(StackName=self.stack)["StackEvents"], found)
        self._now = _outputs(found)

    def _described(self, formation: Any) -> Any:
        return formation.describe_stacks(StackName=self.stack)["Stacks"][0]

    def _publish(self) -> None:
        """The page into its bucket, with the addresses of the stack as it is now."""
        self._point()
        if not (bucket := self._now.get(_SITE)):
            return
        s3 = self.client("s3")
        for key, content in self._site.items():
            body = self._moved(content["Body"])
            try:
                s3.put_object(Bucket=bucket, Key=key, **{**content, "Body": body})
            except ClientError:
                return  # what the mutant has made of the bucket is for the items to notice

    def _moved(self, body: bytes) -> bytes:
        """A text that names the addresses of the stack as it is now."""
        for name, before in self._outputs.items():
            if len(before) >= _TELLING and name in self._now:
                body = body.replace(before.encode(), self._now[name].encode())
                # Vite leaves out the slash at an address's end.
                body = body.replace(before.rstrip("/").encode(), self._now[name].rstrip("/").encode())
        return body


class Sample(Stand):
    """An application that only the catalogue judges, from a folder outside the repository."""

    @property
    def file(self) -> Path:
        return self.folder / "template.yaml"

    @property
    def stack(self) -> str:
        return trial.stack_name(self.folder)

    def _report(self, selection: str) -> Mapping[str, Any]:
        # The checkout's own engine: nothing needs to be installed. Without xdist, the checks run in one process.
        command = [sys.executable, "-m", "readiness", "--env", "local", "-p", "no:xdist", "-m", selection]
        variables = trial.variables(self.state) | {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
        report = self.folder / "reports" / "local" / "verification.json"
        report.unlink(missing_ok=True)
        done = trial.run(command, self.folder, variables)
        assert report.is_file(), f"the run left no report:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        return read(report)


class PixelPrompt(Stand):
    """This repository's own application, judged by its own items."""

    def __init__(self, looking: bench.Bench, cloud: Cloud, *, by_hand: bool) -> None:
        super().__init__(OWN, looking.checkout.app, cloud, by_hand=by_hand)
        self._looking = looking
        self._dotenv = self._pointing.read_bytes()

    @property
    def file(self) -> Path:
        return self.folder / "backend" / "template.yaml"

    @property
    def stack(self) -> str:
        return "pixel-prompt-local"

    @property
    def _pointing(self) -> Path:
        return self.folder / "frontend" / ".env"

    def _secrets(self) -> Mapping[str, str]:
        named = [name for name, facts in self.template["Parameters"].items() if facts.get("NoEcho")]
        return keys.simulated(named, self.cloud.directory).values

    def _point(self) -> None:
        self._pointing.write_bytes(self._moved(self._dotenv))

    def _report(self, selection: str) -> Mapping[str, Any]:
        report = self._looking.reports / "verification.json"
        report.unlink(missing_ok=True)
        done = self._looking.run("-m", selection)
        assert report.is_file(), f"the run left no report:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        return read(report)


@contextmanager
def stand(application: str, *, by_hand: bool = False) -> Iterator[Stand]:
    """An application that is deployed, and gone in the end."""
    with ExitStack() as until:
        place = Path(until.enter_context(tempfile.TemporaryDirectory(prefix="mutants-")))
        cloud = Cloud(f"mutants-{os.getpid()}-{uuid.uuid4().hex[:6]}")
        if application == OWN:
            checkout = bench.Checkout.of_this_tree(place / "app")
            until.enter_context(bench.deployed(checkout, cloud))
            registries = Registries(checkout.app)
            until.callback(registries.close)
            looking = bench.Bench(cloud.name, checkout, place / "reports", registries)
            yield PixelPrompt(looking, cloud, by_hand=by_hand)
        else:
            until.callback(cloud.down)
            state = cloud.up(owned_by=os.getpid()).state
            folder = trial.copy(CATALOGUE[application], place / "app")
            trial.deploy(state, folder)
            yield Sample(application, folder, cloud, by_hand=by_hand)


def template_of(application: str) -> dict[str, Any]:
    """The good template of an application, its short forms written out."""
    return template_in(folder_of(application) / "template.yaml")


def parameters_of(application: str) -> Mapping[str, str]:
    """What `local`, which mutants are tried in, gives the template's parameters."""
    return samconfig.parameters(folder_of(application) / "samconfig.toml", "local")


def folder_of(application: str) -> Path:
    """The folder of an application's template."""
    return ROOT / "backend" if application == OWN else trial.FOLDERS[CATALOGUE[application]]


def template_in(file: Path) -> dict[str, Any]:
    """A file's template, its short forms written out."""
    return plain(written_out(file.read_text(encoding="utf-8")))


def plain(template: Mapping[str, Any]) -> dict[str, Any]:
    """A template in which nothing is shared between places, and dates are the texts that they were."""
    return dict(json.loads(json.dumps(template, default=str)))


def with_source(packages: Packages, mutant: Rewritten) -> Packages:
    """What is uploaded, with a mutant's source in each package that holds the file; the same where it is no source.

    Raises:
        Refused: no function can import the source.
    """
    if not mutant.file.startswith(f"{SOURCE}/"):
        return packages
    try:
        compile(mutant.text, mutant.file, "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as problem:
        raise Refused("Python", f"{mutant.says}: {problem}") from problem
    member = mutant.file.removeprefix(f"{SOURCE}/")
    changed = {place: repacked(body, member, mutant.text) for place, body in packages.items()}
    if not any(changed.values()):
        raise AssertionError(
            f"expected {member} in a package, found it in none of {[key for _, key in packages]}"
        )
    return {place: changed[place] or body for place, body in packages.items()}


def said(report: Mapping[str, Any]) -> Look:
    """What a report says of each item."""
    return {
        item["id"]: Said(
            item["outcome"],
            tuple(" ".join(map(str, one.values())) for one in item["findings"]) or (item["reason"],),
        )
        for item in report["items"]
    }


def read(report: Path) -> Mapping[str, Any]:
    """A run's report."""
    return dict(json.loads(report.read_text(encoding="utf-8")))


def _outputs(stack: Mapping[str, Any]) -> Mapping[str, str]:
    return {one["OutputKey"]: one["OutputValue"] for one in stack.get("Outputs", [])}


def _objects(s3: Any, bucket: str) -> Iterator[tuple[str, bytes, Any]]:
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        for one in page.get("Contents", []):
            told = s3.get_object(Bucket=bucket, Key=one["Key"])
            yield one["Key"], told["Body"].read(), told


def _refusal(events: Iterable[Mapping[str, Any]], found: Mapping[str, Any]) -> Refused:
    """Who refused a stack first; events are told newest first."""
    failed = [each for each in events if each["ResourceStatus"].endswith("FAILED")]
    if not failed:
        reason = str(found.get("StackStatusReason", found["StackStatus"]))
        return Refused("SAM transform" if _TRANSFORM.search(reason) else "CloudFormation", reason)
    first = failed[-1]
    by = first["ResourceType"]
    return Refused(
        "CloudFormation" if by == "AWS::CloudFormation::Stack" else by,
        f"{first['LogicalResourceId']}: {first.get('ResourceStatusReason', '')}",
    )
