"""verification/embedded/server/function_urls.py"""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
import requests
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.embedded.conftest import Running, unique
from tests.embedded.stacks import Stack, deployed

pytestmark = [pytest.mark.embedded, pytest.mark.xdist_group("embedded")]

ORIGIN = "https://app.example"
SOURCE = """
import json
def handler(event, context):
    told = {"host": event["headers"]["host"], "method": event["requestContext"]["http"]["method"],
            "path": event["rawPath"], "account": event["requestContext"]["accountId"],
            "arn": context.invoked_function_arn}
    return {"statusCode": 200, "body": json.dumps(told)}
"""
TEMPLATE = f"""
Transform: AWS::Serverless-2016-10-31
Globals:
  Function:
    Runtime: python3.13
    Handler: index.handler
Resources:
  Open:
    Type: AWS::Serverless::Function
    Properties:
      InlineCode: {json.dumps(SOURCE)}
      FunctionUrlConfig:
        AuthType: NONE
        Cors: {{AllowOrigins: ["https://app.example"], AllowMethods: [GET], AllowHeaders: [x-one], MaxAge: 60}}
  Signed:
    Type: AWS::Serverless::Function
    Properties:
      InlineCode: {json.dumps(SOURCE)}
      AutoPublishAlias: live
      FunctionUrlConfig: {{AuthType: AWS_IAM}}
Outputs:
  Open: {{Value: !GetAtt OpenUrl.FunctionUrl}}
  OpenFunction: {{Value: !Ref Open}}
  Signed: {{Value: !GetAtt SignedUrl.FunctionUrl}}
  SignedFunction: {{Value: !Ref Signed}}
"""


@pytest.fixture(scope="module")
def stack(cloud: Running) -> Iterator[Stack]:
    with deployed(cloud, TEMPLATE) as made:
        yield made


def signed(stack: Stack, key: tuple[str, str]) -> requests.Response:
    """Ask the URL of AuthType AWS_IAM as the holder of a key."""
    request = AWSRequest("GET", stack.outputs["Signed"])
    SigV4Auth(Credentials(*key), "lambda", "us-east-1").add_auth(request)
    return stack.ask("GET", stack.outputs["Signed"], headers=dict(request.headers))


def test_every_caller_may_use_the_address(cloud: Running, stack: Stack) -> None:
    url = stack.outputs["Open"]
    known = cloud.client("lambda").get_function_url_config(FunctionName=stack.outputs["OpenFunction"])

    answer = stack.ask("GET", f"{url}some/path")

    assert known["FunctionUrl"] == url
    assert url.startswith("https://127.0.0.1:")
    assert url.endswith("/")
    assert answer.status_code == 200, answer.text
    assert answer.json() | {"arn": ""} == {
        "host": url.split("/")[2],
        "method": "GET",
        "path": "/some/path",
        "account": "anonymous",
        "arn": "",
    }


def test_the_emulators_own_paths_are_the_functions(stack: Stack) -> None:
    assert (
        stack.ask("GET", f"{stack.outputs['Open']}_ministack/health").json()["path"] == "/_ministack/health"
    )


@pytest.mark.parametrize(
    ("origin", "allowed"), [(ORIGIN, ORIGIN), ("https://other.example", None)], ids=["own", "foreign"]
)
def test_the_url_itself_answers_for_cors(stack: Stack, origin: str, allowed: str | None) -> None:
    asked = {"Origin": origin, "Access-Control-Request-Method": "GET"}

    preflight = stack.ask("OPTIONS", stack.outputs["Open"], headers=asked)
    answer = stack.ask("GET", stack.outputs["Open"], headers=asked)

    assert preflight.text == ""
    for one in (preflight, answer):
        assert one.headers.get("access-control-allow-origin") == allowed


@pytest.mark.parametrize("permission", ["lambda:InvokeFunctionUrl", "lambda:InvokeFunction"])
def test_every_caller_needs_both_permissions(cloud: Running, stack: Stack, permission: str) -> None:
    functions, name = cloud.client("lambda"), unique("half")
    source = functions.get_function(FunctionName=stack.outputs["OpenFunction"])
    code = stack.ask("GET", source["Code"]["Location"]).content
    functions.create_function(
        FunctionName=name,
        Runtime="python3.13",
        Handler="index.handler",
        Role=source["Configuration"]["Role"],
        Code={"ZipFile": code},
    )
    url = functions.create_function_url_config(FunctionName=name, AuthType="NONE")["FunctionUrl"]
    assert stack.ask("GET", url).status_code == 403

    functions.add_permission(
        FunctionName=name,
        StatementId="half",
        Action=permission,
        Principal="*",
        **({"FunctionUrlAuthType": "NONE"} if permission.endswith("Url") else {}),
    )
    assert stack.ask("GET", url).status_code == 403
    functions.delete_function_url_config(FunctionName=name)
    with pytest.raises(requests.ConnectionError):
        requests.get(url, verify=cloud.state.ca_bundle, timeout=10)


def test_a_signature_is_asked_for(cloud: Running, stack: Stack) -> None:
    key = (cloud.state.access_key_id, cloud.state.secret_access_key)

    unsigned = stack.ask("GET", stack.outputs["Signed"])
    answer = signed(stack, key)

    assert unsigned.status_code == 403
    assert answer.status_code == 200, answer.text
    assert answer.json()["arn"].endswith(f":{stack.outputs['SignedFunction']}:live")
    assert signed(stack, (key[0], "another secret")).status_code == 403


def test_a_signature_needs_permissions(cloud: Running, stack: Stack) -> None:
    iam, user = cloud.client("iam"), unique("user")
    iam.create_user(UserName=user)
    made = iam.create_access_key(UserName=user)["AccessKey"]
    key = (made["AccessKeyId"], made["SecretAccessKey"])
    statuses = []
    for action in ("lambda:GetFunction", "lambda:InvokeFunctionUrl", "lambda:Invoke*"):
        iam.put_user_policy(
            UserName=user,
            PolicyName="one",
            PolicyDocument=f'{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"{action}","Resource":"*"}}]}}',
        )
        statuses.append(signed(stack, key).status_code)

    assert statuses == [403, 403, 200]
