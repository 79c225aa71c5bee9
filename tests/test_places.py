"""Names of the project's own folders and files, wherever code writes them down."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from markdown_it import MarkdownIt

from verification.application import ROOT

_MADE = (Path("frontend", ".env"), Path("frontend", "dist"))
"""What a deployment or a build writes, so that a new checkout lacks it."""
_OWN = {"verification", "readiness", "benchmarks", "scripts", "backend", "frontend"}


def test_every_place_of_the_project_that_code_names_exists() -> None:
    """A file that moved leaves a condition behind that is never true again, and no error."""
    named = [
        (file.relative_to(ROOT), place)
        for folder in ("readiness", "verification", "benchmarks", "tests/faults")
        for file in (ROOT / folder).rglob("*.py")
        for place in _places(ast.parse(file.read_text(encoding="utf-8")))
    ]

    assert len(named) > 10, "nothing is read"
    assert [
        f"{file}: {place}"
        for file, place in named
        if not any(place.is_relative_to(made) for made in _MADE) and not (ROOT / place).exists()
    ] == []


def test_every_picture_of_a_document_exists_and_has_a_text() -> None:
    """A reader sees a broken frame, and a screen reader nothing."""
    documents = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    pictures = [
        (file, image.content, str(image.attrs["src"]))
        for file in documents
        for block in MarkdownIt("commonmark").parse(file.read_text(encoding="utf-8"))
        for image in block.children or []
        if image.type == "image"
    ]

    assert {file.name for file, _, _ in pictures} >= {"README.md", "ADAPTING.md"}
    assert [
        f"{file.name}: {source}"
        for file, text, source in pictures
        if not text or not (file.parent / source).is_file()
    ] == []


def _places(tree: ast.AST) -> Iterator[Path]:
    """What stands behind a slash of pathlib and begins with a folder of the project's source."""
    inner = {node.left for node in ast.walk(tree) if isinstance(node, ast.BinOp)}
    for node in ast.walk(tree):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div) and node not in inner:
            parts = list(_parts(node))
            if parts and parts[0] in _OWN:
                yield Path(*parts)


def _parts(node: ast.expr) -> Iterator[str]:
    """The constant parts after the first slash of a chain, up to the first part that is computed."""
    chain: list[ast.expr] = []
    while isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        chain.insert(0, node.right)
        node = node.left
    for part in chain:
        if not (isinstance(part, ast.Constant) and isinstance(part.value, str)):
            return
        yield part.value
