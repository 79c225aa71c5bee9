"""Overlay: alternate domain names of distributions, with the certificates that were imported for them.

CloudFront's edges serve every distribution at the same addresses, and tell them apart by the name that a viewer asks
for. One loopback port does that here for all names: it presents the certificate of the distribution whose name it is,
speaks no older TLS than that distribution allows, and passes the request on to it. MiniStack stores alternate domain
names without looking at them, and takes a certificate without reading it.

Source: CloudFront Developer Guide, "Requirements for using alternate domain names", "Supported protocols and ciphers
between viewers and CloudFront"; ACM API reference, "ImportCertificate".
"""

from __future__ import annotations

import hashlib
import ssl
import tempfile
from collections.abc import Iterable
from http import HTTPStatus
from pathlib import Path
from typing import Any

import ministack.core.responses
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from ministack.core.responses import request_scope
from ministack.services import acm, cloudfront
from ministack.services.cloudformation import provisioners

from verification.embedded.server import require
from verification.embedded.server.context import App, Context, Receive, Scope, Send, read_body

require(acm, "_certificates", "_decode_pem_field", "_import_certificate")
require(
    cloudfront,
    "_create_distribution",
    "_dist_config_el",
    "_distributions",
    "_domain_owners",
    "_error",
    "_find",
    "_get_distribution_aliases",
    "_parse_body",
    "_text",
    "_unwrap_distribution_create_xml",
    "_update_distribution",
)
require(ministack.core.responses, "error_response_json")
require(provisioners, "_cf_distribution_config")

# Where CloudFront looks for certificates, whatever region a stack is in.
CERTIFICATES_REGION = "us-east-1"
NO_CERTIFICATE = (
    "To add an alternate domain name (CNAME) to a CloudFront distribution, you must attach a trusted certificate that "
    "validates your authorization to use the domain name."
)
UNKNOWN_CERTIFICATE = (
    "The specified SSL certificate doesn't exist, isn't in us-east-1 region, isn't valid, or doesn't include a valid "
    "certificate chain."
)
NOT_COVERED = (
    "The certificate that is attached to your distribution doesn't cover the alternate domain name (CNAME) that you're "
    "trying to add: {}."
)
TAKEN = "One or more of the CNAMEs you provided are already associated with a different resource: {}."

_contexts: dict[str, ssl.SSLContext] = {}


def install(context: Context) -> None:
    """Lay the overlay over MiniStack's ACM and CloudFront."""
    render = provisioners._cf_distribution_config
    create, update = cloudfront._create_distribution, cloudfront._update_distribution
    take = acm._import_certificate

    def configuration(properties: dict[str, Any], caller_reference: str) -> Any:
        element = render(properties, caller_reference)
        if refused := refusal(element, _id_of(caller_reference), context.account_id):
            raise ValueError("{}: {}".format(*refused[:2]))
        return element

    def create_distribution(headers: dict[str, str], body: bytes) -> Any:
        element, _tags = cloudfront._unwrap_distribution_create_xml(cloudfront._parse_body(body))
        mine = _id_of(cloudfront._text(element, "CallerReference")) if element is not None else None
        refused = refusal(element, mine, context.account_id)
        return cloudfront._error(*refused) if refused else create(headers, body)

    def update_distribution(distribution_id: str, headers: dict[str, str], body: bytes) -> Any:
        refused = refusal(cloudfront._parse_body(body), distribution_id, context.account_id)
        return cloudfront._error(*refused) if refused else update(distribution_id, headers, body)

    def import_certificate(data: dict[str, Any]) -> Any:
        try:
            facts = read(*(acm._decode_pem_field(data.get(name)) for name in ("Certificate", "PrivateKey")))
        except ValueError as problem:
            return ministack.core.responses.error_response_json("ValidationException", str(problem), 400)
        answer = take(data)
        if answer[0] < HTTPStatus.BAD_REQUEST:
            arn = data.get("CertificateArn") or next(reversed(list(acm._certificates)))
            acm._certificates[arn] |= facts
        return answer

    provisioners._cf_distribution_config = configuration
    cloudfront._create_distribution = create_distribution
    cloudfront._update_distribution = update_distribution
    acm._import_certificate = import_certificate


def read(certificate: str, key: str) -> dict[str, Any]:
    """Return what ACM tells of a certificate once it has read it.

    Raises:
        ValueError: it is none, or the key is not its own.
    """
    try:
        parsed = x509.load_pem_x509_certificate(certificate.encode())
        private = serialization.load_pem_private_key(key.encode(), None)
    except (TypeError, ValueError) as problem:
        raise ValueError("The certificate or its private key is not valid PEM.") from problem
    if private.public_key() != parsed.public_key():
        raise ValueError("The private key does not match the certificate.")
    try:
        names = parsed.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        listed = []
    else:
        listed = names.get_values_for_type(x509.DNSName)
    common = [str(name.value) for name in parsed.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)]
    return {
        "DomainName": (common or listed or [""])[0],
        "SubjectAlternativeNames": listed or common,
        "NotBefore": parsed.not_valid_before_utc.timestamp(),
        "NotAfter": parsed.not_valid_after_utc.timestamp(),
    }


