"""Faults of the deployed application: its code, its settings, its providers."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import botocore.exceptions

from readiness.verdict import Outcome
from tests import registry
from tests.faults.bench import Bench
from tests.faults.fault import fault
from verification import budgets
from verification.probes.api import Api, gallery_path

# What cannot be looked at while images do not come through the CDN.
SERVED_IMAGES = {
    *("CDN-02", "CDN-03", "CDN-04", "CDN-05", "CDN-06", "CDN-08", "CDN-11", "CDN-13", "CDN-14"),
    *("CDN-18", "CODE-09", "CODE-10", "SEC-13", "SEC-19", "SEC-22"),
}


# Code, as it answers


@fault("CODE-08", "a handler drops a field of its answer")
def dropped_field(bench: Bench) -> Iterator[None]:
    with bench.patched(
        "ApiFunction",
        "pixel_prompt/api.py",
        '{"jobId": job.id, "totalModels": len(models)}',
        '{"jobId": job.id}',
    ):
        yield


@fault("CODE-09", "a provider answers 200 with garbage", relatives={"CONF-02", "CONF-19"})
def garbage_from_a_provider(bench: Bench) -> Iterator[None]:
    with bench.provider_fault("openai", "garbage"):
        yield


@fault(
    "CODE-09",
    "a vendor lets no more requests through",
    outcome=Outcome.UNVERIFIED,
    relatives={"CONF-02"},
)
def rate_limited_vendor(bench: Bench) -> Iterator[None]:
    with bench.provider_fault("bfl", "rate_limited"):
        yield


@fault(
    "CODE-09",
    "a vendor lets no more requests through, and another sends text where an image should be",
    relatives={"CONF-02"},
)
def rate_limited_and_broken_vendors(bench: Bench) -> Iterator[None]:
    with bench.provider_fault("bfl", "rate_limited"), bench.provider_fault("recraft", "wrong_type"):
        yield


@fault("CODE-09", "a provider delivers text where an image should be")
def text_instead_of_an_image(bench: Bench) -> Iterator[None]:
    with bench.provider_fault("recraft", "wrong_type"):
        yield


@fault("CODE-09", "every image is stored as PNG, whatever it is", relatives={"CDN-18"})
def mislabelled_images(bench: Bench) -> Iterator[None]:
    with (
        _images_removed(bench),
        bench.patched(
            "WorkerFunction",
            "pixel_prompt/pictures.py",
            'Picture(data, "image/jpeg", "jpg", *_jpeg_sides(data))',
            'Picture(data, "image/png", "png", *_jpeg_sides(data))',
        ),
    ):
        yield


@fault("CODE-09", "the worker stores half of each image")
def half_images(bench: Bench) -> Iterator[None]:
    with bench.patched(
        "WorkerFunction",
        "pixel_prompt/storage.py",
        "Body=picture.data,",
        "Body=picture.data[: len(picture.data) // 2],",
    ):
        yield


@fault("CODE-09", "one model is asked after the other")
def one_after_the_other(bench: Bench) -> Iterator[None]:
    with bench.patched(
        "WorkerFunction", "pixel_prompt/generation.py", "max_workers=len(unfinished)", "max_workers=1"
    ):
        yield


@fault("CODE-10", "the gallery is empty")
def empty_gallery(bench: Bench) -> Iterator[None]:
    with bench.patched(
        "ApiFunction", "pixel_prompt/gallery.py", "[self._summary(item) for item in shown]", "[]"
    ):
        yield


@fault("CODE-10", "the gallery shows the oldest first")
def gallery_in_the_wrong_order(bench: Bench) -> Iterator[None]:
    with bench.patched(
        "ApiFunction",
        "pixel_prompt/gallery.py",
        "shown = items[: wanted.size]",
        "shown = items[: wanted.size][::-1]",
    ):
        yield


@fault(
    "CODE-12",
    "a refusal is a 500 with a traceback",
    relatives={"CODE-13", "CODE-17", "CONF-03", "CONF-04", "SEC-14"},
)
def traceback_for_invalid_input(bench: Bench) -> Iterator[None]:
    with bench.patched(
        "ApiFunction",
        "pixel_prompt/web.py",
        "return Response(error.status, error.body(correlation_id), error.headers)",
        'return Response(HTTPStatus.INTERNAL_SERVER_ERROR, {"error": "Traceback (most recent call last)"})',
    ):
        yield


@fault("CODE-12", "an error carries no correlation id", relatives={"CODE-17"})
def error_without_correlation_id(bench: Bench) -> Iterator[None]:
    with bench.patched(
        "ApiFunction",
        "pixel_prompt/web.py",
        "error.body(correlation_id)",
        '{"error": {"code": error.code, "message": "no"}}',
    ):
        yield


@fault("CODE-12", "a prompt may turn round what stands beside it")
def overriding_prompt(bench: Bench) -> Iterator[None]:
    with bench.patched(
        "ApiFunction", "pixel_prompt/letters.py", "if _OVERRIDES.search(text):", "if not text:"
    ):
        yield


@fault("CODE-12", "a prompt may leave a direction open")
def unclosed_prompt(bench: Bench) -> Iterator[None]:
    with bench.patched("ApiFunction", "pixel_prompt/letters.py", "return not awaited\n", "return True\n"):
        yield


@fault("CODE-12", "a prompt may hide words from people")
def hiding_prompt(bench: Bench) -> Iterator[None]:
    with bench.patched(
        "ApiFunction", "pixel_prompt/letters.py", '_HIDDEN.search(_FLAG.sub("", text))', "not text"
    ):
        yield


@fault("CODE-12", "a page of the gallery may be of any size")
def endless_page(bench: Bench) -> Iterator[None]:
    with bench.patched(
        "ApiFunction",
        "pixel_prompt/validation.py",
        "if text not in _PAGE_SIZE_TEXTS:",
        "if not text.isdecimal():",
    ):
        yield


@fault("CODE-12", "a seed of any kind is taken")
def any_seed(bench: Bench) -> Iterator[None]:
    with bench.patched(
        "ApiFunction",
        "pixel_prompt/validation.py",
        'seed=_integer(document, "seed", range(SEED_MAX + 1), None),',
        'seed=document.get("seed"),',
    ):
        yield


@fault("CODE-12", "models that nobody has are left out of a job in silence")
def any_models(bench: Bench) -> Iterator[None]:
    with bench.patched(
        "ApiFunction",
        "pixel_prompt/validation.py",
        "if not chosen or len(chosen) != len(value):",
        "if False:",
    ):
        yield


@fault("CODE-12", "a job that does not exist is said to wait")
def job_of_nothing(bench: Bench) -> Iterator[None]:
    with bench.patched(
        "ApiFunction",
        "pixel_prompt/api.py",
        'raise errors.not_found("There is no such job.")',
        'return Response(HTTPStatus.OK, {"jobId": job_id, "status": "pending", "completed": 0, "total": 9, "results": []})',
    ):
        yield


@fault("CODE-10", "the gallery's next page is its first again")
def repeated_page(bench: Bench) -> Iterator[None]:
    with bench.patched(
        "ApiFunction", "pixel_prompt/gallery.py", "wanted.size + 1, start)", "wanted.size + 1, None)"
    ):
        yield


@fault("CODE-10", "the gallery counts wrongly")
def wrong_image_count(bench: Bench) -> Iterator[None]:
    with bench.patched(
        "ApiFunction", "pixel_prompt/gallery.py", '"imageCount": item["imageCount"]', '"imageCount": 1'
    ):
        yield


@fault("CODE-10", "what verifies is among what users made")
def verification_in_the_gallery(bench: Bench) -> Iterator[None]:
    with bench.patched(
        "WorkerFunction",
        "pixel_prompt/jobs.py",
        "VERIFICATION_PARTITION if job.verification else GALLERY_PARTITION",
        "GALLERY_PARTITION",
    ):
        yield
    _empty_gallery(bench)


@fault("CODE-10", "the users' gallery lists what verified", relatives={"CODE-14", "CODE-23"})
def gallery_of_verification(bench: Bench) -> Iterator[None]:
    with bench.patched(
        "ApiFunction",
        "pixel_prompt/gallery.py",
        "VERIFICATION_PARTITION if wanted.verification else GALLERY_PARTITION",
        "VERIFICATION_PARTITION",
    ):
        yield


@fault("CODE-10", "what users make is hidden from them", relatives={"CODE-14", "CODE-23"})
def everything_marked(bench: Bench) -> Iterator[None]:
    with (
        _older_job(bench),
        bench.patched(
            "ApiFunction",
            "pixel_prompt/api.py",
            "verification = read_verification(document)",
            "verification = read_verification(document) or True",
        ),
    ):
        yield


@fault("CODE-10", "who marks nothing is hidden", relatives={"CODE-14", "CODE-23"})
def marked_unless_it_says_otherwise(bench: Bench) -> Iterator[None]:
    with (
        _older_job(bench),
        bench.patched(
            "ApiFunction", "pixel_prompt/validation.py", "return bool(value)", "return value is not False"
        ),
    ):
        yield


@fault("CODE-10", "a job that was withdrawn stays where users see it")
def nothing_withdrawn(bench: Bench) -> Iterator[None]:
    with bench.patched("WorkerFunction", "pixel_prompt/worker.py", "self._jobs.withdraw(job_id)", "True"):
        yield
    _empty_gallery(bench)


@contextmanager
def _older_job(bench: Bench) -> Iterator[None]:
    """A user's job in the gallery, from before the fault."""
    made = _api(bench).generate("an older harbour", verification=False)
    try:
        yield
    finally:
        bench.stack.withdraw(made.id)


