"""Section Security: what must not be possible, tried."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

import pytest

from verification import budgets
from verification.errors import Unverified
from verification.probes.api import Api, Job
from verification.probes.cdn import Cdn, path_of
from verification.probes.commands import Source
from verification.report.redaction import looks_secret
from verification.stack import Stack

pytestmark = pytest.mark.security

_SECRET_NAME = re.compile(r"(API_?KEY|SECRET|TOKEN|PASSWORD|CREDENTIAL)", re.IGNORECASE)
_REFERENCE = re.compile(r"^(arn:aws[a-z-]*:|/)|^$")


@pytest.mark.item("SEC-03")
def test_bandit_finds_nothing_of_weight(source: Source) -> None:
    """The holes that a machine finds are the first that attackers try."""
    assert source.bandit() == []


@pytest.mark.item("SEC-04")
def test_tree_and_history_hold_no_secret(source: Source) -> None:
    """A key in one old commit is a key that everybody with a clone has."""
    assert source.secrets() == []


@pytest.mark.item("SEC-06")
def test_no_function_carries_a_key(stack: Stack) -> None:
    """Whoever may describe a function reads its environment."""
    carried = [
        f"{function.name}: {name}"
        for function in stack.functions
        for name, value in function.environment.items()
        if looks_secret(value) or (_SECRET_NAME.search(name) and not _REFERENCE.match(value))
    ]

    assert carried == []
    assert not stack.provider_keys.deletion_scheduled, f"{stack.provider_keys!r} is being deleted"


@pytest.mark.item("SEC-07")
def test_api_answers_allowed_origins_alone(api: Api, stack: Stack) -> None:
    """Any web page could spend a visitor's share of the budget."""
    allowed = [origin.strip() for origin in stack.formation.parameter("AllowedOrigins").split(",")]
    strangers = ["https://attacker.example", "null", allowed[0] + ".attacker.example"]
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
    granted = {
        origin: {
            api.call("OPTIONS", "/generate", headers={"Origin": origin, **asked}).headers.get(header),
            api.call("GET", "/health", headers={"Origin": origin}).headers.get(header),
        }
        for origin in [*allowed, *strangers]
        for header in ["Access-Control-Allow-Origin"]
    }

    assert granted == {**{origin: {origin} for origin in allowed}, **{origin: {None} for origin in strangers}}


@pytest.mark.item("SEC-10")
def test_bucket_refuses_anonymous_access(stack: Stack, job: Job) -> None:
    """Anyone who guesses a key could read every user's images."""
    if not job.image_urls:
        raise Unverified("the job left no image to try")
    key = path_of(job.image_urls[0])[1:]

    assert stack.bucket.public_access_block == dict.fromkeys(stack.bucket.public_access_block, True)
    assert not stack.bucket.policy_is_public, stack.bucket.policy_statements
    assert stack.bucket.anonymous("get_object", Key=key) == HTTPStatus.FORBIDDEN
    assert stack.bucket.anonymous("list_objects_v2") == HTTPStatus.FORBIDDEN


@pytest.mark.item("SEC-11")
def test_everything_is_encrypted_at_rest(stack: Stack) -> None:
    """A copied disk or a wrong grant would give the data away in clear."""
    bare = {
        "bucket": not stack.bucket.encryption_algorithms,
        "table": stack.table.encryption_status not in ("ENABLED", "ENABLING"),
        "queue": not stack.queue.encrypted,
        "dead-letter queue": not stack.dead_letter_queue.encrypted,
        "topic": not stack.alarm_topic.kms_key_id,
    }

    assert [what for what, unprotected in bare.items() if unprotected] == []
    assert stack.provider_keys.description["ARN"], "the secret is always encrypted, but it has to exist"


@pytest.mark.item("SEC-12")
def test_bucket_refuses_plain_http(stack: Stack, job: Job) -> None:
    """A signed request in clear can be read, and repeated while it is fresh."""
    if not job.image_urls:
        raise Unverified("the job left no image to try")
    key = path_of(job.image_urls[0])[1:]
    stack.bucket.object_bytes(key)  # the same credentials may read it over TLS

    assert stack.bucket.over_plain_http("get_object", Key=key) == HTTPStatus.FORBIDDEN


@pytest.mark.item("SEC-13")
def test_cdn_sends_security_headers(cdn: Cdn, job: Job) -> None:
    """Browsers protect a page only as far as its headers ask them to."""
    image = cdn.get(path_of(job.image_urls[0]))
    age = re.search(r"max-age=(\d+)", image.headers.get("strict-transport-security", ""))

    assert image.status == HTTPStatus.OK
    assert age and int(age[1]) >= budgets.HSTS.total_seconds(), dict(image.headers)
    assert image.headers.get("x-content-type-options") == "nosniff"
    assert image.headers.get("x-frame-options") in ("DENY", "SAMEORIGIN")
    assert image.headers.get("referrer-policy") in (
        "no-referrer",
        "same-origin",
        "strict-origin-when-cross-origin",
    )


@pytest.mark.item("SEC-18")
def test_runtimes_stay_supported(stack: Stack) -> None:
    """A deprecated runtime gets no security fixes, and soon no updates of the function."""
    horizon = datetime.now(UTC).date() + budgets.RUNTIME_NOTICE
    unknown = {f.runtime for f in stack.functions} - budgets.RUNTIME_DEPRECATION.keys()
    ending = {f.name: f.runtime for f in stack.functions if f.runtime not in unknown}
    ending = {
        name: runtime for name, runtime in ending.items() if budgets.RUNTIME_DEPRECATION[runtime] < horizon
    }

    assert ending == {}
    if unknown:
        raise Unverified(
            f"no deprecation date is known for {', '.join(sorted(unknown))}; add it to budgets.py"
        )


@pytest.mark.item("SEC-19")
def test_only_this_distribution_reads_the_bucket(stack: Stack) -> None:
    """Another account's distribution could serve our bucket."""
    readers = [statement for statement in stack.bucket.policy_statements if statement["Effect"] == "Allow"]

    assert readers, f"{stack.bucket!r}: nobody may read it, so the distribution cannot"
    assert [
        statement
        for statement in readers
        if statement["Principal"] != {"Service": "cloudfront.amazonaws.com"}
        or _source_arns(statement) != [stack.distribution.arn]
    ] == []
    assert [c["SigningBehavior"] for c in stack.distribution.origin_access_controls] == ["always"]


@pytest.mark.item("SEC-22")
def test_cdn_serves_images_alone(stack: Stack, cdn: Cdn) -> None:
    """Whatever else is put into the bucket would be public at once."""
    key = f"verification/{uuid.uuid4().hex}.txt"
    with stack.bucket.temporary_object(key, b"not an image"):
        answer = cdn.get(f"/{key}")

    assert answer.status == HTTPStatus.FORBIDDEN, answer


def _source_arns(statement: Mapping[str, Any]) -> list[str]:
    return [
        value
        for operator in ("StringEquals", "ArnEquals")
        for key, value in statement.get("Condition", {}).get(operator, {}).items()
        if key.lower() == "aws:sourcearn"
    ]
