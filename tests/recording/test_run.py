"""verification --record and --replay: whole runs, against a stand-in for AWS that is gone when they are replayed."""

from __future__ import annotations

import itertools
import json
import socket
from dataclasses import replace

import boto3
import pytest

from readiness import environment
from readiness.environment import Environment, Settings
from readiness.recording import tape
from readiness.session import conclusion
from tests.plugin.project import Project
from tests.probes.server import Reply, StubServer
from tests.stand_in import stand_in_for_aws

CHECKS = """
import subprocess, sys, time, uuid
from datetime import UTC, datetime
import pytest
from readiness.errors import Unverified
from readiness.probes.http import exchange
pytestmark = pytest.mark.security

@pytest.fixture(scope="session")
def greeting(env):
    return exchange(env, "POST", {url!r} + "/hello", body=uuid.uuid4().hex.encode())

@pytest.mark.item("SEC-01")
def test_door(env, evidence):
    {door}

@pytest.mark.item("SEC-02")
def test_window(env, evidence, greeting):
    {window}
"""
READS = """
    bucket = env.client("s3").list_buckets()["Buckets"][0]
    assert bucket["Name"] == "images" and bucket["CreationDate"] < datetime.now(UTC)
    assert env.client("s3").get_object(Bucket="images", Key="k")["Body"].read() == b"picture"
"""
ASKS = """
    began, sent = time.monotonic(), uuid.uuid4().hex
    for attempt in range(3):
        answer = exchange(env, "GET", {url!r} + "/status", headers={{"X-Own": sent}})
        if answer.status == 200:
            break
        time.sleep({pause})
    evidence["waited"] = time.monotonic() - began
    assert answer.headers["x-seen"] == sent and greeting.status == 200
"""
SECRET = "AKIA" + "Q3EGTWHZ5XKLMNOP"
MAIL = "grace.hopper@navy.mil"