def _empty_gallery(bench: Bench) -> None:
    """Withdraw what a fault has left among what users made."""
    path = gallery_path(budgets.GALLERY_PAGE, verification=False)
    for left in _api(bench).call("GET", path).document()["galleries"]:
        bench.stack.withdraw(left["id"])


def _api(bench: Bench) -> Api:
    return Api(bench.env, bench.stack.formation.output("ApiEndpoint"))


# Configuration


@fault("CONF-01", "the API knows eight models", relatives={"CODE-09"})
def eight_models(bench: Bench) -> Iterator[None]:
    with bench.with_variables("ApiFunction", MODEL_OVERRIDES=json.dumps({registry.MODELS[-1].id: None})):
        yield


@fault("CONF-05", "worker timeout of 60 s", relatives={"CONF-10"})
def short_worker(bench: Bench) -> Iterator[None]:
    with bench.configured("WorkerFunction", Timeout=60):
        yield


@fault("CONF-06", "API timeout of 60 s")
def patient_api(bench: Bench) -> Iterator[None]:
    with bench.configured("ApiFunction", Timeout=60):
        yield


@fault("CONF-07", "worker memory of 512 MB")
def small_worker(bench: Bench) -> Iterator[None]:
    with bench.configured("WorkerFunction", MemorySize=512):
        yield


