"""Lambda as its callers see it."""

from __future__ import annotations

import base64
import json
import os
import re
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from botocore.exceptions import ClientError

from tests.embedded.conftest import Running, archive, unique

pytestmark = [pytest.mark.embedded, pytest.mark.xdist_group("embedded")]

REPORT = re.compile(
    r"^REPORT RequestId: (?P<id>[0-9a-f-]{36})\tDuration: (?P<duration>\d+\.\d\d) ms\t"
    r"Billed Duration: (?P<billed>\d+) ms\tMemory Size: (?P<size>\d+) MB\tMax Memory Used: (?P<used>\d+) MB"
    r"(\tInit Duration: (?P<init>\d+\.\d\d) ms)?(\tStatus: (?P<status>\w+))?(\tError Type: (?P<error>[\w.]+))?\t$",
    re.MULTILINE,
)

SWISS_KNIFE = """
import json, logging, os, socket, sys, threading, time

logging.getLogger().setLevel(logging.INFO)
print("imported")
beats = []

def beat():
    while True:
        beats.append(time.time())
        time.sleep(0.01)

def handler(event, context):
    return globals()[event.get("do", "from_gateway")](event, context)

def environment(event, context):
    return dict(os.environ)

def modules(event, context):
    found = []
    for name in event["names"]:
        try:
            __import__(name)
            found.append(name)
        except ImportError:
            pass
    return found

def fail(event, context):
    raise ValueError(event["message"])

def leave(event, context):
    sys.exit(3)

def speak(event, context):
    print(json.dumps({"message": "a line", "values": [1, 2], "long": "x" * 20000}))
    logging.info("first\\nsecond")
    sys.stderr.write("no line break")

def resolve(event, context):
    try:
        return socket.getaddrinfo(event["host"], 443, type=socket.SOCK_STREAM)[0][4]
    except OSError as error:
        return type(error).__name__

def connect(event, context):
    with socket.socket() as connection:
        connection.settimeout(2)
        try:
            connection.connect((event["host"], 443))
        except OSError as error:
            return str(error)

def dial(event, context):
    import ssl, urllib.error, urllib.request
    try:
        return urllib.request.urlopen(event["url"], timeout=5).status
    except urllib.error.HTTPError as error:
        return error.code

def sleep(event, context):
    time.sleep(event["seconds"])

def large(event, context):
    return "x" * event["bytes"]

def hold(event, context):
    return len(bytes([7]) * (event["mb"] << 20))

def remaining(event, context):
    return [context.get_remaining_time_in_millis(), context.aws_request_id, context.invoked_function_arn,
            context.memory_limit_in_mb, context.function_name, context.log_stream_name]

def caller(event, context):
    import boto3
    return boto3.client("sts").get_caller_identity()["Arn"]

def start_beating(event, context):
    threading.Thread(target=beat, daemon=True).start()

def count_beats(event, context):
    return len(beats)

def echo(event, context):
    return event

def from_gateway(event, context):
    return {"statusCode": 200, "body": "served"}

def recurse(event, context):
    import boto3
    boto3.client("lambda").invoke(FunctionName=context.function_name, InvocationType="Event",
                                  Payload=json.dumps(event))
"""


class Knife:
    """A function that does what its event says, and the clients to look at it."""

    def __init__(self, cloud: Running, name: str) -> None:
        self.name = name
        self.functions = cloud.client("lambda", read_timeout=30)
        self.logs = cloud.client("logs")

    def __call__(self, do: str, **event: Any) -> Any:
        answer = self.invoke(do, **event)
        assert "FunctionError" not in answer, answer["body"]
        return answer["body"]

    def invoke(self, do: str, **event: Any) -> dict[str, Any]:
        answer = self.functions.invoke(
            FunctionName=self.name, LogType="Tail", Payload=json.dumps({"do": do, **event})
        )
        answer["body"] = json.load(answer["Payload"])
        answer["log"] = base64.b64decode(answer["LogResult"]).decode()
        report = REPORT.search(answer["log"])
        assert report is not None, answer["log"]
        answer["report"] = report.groupdict()
        return dict(answer)

    def messages(self) -> list[str]:
        group = f"/aws/lambda/{self.name}"
        pages = self.logs.get_paginator("filter_log_events").paginate(logGroupName=group)
        try:
            return [event["message"] for page in pages for event in page["events"]]
        except self.logs.exceptions.ResourceNotFoundException:
            return []


