"""Where faults are tried: an embedded AWS with the application in it, and a checkout of its own."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from readiness.environment import Environment
from readiness.probes.http import exchange
from tests.probes.registries import Registries
from verification.application import ROOT, connect
from verification.embedded.cloud import Cloud
from verification.stack import Stack

OTHER_ACCOUNT = "111122223333"  # none that a bench runs in


@dataclass(frozen=True)
class Seen:
    """What a verification run said about one item."""

    outcome: str
    reason: str
    gap: str | None = None
    findings: tuple[str, ...] = field(default=(), repr=False)

    @property
    def good(self) -> bool:
        """Whether it is as good as a bench can be: it holds, or only real AWS could show that it does."""
        return self.outcome in ("pass", "waived") or self.gap == "needs AWS"


@dataclass(frozen=True)
class Checkout:
    """A copy of the application's source, with its history, that a fault may change."""

    app: Path

    @classmethod
    def of_this_tree(cls, target: Path) -> Checkout:
        """Clone this repository and lay over it what is not committed yet."""
        _git(ROOT, "clone", "--quiet", "--no-hardlinks", str(ROOT), str(target))
        for name in _git(ROOT, "ls-files", "--others", "--modified", "--exclude-standard", "-z").split("\0")[
            :-1
        ]:
            if (ROOT / name).is_file():
                (target / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, target / name)
        for name in _git(ROOT, "ls-files", "--deleted", "-z").split("\0")[:-1]:
            (target / name).unlink(missing_ok=True)
        # A link is no folder to .gitignore, and a fault that commits must not take it along.
        (target / ".git" / "info" / "exclude").write_text("/frontend/node_modules\n")
        (target / "frontend" / "node_modules").symlink_to(ROOT / "frontend" / "node_modules")
        return cls(target)

    @contextmanager
    def changed(self, path: str, old: str, new: str) -> Iterator[None]:
        """One replacement in one file, which must hold `old`."""
        file = self.app / path
        before = file.read_text(encoding="utf-8")
        assert old in before, f"the fault no longer fits: {path} does not hold {old!r}"
        with self.written(path, before.replace(old, new, 1)):
            yield

    @contextmanager
    def written(self, path: str, text: str | None) -> Iterator[None]:
        """A file with other content, or gone when `text` is None."""
        file = self.app / path
        before = file.read_bytes() if file.exists() else None
        if text is None:
            file.unlink()
        else:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        try:
            yield
        finally:
            if before is None:
                file.unlink()
            else:
                file.write_bytes(before)

    def commit(self, message: str) -> None:
        """Commit whatever is in the tree, which may be nothing."""
        _git(self.app, "add", "--all")
        identity = (
            "-c",
            "user.name=Fault",
            "-c",
            "user.email=fault@example.com",
            "-c",
            "commit.gpgsign=false",
        )
        _git(
            self.app, *identity, "commit", "--quiet", "--allow-empty", "--no-verify", "--file=-", text=message
        )

    def head(self) -> str:
        return _git(self.app, "rev-parse", "HEAD").strip()

    def reset(self, commit: str) -> None:
        _git(self.app, "reset", "--quiet", "--hard", commit)


