"""readiness/aws/bucket.py"""

from __future__ import annotations

import hashlib
import json
import socket
from datetime import timedelta

import pytest

from readiness.aws.bucket import Bucket, Grant, Head, LifecycleRule
from readiness.errors import Missing, Unverified
from tests.probes.server import Reply

BLOCKS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
FACTS = [
    "public_access_block",
    "policy_statements",
    "policy_is_public",
    "encryption_algorithms",
    "lifecycle_rules",
    "versioning",
    "live_name",
]


@pytest.fixture
def s3(env):
    return env.client("s3")


@pytest.fixture
def bucket(env, s3, unique):
    s3.create_bucket(Bucket=unique)
    return Bucket(env, unique)


def statement(principal):
    return {
        "Sid": "one",
        "Effect": "Allow",
        "Principal": principal,
        "Action": "s3:GetObject",
        "Resource": "*",
    }


def xml(text, status=200):
    return Reply(status, text.encode(), {"Content-Type": "application/xml"})


def test_a_bucket_is_named_by_its_repr(bucket):
    assert repr(bucket) == f"Bucket(name='{bucket.name}')"


def test_a_bucket_without_configuration_blocks_nothing(bucket):
    assert bucket.public_access_block == dict.fromkeys(BLOCKS, False)


@pytest.mark.parametrize("left_open", [None, *BLOCKS])
def test_each_block_is_read_on_its_own(bucket, s3, left_open):
    blocks = {name: name != left_open for name in BLOCKS}
    s3.put_public_access_block(Bucket=bucket.name, PublicAccessBlockConfiguration=blocks)

    assert bucket.public_access_block == blocks


def test_a_bucket_without_policy_has_no_statement_and_is_not_public(bucket, scripted, stub):
    assert bucket.policy_statements == []

    stub.replies(xml("<Error><Code>NoSuchBucketPolicy</Code></Error>", 404))
    assert not Bucket(scripted, "some-bucket").policy_is_public


@pytest.mark.parametrize("several", [True, False])
def test_a_policys_statements_are_read_also_when_there_is_but_one(bucket, s3, several):
    one = statement({"Service": "cloudfront.amazonaws.com"})
    policy = {"Version": "2012-10-17", "Statement": [one] if several else one}
    s3.put_bucket_policy(Bucket=bucket.name, Policy=json.dumps(policy))

    assert bucket.policy_statements == [one]


@pytest.mark.parametrize("public", [True, False])
def test_aws_judges_whether_a_policy_is_public(scripted, stub, public):
    stub.replies(xml(f"<PolicyStatus><IsPublic>{str(public).lower()}</IsPublic></PolicyStatus>"))

    assert Bucket(scripted, "some-bucket").policy_is_public is public


def test_a_bucket_without_default_encryption_has_no_algorithm(scripted, stub):
    stub.replies(xml("<Error><Code>ServerSideEncryptionConfigurationNotFoundError</Code></Error>", 404))

    assert Bucket(scripted, "some-bucket").encryption_algorithms == []


def test_default_encryption_is_read(bucket, s3):
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "k"}}
    s3.put_bucket_encryption(Bucket=bucket.name, ServerSideEncryptionConfiguration={"Rules": [rule]})

    assert bucket.encryption_algorithms == ["aws:kms"]


def test_a_bucket_without_lifecycle_has_no_rule(bucket):
    assert bucket.lifecycle_rules == []


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({"Filter": {"Prefix": "images/"}}, LifecycleRule(True, "images/", timedelta(days=30))),
        ({"Filter": {"Prefix": ""}}, LifecycleRule(True, "", timedelta(days=30))),
        ({"Prefix": "images/"}, LifecycleRule(True, "images/", timedelta(days=30))),
        ({"Filter": {"Prefix": "logs/"}}, LifecycleRule(True, "logs/", timedelta(days=30))),
        (
            {"Filter": {"Prefix": "images/"}, "Status": "Disabled"},
            LifecycleRule(False, "images/", timedelta(days=30)),
        ),
        (
            {"Filter": {"And": {"Prefix": "images/", "Tags": [{"Key": "a", "Value": "b"}]}}},
            LifecycleRule(True, "images/", timedelta(days=30), partial=True),
        ),
        (
            {"Filter": {"Prefix": "images/"}, "Expiration": {"ExpiredObjectDeleteMarker": True}},
            LifecycleRule(True, "images/", None),
        ),
        (
            {"Filter": {"Prefix": ""}, "Expiration": {"Date": "2030-01-01T00:00:00Z"}},
            LifecycleRule(True, "", None),
        ),
    ],
    ids=["filter", "all", "old form", "other prefix", "disabled", "and", "marker", "date"],
)
def test_a_lifecycle_rule_is_read(bucket, s3, rule, expected):
    rule = {"ID": "one", "Status": "Enabled", "Expiration": {"Days": 30}, **rule}
    s3.put_bucket_lifecycle_configuration(Bucket=bucket.name, LifecycleConfiguration={"Rules": [rule]})

    assert bucket.lifecycle_rules == [expected]


