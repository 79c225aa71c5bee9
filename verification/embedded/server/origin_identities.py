"""Overlay: origin access identities, which MiniStack makes by CloudFormation and knows nothing of afterwards.

A bucket's policy names one by its canonical user or by its ARN. S3 keeps the ARN whichever was given, so the same fetch is
allowed for both, and a reader of the policy sees the ARN.

Source: CloudFront API reference, "CreateCloudFrontOriginAccessIdentity" and its siblings; CloudFront Developer Guide, "Use an
origin access identity"; Amazon S3 User Guide, "Principals for bucket policies"; HashiCorp's AWS provider,
aws_cloudfront_origin_access_identity, on S3's translation.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any
from xml.etree.ElementTree import SubElement

from ministack.core.responses import AccountScopedDict, get_account_id, new_uuid
from ministack.services import cloudfront, s3
from ministack.services.cloudformation import provisioners

from verification.embedded.server import require
from verification.embedded.server.cloudformation import hooks
from verification.embedded.server.context import Context
from verification.embedded.server.s3 import IDENTITY_ARN

require(
    cloudfront,
    "_create_distribution",
    "_dist_config_el",
    "_dist_id",
    "_distributions",
    "_error",
    "_find",
    "_parse_body",
    "_text",
    "_unwrap_distribution_create_xml",
    "_update_distribution",
    "_xml_response",
    "handle_request",
    "parse_distribution_dataplane_config",
)
require(provisioners, "_cf_distribution_config", "_cf_oai_attributes")
require(s3, "_bucket_policies", "_canonical_owner_id", "_error", "_put_bucket_policy")

IDENTITY = "AWS::CloudFront::CloudFrontOriginAccessIdentity"
POLICY = "AWS::S3::BucketPolicy"
PATH = re.compile(r"^/2020-05-31/origin-access-identity/cloudfront(?:/([A-Z0-9]+)(/config)?)?/?$")
Answer = tuple[int, dict[str, str], bytes]


@dataclass(frozen=True)
class Identity:
    """One origin access identity."""

    id: str
    comment: str
    caller_reference: str
    etag: str = field(default_factory=new_uuid)

    @property
    def canonical_user(self) -> str:
        """The user that S3 knows it as."""
        return str(provisioners._cf_oai_attributes(self.id)["S3CanonicalUserId"])


_identities: Any = AccountScopedDict()


def install(_context: Context) -> None:
    """Lay the overlay over MiniStack's CloudFront, CloudFormation and S3."""
    hooks.after(IDENTITY, settle)
    hooks.before_delete(IDENTITY, forget)
    hooks.after(POLICY, settle_policy)
    handle, put = cloudfront.handle_request, s3._put_bucket_policy
    render = provisioners._cf_distribution_config
    create, update = cloudfront._create_distribution, cloudfront._update_distribution

    async def handle_request(
        method: str, path: str, headers: dict[str, str], body: bytes, query_params: Any
    ) -> Any:
        found = PATH.match(path)
        if found is None:
            return await handle(method, path, headers, body, query_params)
        return serve(method, found[1], headers, body, of_configuration=found[2] is not None)

    def put_bucket_policy(name: str, body: bytes) -> Any:
        try:
            translated = translate(body)
        except ValueError as problem:
            return s3._error("MalformedPolicy", str(problem), HTTPStatus.BAD_REQUEST)
        return put(name, translated)

    def configuration(properties: dict[str, Any], caller_reference: str) -> Any:
        element = render(properties, caller_reference)
        if unknown := unknown_identity(element):
            raise ValueError(f"InvalidOriginAccessIdentity: {unknown}")
        return element

    def create_distribution(headers: dict[str, str], body: bytes) -> Any:
        element, _tags = cloudfront._unwrap_distribution_create_xml(cloudfront._parse_body(body))
        return _refused(element) or create(headers, body)

    def update_distribution(distribution_id: str, headers: dict[str, str], body: bytes) -> Any:
        return _refused(cloudfront._parse_body(body)) or update(distribution_id, headers, body)

    cloudfront.handle_request = handle_request
    cloudfront._create_distribution = create_distribution
    cloudfront._update_distribution = update_distribution
    provisioners._cf_distribution_config = configuration
    s3._put_bucket_policy = put_bucket_policy


