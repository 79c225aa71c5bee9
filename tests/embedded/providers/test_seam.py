"""The vendors where they are met: Bedrock behind IAM, the rest behind their real names and TLS."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
import requests
from botocore.config import Config
from botocore.exceptions import ClientError, ReadTimeoutError

from tests.embedded.conftest import Running, unique
from verification.embedded.server.providers import HOSTS, keys

pytestmark = [pytest.mark.embedded, pytest.mark.xdist_group("embedded")]

CORE = "stability.stable-image-core-v1:1"
LITE = "amazon.nova-lite-v1:0"
FOX = {"prompt": "a fox"}
CHAT = [{"role": "user", "content": [{"text": "a fox"}]}]

CALLER = """
import json, urllib.error, urllib.request

def handler(event, context):
    request = urllib.request.Request(event["url"], event.get("body", "").encode() or None, event["headers"])
    try:
        with urllib.request.urlopen(request, timeout=4) as answer:
            return {"status": answer.status, "body": answer.read().decode("latin-1")}
    except urllib.error.HTTPError as error:
        return {"status": error.code, "body": error.read().decode("latin-1")}
"""


@pytest.fixture
def control(cloud: Running) -> Iterator[Callable[..., Any]]:
    """Speaks to the control; forgets everything before and after."""
    session = requests.Session()
    session.trust_env = False
    session.verify = cloud.state.ca_bundle
    root = f"{cloud.state.control}/providers"

    def call(vendor: str = "", **settings: Any) -> Any:
        url = f"{root}/{vendor}" if vendor else root
        answer = session.post(url, json=settings, timeout=10) if settings else session.get(url, timeout=10)
        answer.raise_for_status()
        return answer.json()

    session.delete(root, timeout=10).raise_for_status()
    yield call
    session.delete(root, timeout=10).raise_for_status()
    session.close()


@pytest.fixture(scope="module")
def stranger(cloud: Running) -> tuple[Callable[[dict[str, Any]], None], tuple[str, str]]:
    """An IAM user without permissions: a way to grant it some, and its key."""
    iam = cloud.client("iam")
    name = unique("stranger")
    iam.create_user(UserName=name)
    key = iam.create_access_key(UserName=name)["AccessKey"]

    def grant(statement: dict[str, Any]) -> None:
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam.put_user_policy(UserName=name, PolicyName="granted", PolicyDocument=document)

    return grant, (key["AccessKeyId"], key["SecretAccessKey"])


def west(cloud: Running, service: str, key: tuple[str, str] | None = None, **config: Any) -> Any:
    """A client in the Region that has the image models."""
    key_id, secret = key or (cloud.state.access_key_id, cloud.state.secret_access_key)
    return boto3.client(
        service,
        region_name="us-west-2",
        endpoint_url=cloud.state.endpoint,
        aws_access_key_id=key_id,
        aws_secret_access_key=secret,
        verify=cloud.state.ca_bundle,
        config=Config(retries={"total_max_attempts": 1}, **config),
    )


def paint(client: Any, model: str = CORE, body: Any = FOX) -> Any:
    return json.loads(client.invoke_model(modelId=model, body=json.dumps(body))["body"].read())


def refusal(call: Callable[[], object]) -> str:
    with pytest.raises(ClientError) as caught:
        call()
    return str(caught.value.response["Error"]["Code"])


def test_bedrock_answers_the_sdk(cloud: Running, control: Callable[..., Any]) -> None:
    image = paint(west(cloud, "bedrock-runtime"))["images"][0]
    assert base64.b64decode(image).startswith(b"\x89PNG")
    reply = cloud.client("bedrock-runtime").converse(
        modelId=LITE, messages=CHAT, inferenceConfig={"maxTokens": 50}
    )
    assert reply["output"]["message"]["content"][0]["text"].startswith("a fox")
    report = control("bedrock")
    assert (report["calls"], report["paid"], report["outcomes"]) == (2, 2, {"ok": 2})


def test_iam_stands_before_bedrock(
    cloud: Running,
    control: Callable[..., Any],
    stranger: tuple[Callable[[dict[str, Any]], None], tuple[str, str]],
) -> None:
    """InvokeModel is the action of Converse too, and the model is the resource."""
    grant, key = stranger
    runtime, images = cloud.client("bedrock-runtime", key), west(cloud, "bedrock-runtime", key)
    assert refusal(lambda: paint(images)) == "AccessDeniedException"
    assert refusal(lambda: runtime.converse(modelId=LITE, messages=CHAT)) == "AccessDeniedException"
    assert control("bedrock")["calls"] == 0
    places = {CORE: "us-west-2", LITE: "us-east-1"}
    models = [f"arn:aws:bedrock:{place}::foundation-model/{model}" for model, place in places.items()]
    grant({"Effect": "Allow", "Action": "bedrock:InvokeModel", "Resource": models})
    assert paint(images)["images"]
    assert runtime.converse(modelId=LITE, messages=CHAT)["stopReason"] == "end_turn"
    micro = "amazon.nova-micro-v1:0"
    assert refusal(lambda: runtime.converse(modelId=micro, messages=CHAT)) == "AccessDeniedException"
    grant({"Effect": "Allow", "Action": "bedrock:Converse", "Resource": "*"})
    assert refusal(lambda: runtime.converse(modelId=LITE, messages=CHAT)) == "AccessDeniedException"


def test_models_live_in_regions(cloud: Running) -> None:
    model, body = "stability.sd3-5-large-v1:0", {"prompt": "a fox"}
    here = cloud.client("bedrock-runtime")
    assert refusal(lambda: paint(here, model, body)) == "ValidationException"
    assert len(paint(west(cloud, "bedrock-runtime"), model, body)["images"]) == 1


def test_bedrock_says_how_long_a_model_lives(
    cloud: Running,
    control: Callable[..., Any],
    stranger: tuple[Callable[[dict[str, Any]], None], tuple[str, str]],
) -> None:
    """In AWS's spelling, with a day that the SDK reads, and to those who may ask."""
    control("bedrock", today="2026-11-28", ends={CORE: "2027-03-01"})
    details = west(cloud, "bedrock").get_foundation_model(modelIdentifier=CORE)["modelDetails"]
    end = datetime(2027, 3, 1, tzinfo=UTC)
    assert details["modelLifecycle"] == {"status": "LEGACY", "endOfLifeTime": end}
    grant, key = stranger
    curious = west(cloud, "bedrock", key)
    assert refusal(lambda: curious.get_foundation_model(modelIdentifier=CORE)) == "AccessDeniedException"
    model = f"arn:aws:bedrock:us-west-2::foundation-model/{CORE}"
    grant({"Effect": "Allow", "Action": "bedrock:GetFoundationModel", "Resource": model})
    assert curious.get_foundation_model(modelIdentifier=CORE)["modelDetails"]["modelId"] == CORE
    other = "stability.sd3-5-large-v1:0"
    assert refusal(lambda: curious.get_foundation_model(modelIdentifier=other)) == "AccessDeniedException"


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("unauthorized", "AccessDeniedException"),
        ("rate_limited", "ThrottlingException"),
        ("server_error", "InternalServerException"),
    ],
)
def test_faults_reach_the_sdk(cloud: Running, control: Callable[..., Any], fault: str, code: str) -> None:
    control("bedrock", fault=fault, count=1)
    runtime = west(cloud, "bedrock-runtime")
    assert refusal(lambda: paint(runtime)) == code
    assert paint(runtime)["images"]


