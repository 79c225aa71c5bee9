"""Which methods of boto3's resources need which IAM action, such as `Object.put` for s3:PutObject.

Source: boto3's own definitions of its resources (`resources-1.json` of each service).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import boto3
from botocore import xform_name
from botocore.loaders import Loader

from readiness.environment import named_by_iam

_METHODS: Final = ("actions", "batchActions", "hasMany")
LOADED: Final = ""
"""The name of any attribute of a resource: a read of one calls the action that loads them all."""


@cache
def methods(service: str) -> Mapping[str, frozenset[str]]:
    """Return the names of methods and collections by the action that they need, in small letters.

    Args:
        service: one that boto3 has resources for, such as `s3`.
    """
    loader = Loader(extra_search_paths=[str(Path(boto3.__file__).with_name("data"))])
    model = loader.load_service_model(service, "resources-1")
    found: dict[str, set[str]] = {}
    for one in (model["service"], *model["resources"].values()):
        for name, operation in _calls(one):
            found.setdefault(named_by_iam(f"{service}:{operation}").lower(), set()).add(name)
    return {action: frozenset(names) for action, names in found.items()}


def _calls(resource: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if load := resource.get("load"):
        yield LOADED, load["request"]["operation"]
    for kind in _METHODS:
        for name, definition in resource.get(kind, {}).items():
            yield xform_name(name), definition["request"]["operation"]
