"""Deploying as people do: again and again, from nothing, to the end, and killed at any moment."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.deployment import documentation
from tests.embedded.checkout import STACK, Checkout, checkout
from verification.deployment import dotenv, outputs

pytestmark = [pytest.mark.embedded, pytest.mark.further, pytest.mark.xdist_group("deployments")]

PROD = "pixel-prompt-prod"
OLD = "# mine\r\nexport VITE_API_ENDPOINT = 'https://old.example' # of last week\r\nTHEME=\"dark\"\r\n"


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    with checkout(tmp_path_factory.mktemp("deployments"), "deployments") as made:
        yield made


def expected(here: Checkout) -> str:
    """What frontend/.env has to hold once the stack is deployed."""
    return dotenv.edited(OLD, outputs.frontend_variables("staging", here.outputs()))


def everything(here: Checkout) -> dict[str, Any]:
    """What a deployment could have changed."""
    stack, found = here.stack(), here.outputs()
    listed = here.client("s3").list_objects_v2(Bucket=found["SiteBucketName"])["Contents"]
    invalidations = here.client("cloudfront").list_invalidations(DistributionId=found["SiteDistributionId"])
    functions = here.client("lambda").list_functions()["Functions"]
    return {
        "stack": (
            stack["StackId"],
            stack["StackStatus"],
            stack.get("LastUpdatedTime"),
            stack["CreationTime"],
        ),
        "outputs": found,
        "page": {each["Key"]: (each["ETag"], each["LastModified"]) for each in listed},
        "invalidations": invalidations["InvalidationList"]["Quantity"],
        "functions": sorted(
            (each["FunctionName"], each["CodeSha256"], each["LastModified"]) for each in functions
        ),
        "dotenv": (here.dotenv.read_bytes(), here.dotenv.stat().st_mtime_ns, here.dotenv.stat().st_mode),
    }


def test_three_in_a_row_then_deleted_then_again(here: Checkout, capsys: pytest.CaptureFixture[str]) -> None:
    """The second and the third change nothing at all; after a deletion it is as if nothing had been."""
    here.dotenv.write_bytes(OLD.encode())
    here.dotenv.chmod(0o640)
    seen, taken = [], []
    for _ in range(3):
        ended = here.deploy("--frontend")
        assert ended.status == 0, ended.err[-2000:]
        assert here.dotenv.read_bytes().decode() == expected(here)
        seen.append(everything(here))
        taken.append(ended.seconds)
    first = here.stack()["StackId"]

    deleted = here.deploy("--delete")
    gone = here.stack()
    again = here.deploy("--frontend")

    with capsys.disabled():
        print("\nthree deployments in a row:", ", ".join(f"{each:.1f} s" for each in taken), end="")
        print(f"; deleted in {deleted.seconds:.1f} s, deployed again in {again.seconds:.1f} s")
    assert seen[1] == seen[0]
    assert seen[2] == seen[0]
    assert (deleted.status, gone) == (0, {}), deleted.err[-2000:]
    assert again.status == 0, again.err[-2000:]
    assert here.stack()["StackId"] != first
    assert here.dotenv.read_bytes().decode() == expected(here)


def test_from_scratch_to_an_image(here: Checkout) -> None:
    """The specification's own end: deploy staging, look at .env, build the page with it, have it make an image."""
    here.deploy("--delete")
    here.dotenv.unlink(missing_ok=True)

    deployed = here.deploy("--frontend")
    built = here.run("npm", "run", "build", folder="frontend")
    bundle = "".join(file.read_text() for file in (here.root / "frontend/dist/assets").glob("*.js"))
    journey = here.run(
        ".venv/bin/pytest", "verification", "-m", "CODE-23", "--env", "staging", "-p", "no:cacheprovider"
    )

    assert deployed.status == 0, deployed.err[-2000:]
    assert dotenv.parsed(here.dotenv.read_text()) == outputs.frontend_variables("staging", here.outputs())
    assert built.status == 0, built.err[-2000:]
    assert here.outputs()["ApiEndpoint"].rstrip("/") in bundle
    assert journey.status == 0, journey.out[-3000:]
    assert "PASSED 1 of 1 selected" in journey.out