@pytest.fixture(scope="module")
def knife(cloud: Running, make_function: Callable[..., str]) -> Knife:
    return Knife(
        cloud,
        make_function(SWISS_KNIFE, MemorySize=256, Timeout=10, Environment={"Variables": {"MINE": "1"}}),
    )


def test_imports_nothing_that_lambda_lacks(knife: Knife) -> None:
    """A forgotten dependency must fail here, not on AWS."""
    names = [
        "boto3",
        "botocore",
        "urllib3",
        "ministack",
        "hypercorn",
        "yaml",
        "verification",
        "pytest",
        "bootstrap",
    ]

    assert knife("modules", names=names) == ["boto3", "botocore", "urllib3"]


def test_environment_is_lambdas(knife: Knife, cloud: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """What leaks in from this machine, a handler might come to rely on."""
    found = knife("environment")

    assert set(found) == {
        "MINE",
        # Lambda's
        "_HANDLER", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_EXECUTION_ENV", "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_VERSION", "AWS_LAMBDA_INITIALIZATION_TYPE",
        "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN", "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR", "LANG", "PATH", "TZ",
        # what leads to this cloud
        "AWS_ENDPOINT_URL", "AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE",
        "AWS_DISABLE_HOST_PREFIX_INJECTION", "HOME", "TMPDIR",
    } | ({"_X_AMZN_TRACE_ID"} & set(found))  # fmt: skip
    assert found["AWS_ENDPOINT_URL"] == cloud.state.endpoint
    assert found["AWS_ACCESS_KEY_ID"] != cloud.state.access_key_id


def test_runs_as_its_role(knife: Knife) -> None:
    assert ":assumed-role/role-" in knife("caller")


def test_context_tells_the_invocation(knife: Knife) -> None:
    answer = knife.invoke("remaining")

    remaining_ms, request_id, arn, memory, name, stream = answer["body"]
    assert 0 < remaining_ms <= 10_000
    assert request_id == answer["report"]["id"]
    assert arn.endswith(f":function:{knife.name}")
    assert (memory, name) == ("256", knife.name)
    assert "[$LATEST]" in stream


def test_cold_start_alone_reports_init(cloud: Running, make_function: Callable[..., str]) -> None:
    """The verdict on cold starts rests on this line."""
    fresh = Knife(cloud, make_function(SWISS_KNIFE))

    cold, warm = (fresh.invoke("echo")["report"] for _ in range(2))

    assert float(cold["init"]) > 5
    assert warm["init"] is None
    assert int(cold["billed"]) >= float(cold["init"]) + float(cold["duration"]) - 0.01
    assert float(warm["duration"]) < 100
    assert 8 < int(warm["used"]) < 60
    assert cold["size"] == "128"


def test_a_changed_variable_makes_a_new_environment(
    cloud: Running, make_function: Callable[..., str]
) -> None:
    fresh = Knife(cloud, make_function(SWISS_KNIFE))
    fresh.invoke("echo")
    fresh.functions.update_function_configuration(
        FunctionName=fresh.name, Environment={"Variables": {"A": "2"}}
    )

    answer = fresh.invoke("environment")

    assert answer["body"]["A"] == "2"
    assert answer["report"]["init"] is not None


def test_an_invocation_under_way_survives_an_update(
    cloud: Running, make_function: Callable[..., str]
) -> None:
    """Forcing a cold start must not break the job that is being worked on."""
    fresh = Knife(cloud, make_function(SWISS_KNIFE))
    fresh.invoke("echo")
    answers: list[Any] = []
    under_way = threading.Thread(target=lambda: answers.append(fresh("sleep", seconds=1.5)))
    under_way.start()
    time.sleep(0.5)

    fresh.functions.update_function_configuration(
        FunctionName=fresh.name, Environment={"Variables": {"A": "2"}}
    )

    assert fresh.invoke("environment")["body"]["A"] == "2"
    under_way.join()
    assert answers == [None]


def test_log_group_holds_the_whole_invocation(cloud: Running, make_function: Callable[..., str]) -> None:
    """Log checks read these lines: JSON whole, logging at INFO, a record of two lines as one event."""
    fresh = Knife(cloud, make_function(SWISS_KNIFE))
    answer = fresh.invoke("speak")

    init, imported, start, printed, logged, bare, end, report = fresh.messages()

    assert init.startswith("INIT_START Runtime Version: python:3.13")
    assert imported == "imported\n"
    assert start == f"START RequestId: {answer['report']['id']} Version: $LATEST\n"
    assert json.loads(printed)["values"] == [1, 2]
    assert re.fullmatch(r"\[INFO\]\t[0-9T:.-]+Z\t[0-9a-f-]{36}\tfirst\nsecond\n", logged)
    assert bare == "no line break\n"
    assert end == f"END RequestId: {answer['report']['id']}\n"
    assert REPORT.search(report)
    assert answer["log"].endswith(report)


def test_one_log_stream_for_each_environment(cloud: Running, make_function: Callable[..., str]) -> None:
    fresh = Knife(cloud, make_function(SWISS_KNIFE))
    for _ in range(3):
        fresh.invoke("echo")

    streams = fresh.logs.describe_log_streams(logGroupName=f"/aws/lambda/{fresh.name}")["logStreams"]

    assert len(streams) == 1


def test_a_role_without_permission_leaves_no_log(cloud: Running, make_function: Callable[..., str]) -> None:
    """On AWS a function whose role may not write logs runs silently; a check must be able to see that."""
    iam, name = cloud.client("iam"), unique("role")
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    silent = Knife(cloud, make_function(SWISS_KNIFE, Role=role))

    silent.invoke("echo")

    groups = silent.logs.describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{silent.name}")["logGroups"]
    assert groups == []


def test_exception_is_reported_and_the_environment_lives(knife: Knife) -> None:
    """A new environment after each error would measure every error as a cold start."""
    knife("echo")

    answer = knife.invoke("fail", message="wrong")

    assert answer["FunctionError"] == "Unhandled"
    assert answer["body"]["errorType"] == "ValueError"
    assert answer["body"]["errorMessage"] == "wrong"
    assert answer["body"]["requestId"] == answer["report"]["id"]
    assert 'File "/var/task/app.py"' in answer["body"]["stackTrace"][-1]
    assert "bootstrap" not in json.dumps(answer["body"])
    assert "[ERROR] ValueError: wrong\nTraceback (most recent call last):\n" in answer["log"]
    assert knife.invoke("echo")["report"]["init"] is None


@pytest.mark.parametrize(
    ("source", "handler", "error_type"),
    [
        ("import nowhere", "app.handler", "Runtime.ImportModuleError"),
        ("x = 1", "app.handler", "Runtime.HandlerNotFound"),
        ("def handler(", "app.handler", "Runtime.UserCodeSyntaxError"),
        ("raise KeyError('PRICE')", "app.handler", "KeyError"),
        ("def handler(e, c): return {1, 2}", "app.handler", "Runtime.MarshalError"),
    ],
)
def test_what_cannot_run_is_named(
    cloud: Running, make_function: Callable[..., str], source: str, handler: str, error_type: str
) -> None:
    name = make_function(source, Handler=handler)

    answer = cloud.client("lambda").invoke(FunctionName=name)

    assert answer["FunctionError"] == "Unhandled"
    assert json.load(answer["Payload"])["errorType"] == error_type


def test_a_process_that_ends_is_an_error_and_is_replaced(knife: Knife) -> None:
    answer = knife.invoke("leave")

    assert answer["body"]["errorType"] == "Runtime.ExitError"
    assert "exit status 3" in answer["body"]["errorMessage"]
    assert knife("echo", x=1) == {"do": "echo", "x": 1}


def test_time_out_is_named(cloud: Running, make_function: Callable[..., str]) -> None:
    slow = Knife(cloud, make_function(SWISS_KNIFE, Timeout=1))

    answer = slow.invoke("sleep", seconds=20)

    assert answer["body"]["errorType"] == "Sandbox.Timedout"
    assert answer["body"]["errorMessage"].endswith("Task timed out after 1.00 seconds")
    assert answer["report"]["status"] == "timeout"
    assert answer["report"]["duration"] == "1000.00"
    assert "Task timed out after 1.00 seconds" in "".join(slow.messages())


def test_memory_is_measured_and_limited(cloud: Running, make_function: Callable[..., str]) -> None:
    """A memory size too small for the work must show before AWS shows it."""
    small = Knife(cloud, make_function(SWISS_KNIFE, MemorySize=128))

    assert int(small.invoke("hold", mb=40)["report"]["used"]) > 40
    answer = small.invoke("hold", mb=130)

    assert answer["body"]["errorType"] == "Runtime.OutOfMemory"
    assert answer["report"]["used"] == "128"


def test_payload_limits(knife: Knife) -> None:
    with pytest.raises(ClientError) as refused:
        knife.invoke("echo", padding="x" * (6 * 1024 * 1024))
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 413
    assert refused.value.response["Error"]["Code"] == "RequestEntityTooLargeException"

    answer = knife.invoke("large", bytes=6 * 1024 * 1024 + 200)
    assert answer["body"]["errorType"] == "Function.ResponseSizeTooLarge"


def test_freezes_between_invocations(knife: Knife) -> None:
    """Work left to a background thread does not happen on AWS."""
    knife("start_beating")
    before = knife("count_beats")
    time.sleep(1)

    assert knife("count_beats") - before < 30


def test_reserved_concurrency_throttles(cloud: Running, make_function: Callable[..., str]) -> None:
    limited = Knife(cloud, make_function(SWISS_KNIFE))
    limited.functions.put_function_concurrency(FunctionName=limited.name, ReservedConcurrentExecutions=1)
    codes: list[str] = []

    def call() -> None:
        try:
            limited.invoke("sleep", seconds=1)
            codes.append("ok")
        except ClientError as error:
            codes.append(error.response["Error"]["Code"])

    threads = [threading.Thread(target=call) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(codes) == ["TooManyRequestsException", "TooManyRequestsException", "ok"]
    assert counted(cloud, limited.name) == {
        "Invocations": 1,
        "Errors": 0,
        "Throttles": 2,
        "ConcurrentExecutions": 1,
    }


def counted(cloud: Running, function: str) -> dict[str, float]:
    """What CloudWatch has about a function of the last hour."""
    now = datetime.now(UTC)
    found = {}
    for name in ("Invocations", "Errors", "Throttles", "ConcurrentExecutions"):
        points = cloud.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/Lambda",
            MetricName=name,
            Dimensions=[{"Name": "FunctionName", "Value": function}],
            StartTime=now - timedelta(hours=1),
            EndTime=now + timedelta(minutes=1),
            Period=3600,
            Statistics=["Sum"],
        )["Datapoints"]
        found[name] = sum(point["Sum"] for point in points)
    return found


def test_a_burst_starts_few_environments_at_once(cloud: Running, make_function: Callable[..., str]) -> None:
    """A hundred that start at the same time would take minutes on two processors."""
    source = "import os, time\ntime.sleep(0.3)\ndef handler(event, context):\n    return os.getpid()"
    slow = Knife(cloud, make_function(source))
    with ThreadPoolExecutor(max_workers=20) as pool:
        answers = list(pool.map(lambda _: slow("anything"), range(20)))

    assert all(isinstance(process, int) for process in answers)
    assert 1 < len(set(answers)) <= 10


def test_a_function_that_invokes_itself_is_stopped(
    cloud: Running, make_function: Callable[..., str], make_role: Callable[..., str]
) -> None:
    """It would fill the machine with processes."""
    role = make_role({"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": "*"})
    endless = Knife(cloud, make_function(SWISS_KNIFE, Role=role, MemorySize=256))
    endless.invoke("recurse")
    deadline, count = time.monotonic() + 30, -1
    while time.monotonic() < deadline:
        time.sleep(1.0)
        now = sum(message.startswith("START") for message in endless.messages())
        if now == count:
            break
        count = now

    assert 2 <= count <= 17


@pytest.mark.parametrize(
    "host",
    [
        "api.openai.com",
        "generativelanguage.googleapis.com",
        "api.bfl.ai",
        "external.api.recraft.ai",
        "api.stability.ai",
    ],
)
def test_vendors_resolve_to_loopback_and_are_trusted(knife: Knife, host: str) -> None:
    """The application dials the vendors' own addresses; here the simulation must answer, over verified TLS."""
    assert knife("resolve", host=host)[0] == "127.0.0.1"
    assert knife("dial", url=f"https://{host}/nothing-here") in range(400, 500)


@pytest.mark.parametrize("host", ["example.com", "8.8.8.8", "169.254.169.254", "s3.amazonaws.com"])
def test_nothing_else_is_reachable(knife: Knife, host: str) -> None:
    """A call that would leave the machine must fail, not cost money or pass by luck."""
    assert knife("resolve", host=host) == "gaierror"


def test_addresses_beyond_loopback_are_refused(knife: Knife) -> None:
    assert "reaches loopback alone" in knife("connect", host="1.1.1.1")


@pytest.fixture(scope="module")
def api(cloud: Running, knife: Knife) -> tuple[str, str]:
    """An HTTP API in front of the function, which it may not invoke: its id and address."""
    gateway = cloud.client("apigatewayv2")
    arn = knife.functions.get_function(FunctionName=knife.name)["Configuration"]["FunctionArn"]
    made = gateway.create_api(Name=unique("api"), ProtocolType="HTTP")
    integration = gateway.create_integration(
        ApiId=made["ApiId"], IntegrationType="AWS_PROXY", IntegrationUri=arn, PayloadFormatVersion="2.0"
    )
    for route in ("GET /here", "GET /there/{id}", "$default"):
        gateway.create_route(
            ApiId=made["ApiId"], RouteKey=route, Target=f"integrations/{integration['IntegrationId']}"
        )
    gateway.create_stage(ApiId=made["ApiId"], StageName="$default", AutoDeploy=True)
    return made["ApiId"], gateway.get_api(ApiId=made["ApiId"])["ApiEndpoint"]


def test_gateway_invokes_as_far_as_the_functions_policy_says(
    cloud: Running, knife: Knife, api: tuple[str, str]
) -> None:
    """A deployment without the permission must fail here as it fails on AWS."""
    api_id, endpoint = api
    prefix = f"arn:aws:execute-api:us-east-1:{cloud.state.account_id}:{api_id}"

    def permit(source: str) -> str:
        name = unique("permission")
        knife.functions.add_permission(
            FunctionName=knife.name, StatementId=name, Action="lambda:InvokeFunction",
            Principal="apigateway.amazonaws.com", SourceArn=source,
        )  # fmt: skip
        return name

    def get(path: str) -> str:
        answer = requests.get(f"{endpoint}{path}", verify=cloud.state.ca_bundle, timeout=10)
        return "refused" if answer.text == '{"message":"Internal Server Error"}' else "served"

    paths = ("/here", "/there/7", "/elsewhere")
    assert [get(path) for path in paths] == ["refused"] * 3
    name = permit(f"{prefix}/*/GET/here")
    assert [get(path) for path in paths] == ["served", "refused", "refused"]
    permit(f"{prefix}/*/GET/there/*")
    permit(f"{prefix}/*/$default")
    assert [get(path) for path in paths] == ["served"] * 3
    knife.functions.remove_permission(FunctionName=knife.name, StatementId=name)
    assert [get(path) for path in paths] == ["refused", "served", "served"]


class TestQueuePermission:
    """An event source mapping reads the queue as the function's role."""

    ACTIONS = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")

    @pytest.fixture
    def queue(self, cloud: Running) -> tuple[str, str]:
        queues = cloud.client("sqs")
        url = queues.create_queue(QueueName=unique("queue"))["QueueUrl"]
        return url, queues.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"][
            "QueueArn"
        ]

    def test_a_role_that_may_not_read_is_refused(
        self, cloud: Running, make_function: Callable[..., str], queue: tuple[str, str]
    ) -> None:
        functions, name = cloud.client("lambda"), make_function(SWISS_KNIFE)

        with pytest.raises(ClientError, match="does not have permissions to call ReceiveMessage on SQS"):
            functions.create_event_source_mapping(FunctionName=name, EventSourceArn=queue[1])

    def test_messages_arrive_while_the_role_may_read(
        self,
        cloud: Running,
        make_function: Callable[..., str],
        make_role: Callable[..., str],
        queue: tuple[str, str],
    ) -> None:
        url, arn = queue
        role = make_role({"Effect": "Allow", "Action": list(self.ACTIONS), "Resource": arn})
        name = make_function(
            "def handler(event, context):\n    print(event['Records'][0]['body'])", Role=role
        )
        reader = Knife(cloud, name)
        reader.functions.create_event_source_mapping(FunctionName=name, EventSourceArn=arn, BatchSize=1)

        cloud.client("sqs").send_message(QueueUrl=url, MessageBody="first message")
        assert arrives(reader, "first message\n", 10)
        assert (
            counted(cloud, name)["Invocations"] == 1
        )  # whoever invokes it: alarms and load tests look at that
        cloud.client("iam").delete_role_policy(RoleName=role.rpartition("/")[2], PolicyName="more")
        cloud.client("sqs").send_message(QueueUrl=url, MessageBody="second message")
        assert not arrives(reader, "second message\n", 2.5)

    def test_background_work_comes_after_awaited_work(
        self,
        cloud: Running,
        make_function: Callable[..., str],
        make_role: Callable[..., str],
        queue: tuple[str, str],
    ) -> None:
        """On AWS each function has its own processors."""
        url, arn = queue
        role = make_role({"Effect": "Allow", "Action": list(self.ACTIONS), "Resource": arn})
        source = "import os\ndef handler(event, context):\n    print('niceness', os.nice(0))"
        fed, asked = Knife(cloud, make_function(source, Role=role)), Knife(cloud, make_function(source))
        fed.functions.create_event_source_mapping(FunctionName=fed.name, EventSourceArn=arn)

        cloud.client("sqs").send_message(QueueUrl=url, MessageBody="anything")
        asked.invoke("anything")

        own = os.nice(0)
        assert arrives(fed, f"niceness {min(own + 10, 19)}\n", 10)
        assert arrives(asked, f"niceness {own}\n", 10)


def arrives(function: Knife, message: str, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if message in function.messages():
            return True
        time.sleep(0.1)
    return False


def test_layers_are_importable(cloud: Running, make_function: Callable[..., str]) -> None:
    import io
    import zipfile

    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as package:
        package.writestr("python/layered.py", "VALUE = 7")
    functions = cloud.client("lambda")
    layer = functions.publish_layer_version(
        LayerName=unique("layer"), Content={"ZipFile": content.getvalue()}
    )

    name = make_function(
        "import layered\ndef handler(event, context):\n    return layered.VALUE",
        Layers=[layer["LayerVersionArn"]],
    )

    assert json.load(functions.invoke(FunctionName=name)["Payload"]) == 7


def test_updated_code_is_served(cloud: Running, make_function: Callable[..., str]) -> None:
    functions = cloud.client("lambda")
    name = make_function("def handler(event, context):\n    return 1")
    assert json.load(functions.invoke(FunctionName=name)["Payload"]) == 1

    functions.update_function_code(
        FunctionName=name, ZipFile=archive("def handler(event, context):\n    return 2")
    )

    assert json.load(functions.invoke(FunctionName=name)["Payload"]) == 2
