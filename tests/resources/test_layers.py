"""The files of a function's layers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from readiness.aws.function import Function
from readiness.errors import Unverified

ARN = "arn:aws:lambda:us-east-1:123456789012:layer"
FILES = {
    f"{ARN}:first:1": {"python/tools.py": b"first", "README.md": b"words"},
    f"{ARN}:second:4": {
        "python/tools.py": b"second",
        "python/lib/python3.13/site-packages/six.py": b"packages",
    },
}


class Layers:
    """An environment whose one function has layers, and whose downloads are these files."""

    def __init__(self, *arns: str) -> None:
        self._arns = arns
        self.exchanges = self

    def client(self, _service: str) -> Layers:
        return self

    def get_function_configuration(self, **_: str) -> dict[str, Any]:
        return {"Layers": [{"Arn": arn} for arn in self._arns]}

    def get_layer_version_by_arn(self, **asked: str) -> dict[str, Any]:
        return {"Content": {"Location": "https://layers.example/" if asked["Arn"] in FILES else ""}}

    def call(self, _kind: str, request: Mapping[str, str], _made: Callable[[], object]) -> object:
        return FILES[request["layer"]]


def test_files_are_where_python_looks_for_them() -> None:
    """Lambda unpacks layers in their order, so a later one replaces what an earlier one brought."""
    function = Function(Layers(*FILES), "reader")  # type: ignore[arg-type]

    assert function.layer_files == {"tools.py": b"second", "six.py": b"packages", "README.md": b"words"}


def test_layer_that_cannot_be_had_is_unverified() -> None:
    function = Function(Layers(f"{ARN}:other:1"), "reader")  # type: ignore[arg-type]

    with pytest.raises(Unverified, match="cannot be downloaded"):
        _ = function.layer_files
