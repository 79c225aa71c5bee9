"""verification/embedded/server/origin_identities.py"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.embedded.conftest import Running, unique
from tests.embedded.stacks import Stack, deployed

pytestmark = [pytest.mark.embedded, pytest.mark.xdist_group("embedded")]

ARN = "arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity {}"
TEMPLATE = """
Resources:
  Bucket: {Type: AWS::S3::Bucket}
  Identity:
    Type: AWS::CloudFront::CloudFrontOriginAccessIdentity
    Properties: {CloudFrontOriginAccessIdentityConfig: {Comment: the page}}
  Policy:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: !Ref Bucket
      PolicyDocument:
        Version: "2012-10-17"
        Statement:
          - {Effect: Allow, Principal: {CanonicalUser: !GetAtt Identity.S3CanonicalUserId},
             Action: s3:GetObject, Resource: !Sub "${Bucket.Arn}/open/*"}
  Distribution:
    Type: AWS::CloudFront::Distribution
    Properties:
      DistributionConfig:
        Enabled: true
        Origins:
          - Id: s3
            DomainName: !GetAtt Bucket.RegionalDomainName
            S3OriginConfig: {OriginAccessIdentity: !Sub "origin-access-identity/cloudfront/${Identity}"}
        DefaultCacheBehavior:
          {TargetOriginId: s3, ViewerProtocolPolicy: https-only, CachePolicyId: 4135ea2d-6df8-44a3-9df3-4b5a84be39ad}
Outputs:
  Bucket: {Value: !Ref Bucket}
  Identity: {Value: !Ref Identity}
  User: {Value: !GetAtt Identity.S3CanonicalUserId}
  Domain: {Value: !GetAtt Distribution.DomainName}