@pytest.fixture(scope="module")
def aws():
    """Has one stack and one bucket."""
    with stand_in_for_aws() as url:
        settings = {"region_name": "us-east-1", "endpoint_url": url}
        client = boto3.Session("testing", "testing").client
        client("cloudformation", **settings).create_stack(
            StackName="some-stack",
            TemplateBody=json.dumps({"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}),
            Tags=[{"Key": "owner", "Value": f"{MAIL} {SECRET} 81.2.69.142"}],
        )
        client("s3", **settings).create_bucket(Bucket="images")
        client("s3", **settings).put_object(Bucket="images", Key="k", Body=b"picture")
        yield url


@pytest.fixture
def web():
    """Answers late, then says what it was sent."""
    stub, count = StubServer(), itertools.count()

    def answer(request):
        if request.path == "/hello":
            return Reply()
        return Reply(200 if next(count) % 3 == 2 else 503, headers={"X-Seen": request.headers["x-own"]})

    stub.answer = answer
    yield stub
    stub.close()


class Runs(Project):
    """The same project, recorded and replayed."""

    def __init__(self, pytester, monkeypatch, aws, web):
        super().__init__(pytester, monkeypatch)
        self.aws, self.web = aws, web
        self.folder = self.root / "recording"
        self.pytester.makeconftest('pytest_plugins = ["verification.fixtures"]')

    def environment(self, name):
        session = boto3.Session("testing", "testing", region_name="us-east-1")
        return Environment(Settings(name, "some-stack", "us-east-1"), session, self.aws)

    def checks(self, door=READS, window=ASKS, pause=0.01):
        texts = {"door": door, "window": window}
        told = {name: text.strip("\n").removeprefix("    ") for name, text in texts.items()}
        told = {name: text.format(url=self.web.url, pause=pause) for name, text in told.items()}
        return (
            CHECKS.replace("{url!r}", repr(self.web.url)).format(**told).replace("{", "{{").replace("}", "}}")
        )

    def record(self, *arguments, **checks):
        return self.run("--record", str(self.folder), *arguments, checks=self.checks(**checks))

    def replay(self, *arguments, **checks):
        return self.run("--replay", str(self.folder), *arguments, checks=self.checks(**checks))


@pytest.fixture
def runs(pytester, monkeypatch, aws, web):
    return Runs(pytester, monkeypatch, aws, web)


@pytest.fixture
def refuse(monkeypatch):
    """Nobody may connect any more, whoever asks."""

    def start():
        def refused(*arguments, **_):
            raise AssertionError(f"a replay dialled {arguments}")

        for name in ("connect", "connect_ex", "sendto"):
            monkeypatch.setattr(socket.socket, name, refused)
        monkeypatch.setattr(socket, "create_connection", refused)
        monkeypatch.setattr(environment, "connect", refused)

    return start


def test_a_replay_ends_as_the_recorded_run_and_opens_no_connection(runs, refuse):
    recorded = runs.record()
    asked = len(runs.web.asked)
    refuse()
    replayed = runs.replay()

    assert recorded.ret == 0, runs.output
    assert replayed.ret == conclusion.REPLAYED, runs.output
    assert runs.outcomes("staging-replayed") == {"SEC-01": "pass", "SEC-02": "pass"}
    assert len(runs.web.asked) == asked
    assert "2 of 2 items were replayed, 2 with the recorded outcome" in runs.output


def test_a_replay_is_never_ready_and_says_of_what_day_it_is(runs):
    runs.record()
    runs.replay()
    report = runs.report("staging-replayed")

    assert report["verdict"].startswith("REPLAYED of 20")
    assert report["ok"] is False
    assert report["signature"] == "not signed: replayed"
    assert runs.outcomes("staging-replayed") == {"SEC-01": "pass", "SEC-02": "pass"}


def test_a_recorded_failure_fails_again(runs, refuse):
    broken = READS.replace('"images" and', '"pictures" and')
    runs.record(door=broken)
    refuse()
    replayed = runs.replay(door=broken)

    assert runs.outcomes("staging-replayed")["SEC-01"] == "fail"
    assert replayed.ret == conclusion.REPLAYED  # it ends as recorded


def test_another_verdict_than_recorded_is_reported(runs):
    runs.record()
    replayed = runs.replay(door=READS.replace('"images" and', '"pictures" and'))

    assert replayed.ret == 1
    assert "SEC-01: recorded pass, replayed fail" in runs.output


def test_waits_end_at_once_and_take_as_long_as_recorded(runs):
    runs.record(pause=0.5)
    recorded = float(_evidence(runs.report())["waited"])
    runs.replay(pause=0.5)
    report = runs.report("staging-replayed")

    assert float(_evidence(report)["waited"]) == pytest.approx(recorded, abs=0.3)
    assert recorded >= 1
    assert report["items"][1]["seconds"] < 1


def _evidence(report):
    return next(item["read"] for item in report["items"] if item["id"] == "SEC-02")


MORE = {
    "another object": 'env.client("s3").get_object(Bucket="images", Key="other")',
    "another operation": 'env.client("sqs").list_queues()',
    "another address": 'exchange(env, "GET", {url!r} + "/other")',
    "a write again": 'exchange(env, "DELETE", {url!r} + "/other")',
    "a socket of its own": 'import socket; socket.create_connection(("127.0.0.1", 9), 1)',
    "a name": 'import socket; socket.getaddrinfo("somewhere.example", 443)',
}


@pytest.mark.parametrize("more", MORE)
def test_what_was_not_recorded_is_unverified(runs, more):
    runs.record()
    replayed = runs.replay(door=MORE[more])
    item = runs.report("staging-replayed")["items"][0]

    assert (item["outcome"], item["cause"]) == ("unverified", "not in the recording"), item["reason"]
    assert replayed.ret == 1


def test_what_reads_may_be_asked_by_another_check_and_what_changes_may_not(runs):
    runs.record(window='exchange(env, "DELETE", {url!r} + "/one", headers={{"X-Own": ""}})')
    runs.replay(
        door='[exchange(env, "DELETE", {url!r} + "/one", headers={{"X-Own": ""}}) for _ in range(2)]',
        window=READS,
    )

    assert runs.outcomes("staging-replayed") == {"SEC-01": "unverified", "SEC-02": "pass"}


def test_no_answer_is_recorded_and_replayed_too(runs, refuse):
    silent = 'exchange(env, "GET", "http://127.0.0.1:9/")'
    runs.record(window=silent)
    refuse()
    runs.replay(window=silent)
    item = runs.report("staging-replayed")["items"][1]

    assert (item["outcome"], item["cause"]) == ("unverified", "127.0.0.1:9 does not answer")


LEFT_OUT = {
    "it starts a tool of its own": "subprocess.run([sys.executable, '--version'], check=True)",
    "it opens connections of its own": (
        'import socket; own = socket.socket(); own.connect(("127.0.0.1", int({url!r}.rpartition(":")[2]))); own.close()'
    ),
}


@pytest.mark.parametrize("why", LEFT_OUT)
def test_what_no_recording_holds_is_left_out(runs, why):
    runs.record(door=LEFT_OUT[why])
    replayed = runs.replay(door=LEFT_OUT[why])
    item = runs.report("staging-replayed")["items"][0]

    assert item["cause"] == "not recorded"
    assert why in item["reason"]
    assert replayed.ret == conclusion.REPLAYED
    assert "1 of 2 items were replayed" in runs.output


def test_no_secret_is_in_a_recording(runs):
    runs.record()
    kept = "".join(file.read_text() for file in runs.folder.iterdir())

    assert "owner" in kept
    assert [text for text in (SECRET, MAIL, "81.2.69.142", "123456789012", "testing") if text in kept] == []


PACKAGE = """
    files = env.exchanges.call("package", {{"function": "f"}}, lambda: {{"a/plain.py": b"x = 1", "a/keys.py": {text!r}.encode()}})
    assert files == {{"a/plain.py": b"x = 1", "a/keys.py": {text!r}.encode()}}
"""


@pytest.mark.parametrize(("is_there", "outcome"), [(True, "pass"), (False, "unverified")])
def test_a_deployed_file_that_redaction_would_alter_comes_from_the_checkout(runs, is_there, outcome):
    text = 'API_KEY = "' + "sk-" + 'hunter2hunter2"'
    check = PACKAGE.replace("{text!r}", repr(text))
    if is_there:
        (runs.root / "backend" / "keys.py").write_text(text)
    runs.record(door=check)
    kept = (runs.folder / "exchanges.jsonl").read_text()
    runs.replay(door=check)

    assert "x = 1" in kept
    assert "hunter2" not in kept
    assert runs.outcomes("staging-replayed")["SEC-01"] == outcome


def test_workers_are_recorded_into_one_recording_and_replayed_by_as_many(runs):
    plugin_of_workers = f"""
        import boto3
        from readiness import environment
        from readiness.environment import Environment, Settings
        pytest_plugins = ["verification.fixtures"]
        session = boto3.Session("testing", "testing", region_name="us-east-1")
        environment.connect = lambda application, name, **_: Environment(Settings(name, "some-stack", "us-east-1"), session, {runs.aws!r})
    """
    runs.pytester.makeconftest(plugin_of_workers)
    (runs.root / "template.yaml").write_text("")
    (runs.root / "environments.toml").write_text(
        '[staging]\nstack = "some-stack"\nregion = "us-east-1"\nguard = "none"\n'
    )
    recorded = runs.record("-n", "2")
    about = tape.about(runs.folder)
    replayed = runs.replay("-n", "1")

    assert recorded.ret == 0, runs.output
    assert sum(len(nodes) for nodes in about["workers"].values()) == 2
    assert [file.name for file in sorted(runs.folder.iterdir())] == ["exchanges.jsonl", "recording.json"]
    assert replayed.ret == conclusion.REPLAYED, runs.output


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda folder: None, "found something in it; name another"),
        (
            lambda folder: (folder / "recording.json").unlink(),
            "expected a folder with recording.json, found none",
        ),
        (lambda folder: (folder / "recording.json").write_text("{"), "is no JSON"),
        (
            lambda folder: (folder / "recording.json").write_text('{"version": 1}'),
            "found 1, which does not say whether its run was read-only; record a new run",
        ),
        (lambda folder: (folder / "recording.json").write_text('{"version": 3}'), "of version 2, found 3"),
        (lambda folder: (folder / "exchanges.jsonl").write_text("{"), "exchanges.jsonl cannot be read"),
    ],
)
def test_what_is_no_recording_is_refused(runs, change, said):
    runs.record()
    change(runs.folder)
    result = runs.record() if "something" in said else runs.replay()

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert said in runs.output


def test_what_an_unfinished_run_left_is_replaced(runs):
    (runs.folder / "parts").mkdir(parents=True)
    (runs.folder / "parts" / "w0.jsonl").write_text("{")

    assert runs.record().ret == 0, runs.output


def test_a_run_is_recorded_or_replayed(runs):
    runs.record()
    result = runs.replay("--record", str(runs.root / "other"))

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "exclude each other" in runs.output


def test_an_environment_without_a_recording_asks_directly(runs):
    env = runs.environment("staging")

    assert replace(env).exchanges.call("any", {}, lambda: 7) == 7
