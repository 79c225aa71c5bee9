"""Overlay: what a CloudFront distribution does that MiniStack's does not: an address that opens, a cache, gzip.

The cache sits where CloudFront's does, between the viewer's side (protocol and method checks, functions, response
headers policy) and the origin: so a hit obeys the policies of this moment, never those of the day it was stored.

Source: CloudFront Developer Guide, "Manage how long content stays in the cache (expiration)", "Understand the cache
key", "Serve compressed files", "How CloudFront caches errors from your origin", "Invalidate files", "Types of metrics for CloudFront".
"""

from __future__ import annotations

import asyncio
import contextvars
import fnmatch
import gzip
import re
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any

import ministack.app
from ministack.core.responses import request_scope
from ministack.services import cloudfront

from verification.embedded.server import pace, require
from verification.embedded.server.cache import Lifetime, Store, Stored, parse_cache_control, parse_date
from verification.embedded.server.cloudformation import hooks
from verification.embedded.server.context import (
    App,
    Context,
    Message,
    Ports,
    Receive,
    Scope,
    Send,
)
from verification.embedded.server.edge_log import EdgeLog, Visit
from verification.embedded.server.http_api import CLIENT_ERROR, SERVER_ERROR, publish
from verification.embedded.server.pace import Pace
from verification.embedded.server.switches import Switch, is_on

require(ministack.app, "_parse_cloudfront_dataplane_host")
require(
    cloudfront,
    "_MANAGED_CACHE_POLICIES",
    "_cache_policies",
    "_cf_error_response",
    "_check_viewer_protocol_policy",
    "_cloudfront_domain",
    "_create_invalidation",
    "_dataplane_allowed_methods",
    "_dataplane_behavior",
    "_delete_distribution",
    "_dist_config_el",
    "_distributions",
    "_fetch_from_origin",
    "_invalidations",
    "_find",
    "_local_tag_name",
    "_match_behavior",
    "_new_distribution_domain",
    "_opt_text",
    "_text",
    "find_distribution_for_label",
    "parse_distribution_dataplane_config",
)

DISTRIBUTION = "AWS::CloudFront::Distribution"
METRICS_REGION = "us-east-1"
CACHE_BYTES = 128 * 1024 * 1024
DEFAULT_TTL_SECONDS = 86_400
MAX_TTL_SECONDS = 31_536_000
DEFAULT_ERROR_TTL_SECONDS = 10
CACHED = frozenset({200, 203, 300, 301, 302, 307, 308, 410})
CACHED_ERRORS = frozenset({400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504})
# An edge is near its viewers and its origin is not: without a distance, a cache on one machine saves nothing.
ORIGIN_SECONDS = 0.03
SLOW_HIT_SECONDS = 1.2
SMALLEST_COMPRESSED = 1_000
LARGEST_COMPRESSED = 10_000_000
COMPRESSIBLE = frozenset(
    {
        "application/dash+xml",
        "application/eot",
        "application/font",
        "application/font-sfnt",
        "application/javascript",
        "application/json",
        "application/opentype",
        "application/otf",
        "application/pdf",
        "application/pkcs7-mime",
        "application/protobuf",
        "application/rss+xml",
        "application/truetype",
        "application/ttf",
        "application/vnd.apple.mpegurl",
        "application/vnd.mapbox-vector-tile",
        "application/vnd.ms-fontobject",
        "application/wasm",
        "application/x-font-opentype",
        "application/x-font-truetype",
        "application/x-font-ttf",
        "application/x-httpd-cgi",
        "application/x-javascript",
        "application/x-mpegurl",
        "application/x-opentype",
        "application/x-otf",
        "application/x-perl",
        "application/x-ttf",
        "application/xhtml+xml",
        "application/xml",
        "font/eot",
        "font/opentype",
        "font/otf",
        "font/ttf",
        "image/svg+xml",
        "text/css",
        "text/csv",
        "text/html",
        "text/javascript",
        "text/js",
        "text/plain",
        "text/richtext",
        "text/tab-separated-values",
        "text/x-component",
        "text/x-java-source",
        "text/x-script",
        "text/xml",
        "vnd.apple.mpegurl",
    }
)
CONDITIONAL_HEADERS = frozenset(
    {"if-match", "if-modified-since", "if-none-match", "if-range", "if-unmodified-since"}
)
MISS, HIT, REFRESHED, ERROR, REDIRECT = (
    f"{outcome} from cloudfront" for outcome in ("Miss", "Hit", "RefreshHit", "Error", "Redirect")
)
Fetched = tuple[int, str, dict[str, Any], bytes]
Fetch = Callable[..., Any]