def refusal(configuration: Any, own_id: str | None, account_id: str) -> tuple[str, str, int] | None:
    """Return why CloudFront would not take a configuration: code, message and status; None: nothing speaks against it.

    Args:
        configuration: the DistributionConfig element; what cannot be read is for MiniStack to refuse.
        own_id: the distribution that it is for, None for a new one.
        account_id: whose certificates count.
    """
    if configuration is None:
        return None
    arn, aliases = _certificate_arn(configuration), _aliases(configuration)
    bad = HTTPStatus.BAD_REQUEST.value
    with request_scope(account_id, CERTIFICATES_REGION):
        certificate = acm._certificates.get(arn) if arn else None
        if arn and certificate is None:
            return "InvalidViewerCertificate", UNKNOWN_CERTIFICATE, bad
        if aliases and certificate is None:
            return "InvalidViewerCertificate", NO_CERTIFICATE, bad
        for alias in aliases:
            if certificate and not covers(certificate["SubjectAlternativeNames"], alias):
                return "InvalidViewerCertificate", NOT_COVERED.format(alias), bad
            if any(owner != own_id for _, owner in cloudfront._domain_owners(alias)):
                return "CNAMEAlreadyExists", TAKEN.format(alias), HTTPStatus.CONFLICT.value
    return None


def covers(names: Iterable[str], wanted: str) -> bool:
    """Return whether one of the names is the wanted one, or its wildcard: a star matches exactly one label."""
    wild = f"*.{wanted.partition('.')[2]}"
    return any(name.lower() in (wanted.lower(), wild.lower()) for name in names)


class Names:
    """ASGI middleware of the port for all names, and the TLS of each."""

    def __init__(self, app: App, context: Context) -> None:
        self._app = app
        self._context = context

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on as one to the distribution whose name it is."""
        if scope["type"] == "http":
            name = next((value for key, value in scope["headers"] if key.lower() == b"host"), b"")
            asked = name.decode("latin-1").partition(":")[0].lower()
            host = self._host_of(asked)
            if host is None:
                await read_body(receive)
                await send({"type": "http.response.start", "status": 403, "headers": []})
                await send(
                    {"type": "http.response.body", "body": b"Bad request: no distribution has this name"}
                )
                return
            headers = [pair for pair in scope["headers"] if pair[0].lower() != b"host"]
            scope = {**scope, "headers": [*headers, (b"host", host.encode())], "alternate_name": asked}
        await self._app(scope, receive, send)

    def tls(self, name: str) -> ssl.SSLContext | None:
        """Return what a viewer who asks for `name` is met with; None where no distribution has it."""
        with request_scope(self._context.account_id, CERTIFICATES_REGION):
            distribution = _named(name)
            if distribution is None:
                return None
            configuration = cloudfront._dist_config_el(distribution)
            certificate = acm._certificates.get(_certificate_arn(configuration))
            if certificate is None:
                return None
            least = _least(cloudfront._text(_viewer_certificate(configuration), "MinimumProtocolVersion"))
            chain = f"{certificate['_pem_body']}\n{certificate['_pem_chain']}"
            return self._made(chain, certificate["_private_key"], least)

    def _made(self, chain: str, key: str, least: ssl.TLSVersion) -> ssl.SSLContext:
        mark = hashlib.sha256(f"{chain}{key}{least}".encode()).hexdigest()
        if mark not in _contexts:
            made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            made.minimum_version = least
            if least < ssl.TLSVersion.TLSv1_2:
                # OpenSSL itself keeps servers from those versions otherwise.
                made.set_ciphers("DEFAULT@SECLEVEL=0")
            made.set_alpn_protocols(["h2", "http/1.1"])
            with tempfile.TemporaryDirectory(dir=self._context.directory / "tmp") as folder:
                file = Path(folder, "both.pem")
                file.write_text(f"{key}\n{chain}")
                made.load_cert_chain(file)
            _contexts[mark] = made
        return _contexts[mark]

    def _host_of(self, name: str) -> str | None:
        with request_scope(self._context.account_id, self._context.region):
            distribution = _named(name)
        return self._context.ports.host_at(distribution["DomainName"]) if distribution else None


def _named(name: str) -> Any:
    """The distribution that has a name; an exact one goes before a wildcard."""
    every = [(one, cloudfront._get_distribution_aliases(one)) for one in cloudfront._distributions.values()]
    exact = [one for one, aliases in every if name.lower() in (alias.lower() for alias in aliases)]
    wild = [one for one, aliases in every if covers(aliases, name)]
    return next(iter([*exact, *wild]), None)


def _id_of(caller_reference: str | None) -> str | None:
    owners = cloudfront._distributions.values()
    return next((one["Id"] for one in owners if one.get("CallerReference") == caller_reference), None)


def _aliases(configuration: Any) -> list[str]:
    found = cloudfront._find(configuration, "Aliases")
    items = cloudfront._find(found, "Items") if found is not None else None
    return [item.text or "" for item in items] if items is not None else []


def _viewer_certificate(configuration: Any) -> Any:
    return cloudfront._find(configuration, "ViewerCertificate")


def _certificate_arn(configuration: Any) -> str:
    found = _viewer_certificate(configuration)
    return str(cloudfront._text(found, "ACMCertificateArn") or "") if found is not None else ""


def _least(policy: str) -> ssl.TLSVersion:
    """The oldest version that a security policy allows, by the beginning of its name."""
    known = {
        "TLSv1.3": ssl.TLSVersion.TLSv1_3,
        "TLSv1.2": ssl.TLSVersion.TLSv1_2,
        "TLSv1.1": ssl.TLSVersion.TLSv1_1,
    }
    return known.get(policy[:7], ssl.TLSVersion.TLSv1)