def test_a_withheld_and_a_cut_answer(cloud: Running, control: Callable[..., Any]) -> None:
    runtime = west(cloud, "bedrock-runtime", read_timeout=1)
    control("bedrock", fault="timeout", count=1)
    with pytest.raises(ReadTimeoutError):
        paint(runtime)
    control("bedrock", fault="reset", count=1)
    with pytest.raises(Exception, match=r"(?i)connection|read"):
        paint(runtime)
    assert paint(runtime)["images"]


@pytest.fixture(scope="module")
def dial(cloud: Running, make_function: Callable[..., str]) -> Callable[..., dict[str, Any]]:
    """Calls a URL from inside a function, where the vendors' own names resolve."""
    name = make_function(CALLER, Timeout=10)

    def call(url: str, headers: dict[str, str] | None = None, body: str = "") -> dict[str, Any]:
        event = json.dumps({"url": url, "headers": headers or {}, "body": body})
        answer = cloud.client("lambda").invoke(FunctionName=name, Payload=event)
        result: dict[str, Any] = json.loads(answer["Payload"].read())
        assert "errorMessage" not in result, result
        return result

    return call


def test_every_host_is_reached_over_tls(dial: Callable[..., dict[str, Any]]) -> None:
    """Certificates and names come from HOSTS; a missing one is a vendor that nobody can call."""
    statuses = {host: dial(f"https://{host}/none")["status"] for host in HOSTS}
    assert set(statuses.values()) <= {400, 401, 403, 404}, statuses


def test_a_function_buys_and_fetches_an_image(
    dial: Callable[..., dict[str, Any]], control: Callable[..., Any]
) -> None:
    headers = {"authorization": f"Bearer {keys.example('recraft')}", "content-type": "application/json"}
    body = json.dumps({"model": "recraftv4_1", "prompt": "a fox", "image_format": "png"})
    answer = dial("https://external.api.recraft.ai/v1/images/generations", headers, body)
    assert answer["status"] == 200, answer
    image = dial(json.loads(answer["body"])["data"][0]["url"])
    assert image["body"].startswith("\x89PNG")
    assert control("recraft")["paid"] == 1
    control("recraft", fault="rate_limited", count=1)
    assert dial("https://external.api.recraft.ai/v1/images/generations", headers, body)["status"] == 429
