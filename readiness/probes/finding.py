"""A finding of a tool."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One finding of a tool. It never contains a secret. `remedy` is what the tool advises."""

    file: str
    line: int
    rule: str
    message: str
    remedy: str = ""

    @property
    def place(self) -> str:
        """The file, and the line where there is one."""
        return f"{self.file}:{self.line}" if self.line else self.file

    def __repr__(self) -> str:
        return f"{self.file}:{self.line} {self.rule} {self.message}"