def _lifecycle(bench: Bench, **changes: Any) -> Iterator[None]:
    client, bucket = bench.client("s3"), bench.physical("ImagesBucket")
    before = client.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    altered = [{**rule, **changes} for rule in before]
    client.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": altered})
    try:
        yield
    finally:
        client.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": before})


@fault("CONF-08", "the expiry rule is disabled")
def disabled_expiry(bench: Bench) -> Iterator[None]:
    yield from _lifecycle(bench, Status="Disabled")


@fault("CONF-08", "the expiry rule is about another prefix")
def expiry_of_other_objects(bench: Bench) -> Iterator[None]:
    yield from _lifecycle(bench, Filter={"Prefix": "thumbnails/"})


@fault("CONF-08", "only images with a tag expire")
def expiry_of_some_images(bench: Bench) -> Iterator[None]:
    picked = {"And": {"Prefix": "images/", "Tags": [{"Key": "draft", "Value": "yes"}]}}
    yield from _lifecycle(bench, Filter=picked)


@fault("CONF-08", "some images expire after a day")
def early_expiry_of_some(bench: Bench) -> Iterator[None]:
    client, bucket = bench.client("s3"), bench.physical("ImagesBucket")
    before = client.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    early = {"ID": "early", "Status": "Enabled", "Filter": {"Prefix": "images/0"}, "Expiration": {"Days": 1}}
    client.put_bucket_lifecycle_configuration(
        Bucket=bucket, LifecycleConfiguration={"Rules": [*before, early]}
    )
    try:
        yield
    finally:
        client.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": before})


