"""The terminal, with secrets and untrusted escape sequences removed from all output."""

from __future__ import annotations

import io
from typing import TextIO

from readiness.report.characters import visible_on_terminal
from readiness.report.redaction import without_secrets


class Redacting(io.TextIOBase):
    """Passes what is written on to another stream, redacted; all else is that stream's own."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream = stream

    def write(self, text: str, /) -> int:
        self._stream.write(visible_on_terminal(without_secrets(text)))
        return len(text)

    def flush(self) -> None:
        self._stream.flush()

    def isatty(self) -> bool:
        return self._stream.isatty()

    def fileno(self) -> int:
        return self._stream.fileno()

    def close(self) -> None:
        """The other stream is not ours to close."""
