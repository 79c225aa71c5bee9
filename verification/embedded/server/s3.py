"""Overlay: GetBucketPolicyStatus, which MiniStack authorizes and then answers with a listing.

Source: Amazon S3 API reference, "GetBucketPolicyStatus"; what counts as public is MiniStack's own reading of
the user guide's "The meaning of public", the same by which it blocks public policies.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from ministack.services import s3

from verification.embedded.server import require
from verification.embedded.server.context import Context

require(s3, "_bucket_policies", "_get_bucket_policy", "_list_objects_v1", "_policy_is_public")

_NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"


def install(_context: Context) -> None:
    """Answer `GET /bucket?policyStatus`."""
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

    s3._list_objects_v1 = list_or_status
