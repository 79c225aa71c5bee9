"""Overlay: GetBucketPolicyStatus, which MiniStack answers with a listing, and a distribution's 404 for what is absent.

Source: Amazon S3 API reference, "GetBucketPolicyStatus" and "GetObject" (which error an absent object gives depends
on s3:ListBucket); what counts as public is MiniStack's own reading of the user guide's "The meaning of public", the
same by which it blocks public policies.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from ministack.core import iam_evaluator
from ministack.core.responses import get_account_id, get_region
from ministack.services import s3

from verification.embedded.server import require
from verification.embedded.server.context import Context

require(iam_evaluator, "EvalContext", "evaluate_resource_policy")
require(
    s3,
    "_bucket_owner_account",
    "_bucket_policies",
    "_buckets",
    "_cloudfront_origin_allows",
    "_error",
    "_get_bucket_policy",
    "_list_objects_v1",
    "_policy_is_public",
    "serve_cloudfront_origin_fetch",
)

# The user as which an origin access identity asks.
IDENTITY_ARN = "arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity {}"
_NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"


def install(_context: Context) -> None:
    """Answer `GET /bucket?policyStatus`, and a distribution that may list its bucket with 404."""
    fetch = s3.serve_cloudfront_origin_fetch
    listing = s3._list_objects_v1

    def list_or_status(bucket: str, query_params: Mapping[str, Any]) -> tuple[int, dict[str, str], Any]:
        if "policyStatus" not in query_params:
            answer: tuple[int, dict[str, str], Any] = listing(bucket, query_params)
            return answer
        found: tuple[int, dict[str, str], Any] = s3._get_bucket_policy(bucket)
        if found[0] != HTTPStatus.OK:
            return found
        public = str(s3._policy_is_public(s3._bucket_policies[bucket])).lower()
        body = f'<PolicyStatus xmlns="{_NAMESPACE}"><IsPublic>{public}</IsPublic></PolicyStatus>'
        return HTTPStatus.OK, {"Content-Type": "application/xml"}, body.encode()

    def fetch_or_not_found(
        bucket: str, key: str, method: str, headers: Any, source_arn: str = "", oai_id: str = ""
    ) -> Any:
        answer = fetch(bucket, key, method, headers, source_arn=source_arn, oai_id=oai_id)
        if answer[0] != HTTPStatus.FORBIDDEN or not _may_report_absence(bucket, key, source_arn, oai_id):
            return answer
        return s3._error("NoSuchKey", "The specified key does not exist.", HTTPStatus.NOT_FOUND)

    s3._list_objects_v1 = list_or_status
    s3.serve_cloudfront_origin_fetch = fetch_or_not_found


def _may_report_absence(bucket: str, key: str, distribution_arn: str, identity_id: str) -> bool:
    """Return whether the object is not there, and the distribution could both read it and list the bucket."""
    owner = s3._bucket_owner_account(bucket) or get_account_id()
    policy = s3._bucket_policies.get_scoped(owner, None, bucket)
    held = s3._buckets[bucket]["objects"]
    if key in held or not policy or not (distribution_arn or identity_id):
        return False
    if not s3._cloudfront_origin_allows(owner, bucket, key, distribution_arn, identity_id):
        return False
    asked = iam_evaluator.EvalContext(
        principal_arn=IDENTITY_ARN.format(identity_id) if identity_id else "*",
        principal_type="User" if identity_id else "Service",
        principal_account="",
        action="s3:ListBucket",
        resource_arn=f"arn:aws:s3:::{bucket}",
        region=get_region(),
        service_context={"aws:sourcearn": distribution_arn} if distribution_arn else {},
    )
    service = None if identity_id else "cloudfront.amazonaws.com"
    judged = iam_evaluator.evaluate_resource_policy(policy, asked, service=service)
    return bool(judged.decision == "Allow")
