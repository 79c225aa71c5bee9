"""readiness/probes/encodings.py"""

from __future__ import annotations

import base64
import json
from urllib.parse import quote

import pytest

from readiness.probes.encodings import spellings

TEXT = "a key?of some/kind+or~other"
WITHIN = [
    TEXT,
    base64.b64encode(TEXT.encode()).decode(),
    base64.b64encode(TEXT.encode()).decode().rstrip("="),
    base64.urlsafe_b64encode(TEXT.encode()).decode(),
    TEXT.encode().hex(),
    "0x" + TEXT.encode().hex().upper(),
    json.dumps(TEXT),
    json.dumps([{"greeting": TEXT}]),
    quote(TEXT, safe=""),
    quote(json.dumps({"greeting": base64.b64encode(TEXT.encode()).decode()})),
    f"https://user.example/?next={quote(TEXT, safe='')}".partition("next=")[2],
    base64.b64encode(base64.b64encode(TEXT.encode())).decode(),
    base64.b64encode(f"GREETING={TEXT}\nMODE=fast\n".encode()).decode(),
]


@pytest.mark.parametrize("written", WITHIN)
def test_a_value_is_read_in_each_encoding(written):
    assert [text for _, text in spellings("GREETING", written) if TEXT in text]


def test_a_value_within_a_text_is_read():
    encoded = base64.b64encode(TEXT.encode()).decode()

    assert TEXT in [text for _, text in spellings("GREETING", f"Basic {encoded}")]


def test_a_member_of_an_object_has_its_own_name():
    assert ("password", "hunter22") in list(spellings("SETTINGS", '{"db": {"password": "hunter22"}}'))


@pytest.mark.parametrize(
    "plain", ["eu-central-1", "pixel-prompt-staging-JobsTable-1A2B3C4D5E6F", "true", "", "{", "%", "%zz", "0"]
)
def test_a_plain_setting_says_nothing_else_that_can_be_read(plain):
    assert [text for _, text in spellings("NAME", plain)] == [plain]