@dataclass(frozen=True)
class Wanted:
    """What is asked of an origin, in the order of MiniStack's `_fetch_from_origin`."""

    origin: dict[str, Any]
    method: str
    uri: str
    query: str
    headers: dict[str, str]


@dataclass
class Viewing:
    """One viewer's request to a distribution, as far as the cache is concerned."""

    distribution: dict[str, Any]
    parsed: dict[str, Any]
    behavior: dict[str, Any]
    domain: str
    host: str
    """What the viewer asked for: the domain, or one of the distribution's alternate names."""
    fetches: int = 0
    outcome: str = MISS
    age_seconds: int | None = None
    entry: Stored | None = None
    store: Store = field(default_factory=lambda: Store(0))
    """The cache that this viewer has come to."""


_viewing: contextvars.ContextVar[Viewing | None] = contextvars.ContextVar("cdn_viewing", default=None)


def install(context: Context) -> None:
    """Lay the overlay over MiniStack."""
    Addresses(context.ports).install()
    Cache(context.pace).install()
    allowed, redirect = cloudfront._dataplane_allowed_methods, cloudfront._check_viewer_protocol_policy
    behavior = cloudfront._dataplane_behavior

    def allowed_methods(element: Any) -> list[str]:
        return allowed(element) or ["GET", "HEAD"]

    def check_protocol(*arguments: Any) -> Any:
        *others, headers = arguments
        viewing = _viewing.get()
        answer = redirect(*others, {**headers, "host": viewing.host} if viewing is not None else headers)
        if answer is not None and "Location" in answer[1]:
            answer[1]["X-Cache"] = REDIRECT
        return answer

    def with_compress(element: Any, path_pattern: str | None = None) -> dict[str, Any]:
        return {
            **behavior(element, path_pattern),
            "compress": hooks.as_bool(cloudfront._opt_text(element, "Compress")),
            "legacy_ttl": {
                name: cloudfront._opt_text(element, name) for name in ("MinTTL", "DefaultTTL", "MaxTTL")
            },
        }

    cloudfront._dataplane_allowed_methods = allowed_methods
    cloudfront._check_viewer_protocol_policy = check_protocol
    cloudfront._dataplane_behavior = with_compress


