"""readiness/report/redaction.py. Keys are put together here, for the project's own check reads this file."""

from __future__ import annotations

import resource
import subprocess
import sys

import pytest

from readiness.report.redaction import looks_secret, redact

AWS = "AKIA" + "Q3EGRJ4YT2X7LP5M"
TEMPORARY = "ASIA" + "Q3EGRJ4YT2X7LP5M"
OPENAI = "sk-" + "proj-a1B2c3D4e5F6g7H8_-x"
GOOGLE = "AIza" + "SyA1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q"
BEGIN, END = "-----BEGIN RSA " + "PRIVATE KEY-----", "-----END RSA " + "PRIVATE KEY-----"
BODY = "MIIEpAIBAAKCAQEA"

TOKEN = "eyJ" + "hbGciOiJIUzI1NiJ9.eyJ" + "zdWIiOiIxIn0.c2lnbmF0dXJl"  # apart, for SEC-04 reads this file too
WORD = "love" + "lace"


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        (f"key {AWS} found", AWS),
        (f'"{TEMPORARY}"', TEMPORARY),
        (f"assert '{OPENAI}' == ''", OPENAI),
        (f"assert '{OPENAI[:16]}...{OPENAI[-8:]}' == ''", OPENAI[:16]),
        (f"key={GOOGLE}&alt=json", GOOGLE),
        (f"assert {{'found': '{AWS[:2]}...{AWS[-12:]}'}} == {{}} {{'found': '{AWS}'}}", AWS[-12:]),
        ("bfl" + "_a1B2c3D4e5F6g7H8", "a1B2c3D4e5F6g7H8"),
        ("aws_secret_access_key = wJalrXUtnFEMI", "wJalrXUtnFEMI"),
        ("AWS_SESSION_TOKEN=IQoJb3JpZ2lu", "IQoJb3JpZ2lu"),
        ("RECRAFT_API_KEY=opaque-3", "opaque-3"),
        ("https://b.s3.amazonaws.com/k?X-Amz-Signature=0123abcd&x=1", "0123abcd"),
        ("https://b.s3.amazonaws.com/k?x-amz-security-token=FwoGZXIvYXdz%2F", "FwoGZXIvYXdz"),
        ("https://b.s3/k?X-Amz-Credential=own%2F20261123", "own%2F20261123"),
        ("Authorization: Bearer abc.def", "abc.def"),
        ("{'authorization': 'Bearer abc.def', 'a': 'b'}", "abc.def"),
        ('{"x-api-key":"opaque-1"}', "opaque-1"),
        ("X-Goog-Api-Key = opaque-2", "opaque-2"),
        ("x-key: 0f5c6f6e-aaaa", "0f5c6f6e-aaaa"),
        (f"{BEGIN}\n{BODY}\n{END}", BODY),
        (f"{BEGIN}\nE   {BODY}\nE   and no end", BODY),
    ],
)
def test_a_credential_is_taken_out(text, secret):
    assert looks_secret(text)
    assert secret not in redact(text)
    assert "[redacted]" in redact(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"before {AWS} after", "before [redacted] after"),
        ("k?X-Amz-Signature=0123abcd&x=1", "k?[redacted]&x=1"),
        ("Authorization: Bearer abc\nnext line", "[redacted]\nnext line"),
        (f"before {BEGIN}\n{BODY}\n{END} after", "before [redacted] after"),
    ],
)
def test_what_stands_around_a_credential_stays(text, expected):
    assert redact(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("arn:aws:iam::123456789012:role/api", "arn:aws:iam::********9012:role/api"),
        (
            "arn:aws:sqs:us-east-1:123456789012:a arn:aws:sqs:us-east-1:210987654321:b",
            "arn:aws:sqs:us-east-1:********9012:a arn:aws:sqs:us-east-1:********4321:b",
        ),
        (
            "https://sqs.us-east-1.amazonaws.com/123456789012/jobs",
            "https://sqs.us-east-1.amazonaws.com/********9012/jobs",
        ),
    ],
)
def test_an_account_keeps_its_last_four_digits(text, expected):
    assert redact(text) == expected
    assert not looks_secret(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"token {TOKEN} end", "token [redacted] end"),
        (f"https://ada:{WORD}@example.com/a", "https://[redacted]@example.com/a"),
        (
            "https://d1.cloudfront.net/a?Expires=1&Signature=abc~-_&Key-Pair-Id=K1",
            "https://d1.cloudfront.net/a?Expires=1&[redacted]&[redacted]",
        ),
        ("/k?AWSAccessKeyId=AKIAX&Expires=1&Signature=a%2Fb", "/k?[redacted]&Expires=1&[redacted]"),
        ("u%3FX-Amz-Signature%3D0123abcd end", "u%3F[redacted] end"),
        ("x?X-Goog-Signature=0123abcd", "x?[redacted]"),
        ("DB_PASSWORD=hunter22", "[redacted]"),
        ("'password': 'hunter22'}", "'[redacted]}"),
        ("Account: 123456789012", "Account: ********9012"),
        ('"AccountId": "123456789012"', '"AccountId": "********9012"'),
        ("account 123456789012 is another", "account ********9012 is another"),
        ("OwnerId=123456789012", "OwnerId=********9012"),
    ],
)
def test_what_is_private_is_taken_out_and_yet_no_proof_of_a_leak(text, expected):
    assert redact(text) == expected


