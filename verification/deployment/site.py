"""The upload of the built page to its distribution's bucket: its parts first, index.html last.

A user with the old index.html open continues to need the files that it names, so those stay. A user who gets the new
one finds every file that it names.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import botocore.exceptions

if TYPE_CHECKING:
    from mypy_boto3_cloudfront import CloudFrontClient
    from mypy_boto3_s3 import S3Client

INDEX = "index.html"
# Their names change with their content: Vite's build.assetsDir.
HASHED = re.compile(r"assets/.+-[\w-]{8,}\.\w+")

FOR_EVER = "public, max-age=31536000, immutable"
A_WHILE = "public, max-age=3600"
ASK_AGAIN = "no-cache"

_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".gif": "image/gif",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".jpg": "image/jpeg",
    ".js": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
    ".xml": "application/xml",
}
# Source maps, and what tools write about a build: they would help an attacker.
_PRIVATE = re.compile(r"\.map$|(^|/)\.|(^|/)(report|stats|bundle)[^/]*\.(html|json|md)$|(^|/)report/")


class PageProblem(Exception):
    """The page cannot be published as it was built, or AWS would not take it."""


@dataclass(frozen=True)
class File:
    """One file of the page, as it is stored."""

    key: str
    path: Path
    content_type: str
    cache_control: str


def files(dist: Path) -> Sequence[File]:
    """What a build consists of, in the order in which it is published.

    Raises:
        PageProblem: there is no index.html, it names a file that was not built, or a file is of no known type.
    """
    found = {
        path.relative_to(dist).as_posix(): path
        for path in sorted(dist.rglob("*"))
        if path.is_file() and not _PRIVATE.search(path.relative_to(dist).as_posix())
    }
    if INDEX not in found:
        raise PageProblem(f"{dist} holds no {INDEX}; read the output of the build")
    absent = [name for name in named(found[INDEX].read_text(encoding="utf-8")) if name not in found]
    if absent:
        raise PageProblem(
            f"{INDEX} names {', '.join(absent)}, which the build did not make; run the build again"
        )
    unknown = [key for key, path in found.items() if path.suffix not in _TYPES]
    if unknown:
        raise PageProblem(
            f"no media type is known for {', '.join(unknown)}; add it to verification/deployment/site.py, "
            "or take the file out of frontend/public"
        )
    return [
        File(key, found[key], _TYPES[found[key].suffix], _cache_control(key))
        for key in sorted(found, key=lambda key: (key == INDEX, not HASHED.fullmatch(key), key))
    ]


def named(html: str) -> list[str]:
    """Keys of the hashed files that the page names."""
    return sorted(set(re.findall(r"""(?:src|href)=["']/(assets/[^"']+)["']""", html)))


def _cache_control(key: str) -> str:
    if key == INDEX:
        return ASK_AGAIN
    return FOR_EVER if HASHED.fullmatch(key) else A_WHILE


@dataclass(frozen=True)
class Site:
    """Where a stack's page lives."""

    bucket: str
    distribution_id: str

    def store(self, content: Sequence[File], s3: S3Client) -> int:
        """Store what is not there yet just like that; how many files that were.

        Args:
            content: what `files` found, in its order.
            s3: a boto3 client.

        Raises:
            PageProblem: AWS refused; the page is the old one.
        """
        stored = 0
        try:
            for file in content:
                body = file.path.read_bytes()
                if self._holds(file, body, s3):
                    continue
                s3.put_object(
                    Bucket=self.bucket,
                    Key=file.key,
                    Body=body,
                    ContentType=file.content_type,
                    CacheControl=file.cache_control,
                )
                stored += 1
        except (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError) as problem:
            raise PageProblem(
                f"{file.key} could not be stored in {self.bucket}: {problem}. The page is still the old one; "
                "fix the cause, then run again"
            ) from problem
        return stored

    def _holds(self, file: File, body: bytes, s3: S3Client) -> bool:
        """Return whether this exact file is stored, and False without permission to read it."""
        try:
            found = s3.head_object(Bucket=self.bucket, Key=file.key)
        except botocore.exceptions.ClientError:
            return False
        md5 = hashlib.md5(body, usedforsecurity=False).hexdigest()
        held = (found.get("ETag", "").strip('"'), found.get("ContentType"), found.get("CacheControl"))
        return bool(held == (md5, file.content_type, file.cache_control))

    def forget(self, cloudfront: CloudFrontClient, *, reference: str) -> None:
        """Make the edges forget all that they have: also a file that was changed under a name with a hash.

        Args:
            cloudfront: a boto3 client.
            reference: tells CloudFront this publication from every other.

        Raises:
            PageProblem: AWS refused.
        """
        try:
            cloudfront.create_invalidation(
                DistributionId=self.distribution_id,
                InvalidationBatch={"CallerReference": reference, "Paths": {"Quantity": 1, "Items": ["/*"]}},
            )
        except (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError) as problem:
            raise PageProblem(
                f"the page is stored, but {self.distribution_id} did not accept the invalidation of the old one: {problem}. "
                "Fix the cause, then run again"
            ) from problem
