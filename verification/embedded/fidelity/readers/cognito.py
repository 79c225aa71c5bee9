"""Cognito: user pools and their clients."""

from __future__ import annotations

from typing import Any

from verification.embedded.fidelity.live import Live, Type, member, members


def _pool(live: Live) -> Any:
    return live.ask("cognito-idp", "describe_user_pool", UserPoolId=live.id).get("UserPool") or {}


def _client(live: Live) -> Any:
    pool = live.declared.get("UserPoolId")
    return live.ask("cognito-idp", "describe_user_pool_client", UserPoolId=pool, ClientId=live.id).get(
        "UserPoolClient", {}
    )


TYPES: dict[str, Type] = {
    "AWS::Cognito::UserPool": Type(
        {
            "UserPoolName": member(_pool, "Name"),
            **members(
                _pool,
                "AccountRecoverySetting",
                "AdminCreateUserConfig",
                "AliasAttributes",
                "AutoVerifiedAttributes",
                "DeletionProtection",
                "DeviceConfiguration",
                "EmailConfiguration",
                "EmailVerificationMessage",
                "EmailVerificationSubject",
                "LambdaConfig",
                "MfaConfiguration",
                "Policies",
                "SmsAuthenticationMessage",
                "SmsConfiguration",
                "SmsVerificationMessage",
                "UserAttributeUpdateSettings",
                "UserPoolAddOns",
                "UserPoolTags",
                "UserPoolTier",
                "UsernameAttributes",
                "UsernameConfiguration",
                "VerificationMessageTemplate",
            ),
        },
        {"Arn": member(_pool, "Arn"), "UserPoolId": lambda live: live.id},
    ),
    "AWS::Cognito::UserPoolClient": Type(
        members(
            _client,
            "AccessTokenValidity",
            "AllowedOAuthFlows",
            "AllowedOAuthFlowsUserPoolClient",
            "AllowedOAuthScopes",
            "AuthSessionValidity",
            "CallbackURLs",
            "ClientName",
            "DefaultRedirectURI",
            "EnablePropagateAdditionalUserContextData",
            "EnableTokenRevocation",
            "ExplicitAuthFlows",
            "IdTokenValidity",
            "LogoutURLs",
            "PreventUserExistenceErrors",
            "ReadAttributes",
            "RefreshTokenValidity",
            "SupportedIdentityProviders",
            "TokenValidityUnits",
            "UserPoolId",
            "WriteAttributes",
        ),
        {"ClientId": lambda live: live.id, "Name": member(_client, "ClientName")},
    ),
}
