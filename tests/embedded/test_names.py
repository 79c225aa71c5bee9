"""Alternate domain names: with which certificate a distribution takes them, and how their port serves them."""

from __future__ import annotations

import datetime as dt
import http.client
import socket
import ssl
import subprocess
import warnings
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.embedded.conftest import Running, unique
from verification.embedded.cloud import ROOT

pytestmark = [pytest.mark.embedded, pytest.mark.xdist_group("embedded")]

OLD = ssl.TLSVersion.TLSv1


@pytest.fixture(scope="module")
def arn(cloud: Running) -> str:
    """The domain's certificate, imported as `cloud.sh certificate` does it."""
    return str(cloud.cloud.certificate("some")["CdnCertificateArn"])


@pytest.fixture
def made(cloud: Running) -> Iterator[list[str]]:
    """Distributions to be deleted in the end, by id."""
    ids: list[str] = []
    yield ids
    client = cloud.client("cloudfront")
    for id_ in ids:
        found = client.get_distribution_config(Id=id_)
        off = {**found["DistributionConfig"], "Enabled": False}
        tag = client.update_distribution(Id=id_, IfMatch=found["ETag"], DistributionConfig=off)["ETag"]
        client.delete_distribution(Id=id_, IfMatch=tag)


def name_of(cloud: Running, first: str) -> str:
    return f"{first}.{cloud.state.names.partition('=')[0]}"