def test_rehearsals_as_documented(here: Checkout) -> None:
    """README's block, word for word: what a newcomer types first must work."""
    block = documentation.block("README.md", "### Rehearse staging without AWS")
    try:
        ended = here.typed(
            f"{block}status=$?\n./scripts/extract-outputs.sh staging\n"
            # Nobody knows what the advisory services say today; these know of nothing.
            ".venv/bin/python -m tests.probes.registries .venv/bin/pytest verification --env staging -n 2 "
            "--report-dir reports/ready\nexit $status",
            deadline_s=1800,
        )
    finally:
        down = here.typed("./scripts/cloud.sh down")

    assert "Deployed 'staging' in" in ended.out, ended.out[-3000:] + ended.err[-2000:]
    report = json.loads((here.root / "reports" / "staging" / "verification.json").read_text())
    outcomes = {item["id"]: item["outcome"] for item in report["items"]}
    assert report["emulated"]
    assert outcomes["SEC-20"] == "pass"
    others = {item for item, outcome in outcomes.items() if outcome != "pass"}
    assert others <= {"SEC-01", "SEC-02"}, "the advisory services may be out of reach, nothing else"
    assert ended.status == (1 if others else 0), ended.out[-3000:]
    ready = json.loads((here.root / "reports" / "ready" / "verification.json").read_text())
    assert (ready["verdict"], ready["ok"]) == ("READY", True), ended.out[-3000:]
    assert '"ApiEndpoint": "https://' in ended.out
    assert '"SiteUrl": "https://staging-app.pixel-prompt.test"' in ended.out
    assert down.status == 0, down.err


def test_local_as_documented(here: Checkout) -> None:
    """What CONTRIBUTING tells people to type on `local`, in this order."""
    here.dotenv.unlink(missing_ok=True)
    try:
        verified = here.typed("./scripts/verify.sh -m config")
        section = here.typed("pytest verification -m security --env local")
        told = here.typed(
            "./scripts/cloud.sh status >&2 && ./scripts/extract-outputs.sh local --format dotenv"
        )
        as_json = here.typed("./scripts/extract-outputs.sh local")
    finally:
        down = here.typed("./scripts/cloud.sh down")
    gone = here.typed("./scripts/cloud.sh status")

    assert verified.status == 0, verified.out[-3000:] + verified.err[-2000:]
    assert section.status == 0, section.out[-3000:]
    assert told.status == 0, told.err
    assert told.out == here.dotenv.read_text()
    assert json.loads(as_json.out)["ApiEndpoint"].startswith("https://")
    assert (down.status, gone.status) == (0, 1)


def test_prod_is_protected_and_its_check_sees_when_it_is_not(here: Checkout) -> None:
    """What a template cannot say is said by the deployment, again whenever somebody took it away."""
    verify = [".venv/bin/pytest", "verification", "-m", "INF-17", "--env", "prod"]
    client = here.client("cloudformation")
    try:
        deployed = here.run("./scripts/deploy.sh", "prod", "--yes")
        kept = here.run(*verify)
        refused = here.run("./scripts/deploy.sh", "prod", "--delete", "--yes")
        client.update_termination_protection(StackName=PROD, EnableTerminationProtection=False)
        taken_away = here.run(*verify)
        again = here.run("./scripts/deploy.sh", "prod", "--yes")
    finally:
        client.update_termination_protection(StackName=PROD, EnableTerminationProtection=False)
        deleted = here.run("./scripts/deploy.sh", "prod", "--delete", "--yes")

    assert (deployed.status, again.status) == (0, 0), deployed.err[-2000:] + again.err[-2000:]
    assert "No changes to deploy" in again.out + again.err
    assert "termination protection: on" in again.out
    assert (kept.status, taken_away.status) == (0, 1), kept.out[-3000:] + taken_away.out[-3000:]
    assert "can be deleted" in taken_away.out
    assert (refused.status, deleted.status) == (4, 0), refused.err + deleted.err


@dataclass(frozen=True)
class Moment:
    """When a deployment is killed: how far into which step, on what stack, alone or with all that it started."""

    step: str
    into: float
    fresh: bool = False
    alone: bool = True
    in_flight: bool = False

    def __str__(self) -> str:
        when = "in flight" if self.in_flight else f"{self.into:.0%}"
        return f"{self.step} {when}, {'new' if self.fresh else 'update'}, {'alone' if self.alone else 'all'}"


# What SAM says once the change set is executed. The emulator answers nobody until it is done, so that its stacks are
# never seen in motion; CloudFormation's are, which tests/scripts/test_deploy_ways.py waits for.
UNDER_WAY = "Waiting for stack create/update to complete"
MOMENTS = [
    Moment("sam build", 0.02),
    Moment("sam build", 0.3, alone=False),
    Moment("sam build", 0.6),
    Moment("sam build", 0.9, alone=False),
    Moment("sam deploy", 0.05),
    Moment("sam deploy", 0.3, fresh=True, alone=False),
    Moment("sam deploy", 0.4, fresh=True),
    Moment("sam deploy", 0.5, alone=False),
    Moment("sam deploy", 0.0, fresh=True, alone=False, in_flight=True),
    Moment("sam deploy", 0.0, in_flight=True),
    Moment("sam deploy", 0.0, fresh=True, in_flight=True),
    Moment("sam deploy", 0.0, alone=False, in_flight=True),
    Moment("sam deploy", 0.95, fresh=True),
    Moment("outputs", 0.0),
    Moment("frontend/.env", 0.0),
    Moment("health check", 0.0, alone=False),
    Moment("page build", 0.2),
    Moment("page build", 0.8, alone=False),
    Moment("page upload", 0.3),
    Moment("page health check", 0.0),
]


