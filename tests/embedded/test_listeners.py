"""The loopback ports: TLS and plain HTTP on one port, and a port for each host name."""

from __future__ import annotations

import json
import socket
import ssl
import subprocess
import warnings
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from cryptography import x509

from tests.embedded.conftest import Running, unique

pytestmark = [pytest.mark.embedded, pytest.mark.xdist_group("embedded")]


@pytest.fixture(scope="module")
def api(cloud: Running) -> str:
    """An HTTP API with no routes: https://127.0.0.1:<port>."""
    gateway = cloud.client("apigatewayv2")
    made = gateway.create_api(Name=unique("api"), ProtocolType="HTTP")
    gateway.create_stage(ApiId=made["ApiId"], StageName="$default", AutoDeploy=True)
    return str(gateway.get_api(ApiId=made["ApiId"])["ApiEndpoint"])


@pytest.fixture(scope="module")
def distribution(cloud: Running) -> str:
    """A distribution in front of an empty bucket that redirects viewers to HTTPS: 127.0.0.1:<port>."""
    bucket = unique("bucket")
    cloud.client("s3").create_bucket(Bucket=bucket)
    made = cloud.client("cloudfront").create_distribution(
        DistributionConfig={
            "CallerReference": unique("reference"),
            "Comment": "",
            "Enabled": True,
            "Origins": {
                "Quantity": 1,
                "Items": [
                    {
                        "Id": "bucket",
                        "DomainName": f"{bucket}.s3.us-east-1.amazonaws.com",
                        "S3OriginConfig": {"OriginAccessIdentity": ""},
                    }
                ],
            },
            "DefaultCacheBehavior": {
                "TargetOriginId": "bucket",
                "ViewerProtocolPolicy": "redirect-to-https",
                "CachePolicyId": "658327ea-f89d-4fab-a63d-7e88639e58f6",
            },
        }
    )
    return str(made["Distribution"]["DomainName"])


def address(endpoint: str) -> tuple[str, int]:
    parts = urlsplit(endpoint)
    return str(parts.hostname), int(parts.port or 0)


def handshake(endpoint: str, context: ssl.SSLContext, *, name: str = "127.0.0.1") -> ssl.SSLSocket:
    connection = socket.create_connection(address(endpoint), timeout=5)
    return context.wrap_socket(connection, server_hostname=name)


def test_tls_is_verified_with_the_bundle(cloud: Running) -> None:
    """`curl`, Node and a browser open the printed addresses without a switch that turns checking off."""
    trusting = ssl.create_default_context(cafile=cloud.state.ca_bundle)

    for name in (
        "127.0.0.1",
        "localhost",
        "d111111abcdef8.cloudfront.net",
        "abc.execute-api.localhost",
        "api.bfl.ai",
    ):
        with handshake(cloud.state.endpoint, trusting, name=name) as connection:
            assert connection.version() in ("TLSv1.2", "TLSv1.3")


def test_tls_is_not_trusted_without_the_bundle(cloud: Running) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(cloud.state.endpoint, ssl.create_default_context())


def test_tls_is_1_2_at_least(cloud: Running) -> None:
    old = ssl.create_default_context(cafile=cloud.state.ca_bundle)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        old.minimum_version = ssl.TLSVersion.TLSv1
        old.maximum_version = ssl.TLSVersion.TLSv1_1

    with pytest.raises((ssl.SSLError, ConnectionResetError)):
        handshake(cloud.state.endpoint, old)


def test_the_authority_can_sign_for_its_own_names_only(cloud: Running) -> None:
    """Whoever trusts it for a test must not thereby trust it for a bank; and nobody has its key."""
    directory = Path(cloud.state.ca_bundle).parent
    authority = x509.load_pem_x509_certificate((directory / "ca.pem").read_bytes())

    constraints = authority.extensions.get_extension_for_class(x509.NameConstraints)
    assert constraints.critical
    assert {name.value for name in constraints.value.permitted_subtrees or [] if isinstance(name, x509.DNSName)} >= {
        "localhost", "cloudfront.net", "execute-api.localhost", "api.openai.com",
    }  # fmt: skip
    assert authority.extensions.get_extension_for_class(x509.BasicConstraints).value.path_length == 0
    assert sorted(path.name for path in directory.glob("*.key")) == ["domain.key", "leaf.key"]


def test_main_port_speaks_plain_http_too(cloud: Running) -> None:
    """So that a condition on aws:SecureTransport can be tested."""
    host, port = address(cloud.state.endpoint)

    assert requests.get(f"http://{host}:{port}/_ministack/health", timeout=5).status_code == 200


