"""Every route against the contract: what openapi.yaml says an answer looks like, it looks like."""

import base64
import importlib
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError, ReadTimeoutError
from doubles import FakeBedrock, FakeContext
from jsonschema import Draft202012Validator, FormatChecker
from pixel_prompt import api, aws
from pixel_prompt.api import ROUTES, Application, handler
from pixel_prompt.jobs import Jobs
from pixel_prompt.settings import ApiSettings
from pixel_prompt.table import Table
from pixel_prompt.validation import Wish

JSON = "application/json"
UNKNOWN = "0198c0de-5f3a-4c1b-9d6e-2b7a4f1c8e90"
CORRELATION = "from-the-test-1"


class Answer:
    """What the gateway is given."""

    def __init__(self, raw: dict[str, Any]) -> None:
        self.status: int = raw["statusCode"]
        self.headers: dict[str, str] = raw["headers"]
        self.body = json.loads(raw["body"])


class Client:
    """Calls the handler as API Gateway does and holds every answer against the contract."""

    def __init__(self, openapi: dict[str, Any]) -> None:
        self._openapi = openapi
        self.address = "192.0.2.1"

    def __call__(self, method: str, path: str, body: object = None, **event: Any) -> Answer:
        path, _, query = path.partition("?")
        headers = {"x-correlation-id": CORRELATION, **event.pop("headers", {})}
        if body is not None:
            headers.setdefault("content-type", JSON)
            event["body"] = body if isinstance(body, str) else json.dumps(body)
        if query:
            event["queryStringParameters"] = dict(pair.split("=", 1) for pair in query.split("&"))
        answer = Answer(
            handler(
                {
                    "version": "2.0",
                    "rawPath": path,
                    "headers": headers,
                    "requestContext": {"http": {"method": method, "path": path, "sourceIp": self.address}},
                    **event,
                },
                FakeContext(),
            )
        )
        self._check(method, path, answer)
        return answer

    def _check(self, method: str, path: str, answer: Answer) -> None:
        assert answer.headers["Content-Type"] == JSON
        assert answer.headers["Cache-Control"] == "no-store"
        assert re.fullmatch(r"[A-Za-z0-9._-]{8,64}", answer.headers["X-Correlation-ID"])
        self.valid(answer.body, self._schema(method, path, answer.status))
        if "error" in answer.body:
            assert answer.body["error"]["correlationId"] == answer.headers["X-Correlation-ID"]
            assert "Traceback" not in json.dumps(answer.body)

    def _schema(self, method: str, path: str, status: int) -> dict[str, Any]:
        for template, operations in self._openapi["paths"].items():
            if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path) and method.lower() in operations:
                responses = operations[method.lower()]["responses"]
                assert str(status) in responses, f"{method} {path} answers {status}, which the contract lacks"
                response = responses[str(status)]
                if "$ref" in response:
                    response = self._openapi["components"]["responses"][response["$ref"].rpartition("/")[2]]
                return response["content"][JSON]["schema"]
        return {"$ref": "#/components/schemas/Error"}

    def valid(self, document: object, schema: dict[str, Any]) -> None:
        Draft202012Validator(
            {**schema, "components": self._openapi["components"]}, format_checker=FormatChecker()
        ).validate(document)