@contextmanager
def deployed(checkout: Checkout, cloud: Cloud, speed: float | None = None) -> Iterator[None]:
    """A checkout's application, deployed as a user does it, to an embedded AWS that is gone with this process.

    Args:
        checkout: of the application.
        cloud: which embedded AWS.
        speed: of a pessimistic one's clock.
    """
    cloud.up(owned_by=os.getpid(), speed=speed)
    try:
        command = ["scripts/deploy.sh", "local", "--yes", "--frontend"]
        command += ["--cloud", cloud.name, "--app", str(checkout.app)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
        assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        yield
    finally:
        cloud.down()


@dataclass(frozen=True)
class Bench:
    """The deployed application on an embedded AWS of its own."""

    cloud: str
    checkout: Checkout
    reports: Path
    registries: Registries | None = None
    page_changes: list[tuple[str, str, str]] = field(default_factory=list)
    _patches: dict[str, list[tuple[str, str, str]]] = field(default_factory=dict)

    @cached_property
    def env(self) -> Environment:
        return connect("local", cloud=self.cloud)

    @cached_property
    def stack(self) -> Stack:
        return Stack(self.env)

    def client(self, service: str) -> Any:
        return self.env.client(service)

    def unguarded(self, service: str) -> Any:
        """A client for what the suite's guard sends nowhere."""
        where = {"endpoint_url": self.env.endpoint_url, "verify": self.env.ca_bundle}
        return self.env.session.client(service, **where)

    def physical(self, logical_id: str) -> str:
        return self.stack.formation.physical_id(logical_id)

    def verify(self, *arguments: str, **variables: str) -> dict[str, Seen]:
        """Run the suite as a user does and read its JSON."""
        report = self.reports / "verification.json"
        report.unlink(missing_ok=True)
        done = self.run(*arguments, **variables)
        assert report.is_file(), f"the run left no report:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        content = json.loads(report.read_text(encoding="utf-8"))
        return {
            item["id"]: Seen(
                item["outcome"],
                item["reason"],
                item["gap"],
                tuple(" ".join(map(str, one.values())) for one in item["findings"]),
            )
            for item in content["items"]
        }

    def run(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run the suite on this cloud and checkout, however it ends."""
        command = [
            *(sys.executable, "-m", "pytest", "verification", "--env", "local", "--cloud", self.cloud),
            *("--app", str(self.checkout.app), "--report-dir", str(self.reports)),
            # A fault may have the page, or the API, pay for more than it should.
            *("--budget", "100", "-p", "no:cacheprovider", "-q", "--tb=short", *arguments),
        ]
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
        return subprocess.run(
            command,
            cwd=ROOT,
            env={**kept, **(self.registries.variables if self.registries else {}), **variables},
            capture_output=True,
            text=True,
            check=False,
            timeout=1200,  # where a log is lost, each item that reads it waits for it
        )

    @contextmanager
    def provider_fault(self, vendor: str, name: str) -> Iterator[None]:
        """A fault mode of a simulated AI provider."""
        with self.vendor(vendor, {"fault": name, "count": None}, {"fault": None, "count": None}):
            yield

    @contextmanager
    def vendor(self, vendor: str, settings: Mapping[str, Any], before: Mapping[str, Any]) -> Iterator[None]:
        """A simulated AI provider with other settings, set back to those of before."""
        self._control(vendor, settings)
        try:
            yield
        finally:
            self._control(vendor, before)

    @contextmanager
    def switched_on(self, switch: str) -> Iterator[None]:
        """A way in which the embedded AWS itself misbehaves."""
        url = f"{self.env.endpoint_url}/_embedded/switches/{switch}"
        assert (answer := exchange(self.env, "PUT", url)).status == 200, answer
        try:
            yield
        finally:
            exchange(self.env, "DELETE", url)

    def _control(self, vendor: str, setting: Mapping[str, Any]) -> None:
        url = f"{self.env.endpoint_url}/_embedded/providers/{vendor}"
        answer = exchange(
            self.env,
            "POST",
            url,
            headers={"Content-Type": "application/json"},
            body=json.dumps(setting).encode(),
        )
        assert answer.status == 200, answer

    @contextmanager
    def configured(self, logical_id: str, **settings: Any) -> Iterator[None]:
        """A function with other settings, by the names of UpdateFunctionConfiguration."""
        client, name = self.client("lambda"), self.physical(logical_id)
        before = client.get_function_configuration(FunctionName=name)
        client.update_function_configuration(FunctionName=name, **settings)
        try:
            yield
        finally:
            kept = {key: before[key] for key in settings}
            client.update_function_configuration(FunctionName=name, **kept)

    @contextmanager
    def with_variables(self, logical_id: str, **variables: str) -> Iterator[None]:
        """A function with more or other environment variables, the rest of them kept."""
        name = self.physical(logical_id)
        before = self.client("lambda").get_function_configuration(FunctionName=name)["Environment"][
            "Variables"
        ]
        with self.configured(logical_id, Environment={"Variables": {**before, **variables}}):
            yield

    @contextmanager
    def patched(self, logical_id: str, path: str, old: str, new: str) -> Iterator[None]:
        """A function whose code differs in one more place, of one file of backend/src."""
        patches = self._patches.setdefault(logical_id, [])
        patches.append((path, old, new))
        try:
            self._upload(logical_id)
            yield
        finally:
            patches.pop()
            self._upload(logical_id)

    def _patched(self, logical_id: str) -> dict[str, str]:
        """The source of a function with its changes, by path."""
        source = self.checkout.app / "backend" / "src"
        files = {
            str(file.relative_to(source)): file.read_text(encoding="utf-8")
            for file in sorted(source.rglob("*.py"))
        }
        for path, old, new in self._patches[logical_id]:
            assert old in files[path], f"the fault no longer fits: {path} does not hold {old!r}"
            files[path] = files[path].replace(old, new)
        return files

    def _upload(self, logical_id: str) -> None:
        package = io.BytesIO()
        with zipfile.ZipFile(package, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, text in self._patched(logical_id).items():
                archive.writestr(name, text)
        self.client("lambda").update_function_code(
            FunctionName=self.physical(logical_id), ZipFile=package.getvalue()
        )

    @contextmanager
    def distribution_with(self, **behaviour: Any) -> Iterator[None]:
        """The distribution with other settings of its default cache behaviour."""

        def change(configuration: dict[str, Any]) -> None:
            for key, value in behaviour.items():
                configuration["DefaultCacheBehavior"][key] = value

        with self.distribution_changed(change):
            yield

    @contextmanager
    def distribution_changed(self, change: Any, of: str = "Distribution") -> Iterator[None]:
        """A distribution with a configuration that `change` has altered in place."""
        client, id_ = self.client("cloudfront"), self.physical(of)
        answer = client.get_distribution_config(Id=id_)
        altered = json.loads(json.dumps(answer["DistributionConfig"]))
        change(altered)
        client.update_distribution(Id=id_, IfMatch=answer["ETag"], DistributionConfig=altered)
        try:
            yield
        finally:
            etag = client.get_distribution_config(Id=id_)["ETag"]
            client.update_distribution(Id=id_, IfMatch=etag, DistributionConfig=answer["DistributionConfig"])

    @contextmanager
    def queue_with(self, logical_id: str, **attributes: str) -> Iterator[None]:
        """A queue with other attributes, by SQS's names; '' takes one away."""
        client, url = self.client("sqs"), self.physical(logical_id)
        asked = client.get_queue_attributes(QueueUrl=url, AttributeNames=list(attributes))
        client.set_queue_attributes(QueueUrl=url, Attributes=attributes)
        try:
            yield
        finally:
            client.set_queue_attributes(QueueUrl=url, Attributes=asked["Attributes"])

    @contextmanager
    def opened(self, *blocks: str, of: str = "ImagesBucket") -> Iterator[None]:
        """A bucket whose public-access block lacks some of the four."""
        client, bucket = self.client("s3"), self.physical(of)
        before = client.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
        fewer = {**before, **dict.fromkeys(blocks, False)}
        client.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=fewer)
        try:
            yield
        finally:
            client.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=before)

    @contextmanager
    def bucket_policy(self, change: Any, of: str = "ImagesBucket") -> Iterator[None]:
        """A bucket with a policy whose statements `change` has altered in place."""
        client, bucket = self.client("s3"), self.physical(of)
        before = client.get_bucket_policy(Bucket=bucket)["Policy"]
        altered = json.loads(before)
        change(altered["Statement"])
        client.put_bucket_policy(Bucket=bucket, Policy=json.dumps(altered))
        try:
            yield
        finally:
            client.put_bucket_policy(Bucket=bucket, Policy=before)

    @contextmanager
    def alarm(self, name_part: str, change: Any) -> Iterator[None]:
        """Alarms whose logical id holds `name_part`, altered in place by `change`, or gone when it is None."""
        client = self.client("cloudwatch")
        names = [
            resource.physical_id
            for resource in self.stack.formation.resources.values()
            if resource.type == "AWS::CloudWatch::Alarm" and name_part in resource.logical_id
        ]
        assert names, f"the fault no longer fits: no alarm is named *{name_part}*"
        before = client.describe_alarms(AlarmNames=names)["MetricAlarms"]
        tags = {
            alarm["AlarmName"]: client.list_tags_for_resource(ResourceARN=alarm["AlarmArn"])["Tags"]
            for alarm in before
        }
        client.delete_alarms(AlarmNames=names)
        if change:
            for alarm in before:
                client.put_metric_alarm(**change(_settings(alarm)), Tags=_own(tags[alarm["AlarmName"]]))
        try:
            yield
        finally:
            for alarm in before:
                client.put_metric_alarm(**_settings(alarm), Tags=_own(tags[alarm["AlarmName"]]))

    @contextmanager
    def template(self, change: Any) -> Iterator[None]:
        """The stack updated with a template that `change` has altered in place, then updated back."""
        client, name = self.client("cloudformation"), self.env.stack_name
        # Put back as SAM handed it over, or nobody could tell any more what was deployed.
        before = client.get_template(StackName=name, TemplateStage="Original")["TemplateBody"]
        altered = json.loads(json.dumps(self.stack.formation.template))
        change(altered)
        self._update_stack(client, name, altered)
        try:
            yield
        finally:
            self._update_stack(client, name, before)

    def _update_stack(self, client: Any, name: str, template: str | Mapping[str, Any]) -> None:
        parameters = client.describe_stacks(StackName=name)["Stacks"][0].get("Parameters", [])
        client.update_stack(
            StackName=name,
            TemplateBody=template if isinstance(template, str) else json.dumps(template),
            Parameters=[{"ParameterKey": p["ParameterKey"], "UsePreviousValue": True} for p in parameters],
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
        )
        client.get_waiter("stack_update_complete").wait(
            StackName=name, WaiterConfig={"Delay": 0.2, "MaxAttempts": 300}
        )


def _own(tags: Sequence[Mapping[str, str]]) -> list[Mapping[str, str]]:
    """What a caller may set: the names of AWS's own tags are AWS's."""
    return [tag for tag in tags if not tag["Key"].startswith("aws:")]


def _settings(alarm: Mapping[str, Any]) -> dict[str, Any]:
    """What PutMetricAlarm takes, of what DescribeAlarms gives."""
    dropped = ("AlarmArn", "AlarmConfigurationUpdatedTimestamp", "EvaluationState")
    return {
        key: value
        for key, value in alarm.items()
        if key not in dropped and not key.startswith("State") and value not in (None, "", [])
    }


def _git(folder: Path, *arguments: str, text: str = "") -> str:
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout
