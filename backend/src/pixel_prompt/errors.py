"""Everything that the API refuses: one class, one shape of answer."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final


class ApiError(Exception):
    """A refusal that the caller is told about.

    Attributes:
        status: the HTTP status.
        code: names the reason for programs; openapi.yaml lists them all.
        message: says it for people; it never holds anything that the caller sent.
        headers: further headers of the answer.
    """

    def __init__(
        self, status: HTTPStatus, code: str, message: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status: Final = status
        self.code: Final = code
        self.message: Final = message
        self.headers: Final = dict(headers or {})

    def body(self, correlation_id: str) -> dict[str, object]:
        """The contract's error document."""
        return {"error": {"code": self.code, "message": self.message, "correlationId": correlation_id}}


def invalid_json(message: str) -> ApiError:
    """The body cannot be read as a JSON object."""
    return ApiError(HTTPStatus.BAD_REQUEST, "invalid_json", message)


def invalid_field(message: str) -> ApiError:
    """A field is missing, of the wrong type or out of range."""
    return ApiError(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid_field", message)


def content_blocked() -> ApiError:
    """The prompt asks for what this application does not make."""
    return ApiError(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "content_blocked",
        "This prompt asks for content that is not made here.",
    )


def not_found(message: str) -> ApiError:
    """No such route, job or gallery."""
    return ApiError(HTTPStatus.NOT_FOUND, "not_found", message)


def method_not_allowed(allowed: list[str]) -> ApiError:
    """The route exists, for other methods."""
    methods = ", ".join(sorted(set(allowed)))
    return ApiError(
        HTTPStatus.METHOD_NOT_ALLOWED,
        "method_not_allowed",
        f"This route answers {methods} only.",
        {"Allow": methods},
    )


def payload_too_large(limit_bytes: int) -> ApiError:
    """The body is larger than the route takes."""
    return ApiError(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "payload_too_large",
        f"The body is larger than {limit_bytes} bytes.",
    )


def unsupported_media_type() -> ApiError:
    """The body is not declared to be JSON."""
    return ApiError(
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        "unsupported_media_type",
        "Send the body as application/json in UTF-8.",
    )


def limit_exceeded(code: str, message: str, retry_after_seconds: int) -> ApiError:
    """A limit's window is used up; ``retry_after_seconds`` is the time until it ends."""
    return ApiError(HTTPStatus.TOO_MANY_REQUESTS, code, message, {"Retry-After": str(retry_after_seconds)})


def internal_error() -> ApiError:
    """A fault of this application; the log holds the rest under the correlation id."""
    return ApiError(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "internal_error",
        "Something went wrong here. Quote the correlation id when you report it.",
    )


def service_unavailable(message: str) -> ApiError:
    """Something that this application depends on does not answer."""
    return ApiError(HTTPStatus.SERVICE_UNAVAILABLE, "service_unavailable", message, {"Retry-After": "5"})
