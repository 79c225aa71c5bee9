import json
import traceback

import pytest
from botocore.exceptions import ClientError
from doubles import FakeSecrets
from pixel_prompt.keys import BadSecret, KeyRing

VENDORS = ("openai", "bfl")


def ring(text: str) -> KeyRing:
    return KeyRing(FakeSecrets({}, {"SecretString": text}), "arn")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "is no JSON: Expecting value at line 1, column 1"),
        ("sk-hidden", "is no JSON: Expecting value at line 1, column 1"),
        (
            '{"openai": "sk-hidden"',
            "is no JSON: Expecting ',' delimiter at line 1, column 23",
        ),
        ('["sk-hidden"]', "is JSON of another kind (list), expected an object of keys by vendor"),
        ('"sk-hidden"', "is JSON of another kind (str), expected an object of keys by vendor"),
    ],
)
def test_a_secret_that_holds_no_keys_says_so_and_never_what_it_holds(text: str, problem: str) -> None:
    assert ring(text).problems(VENDORS) == [problem]
    with pytest.raises(BadSecret) as caught:
        ring(text).key("openai")
    assert "hidden" not in "".join(traceback.format_exception(caught.value))
    assert caught.value.__cause__ is None


def test_a_secret_of_bytes_says_so() -> None:
    assert KeyRing(FakeSecrets({}, {"SecretBinary": b"{}"}), "arn").problems(VENDORS) == [
        "holds bytes, expected a text"
    ]


@pytest.mark.parametrize(
    ("keys", "problems"),
    [
        ({"openai": "k"}, ["has no key for 'bfl'"]),
        ({"openai": "k", "bfl": " "}, ["has an empty key for 'bfl'"]),
        (
            {"openai": 7, "bfl": ""},
            ["has something else than a text for 'openai'", "has an empty key for 'bfl'"],
        ),
        ({"openai": None, "bfl": "k"}, ["has something else than a text for 'openai'"]),
        ({"openai": "k", "bfl": "k", "other": ""}, []),
    ],
)
def test_each_key_that_is_missing_is_named(keys: dict[str, object], problems: list[str]) -> None:
    secret = ring(json.dumps(keys))
    assert secret.problems(VENDORS) == problems
    assert [vendor for vendor in VENDORS if not secret.key(vendor)] == [
        vendor for vendor in VENDORS if any(f"'{vendor}'" in problem for problem in problems)
    ]


@pytest.mark.parametrize("code", ["AccessDeniedException", "ResourceNotFoundException"])
def test_a_secret_that_will_not_be_given_is_a_problem(code: str) -> None:
    refused = ClientError({"Error": {"Code": code, "Message": "sk-hidden"}}, "GetSecretValue")
    assert KeyRing(FakeSecrets({}, refused), "arn").problems(VENDORS) == [f"cannot be read: {code}"]


def test_a_secret_that_cannot_be_had_just_now_says_nothing_about_it() -> None:
    busy = ClientError({"Error": {"Code": "InternalServiceError"}}, "GetSecretValue")
    with pytest.raises(ClientError):
        KeyRing(FakeSecrets({}, busy), "arn").problems(VENDORS)
