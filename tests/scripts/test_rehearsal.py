"""The real SAM CLI against an embedded AWS: what the stubs elsewhere take for granted about the two."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from tests.scripts.cloudformation import FakeApi, serving
from tests.scripts.project import REPOSITORY
from verification.embedded.cloud import Cloud, State

KEY = "sk-proj-" + "k" * 48
TEMPLATE = """\
Transform: AWS::Serverless-2016-10-31
Parameters:
  Note: { Type: String, Default: "none" }
  OpenAiApiKey: { Type: String, NoEcho: true, Default: "" }
  GoogleApiKey: { Type: String, NoEcho: true, Default: "" }
  BflApiKey: { Type: String, NoEcho: true, Default: "" }
  RecraftApiKey: { Type: String, NoEcho: true, Default: "" }
  StabilityApiKey: { Type: String, NoEcho: true, Default: "" }
Resources:
  Keys:
    Type: AWS::SecretsManager::Secret
    Properties:
      Name: keys
      SecretString: !Sub '["${OpenAiApiKey}", "${BflApiKey}", "${Note}"]'
Outputs:
  ApiEndpoint: { Value: "API" }
  S3BucketName: { Value: images }
  CloudFrontDomain: { Value: d111111abcdef8.cloudfront.net }
"""


@pytest.fixture
def state() -> Iterator[State]:
    cloud = Cloud(f"rehearsal-{os.getpid()}")
    try:
        yield cloud.up(owned_by=os.getpid()).state
    finally:
        cloud.down()


@pytest.mark.embedded
def test_an_update_keeps_the_keys_that_it_is_not_given(
    state: State, certificate: Path, tmp_path: Path
) -> None:
    """Whoever redeploys without the keys at hand must not wipe out those that are deployed."""
    roots = tmp_path / "roots.pem"
    roots.write_text(Path(state.ca_bundle).read_text() + certificate.read_text())
    api = FakeApi(certificate)
    api.environment = "staging"
    app = tmp_path / "app"
    (app / "backend" / "src").mkdir(parents=True)
    (app / "frontend").mkdir()
    (app / "backend" / "template.yaml").write_text(TEMPLATE.replace('"API"', api.url))
    (app / "backend" / "samconfig.toml").write_text(
        "version = 0.1\n[staging.deploy.parameters]\nresolve_s3 = true\n"
    )

    def deploy(*arguments: str, **variables: str) -> str:
        ended = subprocess.run(
            [str(REPOSITORY / "scripts" / "deploy.sh"), "staging", "--yes", "--app", str(app), *arguments],
            env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
            | state.environment()
            | {"AWS_CA_BUNDLE": str(roots)}
            | variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert ended.returncode == 0, ended.stderr + ended.stdout[-2000:]
        assert KEY not in ended.stdout + ended.stderr
        return ended.stdout

    def secret() -> list[str]:
        session = boto3.Session(state.access_key_id, state.secret_access_key, region_name=state.region)
        client = session.client("secretsmanager", endpoint_url=state.endpoint, verify=state.ca_bundle)
        stored: list[str] = json.loads(client.get_secret_value(SecretId="keys")["SecretString"])
        return stored

    with serving(api):
        created = deploy(OPENAI_API_KEY=KEY)
        first = secret()
        updated = deploy("--parameter", "Note=changed")
        second = secret()

    assert "set (environment)" in created
    assert "(emulated)" in created
    assert first == [KEY, first[1], "none"]
    assert first[1].startswith("bfl_")
    assert "kept" in updated
    assert second == [KEY, first[1], "changed"]
