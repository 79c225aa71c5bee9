"""The life of an embedded AWS: start, reuse, stop, and every way of dying."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError

from readiness.errors import UsageProblem
from tests.embedded.conftest import Running, archive, unique
from verification.embedded import cloud as clouds
from verification.embedded.cloud import Cloud

pytestmark = [pytest.mark.embedded, pytest.mark.xdist_group("embedded")]

SLEEPER = """
import time
def handler(event, context):
    time.sleep(event.get("seconds", 0))
"""


@pytest.fixture
def other() -> Iterator[Cloud]:
    """A second cloud, not yet started; removed whatever the test did to it."""
    cloud = Cloud(unique(f"test-{os.getpid()}"))
    yield cloud
    cloud.down()


@pytest.fixture
def apart(other: Cloud, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    """The same in a folder of its own: whoever else starts a cloud meanwhile sweeps what has died."""
    with tempfile.TemporaryDirectory() as folder:
        monkeypatch.setattr(clouds, "CLOUDS", Path(folder))
        yield other
        other.down()


def until(true: Callable[[], object], seconds: float = 10.0) -> bool:
    """Return whether `true` became true in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if true():
            return True
        time.sleep(0.05)
    return False


def listens(endpoint: str) -> bool:
    with (
        contextlib.suppress(OSError),
        socket.create_connection(("127.0.0.1", urlsplit(endpoint).port or 0), 1),
    ):
        return True
    return False


def processes_in(directory: Path) -> list[int]:
    """Return the processes whose working directory or command line lies in `directory`."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            where = (process / "cwd").readlink()
            if str(directory) in f"{command} {where}" and process.name != str(os.getpid()):
                found.append(int(process.name))
    return found


def test_up_reuses_a_running_cloud(cloud: Running) -> None:
    """A second `up` must not lose the deployment that the first one holds."""
    again = cloud.cloud.up()

    assert again.state == cloud.state
    assert "reused" in again.story


def test_up_restarts_when_the_sources_changed(other: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise yesterday's server would judge today's change."""
    before = other.up(owned_by=os.getpid()).state
    monkeypatch.setattr(clouds, "source_digest", lambda: "another")

    after = other.up(owned_by=os.getpid())

    assert "sources changed" in after.story
    assert after.state.pid != before.pid
    assert not listens(before.endpoint)