def test_a_client_cannot_claim_tls(cloud: Running) -> None:
    """A forged X-Forwarded-Proto would pass a policy that denies plain HTTP."""
    s3, bucket = cloud.client("s3"), unique("bucket")
    s3.create_bucket(Bucket=bucket)
    statement = {
        "Effect": "Deny", "Principal": "*", "Action": "s3:*",
        "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }  # fmt: skip
    s3.put_object(Bucket=bucket, Key="k", Body=b"v")
    s3.put_bucket_policy(
        Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    )
    secure = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "k"})
    plain = secure.replace("https://", "http://")

    assert requests.get(secure, verify=cloud.state.ca_bundle, timeout=5).status_code == 200
    assert requests.get(plain, timeout=5).status_code == 403
    assert requests.get(plain, headers={"X-Forwarded-Proto": "https"}, timeout=5).status_code == 403


def test_an_api_has_a_port_of_its_own(cloud: Running, api: str) -> None:
    answer = requests.get(f"{api}/nothing", verify=cloud.state.ca_bundle, timeout=5)

    assert answer.status_code == 404
    assert answer.json() == {"message": "Not Found"}


def test_an_api_refuses_plain_http(api: str) -> None:
    """API Gateway has no port 80."""
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{api.replace('https', 'http')}/nothing", timeout=5)


def test_a_distribution_redirects_plain_http(distribution: str) -> None:
    answer = requests.get(f"http://{distribution}/images/x.png", allow_redirects=False, timeout=5)

    assert answer.status_code == 301
    assert answer.headers["location"] == f"https://{distribution}/images/x.png"


def test_a_client_cannot_talk_itself_past_the_redirect(distribution: str) -> None:
    answer = requests.get(
        f"http://{distribution}/x", headers={"X-Forwarded-Proto": "https"}, allow_redirects=False, timeout=5
    )

    assert answer.status_code == 301


@pytest.mark.parametrize(
    "path", ["/health", "/_ministack/health", "/_embedded/providers", "/_localstack/health"]
)
def test_extra_ports_lead_to_the_deployment_alone(
    cloud: Running, api: str, distribution: str, path: str
) -> None:
    """A path of the emulator's own would answer in the application's place, or reset the cloud."""
    bundle = cloud.state.ca_bundle

    assert requests.get(f"{api}{path}", verify=bundle, timeout=5).json() == {"message": "Not Found"}
    assert requests.get(f"https://{distribution}{path}", verify=bundle, timeout=5).status_code in (403, 404)


@pytest.mark.parametrize("path", ["/_ministack/reset", "/_embedded/reset"])
def test_extra_ports_cannot_reset(cloud: Running, api: str, path: str) -> None:
    bucket = unique("bucket")
    cloud.client("s3").create_bucket(Bucket=bucket)

    assert requests.post(f"{api}{path}", verify=cloud.state.ca_bundle, timeout=5).status_code == 404
    cloud.client("s3").head_bucket(Bucket=bucket)


def test_an_extra_port_offers_http_2(cloud: Running, api: str) -> None:
    trusting = ssl.create_default_context(cafile=cloud.state.ca_bundle)
    trusting.set_alpn_protocols(["h2", "http/1.1"])

    with handshake(api, trusting) as connection:
        assert connection.selected_alpn_protocol() == "h2"


def test_curl_opens_an_api(cloud: Running, api: str) -> None:
    """Over HTTP/2, when this curl has it."""
    answer = subprocess.run(
        ["curl", "-sS", "--cacert", cloud.state.ca_bundle, "-w", "%{http_code}", f"{api}/nothing"],
        capture_output=True, text=True, check=True, timeout=10,
    )  # fmt: skip

    assert answer.stdout == '{"message":"Not Found"}404'


def test_a_deleted_api_closes_its_port(cloud: Running) -> None:
    gateway = cloud.client("apigatewayv2")
    made = gateway.create_api(Name=unique("api"), ProtocolType="HTTP")
    endpoint = gateway.get_api(ApiId=made["ApiId"])["ApiEndpoint"]
    socket.create_connection(address(endpoint), timeout=5).close()

    gateway.delete_api(ApiId=made["ApiId"])

    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address(endpoint), timeout=5)


def test_a_silent_client_disturbs_no_other(cloud: Running) -> None:
    """A browser opens connections ahead of need; they must not hold up the next one."""
    silent = [socket.create_connection(address(cloud.state.endpoint), timeout=5) for _ in range(20)]
    try:
        health = f"{cloud.state.endpoint}/_ministack/health"
        assert requests.get(health, verify=cloud.state.ca_bundle, timeout=2).status_code == 200
    finally:
        for connection in silent:
            connection.close()
