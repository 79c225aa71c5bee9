"""readiness/aws/tags.py"""

from __future__ import annotations

import pytest

from readiness.aws.tags import tags_of
from readiness.errors import Missing, Unverified


def test_a_buckets_tags_are_read(env, unique):
    env.client("s3").create_bucket(Bucket=unique)
    assert tags_of(env, "AWS::S3::Bucket", unique) == {}

    tags = {"TagSet": [{"Key": "Project", "Value": "p"}]}
    env.client("s3").put_bucket_tagging(Bucket=unique, Tagging=tags)
    assert tags_of(env, "AWS::S3::Bucket", unique) == {"Project": "p"}


def test_a_queues_tags_are_read(env, unique):
    url = env.client("sqs").create_queue(QueueName=unique, tags={"Project": "p"})["QueueUrl"]

    assert tags_of(env, "AWS::SQS::Queue", url) == {"Project": "p"}


def test_a_keys_tags_are_read(env):
    key = env.client("kms").create_key(Tags=[{"TagKey": "Project", "TagValue": "p"}])["KeyMetadata"]["KeyId"]

    assert tags_of(env, "AWS::KMS::Key", key) == {"Project": "p"}


def test_a_type_without_a_reader_is_unverified(env):
    with pytest.raises(Unverified, match="no reader of tags for AWS::Unheard::Of"):
        tags_of(env, "AWS::Unheard::Of", "x")


def test_a_bucket_that_is_gone_is_missing(env):
    with pytest.raises(Missing, match="NoSuchBucket"):
        tags_of(env, "AWS::S3::Bucket", "never-made")
