"""A certificate authority and one leaf for each cloud, so that every client can verify TLS as it does against AWS."""

from __future__ import annotations

import datetime as dt
import ipaddress
import os
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LIFETIME = dt.timedelta(days=30)
CLOCK_SKEW = dt.timedelta(minutes=5)

ADDRESS = ipaddress.ip_address("127.0.0.1")
LOCAL_NAMES = ("localhost", "*.cloudfront.net", "*.execute-api.localhost")
# A domain of the account's own, below a top level that is reserved for tests (RFC 6761).
DOMAIN = "pixel-prompt.test"


@dataclass(frozen=True)
class Certificates:
    """Where a cloud's certificates lie.

    Attributes:
        authority: the CA alone, PEM.
        bundle: the system's roots and the CA, PEM; what a client is given to trust.
        chain: the leaf and its CA, PEM.
        key: the leaf's private key, mode 600. The CA's key is never written.
        domain_chain: the certificate of DOMAIN's names and its CA, PEM.
        domain_key: its private key, mode 600.
    """

    authority: Path
    bundle: Path
    chain: Path
    key: Path
    domain_chain: Path
    domain_key: Path

    def server_context(self, *protocols: str) -> ssl.SSLContext:
        """Return a TLS 1.2+ server context that offers `protocols` by ALPN."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(self.chain, self.key)
        context.set_alpn_protocols(list(protocols))
        return context


def issue(directory: Path, vendor_hosts: Sequence[str]) -> Certificates:
    """Make a new CA and its leaves in `directory`: one for loopback and `vendor_hosts`, one for DOMAIN's names.

    The CA may sign for the leaves' names and nothing else, and its key dies with this call: a client
    that trusts the bundle trusts it for loopback, the vendors' names and a reserved domain only.
    """
    now = dt.datetime.now(dt.UTC)
    authority_key = ec.generate_private_key(ec.SECP256R1())
    issuer = _name("Embedded AWS test authority")
    names = [*LOCAL_NAMES, *vendor_hosts]
    of_domain = [f"*.{DOMAIN}", DOMAIN]

    authority = (
        _builder(issuer, issuer, authority_key.public_key(), now)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
        .add_extension(
            x509.NameConstraints(
                permitted_subtrees=[
                    *(x509.DNSName(name.removeprefix("*.")) for name in [*names, DOMAIN]),
                    x509.IPAddress(ipaddress.ip_network("127.0.0.0/8")),
                ],
                excluded_subtrees=None,
            ),
            critical=True,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(authority_key.public_key()), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    made = Certificates(
        authority=directory / "ca.pem",
        bundle=directory / "ca-bundle.pem",
        chain=directory / "leaf.pem",
        key=directory / "leaf.key",
        domain_chain=directory / "domain.pem",
        domain_key=directory / "domain.key",
    )
    authority_pem = authority.public_bytes(serialization.Encoding.PEM)
    made.authority.write_bytes(authority_pem)
    made.bundle.write_bytes(_system_roots() + authority_pem)
    loopback = [*map(x509.DNSName, names), x509.IPAddress(ADDRESS)]
    for chain, key, common_name, alternatives in (
        (made.chain, made.key, "Embedded AWS", loopback),
        (made.domain_chain, made.domain_key, of_domain[0], [*map(x509.DNSName, of_domain)]),
    ):
        leaf_key = ec.generate_private_key(ec.SECP256R1())
        leaf = (
            _builder(_name(common_name), issuer, leaf_key.public_key(), now)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False
            )
            .sign(authority_key, hashes.SHA256())
        )
        chain.write_bytes(leaf.public_bytes(serialization.Encoding.PEM) + authority_pem)
        _write_private(
            key,
            leaf_key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            ),
        )
    return made


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: dt.datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCK_SKEW)
        .not_valid_after(now + LIFETIME)
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _system_roots() -> bytes:
    """Return the roots that this machine trusts, PEM; empty where it keeps them elsewhere than in files."""
    context = ssl.create_default_context()
    roots = (ssl.DER_cert_to_PEM_cert(der) for der in context.get_ca_certs(binary_form=True))
    return "".join(sorted(roots)).encode()


def _write_private(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