@fault("CONF-08", "an image that expires stays as an old version")
def versions_kept(bench: Bench) -> Iterator[None]:
    client, bucket = bench.client("s3"), bench.physical("ImagesBucket")
    client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    try:
        yield
    finally:
        client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})


@fault("CONF-08", "images expire after 300 days")
def late_expiry(bench: Bench) -> Iterator[None]:
    yield from _lifecycle(bench, Expiration={"Days": 300})


def _watching_another(alarm: dict[str, Any]) -> dict[str, Any]:
    text = json.dumps(alarm).replace('"FunctionName", "Value": "', '"FunctionName", "Value": "former-')
    return dict(json.loads(text))


@fault("CONF-09", "the error alarm watches a function of a former name")
def stale_error_alarm(bench: Bench) -> Iterator[None]:
    with bench.alarm("WorkerErrorsAlarm", _watching_another):
        yield


@fault("CONF-09", "the error alarm tells nobody", relatives={"CONF-11", "INF-14"})
def mute_error_alarm(bench: Bench) -> Iterator[None]:
    with bench.alarm("ApiErrorsAlarm", lambda alarm: {**alarm, "ActionsEnabled": False}):
        yield


@fault("CONF-09", "the error alarm looks at a day at a time")
def daily_error_alarm(bench: Bench) -> Iterator[None]:
    with bench.alarm("WorkerErrorsAlarm", lambda alarm: {**alarm, "Period": 86_400}):
        yield


@fault("CONF-09", "the error alarm counts seconds, and errors are a count")
def unit_of_no_error(bench: Bench) -> Iterator[None]:
    with bench.alarm("WorkerErrorsAlarm", lambda alarm: {**alarm, "Unit": "Seconds"}):
        yield


@fault("CONF-09", "one call that succeeds hides the errors of its period")
def least_of_the_errors(bench: Bench) -> Iterator[None]:
    with bench.alarm("WorkerErrorsAlarm", lambda alarm: {**alarm, "Statistic": "Minimum", "Threshold": 1.0}):
        yield


@fault("CONF-09", "the error alarm is up whenever nobody calls, so that errors do not raise it")
def always_raised(bench: Bench) -> Iterator[None]:
    with bench.alarm("WorkerErrorsAlarm", lambda alarm: {**alarm, "TreatMissingData": "breaching"}):
        yield


@fault("CONF-10", "the fastest call of each period decides whether the function is slow")
def least_of_the_durations(bench: Bench) -> Iterator[None]:
    def fastest(alarm: dict[str, Any]) -> dict[str, Any]:
        return {**{k: v for k, v in alarm.items() if k != "ExtendedStatistic"}, "Statistic": "Minimum"}

    with bench.alarm("ApiDurationAlarm", fastest):
        yield


@fault("CONF-10", "the duration alarm waits for longer than the function may run")
def late_duration_alarm(bench: Bench) -> Iterator[None]:
    with bench.alarm("WorkerDurationAlarm", lambda alarm: {**alarm, "Threshold": 900_000.0}):
        yield


@fault("CONF-10", "the duration alarm is gone")
def no_duration_alarm(bench: Bench) -> Iterator[None]:
    with bench.alarm("ApiDurationAlarm", None):
        yield


@fault("CONF-12", "the dead-letter alarm is gone")
def no_dead_letter_alarm(bench: Bench) -> Iterator[None]:
    with bench.alarm("DeadLetter", None):
        yield


@fault("CONF-12", "nobody watches the API's 5xx")
def no_5xx_alarm(bench: Bench) -> Iterator[None]:
    with bench.alarm("Api5xx", None):
        yield


@fault("CONF-12", "a hundred thousand 5xx raise no alarm")
def deaf_5xx_alarm(bench: Bench) -> Iterator[None]:
    with bench.alarm("Api5xx", lambda alarm: {**alarm, "Threshold": 100_000.0}):
        yield


@fault("CONF-12", "the 5xx alarm is up while there are few 5xx, and not while there are many")
def turned_5xx_alarm(bench: Bench) -> Iterator[None]:
    with bench.alarm("Api5xx", lambda alarm: {**alarm, "ComparisonOperator": "LessThanThreshold"}):
        yield