def reset() -> None:
    """Forget every identity."""
    _identities.clear()


def settle(physical_id: str, new: hooks.Properties, _old: hooks.Properties, _made: hooks.Attributes) -> None:
    """Keep what a template declares."""
    comment = str(new["CloudFrontOriginAccessIdentityConfig"].get("Comment", ""))
    known = _identities.get(physical_id)
    reference = known.caller_reference if known else new_uuid()
    _identities[physical_id] = Identity(physical_id, comment, reference)


def forget(physical_id: str, _properties: hooks.Properties) -> None:
    """Delete an identity, unless a distribution uses it."""
    if user := user_of(physical_id):
        raise ValueError(f"CloudFrontOriginAccessIdentityInUse: distribution {user} uses {physical_id}")
    _identities.pop(physical_id, None)


def settle_policy(
    _physical_id: str, new: hooks.Properties, _old: hooks.Properties, _made: hooks.Attributes
) -> None:
    """Have S3 itself take the policy of a template: it may refuse it, and it translates principals."""
    bucket = new["Bucket"]
    document = s3._bucket_policies.get(bucket)
    if document:
        hooks.accepted(s3._put_bucket_policy(bucket, str(document).encode()), POLICY)


def translate(document: bytes) -> bytes:
    """Return a bucket policy with ARNs in the place of canonical users.

    Raises:
        ValueError: it names a canonical user that does not exist.
    """
    try:
        policy = json.loads(document)
    except ValueError:
        return document  # for MiniStack to refuse
    statements = policy.get("Statement") if isinstance(policy, dict) else None
    if b"CanonicalUser" not in document or statements is None:
        return document
    users = {one.canonical_user: IDENTITY_ARN.format(one.id) for one in _identities.values()}
    users[s3._canonical_owner_id()] = f"arn:aws:iam::{get_account_id()}:root"
    for statement in statements if isinstance(statements, list) else [statements]:
        for member in ("Principal", "NotPrincipal"):
            principal = statement.get(member)
            if isinstance(principal, dict) and "CanonicalUser" in principal:
                statement[member] = _with_arns(principal, users)
    return json.dumps(policy).encode()


def _with_arns(principal: Mapping[str, Any], users: Mapping[str, str]) -> dict[str, Any]:
    named = [*_listed(principal.get("AWS", []))]
    for user in _listed(principal["CanonicalUser"]):
        if user not in users:
            raise ValueError("Invalid principal in policy")
        named.append(users[user])
    others = {kind: value for kind, value in principal.items() if kind not in ("AWS", "CanonicalUser")}
    return {**others, "AWS": named[0] if len(named) == 1 else named}


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def unknown_identity(configuration: Any) -> str | None:
    """Return CloudFront's complaint about an origin whose identity does not exist, or None."""
    origins = cloudfront._find(configuration, "Origins") if configuration is not None else None
    items = cloudfront._find(origins, "Items") if origins is not None else None
    for item in items if items is not None else ():
        bucket = cloudfront._find(item, "S3OriginConfig")
        named = (cloudfront._text(bucket, "OriginAccessIdentity") or "") if bucket is not None else ""
        if named and named.rpartition("/")[2] not in _identities:
            return f"The origin access identity {named} is not valid or doesn't exist."
    return None


def _refused(configuration: Any) -> Any:
    unknown = unknown_identity(configuration)
    return (
        cloudfront._error("InvalidOriginAccessIdentity", unknown, HTTPStatus.BAD_REQUEST) if unknown else None
    )


def user_of(identity_id: str) -> str | None:
    """Return the id of a distribution that uses an identity."""
    for one in cloudfront._distributions.values():
        origins = cloudfront.parse_distribution_dataplane_config(one)["origins"].values()
        if any(origin["oai_id"] == identity_id for origin in origins):
            return str(one["Id"])
    return None