def test_up_of_another_pace_replaces_the_cloud(other: Cloud) -> None:
    """Whoever asks for an AWS at its worst must not be given one that answers at once, nor the other way round."""
    usual = other.up(owned_by=os.getpid()).state
    slow = other.up(owned_by=os.getpid(), speed=50.0)
    again = other.up(owned_by=os.getpid(), speed=50.0)

    assert usual.speed is None
    assert "another pace was asked for" in slow.story
    assert (slow.state.speed, again.state) == (50.0, slow.state)
    assert other.up().state == slow.state, "who asks for no pace takes the cloud as it is"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--speed", "20"], "give both or neither"),
        (["--pessimistic", "--speed", "1000"], "from 1 to 100"),
        (["--pessimistic", "--speed", "fast"], "from 1 to 100"),
    ],
)
def test_a_speed_is_a_number_for_a_pessimistic_cloud(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        status = clouds.main(["up", "--name", "never-started", *arguments])
    except SystemExit as ended:
        status = int(ended.code or 0)

    assert status == clouds.EXIT_USAGE
    assert told in capsys.readouterr().err
    assert not Cloud("never-started").directory.exists()


def test_state_is_private_and_complete(cloud: Running) -> None:
    """The administrator's secret lies in it."""
    path = cloud.cloud.directory / "state.json"

    assert path.stat().st_mode & 0o777 == 0o600
    assert cloud.cloud.directory.stat().st_mode & 0o777 == 0o700
    assert (cloud.cloud.directory / "leaf.key").stat().st_mode & 0o777 == 0o600
    assert json.loads(path.read_text())["control"] == f"{cloud.state.endpoint}/_embedded"
    assert cloud.state.secret_access_key not in repr(cloud.state)


def test_two_clouds_do_not_see_each_other(cloud: Running, other: Cloud) -> None:
    """Runs side by side on one machine, as under xdist, must not share state, ports or files."""
    second = Running(other, other.up(owned_by=os.getpid()).state)

    cloud.client("s3").create_bucket(Bucket=unique("only-in-the-first"))

    assert second.state.endpoint != cloud.state.endpoint
    assert second.client("s3").list_buckets()["Buckets"] == []
    assert other.down()
    assert not listens(second.state.endpoint)
    assert listens(cloud.state.endpoint)


def test_a_taken_port_is_named(other: Cloud) -> None:
    """A hang, or a cloud somewhere else than asked, would send requests astray."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        with pytest.raises(UsageProblem, match=f"127.0.0.1:{port}"):
            other.up(port=port)

    assert not other.directory.exists()


def test_a_wanted_port_is_used(other: Cloud) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]

    assert other.up(port=port, owned_by=os.getpid()).state.endpoint == f"https://127.0.0.1:{port}"


def test_listens_on_loopback_only(cloud: Running) -> None:
    """On all interfaces, the network could use the account."""
    pid = cloud.state.pid
    inodes = {
        link.readlink().name.removeprefix("socket:[").rstrip("]")
        for link in Path(f"/proc/{pid}/fd").iterdir()
        if link.readlink().name.startswith("socket:[")
    }
    listening = [
        line.split()[1]
        for table in ("tcp", "tcp6")
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]
        if line.split()[3] == "0A" and line.split()[9] in inodes
    ]

    assert listening
    assert {address.partition(":")[0] for address in listening} == {"0100007F"}
    assert all(int(address.partition(":")[2], 16) < 32768 for address in listening)


def test_sigterm_leaves_nothing(other: Cloud) -> None:
    """A cloud ended from outside must not leave a process, a port or a file."""
    state = other.up(owned_by=os.getpid()).state

    os.kill(state.pid, signal.SIGTERM)

    assert until(lambda: not other.directory.exists())
    assert until(lambda: not processes_in(other.directory))
    assert not listens(state.endpoint)


def test_death_of_the_owner_ends_everything(other: Cloud) -> None:
    """A test run killed by CI must not leave a server on the machine."""
    code = "import os, sys, time; from verification.embedded.cloud import Cloud; "
    code += (
        f"print(Cloud({other.name!r}).up(owned_by=os.getpid()).state.endpoint, flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=clouds.ROOT, stdout=subprocess.PIPE, text=True
    ) as owner:
        assert owner.stdout is not None
        endpoint = owner.stdout.readline().strip()
        assert listens(endpoint)
        owner.kill()

    assert until(lambda: not other.directory.exists())
    assert until(lambda: not processes_in(other.directory))
    assert not listens(endpoint)


def test_sigkill_ends_functions_and_the_next_up_sweeps(apart: Cloud) -> None:
    """Nothing can clean up after SIGKILL but the kernel and the next start."""
    running = Running(apart, apart.up(owned_by=os.getpid()).state)
    role = running.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    functions = running.client("lambda")
    functions.create_function(
        FunctionName="f",
        Runtime="python3.13",
        Handler="app.handler",
        Role=role,
        Timeout=60,
        Code={"ZipFile": archive(SLEEPER)},
    )
    functions.invoke(FunctionName="f", Payload=b"{}")
    functions.invoke(FunctionName="f", InvocationType="Event", Payload=b'{"seconds": 50}')
    functions.invoke(FunctionName="f", Payload=b"{}")
    assert len(processes_in(apart.directory)) == 3

    os.kill(running.state.pid, signal.SIGKILL)

    assert until(lambda: not [pid for pid in processes_in(apart.directory) if pid != running.state.pid])
    assert apart.running() is None
    again = apart.up(owned_by=os.getpid())
    assert "swept" in again.story
    assert again.state.pid != running.state.pid


def test_a_reused_process_number_is_not_taken_for_the_server(apart: Cloud) -> None:
    """After a crash, another process may have the number that state.json names."""
    apart.directory.mkdir(parents=True)
    (apart.directory / "server.lock").write_text(str(os.getpid()))
    state = {
        "pid": os.getpid(),
        "endpoint": "https://127.0.0.1:1",
        "region": "",
        "account_id": "",
        "access_key_id": "",
        "secret_access_key": "",
        "ca_bundle": "",
        "control": "",
        "source": "",
    }
    (apart.directory / "state.json").write_text(json.dumps(state))

    assert apart.running() is None
    with pytest.raises(UsageProblem, match=r"cloud\.sh up --name"):
        apart.require()
    assert apart.down()


def test_reset_empties_and_keeps_the_administrator(other: Cloud) -> None:
    """A test between two deployments wants an empty account and the keys that it already holds."""
    running = Running(other, other.up(owned_by=os.getpid()).state)
    running.client("s3").create_bucket(Bucket="a-bucket")

    other.reset()

    assert other.running() == running.state
    assert running.client("s3").list_buckets()["Buckets"] == []
    assert len(running.client("acm").list_certificates()["CertificateSummaryList"]) == 1


def test_nothing_lies_in_the_systems_temporary_directory(
    cloud: Running, make_function: Callable[..., str]
) -> None:
    """It would outlive a killed cloud, where others can read it."""
    before = set(Path(tempfile.gettempdir()).iterdir())
    name = make_function("import tempfile\ndef handler(event, context):\n    return tempfile.mkdtemp()")

    made = json.load(cloud.client("lambda").invoke(FunctionName=name)["Payload"])

    assert made.startswith(str(cloud.cloud.directory))
    grown = {path.name for path in set(Path(tempfile.gettempdir()).iterdir()) - before}
    assert not {name for name in grown if "ministack" in name or "lambda" in name or "environment" in name}


def test_the_administrator_is_a_user_and_its_secret_counts(cloud: Running) -> None:
    """Root's secret is not checked, and root ignores a Deny."""
    assert ":user/" in cloud.client("sts").get_caller_identity()["Arn"]
    with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
        cloud.client("iam", (cloud.state.access_key_id, "wrong")).list_users()


def test_a_user_without_policy_is_denied(cloud: Running) -> None:
    """Without it every negative test of a permission would pass by itself."""
    iam, name = cloud.client("iam"), unique("user")
    iam.create_user(UserName=name)
    made = iam.create_access_key(UserName=name)["AccessKey"]
    key = (made["AccessKeyId"], made["SecretAccessKey"])

    with pytest.raises(ClientError, match=r"not authorized to perform: iam:ListRoles"):
        cloud.client("iam", key).list_roles()
    with pytest.raises(ClientError, match="AccessDenied"):
        cloud.client("s3", key).list_buckets()


@pytest.mark.parametrize("name", ["", "../outside", "a/b", ".hidden"])
def test_a_name_is_a_plain_name(name: str) -> None:
    """`down` removes the directory of that name."""
    with pytest.raises(UsageProblem, match="--name"):
        Cloud(name)


class TestCommand:
    """scripts/cloud.sh."""

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [clouds.ROOT / "scripts" / "cloud.sh", *arguments], capture_output=True, text=True, check=False
        )

    def test_env_is_what_a_shell_needs(self, cloud: Running) -> None:
        answer = self.run("env", "--name", cloud.cloud.name)

        shown = subprocess.run(
            ["bash", "-c", f"{answer.stdout}\nenv"],
            capture_output=True,
            text=True,
            check=True,
            env={"AWS_PROFILE": "mine", "AWS_SESSION_TOKEN": "old"},
        ).stdout.splitlines()
        assert f"AWS_ENDPOINT_URL={cloud.state.endpoint}" in shown
        assert f"NODE_EXTRA_CA_CERTS={cloud.state.ca_bundle}" in shown
        assert not [line for line in shown if line.startswith(("AWS_PROFILE", "AWS_SESSION_TOKEN"))]

    def test_status_speaks_by_its_exit_status(self, cloud: Running) -> None:
        assert self.run("status", "--name", cloud.cloud.name).returncode == 0
        assert self.run("status", "--name", "never-started").returncode == 1

    def test_logs_show_the_servers_log(self, cloud: Running) -> None:
        assert "services available" in self.run("logs", "--name", cloud.cloud.name).stdout

    def test_down_of_nothing_is_no_error(self) -> None:
        answer = self.run("down", "--name", "never-started")

        assert (answer.returncode, answer.stderr) == (0, "")

    @pytest.mark.parametrize("arguments", [(), ("sideways",), ("up", "--nonsense")])
    def test_misuse_exits_4(self, arguments: tuple[str, ...]) -> None:
        assert self.run(*arguments).returncode == 4

    def test_env_of_nothing_says_what_to_do(self) -> None:
        answer = self.run("env", "--name", "never-started")

        assert answer.returncode == 4
        assert "./scripts/cloud.sh up --name never-started" in answer.stderr
