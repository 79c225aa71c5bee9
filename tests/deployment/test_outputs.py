"""What goes into frontend/.env is what the stack says, once it makes sense."""

from __future__ import annotations

import pytest

from verification.deployment.outputs import OutputProblem, checked, frontend_variables

OUTPUTS = {
    "ApiEndpoint": "https://abc.execute-api.us-east-1.amazonaws.com/",
    "S3BucketName": "images",
    "CloudFrontDomain": "d111111abcdef8.cloudfront.net",
}


def test_frontend_variables() -> None:
    assert frontend_variables("staging", checked("stack", OUTPUTS)) == {
        "VITE_API_ENDPOINT": "https://abc.execute-api.us-east-1.amazonaws.com",
        "VITE_CLOUDFRONT_DOMAIN": "d111111abcdef8.cloudfront.net",
        "VITE_ENVIRONMENT": "staging",
    }


@pytest.mark.parametrize(
    "address",
    [
        "http://abc.example",
        "https://",
        "https://abc.example/?x=1",
        "https://user@abc.example",
        "https://a b",
        "abc.example",
        "https://abc.example\nX=1",
    ],
)
def test_an_endpoint_is_an_https_address(address: str) -> None:
    with pytest.raises(OutputProblem, match="is no https address"):
        checked("stack", OUTPUTS | {"ApiEndpoint": address})


@pytest.mark.parametrize("domain", ["https://d1.cloudfront.net", "d1/path", "d1 x", "-d1", "d1\nX=1"])
def test_a_domain_is_a_bare_host(domain: str) -> None:
    with pytest.raises(OutputProblem, match="is no domain"):
        checked("stack", OUTPUTS | {"CloudFrontDomain": domain})


@pytest.mark.parametrize("missing", sorted(OUTPUTS))
def test_a_missing_output_is_named(missing: str) -> None:
    rest = {name: value for name, value in OUTPUTS.items() if name != missing}

    with pytest.raises(
        OutputProblem, match=rf"stack 'stack' has no output '{missing}' \(has: {', '.join(rest)}\)"
    ):
        checked("stack", rest)