@fault("CONF-12", "throttles have to go on for half an hour")
def patient_throttles_alarm(bench: Bench) -> Iterator[None]:
    patient = {"EvaluationPeriods": 6, "DatapointsToAlarm": 6}
    with bench.alarm("ApiThrottlesAlarm", lambda alarm: {**alarm, **patient}):
        yield


@fault("CONF-12", "jobs may wait for an hour", relatives={"INF-04"})
def late_queue_alarm(bench: Bench) -> Iterator[None]:
    with bench.alarm("QueueAgeAlarm", lambda alarm: {**alarm, "Threshold": 3600.0}):
        yield


@fault("CONF-13", "the frontend points at another stack's API")
def frontend_of_another_stack(bench: Bench) -> Iterator[None]:
    endpoint = bench.stack.formation.output("ApiEndpoint")
    with bench.checkout.changed(
        "frontend/.env", endpoint, "https://abcdef1234.execute-api.us-east-1.amazonaws.com"
    ):
        yield


@fault("CONF-16", "the worker's log is kept for ever")
def eternal_log(bench: Bench) -> Iterator[None]:
    client, group = bench.client("logs"), bench.physical("WorkerLogGroup")
    days = client.describe_log_groups(logGroupNamePrefix=group)["logGroups"][0]["retentionInDays"]
    client.delete_retention_policy(logGroupName=group)
    try:
        yield
    finally:
        client.put_retention_policy(logGroupName=group, retentionInDays=days)


@fault("CONF-16", "the API's log is kept for ten years")
def log_of_ten_years(bench: Bench) -> Iterator[None]:
    yield from _log_kept(bench, "ApiLogGroup", 3653)


@fault("CONF-16", "the worker's log is kept for a day")
def log_of_a_day(bench: Bench) -> Iterator[None]:
    yield from _log_kept(bench, "WorkerLogGroup", 1)


def _log_kept(bench: Bench, name: str, kept: int) -> Iterator[None]:
    client, group = bench.client("logs"), bench.physical(name)
    days = client.describe_log_groups(logGroupNamePrefix=group)["logGroups"][0]["retentionInDays"]
    client.put_retention_policy(logGroupName=group, retentionInDays=kept)
    try:
        yield
    finally:
        client.put_retention_policy(logGroupName=group, retentionInDays=days)


@fault("CONF-16", "the worker's log group is gone", relatives={"CODE-09", "CODE-17", "CODE-20", "SEC-15"})
def lost_log(bench: Bench) -> Iterator[None]:
    client, group = bench.client("logs"), bench.physical("WorkerLogGroup")
    before = client.describe_log_groups(logGroupNamePrefix=group)["logGroups"][0]
    tags = client.list_tags_for_resource(resourceArn=before["logGroupArn"])["tags"]
    client.delete_log_group(logGroupName=group)
    try:
        yield
    finally:
        client.create_log_group(
            logGroupName=group,
            tags={name: text for name, text in tags.items() if not name.startswith("aws:")},
        )
        client.put_retention_policy(logGroupName=group, retentionInDays=before["retentionInDays"])


@fault("CONF-17", "jobs and counters stay for ever")
def eternal_rows(bench: Bench) -> Iterator[None]:
    client, table = bench.client("dynamodb"), bench.physical("JobsTable")
    attribute = client.describe_time_to_live(TableName=table)["TimeToLiveDescription"]["AttributeName"]

    def switch(enabled: bool) -> None:
        specification = {"Enabled": enabled, "AttributeName": attribute}
        client.update_time_to_live(TableName=table, TimeToLiveSpecification=specification)

    switch(enabled=False)
    try:
        yield
    finally:
        switch(enabled=True)


@fault("CONF-17", "TTL looks at an attribute that no row has")
def ttl_of_another_attribute(bench: Bench) -> Iterator[None]:
    client, table = bench.client("dynamodb"), bench.physical("JobsTable")
    attribute = client.describe_time_to_live(TableName=table)["TimeToLiveDescription"]["AttributeName"]

    def move(old: str, new: str) -> None:
        for name, enabled in ((old, False), (new, True)):
            specification = {"Enabled": enabled, "AttributeName": name}
            client.update_time_to_live(TableName=table, TimeToLiveSpecification=specification)

    move(attribute, "deleteAfter")
    try:
        yield
    finally:
        move("deleteAfter", attribute)