@pytest.mark.parametrize("text", ["?policy=closed", "https://a:b@c", "Account: 123456789012"])
def test_what_a_log_may_hold_is_no_leak(text):
    assert not looks_secret(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "AssertionError: assert 403 == 200",
        "the header Authorization is missing",
        "risk-assessment and disk-encryption-at-rest, ask-me-anything",
        "6732eb0a1b2c3d4e5f60718293a4b5c6d7e8f901",
        "2026-11-23T07:05:09+00:00",
        "verify-0f5c6f6e4b1d4f0e8a2b3c4d5e6f7a8b",
        "denied s3:GetBucketPolicy: not yours",
        "<GET https://127.0.0.1:44321/status/j1 -> 200 application/json: {}>",
        "arn:aws:s3:::pixel-prompt-images",
        "1763881509123 and 123456789012",
        "AKIA is what an access key begins with",
        "assert {'models': 'da...ion'} == {}",
        "RECRAFT_API_KEY is not set",
        "set OpenAiApiKey, or sk- something",
        "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
        "  OpenAiApiKey: { Type: String, NoEcho: true }",  # a map of YAML
        "  OwnPassword: {Type: String, NoEcho: true}",
    ],
)
def test_what_is_no_credential_stays_as_it_is(text):
    assert not looks_secret(text)
    assert redact(text) == text


def test_redacting_twice_changes_nothing_more():
    once = redact(f"{AWS} Authorization: Bearer x arn:aws:iam::123456789012:role/a")

    assert redact(once) == once


LONG = 600_000  # characters; in time that grows with the square, each would take an hour
_BOUNDED = """
import sys
from readiness.report import known
from readiness.report.redaction import redact

known.hide(["Zq7v/Kd03.xWm9Tb5+Lr1"])
unit, count, credential = sys.argv[1], int(sys.argv[2]), "AKIA" + "Q3EGRJ4YT2X7LP5M"
for text in (unit * count, f"{credential} {unit * count}", f"account{unit * count}... {credential}"):
    assert "Q3EGRJ" not in redact(text)
"""


@pytest.mark.parametrize(
    "unit",
    [
        "a",
        " ",
        ".",
        "...",
        "a...",
        "-eyJ",
        "eyJ.",
        "account ",
        "AKIA",
        "://a:",
        "-----BEGIN ",
        "password ",
        "\u202e",
    ],
)
def test_a_long_text_is_redacted_in_time_in_proportion_to_it(unit):
    """The processor's time is limited and not the clock's, which other programs use up too."""
    done = subprocess.run(
        [sys.executable, "-c", _BOUNDED, unit, str(LONG // len(unit))],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (60, 60)),
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr[-500:] or f"ended by signal {-done.returncode}"
