"""Names of the project's own folders and files, wherever code writes them down."""

from __future__ import annotations

import ast
import re
import subprocess
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


_TWO_LEVELS = ("tests", "backend", "frontend", "requirements", "docs", ".github", ".ci")
"""Folders whose table does not go deeper than the second level."""


def test_the_architecture_has_each_folder_and_each_module_of_the_engine() -> None:
    """A reader who looks for a folder that the table lacks has no map, and one that is gone leads nowhere."""
    text = (ROOT / "docs/ARCHITECTURE.md").read_text(encoding="utf-8")
    section = text.split("## Folders\n", 1)[1].split("\n## ", 1)[0]
    first_cells = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    named = {name for cell in first_cells for name in re.findall(r"`([^`]+)`", cell)}
    tracked = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split("\0")[:-1]
    parents = {parent for name in tracked for parent in Path(name).parents} - {Path()}
    folders = {f"{one}/" for one in parents if len(one.parts) == 1 or one.parts[0] not in _TWO_LEVELS}
    folders |= {f"{one}/" for one in parents if len(one.parts) == 2 and one.parts[0] == "tests"}
    modules = {path.stem for path in (ROOT / "readiness").glob("*.py") if not path.stem.startswith("__")}

    assert named == (folders - {".ci/"}) | modules


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
