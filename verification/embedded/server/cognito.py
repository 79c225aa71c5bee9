"""Overlay: who gets into a user pool - only users whom an administrator invites, where the pool says so - and for how long.

MiniStack generates a password of 12 characters for each invited user without regard to the pool's policy, and then
refuses it itself. It also lets every caller sign up, and takes any lifetime of a token.

Source: Amazon Cognito API reference, "AdminCreateUser" (TemporaryPassword), "AdminCreateUserConfigType"
(AllowAdminCreateUserOnly), "SignUp", "CreateUserPoolClient" (AccessTokenValidity, IdTokenValidity, RefreshTokenValidity,
TokenValidityUnits).
"""

from __future__ import annotations

import contextvars
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from ministack.core.responses import error_response_json
from ministack.services import cognito

from verification.embedded.server import require
from verification.embedded.server.context import Context

require(
    cognito,
    "_admin_create_user",
    "_create_user_pool_client",
    "_generate_temp_password",
    "_pool_for_client",
    "_sign_up",
    "_update_user_pool_client",
    "_user_pools",
)

_SECONDS: Final = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86400}
_LIFETIMES: Final = {
    "AccessToken": ("hours", 300, 86400),
    "IdToken": ("hours", 300, 86400),
    "RefreshToken": ("days", 3600, 315_360_000),
}
"""The unit of each token's lifetime where none is given, and its least and greatest value in seconds."""

_least: contextvars.ContextVar[int] = contextvars.ContextVar("least_password_length", default=0)


def install(_context: Context) -> None:
    """Lay the overlay over MiniStack."""
    create, generate = cognito._admin_create_user, cognito._generate_temp_password
    join = cognito._sign_up
    create_client, update_client = cognito._create_user_pool_client, cognito._update_user_pool_client

    def admin_create_user(data: dict[str, Any]) -> Any:
        pool = cognito._user_pools.get(data.get("UserPoolId")) or {}
        policy = (pool.get("Policies") or {}).get("PasswordPolicy") or {}
        token = _least.set(int(policy.get("MinimumLength") or 0))
        try:
            return create(data)
        finally:
            _least.reset(token)

    def generate_temp_password() -> str:
        password = str(generate())
        while len(password) < _least.get():
            password += generate()
        return password

    def sign_up(data: dict[str, Any]) -> Any:
        pool = cognito._pool_for_client(data.get("ClientId"))[0] or {}
        if (pool.get("AdminCreateUserConfig") or {}).get("AllowAdminCreateUserOnly"):
            message = "SignUp is not permitted for this user pool"
            return error_response_json("NotAuthorizedException", message, HTTPStatus.BAD_REQUEST)
        return join(data)

    def create_user_pool_client(data: dict[str, Any]) -> Any:
        if problem := _lifetime_problem(data):
            return error_response_json("InvalidParameterException", problem, HTTPStatus.BAD_REQUEST)
        return create_client(data)

    def update_user_pool_client(data: dict[str, Any]) -> Any:
        pool = cognito._user_pools.get(data.get("UserPoolId")) or {}
        before = (pool.get("_clients") or {}).get(data.get("ClientId")) or {}
        if problem := _lifetime_problem({**before, **data}):
            return error_response_json("InvalidParameterException", problem, HTTPStatus.BAD_REQUEST)
        return update_client(data)

    cognito._create_user_pool_client = create_user_pool_client
    cognito._update_user_pool_client = update_user_pool_client
    cognito._sign_up = sign_up
    cognito._admin_create_user = admin_create_user
    cognito._generate_temp_password = generate_temp_password


def _lifetime_problem(client: Mapping[str, Any]) -> str:
    """Return why Cognito would refuse the lifetimes of a client's tokens, or nothing."""
    units = client.get("TokenValidityUnits") or {}
    for token, (usual, least, most) in _LIFETIMES.items():
        value = client.get(f"{token}Validity")
        if value and not least <= int(value) * _SECONDS[units.get(token, usual)] <= most:
            return f"Invalid range for token validity: {token} from {least} to {most} seconds."
    return ""
