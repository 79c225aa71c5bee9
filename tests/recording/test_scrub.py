"""readiness/recording/scrub.py: what nobody else may have is not in a recording."""

from __future__ import annotations

import base64
import gzip
import ipaddress
import json
import time

import pytest

from readiness.recording.scrub import OWN_ACCOUNT, WITHHELD, Scrubber
from readiness.recording.values import bytes_of, plain
from readiness.report import known
from readiness.report.redaction import looks_secret

ACCOUNT, OTHER = "123456789012", "210987654321"
KEY = "AKIA" + "Q3EGTWHZ5XKLMNOP"
VENDOR = "sk-" + "proj-abcdefghijklmnop"
ADDRESS, ADDRESS6 = "81.2.69.142", "2a00:1450:4001:81b::200e"
MAIL = "grace.hopper@navy.mil"
SIGNED = "https://b.s3.amazonaws.com/k?X-Amz-Signature=0123456789abcdef&X-Amz-Credential=" + KEY
PLANTED = (
    ACCOUNT,
    OTHER,
    KEY,
    VENDOR,
    ADDRESS,
    ADDRESS6,
    MAIL,
    "grace.hopper",
    "0123456789abcdef",
    "hunter2hunter2",
)
SENTENCE = (
    f"{ADDRESS} and {ADDRESS6} of {MAIL} used {KEY}, {VENDOR} at {SIGNED} of arn:aws:iam::{OTHER}:role/x"
)


@pytest.fixture
def scrubber(monkeypatch):
    for name in ("_values", "_accounts"):
        monkeypatch.setattr(known, name, set())
    return Scrubber("salt", ACCOUNT)


PEM = "-----{} PRIVATE KEY-----"  # in two parts, or scanners would take this file for one that holds a key
PLACES = {
    "a text": SENTENCE,
    "a key": {SENTENCE: 1},
    "a list": [[SENTENCE]],
    "bytes": plain(SENTENCE.encode()),
    "JSON in a text": json.dumps({"a": [SENTENCE], "Arn": f"arn:aws:sns:us-east-1:{ACCOUNT}:t"}),
    "JSON in JSON": json.dumps({"Policy": json.dumps({"a": SENTENCE})}),
    "a private key": f"{SENTENCE}\n{PEM.format('BEGIN')}\nhunter2hunter2\n{PEM.format('END')}\n",
    "lines": f"one\n{SENTENCE}\napi_key: hunter2hunter2\n",
    "base64": base64.b64encode(SENTENCE.encode()).decode(),
    "a compressed log": plain(gzip.compress(SENTENCE.encode())),
    "a setting": {"Variables": {"VENDOR_API_KEY": "hunter2hunter2", "ADMIN_PASSWORD": "hunter2hunter2"}},
    "a password": {"password": "hunter2hunter2"},
    "a header": {
        "Set-Cookie": "session=hunter2hunter2",
        "Authorization": f"AWS4-HMAC-SHA256 Credential={KEY}",
    },
    "names with the account": f"bucket-{ACCOUNT}-images and arn%3Aaws%3Aiam%3A%3A{OTHER}%3Aroot",
    "who it is": {"Account": ACCOUNT, "Arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/Verifier/grace.hopper"},
}


@pytest.mark.parametrize("place", PLACES)
def test_nothing_planted_is_found(scrubber, place):
    scrubbed = json.dumps(scrubber.value(PLACES[place]))
    texts = [scrubbed, *_opened(scrubber.value(PLACES[place]))]

    assert [planted for planted in PLANTED for text in texts if planted in text] == []


def _opened(value):
    """What stands in base64 or compressed within a value."""
    if isinstance(value, dict):
        if "$base64" in value:
            content = bytes_of(value)
            yield gzip.decompress(content).decode() if content.startswith(b"\x1f\x8b") else repr(content)
        for inner in value.values():
            yield from _opened(inner)
    elif isinstance(value, str) and value.isalnum():
        yield base64.b64decode(value + "==").decode("utf-8", "replace")


def test_one_thing_has_one_stand_in_wherever_it_is_met(scrubber):
    texts = [f"from {ADDRESS}", json.dumps({"ip": ADDRESS}), f"limit#address#{ADDRESS}#2026-01-01"]
    stand_in = scrubber.text(ADDRESS)

    assert all(stand_in in scrubber.text(text) for text in texts)
    assert scrubber.text(f"arn:aws:iam::{ACCOUNT}:role/x") == f"arn:aws:iam::{OWN_ACCOUNT}:role/x"
    assert scrubber.value({"Account": ACCOUNT}) == {"Account": OWN_ACCOUNT}
    assert Scrubber("salt").text(ADDRESS) == stand_in
    assert Scrubber("other").text(ADDRESS) != stand_in


def test_addresses_of_one_network_keep_their_network(scrubber):
    one, two = (scrubber.text(f"2a00:1450:4001:81b::{end}") for end in ("1", "2"))

    assert one != two
    assert ipaddress.ip_network((one, 64), strict=False) == ipaddress.ip_network((two, 64), strict=False)


@pytest.mark.parametrize("place", PLACES)
def test_a_replay_leaves_stand_ins_as_they_are(scrubber, place):
    scrubbed = scrubber.value(PLACES[place])

    assert Scrubber("").value(scrubbed) == scrubbed


@pytest.mark.parametrize("text", [KEY, VENDOR, SIGNED, f"a log line with {KEY}"])
def test_where_a_credential_stood_a_check_still_finds_one(scrubber, text):
    """A leak that was recorded must not be replayed as none."""
    assert looks_secret(scrubber.text(text))


@pytest.mark.parametrize(
    "value",
    [
        "2026-11-28T09:15:42.605422+00:00",
        "127.0.0.1",
        "198.18.3.4",
        "react 18.2.0",
        "someone@example.com",
        {"NextToken": "eyAbcdefghijklmno", "ApiKeySelectionExpression": "$request.header.x-api-key"},
        {"Variables": {"PROVIDER_KEYS_SECRET_ARN": "arn:aws:secretsmanager:us-east-1:999900000000:secret:x"}},
        '{"a":1,  "b": "as it was written"}',
        "Parameters:\n  VendorApiKey:\n    Type: String\n    NoEcho: true\n",
    ],
)
def test_reserved_addresses_stay_as_they_are(scrubber, value):
    assert scrubber.value(value) == value


@pytest.mark.parametrize("letter", ["a", "a.", "1", "1.", "a:", "@", "a@", "/", "user/", "{", '"'])
def test_the_longest_text_takes_moments(scrubber, letter):
    began = time.perf_counter()
    scrubber.text(letter * (200_000 // len(letter)))

    assert time.perf_counter() - began < 10  # hours, where each letter begins anew


def test_pictures_stay_and_other_binaries_are_withheld(scrubber):
    picture, archive = plain(b"\x89PNG\r\n\x1a\n\xff"), plain(b"PK\x03\x04\xff\xfe" + KEY.encode())

    assert scrubber.value(picture) == picture
    assert list(scrubber.value(archive)) == [WITHHELD]
