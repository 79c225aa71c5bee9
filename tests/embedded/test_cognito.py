"""verification/embedded/server/cognito.py"""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.embedded.conftest import Running, unique

pytestmark = [pytest.mark.embedded, pytest.mark.xdist_group("embedded")]


@pytest.mark.parametrize("least", [8, 14, 40])
def test_a_user_is_invited_whatever_length_a_password_has_to_have(cloud: Running, least: int) -> None:
    client = cloud.client("cognito-idp")
    policy = {"PasswordPolicy": {"MinimumLength": least, "RequireSymbols": True, "RequireNumbers": True}}
    pool = client.create_user_pool(PoolName=unique("pool"), Policies=policy)["UserPool"]["Id"]

    made = client.admin_create_user(UserPoolId=pool, Username="someone")

    assert made["User"]["UserStatus"] == "FORCE_CHANGE_PASSWORD"


@pytest.mark.parametrize("invited_only", [True, False])
def test_anonymous_users_join_only_where_the_pool_allows_them(cloud: Running, invited_only: bool) -> None:
    client = cloud.client("cognito-idp")
    config = {"AllowAdminCreateUserOnly": invited_only}
    pool = client.create_user_pool(PoolName=unique("pool"), AdminCreateUserConfig=config)["UserPool"]["Id"]
    page = client.create_user_pool_client(UserPoolId=pool, ClientName="page")["UserPoolClient"]["ClientId"]
    wanted = {"ClientId": page, "Username": "stranger", "Password": f"Aa1!{unique('word')}"}

    if invited_only:
        with pytest.raises(ClientError, match="SignUp is not permitted for this user pool"):
            client.sign_up(**wanted)
    else:
        assert client.sign_up(**wanted)["UserConfirmed"] is False


@pytest.mark.parametrize(
    ("lifetimes", "refused"),
    [
        ({"AccessTokenValidity": 60, "TokenValidityUnits": {"AccessToken": "minutes"}}, False),
        ({"AccessTokenValidity": 60}, True),  # hours, where no unit is given
        ({"IdTokenValidity": 1, "TokenValidityUnits": {"IdToken": "minutes"}}, True),
        ({"RefreshTokenValidity": 3650}, False),
        ({"RefreshTokenValidity": 3651}, True),
    ],
)
def test_a_token_lives_as_long_as_cognito_allows(
    cloud: Running, lifetimes: dict[str, Any], refused: bool
) -> None:
    client = cloud.client("cognito-idp")
    pool = client.create_user_pool(PoolName=unique("pool"))["UserPool"]["Id"]
    page = client.create_user_pool_client(UserPoolId=pool, ClientName="page")["UserPoolClient"]["ClientId"]

    if refused:
        with pytest.raises(ClientError, match="Invalid range for token validity"):
            client.create_user_pool_client(UserPoolId=pool, ClientName="other", **lifetimes)
        with pytest.raises(ClientError, match="Invalid range for token validity"):
            client.update_user_pool_client(UserPoolId=pool, ClientId=page, **lifetimes)
    else:
        client.create_user_pool_client(UserPoolId=pool, ClientName="other", **lifetimes)
        client.update_user_pool_client(UserPoolId=pool, ClientId=page, **lifetimes)