@pytest.mark.parametrize(
    ("storage_class", "archives"),
    [("STANDARD_IA", False), ("GLACIER_IR", False), ("GLACIER", True), ("DEEP_ARCHIVE", True)],
)
def test_a_lifecycle_rule_that_only_moves_objects_expires_none(bucket, s3, storage_class, archives):
    rule = {
        "ID": "one",
        "Status": "Enabled",
        "Filter": {"Prefix": ""},
        "Transitions": [{"Days": 30, "StorageClass": storage_class}],
    }
    s3.put_bucket_lifecycle_configuration(Bucket=bucket.name, LifecycleConfiguration={"Rules": [rule]})

    assert bucket.lifecycle_rules == [LifecycleRule(True, "", None, archives=archives)]


def test_versioning_is_read(env, bucket, s3):
    assert bucket.versioning == ""

    s3.put_bucket_versioning(Bucket=bucket.name, VersioningConfiguration={"Status": "Enabled"})
    assert Bucket(env, bucket.name).versioning == "Enabled"


def test_a_live_bucket_confirms_its_name(bucket):
    assert bucket.live_name == bucket.name


@pytest.mark.parametrize("fact", [fact for fact in FACTS if fact != "policy_is_public"])
def test_a_bucket_that_does_not_exist_is_missing(env, fact):
    with pytest.raises(Missing, match=r"NoSuchBucket|does not exist"):
        getattr(Bucket(env, "never-made"), fact)


@pytest.mark.parametrize("fact", FACTS)
def test_any_other_refusal_is_not_taken_for_an_absence(scripted, stub, fact):
    stub.replies(xml("<Error><Code>InvalidRequest</Code><Message>no</Message></Error>", 400))

    with pytest.raises(Exception, match=r"InvalidRequest|400") as caught:
        getattr(Bucket(scripted, "some-bucket"), fact)

    assert not isinstance(caught.value, AssertionError)


def test_each_fact_is_read_once(scripted, stub):
    stub.replies(xml("<Error><Code>NoSuchBucketPolicy</Code></Error>", 404))
    bucket = Bucket(scripted, "some-bucket")

    assert (bucket.policy_statements, bucket.policy_statements) == ([], [])
    assert len(stub.asked) == 1


def test_a_head_tells_how_an_object_is_stored(bucket, s3):
    s3.put_object(Bucket=bucket.name, Key="k", Body=b"body", ContentType="text/css", CacheControl="no-cache")

    assert bucket.head("k") == Head("text/css", "no-cache", hashlib.md5(b"body").hexdigest())


@pytest.mark.parametrize(
    "headers",
    [
        {"ETag": f'"{"0" * 32}-2"'},
        {"ETag": f'"{"0" * 32}"', "x-amz-server-side-encryption": "aws:kms"},
    ],
)
def test_an_etag_that_is_no_hash_of_the_content_tells_none(scripted, stub, headers):
    stub.replies(Reply(200, b"", headers))

    assert Bucket(scripted, "some-bucket").head("k").md5 == ""


def test_as_many_objects_are_listed_as_are_wanted(bucket, s3):
    for key in ("a", "b", "c", "d"):
        s3.put_object(Bucket=bucket.name, Key=key, Body=b"")

    assert [one.key for one in bucket.objects("", after="a", most=2)] == ["b", "c"]


def test_a_temporary_object_is_gone_again(bucket):
    with bucket.temporary_object("k", b"body"):
        assert bucket.object_bytes("k") == b"body"

    with pytest.raises(Exception, match="NoSuchKey"):
        bucket.object_bytes("k")


