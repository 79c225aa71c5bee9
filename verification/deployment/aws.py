"""AWS as the deployer sees it: the environment's own account and endpoint, without what keeps a verification from writing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, overload

import boto3
from botocore.config import Config

from readiness.environment import Environment

if TYPE_CHECKING:
    from botocore.client import BaseClient
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudfront import CloudFrontClient
    from mypy_boto3_s3 import S3Client


@overload
def client(
    environment: Environment, service: Literal["cloudformation"], region: str | None = None
) -> CloudFormationClient: ...
@overload
def client(
    environment: Environment, service: Literal["cloudfront"], region: str | None = None
) -> CloudFrontClient: ...
@overload
def client(environment: Environment, service: Literal["s3"], region: str | None = None) -> S3Client: ...
@overload
def client(environment: Environment, service: str, region: str | None = None) -> BaseClient: ...
def client(environment: Environment, service: str, region: str | None = None) -> Any:
    """A client that prod's guard does not block; the caller must have consent.

    Args:
        environment: where.
        service: AWS's name for the service, as boto3 knows it.
        region: where, the environment's own by default.
    """
    session: boto3.Session = environment.session
    return session.client(
        service,  # type: ignore[call-overload]
        region_name=region or environment.region,
        endpoint_url=environment.endpoint_url,
        verify=environment.ca_bundle,
        config=Config(connect_timeout=5, retries={"mode": "standard"}, tcp_keepalive=True),
    )