def serve(
    method: str,
    identity_id: str | None,
    headers: Mapping[str, str],
    body: bytes,
    *,
    of_configuration: bool,
) -> Answer:
    """Answer one of the API's operations on identities."""
    if identity_id is None:
        return create(body) if method == "POST" else listing()
    known = _identities.get(identity_id)
    if known is None:
        message = "The specified origin access identity does not exist."
        return _error("NoSuchCloudFrontOriginAccessIdentity", message, HTTPStatus.NOT_FOUND)
    if method == "GET":
        return (
            _answer("CloudFrontOriginAccessIdentityConfig", known, configuration=True)
            if of_configuration
            else _answer("CloudFrontOriginAccessIdentity", known)
        )
    asked = {name.lower(): value for name, value in headers.items()}.get("if-match")
    if asked is None:
        return _error("InvalidIfMatchVersion", "The If-Match version is missing.", HTTPStatus.BAD_REQUEST)
    if asked != known.etag:
        return _error("PreconditionFailed", "The precondition failed.", HTTPStatus.PRECONDITION_FAILED)
    return _update(known, body) if method == "PUT" else _delete(known)


def create(body: bytes) -> Answer:
    """Create an identity, or return the one that the same caller reference made."""
    element = cloudfront._parse_body(body)
    if element is None:
        return _error("MalformedXML", "The XML document is malformed.", HTTPStatus.BAD_REQUEST)
    reference = cloudfront._text(element, "CallerReference") or ""
    comment = cloudfront._text(element, "Comment") or ""
    for known in _identities.values():
        if known.caller_reference == reference:
            if known.comment == comment:
                return _answer("CloudFrontOriginAccessIdentity", known, status=HTTPStatus.CREATED)
            message = "The caller reference is used by another origin access identity."
            return _error("CloudFrontOriginAccessIdentityAlreadyExists", message, HTTPStatus.CONFLICT)
    made = Identity(cloudfront._dist_id(), comment, reference)
    _identities[made.id] = made
    return _answer("CloudFrontOriginAccessIdentity", made, status=HTTPStatus.CREATED)


def listing() -> Answer:
    """List the identities."""
    known = list(_identities.values())

    def build(root: Any) -> None:
        for name, value in (
            ("Marker", ""),
            ("MaxItems", "100"),
            ("IsTruncated", "false"),
            ("Quantity", len(known)),
        ):
            SubElement(root, name).text = str(value)
        items = SubElement(root, "Items") if known else root
        for one in known:
            summary = SubElement(items, "CloudFrontOriginAccessIdentitySummary")
            SubElement(summary, "Id").text = one.id
            SubElement(summary, "S3CanonicalUserId").text = one.canonical_user
            SubElement(summary, "Comment").text = one.comment

    answer: Answer = cloudfront._xml_response("CloudFrontOriginAccessIdentityList", build)
    return answer


def _update(known: Identity, body: bytes) -> Answer:
    element = cloudfront._parse_body(body)
    if element is None:
        return _error("MalformedXML", "The XML document is malformed.", HTTPStatus.BAD_REQUEST)
    changed = replace(known, comment=cloudfront._text(element, "Comment") or "", etag=new_uuid())
    _identities[known.id] = changed
    return _answer("CloudFrontOriginAccessIdentity", changed)


def _delete(known: Identity) -> Answer:
    if user_of(known.id):
        message = "The origin access identity is in use by a distribution."
        return _error("CloudFrontOriginAccessIdentityInUse", message, HTTPStatus.CONFLICT)
    del _identities[known.id]
    return HTTPStatus.NO_CONTENT, {}, b""


def _answer(
    root_tag: str, known: Identity, *, configuration: bool = False, status: HTTPStatus = HTTPStatus.OK
) -> Answer:
    def build(root: Any) -> None:
        target = root
        if not configuration:
            SubElement(root, "Id").text = known.id
            SubElement(root, "S3CanonicalUserId").text = known.canonical_user
            target = SubElement(root, "CloudFrontOriginAccessIdentityConfig")
        SubElement(target, "CallerReference").text = known.caller_reference
        SubElement(target, "Comment").text = known.comment

    answer: Answer = cloudfront._xml_response(
        root_tag, build, status=status.value, extra_headers={"ETag": known.etag}
    )
    return answer


def _error(code: str, message: str, status: HTTPStatus) -> Answer:
    answer: Answer = cloudfront._error(code, message, status.value)
    return answer
