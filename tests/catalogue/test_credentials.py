"""readiness/catalogue/credentials.py"""

from __future__ import annotations

import base64

import pytest

from readiness.catalogue import credentials
from readiness.report import known

KEY_ID = "AKIA" + "Z" * 16
STRIPE = "sk-" + "live" * 6


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ANYTHING", KEY_ID),
        ("PAYMENT", STRIPE),
        ("DB_PASSWORD", "correct-horse-battery"),
        ("STRIPE_API_KEY", "4f9d2c7be1"),
        ("SESSION_SECRET", "x8Kq2!mZ0p"),
        ("GITHUB_TOKEN", "a1b2c3d4e5f6"),
        ("DATABASE_URL", "postgres://shop:" + "hunter22@db.example.com/shop"),
        ("GREETING", base64.b64encode(STRIPE.encode()).decode()),
        ("GREETING", base64.urlsafe_b64encode(f"STRIPE={STRIPE}".encode()).decode()),
        ("GREETING", STRIPE.encode().hex()),
        ("SETTINGS", '{"db": {"password": "correct-horse-battery"}}'),
        ("NEXT", "https://shop.example/?then=postgres%3A%2F%2Fshop" + "%3Ahunter22%40db.example.com"),
    ],
)
def test_a_setting_that_is_a_secret_is_one(name: str, value: str) -> None:
    assert credentials.in_setting(name, value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DB_SECRET_ARN", "arn:aws:secretsmanager:us-east-1:123456789012:secret:db-AbCdEf"),
        ("SECRET", "prod/shop/db"),
        ("SECRET_NAME", "shop-db-x7"),
        ("PROVIDER_SECRET", "provider-keys"),
        ("API_KEY_PARAMETER", "/shop/api-key"),
        ("TOKEN_TTL", "3600"),
        ("TOKEN_TTL_SECONDS", "86400000"),
        ("MAX_TOKENS", "1000000"),
        ("TOKEN_URL", "https://login.example.com/oauth2/token"),
        ("CSRF_TOKEN_HEADER", "x-csrf-token1"),
        ("PASSWORD_MIN_LENGTH", "12"),
        ("SECRETS_ENABLED", "true"),
        ("TABLE_NAME", "shop-4f9d2c7be1"),
        ("DATABASE_URL", "postgres://db.example.com/shop"),
        ("KEY_PREFIX", "images/2026"),
        ("API_KEY", ""),
        ("COMMIT", "4f9d2c7be14f9d2c7be14f9d2c7be14f9d2c7be1"),
        ("CLIENT_ID", "7k2m9q4w8e1r5t3y6u0i7o4p2a"),
        ("SETTINGS", '{"region": "eu-west-1", "token_ttl": "3600"}'),
    ],
)
def test_a_setting_that_tells_of_a_secret_is_none(name: str, value: str) -> None:
    assert not credentials.in_setting(name, value)


def test_a_secret_of_the_verifiers_own_is_found_whatever_its_form(monkeypatch) -> None:
    monkeypatch.setattr(known, "_values", set())
    own = "tulip violet aster"
    known.hide([own])

    assert credentials.in_setting("GREETING", own)
    assert credentials.in_setting("GREETING", own.encode().hex())
    assert not credentials.in_setting("GREETING", "tulip")


@pytest.mark.parametrize(
    "line",
    [
        f"connecting with {KEY_ID}",
        "Authorization: Bearer " + "a1B2" * 8,
        '{"api_key": "4f9d2c7be1"}',
        f"calling OpenAI with {STRIPE}",
    ],
)
def test_a_line_with_a_credential_holds_one(line: str) -> None:
    assert credentials.in_text(line)


@pytest.mark.parametrize(
    "line",
    [
        "START RequestId: 8f5c-11 Version: $LATEST",
        '{"api_key": null, "level": "info"}',
        "api_key=[redacted]",
        'Authorization: "***"',
        "x-api-key: missing",
        "the token has expired",
    ],
)
def test_a_line_that_speaks_of_credentials_holds_none(line: str) -> None:
    assert not credentials.in_text(line)
