"""What a commit of the application would deploy, to be compared with what is deployed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from readiness.aws.cloudformation import written_out
from readiness.errors import Unverified


@dataclass(frozen=True)
class Release:
    """A commit that is checked out."""

    commit: str
    template: Mapping[str, Any] = field(repr=False)
    files: Mapping[str, str] = field(repr=False)  # git's blob ids under backend/, by path from there
    uncommitted: Sequence[str]  # what `git status` names under backend/

    def changed_files(self, function: str, package: Mapping[str, bytes]) -> list[str]:
        """Paths that differ between a function's deployed package and the folder that its `CodeUri` names.

        Raises:
            AssertionError: the commit's template has no such function.
        """
        declared = self.template["Resources"].get(function)
        if declared is None:
            raise AssertionError(f"{self!r} has no function '{function}' in backend/template.yaml")
        folder = PurePosixPath(declared["Properties"]["CodeUri"])
        committed = {
            str(PurePosixPath(path).relative_to(folder)): blob
            for path, blob in self.files.items()
            if PurePosixPath(path).is_relative_to(folder)
        }
        if not committed:
            raise Unverified(f"{self!r} has no file under backend/{folder}")
        deployed = {path: blob_id(content) for path, content in package.items()}
        return sorted(
            path for path in committed.keys() | deployed.keys() if committed.get(path) != deployed.get(path)
        )

    def changed_template(self, deployed: str | Mapping[str, Any]) -> list[str]:
        """Where the deployed original template says something else than the commit's, as paths in it."""
        return sorted(_differences(_released(self.template), _released(written_out(deployed)), ""))


def blob_id(content: bytes) -> str:
    """The id that git gives a file's content."""
    return hashlib.sha1(b"blob %d\0%s" % (len(content), content), usedforsecurity=False).hexdigest()


def _released(template: Mapping[str, Any]) -> dict[str, Any]:
    """A template without what SAM writes into it on its way: where packages lie, and resources' own names."""
    resources = {}
    for name, resource in template["Resources"].items():
        metadata = {k: v for k, v in resource.get("Metadata", {}).items() if k != "SamResourceId"}
        properties = {k: v for k, v in resource.get("Properties", {}).items() if k != "CodeUri"}
        resources[name] = {**resource, "Metadata": metadata, "Properties": properties}
    return {**template, "Resources": resources}


def _differences(one: Any, other: Any, path: str) -> Iterator[str]:
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        for key in one.keys() | other.keys():
            yield from _differences(one.get(key), other.get(key), f"{path}/{key}")
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for index, (mine, its) in enumerate(zip(one, other, strict=True)):
            yield from _differences(mine, its, f"{path}/{index}")
    elif one != other:
        yield path
