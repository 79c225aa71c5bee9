"""verification/embedded/server/authorizers.py"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from tests.embedded.conftest import Running, unique
from tests.embedded.stacks import Stack, deployed

pytestmark = [pytest.mark.embedded, pytest.mark.xdist_group("embedded")]

PAGE = "https://page.example"
ECHO = """
def handler(event, context):
    return event["requestContext"].get("authorizer", {})
"""
JUDGE = """
def handler(event, context):
    return {"isAuthorized": event["headers"]["x-pass"] == "yes", "context": {"who": "judge"}}
"""
TEMPLATE = f"""
Transform: AWS::Serverless-2016-10-31
Globals:
  Function: {{Runtime: python3.13, Handler: index.handler}}
Resources:
  Keys: {{Type: AWS::S3::Bucket}}
  Identity:
    Type: AWS::CloudFront::CloudFrontOriginAccessIdentity
    Properties: {{CloudFrontOriginAccessIdentityConfig: {{Comment: keys}}}}
  KeysPolicy:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: !Ref Keys
      PolicyDocument:
        Version: "2012-10-17"
        Statement:
          - {{Effect: Allow, Principal: {{CanonicalUser: !GetAtt Identity.S3CanonicalUserId}},
             Action: s3:GetObject, Resource: !Sub "${{Keys.Arn}}/*"}}
  Issuer:
    Type: AWS::CloudFront::Distribution
    Properties:
      DistributionConfig:
        Enabled: true
        Origins:
          - Id: s3
            DomainName: !GetAtt Keys.RegionalDomainName
            S3OriginConfig: {{OriginAccessIdentity: !Sub "origin-access-identity/cloudfront/${{Identity}}"}}
        DefaultCacheBehavior:
          {{TargetOriginId: s3, ViewerProtocolPolicy: https-only, CachePolicyId: 4135ea2d-6df8-44a3-9df3-4b5a84be39ad}}
  Pool: {{Type: AWS::Cognito::UserPool}}
  Client:
    Type: AWS::Cognito::UserPoolClient
    Properties: {{UserPoolId: !Ref Pool, ExplicitAuthFlows: [ALLOW_USER_PASSWORD_AUTH, ALLOW_REFRESH_TOKEN_AUTH]}}
  OtherPool: {{Type: AWS::Cognito::UserPool}}
  OtherClient:
    Type: AWS::Cognito::UserPoolClient
    Properties: {{UserPoolId: !Ref OtherPool, ExplicitAuthFlows: [ALLOW_USER_PASSWORD_AUTH, ALLOW_REFRESH_TOKEN_AUTH]}}
  Log: {{Type: AWS::Logs::LogGroup}}
  Judge:
    Type: AWS::Serverless::Function
    Properties: {{InlineCode: {json.dumps(JUDGE)}}}
  Api:
    Type: AWS::Serverless::HttpApi
    Properties:
      CorsConfiguration: {{AllowOrigins: ["{PAGE}"], AllowMethods: [GET], AllowHeaders: [authorization]}}
      AccessLogSettings:
        DestinationArn: !GetAtt Log.Arn
        Format: '{{"id":"$context.requestId","status":"$context.status","type":"$context.error.responseType","message":"$context.error.message","reason":"$context.authorizer.error","integration":"$context.integrationStatus"}}'
      Auth:
        EnableIamAuthorizer: false
        Authorizers:
          Own:
            IdentitySource: $request.header.Authorization
            JwtConfiguration: {{issuer: !Sub "https://${{Issuer.DomainName}}", audience: [me]}}
          Members:
            IdentitySource: $request.header.Authorization
            JwtConfiguration:
              issuer: !Sub https://cognito-idp.${{AWS::Region}}.amazonaws.com/${{Pool}}
              audience: [!Ref Client]
          Judged:
            FunctionArn: !GetAtt Judge.Arn
            AuthorizerPayloadFormatVersion: "2.0"
            EnableSimpleResponses: true
            EnableFunctionDefaultPermissions: true
            Identity: {{Headers: [x-pass]}}
  Echo:
    Type: AWS::Serverless::Function
    Properties:
      InlineCode: {json.dumps(ECHO)}
      Events:
        Own: {{Type: HttpApi, Properties: {{ApiId: !Ref Api, Path: /own, Method: GET, Auth: {{Authorizer: Own}}}}}}
        Scoped:
          Type: HttpApi
          Properties:
            {{ApiId: !Ref Api, Path: /scoped, Method: GET, Auth: {{Authorizer: Own, AuthorizationScopes: [write]}}}}
        Members: {{Type: HttpApi, Properties: {{ApiId: !Ref Api, Path: /members, Method: GET, Auth: {{Authorizer: Members}}}}}}
        Judged: {{Type: HttpApi, Properties: {{ApiId: !Ref Api, Path: /judged, Method: GET, Auth: {{Authorizer: Judged}}}}}}
        Open: {{Type: HttpApi, Properties: {{ApiId: !Ref Api, Path: /open, Method: GET}}}}