def test_a_temporary_object_is_gone_again_also_when_the_check_failed(bucket):
    with pytest.raises(ZeroDivisionError), bucket.temporary_object("k", b"body"):
        raise ZeroDivisionError

    with pytest.raises(Exception, match="NoSuchKey"):
        bucket.object_bytes("k")


def test_temporary_copies_are_like_the_original_and_gone_again(bucket, s3):
    s3.put_object(Bucket=bucket.name, Key="images/a.png", Body=b"x", CacheControl="max-age=9")
    s3.put_object(Bucket=bucket.name, Key="copies/left-by-a-killed-run.png", Body=b"y")

    with bucket.temporary_copies("images/a.png", "copies/", 2) as keys:
        copies = [s3.get_object(Bucket=bucket.name, Key=key) for key in keys]

        assert {(copy["Body"].read(), copy["CacheControl"]) for copy in copies} == {(b"x", "max-age=9")}

    assert bucket.keys("copies/") == []
    assert bucket.keys("images/a.png") == ["images/a.png"]


@pytest.mark.parametrize("status", [200, 403, 404])
def test_an_anonymous_request_has_no_signature_and_gets_a_status(scripted, stub, status):
    stub.replies(xml("<Error><Code>AccessDenied</Code></Error>", status))

    assert Bucket(scripted, "some-bucket").anonymous("get_object", Key="images/a.png") == status
    assert stub.asked[0].path == "/some-bucket/images/a.png"
    assert "authorization" not in stub.asked[0].headers


def test_the_verifier_asks_in_clear_with_its_signature(scripted, stub):
    stub.replies(xml("<Error><Code>AccessDenied</Code></Error>", 403))

    assert Bucket(scripted, "some-bucket").over_plain_http("get_object", Key="a") == 403
    assert "authorization" in stub.asked[0].headers


def test_tls_is_left_out_of_the_endpoint_for_plain_http(reach, stub):
    stub.replies(Reply(200))
    secure = reach(stub.url.replace("http://", "https://"))

    assert Bucket(secure, "some-bucket").over_plain_http("head_object", Key="a") == 200


def test_an_s3_that_does_not_answer_is_unverified(reach):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        down = reach(f"http://127.0.0.1:{taken.getsockname()[1]}")

        with pytest.raises(Unverified, match="S3 did not answer get_object"):
            Bucket(down, "some-bucket").anonymous("get_object", Key="a")


def test_objects_are_listed_by_prefix(bucket, s3):
    for key in ("images/1/b.png", "images/1/a.png", "images/2/a.png"):
        s3.put_object(Bucket=bucket.name, Key=key, Body=key.encode())

    before = bucket.objects("images/1/")
    s3.put_object(Bucket=bucket.name, Key="images/1/a.png", Body=b"written again")

    assert [entry.key for entry in before] == ["images/1/a.png", "images/1/b.png"]
    assert bucket.objects("images/1/") != before
    assert bucket.objects("images/9/") == []


def test_grants_to_others_are_read(bucket, s3):
    group = "http://acs.amazonaws.com/groups/global/AllUsers"
    s3.put_bucket_acl(Bucket=bucket.name, ACL="public-read")

    assert bucket.grants == [Grant(group, "READ")]
    assert bucket.owner


def test_where_access_is_logged_is_read(bucket, s3, unique):
    assert bucket.log_bucket_name == ""

    s3.create_bucket(Bucket=f"{unique}-logs")
    s3.put_bucket_acl(Bucket=f"{unique}-logs", ACL="log-delivery-write")
    target = {"TargetBucket": f"{unique}-logs", "TargetPrefix": ""}
    s3.put_bucket_logging(Bucket=bucket.name, BucketLoggingStatus={"LoggingEnabled": target})

    assert Bucket(bucket.env, bucket.name).log_bucket_name == f"{unique}-logs"


def test_lifecycle_rules_for_hidden_data_are_read(bucket, s3):
    rules = [
        {
            "ID": "one",
            "Status": "Enabled",
            "Filter": {"Prefix": ""},
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
        },
        {
            "ID": "two",
            "Status": "Enabled",
            "Filter": {"Prefix": "a/"},
            "NoncurrentVersionExpiration": {"NoncurrentDays": 7},
        },
    ]
    s3.put_bucket_lifecycle_configuration(Bucket=bucket.name, LifecycleConfiguration={"Rules": rules})

    assert [(rule.aborts_uploads, rule.drops_versions) for rule in bucket.lifecycle_rules] == [
        (True, False),
        (False, True),
    ]