@fault("CONF-17", "a job's expiry is in milliseconds")
def expiry_in_milliseconds(bench: Bench) -> Iterator[None]:
    client, table = bench.client("dynamodb"), bench.physical("JobsTable")
    rows = client.scan(TableName=table, Limit=100)["Items"]
    row = next(row for row in rows if row["pk"]["S"].startswith("job#"))

    def expire(at: str) -> None:
        client.update_item(
            TableName=table,
            Key={"pk": row["pk"]},
            UpdateExpression="SET expiresAt = :at",
            ExpressionAttributeValues={":at": {"N": at}},
        )

    expire(row["expiresAt"]["N"] + "000")
    try:
        yield
    finally:
        expire(row["expiresAt"]["N"])


# Security


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


@fault("SEC-13", "the response headers policy is detached")
def no_security_headers(bench: Bench) -> Iterator[None]:
    def detach(configuration: dict[str, Any]) -> None:
        for behaviour in _behaviours(configuration):
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


# Infrastructure


@fault("INF-01", "an update failed and was rolled back", alone=True)
def rolled_back_update(bench: Bench) -> Iterator[None]:
    def impossible(template: dict[str, Any]) -> None:
        template["Resources"]["Impossible"] = {
            "Type": "AWS::Lambda::EventSourceMapping",
            "Properties": {"FunctionName": "no-such-function", "EventSourceArn": bench.stack.queue.arn},
        }

    try:
        with bench.template(impossible):
            raise AssertionError("the fault no longer fits: the update succeeded")
    except botocore.exceptions.WaiterError:
        pass
    try:
        yield
    finally:
        with bench.template(
            lambda template: template["Resources"]["AlarmTopic"]["Properties"].update(DisplayName="x")
        ):
            pass


@fault("INF-02", "health names another environment")
def health_of_another_environment(bench: Bench) -> Iterator[None]:
    with bench.with_variables("ApiFunction", ENVIRONMENT="dev"):
        yield


@fault("INF-02", "health answers 500", relatives={"CDN-07", "CODE-08", "CONF-01"})
def broken_health(bench: Bench) -> Iterator[None]:
    with bench.patched("ApiFunction", "pixel_prompt/api.py", '"version": __version__,', '"version": 1 // 0,'):
        yield


@fault("INF-03", "an output names a bucket that does not exist", alone=True)
def dead_output(bench: Bench) -> Iterator[None]:
    def point_elsewhere(template: dict[str, Any]) -> None:
        template["Outputs"]["S3BucketName"]["Value"] = "a-bucket-of-yesterday"

    with bench.template(point_elsewhere):
        yield


@fault("INF-03", "an output is missing", relatives={"CONF-15"}, alone=True)
def missing_output(bench: Bench) -> Iterator[None]:
    with bench.template(lambda template: template["Outputs"].pop("S3BucketName")):
        yield


@fault("INF-05", "the stage has no throttle")
def no_throttle(bench: Bench) -> Iterator[None]:
    client, api = bench.client("apigatewayv2"), bench.physical("HttpApi")
    before = client.get_stage(ApiId=api, StageName="$default")["DefaultRouteSettings"]
    loose = {**before, "ThrottlingRateLimit": 10_000.0, "ThrottlingBurstLimit": 5_000}
    client.update_stage(ApiId=api, StageName="$default", DefaultRouteSettings=loose)
    try:
        yield
    finally:
        client.update_stage(ApiId=api, StageName="$default", DefaultRouteSettings=before)


@fault("INF-05", "one route has a throttle of its own")
def one_loose_route(bench: Bench) -> Iterator[None]:
    client, api = bench.client("apigatewayv2"), bench.physical("HttpApi")
    own = {"POST /generate": {"ThrottlingRateLimit": 1_000.0, "ThrottlingBurstLimit": 1_000}}
    client.update_stage(ApiId=api, StageName="$default", RouteSettings=own)
    default = client.get_stage(ApiId=api, StageName="$default")["DefaultRouteSettings"]
    try:
        yield
    finally:
        client.update_stage(ApiId=api, StageName="$default", RouteSettings={"POST /generate": default})


