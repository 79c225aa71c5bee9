"""The terminal, with secrets taken out of whatever is written to it."""

from __future__ import annotations

import io
from typing import TextIO

from verification.report.redaction import redact


class Redacting(io.TextIOBase):
    """Passes what is written on to another stream, redacted; all else is that stream's own."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream = stream

    def write(self, text: str, /) -> int:
        self._stream.write(redact(text))
        return len(text)

    def flush(self) -> None:
        self._stream.flush()

    def isatty(self) -> bool:
        return self._stream.isatty()

    def fileno(self) -> int:
        return self._stream.fileno()

    def close(self) -> None:
        """The other stream is not ours to close."""