Outputs:
  Endpoint: {{Value: !GetAtt Api.ApiEndpoint}}
  Keys: {{Value: !Ref Keys}}
  Issuer: {{Value: !Sub "https://${{Issuer.DomainName}}"}}
  Log: {{Value: !Ref Log}}
  Pool: {{Value: !Ref Pool}}
  Client: {{Value: !Ref Client}}
  OtherPool: {{Value: !Ref OtherPool}}
  OtherClient: {{Value: !Ref OtherClient}}
"""


def encoded(value: bytes | dict[str, Any]) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


class Key:
    """A key that signs tokens."""

    def __init__(self) -> None:
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    @property
    def public(self) -> dict[str, str]:
        numbers = self._key.public_key().public_numbers()
        modulus = numbers.n.to_bytes(256, "big")
        kind = {"kid": "one", "kty": "RSA", "alg": "RS256", "use": "sig"}
        return {**kind, "n": encoded(modulus), "e": encoded(numbers.e.to_bytes(3, "big"))}

    def token(self, **claims: Any) -> str:
        head = f"{encoded({'alg': 'RS256', 'kid': 'one'})}.{encoded(claims)}"
        return f"{head}.{encoded(self._key.sign(head.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


@pytest.fixture(scope="module")
def key() -> Key:
    return Key()


@pytest.fixture(scope="module")
def api(cloud: Running, key: Key) -> Iterator[Stack]:
    with deployed(cloud, TEMPLATE) as stack:
        issuer, bucket = stack.outputs["Issuer"], stack.outputs["Keys"]
        known = {
            ".well-known/openid-configuration": {"issuer": issuer, "jwks_uri": f"{issuer}/keys"},
            "keys": {"keys": [key.public]},
        }
        for name, document in known.items():
            cloud.client("s3").put_object(Bucket=bucket, Key=name, Body=json.dumps(document))
        yield stack
        for name in known:
            cloud.client("s3").delete_object(Bucket=bucket, Key=name)


def ask(api: Stack, path: str, token: str | None = None, **headers: str) -> requests.Response:
    sent = headers if token is None else {**headers, "Authorization": f"Bearer {token}"}
    return api.ask("GET", api.outputs["Endpoint"] + path, headers=sent)


def claims(api: Stack, **others: Any) -> dict[str, Any]:
    now = int(time.time())
    return {
        "iss": api.outputs["Issuer"],
        "aud": "me",
        "sub": "someone",
        "iat": now - 1,
        "exp": now + 60,
        **others,
    }


def logged(api: Stack, answer: requests.Response) -> dict[str, str]:
    events = api.cloud.client("logs").filter_log_events(logGroupName=api.outputs["Log"])["events"]
    lines = [json.loads(event["message"]) for event in events]
    (line,) = [one for one in lines if one.pop("id") == answer.headers["apigw-requestid"]]
    return line


def test_a_valid_token_opens_the_route(api: Stack, key: Key) -> None:
    answer = ask(api, "/own", key.token(**claims(api)))

    assert answer.status_code == 200, answer.headers
    assert answer.json()["jwt"]["claims"]["sub"] == "someone"
    assert ask(api, "/open").status_code == 200


def test_no_token_is_challenged_with_cors(api: Stack) -> None:
    answer = ask(api, "/own", Origin=PAGE)

    assert (answer.status_code, answer.json()) == (401, {"message": "Unauthorized"})
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.headers["access-control-allow-origin"] == PAGE


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"aud": "you"}, "the token does not have a valid audience"),
        ({"iss": "https://other.example"}, "the token has an invalid issuer"),
        ({"exp": 1}, "the token has expired"),
    ],
    ids=["audience", "issuer", "expired"],
)
def test_an_invalid_token_gets_the_reason(api: Stack, key: Key, wrong: dict[str, Any], reason: str) -> None:
    answer = ask(api, "/own", key.token(**claims(api, **wrong)))

    assert answer.status_code == 401
    assert (
        answer.headers["www-authenticate"]
        == f'Bearer scope="" error="invalid_token" error_description="{reason}"'
    )


def test_another_keys_token_is_refused(api: Stack) -> None:
    answer = ask(api, "/own", Key().token(**claims(api)))

    assert "invalid signature" in answer.headers["www-authenticate"]
    assert "segments" in ask(api, "/own", "nonsense").headers["www-authenticate"]
    assert "malformed" in ask(api, "/own", "a.b.c").headers["www-authenticate"]


def test_a_scope_is_asked_for(api: Stack, key: Key) -> None:
    without = ask(api, "/scoped", key.token(**claims(api, scope="read")))

    assert (without.status_code, without.json()) == (403, {"message": "Forbidden"})
    assert without.headers["www-authenticate"] == 'Bearer scope="write" error="insufficient_scope"'
    assert ask(api, "/scoped", key.token(**claims(api, scope="read write"))).status_code == 200


def test_a_refusal_is_logged_as_the_gateways(api: Stack, key: Key) -> None:
    line = logged(api, ask(api, "/own", key.token(**claims(api, aud="you"))))

    assert line == {
        "status": "401",
        "type": "UNAUTHORIZED",
        "message": "Unauthorized",
        "reason": "the token does not have a valid audience",
        "integration": "-",
    }


def test_a_lambda_authorizer_refuses_in_the_gateways_name(api: Stack) -> None:
    refused, missing, passed = (
        ask(api, "/judged", **{"x-pass": "no"}),
        ask(api, "/judged"),
        ask(api, "/judged", **{"x-pass": "yes"}),
    )

    assert (refused.status_code, refused.json()) == (403, {"message": "Forbidden"})
    assert (missing.status_code, missing.json()) == (401, {"message": "Unauthorized"})
    assert passed.json() == {"lambda": {"who": "judge"}}
    assert logged(api, refused)["type"] == "ACCESS_DENIED"
    assert logged(api, refused)["integration"] == "-"


def tokens(api: Stack, pool: str, client: str) -> dict[str, str]:
    """Invite a user, as README files have it: without a password."""
    idp, name = api.cloud.client("cognito-idp"), unique("user")
    idp.admin_create_user(UserPoolId=api.outputs[pool], Username=name)
    word = f"Aa1!{unique('word')}"
    idp.admin_set_user_password(UserPoolId=api.outputs[pool], Username=name, Password=word, Permanent=True)
    signed_in = idp.initiate_auth(
        ClientId=api.outputs[client],
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": name, "PASSWORD": word},
    )["AuthenticationResult"]
    return {kind: signed_in[kind] for kind in ("AccessToken", "IdToken")}


@pytest.mark.parametrize("kind", ["AccessToken", "IdToken"])
def test_a_user_pools_tokens_open_its_route(api: Stack, kind: str) -> None:
    answer = ask(api, "/members", tokens(api, "Pool", "Client")[kind])

    assert answer.status_code == 200, answer.headers
    assert answer.json()["jwt"]["claims"]["iss"].endswith(api.outputs["Pool"])


def test_another_pools_token_is_refused(api: Stack) -> None:
    assert ask(api, "/members", tokens(api, "OtherPool", "OtherClient")["AccessToken"]).status_code == 401
