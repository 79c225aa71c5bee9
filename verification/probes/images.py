"""Which stored objects are checked to be images, and what an image is."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType

from readiness.aws.bucket import Bucket, StoredObject
from verification import budgets

FIRST_BYTES = 12
_SIGNATURES: Mapping[str, re.Pattern[bytes]] = MappingProxyType(
    {
        "image/png": re.compile(rb"\x89PNG\r\n\x1a\n"),
        "image/jpeg": re.compile(rb"\xff\xd8\xff"),
        "image/webp": re.compile(rb"RIFF.{4}WEBP", re.DOTALL),
    }
)
_PREFIX = "images/"
_OF_A_RUN = f"{_PREFIX}verification-"  # put there by other checks, for moments


def kind_of(content: bytes) -> str:
    """The media type that a file's first bytes tell; '' for one that the application does not make."""
    return next((kind for kind, signature in _SIGNATURES.items() if signature.match(content)), "")


def sample(bucket: Bucket) -> Sequence[StoredObject]:
    """The newest images, and as many evenly out of all others; what a verification has stored lately is left out.

    A bucket that holds more than can be listed in a short time is listed from a random place on.
    """
    listed = bucket.objects(_PREFIX, after=f"{_PREFIX}{uuid.uuid4()}", most=budgets.IMAGES_LISTED)
    if len(listed) < budgets.IMAGES_LISTED:
        listed = bucket.objects(_PREFIX, most=budgets.IMAGES_LISTED)
    now = datetime.now(UTC)
    lasting = [
        one
        for one in listed
        if not (one.key.startswith(_OF_A_RUN) and now - one.modified < budgets.RUNS_OWN_IMAGES)
    ]
    newest = sorted(lasting, key=lambda one: one.modified, reverse=True)[: budgets.IMAGES_SAMPLED]
    others = [one for one in lasting if one not in newest]
    return [*newest, *others[:: -(-len(others) // budgets.IMAGES_SAMPLED) or 1]]
