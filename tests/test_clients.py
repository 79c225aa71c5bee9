"""What no type can say of the clients: operations that are named by text, and imports that only mypy has."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path

import boto3

from verification.application import ROOT

SERVICES = re.findall(r'Literal\["([a-z0-9-]+)"\]', (ROOT / "readiness" / "clients.py").read_text("utf-8"))


@functools.cache
def operations(service: str) -> Mapping[str, str]:
    """AWS's name of each operation by boto3's."""
    session = boto3.Session("testing", "testing", region_name="us-east-1")
    return dict(session.client(service).meta.method_to_api_mapping)


def modules() -> Iterator[tuple[Path, ast.Module]]:
    for folder in ("readiness", "verification", "benchmarks"):
        for file in (ROOT / folder).rglob("*.py"):
            if "verification/embedded/server/" not in file.as_posix():
                yield file.relative_to(ROOT), ast.parse(file.read_text(encoding="utf-8"))


def named_by_text(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Texts beside each other, of which the first names a service and the second has the form of an operation."""
    for node in ast.walk(tree):
        beside = node.args if isinstance(node, ast.Call) else node.elts if isinstance(node, ast.Tuple) else []
        texts = [one.value if isinstance(one, ast.Constant) else None for one in beside]
        for service, name in pairwise(texts):
            if (
                service in SERVICES
                and isinstance(name, str)
                and re.fullmatch(r"[a-z0-9]+(_[a-z0-9]+)+", name)
            ):
                yield service, name


def test_operations_that_are_named_by_text_exist() -> None:
    named = {(str(file), *found) for file, tree in modules() for found in named_by_text(tree)}

    assert len(named) > 50
    assert {one for one in named if one[2] not in operations(one[1])} == set()


def test_only_mypy_imports_the_stubs() -> None:
    """A user of the wheel has none of them."""
    imported = {
        str(file)
        for file, tree in modules()
        for node in tree.body
        if isinstance(node, ast.Import | ast.ImportFrom) and "mypy_boto3" in ast.unparse(node)
    }

    assert imported == set()