"""


@pytest.fixture(scope="module")
def stack(cloud: Running) -> Iterator[Stack]:
    with deployed(cloud, TEMPLATE) as made:
        objects = cloud.client("s3")
        for key in ("open/a", "closed/a"):
            objects.put_object(Bucket=made.outputs["Bucket"], Key=key, Body=b"body")
        yield made
        for key in ("open/a", "closed/a"):
            objects.delete_object(Bucket=made.outputs["Bucket"], Key=key)


def statement(principal: object, bucket: str, action: str = "s3:GetObject") -> dict[str, Any]:
    where = f"arn:aws:s3:::{bucket}"
    resource = where if action == "s3:ListBucket" else f"{where}/open/*"
    return {"Effect": "Allow", "Principal": principal, "Action": action, "Resource": resource}


def put(cloud: Running, bucket: str, *statements: dict[str, Any]) -> None:
    policy = {"Version": "2012-10-17", "Statement": list(statements)}
    cloud.client("s3").put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))


def status(stack: Stack, path: str) -> int:
    return stack.ask("GET", f"https://{stack.outputs['Domain']}{path}").status_code


def test_the_canonical_user_reads_what_the_policy_allows(stack: Stack) -> None:
    assert [status(stack, path) for path in ("/open/a", "/closed/a", "/open/none")] == [200, 403, 403]


def test_s3_shows_the_identitys_arn(cloud: Running, stack: Stack) -> None:
    policy = json.loads(cloud.client("s3").get_bucket_policy(Bucket=stack.outputs["Bucket"])["Policy"])

    assert policy["Statement"][0]["Principal"] == {"AWS": ARN.format(stack.outputs["Identity"])}


def test_a_caller_that_may_list_learns_what_is_absent(cloud: Running, stack: Stack) -> None:
    bucket, principal = stack.outputs["Bucket"], {"CanonicalUser": stack.outputs["User"]}
    try:
        put(cloud, bucket, statement(principal, bucket), statement(principal, bucket, "s3:ListBucket"))

        assert [status(stack, path) for path in ("/open/a", "/open/none")] == [200, 404]
    finally:
        put(cloud, bucket, statement(principal, bucket))


def test_the_account_is_a_canonical_user_too(cloud: Running, stack: Stack) -> None:
    bucket, client = unique("own"), cloud.client("s3")
    client.create_bucket(Bucket=bucket)
    put(cloud, bucket, statement({"CanonicalUser": client.list_buckets()["Owner"]["ID"]}, bucket))

    principal = json.loads(client.get_bucket_policy(Bucket=bucket)["Policy"])["Statement"][0]["Principal"]

    assert principal == {"AWS": f"arn:aws:iam::{cloud.state.account_id}:root"}


def test_an_unknown_canonical_user_is_refused(cloud: Running, stack: Stack) -> None:
    with pytest.raises(ClientError, match="Invalid principal in policy"):
        put(cloud, stack.outputs["Bucket"], statement({"CanonicalUser": "0" * 64}, stack.outputs["Bucket"]))


def test_a_stack_cannot_make_a_blocked_bucket_public(cloud: Running) -> None:
    template = {
        "Resources": {
            "Bucket": {
                "Type": "AWS::S3::Bucket",
                "Properties": {"PublicAccessBlockConfiguration": {"BlockPublicPolicy": True}},
            }
        }
    }
    public = {
        "Type": "AWS::S3::BucketPolicy",
        "Properties": {
            "Bucket": {"Ref": "Bucket"},
            "PolicyDocument": {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        **statement("*", "x"),
                        "Resource": {"Fn::Sub": "${Bucket.Arn}/*"},
                    }
                ],
            },
        },
    }
    with deployed(cloud, template) as stack:
        template["Resources"]["Policy"] = public

        assert stack.update(template) == "UPDATE_ROLLBACK_COMPLETE"
        assert any("BlockPublicPolicy" in one for one in stack.reasons())


def test_cloudfront_tells_of_an_identity(cloud: Running, stack: Stack) -> None:
    client, identity_id = cloud.client("cloudfront"), stack.outputs["Identity"]

    one = client.get_cloud_front_origin_access_identity(Id=identity_id)["CloudFrontOriginAccessIdentity"]
    listed = client.list_cloud_front_origin_access_identities()["CloudFrontOriginAccessIdentityList"]["Items"]

    assert one["S3CanonicalUserId"] == stack.outputs["User"]
    assert one["CloudFrontOriginAccessIdentityConfig"]["Comment"] == "the page"
    assert (identity_id, "the page") in {(found["Id"], found["Comment"]) for found in listed}


def test_an_identity_is_made_changed_and_deleted(cloud: Running) -> None:
    client = cloud.client("cloudfront")
    wanted = {"CallerReference": unique("reference"), "Comment": "first"}
    made = client.create_cloud_front_origin_access_identity(CloudFrontOriginAccessIdentityConfig=wanted)
    identity_id = made["CloudFrontOriginAccessIdentity"]["Id"]
    changed = client.update_cloud_front_origin_access_identity(
        Id=identity_id,
        IfMatch=made["ETag"],
        CloudFrontOriginAccessIdentityConfig={**wanted, "Comment": "second"},
    )

    config = client.get_cloud_front_origin_access_identity_config(Id=identity_id)
    with pytest.raises(ClientError, match="PreconditionFailed"):
        client.delete_cloud_front_origin_access_identity(Id=identity_id, IfMatch=made["ETag"])
    client.delete_cloud_front_origin_access_identity(Id=identity_id, IfMatch=changed["ETag"])

    assert config["CloudFrontOriginAccessIdentityConfig"]["Comment"] == "second"
    with pytest.raises(ClientError, match="NoSuchCloudFrontOriginAccessIdentity"):
        client.get_cloud_front_origin_access_identity(Id=identity_id)


def test_an_identity_in_use_stays(cloud: Running, stack: Stack) -> None:
    client, identity_id = cloud.client("cloudfront"), stack.outputs["Identity"]
    etag = client.get_cloud_front_origin_access_identity(Id=identity_id)["ETag"]

    with pytest.raises(ClientError, match="CloudFrontOriginAccessIdentityInUse"):
        client.delete_cloud_front_origin_access_identity(Id=identity_id, IfMatch=etag)


def test_a_distribution_takes_no_unknown_identity(cloud: Running, stack: Stack) -> None:
    broken = TEMPLATE.replace("cloudfront/${Identity}", "cloudfront/E0000000000000")

    assert stack.update(broken) == "UPDATE_ROLLBACK_COMPLETE"
    assert any("InvalidOriginAccessIdentity" in one for one in stack.reasons())
    assert status(stack, "/open/a") == 200
