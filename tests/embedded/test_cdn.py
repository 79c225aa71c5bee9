"""A distribution of the embedded AWS behaves as CloudFront's, through its own address."""

from __future__ import annotations

import gzip
import socket
import time
from collections.abc import Iterator

import pytest
import requests

from tests.embedded.conftest import Running, unique
from tests.embedded.stacks import Stack, deployed

pytestmark = pytest.mark.embedded

TEMPLATE = """
Resources:
  Bucket:
    Type: AWS::S3::Bucket
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
            Condition:
              StringEquals:
                aws:SourceArn: !Sub arn:aws:cloudfront::${AWS::AccountId}:distribution/${Distribution}
  Access:
    Type: AWS::CloudFront::OriginAccessControl
    Properties:
      OriginAccessControlConfig:
        {Name: !Ref AWS::StackName, OriginAccessControlOriginType: s3, SigningBehavior: always, SigningProtocol: sigv4}
  Logs:
    Type: AWS::S3::Bucket
    Properties:
      OwnershipControls: {Rules: [{ObjectOwnership: BucketOwnerPreferred}]}
  Keyed:
    Type: AWS::CloudFront::CachePolicy
    Properties:
      CachePolicyConfig:
        Name: !Sub ${AWS::StackName}-keyed
        MinTTL: 0
        DefaultTTL: 60
        MaxTTL: 120
        ParametersInCacheKeyAndForwardedToOrigin:
          EnableAcceptEncodingGzip: true
          EnableAcceptEncodingBrotli: false
          QueryStringsConfig: {QueryStringBehavior: whitelist, QueryStrings: [size]}
          HeadersConfig: {HeaderBehavior: whitelist, Headers: [x-variant]}
          CookiesConfig: {CookieBehavior: whitelist, Cookies: [side]}
  Headers:
    Type: AWS::CloudFront::ResponseHeadersPolicy
    Properties:
      ResponseHeadersPolicyConfig:
        Name: !Ref AWS::StackName
        SecurityHeadersConfig:
          FrameOptions: {FrameOption: DENY, Override: true}
  Distribution:
    Type: AWS::CloudFront::Distribution
    Properties:
      DistributionConfig:
        Enabled: true
        Logging: {Bucket: !GetAtt Logs.RegionalDomainName, Prefix: edge/}
        Origins:
          - Id: s3
            DomainName: !GetAtt Bucket.RegionalDomainName
            OriginAccessControlId: !Ref Access
            S3OriginConfig: {}
        DefaultCacheBehavior:
          TargetOriginId: s3
          ViewerProtocolPolicy: redirect-to-https
          Compress: true
          CachePolicyId: !Ref Keyed
          ResponseHeadersPolicyId: !Ref Headers
        CacheBehaviors:
          - PathPattern: never/*
            TargetOriginId: s3
            ViewerProtocolPolicy: allow-all
            CachePolicyId: 4135ea2d-6df8-44a3-9df3-4b5a84be39ad
        CustomErrorResponses:
          - {ErrorCode: 403, ErrorCachingMinTTL: 1}
Outputs:
  Domain: {Value: !GetAtt Distribution.DomainName}
  Id: {Value: !Ref Distribution}
  Bucket: {Value: !Ref Bucket}
  Headers: {Value: !Ref Headers}
  Logs: {Value: !Ref Logs}
"""
MISS, HIT, ERROR = "Miss from cloudfront", "Hit from cloudfront", "Error from cloudfront"


