"""scripts/extract-outputs.sh: outputs as JSON or as frontend variables, and nothing else on stdout."""

from __future__ import annotations

import json

from tests.scripts.project import Project


def test_prints_both_formats(project: Project) -> None:
    project.aws.stacks["pixel-prompt-dev"] = project.deployed

    as_json = project.run("extract-outputs.sh", "dev")
    as_dotenv = project.run("extract-outputs.sh", "dev", "--format", "dotenv")

    assert json.loads(as_json.out) == project.deployed.outputs
    assert as_dotenv.out.splitlines() == [
        f"VITE_API_ENDPOINT={project.api.url}",
        "VITE_CLOUDFRONT_DOMAIN=d111111abcdef8.cloudfront.net",
        "VITE_ENVIRONMENT=dev",
    ]
    assert as_json.err + as_dotenv.err == ""


def test_says_what_is_missing(project: Project) -> None:
    absent = project.run("extract-outputs.sh", "dev")
    project.aws.stacks["pixel-prompt-dev"] = project.deployed
    project.aws.stacks["pixel-prompt-dev"].outputs.pop("CloudFrontDomain")
    incomplete = project.run("extract-outputs.sh", "dev")
    unnamed = project.run("extract-outputs.sh")

    assert (absent.status, incomplete.status, unnamed.status) == (4, 1, 4)
    assert "no stack 'pixel-prompt-dev' in us-east-1; deploy it first: ./scripts/deploy.sh dev" in absent.err
    assert "has no output 'CloudFrontDomain' (has: ApiEndpoint, S3BucketName)" in incomplete.err
    assert "expected an environment, found none" in unnamed.err
    assert absent.out + incomplete.out + unnamed.out == ""
