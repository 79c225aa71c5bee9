"""A page hosted behind a distribution: its routes are the page, a second distribution has an address of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from tests.embedded.conftest import Running
from tests.embedded.stacks import Stack, deployed

pytestmark = pytest.mark.embedded

PAGE = b"<!doctype html>" + b"<p>page</p>" * 200
TEMPLATE = """
Resources:
  Bucket: {Type: AWS::S3::Bucket}
  Policy:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: !Ref Bucket
      PolicyDocument:
        Version: "2012-10-17"
        Statement:
          - Effect: Allow
            Principal: {Service: cloudfront.amazonaws.com}
            Action: s3:GetObject
            Resource: !Sub ${Bucket.Arn}/*
          - Effect: Allow
            Principal: {Service: cloudfront.amazonaws.com}
            Action: s3:ListBucket
            Resource: !GetAtt Bucket.Arn
            Condition:
              StringEquals:
                aws:SourceArn: !Sub arn:aws:cloudfront::${AWS::AccountId}:distribution/${Page}
  Access:
    Type: AWS::CloudFront::OriginAccessControl
    Properties:
      OriginAccessControlConfig:
        {Name: !Ref AWS::StackName, OriginAccessControlOriginType: s3, SigningBehavior: always, SigningProtocol: sigv4}
  Asking:
    Type: AWS::CloudFront::CachePolicy
    Properties:
      CachePolicyConfig:
        Name: !Ref AWS::StackName
        MinTTL: 0
        DefaultTTL: 0
        MaxTTL: 31536000
        ParametersInCacheKeyAndForwardedToOrigin:
          EnableAcceptEncodingGzip: true
          EnableAcceptEncodingBrotli: true
          QueryStringsConfig: {QueryStringBehavior: none}
          HeadersConfig: {HeaderBehavior: none}
          CookiesConfig: {CookieBehavior: none}
  Page:
    Type: AWS::CloudFront::Distribution
    Properties:
      DistributionConfig: &configuration
        Enabled: true
        DefaultRootObject: index.html
        Origins:
          - Id: s3
            DomainName: !GetAtt Bucket.RegionalDomainName
            OriginAccessControlId: !Ref Access
            S3OriginConfig: {}
        DefaultCacheBehavior:
          TargetOriginId: s3
          ViewerProtocolPolicy: redirect-to-https
          Compress: true
          CachePolicyId: !Ref Asking
        CustomErrorResponses:
          - {ErrorCode: 404, ResponseCode: 200, ResponsePagePath: /index.html, ErrorCachingMinTTL: 0}
  Other:
    Type: AWS::CloudFront::Distribution
    Properties: {DistributionConfig: *configuration}
Outputs:
  Bucket: {Value: !Ref Bucket}
  Page: {Value: !GetAtt Page.DomainName}
  Other: {Value: !GetAtt Other.DomainName}
"""


@pytest.fixture(scope="module")
def stack(cloud: Running) -> Iterator[Stack]:
    with deployed(cloud, TEMPLATE) as stack:
        s3, bucket = cloud.client("s3"), stack.outputs["Bucket"]
        s3.put_object(
            Bucket=bucket, Key="index.html", Body=PAGE, ContentType="text/html", CacheControl="no-cache"
        )
        s3.put_object(
            Bucket=bucket,
            Key="assets/a.js",
            Body=b"1" * 2000,
            ContentType="text/javascript",
            CacheControl="public, max-age=31536000, immutable",
        )
        yield stack
        for key in ("index.html", "assets/a.js"):
            s3.delete_object(Bucket=bucket, Key=key)


def ask(
    cloud: Running, stack: Stack, path: str, output: str = "Page", method: str = "GET"
) -> requests.Response:
    return requests.request(
        method, f"https://{stack.outputs[output]}{path}", verify=cloud.state.ca_bundle, timeout=10
    )


@pytest.mark.parametrize("path", ["/", "/index.html", "/gallery/one", "/assets/none.js"])
def test_whatever_is_no_file_is_the_page(cloud, stack, path):
    answer = ask(cloud, stack, path)

    assert (answer.status_code, answer.content) == (200, PAGE)
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["cache-control"] == "no-cache"


def test_the_page_and_its_files_are_compressed(cloud, stack):
    assert ask(cloud, stack, "/").headers["content-encoding"] == "gzip"
    assert ask(cloud, stack, "/assets/a.js").headers["content-encoding"] == "gzip"


def test_a_new_page_is_seen_at_once(cloud, stack):
    ask(cloud, stack, "/gallery/two")
    client, new = cloud.client("s3"), PAGE + b"<p>new</p>"
    client.put_object(
        Bucket=stack.outputs["Bucket"],
        Key="index.html",
        Body=new,
        ContentType="text/html",
        CacheControl="no-cache",
    )
    try:
        assert ask(cloud, stack, "/").content == new
        assert ask(cloud, stack, "/gallery/two").content == new
    finally:
        client.put_object(
            Bucket=stack.outputs["Bucket"],
            Key="index.html",
            Body=PAGE,
            ContentType="text/html",
            CacheControl="no-cache",
        )


def test_a_refusal_stays_one(cloud, stack):
    assert ask(cloud, stack, "/", method="PUT").status_code == 403


def test_who_may_not_list_the_bucket_is_not_told_what_is_absent(cloud, stack):
    """Both have addresses of their own; only the first one may list."""
    assert stack.outputs["Page"] != stack.outputs["Other"]
    assert ask(cloud, stack, "/assets/a.js", "Other").status_code == 200
    assert ask(cloud, stack, "/gallery/one", "Other").status_code == 403
