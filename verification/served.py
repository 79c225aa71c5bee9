"""What is stored and served of the page, held against what the commit that is checked out builds.

See docs/adr/0036-served-is-built.md.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import tempfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from urllib.parse import quote

from readiness.aws.bucket import Bucket
from readiness.errors import Unverified
from readiness.exchanges import Exchanges, comparable
from readiness.probes.cdn import Cdn
from readiness.probes.http import Answer
from readiness.probes.process import read
from verification import budgets
from verification.deployment import site
from verification.probes.build import build
from verification.probes.commands import Source
from verification.probes.release import Release, blob_id
from verification.stack import Stack

_PUBLIC = "frontend/public/"
# Source: CloudFront Developer Guide, "Serve compressed files", as far as the page has such files.
_COMPRESSED = re.compile(r"text/(html|css|javascript|plain)\b|image/svg\+xml|application/xml")


@dataclass(frozen=True)
class BuiltFile:
    """One file of a build, and how a deployment stores it."""

    key: str
    size: int
    sha256: str
    md5: str
    content_type: str
    cache_control: str

    @property
    def paths(self) -> Sequence[str]:
        """Where it is served."""
        return ["/", f"/{self.key}"] if self.key == site.INDEX else [f"/{self.key}"]

    @property
    def is_hashed(self) -> bool:
        """Whether its name changes with its content."""
        return site.HASHED.fullmatch(self.key) is not None

    @property
    def is_compressed(self) -> bool:
        """Whether CloudFront compresses a file of this type and size."""
        return bool(_COMPRESSED.match(self.content_type)) and self.size >= budgets.COMPRESSED_BYTES


@dataclass(frozen=True)
class Difference:
    """Something that is not as the commit builds it. `of_release`: a page of another commit would look like this."""

    text: str
    of_release: bool = False


def built(source: Source, variables: Mapping[str, str], exchanges: Exchanges) -> Sequence[BuiltFile]:
    """What the commit that is checked out builds with these variables, without uncommitted files.

    The SHA-256 is held against what `exchanges` answer.

    Raises:
        Unverified: it cannot be built, or not with the packages that it locks.
    """
    with tempfile.TemporaryDirectory(prefix="commit-") as scratch:
        source.lay_out("frontend", Path(scratch))
        frontend, packages = Path(scratch, "frontend"), source.app / "frontend" / "node_modules"
        _require_locked(frontend / "package-lock.json", packages / ".package-lock.json")
        (frontend / "node_modules").symlink_to(packages.resolve())
        build(frontend, frontend / "dist", variables)
        try:
            files = site.files(frontend / "dist")
        except site.PageProblem as problem:
            raise Unverified(f"what the commit builds cannot be published: {problem}") from problem
        return [_built_file(file, exchanges) for file in files]


def _built_file(file: site.File, exchanges: Exchanges) -> BuiltFile:
    body = file.path.read_bytes()
    md5 = hashlib.md5(body, usedforsecurity=False).hexdigest()
    served = _sha256(comparable(exchanges, file.key, body))
    return BuiltFile(file.key, len(body), served, md5, file.content_type, file.cache_control)


def _sha256(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def _require_locked(locked: Path, installed: Path) -> None:
    """Other packages build other bytes, which would look like a page that was changed."""
    wanted, found = (json.loads(read(file) or "{}").get("packages", {}) for file in (locked, installed))
    other = [
        name for name, about in found.items() if about.get("version") != wanted.get(name, {}).get("version")
    ]
    if other or not found:
        raise Unverified(
            f"frontend/node_modules holds {', '.join(other[:3]) or 'nothing that npm installed'} in other versions than the "
            "commit's package-lock.json; run ./scripts/setup.sh"
        )


def differences(bucket: Bucket, edge: Cdn, files: Sequence[BuiltFile]) -> list[Difference]:
    """Files that are not stored, or not served, as they were built. One that is stored otherwise is not asked for."""
    stored = {one.key for one in bucket.objects("")}
    absent = [file.key for file in files if file.key not in stored]
    found = []
    if absent:
        text = f"{len(absent)} of {len(files)} files are not in {bucket.name}: {', '.join(absent)}"
        found.append(Difference(text, of_release=True))
    for file in files:
        if file.key in stored:
            found += list(_stored_otherwise(bucket, file)) or _served_otherwise(edge, file)
    return found


def _stored_otherwise(bucket: Bucket, file: BuiltFile) -> Iterator[Difference]:
    head = bucket.head(file.key)
    if not head.md5:
        raise Unverified(
            f"{bucket!r}: S3 tells no hash of {file.key}, which is stored in parts or under a KMS key; publish the page again"
        )
    if head.md5 != file.md5:
        text = f"{file.key} is stored with other content: expected MD5 {file.md5}, found {head.md5}"
        yield Difference(text, of_release=not file.is_hashed)
    for name, expected, value in (
        ("Content-Type", file.content_type, head.content_type),
        ("Cache-Control", file.cache_control, head.cache_control),
    ):
        if value != expected:
            yield Difference(f"{file.key} is stored with {name} {value!r}, expected {expected!r}")


def _served_otherwise(edge: Cdn, file: BuiltFile) -> list[Difference]:
    problems = []
    for path in file.paths:
        plain = edge.get(path, headers={"Accept-Encoding": "identity"})
        problems += [f"{path} is served with {problem}" for problem in _problems(plain, plain.body, file)]
        if file.is_compressed:
            compressed, body = _compressed(edge, path)
            problems += [
                f"{path}, compressed, is served with {one}" for one in _problems(compressed, body, file)
            ]
            if compressed.headers.get("content-encoding") != "gzip":
                problems.append(f"{path} is not served compressed to a browser that takes gzip")
    return [Difference(problem) for problem in problems]


def _problems(answer: Answer, body: bytes, file: BuiltFile) -> Iterator[str]:
    if answer.status != HTTPStatus.OK:
        yield f"status {answer.status}, expected 200"
        return
    if (found := _sha256(body)) != file.sha256:
        yield f"other content: expected SHA-256 {file.sha256}, found {found}"
    for name, expected in (("Content-Type", file.content_type), ("Cache-Control", file.cache_control)):
        if (value := answer.headers.get(name, "")) != expected:
            yield f"{name} {value!r}, expected {expected!r}"


def _compressed(edge: Cdn, path: str) -> tuple[Answer, bytes]:
    """The answer to a browser that takes gzip, and its content; CloudFront leaves out one or the other, when it is busy."""
    for _ in range(budgets.EDGE_ATTEMPTS):
        answer = edge.get(path, headers={"Accept-Encoding": "gzip"}, as_sent=True)
        if answer.headers.get("content-encoding") == "gzip":
            try:
                return answer, gzip.decompress(answer.body)
            except (OSError, EOFError, zlib.error):
                return answer, b""
    return answer, answer.body


def unexpected_objects(
    bucket: Bucket, edge: Cdn, files: Sequence[BuiltFile], source: Source
) -> list[Difference]:
    """Objects that neither this build nor an earlier release has put there.

    A release leaves its files when the next one comes. Those with a hash in their name were stored before the page that
    is there now; the others have a content that the commit's history has for them.
    """
    stored = {one.key: one.modified for one in bucket.objects("")}
    published = stored[site.INDEX]
    others = {key: modified for key, modified in stored.items() if key not in {file.key for file in files}}
    if not all(map(site.HASHED.fullmatch, others)):
        history = source.contents(_PUBLIC)
    found = []
    for key, modified in others.items():
        if site.HASHED.fullmatch(key):
            if modified > published:
                found.append(
                    Difference(f"{key} was stored after the page, so no earlier release has left it")
                )
        elif (
            not (known := history.get(_PUBLIC + key)) or blob_id(edge.get(f"/{quote(key)}").body) not in known
        ):
            found.append(Difference(f"{key} is no file of this page or of an earlier one", of_release=True))
    return found


def require_this_commit(stack: Stack, release: Release, found: Sequence[Difference]) -> None:
    """Tell a page of another commit from one that was changed.

    Raises:
        Unverified: another commit is deployed, and a page of its own would explain everything that was found.
    """
    if found and all(one.of_release for one in found) and _is_of_another(stack, release):
        raise Unverified(
            f"{stack.formation!r} runs another commit than {release.commit[:12]} (CONF-14), so its page may be that one's: "
            f"{'; '.join(one.text for one in found)}; verify the commit that is deployed, or deploy this one",
            cause="another commit is deployed than the one that is verified",
        )


def _is_of_another(stack: Stack, release: Release) -> bool:
    logical_ids = {r.physical_id: r.logical_id for r in stack.formation.resources.values()}
    return bool(release.changed_template(stack.formation.original_template)) or any(
        release.changed_files(logical_ids[function.name], function.package) for function in stack.functions
    )