class Addresses:
    """Gives each distribution a loopback port, and `127.0.0.1:<port>` as its DomainName."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._hosts: dict[str, str] = {}

    def install(self) -> None:
        """Follow the creation and deletion of distributions, by CloudFormation and by the API itself."""
        delete = cloudfront._delete_distribution

        def delete_distribution(distribution_id: str, headers: dict[str, str]) -> tuple[int, Any, Any]:
            domain = (cloudfront._distributions.get(distribution_id) or {}).get("DomainName")
            answer: tuple[int, Any, Any] = delete(distribution_id, headers)
            if answer[0] < HTTPStatus.BAD_REQUEST:
                self._close(domain)
            return answer

        def before_delete(physical_id: str, _properties: hooks.Properties) -> None:
            self._close((cloudfront._distributions.get(physical_id) or {}).get("DomainName"))

        cloudfront._new_distribution_domain = self._open
        cloudfront._delete_distribution = delete_distribution
        cloudfront.find_distribution_for_label = self._find
        hooks.before_delete(DISTRIBUTION, before_delete)

    def _open(self) -> str:
        host = cloudfront._cloudfront_domain()
        domain = f"127.0.0.1:{self._ports.open(host, plain_http=True)}"
        self._hosts[domain] = host
        return domain

    def _close(self, domain: str | None) -> None:
        host = self._hosts.pop(domain or "", None)
        if host is not None:
            self._ports.close(host)

    def _find(self, label: str) -> dict[str, Any] | None:
        port = self._ports.of(f"{label}.cloudfront.net")
        domain = f"127.0.0.1:{port}"
        found = (one for one in cloudfront._distributions.values() if one["DomainName"] == domain)
        return next(found, None) if port is not None else None


class Cache:
    """The cache, or the several of an edge, in its place between MiniStack's distributions and their origins."""

    def __init__(self, slow: Pace) -> None:
        self._pace = slow
        count = pace.EDGE_CACHES if slow.pessimistic else 1
        self._stores = [Store(CACHE_BYTES // count) for _ in range(count)]

    def install(self) -> None:
        """Take every fetch of a distribution, and act on invalidations."""
        ask, invalidate = cloudfront._fetch_from_origin, cloudfront._create_invalidation

        async def fetch(*arguments: Any) -> Fetched:
            return as_s3_refuses(arguments[0], await ask(*arguments))

        async def fetch_through(*arguments: Any) -> Fetched:
            viewing = _viewing.get()
            if viewing is None:
                plain: Fetched = await fetch(*arguments)
                return plain
            return await self._through(fetch, viewing, *arguments)

        def create_invalidation(distribution_id: str, body: bytes) -> tuple[int, Any, Any]:
            known = len(cloudfront._invalidations.get(distribution_id, []))
            answer: tuple[int, Any, Any] = invalidate(distribution_id, body)
            for batch in cloudfront._invalidations.get(distribution_id, [])[known:]:
                if self._pace.pessimistic:
                    batch["Status"] = "InProgress"
                    wait = threading.Timer(
                        self._pace.seconds(pace.INVALIDATION), self._forget, (distribution_id, batch)
                    )
                    wait.daemon = True
                    wait.start()
                    answer = (*answer[:2], answer[2].replace(b">Completed<", b">InProgress<"))
                else:
                    self._forget(distribution_id, batch)
            return answer

        cloudfront._fetch_from_origin = fetch_through
        cloudfront._create_invalidation = create_invalidation

    def _forget(self, distribution_id: str, batch: dict[str, Any]) -> None:
        """Take an invalidation's paths out of every cache; a pessimistic edge asks the origin whether they changed."""
        if not is_on(Switch.DEAF_EDGES):
            for store in self._stores:
                paths = batch["InvalidationBatch"]["Paths"]["Items"]
                store.invalidate(distribution_id, paths, keep=self._pace.pessimistic)
        batch["Status"] = "Completed"

    async def _through(self, fetch: Fetch, viewing: Viewing, *arguments: Any) -> Fetched:
        """Answer from the cache or from the origin, and say in `viewing` which it was."""
        wanted = Wanted(*arguments[:5])
        store = self._store_of(viewing)
        behavior = viewing.behavior
        if viewing.fetches:
            # A custom error page comes after the answer that it replaces.
            behavior = cloudfront._match_behavior(viewing.parsed, wanted.uri)
        viewing.fetches += 1
        lifetime = lifetime_of(behavior)
        if wanted.method not in ("GET", "HEAD") or lifetime is None or lifetime.most <= 0:
            passed: Fetched = await fetch(*arguments)
            return passed
        key = cache_key(viewing.distribution["Id"], behavior, wanted)
        now = time.time()
        found = store.get((*key, "GET")) or (store.get((*key, "HEAD")) if wanted.method == "HEAD" else None)
        if found is not None and found.expires_at > now:
            if is_on(Switch.SLOW_HITS):
                await asyncio.sleep(SLOW_HIT_SECONDS)
            return self._hit(viewing, found, HIT)
        if "range" in wanted.headers:
            ranged: Fetched = await fetch(*arguments)
            return ranged
        await asyncio.sleep(ORIGIN_SECONDS)
        stale = found if found is not None and found.status == HTTPStatus.OK else None
        generation = store.generation
        answer: Fetched = await fetch(*arguments[:4], unconditional(wanted.headers, stale), *arguments[5:])
        if answer[0] == HTTPStatus.NOT_MODIFIED and stale is not None:
            headers = {**stale.headers, **answer[2]}
            renewed = replace(
                stale, headers=headers, stored_at=now, expires_at=now + lifetime.of(headers, now)
            )
            if generation == store.generation:
                store.put((*key, "GET"), renewed)
            return self._hit(viewing, renewed, REFRESHED)
        seconds = keep_seconds(viewing.distribution, lifetime, answer, now)
        if seconds > 0 and generation == store.generation:
            entry = Stored(*answer, viewing.distribution["Id"], wanted.uri, now, now + seconds)
            store.put((*key, wanted.method), entry)
            if viewing.fetches == 1:
                viewing.entry = entry
        return answer

    def _store_of(self, viewing: Viewing) -> Store:
        """The cache that a viewer comes to, also for the error page after its first answer."""
        if not viewing.fetches:
            viewing.store = self._stores[self._pace.one_of(len(self._stores))]
        return viewing.store

    def _hit(self, viewing: Viewing, entry: Stored, outcome: str) -> Fetched:
        if viewing.fetches == 1:
            viewing.outcome = outcome
            viewing.age_seconds = int(time.time() - entry.stored_at)
            viewing.entry = entry
        return entry.status, entry.reason, dict(entry.headers), entry.body


def as_s3_refuses(origin: Mapping[str, Any], answer: Fetched) -> Fetched:
    """Return an origin's answer without the path that MiniStack's errors name: S3's name no bucket.

    Source: Amazon S3 API reference, "Error responses".
    """
    status, reason, headers, body = answer
    if not origin.get("s3_bucket") or status < HTTPStatus.BAD_REQUEST or b"<Resource" not in body:
        return answer
    body = re.sub(rb"<Resource>[^<]*</Resource>|<Resource ?/>", b"", body)
    if "content-length" in headers:
        headers = {**headers, "content-length": str(len(body))}
    return status, reason, headers, body


def lifetime_of(behavior: Mapping[str, Any]) -> Lifetime | None:
    """Return the lifetimes of a behavior's cache policy, or of its own legacy settings; None: nothing is cached."""
    policy_id = behavior.get("cache_policy_id")
    if policy_id:
        policy = cloudfront._cache_policies.get(policy_id) or cloudfront._MANAGED_CACHE_POLICIES.get(
            policy_id
        )
        declared = policy["Config"] if policy else None
    else:
        declared = behavior["legacy_ttl"] if behavior.get("forwarded_values") is not None else None
    if declared is None:
        return None
    least = int(declared.get("MinTTL") or 0)
    default = int(declared["DefaultTTL"] if declared.get("DefaultTTL") is not None else DEFAULT_TTL_SECONDS)
    most = int(declared["MaxTTL"] if declared.get("MaxTTL") is not None else MAX_TTL_SECONDS)
    return Lifetime(least, default, most)


def unconditional(headers: Mapping[str, str], stale: Stored | None) -> dict[str, str]:
    """Return the origin's request headers: the viewer's conditions are met at the edge, the cache asks its own."""
    asked = {name: value for name, value in headers.items() if name not in CONDITIONAL_HEADERS}
    if stale is not None and stale.headers.get("etag"):
        asked["if-none-match"] = str(stale.headers["etag"])
    return asked


def keep_seconds(distribution: dict[str, Any], lifetime: Lifetime, answer: Fetched, now: float) -> float:
    """Return how long an answer of the origin is kept; 0 for not at all."""
    status, _, headers, _ = answer
    if status in CACHED:
        return lifetime.of(headers, now)
    if status in CACHED_ERRORS:
        return error_lifetime(distribution, status, headers, lifetime)
    return 0


def cache_key(distribution_id: str, behavior: Mapping[str, Any], wanted: Wanted) -> tuple[Any, ...]:
    """Return what makes two requests the same object: the path, and what the cache policy adds to it."""
    parameters = cloudfront.cache_policy_params(behavior.get("cache_policy_id")) or {}
    forwarded = behavior.get("forwarded_values") or {}
    if not behavior.get("cache_policy_id"):
        parameters = {
            "QueryStringBehavior": "all" if forwarded.get("query_string") else "none",
            "HeaderBehavior": "whitelist",
            "Headers": forwarded.get("headers"),
            "CookieBehavior": forwarded.get("cookies_forward", "none"),
            "Cookies": forwarded.get("cookies_whitelist"),
        }
    strings = selector(parameters.get("QueryStringBehavior"), parameters.get("QueryStrings"))
    cookies = selector(parameters.get("CookieBehavior"), parameters.get("Cookies"))
    names = sorted({name.lower() for name in parameters.get("Headers") or []})
    pairs = urllib.parse.parse_qsl(wanted.query, keep_blank_values=True)
    crumbs = [crumb.strip() for crumb in wanted.headers.get("cookie", "").split(";") if crumb.strip()]
    return (
        distribution_id,
        wanted.origin["id"],
        wanted.uri,
        tuple(pair for pair in pairs if strings(pair[0])),
        tuple((name, wanted.headers.get(name)) for name in names)
        if parameters.get("HeaderBehavior") != "none"
        else (),
        tuple(sorted(crumb for crumb in crumbs if cookies(crumb.partition("=")[0]))),
    )


def selector(behavior: str | None, names: Iterable[str] | None) -> Callable[[str], bool]:
    """Return which names a policy puts into the cache key."""
    listed = list(names or [])
    if behavior == "all":
        return lambda _name: True
    if behavior == "whitelist":
        return lambda name: any(fnmatch.fnmatchcase(name, pattern) for pattern in listed)
    if behavior == "allExcept":
        return lambda name: name not in listed
    return lambda _name: False


def error_lifetime(
    distribution: dict[str, Any], status: int, headers: Mapping[str, Any], lifetime: Lifetime
) -> int:
    """Return how long an error of the origin is cached, in seconds."""
    least = DEFAULT_ERROR_TTL_SECONDS
    found = cloudfront._find(cloudfront._dist_config_el(distribution), "CustomErrorResponses")
    items = cloudfront._find(found, "Items") if found is not None else None
    for item in items if items is not None else ():
        if cloudfront._text(item, "ErrorCode") == str(status):
            declared = cloudfront._opt_text(item, "ErrorCachingMinTTL")
            least = int(declared) if declared not in (None, "") else least
    directives = parse_cache_control(headers.get("cache-control"))
    for name in ("s-maxage", "max-age"):
        if directives.get(name, "").isdigit():
            return max(least, min(int(directives[name]), lifetime.most))
    return least


class EdgeCache:
    """ASGI middleware: the viewer's side of a distribution around MiniStack's and the cache."""

    def __init__(self, app: App, context: Context) -> None:
        self._app = app
        self._context = context
        self._log = EdgeLog(context)
        self._log.start()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a viewer's request; pass every other one on."""
        started = time.time()
        host = header(scope.get("headers", ()), b"host") if scope["type"] == "http" else ""
        label = ministack.app._parse_cloudfront_dataplane_host(host) if host else None
        if label is None:
            await self._app(scope, receive, send)
            return
        with request_scope(self._context.account_id, self._context.region):
            viewing = self._recognise(label, scope)
            if viewing is None:
                await self._refuse(scope, send)
                return
            token = _viewing.set(viewing)
            answer = Answer(measured=not self._context.pace.pessimistic)
            try:
                await self._app(scope, receive, answer.collect)
            finally:
                _viewing.reset(token)
        await answer.send(viewing, scope, send)
        visit = answer.visit(viewing, scope, started)
        self._log.note(viewing.distribution, visit)
        with request_scope(self._context.account_id, METRICS_REGION):
            count(visit)

    def _recognise(self, label: str, scope: Scope) -> Viewing | None:
        distribution = cloudfront.find_distribution_for_label(label)
        if distribution is None or not distribution["enabled"]:
            return None
        parsed = cloudfront.parse_distribution_dataplane_config(distribution)
        behavior = cloudfront._match_behavior(parsed, scope["path"])
        if behavior is None:
            return None
        domain = distribution["DomainName"]
        return Viewing(distribution, parsed, behavior, domain, scope.get("alternate_name") or domain)

    async def _refuse(self, scope: Scope, send: Send) -> None:
        status, headers, body = cloudfront._cf_error_response(403, "Request blocked.", ERROR)
        raw = [(name.lower().encode(), str(value).encode()) for name, value in headers.items()]
        raw.append((b"content-length", str(len(body)).encode()))
        await send({"type": "http.response.start", "status": status, "headers": raw})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})


