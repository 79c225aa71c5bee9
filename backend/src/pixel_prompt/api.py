"""The API function: finds the route, calls it, and turns every outcome into the contract's answer."""

import json
import os
import re
import time
from collections.abc import Callable, Mapping
from functools import cache, cached_property
from http import HTTPStatus
from typing import Any, Final, Protocol

from botocore.exceptions import ConnectionError as AwsConnectionError
from botocore.exceptions import HTTPClientError

from pixel_prompt import __version__, aws, errors
from pixel_prompt.content import ContentFilter
from pixel_prompt.enhance import Enhancer
from pixel_prompt.errors import ApiError
from pixel_prompt.gallery import Gallery
from pixel_prompt.jobs import MESSAGES, Job, Jobs, ModelResult
from pixel_prompt.limits import Limiter
from pixel_prompt.log import Log, describe
from pixel_prompt.models import TEXT_MODEL
from pixel_prompt.settings import ApiSettings
from pixel_prompt.table import Table
from pixel_prompt.validation import (
    LOG_BODY_MAX_BYTES,
    PROMPT_BODY_MAX_BYTES,
    read_id,
    read_models,
    read_object,
    read_page,
    read_prompt,
    read_report,
    read_verification,
    read_wish,
)
from pixel_prompt.web import Request, Response, read_request, refusal

# The text model's two attempts have to fit into the function's 15 s.
_TEXT_MODEL_READ_SECONDS: Final = 5.5
_TEXT_MODEL_ATTEMPTS: Final = 2
# Errors of AWS that pass, beside those that botocore itself raises.
_PASSING: Final = frozenset(
    {
        "ThrottlingException",
        "Throttling",
        "RequestLimitExceeded",
        "ProvisionedThroughputExceededException",
        "InternalServerError",
        "InternalError",
        "ServiceUnavailable",
        "RequestThrottled",
        "TransactionInProgressException",
    }
)


class Context(Protocol):
    """What Lambda tells about an invocation."""

    aws_request_id: str


class Clients(Protocol):
    """Makes AWS clients."""

    def __call__(self, service: str, region: str | None = None, **options: Any) -> Any: ...


class Application:
    """The routes. What a route needs is made when it first runs."""

    def __init__(self, settings: ApiSettings, clients: Clients = aws.client) -> None:
        self._settings = settings
        self._clients = clients

    def prepare(self) -> None:
        """Make the clients that most routes need, while Lambda still lends a whole processor."""
        self._clients("sqs")
        _ = self._jobs

    @cached_property
    def _table(self) -> Table:
        return Table(self._clients("dynamodb"), self._settings.table_name)

    @cached_property
    def _jobs(self) -> Jobs:
        return Jobs(self._table)

    @cached_property
    def _limiter(self) -> Limiter:
        settings = self._settings
        return Limiter(
            self._table,
            settings.global_hourly_limit,
            settings.address_daily_limit,
            settings.allowed_addresses,
        )

    @cached_property
    def _filter(self) -> ContentFilter:
        return ContentFilter()

    def health(self, _request: Request, _log: Log) -> Response:
        """Say that the API answers, and which models it asks."""
        models = [
            {"id": model.id, "name": model.name, "vendor": model.vendor} for model in self._settings.models
        ]
        return Response(
            HTTPStatus.OK,
            {
                "status": "ok",
                "environment": self._settings.environment,
                "version": __version__,
                "models": models,
            },
        )

    def generate(self, request: Request, log: Log) -> Response:
        """Store a job and hand it to the worker."""
        document = read_object(request, PROMPT_BODY_MAX_BYTES)
        wish = read_wish(document)
        models = read_models(document, [model.id for model in self._settings.models])
        verification = read_verification(document)
        self._refuse_blocked(wish.prompt, log)
        self._limiter.spend(request.source_address)
        job = self._jobs.create(wish, models, request.correlation_id, verification=verification)
        try:
            self._clients("sqs").send_message(
                QueueUrl=self._settings.queue_url,
                MessageBody=json.dumps({"jobId": job.id, "correlationId": request.correlation_id}),
            )
        except Exception:
            self._jobs.delete(job.id)
            self._limiter.refund(request.source_address)
            raise
        log.info(
            "job_created",
            jobId=job.id,
            models=len(models),
            promptCharacters=len(wish.prompt),
            verification=verification,
        )
        return Response(HTTPStatus.ACCEPTED, {"jobId": job.id, "totalModels": len(models)})

    def status(self, _request: Request, _log: Log, job_id: str) -> Response:
        """Say how far a job is."""
        job = self._jobs.get(read_id(job_id))
        if job is None:
            raise errors.not_found("There is no such job.")
        return Response(HTTPStatus.OK, self._status_document(job))

    def enhance(self, request: Request, log: Log) -> Response:
        """Make a prompt richer."""
        prompt = read_prompt(read_object(request, PROMPT_BODY_MAX_BYTES))
        self._refuse_blocked(prompt, log)
        self._limiter.spend(request.source_address)
        client = self._clients(
            "bedrock-runtime",
            TEXT_MODEL.region,
            read_seconds=_TEXT_MODEL_READ_SECONDS,
            attempts=_TEXT_MODEL_ATTEMPTS,
        )
        try:
            enhanced = Enhancer(client, TEXT_MODEL).enhance(prompt)
        except ApiError as error:
            self._limiter.refund(request.source_address)
            log.warning("enhancement_failed", **describe(error.__cause__ or error))
            raise
        self._refuse_blocked(enhanced, log)
        return Response(HTTPStatus.OK, {"enhancedPrompt": enhanced})

    def gallery_list(self, request: Request, _log: Log) -> Response:
        """List galleries, newest first."""
        return Response(HTTPStatus.OK, self._gallery.page(read_page(request.query)))

    def gallery_detail(self, _request: Request, _log: Log, job_id: str) -> Response:
        """Show one gallery with its images."""
        gallery = self._gallery.detail(read_id(job_id))
        if gallery is None:
            raise errors.not_found("There is no such gallery.")
        return Response(HTTPStatus.OK, gallery)

    def browser_log(self, request: Request, log: Log) -> Response:
        """Take the browser's error into the log."""
        report = read_report(read_object(request, LOG_BODY_MAX_BYTES))
        write = {"error": log.failure, "warn": log.warning, "info": log.info}[report.level]
        write(
            "browser_report",
            message=report.message,
            stack=report.stack,
            url=report.url,
            failedCorrelationId=report.correlation_id,
            context=report.context,
        )
        return Response(HTTPStatus.ACCEPTED, {"status": "logged"})

    @cached_property
    def _gallery(self) -> Gallery:
        return Gallery(self._table, self._jobs, self._url_for)

    def _refuse_blocked(self, prompt: str, log: Log) -> None:
        if self._filter.blocks(prompt):
            log.info("content_blocked", promptCharacters=len(prompt))
            raise errors.content_blocked()

    def _url_for(self, key: str) -> str:
        return f"https://{self._settings.cdn_domain}/{key}"

    def _status_document(self, job: Job) -> dict[str, Any]:
        finished = sum(result.state in ("completed", "failed") for result in job.results)
        return {
            "jobId": job.id,
            "status": job.state,
            "completed": finished,
            "total": len(job.results),
            "results": [self._result_document(result) for result in job.results],
        }

    def _result_document(self, result: ModelResult) -> dict[str, Any]:
        document: dict[str, Any] = {"model": result.model, "status": result.state}
        if result.key is not None:
            document["imageUrl"] = self._url_for(result.key)
        if result.code is not None:
            message = MESSAGES.get(result.code, MESSAGES["internal_error"])
            document["error"] = {"code": result.code, "message": message}
        if result.duration_ms is not None:
            document["durationMs"] = result.duration_ms
        return document


