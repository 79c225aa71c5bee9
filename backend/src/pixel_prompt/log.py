"""Structured logs: one JSON object a line, with the correlation id, without prompts and keys."""

import json
import re
import sys
import time
from collections.abc import Mapping
from typing import Any, Final, TextIO

_KEY_SHAPES: Final = re.compile(
    r"\bsk-[\w-]{8,}|\bAIza[\w-]{20,}|\bAKIA[A-Z0-9]{12,}|\bBearer\s+\S+|\beyJ[\w-]{10,}\.[\w.-]+",
    re.IGNORECASE,
)


def redact(text: str) -> str:
    """Blank out what has the shape of a key or token."""
    return _KEY_SHAPES.sub("[redacted]", text)


def describe(error: BaseException) -> dict[str, Any]:
    """What a log line may say about an exception.

    Its message is left out, because messages quote the values that caused them, and a value may be a prompt
    or a key. Types, places and the codes of AWS's errors are enough to find the fault.
    """
    places = []
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        places.append(f"{code.co_filename.rpartition('/')[2]}:{trace.tb_lineno} {code.co_name}")
        trace = trace.tb_next
    fields: dict[str, Any] = {"errorType": type(error).__name__, "trace": places[-12:]}
    response = getattr(error, "response", None)
    if isinstance(response, Mapping):
        fields["awsError"] = response.get("Error", {}).get("Code")
        fields["awsOperation"] = getattr(error, "operation_name", None)
    return fields


class Log:
    """Writes lines that all carry the fields it is bound to."""

    def __init__(self, fields: Mapping[str, Any] | None = None, stream: TextIO | None = None) -> None:
        self._fields = dict(fields or {})
        self._stream = stream

    def bind(self, **fields: Any) -> "Log":
        """A log whose lines carry these fields too."""
        return Log({**self._fields, **fields}, self._stream)

    def info(self, event: str, **fields: Any) -> None:
        """Something happened as it should."""
        self._write("info", event, fields)

    def warning(self, event: str, **fields: Any) -> None:
        """Something is wrong outside this application, and was coped with."""
        self._write("warning", event, fields)

    def failure(self, event: str, **fields: Any) -> None:
        """Something went wrong that somebody should look at."""
        self._write("error", event, fields)

    def _write(self, level: str, event: str, fields: Mapping[str, Any]) -> None:
        now = time.time()
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now))
        record = {
            "timestamp": f"{stamp}.{int(now * 1000) % 1000:03d}Z",
            "level": level,
            "event": event,
            **self._fields,
            **fields,
        }
        line = json.dumps({name: _clean(value) for name, value in record.items() if value is not None})
        # One call a line, so that lines of concurrent threads do not mix.
        print(line, file=self._stream or sys.stdout, flush=True)


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, Mapping):
        return {str(name): _clean(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(inner) for inner in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    return redact(str(value))