class Answer:
    """The response on its way to the viewer: conditional requests, ranges, gzip, X-Cache and Age.

    Args:
        measured: whether what the edge compresses gets a Content-Length; CloudFront sends it in chunks.
    """

    def __init__(self, *, measured: bool) -> None:
        self._measured = measured
        self._status = 0
        self._headers: list[tuple[bytes, bytes]] = []
        self._chunks: list[bytes] = []
        self._sent_bytes = 0

    async def collect(self, message: Message) -> None:
        """Collect MiniStack's response."""
        if message["type"] == "http.response.start":
            self._status = message["status"]
            self._headers = [(name.lower(), value) for name, value in message.get("headers") or []]
        elif message["type"] == "http.response.body":
            self._chunks.append(message.get("body", b""))

    async def send(self, viewing: Viewing, scope: Scope, send: Send) -> None:
        """Send the response as the edge would."""
        body = b"".join(self._chunks)
        length = header(self._headers, b"content-length")
        if viewing.outcome != MISS and self._status < HTTPStatus.BAD_REQUEST:
            self._replace(b"x-cache", viewing.outcome)
        if self._status >= HTTPStatus.BAD_REQUEST:
            self._replace(b"x-cache", ERROR)
        if viewing.age_seconds is not None:
            self._replace(b"age", str(viewing.age_seconds))
        asked = scope["headers"]
        if scope["method"] in ("GET", "HEAD") and self._status == HTTPStatus.OK:
            body = self._compress(viewing, scope, body)
            if self._unchanged(asked):
                self._status, body, length = 304, b"", ""
                self._headers = [
                    pair for pair in self._headers if pair[0] not in (b"content-length", b"content-type")
                ]
            elif scope["method"] == "GET" and viewing.outcome != MISS:
                body = self._slice(asked, body)
        head = scope["method"] == "HEAD"
        squeezed = bool(header(self._headers, b"content-encoding"))
        if squeezed and not self._measured:
            self._headers = [pair for pair in self._headers if pair[0] != b"content-length"]
        elif self._status not in (204, 304):
            self._replace(b"content-length", length if head and not body and length else str(len(body)))
        self._sent_bytes = 0 if head else len(body)
        await send({"type": "http.response.start", "status": self._status, "headers": self._headers})
        await send({"type": "http.response.body", "body": b"" if head else body})

    def visit(self, viewing: Viewing, scope: Scope, started: float) -> Visit:
        """Return what the access log tells of this answer."""
        return Visit(
            distribution_id=viewing.distribution["Id"],
            domain=viewing.domain,
            host=viewing.host,
            method=scope["method"],
            path=scope["path"],
            query=scope.get("query_string", b"").decode("latin-1"),
            scheme=scope["scheme"],
            protocol=f"HTTP/{scope.get('http_version', '1.1')}",
            client=tuple(scope.get("client") or ("127.0.0.1", 0)),
            headers=named(scope["headers"]),
            status=self._status,
            answer=named(self._headers),
            sent_bytes=self._sent_bytes,
            started=started,
        )

    def _replace(self, name: bytes, value: str) -> None:
        self._headers = [pair for pair in self._headers if pair[0] != name]
        self._headers.append((name, value.encode()))

    def _compress(self, viewing: Viewing, scope: Scope, body: bytes) -> bytes:
        parameters = cloudfront.cache_policy_params(viewing.behavior.get("cache_policy_id")) or {}
        kind = header(self._headers, b"content-type").partition(";")[0].strip().lower()
        eligible = (
            viewing.behavior.get("compress")
            and (parameters.get("EnableAcceptEncodingGzip") or not viewing.behavior.get("cache_policy_id"))
            and kind in COMPRESSIBLE
            and not header(self._headers, b"content-encoding")
            and SMALLEST_COMPRESSED <= len(body) <= LARGEST_COMPRESSED
        )
        if not eligible:
            return body
        vary = header(self._headers, b"vary")
        if "accept-encoding" not in vary.lower():
            self._replace(b"vary", f"{vary}, Accept-Encoding" if vary else "Accept-Encoding")
        if not accepts_gzip(header(scope["headers"], b"accept-encoding")):
            return body
        self._replace(b"content-encoding", "gzip")
        etag = header(self._headers, b"etag")
        if etag and not etag.startswith("W/"):
            self._replace(b"etag", f"W/{etag}")
        entry = viewing.entry
        return viewing.store.compressed(entry, body) if entry is not None else gzip.compress(body, mtime=0)

    def _unchanged(self, asked: Iterable[tuple[bytes, bytes]]) -> bool:
        tags = header(asked, b"if-none-match")
        if tags:
            known = {tag.strip().removeprefix("W/") for tag in tags.split(",")}
            return "*" in known or header(self._headers, b"etag").removeprefix("W/") in known
        since = parse_date(header(asked, b"if-modified-since"))
        modified = parse_date(header(self._headers, b"last-modified"))
        return since is not None and modified is not None and int(modified) <= int(since)

    def _slice(self, asked: Iterable[tuple[bytes, bytes]], body: bytes) -> bytes:
        """Cut the range that the viewer asked for out of a cached object."""
        wanted = re.fullmatch(r"bytes=(\d*)-(\d*)", header(asked, b"range"))
        if wanted is None or not any(wanted.groups()):
            return body
        total = len(body)
        first, last = wanted.groups()
        start = int(first) if first else max(0, total - int(last))
        end = min(int(last), total - 1) if first and last else total - 1
        if start > end:
            self._status = 416
            self._replace(b"content-range", f"bytes */{total}")
            return b""
        self._status = 206
        self._replace(b"content-range", f"bytes {start}-{end}/{total}")
        return body[start : end + 1]


