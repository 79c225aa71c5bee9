"""What all vendors share: hosts, keys, faults, counters."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from typing import Any

import pytest

from tests.embedded.providers.conftest import Client, Reply
from verification.embedded.server.providers import HOSTS, keys
from verification.embedded.server.providers.ledger import Ledger

PROMPT = "a lighthouse in fog"
HTTP_VENDORS = ("openai", "google", "bfl", "recraft", "stability")
CHEAP = {
    "openai": "https://api.openai.com/v1/models",
    "google": "https://generativelanguage.googleapis.com/v1beta/models",
    "bfl": "https://api.bfl.ai/v1/credits",
    "recraft": "https://external.api.recraft.ai/v1/users/me",
    "stability": "https://api.stability.ai/v1/user/balance",
}


def generate(ask: Client, vendor: str, multipart: Any, **options: Any) -> Reply:
    """One good request for an image, the shape that each vendor wants."""
    headers = ask.key(vendor)
    match vendor:
        case "openai":
            body: Any = {"model": "gpt-image-2", "prompt": PROMPT}
            return ask(
                "POST", "https://api.openai.com/v1/images/generations", body, headers=headers, **options
            )
        case "google":
            url = "https://generativelanguage.googleapis.com/v1beta/models/gemini-nano-banana-2.1:generateContent"
            body = {"contents": [{"parts": [{"text": PROMPT}]}]}
            return ask("POST", url, body, headers=headers, **options)
        case "bfl":
            body = {"prompt": PROMPT, "output_format": "png"}
            return ask("POST", "https://api.bfl.ai/v1/flux-2-pro", body, headers=headers, **options)
        case "recraft":
            body = {"prompt": PROMPT, "image_format": "png", "response_format": "b64_json"}
            url = "https://external.api.recraft.ai/v1/images/generations"
            return ask("POST", url, body, headers=headers, **options)
    raw, form = multipart({"prompt": PROMPT, "output_format": "png"})
    url = "https://api.stability.ai/v2beta/stable-image/generate/core"
    return ask("POST", url, raw, headers=headers | form, **options)


def test_hosts_are_complete_and_distinct() -> None:
    """Certificates and name resolution are made from this tuple."""
    assert len(set(HOSTS)) == len(HOSTS)
    apis = {url.split("/")[2] for url in CHEAP.values()}
    assert apis < set(HOSTS)


def test_an_unknown_host_is_misdirected(ask: Client) -> None:
    assert ask("GET", "https://example.com/").status == 421


@pytest.mark.parametrize("vendor", HTTP_VENDORS)
def test_a_cheap_call_tells_a_good_key(ask: Client, ledger: Ledger, vendor: str) -> None:
    assert ask("GET", CHEAP[vendor], headers=ask.key(vendor)).status == 200
    assert (ledger[vendor].calls, ledger[vendor].paid) == (1, 0)


@pytest.mark.parametrize(
    ("vendor", "missing", "invalid"),
    [
        ("openai", 401, 401),
        ("google", 403, 400),
        ("bfl", 403, 403),
        ("recraft", 401, 401),
        ("stability", 401, 401),
    ],
)
def test_keys_are_checked(ask: Client, ledger: Ledger, vendor: str, missing: int, invalid: int) -> None:
    """Without a key, with a malformed one, with another vendor's, with a revoked one."""
    assert ask("GET", CHEAP[vendor]).status == missing
    good = ask.keyring[vendor]
    other = keys.example("bfl" if vendor != "bfl" else "google")
    for bad in ("nonsense", other):
        ask.keyring[vendor] = bad
        assert ask("GET", CHEAP[vendor], headers=ask.key(vendor)).status == invalid
    ask.keyring[vendor] = good
    ledger[vendor].set({"revoked": [good]})
    assert ask("GET", CHEAP[vendor], headers=ask.key(vendor)).status == invalid
    assert ledger[vendor].outcomes == {"unauthorized": 4}
    ledger[vendor].set({"revoked": []})
    assert ask("GET", CHEAP[vendor], headers=ask.key(vendor)).status == 200


@pytest.mark.parametrize("vendor", HTTP_VENDORS)
@pytest.mark.parametrize(
    ("fault", "status"), [("unauthorized", 401), ("rate_limited", 429), ("server_error", 500)]
)
def test_refusing_faults(
    ask: Client, *, ledger: Ledger, multipart: Any, vendor: str, fault: str, status: int
) -> None:
    ledger[vendor].set({"fault": fault})
    for _ in range(2):
        reply = generate(ask, vendor, multipart)
        assert reply.status == status
        assert reply.json()
    assert ledger[vendor].outcomes == {fault: 2}
    assert ledger[vendor].paid == 0
    assert not ledger[vendor].prompts