@fault("INF-12", "the worker is not traced")
def untraced_worker(bench: Bench) -> Iterator[None]:
    with bench.configured("WorkerFunction", TracingConfig={"Mode": "PassThrough"}):
        yield


@fault("INF-13", "point-in-time recovery is off")
def no_recovery(bench: Bench) -> Iterator[None]:
    client, table = bench.client("dynamodb"), bench.physical("JobsTable")

    def switch(enabled: bool) -> None:
        specification = {"PointInTimeRecoveryEnabled": enabled}
        client.update_continuous_backups(TableName=table, PointInTimeRecoverySpecification=specification)

    switch(enabled=False)
    try:
        yield
    finally:
        switch(enabled=True)


@fault("INF-17", "the images would be deleted with the stack", alone=True)
def images_go_with_the_stack(bench: Bench) -> Iterator[None]:
    with bench.template(lambda template: template["Resources"]["ImagesBucket"].pop("DeletionPolicy")):
        yield


# CloudFront


def _behaviours(configuration: dict[str, Any]) -> list[dict[str, Any]]:
    return [configuration["DefaultCacheBehavior"], *configuration.get("CacheBehaviors", {}).get("Items", [])]


@fault("CDN-01", "the distribution is disabled", relatives=SERVED_IMAGES | {"CDN-12"})
def disabled_distribution(bench: Bench) -> Iterator[None]:
    with bench.distribution_changed(lambda configuration: configuration.update(Enabled=False)):
        yield


# Without CDN-18: the edge still serves the older images that it keeps.
@fault(
    "CDN-02",
    "the origin path is wrong",
    relatives=SERVED_IMAGES - {"CDN-02", "CDN-03", "CDN-18"} | {"CDN-12"},
)
def wrong_origin_path(bench: Bench) -> Iterator[None]:
    def move(configuration: dict[str, Any]) -> None:
        configuration["Origins"]["Items"][0]["OriginPath"] = "/elsewhere"

    with bench.distribution_changed(move):
        yield


@fault(
    "CDN-02",
    "the API hands out another CDN's addresses",
    relatives=SERVED_IMAGES - {"CDN-02", "CDN-18", "SEC-19"},
)
def addresses_of_another_cdn(bench: Bench) -> Iterator[None]:
    with bench.with_variables("ApiFunction", CDN_DOMAIN="d111111abcdef8.cloudfront.net"):
        yield


@fault("CDN-02", "images are stored without their type", relatives={"CDN-18"})
def untyped_images(bench: Bench) -> Iterator[None]:
    with (
        _images_removed(bench),
        bench.patched(
            "WorkerFunction",
            "pixel_prompt/storage.py",
            "ContentType=picture.media_type",
            'ContentType="binary/octet-stream"',
        ),
    ):
        yield


@contextmanager
def _images_removed(bench: Bench) -> Iterator[None]:
    """Whatever is stored meanwhile as no image has to be is gone afterwards; it would turn the faults that follow."""
    before = {one.key for one in bench.stack.bucket.objects("images/")}
    try:
        yield
    finally:
        for one in bench.stack.bucket.objects("images/"):
            if one.key not in before:
                bench.client("s3").delete_object(Bucket=bench.physical("ImagesBucket"), Key=one.key)


@contextmanager
def _image(bench: Bench, **changes: Any) -> Iterator[None]:
    """The oldest stored image with another content or type, gone from the edges' memory before and after."""
    client, bucket = bench.client("s3"), bench.physical("ImagesBucket")
    key = min(bench.stack.bucket.objects("images/"), key=lambda one: one.modified).key
    answer = client.get_object(Bucket=bucket, Key=key)
    before = {name: answer[name] for name in ("ContentType", "CacheControl")} | {
        "Body": answer["Body"].read()
    }
    client.put_object(Bucket=bucket, Key=key, **{**before, **changes})
    bench.stack.distribution.invalidate(f"/{key}")
    try:
        yield
    finally:
        client.put_object(Bucket=bucket, Key=key, **before)
        bench.stack.distribution.invalidate(f"/{key}")


@fault("CDN-18", "an old image is answered as a document")
def image_as_document(bench: Bench) -> Iterator[None]:
    with _image(bench, ContentType="text/html"):
        yield


