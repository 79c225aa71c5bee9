"""Overlay: who gets into a user pool - only users whom an administrator invites, where the pool says so.

MiniStack generates a password of 12 characters for each invited user without regard to the pool's policy, and then
refuses it itself. It also lets every caller sign up.

Source: Amazon Cognito API reference, "AdminCreateUser" (TemporaryPassword), "AdminCreateUserConfigType"
(AllowAdminCreateUserOnly), "SignUp".
"""

from __future__ import annotations

import contextvars
from http import HTTPStatus
from typing import Any

from ministack.core.responses import error_response_json
from ministack.services import cognito

from verification.embedded.server import require
from verification.embedded.server.context import Context

require(
    cognito, "_admin_create_user", "_generate_temp_password", "_pool_for_client", "_sign_up", "_user_pools"
)

_least: contextvars.ContextVar[int] = contextvars.ContextVar("least_password_length", default=0)


def install(_context: Context) -> None:
    """Lay the overlay over MiniStack."""
    create, generate = cognito._admin_create_user, cognito._generate_temp_password
    join = cognito._sign_up

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

    cognito._sign_up = sign_up
    cognito._admin_create_user = admin_create_user
    cognito._generate_temp_password = generate_temp_password