@pytest.mark.parametrize("vendor", ["openai", "bfl"])
def test_retry_after_stands_where_the_vendor_documents_it(
    ask: Client, ledger: Ledger, multipart: Any, vendor: str
) -> None:
    ledger[vendor].set({"fault": "rate_limited"})
    assert int(generate(ask, vendor, multipart).headers["retry-after"]) > 0


def test_google_tells_its_delay_in_the_body(ask: Client, ledger: Ledger, multipart: Any) -> None:
    ledger["google"].set({"fault": "rate_limited"})
    reply = generate(ask, "google", multipart)
    assert "retry-after" not in reply.headers
    delays = [entry["retryDelay"] for entry in reply.json()["error"]["details"] if "retryDelay" in entry]
    assert delays == ["2s"]


@pytest.mark.parametrize("vendor", HTTP_VENDORS)
def test_a_count_runs_out(ask: Client, ledger: Ledger, multipart: Any, vendor: str) -> None:
    """A test of retries needs a vendor that recovers."""
    ledger[vendor].set({"fault": "server_error", "count": 2})
    statuses = [generate(ask, vendor, multipart).status for _ in range(3)]
    assert statuses == [500, 500, 200]
    assert ledger[vendor].fault is None


@pytest.mark.parametrize("vendor", HTTP_VENDORS)
def test_garbage_is_no_json_and_no_image(ask: Client, ledger: Ledger, multipart: Any, vendor: str) -> None:
    ledger[vendor].set({"fault": "garbage"})
    reply = generate(ask, vendor, multipart)
    assert reply.status == 200
    with pytest.raises(ValueError, match=r".+"):
        reply.json()


@pytest.mark.parametrize("vendor", HTTP_VENDORS)
def test_a_timeout_says_nothing_until_the_client_leaves(
    ask: Client, ledger: Ledger, multipart: Any, vendor: str
) -> None:
    ledger[vendor].set({"fault": "timeout"})
    start = time.monotonic()
    reply = generate(ask, vendor, multipart, leave_after=0.2)
    assert 0.15 < time.monotonic() - start < 5
    assert (reply.status, reply.body) == (0, b"")
    assert ledger[vendor].outcomes == {"timeout": 1}


@pytest.mark.parametrize("vendor", HTTP_VENDORS)
def test_a_reset_stops_in_the_middle(ask: Client, ledger: Ledger, multipart: Any, vendor: str) -> None:
    ledger[vendor].set({"fault": "reset"})
    reply = generate(ask, vendor, multipart)
    assert not reply.complete
    assert 0 < len(reply.body) < int(reply.headers["content-length"])


@pytest.mark.parametrize("vendor", HTTP_VENDORS)
def test_counters_and_hashed_prompts(ask: Client, ledger: Ledger, multipart: Any, vendor: str) -> None:
    """ "Before any provider is paid" is provable; the prompt itself is nowhere."""
    assert generate(ask, vendor, multipart).status == 200
    account = ledger[vendor]
    assert account.outcomes == {"ok": 1}
    assert list(account.prompts) == [hashlib.sha256(PROMPT.encode()).hexdigest()]
    assert PROMPT not in json.dumps(ledger.report())
    assert account.paid == (0 if vendor == "bfl" else 1)


@pytest.mark.parametrize("vendor", ["openai", "google", "recraft", "stability"])
def test_wrong_type_keeps_the_envelope(ask: Client, ledger: Ledger, multipart: Any, vendor: str) -> None:
    ledger[vendor].set({"fault": "wrong_type"})
    reply = generate(ask, vendor, multipart)
    assert reply.status == 200
    assert b"\x89PNG" not in image_of(vendor, reply)
    assert image_of(vendor, reply).isascii()


@pytest.mark.parametrize("vendor", ["openai", "google", "recraft", "stability"])
def test_slow_is_three_seconds(
    ask: Client, ledger: Ledger, multipart: Any, vendor: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("verification.embedded.server.providers.vendor.SLOWNESS_SECONDS", 0.3)
    ledger[vendor].set({"fault": "slow", "count": 1})
    start = time.monotonic()
    assert generate(ask, vendor, multipart).status == 200
    assert time.monotonic() - start >= 0.3
    assert ledger[vendor].outcomes == {"slow": 1}


def test_latency_is_added(ask: Client, ledger: Ledger) -> None:
    ledger["openai"].set({"latency_ms": 150})
    start = time.monotonic()
    ask("GET", CHEAP["openai"], headers=ask.key("openai"))
    assert time.monotonic() - start >= 0.15


def image_of(vendor: str, reply: Reply) -> bytes:
    if vendor == "stability":
        return reply.body
    document = reply.json()
    if vendor == "google":
        parts = document["candidates"][0]["content"]["parts"]
        return base64.b64decode(parts[-1]["inlineData"]["data"])
    return base64.b64decode(document["data"][0]["b64_json"])
