"""verification/embedded/server/origins.py"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator

import pytest
import requests

from tests.embedded.conftest import Running
from tests.embedded.stacks import Stack, deployed

pytestmark = [pytest.mark.embedded, pytest.mark.xdist_group("embedded")]

NOTHING_CACHED = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
ALL_BUT_HOST, ALL = "b689b0a8-53d0-40ab-baf2-68738e2966ac", "216adef6-5c7f-47e4-b989-5492eafa07d3"
SOURCE = """
import json
def handler(event, context):
    http = event["requestContext"]["http"]
    told = {"path": event["rawPath"], "method": http["method"], "body": event.get("body"),
            "query": event["rawQueryString"], "authorization": event["headers"].get("authorization"),
            "forwarded": event["headers"].get("x-forwarded-for"), "host": event["headers"]["host"]}
    return {"statusCode": 404 if "absent" in event["rawPath"] else 200, "body": json.dumps(told)}
"""
BEHAVIOR = f"""ViewerProtocolPolicy: https-only, CachePolicyId: {NOTHING_CACHED},
            AllowedMethods: [GET, HEAD, OPTIONS, PUT, PATCH, POST, DELETE]"""
TEMPLATE = f"""
Transform: AWS::Serverless-2016-10-31
Globals:
  Function:
    Runtime: python3.13
    Handler: index.handler
Resources:
  Api:
    Type: AWS::Serverless::HttpApi
  Function:
    Type: AWS::Serverless::Function
    Properties:
      InlineCode: {json.dumps(SOURCE)}
      Events:
        Any: {{Type: HttpApi, Properties: {{ApiId: !Ref Api, Path: /$default, Method: ANY}}}}
  Direct:
    Type: AWS::Serverless::Function
    Properties:
      InlineCode: {json.dumps(SOURCE)}
      FunctionUrlConfig: {{AuthType: AWS_IAM}}
  Reach:
    Type: AWS::Lambda::Permission
    Properties:
      FunctionName: !Ref Direct
      Action: lambda:InvokeFunctionUrl
      Principal: cloudfront.amazonaws.com
      SourceArn: !Sub arn:aws:cloudfront::${{AWS::AccountId}}:distribution/${{Distribution}}
  ReachToo:
    Type: AWS::Lambda::Permission
    Properties:
      FunctionName: !Ref Direct
      Action: lambda:InvokeFunction
      InvokedViaFunctionUrl: true
      Principal: cloudfront.amazonaws.com
      SourceArn: !Sub arn:aws:cloudfront::${{AWS::AccountId}}:distribution/${{Distribution}}
  Control:
    Type: AWS::CloudFront::OriginAccessControl
    Properties:
      OriginAccessControlConfig:
        {{Name: !Ref AWS::StackName, OriginAccessControlOriginType: lambda, SigningBehavior: always, SigningProtocol: sigv4}}
  Distribution:
    Type: AWS::CloudFront::Distribution
    Properties:
      DistributionConfig:
        Enabled: true
        Origins:
          - Id: by-name
            DomainName: !Sub ${{Api}}.execute-api.${{AWS::Region}}.${{AWS::URLSuffix}}
            CustomOriginConfig: {{OriginProtocolPolicy: https-only}}
          - Id: by-endpoint
            DomainName: !Select [2, !Split ["/", !GetAtt Api.ApiEndpoint]]
            OriginPath: /below
            CustomOriginConfig: {{OriginProtocolPolicy: https-only}}
          - Id: plain
            DomainName: !Sub ${{Api}}.execute-api.${{AWS::Region}}.${{AWS::URLSuffix}}
            CustomOriginConfig: {{OriginProtocolPolicy: http-only}}
          - Id: url
            DomainName: !Select [2, !Split ["/", !GetAtt DirectUrl.FunctionUrl]]
            OriginAccessControlId: !Ref Control
            CustomOriginConfig: {{OriginProtocolPolicy: https-only}}
          - Id: unsigned
            DomainName: !Select [2, !Split ["/", !GetAtt DirectUrl.FunctionUrl]]
            CustomOriginConfig: {{OriginProtocolPolicy: https-only}}
        DefaultCacheBehavior: {{TargetOriginId: by-name, OriginRequestPolicyId: {ALL_BUT_HOST}, {BEHAVIOR}}}
        CacheBehaviors:
          - {{PathPattern: /endpoint, TargetOriginId: by-endpoint, OriginRequestPolicyId: {ALL_BUT_HOST}, {BEHAVIOR}}}
          - {{PathPattern: /plain, TargetOriginId: plain, OriginRequestPolicyId: {ALL_BUT_HOST}, {BEHAVIOR}}}
          - {{PathPattern: /url, TargetOriginId: url, OriginRequestPolicyId: {ALL_BUT_HOST}, {BEHAVIOR}}}
          - {{PathPattern: /unsigned, TargetOriginId: unsigned, OriginRequestPolicyId: {ALL_BUT_HOST}, {BEHAVIOR}}}
          - {{PathPattern: /viewers-host, TargetOriginId: by-name, OriginRequestPolicyId: {ALL}, {BEHAVIOR}}}