@pytest.fixture
def queue(table_name: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A whole environment; the URL of its queue."""
    url = aws.client("sqs").create_queue(QueueName=table_name)["QueueUrl"]
    for name, value in {
        "ENVIRONMENT": "dev",
        "TABLE_NAME": table_name,
        "QUEUE_URL": url,
        "CDN_DOMAIN": "cdn.example:8443",
        "GLOBAL_HOURLY_LIMIT": "1000",
        "ADDRESS_DAILY_LIMIT": "3",
        "ALLOWED_ADDRESSES": "203.0.113.0/24, 198.51.100.1",
    }.items():
        monkeypatch.setenv(name, value)
    made = api._application
    made.cache_clear()
    yield url
    made.cache_clear()


@pytest.fixture
def client(queue: str, openapi: dict[str, Any]) -> Client:
    return Client(openapi)


@pytest.fixture
def stored(table: Table) -> Jobs:
    return Jobs(table)


def finish(jobs: Jobs, job_id: str, images: int = 8) -> None:
    job = jobs.get(job_id)
    assert job is not None
    for number, result in enumerate(job.results):
        jobs.claim(job_id, result.model, "w", 60)
        if number < images:
            jobs.record_image(job, result.model, "w", f"images/{job_id}/{result.model}.png", 10)
        else:
            jobs.record_failure(job, result.model, "w", "moderated", 10)


def test_health_names_the_environment_and_nine_models(client: Client) -> None:
    answer = client("GET", "/health")
    assert answer.status == 200
    assert answer.body["environment"] == "dev"
    assert len(answer.body["models"]) == 9


def test_generate_stores_a_job_and_queues_it_without_its_prompt(
    client: Client, queue: str, stored: Jobs
) -> None:
    answer = client(
        "POST", "/generate", {"prompt": "a fox", "steps": 30, "guidance": 6, "seed": 1, "ip": "1.2.3.4"}
    )
    assert (answer.status, answer.body["totalModels"]) == (202, 9)
    job = stored.get(answer.body["jobId"])
    assert (job.wish.prompt, job.correlation_id) == ("a fox", CORRELATION)
    (message,) = aws.client("sqs").receive_message(QueueUrl=queue)["Messages"]
    assert json.loads(message["Body"]) == {"jobId": job.id, "correlationId": CORRELATION}


def test_generate_asks_only_the_models_that_are_named(client: Client, stored: Jobs) -> None:
    answer = client("POST", "/generate", {"prompt": "a fox", "models": ["recraft-v4.1", "gpt-image-2"]})
    assert (answer.status, answer.body["totalModels"]) == (202, 2)
    job_id = answer.body["jobId"]
    assert [result.model for result in stored.get(job_id).results] == ["gpt-image-2", "recraft-v4.1"]
    finish(stored, job_id, images=2)
    end = client("GET", f"/status/{job_id}").body
    assert (end["status"], end["completed"], end["total"]) == ("completed", 2, 2)
    assert client("GET", f"/gallery/{job_id}").body["imageCount"] == 2


def test_a_choice_of_models_that_is_refused_costs_nothing(client: Client) -> None:
    for models in ([], ["midjourney"], ["gpt-image-2", "gpt-image-2"], "gpt-image-2"):
        answer = client("POST", "/generate", {"prompt": "a fox", "models": models})
        assert (answer.status, answer.body["error"]["code"]) == (422, "invalid_field")
        assert answer.body["error"]["message"].startswith("models ")
    for model in ("gpt-image-2", "flux-2-pro", "flux-2-klein"):
        assert client("POST", "/generate", {"prompt": "a fox", "models": [model]}).status == 202
    assert client("POST", "/generate", {"prompt": "a fox"}).status == 429


def test_status_follows_a_job_from_its_start_to_its_end(client: Client, stored: Jobs) -> None:
    job_id = client("POST", "/generate", {"prompt": "a fox"}).body["jobId"]
    start = client("GET", f"/status/{job_id}").body
    assert (start["status"], start["completed"], start["total"]) == ("pending", 0, 9)
    stored.claim(job_id, "gpt-image-2", "w", 60)
    assert client("GET", f"/status/{job_id}").body["status"] == "running"
    stored.record_failure(stored.get(job_id), "gpt-image-2", "w", "timeout", 5)
    finish(stored, job_id, images=9)
    end = client("GET", f"/status/{job_id}").body
    assert (end["status"], end["completed"]) == ("partial", 9)
    assert end["results"][0]["error"] == {"code": "timeout", "message": "The model took too long."}
    assert end["results"][1]["imageUrl"] == f"https://cdn.example:8443/images/{job_id}/nano-banana-2.1.png"


def test_images_outlive_the_models_that_made_them(client: Client, stored: Jobs) -> None:
    """Vendors end models faster than images expire."""
    job = stored.create(Wish("a fox"), ["model-of-2024", "gpt-image-2"], CORRELATION)
    key = f"images/{job.id}/model-of-2024.jpg"
    stored.claim(job.id, "model-of-2024", "w", 60)
    stored.record_image(job, "model-of-2024", "w", key, 5)
    url = f"https://cdn.example:8443/{key}"
    shown = {"model": "model-of-2024", "imageUrl": url}
    assert client("GET", f"/status/{job.id}").body["results"][0].items() >= shown.items()
    assert client("GET", f"/gallery/{job.id}").body["images"] == [shown]
    assert client("GET", "/gallery/list").body["galleries"][0]["previewUrl"] == url
    # Nobody can be asked for another one.
    again = client("POST", "/generate", {"prompt": "a fox", "models": ["model-of-2024"]})
    assert again.body["error"]["code"] == "invalid_field"


def test_what_verifies_is_marked_and_nothing_else_about_it_is_different(client: Client, stored: Jobs) -> None:
    """Whoever knows of the mark could get by the limits, or the filter, or take others out of the gallery."""
    ids = {}
    for mark in (None, False, True):
        answer = client("POST", "/generate", {"prompt": "a fox", "verification": mark})
        assert (answer.status, answer.body["totalModels"]) == (202, 9)
        ids[mark] = answer.body["jobId"]
        finish(stored, ids[mark])
    refused = client("POST", "/generate", {"prompt": "a fox", "verification": True})
    assert (refused.status, refused.body["error"]["code"]) == (429, "address_limit")
    blocked = client("POST", "/generate", {"prompt": "nsfw", "verification": True})
    assert blocked.body["error"]["code"] == "content_blocked"

    def listed(query: str) -> set[str]:
        return {gallery["id"] for gallery in client("GET", f"/gallery/list{query}").body["galleries"]}

    assert listed("") == listed("?verification=false") == {ids[None], ids[False]}
    assert listed("?verification=true") == {ids[True]}
    kept = {
        stored._table.get(f"job#{job_id}")["expiresAt"] - stored.get(job_id).created
        for job_id in ids.values()
    }
    assert max(kept) - min(kept) <= 1
    assert client("GET", f"/gallery/{ids[True]}").body["imageCount"] == 8


def test_a_mark_that_is_none_is_refused(client: Client) -> None:
    for mark in (1, "true", [], {}):
        assert client("POST", "/generate", {"prompt": "a fox", "verification": mark}).status == 422
    for query in ("?verification=", "?verification=1", "?verification=yes"):
        assert client("GET", f"/gallery/list{query}").status == 422


def test_the_gallery_shows_what_was_made(client: Client, stored: Jobs) -> None:
    ids = [client("POST", "/generate", {"prompt": f"fox {number}"}).body["jobId"] for number in range(2)]
    assert client("GET", "/gallery/list").body == {"galleries": []}
    for job_id in ids:
        finish(stored, job_id)
    first = client("GET", "/gallery/list?limit=1").body
    second = client("GET", f"/gallery/list?limit=1&cursor={first['nextCursor']}").body
    assert "nextCursor" not in second
    assert {first["galleries"][0]["id"], second["galleries"][0]["id"]} == set(ids)
    detail = client("GET", f"/gallery/{ids[0]}").body
    assert (detail["imageCount"], len(detail["images"])) == (8, 8)


@pytest.mark.parametrize(
    "path",
    [f"/status/{UNKNOWN}", f"/gallery/{UNKNOWN}", "/status/x", "/gallery/%2e%2e", "/nope", "/", "/health/"],
)
def test_what_is_not_there_is_404(client: Client, path: str) -> None:
    assert client("GET", path).status == 404


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/health", "GET"),
        ("GET", "/generate", "POST"),
        ("POST", "/gallery/list", "GET"),
        ("HEAD", "/log", "POST"),
    ],
)
def test_other_methods_are_405_with_those_that_are_answered(
    client: Client, method: str, path: str, allowed: str
) -> None:
    answer = client(method, path)
    assert (answer.status, answer.headers["Allow"]) == (405, allowed)


def test_a_preflight_is_let_pass(client: Client) -> None:
    """Should the gateway hand it to its $default route, browsers need a success, which has no body."""
    answer = handler(
        {
            "version": "2.0",
            "rawPath": "/generate",
            "headers": {"origin": "https://pixel-prompt.example"},
            "requestContext": {
                "http": {"method": "OPTIONS", "path": "/generate", "sourceIp": client.address}
            },
        },
        FakeContext(),
    )
    assert (answer["statusCode"], answer["body"]) == (204, "")


@pytest.mark.parametrize(
    ("stage", "path", "status"),
    [
        ("$default", "/health", 200),
        ("live", "/live/health", 200),
        ("live", "/livelier", 404),
        ("live", "/live", 404),
    ],
)
def test_the_name_of_a_stage_is_no_part_of_the_path(
    client: Client, stage: str, path: str, status: int
) -> None:
    event = {
        "version": "2.0",
        "rawPath": path,
        "requestContext": {
            "http": {"method": "GET", "path": path, "sourceIp": client.address},
            "stage": stage,
        },
    }

    assert handler(event, FakeContext())["statusCode"] == status


@pytest.mark.parametrize("path", ["/generate", "/enhance", "/log"])
def test_bodies_that_are_no_json_objects_are_refused(client: Client, path: str) -> None:
    assert client("POST", path).status == 415
    assert client("POST", path, "{").status == 400
    assert client("POST", path, "{}", headers={"content-type": "text/plain"}).status == 415
    assert client("POST", path, {"prompt": "x" * 40000, "message": "x" * 40000}).status == 413
    assert client("POST", path, {}).status == 422
    assert client("POST", path, base64.b64encode(b"[]").decode(), isBase64Encoded=True).status == 400


def test_blocked_content_costs_nothing(client: Client) -> None:
    for _ in range(5):
        for path in ("/generate", "/enhance"):
            answer = client("POST", path, {"prompt": "an NSFW fox"})
            assert (answer.status, answer.body["error"]["code"]) == (422, "content_blocked")


def test_the_gateways_address_is_what_limits_go_by(client: Client) -> None:
    def attempt(number: int) -> Answer:
        return client(
            "POST",
            "/generate",
            {"prompt": "a fox", "ip": f"10.0.0.{number}"},
            headers={"x-forwarded-for": f"10.0.0.{number}"},
        )

    assert [attempt(number).status for number in range(4)] == [202, 202, 202, 429]
    refused = attempt(5)
    assert refused.body["error"]["code"] == "address_limit"
    assert 1 <= int(refused.headers["Retry-After"]) <= 86400
    client.address = "203.0.113.5"
    assert {attempt(number).status for number in range(5)} == {202}


def test_a_correlation_id_is_kept_when_well_formed_and_made_when_not(client: Client) -> None:
    assert client("GET", "/health").headers["X-Correlation-ID"] == CORRELATION
    for bad in ("short", "x" * 65, "with space-", "new\nline-xx", ""):
        assert client("GET", "/health", headers={"x-correlation-id": bad}).headers["X-Correlation-ID"] != bad


def test_log_lines_hold_the_id_and_no_prompt(client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    client("POST", "/generate", {"prompt": "a very secret prompt"})
    client(
        "POST",
        "/log",
        {"message": "boom sk-abcdefghijklmnop", "url": "https://a.example/x?q=1", "level": "warn"},
    )
    out = capsys.readouterr().out
    lines = [json.loads(line) for line in out.splitlines()]
    assert {line["correlationId"] for line in lines} == {CORRELATION}
    assert [line["event"] for line in lines] == ["job_created", "request", "browser_report", "request"]
    assert lines[2]["url"] == "https://a.example/x"
    assert "secret" not in out
    assert "sk-abc" not in out


def with_clients(monkeypatch: pytest.MonkeyPatch, **fakes: Any) -> None:
    def clients(service: str, region: str | None = None, **options: Any) -> Any:
        return fakes[service] if service in fakes else aws.client(service, region, **options)

    application = Application(ApiSettings.read(), clients)
    monkeypatch.setattr(api, "_application", lambda: application)


def test_enhance_gives_the_models_words_within_the_limits(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    bedrock = FakeBedrock({"output": {"message": {"content": [{"text": "A red fox in deep snow"}]}}})
    with_clients(monkeypatch, **{"bedrock-runtime": bedrock})
    answers = [client("POST", "/enhance", {"prompt": "fox"}) for _ in range(4)]
    assert [answer.status for answer in answers] == [200, 200, 200, 429]
    assert answers[0].body == {"enhancedPrompt": "A red fox in deep snow"}


def test_enhance_that_fails_is_503_and_not_counted(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    with_clients(monkeypatch, **{"bedrock-runtime": FakeBedrock(RuntimeError("secret"))})
    for _ in range(5):
        answer = client("POST", "/enhance", {"prompt": "fox"})
        assert (answer.status, answer.headers["Retry-After"]) == (503, "5")


def test_enhance_does_not_pass_on_what_is_blocked(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    bedrock = FakeBedrock({"output": {"message": {"content": [{"text": "a nude fox"}]}}})
    with_clients(monkeypatch, **{"bedrock-runtime": bedrock})
    assert client("POST", "/enhance", {"prompt": "fox"}).status == 422


class Broken:
    """A client whose every call fails the same way."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(**arguments: Any) -> Any:
            raise self._error

        return call


def aws_error(code: str, status: int) -> ClientError:
    return ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}, "GetItem")


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (aws_error("ThrottlingException", 400), 503),
        (aws_error("InternalServerError", 500), 503),
        (ConnectTimeoutError(endpoint_url="https://x"), 503),
        (ReadTimeoutError(endpoint_url="https://x"), 503),
        (aws_error("AccessDeniedException", 400), 500),
        (RuntimeError("secret"), 500),
    ],
)
def test_a_failing_table_is_503_when_it_passes_and_500_when_it_does_not(
    client: Client,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    status: int,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with_clients(monkeypatch, dynamodb=Broken(error))
    for method, path, body in (
        ("GET", f"/status/{UNKNOWN}", None),
        ("GET", "/gallery/list", None),
        ("POST", "/generate", {"prompt": "fox"}),
    ):
        assert client(method, path, body).status == status
    out = capsys.readouterr().out
    assert "request_crashed" in out
    assert "secret" not in out


def test_a_job_that_cannot_be_queued_is_taken_back(
    client: Client, monkeypatch: pytest.MonkeyPatch, dynamodb: Any, table_name: str
) -> None:
    with_clients(monkeypatch, sqs=Broken(aws_error("ServiceUnavailable", 503)))
    for _ in range(5):
        assert client("POST", "/generate", {"prompt": "fox"}).status == 503
    keys = [item["pk"]["S"] for item in dynamodb.scan(TableName=table_name)["Items"]]
    assert not [key for key in keys if key.startswith("job#")]


@pytest.mark.parametrize(
    "event", [{}, {"requestContext": {}}, {"requestContext": {"http": {}}}, {"Records": []}]
)
def test_an_event_of_another_kind_is_no_request(event: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        handler(event, FakeContext())


def test_clients_are_made_while_the_function_starts(queue: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "api")
    made: list[str] = []
    original = aws.client
    monkeypatch.setattr(
        aws,
        "client",
        lambda service, *rest, **options: made.append(service) or original(service, *rest, **options),
    )
    importlib.reload(api)
    assert set(made) == {"sqs", "dynamodb"}
    monkeypatch.undo()
    importlib.reload(api)


def test_the_routes_are_the_contracts_and_the_templates(
    openapi: dict[str, Any], template: dict[str, Any]
) -> None:
    contract = {(method.upper(), path) for path, item in openapi["paths"].items() for method in item}
    events = template["Resources"]["ApiFunction"]["Properties"]["Events"]
    gateway = {
        (event["Properties"]["Method"], event["Properties"]["Path"])
        for event in events.values()
        if "Path" in event["Properties"]
    }
    assert {(method, path) for method, path, _ in ROUTES} == contract == gateway


def test_the_contracts_examples_keep_to_its_schemas(openapi: dict[str, Any]) -> None:
    client = Client(openapi)
    seen = 0

    def visit(node: Any) -> None:
        nonlocal seen
        if isinstance(node, dict):
            if "schema" in node and ("example" in node or "examples" in node):
                examples = (
                    [node["example"]]
                    if "example" in node
                    else [e["value"] for e in node["examples"].values()]
                )
                for example in examples:
                    client.valid(example, node["schema"])
                    seen += 1
            for inner in node.values():
                visit(inner)
        elif isinstance(node, list):
            for inner in node:
                visit(inner)

    visit(openapi)
    assert seen >= 15