@fault("CDN-18", "an old image is a document that is answered as an image")
def document_as_image(bench: Bench) -> Iterator[None]:
    with _image(bench, Body=b"<!doctype html><title>Sign in</title>"):
        yield


@fault("CDN-18", "a document lies among the images")
def document_among_images(bench: Bench) -> Iterator[None]:
    client, bucket, key = bench.client("s3"), bench.physical("ImagesBucket"), "images/sign-in.html"
    client.put_object(
        Bucket=bucket, Key=key, Body=b"<!doctype html><title>Sign in</title>", ContentType="text/html"
    )
    try:
        yield
    finally:
        client.delete_object(Bucket=bucket, Key=key)


@fault("CDN-03", "plain HTTP is served")
def plain_cdn(bench: Bench) -> Iterator[None]:
    def allow_all(configuration: dict[str, Any]) -> None:
        for behaviour in _behaviours(configuration):
            behaviour["ViewerProtocolPolicy"] = "allow-all"

    with bench.distribution_changed(allow_all):
        yield


def _cache_policy(bench: Bench, change: Any, of: str = "ImageCachePolicy") -> Iterator[None]:
    client, id_ = bench.client("cloudfront"), bench.physical(of)
    answer = client.get_cache_policy(Id=id_)
    before = answer["CachePolicy"]["CachePolicyConfig"]
    altered = json.loads(json.dumps(before))
    change(altered)
    client.update_cache_policy(Id=id_, IfMatch=answer["ETag"], CachePolicyConfig=altered)
    try:
        yield
    finally:
        etag = client.get_cache_policy(Id=id_)["ETag"]
        client.update_cache_policy(Id=id_, IfMatch=etag, CachePolicyConfig=before)


@fault("CDN-04", "nothing is cached", relatives={"CDN-05", "CDN-06", "CDN-08", "CDN-11"})
def no_cache(bench: Bench) -> Iterator[None]:
    yield from _cache_policy(bench, lambda policy: policy.update(MinTTL=0, DefaultTTL=0, MaxTTL=0))


@fault("CDN-15", "the edge keeps the page for a year")
def kept_for_a_year(bench: Bench) -> Iterator[None]:
    def lasting(policy: dict[str, Any]) -> None:
        policy.update(MinTTL=31536000, DefaultTTL=31536000, MaxTTL=31536000)

    yield from _cache_policy(bench, lasting, "SiteCachePolicy")


@fault("CDN-06", "browsers may keep an image for a minute")
def short_lived_images(bench: Bench) -> Iterator[None]:
    with bench.patched(
        "WorkerFunction",
        "pixel_prompt/storage.py",
        "public, max-age=2592000, immutable",
        "public, max-age=60",
    ):
        yield


@fault("CDN-06", "the distribution keeps an image for a minute")
def short_lived_copies(bench: Bench) -> Iterator[None]:
    yield from _cache_policy(bench, lambda policy: policy.update(MinTTL=0, DefaultTTL=60, MaxTTL=60))


@fault("CDN-07", "a job's status may be cached")
def cached_status(bench: Bench) -> Iterator[None]:
    with bench.patched(
        "ApiFunction",
        "pixel_prompt/web.py",
        '"Cache-Control": "no-store"',
        '"Cache-Control": "public, max-age=60"',
    ):
        yield


@fault("CDN-08", "the query string is part of the cache key")
def query_in_the_key(bench: Bench) -> Iterator[None]:
    def add_queries(policy: dict[str, Any]) -> None:
        parameters = policy["ParametersInCacheKeyAndForwardedToOrigin"]
        parameters["QueryStringsConfig"] = {"QueryStringBehavior": "all"}

    yield from _cache_policy(bench, add_queries)


@fault("CDN-13", "writes are let through")
def writable_cdn(bench: Bench) -> Iterator[None]:
    methods = ["GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE"]

    def allow(configuration: dict[str, Any]) -> None:
        for behaviour in _behaviours(configuration):
            behaviour["AllowedMethods"] = {
                **behaviour["AllowedMethods"],
                "Quantity": len(methods),
                "Items": methods,
            }

    with bench.distribution_changed(allow):
        yield