def count(visit: Visit) -> None:
    """Publish a distribution's metrics for one request; the average of an error rate is the share of the errors."""
    dimensions = {"DistributionId": visit.distribution_id, "Region": "Global"}
    client, server = (visit.status // 100 == first for first in (CLIENT_ERROR, SERVER_ERROR))
    for name, value, unit in (
        ("Requests", 1.0, "None"),
        ("BytesDownloaded", float(visit.sent_bytes), "None"),
        ("4xxErrorRate", 100.0 * client, "Percent"),
        ("5xxErrorRate", 100.0 * server, "Percent"),
        ("TotalErrorRate", 100.0 * (client or server), "Percent"),
    ):
        publish("AWS/CloudFront", name, value, unit, dimensions)


def header(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> str:
    """Return a header's first value, or an empty string."""
    return next((value.decode("latin-1") for key, value in headers if key.lower() == name), "")


def named(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Return headers by lower-case name."""
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in headers}


def accepts_gzip(value: str) -> bool:
    """Tell whether an Accept-Encoding header takes gzip."""
    for part in value.lower().split(","):
        coding, _, parameter = part.strip().partition(";")
        if coding.strip() in ("gzip", "*"):
            return not re.fullmatch(r"\s*q=0(\.0*)?\s*", parameter)
    return False
