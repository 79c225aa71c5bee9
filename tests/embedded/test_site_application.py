"""tests/applications/site: a page and an API behind one distribution, called as visitors and members call it.

The plain SAM CLI deploys it; the page is copied as its deploy.sh does.
"""

from __future__ import annotations

import json
import mimetypes
import os
import shutil
import subprocess
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.embedded.conftest import Running, unique
from verification.application import ROOT

pytestmark = [pytest.mark.embedded, pytest.mark.xdist_group("site-application")]

APP = ROOT / "tests" / "applications" / "site"
STACK = "trail-reports-local"
PARTNER = "https://www.ridgeway-hikers.example"


def sam(cloud: Running, folder: Path, *words: str) -> None:
    """Run the SAM CLI in a copy of the application."""
    unwanted = ("PYTHON", "AWS_", "SAM_", "PYTEST_")
    variables = {name: value for name, value in os.environ.items() if not name.startswith(unwanted)}
    done = subprocess.run(
        [str(ROOT / ".tools" / "bin" / "sam"), *words],
        cwd=folder,
        env=variables
        | {
            "AWS_ENDPOINT_URL": cloud.state.endpoint,
            "AWS_CA_BUNDLE": cloud.state.ca_bundle,
            "AWS_ACCESS_KEY_ID": cloud.state.access_key_id,
            "AWS_SECRET_ACCESS_KEY": cloud.state.secret_access_key,
            "AWS_DEFAULT_REGION": "us-east-1",
            "SAM_CLI_POLL_DELAY": "0.5",
            "SAM_CLI_TELEMETRY": "0",
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, f"sam {words[0]}: {done.stdout[-3000:]}\n{done.stderr[-3000:]}"


def publish(cloud: Running, folder: Path, outputs: dict[str, str]) -> None:
    """Copy the page into its bucket."""
    config = {"region": "us-east-1", "clientId": outputs["PageClientId"]}
    files = {file.name: file.read_bytes() for file in (folder / "site").iterdir()}
    for name, content in {**files, "config.json": json.dumps(config).encode()}.items():
        cloud.client("s3").put_object(
            Bucket=outputs["SiteBucketName"],
            Key=name,
            Body=content,
            ContentType=mimetypes.guess_type(name)[0] or "application/octet-stream",
            CacheControl="no-cache",
        )


@dataclass(frozen=True)
class Site:
    """The deployed application."""

    cloud: Running
    outputs: dict[str, str]

    def ask(self, method: str, path: str, token: str | None = None, **options: Any) -> requests.Response:
        """Ask the distribution, as a member if there is a token."""
        headers = {**options.pop("headers", {}), **({"Authorization": f"Bearer {token}"} if token else {})}
        url = options.pop("url", self.outputs["SiteUrl"])
        return requests.request(
            method,
            url + path,
            headers=headers,
            verify=self.cloud.state.ca_bundle,
            allow_redirects=False,
            timeout=40,
            **options,
        )

    def member(self) -> str:
        """Invite a member and return the access token of the first signing in, as the page gets it."""
        idp, name = self.cloud.client("cognito-idp"), f"{unique('member')}@example.org"
        temporary = f"Aa1!{unique('temporary')}"
        idp.admin_create_user(
            UserPoolId=self.outputs["MembersId"],
            Username=name,
            TemporaryPassword=temporary,
            UserAttributes=[{"Name": "email", "Value": name}, {"Name": "email_verified", "Value": "true"}],
        )
        client = self.outputs["PageClientId"]
        first = idp.initiate_auth(
            ClientId=client,
            AuthFlow="USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": name, "PASSWORD": temporary},
        )
        second = idp.respond_to_auth_challenge(
            ClientId=client,
            ChallengeName=first["ChallengeName"],
            Session=first["Session"],
            ChallengeResponses={"USERNAME": name, "NEW_PASSWORD": f"Aa1!{unique('chosen')}"},
        )
        return str(second["AuthenticationResult"]["AccessToken"])


@pytest.fixture(scope="module")
def site(cloud: Running, tmp_path_factory: pytest.TempPathFactory) -> Site:
    folder = tmp_path_factory.mktemp("site") / "app"
    shutil.copytree(APP, folder)
    sam(cloud, folder, "build")
    sam(cloud, folder, "deploy", "--config-env", "local", "--no-progressbar")
    stack = cloud.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"][0]
    outputs = {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}
    publish(cloud, folder, outputs)
    return Site(cloud, outputs)


@pytest.fixture(scope="module")
def token(site: Site) -> str:
    return site.member()


def test_the_page_comes_from_the_private_bucket(site: Site) -> None:
    page, script = site.ask("GET", "/"), site.ask("GET", "/app.js")
    direct = site.ask(
        "GET", "", url=f"{site.cloud.state.endpoint}/{site.outputs['SiteBucketName']}/index.html"
    )

    assert (page.status_code, page.headers["content-type"]) == (200, "text/html")
    assert (script.status_code, script.text) == (200, (APP / "site" / "app.js").read_text(encoding="utf-8"))
    assert direct.status_code == 403


@pytest.mark.parametrize("path", ["/", "/api/reports?trail=lake-loop", "/nothing"])
def test_every_answer_has_the_policys_headers(site: Site, path: str) -> None:
    headers = site.ask("GET", path).headers

    assert headers["strict-transport-security"] == "max-age=31536000; includeSubDomains"
    assert headers["x-frame-options"] == "DENY"
    assert headers["content-security-policy"].startswith("default-src 'none';")


def test_what_is_not_there_has_a_page(site: Site) -> None:
    answer = site.ask("GET", "/nothing")

    assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html")
    assert "There is no such page" in answer.text


def test_plain_http_is_led_to_tls(site: Site) -> None:
    plain = site.outputs["SiteUrl"].replace("https:", "http:")

    assert site.ask("GET", "/", url=plain).headers["location"] == f"{site.outputs['SiteUrl']}/"
    assert site.ask("GET", "/api/reports", url=plain).status_code == 403


def test_members_write_what_every_caller_reads(site: Site, token: str) -> None:
    report = {"trail": "north-ridge", "text": "Snow above the hut."}

    stored = site.ask("POST", "/api/reports", token, json=report)
    listed = site.ask("GET", "/api/reports?trail=north-ridge")

    assert stored.status_code == 201, stored.text
    assert listed.headers["x-cache"] == "Miss from cloudfront"
    assert stored.json() in listed.json()["reports"]
    where = f"/api/reports/north-ridge/{stored.json()['id']}"
    assert site.ask("DELETE", where, site.member()).status_code == 404
    assert site.ask("DELETE", where, token).status_code == 204
    assert stored.json() not in site.ask("GET", "/api/reports?trail=north-ridge").json()["reports"]


def test_no_other_caller_writes(site: Site, token: str) -> None:
    for credentials in (None, "nonsense", f"{token[:-8]}AAAAAAAA"):
        answer = site.ask("POST", "/api/reports", credentials, json={"trail": "old-mill", "text": "x"})

        assert (answer.status_code, answer.json()) == (401, {"message": "Unauthorized"})
        assert answer.headers["www-authenticate"].startswith("Bearer")
        assert site.ask("DELETE", "/api/reports/old-mill/x", credentials).status_code == 401


def test_what_is_wrong_is_said_in_json(site: Site, token: str) -> None:
    assert site.ask("GET", "/api/reports?trail=everest").status_code == 400
    assert site.ask("POST", "/api/reports", token, data="{").json() == {"message": "the body is no JSON"}
    assert site.ask("GET", "/api/none").json() == {"message": "Not Found"}


def test_the_partners_pages_may_read(site: Site) -> None:
    asked = {"Origin": PARTNER, "Access-Control-Request-Method": "GET"}

    preflight = site.ask("OPTIONS", "/api/reports", headers=asked)
    foreign = site.ask("GET", "/api/reports?trail=old-mill", headers={"Origin": "https://evil.example"})

    assert preflight.status_code == 204
    assert preflight.headers["access-control-allow-origin"] == PARTNER
    assert "access-control-allow-origin" not in foreign.headers


def test_the_published_version_answers(site: Site) -> None:
    functions = site.cloud.client("lambda")
    resource = site.cloud.client("cloudformation").describe_stack_resource(
        StackName=STACK, LogicalResourceId="ReadFunction"
    )
    name = resource["StackResourceDetail"]["PhysicalResourceId"]

    alias = functions.get_alias(FunctionName=name, Name="live")
    policy = json.loads(functions.get_policy(FunctionName=name, Qualifier="live")["Policy"])

    assert alias["FunctionVersion"] == "1"
    assert [one["Principal"] for one in policy["Statement"]] == [{"Service": "apigateway.amazonaws.com"}]


def test_each_defect_is_one_change_of_the_application() -> None:
    """What is planted by hand goes stale when the application changes."""
    defects = tomllib.loads((APP / "defects.toml").read_text(encoding="utf-8"))["defect"]
    edits = [(one["id"], edit) for one in defects for edit in one["edit"]]

    assert len({one["id"] for one in defects}) == len(defects) == 10
    for name, edit in edits:
        content = (APP / edit["file"]).read_text(encoding="utf-8")
        assert content.count(edit["find"]) == 1, f"{name}: expected once in {edit['file']}: {edit['find']}"
        assert edit["find"] != edit["replace"]