class Edge:
    """The stack's distribution and the bucket behind it."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.distribution_id = stack.outputs["Id"]
        self.domain = stack.outputs["Domain"]
        self.control = stack.cloud.client("cloudfront")
        self.objects = stack.cloud.client("s3")

    def put(self, body: bytes = b"body", kind: str = "image/png", key: str = "", **headers: str) -> str:
        """Store an object; return the path that no other test uses."""
        key = key or unique("object")
        bucket = self.stack.outputs["Bucket"]
        self.objects.put_object(Bucket=bucket, Key=key, Body=body, ContentType=kind, **headers)
        return f"/{key}"

    def get(self, path: str, method: str = "GET", scheme: str = "https", **headers: str) -> requests.Response:
        """Ask as a viewer."""
        return self.stack.ask(method, f"{scheme}://{self.domain}{path}", headers=headers)


def outcome(answer: requests.Response) -> str:
    return answer.headers["x-cache"]


@pytest.fixture(scope="module")
def edge(cloud: Running) -> Iterator[Edge]:
    with deployed(cloud, TEMPLATE) as stack:
        yield Edge(stack)
        objects = cloud.client("s3")
        for bucket in (stack.outputs["Bucket"], stack.outputs["Logs"]):
            for one in objects.list_objects_v2(Bucket=bucket).get("Contents", []):
                objects.delete_object(Bucket=bucket, Key=one["Key"])


def test_domain_opens_and_is_the_same_everywhere(edge: Edge) -> None:
    listed = edge.control.list_distributions()["DistributionList"]["Items"]

    assert edge.domain.startswith("127.0.0.1:")
    assert edge.control.get_distribution(Id=edge.distribution_id)["Distribution"]["DomainName"] == edge.domain
    assert edge.domain in {one["DomainName"] for one in listed}


def test_second_request_is_a_hit(edge: Edge) -> None:
    path = edge.put(b"the bytes")
    first, second = edge.get(path), edge.get(path)

    assert (outcome(first), outcome(second)) == (MISS, HIT)
    assert first.content == second.content == b"the bytes"
    assert "age" not in first.headers
    assert second.headers["age"] == "0"
    assert "CloudFront" in second.headers["via"]
    assert second.headers["x-amz-cf-id"] != first.headers["x-amz-cf-id"]


def test_hit_serves_what_was_stored(edge: Edge) -> None:
    path = edge.put(b"old")
    edge.get(path)
    edge.put(b"new", key=path[1:])

    assert edge.get(path).content == b"old"


def test_key_holds_what_the_policy_names(edge: Edge) -> None:
    path = edge.put()
    edge.get(path + "?size=1&other=1")

    assert outcome(edge.get(path + "?size=1&other=2")) == HIT
    assert outcome(edge.get(path + "?size=2")) == MISS
    assert outcome(edge.get(path + "?size=1", Cookie="side=a")) == MISS
    assert outcome(edge.get(path + "?size=1", Cookie="side=a; rest=1")) == HIT
    assert outcome(edge.get(path + "?size=1", **{"X-Variant": "b"})) == MISS
    assert outcome(edge.get(path + "?size=1", **{"X-Other": "b"})) == HIT


def test_error_names_no_bucket(edge: Edge) -> None:
    answer = edge.get(f"/{unique('missing')}")

    assert answer.status_code == 403
    assert b"<Code>AccessDenied</Code>" in answer.content
    assert edge.stack.outputs["Bucket"].encode() not in answer.content


@pytest.mark.parametrize(
    "control", ["no-store", "private, max-age=60", "no-cache", "max-age=0", "s-maxage=0, max-age=9"]
)
def test_origin_forbids_storing(edge: Edge, control: str) -> None:
    path = edge.put(CacheControl=control)

    assert [outcome(edge.get(path)) for _ in range(2)] == [MISS, MISS]


def test_stored_object_expires(edge: Edge) -> None:
    path = edge.put(b"same", CacheControl="max-age=1")
    edge.get(path)
    time.sleep(1.1)

    assert outcome(edge.get(path)) == "RefreshHit from cloudfront"
    edge.put(b"changed", key=path[1:])
    time.sleep(1.1)
    assert edge.get(path).content == b"changed"


def test_disabled_caching_is_never_a_hit(edge: Edge) -> None:
    path = edge.put(key=unique("never/object"))

    assert [outcome(edge.get(path)) for _ in range(2)] == [MISS, MISS]


def test_error_is_cached_for_its_minimum(edge: Edge) -> None:
    key = unique("late")
    assert (edge.get(f"/{key}").status_code, outcome(edge.get(f"/{key}"))) == (403, ERROR)
    edge.put(key=key)

    assert edge.get(f"/{key}").status_code == 403
    time.sleep(1.1)
    assert edge.get(f"/{key}").status_code == 200


def test_invalidation_drops_what_it_names(edge: Edge) -> None:
    folder = unique("folder")
    kept, dropped = edge.put(), edge.put(key=f"{folder}/one")
    for path in (kept, dropped):
        edge.get(path)
    batch = {"CallerReference": folder, "Paths": {"Quantity": 1, "Items": [f"/{folder}/*"]}}
    edge.control.create_invalidation(DistributionId=edge.distribution_id, InvalidationBatch=batch)

    assert (outcome(edge.get(kept)), outcome(edge.get(dropped))) == (HIT, MISS)


def test_text_is_compressed_on_request(edge: Edge) -> None:
    text = b"a line of text\n" * 200
    path = edge.put(text, "text/plain")

    for expected in (MISS, HIT):
        answer = edge.get(path, **{"Accept-Encoding": "gzip"})
        assert (outcome(answer), answer.headers["content-encoding"]) == (expected, "gzip")
        assert answer.headers["vary"] == "Accept-Encoding"
        assert int(answer.headers["content-length"]) < len(text)
        assert answer.content == text
    assert "content-encoding" not in edge.get(path, **{"Accept-Encoding": "identity"}).headers


@pytest.mark.parametrize(
    ("body", "kind"), [(b"x" * 999, "text/plain"), (b"x" * 2000, "image/png")], ids=["small", "image"]
)
def test_other_bodies_are_not_compressed(edge: Edge, body: bytes, kind: str) -> None:
    answer = edge.get(edge.put(body, kind), **{"Accept-Encoding": "gzip"})

    assert "content-encoding" not in answer.headers


def test_conditional_request_is_not_modified(edge: Edge) -> None:
    path = edge.put()
    etag = edge.get(path).headers["etag"]

    for tag in (etag, f"W/{etag}", "*"):
        answer = edge.get(path, **{"If-None-Match": tag})
        assert (answer.status_code, answer.content) == (304, b"")
    assert edge.get(path, **{"If-None-Match": '"another"'}).status_code == 200


def test_conditional_miss_is_stored(edge: Edge) -> None:
    path = edge.put(b"abc")
    etag = edge.objects.head_object(Bucket=edge.stack.outputs["Bucket"], Key=path[1:])["ETag"]

    assert edge.get(path, **{"If-None-Match": etag}).status_code == 304
    answer = edge.get(path)
    assert (outcome(answer), answer.content) == (HIT, b"abc")


def test_head_has_no_body(edge: Edge) -> None:
    path = edge.put(b"12345")

    for expected in (MISS, HIT):
        answer = edge.get(path, "HEAD")
        assert (outcome(answer), answer.headers["content-length"], answer.content) == (expected, "5", b"")
    assert edge.get(path).content == b"12345"


@pytest.mark.parametrize("warm", [False, True], ids=["miss", "hit"])
def test_range_is_partial_content(edge: Edge, *, warm: bool) -> None:
    path = edge.put(b"0123456789")
    if warm:
        edge.get(path)
    answer = edge.get(path, Range="bytes=2-4")

    assert (answer.status_code, answer.content) == (206, b"234")
    assert answer.headers["content-range"] == "bytes 2-4/10"
    assert edge.get(path).content == b"0123456789"


def test_plain_http_is_redirected_to_the_same_address(edge: Edge) -> None:
    path = edge.put()
    answer = edge.get(path + "?a=1", scheme="http", **{"X-Forwarded-Proto": "https"})

    assert (answer.status_code, answer.headers["location"]) == (301, f"https://{edge.domain}{path}?a=1")
    assert outcome(answer) == "Redirect from cloudfront"


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE", "PATCH", "OPTIONS"])
def test_methods_are_get_and_head_by_default(edge: Edge, method: str) -> None:
    answer = edge.get(edge.put(), method)

    assert (answer.status_code, outcome(answer)) == (403, ERROR)


def test_headers_policy_acts_on_hits_at_once(edge: Edge) -> None:
    path = edge.put()
    assert edge.get(path).headers["x-frame-options"] == "DENY"
    policy = edge.control.get_response_headers_policy(Id=edge.stack.outputs["Headers"])
    config = policy["ResponseHeadersPolicy"]["ResponseHeadersPolicyConfig"]
    config["SecurityHeadersConfig"]["FrameOptions"]["FrameOption"] = "SAMEORIGIN"
    edge.control.update_response_headers_policy(
        Id=edge.stack.outputs["Headers"], IfMatch=policy["ETag"], ResponseHeadersPolicyConfig=config
    )
    answer = edge.get(path)

    assert (outcome(answer), answer.headers["x-frame-options"]) == (HIT, "SAMEORIGIN")


def test_disabled_distribution_serves_nothing(edge: Edge) -> None:
    path = edge.put()
    edge.get(path)

    def enable(*, wanted: bool) -> None:
        found = edge.control.get_distribution_config(Id=edge.distribution_id)
        config = {**found["DistributionConfig"], "Enabled": wanted}
        edge.control.update_distribution(
            Id=edge.distribution_id, IfMatch=found["ETag"], DistributionConfig=config
        )

    enable(wanted=False)
    try:
        assert edge.get(path).status_code == 403
    finally:
        enable(wanted=True)
    assert edge.get(path).status_code == 200


def test_access_log_arrives_in_its_bucket(edge: Edge) -> None:
    path = edge.put()
    edge.get(path + "?q=1", **{"User-Agent": "a b"})
    bucket = edge.stack.outputs["Logs"]
    deadline = time.monotonic() + 15
    while True:
        listed = edge.objects.list_objects_v2(Bucket=bucket, Prefix=f"edge/{edge.distribution_id}.")
        texts = [
            gzip.decompress(edge.objects.get_object(Bucket=bucket, Key=one["Key"])["Body"].read()).decode()
            for one in listed.get("Contents", [])
        ]
        rows = [line.split("\t") for text in texts for line in text.splitlines()[2:]]
        found = [row for row in rows if row[7] == path]
        if found:
            break
        assert time.monotonic() < deadline, "no log arrived"
        time.sleep(0.3)

    assert texts[0].startswith("#Version: 1.0\n#Fields: date time x-edge-location")
    assert len(found[0]) == len(texts[0].splitlines()[1].split()) - 1
    assert (found[0][4], found[0][5], found[0][8]) == ("127.0.0.1", "GET", "200")
    assert (found[0][10], found[0][11], found[0][13]) == ("a%20b", "q=1", "Miss")


def test_port_closes_with_its_distribution(cloud: Running) -> None:
    with deployed(cloud, TEMPLATE) as stack:
        port = int(stack.outputs["Domain"].rpartition(":")[2])
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
        except OSError:
            return
        time.sleep(0.05)
    pytest.fail(f"port {port} is still open")