def configuration(bucket: str, alias: str | None, certificate: dict[str, Any]) -> dict[str, Any]:
    return {
        "CallerReference": unique("reference"),
        "Comment": "",
        "Enabled": True,
        **({"Aliases": {"Quantity": 1, "Items": [alias]}} if alias else {}),
        "ViewerCertificate": certificate,
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


def own(arn: str, least: str = "TLSv1.2_2021") -> dict[str, Any]:
    return {"ACMCertificateArn": arn, "SSLSupportMethod": "sni-only", "MinimumProtocolVersion": least}


def distribution(
    cloud: Running, made: list[str], alias: str | None, certificate: dict[str, Any]
) -> dict[str, Any]:
    bucket = unique("bucket")
    cloud.client("s3").create_bucket(Bucket=bucket)
    wanted = configuration(bucket, alias, certificate)
    answer: dict[str, Any] = cloud.client("cloudfront").create_distribution(DistributionConfig=wanted)
    made.append(answer["Distribution"]["Id"])
    return answer


def met(cloud: Running, name: str, version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_2) -> list[str]:
    """The names in the certificate that a viewer gets who asks for a name in one version of TLS."""
    context = ssl.create_default_context(cafile=cloud.state.ca_bundle)
    context.set_ciphers("DEFAULT@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = version
    with (
        socket.create_connection(("127.0.0.1", port(cloud)), timeout=5) as connection,
        context.wrap_socket(connection, server_hostname=name) as secured,
    ):
        certificate = x509.load_der_x509_certificate(secured.getpeercert(binary_form=True) or b"")
    found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return list(found.get_values_for_type(x509.DNSName))


def port(cloud: Running) -> int:
    return int(cloud.state.names.rpartition(":")[2])


def asked(cloud: Running, url: str) -> tuple[int, str | None]:
    """Status of an answer, and where it sends the viewer on."""
    where = urlsplit(url)
    connection: socket.socket = socket.create_connection(("127.0.0.1", port(cloud)), timeout=5)
    if where.scheme == "https":
        context = ssl.create_default_context(cafile=cloud.state.ca_bundle)
        connection = context.wrap_socket(connection, server_hostname=where.hostname)
    with connection:
        connection.sendall(f"GET {where.path} HTTP/1.1\r\nHost: {where.hostname}\r\n\r\n".encode())
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        answer.read()
        return answer.status, answer.headers["location"]


def test_a_name_is_served_with_its_certificate(cloud: Running, arn: str, made: list[str]) -> None:
    name = name_of(cloud, unique("images"))
    distribution(cloud, made, name, own(arn))

    assert met(cloud, name) == [f"*.{name.partition('.')[2]}", name.partition(".")[2]]
    assert met(cloud, name, ssl.TLSVersion.TLSv1_3)
    assert asked(cloud, f"https://{name}/nothing")[0] == 403  # S3's answer for what is absent
    assert asked(cloud, f"http://{name}/a") == (301, f"https://{name}/a")


@pytest.mark.parametrize(
    ("least", "oldest"),
    [("TLSv1", OLD), ("TLSv1.1_2016", ssl.TLSVersion.TLSv1_1), ("TLSv1.2_2021", ssl.TLSVersion.TLSv1_2)],
)
def test_no_older_tls_is_spoken_than_the_distribution_allows(
    cloud: Running, arn: str, made: list[str], least: str, oldest: ssl.TLSVersion
) -> None:
    name = name_of(cloud, unique("images"))
    distribution(cloud, made, name, own(arn, least))
    spoken = []
    for version in (OLD, ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_2):
        try:
            spoken += [version] if met(cloud, name, version) else []
        except (ssl.SSLError, ConnectionError):
            continue

    assert min(spoken) == oldest


def test_an_unknown_name_is_refused(cloud: Running, arn: str, made: list[str]) -> None:
    name = name_of(cloud, unique("images"))
    with pytest.raises(ssl.SSLCertVerificationError):
        met(cloud, name)
    distribution(cloud, made, name, own(arn))

    assert met(cloud, name)
    assert asked(cloud, f"http://{name_of(cloud, 'nobody')}/")[0] == 403


def test_a_name_goes_with_its_distribution(cloud: Running, arn: str, made: list[str]) -> None:
    name = name_of(cloud, unique("images"))
    first = distribution(cloud, made, name, own(arn))
    with pytest.raises(ClientError, match="CNAMEAlreadyExists"):
        distribution(cloud, made, name, own(arn))
    wanted = first["Distribution"]["DistributionConfig"]
    without = {**wanted, "Aliases": {"Quantity": 0}}
    cloud.client("cloudfront").update_distribution(
        Id=first["Distribution"]["Id"], IfMatch=first["ETag"], DistributionConfig=without
    )

    distribution(cloud, made, name, own(arn))

    assert met(cloud, name)


UNFIT = {
    "must attach a trusted certificate": ("images", {"CloudFrontDefaultCertificate": True}),
    "doesn't cover the alternate domain name": ("a.images", None),
    "doesn't exist, isn't in us-east-1": (
        "images",
        own("arn:aws:acm:us-east-1:123456789012:certificate/none"),
    ),
}


@pytest.mark.parametrize("message", UNFIT)
def test_a_name_needs_a_certificate_that_covers_it(
    cloud: Running, arn: str, made: list[str], message: str
) -> None:
    first, certificate = UNFIT[message]
    with pytest.raises(ClientError, match=message) as refused:
        distribution(cloud, made, name_of(cloud, first), certificate or own(arn))

    assert refused.value.response["Error"]["Code"] == "InvalidViewerCertificate"


def test_acm_reads_what_is_imported(cloud: Running, arn: str) -> None:
    found = cloud.client("acm").describe_certificate(CertificateArn=arn)["Certificate"]

    domain = cloud.state.names.partition("=")[0]
    assert (found["DomainName"], found["Type"]) == (f"*.{domain}", "IMPORTED")
    assert found["SubjectAlternativeNames"] == [f"*.{domain}", domain]
    assert found["NotBefore"] < dt.datetime.now(dt.UTC) < found["NotAfter"]


def test_acm_takes_no_other_key_and_nothing_that_it_cannot_read(cloud: Running) -> None:
    chain = (cloud.cloud.directory / "domain.pem").read_bytes()
    other = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    client = cloud.client("acm")

    with pytest.raises(ClientError, match="does not match the certificate"):
        client.import_certificate(Certificate=chain, PrivateKey=other)
    with pytest.raises(ClientError, match="not valid PEM"):
        client.import_certificate(Certificate=b"none", PrivateKey=other)


def test_a_certificate_of_ones_own_is_served(cloud: Running, made: list[str]) -> None:
    """Whoever rehearses with a domain of his own imports that domain's certificate."""
    key, now = ec.generate_private_key(ec.SECP256R1()), dt.datetime.now(dt.UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "pictures.example")])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("pictures.example")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    arn = cloud.client("acm").import_certificate(
        Certificate=pem,
        PrivateKey=key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ),
    )["CertificateArn"]

    distribution(cloud, made, "pictures.example", own(arn))

    context = ssl.create_default_context(cadata=pem.decode())
    with (
        socket.create_connection(("127.0.0.1", port(cloud)), timeout=5) as connection,
        context.wrap_socket(connection, server_hostname="pictures.example") as secured,
    ):
        assert secured.getpeercert(binary_form=True) == certificate.public_bytes(serialization.Encoding.DER)


def test_the_shell_line_is_the_same_a_second_time(cloud: Running) -> None:
    def said(*arguments: str) -> tuple[int, str, str]:
        ended = subprocess.run(
            [str(ROOT / "scripts" / "cloud.sh"), "certificate", *arguments, "--name", cloud.cloud.name],
            capture_output=True,
            text=True,
            check=False,
        )
        return ended.returncode, ended.stdout, ended.stderr

    domain = cloud.state.names.partition("=")[0]
    status, line, _ = said("staging")

    assert status == 0
    assert line.startswith(
        f"export PARAMETERS_STAGING='AlarmEmail=alarms@{domain} CdnDomainName=staging-images.{domain} CdnCertificateArn=arn:"
    )
    assert f" SiteDomainName=staging-app.{domain} " in line
    assert said("staging") == (0, line, "")
    assert said("Nobody's") == (
        4,
        "",
        "error: expected an environment's name, found \"Nobody's\"; environments.toml declares them\n",
    )
