"""The files of a function's layers."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from readiness.aws.function import Function
from readiness.errors import Unverified
from tests.answering import Answering

ARN = "arn:aws:lambda:us-east-1:123456789012:layer"
FILES = {
    f"{ARN}:first:1": {"python/tools.py": b"first", "README.md": b"words"},
    f"{ARN}:second:4": {
        "python/tools.py": b"second",
        "python/lib/python3.13/site-packages/six.py": b"packages",
    },
}


class Layers(Answering):
    """An environment whose one function has layers, and whose downloads are these files."""

    def __init__(self, *arns: str) -> None:
        super().__init__(
            {
                "lambda:GetFunctionConfiguration": {"Layers": [{"Arn": arn} for arn in arns]},
                "lambda:GetLayerVersionByArn": lambda asked: {
                    "Content": {"Location": "https://layers.example/" if asked["Arn"] in FILES else ""}
                },
            }
        )
        self.exchanges = self

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
