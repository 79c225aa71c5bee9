"""Overlay: CloudFront's standard access logs, delivered into the bucket that a distribution's `Logging` names.

Source: CloudFront Developer Guide, "Configure standard logging (legacy)", "Standard log file fields".
"""

from __future__ import annotations

import gzip
import logging
import secrets
import threading
import time
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from ministack.core.responses import request_scope
from ministack.services import cloudfront, s3

from verification.embedded.server import pace, require
from verification.embedded.server.context import Context

require(cloudfront, "_dist_config_el", "_find", "_text")
require(s3, "_buckets", "_put_object")

logger = logging.getLogger("embedded.edge_log")

DELIVERY_SECONDS = 5.0
HELD_LINES = 100_000
FIELDS = (
    "date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer) cs(User-Agent) "
    "cs-uri-query cs(Cookie) x-edge-result-type x-edge-request-id x-host-header cs-protocol cs-bytes time-taken "
    "x-forwarded-for ssl-protocol ssl-cipher x-edge-response-result-type cs-protocol-version fle-status "
    "fle-encrypted-fields c-port time-to-first-byte x-edge-detailed-result-type sc-content-type sc-content-len "
    "sc-range-start sc-range-end"
)
LOCATION = "LOC50-C1"


@dataclass(frozen=True)
class Target:
    """Where a distribution's log goes."""

    bucket: str
    prefix: str
    with_cookies: bool


@dataclass(frozen=True)
class Visit:
    """One viewer's request and its answer, as the log tells them."""

    distribution_id: str
    domain: str
    host: str
    method: str
    path: str
    query: str
    scheme: str
    protocol: str
    client: tuple[str, int]
    headers: Mapping[str, str]
    status: int
    answer: Mapping[str, str]
    sent_bytes: int
    started: float

    def line(self, target: Target) -> str:
        """Return the log line; a field without a value is a dash."""
        outcome = self.answer.get("x-cache", "Miss").partition(" ")[0]
        moment = time.gmtime(self.started)
        taken = f"{time.time() - self.started:.3f}"
        known = {
            "date": time.strftime("%Y-%m-%d", moment),
            "time": time.strftime("%H:%M:%S", moment),
            "x-edge-location": LOCATION,
            "sc-bytes": self.sent_bytes,
            "c-ip": self.client[0],
            "cs-method": self.method,
            "cs(Host)": self.domain,
            "cs-uri-stem": self.path,
            "sc-status": self.status,
            "cs(Referer)": self.headers.get("referer"),
            "cs(User-Agent)": _quoted(self.headers.get("user-agent")),
            "cs-uri-query": self.query,
            "cs(Cookie)": _quoted(self.headers.get("cookie")) if target.with_cookies else None,
            "x-edge-result-type": outcome,
            "x-edge-request-id": self.answer.get("x-amz-cf-id"),
            "x-host-header": self.host,
            "cs-protocol": self.scheme,
            "cs-bytes": self.headers.get("content-length", "0"),
            "time-taken": taken,
            "x-forwarded-for": _quoted(self.headers.get("x-forwarded-for")),
            "x-edge-response-result-type": outcome,
            "cs-protocol-version": self.protocol,
            "c-port": self.client[1],
            "time-to-first-byte": taken,
            "x-edge-detailed-result-type": outcome,
            "sc-content-type": _quoted(self.answer.get("content-type")),
            "sc-content-len": self.answer.get("content-length"),
        }
        values = (known.get(name) for name in FIELDS.split())
        return "\t".join("-" if value in (None, "") else str(value) for value in values)


class EdgeLog:
    """Collects visits and delivers them, some seconds later, as one object for each distribution."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._lock = threading.Lock()
        self._held: dict[tuple[str, Target], list[str]] = {}

    def start(self) -> None:
        """Deliver from now on."""
        threading.Thread(target=self._deliver_for_ever, name="edge-log", daemon=True).start()

    def note(self, distribution: dict[str, Any], visit: Visit) -> None:
        """Keep a visit until the next delivery, if the distribution logs at all."""
        target = target_of(distribution)
        if target is None:
            return
        with self._lock:
            lines = self._held.setdefault((visit.distribution_id, target), [])
            if len(lines) < HELD_LINES:
                lines.append(visit.line(target))

    def deliver(self) -> None:
        """Write what is held into the buckets; a bucket that is gone or takes no ACLs gets nothing, as on AWS."""
        with self._lock:
            held, self._held = self._held, {}
        for (distribution_id, target), lines in held.items():
            hour = time.strftime("%Y-%m-%d-%H", time.gmtime())
            key = f"{target.prefix}{distribution_id}.{hour}.{secrets.token_hex(4)}.gz"
            text = "".join(f"{line}\n" for line in ("#Version: 1.0", f"#Fields: {FIELDS}", *lines))
            with request_scope(self._context.account_id, self._context.region):
                if not accepts_acls(target.bucket):
                    logger.warning(
                        "no log of %s is delivered: %s takes no ACLs", distribution_id, target.bucket
                    )
                    continue
                answer = s3._put_object(target.bucket, key, gzip.compress(text.encode()), {})
            if answer[0] >= HTTPStatus.BAD_REQUEST:
                logger.warning("no log of %s is delivered: %s", distribution_id, answer[2])

    def _deliver_for_ever(self) -> None:
        while True:
            time.sleep(self._context.pace.seconds(pace.EDGE_LOG) or DELIVERY_SECONDS)
            try:
                self.deliver()
            except Exception:
                logger.exception("access logs of CloudFront were not delivered")


def target_of(distribution: dict[str, Any]) -> Target | None:
    """Return where a distribution's access log goes, or None when it keeps none."""
    found = cloudfront._find(cloudfront._dist_config_el(distribution), "Logging")
    bucket = cloudfront._text(found, "Bucket") if found is not None else ""
    if not bucket or cloudfront._text(found, "Enabled", "true") == "false":
        return None
    cookies = cloudfront._text(found, "IncludeCookies") == "true"
    return Target(bucket.partition(".s3.")[0], cloudfront._text(found, "Prefix"), cookies)


def accepts_acls(bucket: str) -> bool:
    """Tell whether a bucket takes what CloudFront delivers through an ACL: by default, as BucketOwnerEnforced, none does."""
    ownership = (s3._buckets.get(bucket) or {}).get("_ownership_controls", "")
    return "BucketOwnerPreferred" in ownership or "ObjectWriter" in ownership


def _quoted(value: str | None) -> str | None:
    return urllib.parse.quote(value, safe="/:;=,.()*+-_~!") if value else None