@dataclass
class Way:
    """One deployment to the end, by which moments become seconds."""

    taken: dict[str, float] = field(default_factory=dict)


@pytest.fixture(scope="module")
def way(here: Checkout) -> Way:
    ended = here.deploy("--frontend", "--parameter", "LogRetentionDays=14")
    assert ended.status == 0, ended.err[-2000:]
    told = ended.out.rpartition("(")[2].partition(")")[0]
    steps = (each.rsplit(" ", 2) for each in told.split(", "))
    return Way({name: float(seconds) for name, seconds, _ in steps})


@pytest.mark.parametrize("moment", MOMENTS, ids=str)
def test_killed_at_any_moment(
    here: Checkout, way: Way, moment: Moment, capsys: pytest.CaptureFixture[str]
) -> None:
    """The next run repairs and completes; frontend/.env is the old one or the new one, and whole."""
    if moment.fresh:
        assert here.deploy("--delete").status == 0
    source = here.root / "backend" / "src" / "pixel_prompt" / "__init__.py"
    source.write_text(f"{source.read_text()}# {moment}\n")
    page = here.root / "frontend" / "public" / "robots.txt"
    page.write_text(f"{page.read_text()}# {moment}\n")
    here.dotenv.write_bytes(OLD.encode())
    arguments = ["--frontend", "--parameter", f"LogRetentionDays={60 if MOMENTS.index(moment) % 2 else 90}"]

    reached = killed(here, moment, way, arguments)
    found = here.stack().get("StackStatus", "none")
    left = here.dotenv.read_bytes().decode()
    ended = here.deploy(*arguments)
    told = [line for line in ended.err.splitlines() if line.startswith(("note:", "error:"))]

    with capsys.disabled():
        print(
            f"\n{moment}: killed in '{reached}', stack {found}, .env {'old' if left == OLD else 'new'}; ",
            end="",
        )
        print(f"next run {ended.status} in {ended.seconds:.1f} s{f' ({told[0]})' if told else ''} ", end="")
    assert ended.status == 0, ended.err[-3000:]
    assert left in (OLD, expected(here))
    assert here.dotenv.read_bytes().decode() == expected(here)
    assert here.stack()["StackStatus"] in ("CREATE_COMPLETE", "UPDATE_COMPLETE")
    assert deployed_source(here) == source.read_text()
    assert stored(here, "robots.txt") == page.read_text()
    assert list(here.dotenv.parent.glob("..env.new-*")) == []
    private = [path.name for path in (here.root / ".local/.deployment").glob("*/*")]
    assert set(private) <= {"provider-keys.json"}


def killed(here: Checkout, moment: Moment, way: Way, arguments: list[str]) -> str:
    """Begin a deployment and kill it at that moment; the step that it was in."""
    with (here.root / "killed.log").open("w+b") as said:
        running = subprocess.Popen(
            [str(here.root / "scripts/deploy.sh"), "staging", "--yes", *arguments],
            cwd=here.root,
            env=here.variables,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
        )
        log = Path(said.name)
        while f"==> {moment.step}\n" not in log.read_text(errors="replace"):
            assert running.poll() is None, log.read_text(errors="replace")[-2000:]
            time.sleep(0.005)
        time.sleep(moment.into * way.taken[moment.step])
        while moment.in_flight and UNDER_WAY not in log.read_text(errors="replace"):
            assert running.poll() is None, "CloudFormation was never told to begin"
            time.sleep(0.005)
        started = [] if moment.alone else descendants(running.pid)
        for process in (running.pid, *started):
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        assert running.wait(30) == -signal.SIGKILL
        return log.read_text(errors="replace").rpartition("==> ")[2].partition("\n")[0]


def descendants(process: int) -> list[int]:
    """Everything that a process has started, and what that has."""
    listed = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    parents = {int(pid): int(parent) for pid, parent in (line.split() for line in listed.splitlines())}
    found = [process]
    for each in found:
        found += [pid for pid, parent in parents.items() if parent == each]
    return found[1:]


def deployed_source(here: Checkout) -> str:
    """The package's own file, as the API's function holds it."""
    import io
    import zipfile

    import requests

    name = next(
        each["PhysicalResourceId"]
        for each in here.client("cloudformation").list_stack_resources(StackName=STACK)[
            "StackResourceSummaries"
        ]
        if each["LogicalResourceId"] == "ApiFunction"
    )
    where = here.client("lambda").get_function(FunctionName=name)["Code"]["Location"]
    package = requests.get(where, timeout=30, verify=here.state.ca_bundle).content
    with zipfile.ZipFile(io.BytesIO(package)) as packed:
        return packed.read("pixel_prompt/__init__.py").decode()


def stored(here: Checkout, key: str) -> str:
    """A file of the page, as its bucket holds it."""
    answer = here.client("s3").get_object(Bucket=here.outputs()["SiteBucketName"], Key=key)
    return str(answer["Body"].read().decode())