Outputs:
  Domain: {{Value: !GetAtt Distribution.DomainName}}
  Function: {{Value: !Ref Direct}}
"""


@pytest.fixture(scope="module")
def stack(cloud: Running) -> Iterator[Stack]:
    with deployed(cloud, TEMPLATE) as made:
        yield made


def ask(stack: Stack, method: str, path: str, **options: object) -> requests.Response:
    return stack.ask(method, f"https://{stack.outputs['Domain']}{path}", **options)


def test_an_api_is_an_origin_by_its_name(stack: Stack) -> None:
    answer = ask(
        stack,
        "POST",
        "/things/7?a=b%20c",
        data="sent",
        headers={"Authorization": "Bearer x", "Content-Type": "text/plain"},
    )

    told = answer.json()
    assert answer.status_code == 200
    assert answer.headers["x-cache"] == "Miss from cloudfront"
    assert "apigw-requestid" in answer.headers
    assert (told["path"], told["method"], told["body"], told["query"]) == (
        *("/things/7", "POST", "sent"),
        "a=b%20c",
    )
    assert told["authorization"] == "Bearer x"
    assert told["forwarded"].startswith("127.0.0.1, ")
    assert told["host"] != stack.outputs["Domain"]


def test_an_api_is_an_origin_by_its_endpoint(stack: Stack) -> None:
    assert ask(stack, "GET", "/endpoint").json()["path"] == "/below/endpoint"


def test_an_apis_error_is_its_own(stack: Stack) -> None:
    answer = ask(stack, "GET", "/absent")

    assert (answer.status_code, answer.json()["path"]) == (404, "/absent")


def test_an_api_knows_no_host_but_its_own(stack: Stack) -> None:
    answer = ask(stack, "GET", "/viewers-host")

    assert (answer.status_code, answer.json()) == (403, {"message": "Forbidden"})


def test_an_api_answers_by_tls_alone(stack: Stack) -> None:
    assert ask(stack, "GET", "/plain").status_code == 502


def test_a_distribution_signs_for_a_function_url(stack: Stack) -> None:
    answer = ask(stack, "GET", "/url", headers={"Authorization": "Bearer x"})

    assert answer.status_code == 200, answer.text
    assert answer.json()["authorization"].startswith("AWS4-HMAC-SHA256 ")
    assert ask(stack, "GET", "/unsigned").status_code == 403


def test_a_signed_body_needs_its_hash(stack: Stack) -> None:
    digest = hashlib.sha256(b"sent").hexdigest()

    with_hash = ask(stack, "POST", "/url", data=b"sent", headers={"x-amz-content-sha256": digest})
    without = ask(stack, "POST", "/url", data=b"sent")

    assert (with_hash.status_code, without.status_code) == (200, 403)


def test_a_function_lets_no_other_distribution_in(cloud: Running, stack: Stack) -> None:
    functions, name = cloud.client("lambda"), stack.outputs["Function"]
    sid = stack.id_of("Reach")
    functions.remove_permission(FunctionName=name, StatementId=sid)
    try:
        functions.add_permission(
            FunctionName=name,
            StatementId="other",
            Action="lambda:InvokeFunctionUrl",
            Principal="cloudfront.amazonaws.com",
            SourceArn=f"arn:aws:cloudfront::{cloud.state.account_id}:distribution/EOTHER",
        )
        assert ask(stack, "GET", "/url").status_code == 403
    finally:
        functions.remove_permission(FunctionName=name, StatementId="other")
