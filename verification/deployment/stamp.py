"""What was deployed into an embedded AWS, so that a second run can tell that nothing has changed since."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from verification.deployment.parameters import Parameters
from verification.deployment.standing import Standing

_PAGE_PARTS = (
    *("build", "public", "src", "index.html", "package.json", "package-lock.json"),
    *("tsconfig.json", "vite.config.ts"),
)


def digest(backend: Path, parameters: Parameters) -> str:
    """A hash of what decides the deployed stack: template, samconfig, everything under src, parameters.

    Secrets count by name alone, so that the stamp holds nothing made from a secret.
    """
    total = hashlib.sha256()
    for file in _deployed_files(backend):
        content = hashlib.sha256(file.read_bytes()).hexdigest()
        total.update(f"{file.relative_to(backend).as_posix()}\0{content}\0".encode())
    shown = {name: None if name in parameters.secrets else value for name, value in parameters.passed.items()}
    total.update(json.dumps(shown, sort_keys=True).encode())
    return total.hexdigest()


def page_digest(frontend: Path, variables: Mapping[str, str]) -> str:
    """A hash of what decides the built page: its source, its packages, and the deployment it is built for."""
    total = hashlib.sha256()
    for file in sorted(path for part in _PAGE_PARTS for path in _files(frontend / part)):
        content = hashlib.sha256(file.read_bytes()).hexdigest()
        total.update(f"{file.relative_to(frontend).as_posix()}\0{content}\0".encode())
    total.update(json.dumps(dict(variables), sort_keys=True).encode())
    return total.hexdigest()


def _files(path: Path) -> Iterator[Path]:
    if path.is_dir():
        yield from (file for file in path.rglob("*") if file.is_file())
    elif path.is_file():
        yield path


def _deployed_files(backend: Path) -> Iterator[Path]:
    for name in ("template.yaml", "samconfig.toml", "openapi.yaml"):
        if (backend / name).is_file():
            yield backend / name
    for file in sorted((backend / "src").rglob("*")):
        if file.is_file() and "__pycache__" not in file.parts and file.suffix != ".pyc":
            yield file


def remember(directory: Path, stack: str, digested: str, found: Standing) -> None:
    """Note that this very state of the stack was made from what the digest covers."""
    facts = {"digest": digested, "stack_id": found.stack_id, "changed": found.changed}
    temporary = _file(directory, stack).with_suffix(".new")
    temporary.write_text(json.dumps(facts))
    temporary.replace(_file(directory, stack))


def difference(directory: Path, stack: str, digested: str, found: Standing) -> str | None:
    """Why a deployment is needed; nothing when the stack is as the last deployment left it."""
    try:
        facts = json.loads(_file(directory, stack).read_text())
    except (OSError, ValueError):
        return "it was not deployed yet"
    if not found.exists or found.status not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
        return f"the stack is {found.status or 'not there'}"
    if (facts.get("stack_id"), facts.get("changed")) != (found.stack_id, found.changed):
        return "the stack was changed since"
    if facts.get("digest") != digested:
        return "the template, the source or the parameters changed"
    return None


def remember_page(directory: Path, stack: str, digested: str, found: Standing) -> None:
    """Note that the page made from what the digest covers lies on this very stack."""
    temporary = _page_file(directory, stack).with_suffix(".new")
    temporary.write_text(json.dumps({"digest": digested, "stack_id": found.stack_id}))
    temporary.replace(_page_file(directory, stack))


def page_difference(directory: Path, stack: str, digested: str, found: Standing) -> str | None:
    """Why the page has to be published; nothing when the last one published is made from the same."""
    try:
        facts = json.loads(_page_file(directory, stack).read_text())
    except (OSError, ValueError):
        return "the page was not published yet"
    same = (facts.get("stack_id"), facts.get("digest")) == (found.stack_id, digested)
    return None if same else "the page's source, or the deployment that it is for, changed"


def _page_file(directory: Path, stack: str) -> Path:
    return directory / f"page-{stack}.json"


def _file(directory: Path, stack: str) -> Path:
    return directory / f"deployed-{stack}.json"