Action = Callable[..., Response]

# Paths as openapi.yaml and template.yaml write them; what stands in place of braces is passed to the action.
ROUTES: Final[tuple[tuple[str, str, Action], ...]] = (
    ("GET", "/health", Application.health),
    ("POST", "/generate", Application.generate),
    ("GET", "/status/{jobId}", Application.status),
    ("POST", "/enhance", Application.enhance),
    ("GET", "/gallery/list", Application.gallery_list),
    ("GET", "/gallery/{id}", Application.gallery_detail),
    ("POST", "/log", Application.browser_log),
)
_PATTERNS: Final = tuple(
    (method, path, re.compile(re.sub(r"\{\w+\}", "([^/]+)", path)), action) for method, path, action in ROUTES
)


def find_route(method: str, path: str) -> tuple[str, Action, tuple[str, ...]]:
    """The route's path, its action and the parts of the path; routes that come first win.

    Raises:
        ApiError: 404, or 405 with the methods that the path does answer.
    """
    allowed = []
    for route_method, route, pattern, action in _PATTERNS:
        match = pattern.fullmatch(path)
        if match is None:
            continue
        if route_method == method:
            return route, action, match.groups()
        allowed.append(route_method)
    if allowed:
        raise errors.method_not_allowed(allowed)
    raise errors.not_found("There is no such route.")


def respond(application: Application, request: Request, log: Log) -> Response:
    """The answer to one request, errors included; writes the request's line into the log."""
    started = time.monotonic()
    route: str | None = None
    code: str | None = None
    try:
        if request.method == "OPTIONS":
            # A preflight: the gateway may hand it to its $default route, and adds the CORS headers itself.
            response = Response(HTTPStatus.NO_CONTENT, {})
        else:
            route, action, parts = find_route(request.method, request.path)
            response = action(application, request, log, *parts)
    except ApiError as error:
        code = error.code
        response = refusal(error, request.correlation_id)
    except Exception as error:  # noqa: BLE001 (the last resort: whatever happened, the caller gets the contract's answer)
        log.failure("request_crashed", route=route, **describe(error))
        failure = _failure(error)
        code = failure.code
        response = refusal(failure, request.correlation_id)
    log.info(
        "request",
        method=request.method,
        route=route,
        status=int(response.status),
        code=code,
        durationMs=int((time.monotonic() - started) * 1000),
    )
    return response


def _failure(error: Exception) -> ApiError:
    """503 for what passes, 500 for what is wrong here."""
    answer = getattr(error, "response", None)
    if isinstance(answer, Mapping):
        status = answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if answer.get("Error", {}).get("Code") in _PASSING or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return errors.service_unavailable("Something that is needed for this does not answer. Try again.")
        return errors.internal_error()
    if isinstance(error, AwsConnectionError | HTTPClientError):
        return errors.service_unavailable("Something that is needed for this does not answer. Try again.")
    return errors.internal_error()


@cache
def _application() -> Application:
    return Application(ApiSettings.read())


def handler(event: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """Lambda's entry point.

    Raises:
        ValueError: the event does not come from the HTTP API.
    """
    request = read_request(event)
    log = Log(
        {"function": "api", "requestId": context.aws_request_id, "correlationId": request.correlation_id}
    )
    return respond(_application(), request, log).to_gateway(request.correlation_id)


if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    _application().prepare()
