from __future__ import annotations

import base64
import io
from typing import Any

import pytest
from PIL import Image

from tests.embedded.providers.conftest import Client, Reply
from verification.embedded.server.providers.ledger import Ledger

BASE = "https://api.stability.ai/v2beta/stable-image/generate"
TURBO = {"prompt": "a fox", "model": "sd3.5-large-turbo", "output_format": "png"}


class Form:
    """Posts a form to one endpoint."""

    def __init__(self, ask: Client, multipart: Any) -> None:
        self.ask = ask
        self.multipart = multipart

    def __call__(self, endpoint: str, fields: dict[str, str], **headers: str) -> Reply:
        raw, form = self.multipart(fields)
        return self.ask("POST", f"{BASE}/{endpoint}", raw, headers=self.ask.key("stability") | form | headers)


@pytest.fixture
def post(ask: Client, multipart: Any) -> Form:
    return Form(ask, multipart)


@pytest.mark.parametrize(
    ("endpoint", "fields", "kind", "size"),
    [
        ("sd3", TURBO, "PNG", (1024, 1024)),
        ("sd3", {"prompt": "a fox"}, "PNG", (1024, 1024)),
        ("sd3", {"prompt": "a fox", "output_format": "jpeg", "aspect_ratio": "16:9"}, "JPEG", (1344, 768)),
        (
            "sd3",
            {"prompt": "a fox", "seed": "4294967294", "cfg_scale": "4.5", "mode": "text-to-image"},
            "PNG",
            (1024, 1024),
        ),
        ("core", {"prompt": "a fox", "style_preset": "anime"}, "PNG", (1536, 1536)),
        ("ultra", {"prompt": "a fox", "output_format": "webp"}, "WEBP", (1024, 1024)),
        ("core", {"prompt": "a fox", "none": "", "negative_prompt": "dogs"}, "PNG", (1536, 1536)),
        ("sd3", {"prompt": "x" * 10000}, "PNG", (1024, 1024)),
    ],
)
def test_accepted_as_an_image(
    post: Form, endpoint: str, fields: dict[str, str], kind: str, size: tuple[int, int]
) -> None:
    reply = post(endpoint, fields, accept="image/*")
    assert (reply.status, reply.headers["content-type"]) == (200, f"image/{kind.lower()}")
    assert reply.headers["finish-reason"] == "SUCCESS"
    picture = Image.open(io.BytesIO(reply.body))
    picture.load()
    assert (picture.format, picture.size) == (kind, size)


def test_accepted_as_json(post: Form) -> None:
    document = post("sd3", TURBO | {"seed": "7"}, accept="application/json").json()
    assert (document["finish_reason"], document["seed"]) == ("SUCCESS", 7)
    assert Image.open(io.BytesIO(base64.b64decode(document["image"]))).format == "PNG"


def test_the_seed_decides(post: Form) -> None:
    """Zero means: a random one."""
    first, again, other = (post("sd3", TURBO | {"seed": seed}).body for seed in ("7", "7", "8"))
    assert first == again != other
    assert post("sd3", TURBO | {"seed": "0"}).body != post("sd3", TURBO | {"seed": "0"}).body


@pytest.mark.parametrize(
    ("endpoint", "fields", "field"),
    [
        ("sd3", {"none": ""}, "prompt"),
        ("sd3", {"prompt": ""}, "prompt"),
        ("sd3", {"prompt": "x" * 10001}, "prompt"),
        ("sd3", TURBO | {"negative_prompt": "x" * 10001}, "negative_prompt"),
        ("sd3", TURBO | {"model": "sd9"}, "model"),
        ("sd3", TURBO | {"output_format": "webp"}, "output_format"),
        ("core", {"prompt": "x", "output_format": "gif"}, "output_format"),
        ("sd3", TURBO | {"aspect_ratio": "4:3"}, "aspect_ratio"),
        ("sd3", TURBO | {"seed": "-1"}, "seed"),
        ("sd3", TURBO | {"seed": "4294967295"}, "seed"),
        ("sd3", TURBO | {"seed": "7.5"}, "seed"),
        ("sd3", TURBO | {"cfg_scale": "11"}, "cfg_scale"),
        ("sd3", TURBO | {"cfg_scale": "much"}, "cfg_scale"),
        ("sd3", TURBO | {"cfg_scale": "nan"}, "cfg_scale"),
        ("sd3", TURBO | {"mode": "video"}, "mode"),
        ("sd3", TURBO | {"mode": "image-to-image"}, "image"),
        ("core", {"prompt": "x", "style_preset": "noir"}, "style_preset"),
    ],
)
def test_refused(post: Form, ledger: Ledger, endpoint: str, fields: dict[str, str], field: str) -> None:
    reply = post(endpoint, fields)
    document = reply.json()
    assert (reply.status, document["name"]) == (400, "bad_request")
    assert document["errors"][0].startswith(f"{field}: ")
    assert ledger["stability"].outcomes == {"refused": 1}


@pytest.mark.parametrize("kind", ["application/json", "application/x-www-form-urlencoded", "text/plain", ""])
def test_only_a_multipart_form_will_do(ask: Client, kind: str) -> None:
    headers = ask.key("stability") | {"content-type": kind}
    reply = ask("POST", f"{BASE}/core", b'{"prompt": "x"}', headers=headers)
    assert (reply.status, reply.json()["errors"]) == (400, ["content-type: must be multipart/form-data"])


@pytest.mark.parametrize("kind", ["multipart/form-data", "multipart/form-data; boundary=other"])
def test_a_broken_form_is_refused(ask: Client, kind: str) -> None:
    headers = ask.key("stability") | {"content-type": kind}
    body = b'--b\r\nContent-Disposition: form-data; name="prompt"\r\n\r\nx\r\n--b--\r\n'
    assert ask("POST", f"{BASE}/core", body, headers=headers).status == 400


@pytest.mark.parametrize("accept", ["image/png", "text/html", "application/xml"])
def test_other_accept_headers_are_refused(post: Form, accept: str) -> None:
    assert post("core", {"prompt": "x"}, accept=accept).status == 400


def test_too_large(post: Form) -> None:
    reply = post("core", {"prompt": "x", "image": "x" * (10 * 1024 * 1024)})
    assert (reply.status, reply.json()["name"]) == (413, "payload_too_large")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "v2beta/stable-image/generate/core", 405),
        ("POST", "v2beta/stable-image/generate/none", 404),
        ("POST", "v1/user/balance", 405),
        ("GET", "v1/user/account", 200),
    ],
)
def test_routes(ask: Client, method: str, path: str, status: int) -> None:
    assert ask(method, f"https://api.stability.ai/{path}", headers=ask.key("stability")).status == status


def test_moderation_and_retirement(post: Form, ledger: Ledger) -> None:
    ledger["stability"].set({"fault": "moderated", "count": 1})
    reply = post("sd3", TURBO)
    assert (reply.status, reply.json()["name"]) == (403, "content_moderation")
    assert ledger["stability"].paid == 0
    ledger["stability"].set({"ends": {"sd3.5-large-turbo": "2026-01-01"}})
    assert post("sd3", TURBO).status == 404
