"""What needs no AWS: tokens, and what counts as a parcel."""

from __future__ import annotations

import os
import time
import unittest
from unittest import mock

os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")

from parcel_lockers import authorizer, parcels, tokens

KEY, OTHER = "k" * 64, "o" * 64
SOON = int(time.time()) + 60
METHOD = "arn:aws:execute-api:us-east-1:123456789012:abc123/v1/GET/parcels"


class Tokens(unittest.TestCase):
    """Whose a token is."""

    def test_a_signed_token_names_its_courier(self) -> None:
        assert tokens.courier(tokens.issue("north", SOON, KEY), [OTHER, KEY]) == "north"

    def test_another_key_an_old_time_and_a_changed_name_count_for_nothing(self) -> None:
        good = tokens.issue("north", SOON, KEY)
        for token in (tokens.issue("north", SOON, OTHER), tokens.issue("north", 1, KEY), f"s{good[1:]}"):
            assert tokens.courier(token, [KEY]) is None


class Authorizer(unittest.TestCase):
    """What the authorizer says to the API."""

    def effect(self, token: str) -> tuple[str, str]:
        """Return what a token may do, and where."""
        event = {"authorizationToken": f"Bearer {token}", "methodArn": METHOD}
        with (
            mock.patch.dict(os.environ, {"SECRET_ARN": "secret"}),
            mock.patch.object(authorizer, "keys", return_value=[KEY]),
        ):
            (statement,) = authorizer.handler(event, None)["policyDocument"]["Statement"]
        return statement["Effect"], statement["Resource"]

    def test_a_courier_may_call_the_stage(self) -> None:
        stage = "arn:aws:execute-api:us-east-1:123456789012:abc123/v1/*"
        assert self.effect(tokens.issue("north", SOON, KEY)) == ("Allow", stage)

    def test_a_stranger_may_not(self) -> None:
        assert self.effect(tokens.issue("north", SOON, OTHER))[0] == "Deny"


class Parcels(unittest.TestCase):
    """What the API answers without its table."""

    def call(self, code: str, body: str) -> int:
        """Return the status of announcing a parcel."""
        event = {
            "httpMethod": "PUT",
            "pathParameters": {"code": code},
            "body": body,
            "requestContext": {"authorizer": {"principalId": "north"}},
        }
        return int(parcels.handler(event, None)["statusCode"])

    def test_what_is_no_parcel_is_refused(self) -> None:
        assert self.call("no code", '{"station": "harbour"}') == 400
        for body in ("", "{", "[]", '{"station": "moon"}'):
            assert self.call("KF000001", body) == 400


if __name__ == "__main__":
    unittest.main()
