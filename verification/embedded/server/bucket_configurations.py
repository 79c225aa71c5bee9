"""Overlay: the configurations of which a bucket has several, each under an id: inventories, analyses, metrics and tiering.

MiniStack takes `PUT ?inventory&id=...` for the creation of a bucket and answers `GET ?inventory` with a list of objects.
A configuration is kept as it was sent. Source: Amazon S3 API reference, "PutBucketInventoryConfiguration" (answers 200),
"ListBucketInventoryConfigurations", "DeleteBucketInventoryConfiguration" (answers 204), and the same operations for
Analytics, Metrics and IntelligentTiering.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from ministack.services import s3

from verification.embedded.server import require
from verification.embedded.server.context import Context

require(s3, "_dispatch", "_ensure_bucket", "_error", "_no_such_bucket")

# The element of one configuration, by its sub-resource.
KINDS: Mapping[str, str] = {
    "inventory": "InventoryConfiguration",
    "analytics": "AnalyticsConfiguration",
    "metrics": "MetricsConfiguration",
    "intelligent-tiering": "IntelligentTieringConfiguration",
}
_NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
_DECLARATION = re.compile(rb"^\s*<\?xml[^>]*\?>")
_kept: dict[tuple[str, str], dict[str, bytes]] = {}
Answer = tuple[int, dict[str, str], bytes]


def install(_context: Context) -> None:
    """Answer the sub-resources, and leave every other request to MiniStack."""
    dispatch: Callable[..., Answer] = s3._dispatch

    def dispatched(
        method: str, bucket: str, key: str, headers: Mapping[str, str], body: bytes, query: Mapping[str, Any]
    ) -> Answer:
        kind = next((kind for kind in KINDS if kind in query), "") if bucket and not key else ""
        if kind and method in {"GET", "PUT", "DELETE"}:
            return _answered(method, bucket, kind, str((query.get("id") or [""])[0]), body)
        answer = dispatch(method, bucket, key, headers, body, query)
        if (method, bool(key)) == ("DELETE", False) and answer[0] == HTTPStatus.NO_CONTENT and not query:
            reset(bucket)
        return answer

    s3._dispatch = dispatched


def reset(bucket: str | None = None) -> None:
    """Forget the configurations of a bucket that is gone; None for all."""
    for place in [place for place in _kept if bucket in (None, place[0])]:
        del _kept[place]


def _answered(method: str, bucket: str, kind: str, id_: str, body: bytes) -> Answer:
    missing: Answer
    if s3._ensure_bucket(bucket) is None:
        missing = s3._no_such_bucket(bucket)
        return missing
    held = _kept.setdefault((bucket, kind), {})
    if method == "PUT":
        held[id_] = _DECLARATION.sub(b"", body)
        return HTTPStatus.OK, {}, b""
    if not id_:
        return _xml(_listing(kind, held))
    if id_ not in held:
        missing = s3._error(
            "NoSuchConfiguration", "The specified configuration does not exist.", HTTPStatus.NOT_FOUND
        )
        return missing
    if method == "DELETE":
        del held[id_]
        return HTTPStatus.NO_CONTENT, {}, b""
    return _xml(held[id_])


def _listing(kind: str, held: Mapping[str, bytes]) -> bytes:
    name = (
        "ListBucketIntelligentTieringConfigurationsOutput"
        if kind == "intelligent-tiering"
        else (f"List{KINDS[kind]}sResult")
    )
    inner = b"".join(held[id_] for id_ in sorted(held))
    return (
        f'<{name} xmlns="{_NAMESPACE}"><IsTruncated>false</IsTruncated>'.encode()
        + inner
        + f"</{name}>".encode()
    )


def _xml(body: bytes) -> Answer:
    return HTTPStatus.OK, {"Content-Type": "application/xml"}, body
