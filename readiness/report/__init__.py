"""A run's verdict as files: JSON, Markdown and, through pytest-html and pytest's own JUnit, HTML and XML."""

from __future__ import annotations

from pathlib import Path

from readiness.report import document, markdown
from readiness.report.document import Document
from readiness.report.run import Picture, Run

__all__ = ["Document", "Picture", "Run", "write"]


def write(content: Document, directory: Path) -> None:
    """Leave verification.json and verification.md in `directory`, each whole or not at all."""
    texts = {"verification.json": document.render(content), "verification.md": markdown.render(content)}
    for name, text in texts.items():
        put(directory / name, text)


def put(file: Path, text: str) -> None:
    """Write a file whole or not at all."""
    unfinished = file.with_name(f".{file.name}.unfinished")
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(file)
