"""readiness/aws/function.py"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import zipfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from readiness import hindrance
from readiness.aws.function import Function
from readiness.errors import Missing, Unverified
from tests.probes.server import Reply

TRUST = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}


@pytest.fixture(scope="module")
def role(env):
    document = json.dumps({"Version": "2012-10-17", "Statement": [TRUST]})
    made = env.client("iam").create_role(
        RoleName="some-role", AssumeRolePolicyDocument=document, Path="/own/"
    )
    return made["Role"]["Arn"]


@pytest.fixture
def deploy(env, role, unique):
    def deploy(**settings):
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("app.py", "def handler(event, context): ...")
        env.client("lambda").create_function(
            FunctionName=unique,
            Runtime="python3.13",
            Role=role,
            Handler="app.handler",
            Code={"ZipFile": file.getvalue()},
            **settings,
        )
        return Function(env, unique)

    return deploy


def configured(env, **configuration):
    """A function whose configuration has been read."""
    function = Function(env, "some-function")
    vars(function).update(configuration={"FunctionName": "some-function", **configuration})
    return function


def test_what_is_configured_is_read(deploy, env):
    function = deploy(
        Timeout=29, MemorySize=512, TracingConfig={"Mode": "Active"}, Environment={"Variables": {"A": "b"}}
    )

    assert (function.timeout, function.memory_mb) == (timedelta(seconds=29), 512)
    assert (function.runtime, function.role_name) == ("python3.13", "some-role")
    assert (function.tracing_mode, function.environment) == ("Active", {"A": "b"})


def test_what_is_not_configured_has_lambdas_default(deploy):
    function = deploy()

    assert (function.timeout, function.memory_mb) == (timedelta(seconds=3), 128)
    assert (function.tracing_mode, function.environment) == ("PassThrough", {})
    assert function.reserved_concurrency is None
    assert function.permissions == []
    assert function.event_sources == []
    assert function.log_group_name == f"/aws/lambda/{function.name}"


def test_a_log_group_of_its_own_is_named(env):
    assert configured(env, LoggingConfig={"LogGroup": "/own"}).log_group_name == "/own"
    assert configured(env, LoggingConfig={}).log_group_name == "/aws/lambda/some-function"


def test_reserved_concurrency_is_read(deploy, env):
    function = deploy()
    env.client("lambda").put_function_concurrency(FunctionName=function.name, ReservedConcurrentExecutions=0)

    assert function.reserved_concurrency == 0


def test_who_may_invoke_is_read(deploy, env):
    function = deploy()
    env.client("lambda").add_permission(
        FunctionName=function.name,
        StatementId="gateway",
        Action="lambda:InvokeFunction",
        Principal="apigateway.amazonaws.com",
    )

    (statement,) = function.permissions
    assert statement["Principal"] == {"Service": "apigateway.amazonaws.com"}


def test_event_sources_are_read(deploy, env, unique):
    function = deploy()
    url = env.client("sqs").create_queue(QueueName=unique)["QueueUrl"]
    arn = env.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    arn = arn["Attributes"]["QueueArn"]
    env.client("lambda").create_event_source_mapping(EventSourceArn=arn, FunctionName=function.name)

    assert [mapping["EventSourceArn"] for mapping in function.event_sources] == [arn]


@pytest.mark.parametrize("fact", ["timeout", "reserved_concurrency", "permissions"])
def test_a_function_that_does_not_exist_is_missing(env, fact):
    with pytest.raises(Missing, match="ResourceNotFoundException"):
        getattr(Function(env, "never-made"), fact)


def test_what_an_invoked_function_returns_is_read(scripted, stub):
    stub.replies(Reply.json({"models": []}))

    assert Function(scripted, "some-function").invoke({"action": "check-keys"}) == {"models": []}
    assert json.loads(stub.asked[0].body) == {"action": "check-keys"}


def test_a_function_that_fails_is_unverified(scripted, stub):
    body = json.dumps({"errorType": "KeyError"}).encode()
    stub.replies(Reply(200, body, {"X-Amz-Function-Error": "Unhandled"}))

    with pytest.raises(Unverified, match=r"some-function.*Unhandled KeyError"):
        Function(scripted, "some-function").invoke({})


REPORT = "REPORT RequestId: r\tDuration: {} ms\tBilled Duration: 9 ms\tMemory Size: 128 MB\tMax Memory Used: 40 MB\t{}\n"


def invoked(duration, init=None):
    """An answer of Invoke with the end of the log."""
    log = REPORT.format(duration, f"Init Duration: {init} ms\t" if init else "")
    return Reply(200, b"{}", {"X-Amz-Log-Result": base64.b64encode(log.encode()).decode()})


def test_cold_starts_come_from_versions_that_are_deleted_again(scripted, stub):
    published = {"FunctionName": "some-function", "State": "Active", "LastUpdateStatus": "Successful"}
    calls = []

    def answer(request):
        calls.append((request.method, request.path))
        if request.path.endswith("/invocations?Qualifier=7"):
            return invoked(2.5, init=100)
        if request.method == "GET" and "/versions" in request.path:
            return Reply.json({"Versions": [{**published, "Version": "$LATEST"}]})
        if request.method == "DELETE":
            return Reply(204)
        return Reply.json({**published, "Version": "7"}, status=201 if request.method == "POST" else 200)

    stub.answer = answer
    starts = Function(scripted, "some-function").cold_starts({}, 2)

    assert [start.start_to_answer for start in starts] == [timedelta(milliseconds=102.5)] * 2
    assert [path for method, path in calls if method == "DELETE"] == [
        "/2015-03-31/functions/some-function?Qualifier=7"
    ] * 2


def test_a_version_that_a_killed_run_left_is_deleted_first(scripted, stub):
    left = {
        "FunctionName": "f",
        "Version": "3",
        "Description": "cold start, measured by stack-readiness",
    }
    deleted = []

    def answer(request):
        if request.method == "DELETE":
            deleted.append(request.path.rpartition("=")[2])
            return Reply(204)
        if request.method == "GET" and "/versions" in request.path:
            return Reply.json({"Versions": [left]})
        return Reply.json({**left, "Version": "4", "State": "Active", "LastUpdateStatus": "Successful"})

    stub.answer = answer
    with Function(scripted, "f").fresh_version() as version:
        assert (version, deleted) == ("4", ["3"])

    assert deleted == ["3", "4"]


def test_a_version_that_stood_before_is_no_fresh_one_and_stays(scripted, stub):
    published = {"FunctionName": "some-function", "Version": "3"}

    def answer(request):
        assert request.method != "DELETE"
        return Reply.json(published if request.method == "POST" else {"Versions": [published]})

    stub.answer = answer

    with (
        pytest.raises(Unverified, match="published as version 3 already"),
        Function(scripted, "some-function").fresh_version(),
    ):
        pass


def test_only_warm_invocations_are_measured(scripted, stub):
    stub.replies(invoked(1, init=80), invoked(2), invoked(3), invoked(4))

    reports = Function(scripted, "some-function").warm_invocations({}, 2)

    assert [report.duration for report in reports] == [timedelta(milliseconds=2), timedelta(milliseconds=3)]


def test_how_long_the_machine_kept_an_invocation_waiting_is_known_where_it_is_this_one(
    scripted, stub, monkeypatch
):
    waits = [timedelta(seconds=seconds) for seconds in (1, 3, 9, 8)]
    monkeypatch.setattr(hindrance, "waited", lambda process: waits.pop(0) if process == 42 else None)
    here = replace(scripted, server=42)
    stub.replies(*[invoked(5)] * 3)

    reports = [Function(env, "some-function").report({}) for env in (scripted, here, here)]

    # The processes that have ended meanwhile take what they waited with them.
    assert [report.hindered for report in reports] == [timedelta(), timedelta(seconds=2), timedelta()]


def package_of(reach, stub, content, digest=None):
    """A function whose package is this content, and whose configuration says that digest."""
    sha = base64.b64encode(hashlib.sha256(content).digest()).decode()
    code = json.dumps({"Code": {"Location": f"{stub.url}/code"}}).encode()
    configuration = json.dumps({"CodeSha256": digest or sha}).encode()
    stub.replies(Reply(200, code), Reply(200, configuration), Reply(200, content))
    return Function(reach(stub.url), "door").package


def zipped():
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("a/", "")
        archive.writestr("a/b.py", "b")
    return content.getvalue()


def test_the_package_is_read_file_by_file(reach, stub):
    assert package_of(reach, stub, zipped()) == {"a/b.py": b"b"}


def test_a_package_that_is_not_the_one_that_runs_settles_nothing(reach, stub):
    with pytest.raises(Unverified, match="is not the package that runs"):
        package_of(reach, stub, zipped(), digest="another")


def test_a_package_that_is_no_zip_settles_nothing(reach, stub):
    with pytest.raises(Unverified, match="is no zip"):
        package_of(reach, stub, b"an image")


def test_a_function_that_fails_when_it_has_to_is_fine(scripted, stub):
    stub.replies(Reply(200, b'{"errorType": "ValueError"}', {"X-Amz-Function-Error": "Unhandled"}))

    Function(scripted, "f").fail({"odd": 1})

    assert json.loads(stub.asked[0].body) == {"odd": 1}


def test_a_function_that_does_not_fail_forces_no_error(scripted, stub):
    stub.replies(Reply(200, b"{}", {}))

    with pytest.raises(Unverified, match=r"does not fail on \{'odd': 1\}"):
        Function(scripted, "f").fail({"odd": 1})


def test_errors_are_those_of_the_function_that_cloudwatch_counts(env, unique):
    for name, value in ((unique, 2), (unique, 3), ("another", 100)):
        datum = {
            "MetricName": "Errors",
            "Value": value,
            "Dimensions": [{"Name": "FunctionName", "Value": name}],
        }
        env.client("cloudwatch").put_metric_data(Namespace="AWS/Lambda", MetricData=[datum])
    function, now = Function(env, unique), datetime.now(UTC)

    assert function.errors(now) == 5
    function.wait_for_errors(5, now, timedelta(0))
    with pytest.raises(Unverified, match=r"counts 5 of 6 errors of .* after \d+ s"):
        function.wait_for_errors(6, now, timedelta(0))
