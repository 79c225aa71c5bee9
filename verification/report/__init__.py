"""A run's verdict as files: JSON, Markdown and, through pytest-html and pytest's own JUnit, HTML and XML."""

from __future__ import annotations

from pathlib import Path

from verification.report import document, markdown
from verification.report.run import Run

__all__ = ["Run", "write"]


def write(run: Run, directory: Path) -> None:
    """Leave verification.json and verification.md in `directory`, each whole or not at all."""
    for name, text in (
        ("verification.json", document.render(run)),
        ("verification.md", markdown.render(run)),
    ):
        unfinished = directory / f".{name}.unfinished"
        unfinished.write_text(text, encoding="utf-8")
        unfinished.replace(directory / name)
