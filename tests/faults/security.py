"""Faults of the deployed stack's protection: section security."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Iterator
from typing import Any

from tests.faults.bench import Bench
from tests.faults.delivery import behaviours, headers_policy
from tests.faults.fault import fault


def _key() -> str:
    return "sk-" + secrets.token_urlsafe(24)


@fault("SEC-06", "a key stands in a function's environment")
def key_in_the_environment(bench: Bench) -> Iterator[None]:
    with bench.with_variables("WorkerFunction", OPENAI_API_KEY=_key()):
        yield


@fault("SEC-06", "a key stands in the environment under a harmless name")
def key_under_another_name(bench: Bench) -> Iterator[None]:
    with bench.with_variables("ApiFunction", GREETING=_key()):
        yield


@fault("SEC-06", "a key stands in the environment in base64")
def key_in_base64(bench: Bench) -> Iterator[None]:
    with bench.with_variables("ApiFunction", GREETING=base64.b64encode(_key().encode()).decode()):
        yield


@fault("SEC-06", "a key stands in the environment in hexadecimal, within JSON")
def key_in_hexadecimal(bench: Bench) -> Iterator[None]:
    with bench.with_variables("ApiFunction", GREETING=json.dumps({"welcome": [_key().encode().hex()]})):
        yield


@fault("SEC-06", "a key stands in the environment as a part of a URL")
def key_in_a_url(bench: Bench) -> Iterator[None]:
    url = "https://hello.example/?welcome=" + "".join(f"%{ord(one):02x}" for one in _key())
    with bench.with_variables("WorkerFunction", GREETING=url):
        yield


@fault("SEC-06", "a key of no known form stands in the environment under a harmless name")
def key_of_no_form(bench: Bench) -> Iterator[None]:
    with bench.with_variables("WorkerFunction", GREETING=secrets.token_hex(24)):
        yield


def _cors(bench: Bench, origins: list[str]) -> Iterator[None]:
    client, api = bench.client("apigatewayv2"), bench.physical("HttpApi")
    before = client.get_api(ApiId=api)["CorsConfiguration"]
    client.update_api(ApiId=api, CorsConfiguration={**before, "AllowOrigins": origins})
    try:
        yield
    finally:
        client.update_api(ApiId=api, CorsConfiguration=before)


@fault("SEC-07", "the API answers every origin")
def any_origin(bench: Bench) -> Iterator[None]:
    yield from _cors(bench, ["*"])


@fault("SEC-07", "the API answers one origin more than was declared, which nobody asks as")
def one_origin_more(bench: Bench) -> Iterator[None]:
    before = bench.client("apigatewayv2").get_api(ApiId=bench.physical("HttpApi"))["CorsConfiguration"]
    yield from _cors(bench, [*before["AllowOrigins"], "https://preview.example"])


@fault("SEC-07", "the API lets browsers send credentials along")
def credentials_allowed(bench: Bench) -> Iterator[None]:
    client, api = bench.client("apigatewayv2"), bench.physical("HttpApi")
    before = client.get_api(ApiId=api)["CorsConfiguration"]
    client.update_api(ApiId=api, CorsConfiguration={**before, "AllowCredentials": True})
    try:
        yield
    finally:
        client.update_api(ApiId=api, CorsConfiguration=before)


@fault("SEC-07", "the API answers an origin that nobody allowed")
def strange_origin(bench: Bench) -> Iterator[None]:
    allowed = bench.stack.formation.parameter("AllowedOrigins").split(",")
    yield from _cors(bench, [*allowed, "https://attacker.example"])


@fault("SEC-07", "the preflight refuses the header that the page sends")
def refused_header(bench: Bench) -> Iterator[None]:
    client, api = bench.client("apigatewayv2"), bench.physical("HttpApi")
    before = client.get_api(ApiId=api)["CorsConfiguration"]
    client.update_api(ApiId=api, CorsConfiguration={**before, "AllowHeaders": ["content-type"]})
    try:
        yield
    finally:
        client.update_api(ApiId=api, CorsConfiguration=before)


@fault("SEC-07", "the API refuses the application's own origin")
def refused_origin(bench: Bench) -> Iterator[None]:
    yield from _cors(bench, ["https://elsewhere.example"])


@fault("SEC-07", "the images may be read by one origin that is not the page's")
def foreign_origin_reads_images(bench: Bench) -> Iterator[None]:
    yield from headers_policy(
        bench,
        lambda policy: policy["CorsConfig"].update(
            AccessControlAllowOrigins={"Quantity": 1, "Items": ["https://elsewhere.example"]}
        ),
    )


@fault("SEC-07", "some of the images may be read by no origin")
def no_origin_reads_some_images(bench: Bench) -> Iterator[None]:
    def add(configuration: dict[str, Any]) -> None:
        behaviour = {**configuration["DefaultCacheBehavior"], "PathPattern": "*.gif"}
        behaviour.pop("ResponseHeadersPolicyId")
        configuration["CacheBehaviors"] = {"Quantity": 1, "Items": [behaviour]}

    with bench.distribution_changed(add):
        yield


@fault("SEC-10", "BlockPublicAcls is off")
def block_public_acls_off(bench: Bench) -> Iterator[None]:
    with bench.opened("BlockPublicAcls"):
        yield


@fault("SEC-10", "IgnorePublicAcls is off")
def ignore_public_acls_off(bench: Bench) -> Iterator[None]:
    with bench.opened("IgnorePublicAcls"):
        yield


@fault("SEC-10", "BlockPublicPolicy is off")
def block_public_policy_off(bench: Bench) -> Iterator[None]:
    with bench.opened("BlockPublicPolicy"):
        yield


@fault("SEC-10", "RestrictPublicBuckets is off")
def restrict_public_buckets_off(bench: Bench) -> Iterator[None]:
    with bench.opened("RestrictPublicBuckets"):
        yield


@fault("SEC-10", "anybody may read every image", relatives={"SEC-19"})
def public_bucket(bench: Bench) -> Iterator[None]:
    bucket = bench.physical("ImagesBucket")
    statement = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{bucket}/images/*",
    }
    with (
        bench.opened("BlockPublicPolicy", "RestrictPublicBuckets"),
        bench.bucket_policy(lambda statements: statements.append(statement)),
    ):
        yield


@fault("SEC-11", "the queue is not encrypted")
def bare_queue(bench: Bench) -> Iterator[None]:
    with bench.queue_with("JobsQueue", SqsManagedSseEnabled="false"):
        yield


@fault("SEC-11", "new images are encrypted with the alarms' key")
def foreign_key(bench: Bench) -> Iterator[None]:
    client, bucket = bench.client("s3"), bench.physical("ImagesBucket")
    before = client.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]
    key = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": bench.physical("AlarmKey")}
    client.put_bucket_encryption(
        Bucket=bucket,
        ServerSideEncryptionConfiguration={"Rules": [{"ApplyServerSideEncryptionByDefault": key}]},
    )
    try:
        yield
    finally:
        client.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration=before)


@fault("SEC-11", "the topic is not encrypted")
def bare_topic(bench: Bench) -> Iterator[None]:
    client, arn = bench.client("sns"), bench.physical("AlarmTopic")
    key = client.get_topic_attributes(TopicArn=arn)["Attributes"]["KmsMasterKeyId"]
    client.set_topic_attributes(TopicArn=arn, AttributeName="KmsMasterKeyId", AttributeValue="")
    try:
        yield
    finally:
        client.set_topic_attributes(TopicArn=arn, AttributeName="KmsMasterKeyId", AttributeValue=key)


@fault("SEC-12", "the bucket answers over plain HTTP")
def plain_bucket(bench: Bench) -> Iterator[None]:
    def without_denials(statements: list[dict[str, Any]]) -> None:
        statements[:] = [statement for statement in statements if statement["Effect"] == "Allow"]

    with bench.bucket_policy(without_denials):
        yield


@fault("SEC-13", "the response headers policy is detached", relatives={"SEC-07"})
def no_security_headers(bench: Bench) -> Iterator[None]:
    def detach(configuration: dict[str, Any]) -> None:
        for behaviour in behaviours(configuration):
            behaviour.pop("ResponseHeadersPolicyId", None)

    with bench.distribution_changed(detach):
        yield


@fault("SEC-18", "a function runs on python3.9")
def old_runtime(bench: Bench) -> Iterator[None]:
    with bench.configured("WorkerFunction", Runtime="python3.9"):
        yield


@fault("SEC-19", "another distribution may read the bucket too")
def second_reader(bench: Bench) -> Iterator[None]:
    def let_in(statements: list[dict[str, Any]]) -> None:
        text = json.dumps(next(statement for statement in statements if statement["Effect"] == "Allow"))
        statements.append(json.loads(text.replace(bench.physical("Distribution"), "E1STRANGER0000")))

    with bench.bucket_policy(let_in):
        yield


@fault("SEC-19", "the distribution may do all but one thing with the bucket")
def everything_but_one(bench: Bench) -> Iterator[None]:
    def turn_round(statements: list[dict[str, Any]]) -> None:
        allowed = next(statement for statement in statements if statement["Effect"] == "Allow")
        allowed["NotAction"] = "s3:DeleteBucket"
        del allowed["Action"]

    with bench.bucket_policy(turn_round):
        yield


@fault("SEC-19", "no distribution is named in the bucket's policy")
def any_distribution(bench: Bench) -> Iterator[None]:
    def open_up(statements: list[dict[str, Any]]) -> None:
        next(statement for statement in statements if statement["Effect"] == "Allow").pop("Condition")

    with bench.bucket_policy(open_up):
        yield


@fault("SEC-22", "the distribution may read the whole bucket")
def whole_bucket(bench: Bench) -> Iterator[None]:
    def widen(statements: list[dict[str, Any]]) -> None:
        allowed = next(statement for statement in statements if statement["Effect"] == "Allow")
        allowed["Resource"] = f"arn:aws:s3:::{bench.physical('ImagesBucket')}/*"

    with bench.bucket_policy(widen):
        yield
