"""Section Security: what must not be possible, tried."""

from __future__ import annotations

import re
import ssl
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import pytest

from readiness import budgets as general
from readiness.application import Application
from readiness.aws.function import Function
from readiness.aws.key import Key
from readiness.aws.log_group import LogEvent
from readiness.aws.policy import Statement, external_principals, read, unlimited
from readiness.aws.role import Role
from readiness.aws.service_access import Caller, may_decrypt
from readiness.aws.web_acl import WebAcl
from readiness.environment import Environment
from readiness.errors import NeedsAws, Unverified
from readiness.probes import encodings, iam_actions, tls
from readiness.probes.called_actions import OF_A_QUEUES_READER, OF_EVERY_FUNCTION, Code
from readiness.probes.cdn import Cdn, key_of
from readiness.probes.http import Answer
from readiness.report import known
from readiness.report.redaction import looks_secret
from verification import budgets
from verification.application import ROOT
from verification.probes.api import Api, Job, error_of, new_correlation_id
from verification.probes.artefacts import Artefacts
from verification.probes.commands import Source
from verification.probes.own_report import OwnReport
from verification.probes.packages import Packages
from verification.probes.page import Page
from verification.probes.workflows import Workflows
from verification.stack import Stack

pytestmark = pytest.mark.security

# Let in by AWS itself, in older accounts without a condition; each writes into logs of its rule's or resource's account.
_WRITING_LOGS = {"delivery.logs.amazonaws.com", "events.amazonaws.com"}
_SECRET_NAME = re.compile(r"KEY|SECRET|TOKEN|PASSWORD|CREDENTIAL", re.IGNORECASE)
_TLS_VERSIONS = [version for version in ssl.TLSVersion if version.name.startswith("TLS")]
_OLD_TLS = {"TLSv1", "TLSv1_1"}
# No variable of this application has a word like that, but for the names of its resources.
_RANDOM = re.compile(r"[A-Za-z0-9+]{24,}|[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
_HARMLESS = re.compile(r"arn:aws[a-z-]*:.*|\d*|true|false", re.IGNORECASE)


@pytest.mark.item("SEC-01")
def test_what_ships_has_no_grave_advisory(packages: Packages) -> None:
    """A published hole is open in every visitor's browser."""
    assert packages.npm_advisories() == []


@pytest.mark.item("SEC-02")
def test_python_packages_have_no_known_vulnerability(packages: Packages) -> None:
    """The functions hold the providers' keys, and the suite runs with credentials for production."""
    assert packages.python_advisories() == []


@pytest.mark.item("SEC-03")
def test_bandit_finds_nothing_of_weight(source: Source) -> None:
    """The holes that a machine finds are the first that attackers try."""
    assert source.bandit() == []


@pytest.mark.item("SEC-04")
def test_tree_and_history_hold_no_secret(source: Source) -> None:
    """Every person with a clone has a key that is in any old commit."""
    assert source.secrets() == []


@pytest.mark.item("SEC-05")
def test_what_is_built_holds_no_secret(source: Source) -> None:
    """A key that is compiled into the page is published, although it never stood in the repository."""
    assert Artefacts(source.app).secrets() == []


@pytest.mark.item("SEC-06")
def test_no_function_carries_a_key(stack: Stack) -> None:
    """Every principal that may describe a function can read its environment."""
    own = sorted({resource.physical_id for resource in stack.formation.resources.values()}, key=len)
    carried = [
        f"{function.name}: {name}"
        for function in stack.functions
        for name, value in function.environment.items()
        if any(_is_a_key(*spelt) for spelt in encodings.spellings(name, value)) or _is_random(value, own)
    ]

    assert carried == []
    assert not stack.provider_keys.deletion_scheduled, f"{stack.provider_keys!r} is being deleted"
    assert stack.provider_keys.has_current_version, f"{stack.provider_keys!r} holds nothing"


def _is_a_key(name: str, value: str) -> bool:
    if _HARMLESS.fullmatch(value):
        return False
    return bool(looks_secret(value) or known.holds(value) or _SECRET_NAME.search(name))


def _is_random(value: str, own: Sequence[str]) -> bool:
    """Return whether a value contains random text, as a key of an unknown form has, encoded or not."""
    for name in reversed(own):
        value = value.replace(name, "") if name else value
    return any(
        bool(re.search(r"\d", word)) and bool(re.search(r"[A-Za-z]", word)) for word in _RANDOM.findall(value)
    )


@pytest.mark.item("SEC-07")
def test_api_answers_allowed_origins_alone(api: Api, stack: Stack) -> None:
    """Any web page could spend a visitor's share of the budget."""
    allowed = [origin.strip() for origin in stack.formation.parameter("AllowedOrigins").split(",")]
    allowed.append(stack.formation.output("SiteUrl"))
    foreign = ["https://attacker.example", "null", allowed[0] + ".attacker.example"]
    headers = {"content-type", "x-correlation-id"}
    asked = {
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": ",".join(sorted(headers)),
    }
    preflights = [api.call("OPTIONS", "/generate", headers={"Origin": origin, **asked}) for origin in allowed]
    granted = {
        origin: {
            api.call("OPTIONS", "/generate", headers={"Origin": origin, **asked}).headers.get(header),
            api.call("GET", "/health", headers={"Origin": origin}).headers.get(header),
        }
        for origin in [*allowed, *foreign]
        for header in ["Access-Control-Allow-Origin"]
    }

    assert {*stack.http_api.cors.get("AllowOrigins", ())} == {*allowed}, f"{stack.http_api!r} allows others"
    for path, origins in stack.distribution.cors_origins.items():
        assert origins == {*allowed}, (
            f"expected that {sorted(allowed)} may read the images at {path}, found {sorted(origins)}; "
            f"give this behaviour of {stack.distribution!r} a response headers policy with the expected origins"
        )
    assert [
        p for p in preflights if "access-control-allow-credentials" in {n.lower() for n in p.headers}
    ] == []
    assert granted == {**{origin: {origin} for origin in allowed}, **{origin: {None} for origin in foreign}}
    assert [p for p in preflights if p.status not in (HTTPStatus.OK, HTTPStatus.NO_CONTENT)] == []
    assert [p for p in preflights if not headers <= _words(p, "Access-Control-Allow-Headers")] == []
    assert [p for p in preflights if "post" not in _words(p, "Access-Control-Allow-Methods")] == []


def _words(answer: Answer, header: str) -> set[str]:
    return {word.strip().lower() for word in answer.headers.get(header, "").split(",")}


@pytest.mark.item("SEC-08")
def test_each_function_has_a_small_role_of_its_own(
    stack: Stack, env: Environment, application: Application
) -> None:
    """An attacker who controls a function has all permissions of its role."""
    granted = [
        (role.name, statement)
        for role in stack.roles.values()
        for statement in read(role.statements)
        if statement.allows
    ]
    api, worker = stack.roles[stack.api.name], stack.roles[stack.worker.name]

    assert len({role.name for role in stack.roles.values()}) == len(stack.functions), stack.roles
    assert [
        role for role in stack.roles.values() if _trusted_services(role) != ["lambda.amazonaws.com"]
    ] == []
    assert [grant for grant in granted if _leaves_actions_open(grant[1])] == []
    assert [grant for grant in granted if _leaves_resources_open(grant[1], stack)] == []
    assert {
        f"{function.name} on {arn}": reason
        for function in stack.functions
        for statement in read(stack.roles[function.name].statements)
        if statement.allows
        for arn in statement.resources
        if (reason := _not_needed(arn, function, stack, application))
    } == {}
    if not (
        api.may("sqs:SendMessage", stack.queue.arn)
        and worker.may("s3:PutObject", f"arn:{env.partition}:s3:::{stack.bucket.name}/images/x")
    ):
        raise Unverified("IAM simulates as denied what the functions live on; its other answers say nothing")
    assert [
        f"{role.name} may {action} on {resource}"
        for role, action, resource in _unneeded(stack, env)
        if role.may(action, resource)
    ] == []


@pytest.mark.item("SEC-09")
def test_every_granted_action_exists(stack: Stack, source: Source) -> None:
    """A misspelt action grants nothing, and IAM reports no error."""
    live = [
        action
        for role in stack.roles.values()
        for statement in read(role.statements)
        for action in statement.named_actions
    ]
    written = iam_actions.template_statements(source.app / "backend" / "template.yaml")
    declared = [action for statement in read(written) for action in statement.named_actions]

    assert live and declared, "no role grants any action"
    assert [action for action in dict.fromkeys([*live, *declared]) if not iam_actions.is_known(action)] == []


@pytest.mark.item("SEC-24")
def test_every_granted_action_is_called(stack: Stack, source: Source) -> None:
    """A permission that a function never uses only serves an attacker who controls the function."""
    code = Code(source.app / "backend" / "src")
    granted = {
        function: [
            action
            for statement in read(stack.roles[function.name].statements)
            if statement.allows
            for action in statement.actions
        ]
        for function in stack.functions
    }
    served = {
        function: OF_EVERY_FUNCTION | (OF_A_QUEUES_READER if function.event_sources else frozenset())
        for function in stack.functions
    }

    assert all(granted.values()), granted
    assert {
        function.name: uncalled
        for function, actions in granted.items()
        if (uncalled := code.uncalled(actions, function.handler, served[function]))
    } == {}


@pytest.mark.item("SEC-10")
def test_bucket_refuses_anonymous_access(stack: Stack, shown_job: Job) -> None:
    """Anyone who guesses a key could read every user's images."""
    key = key_of(shown_job.sample_url)

    samples = {stack.bucket.name: key, stack.site_bucket.name: stack.page_key}
    for bucket in stack.every_bucket.values():
        stored = samples.get(bucket.name) or bucket.any_key
        assert bucket.public_access_block == dict.fromkeys(bucket.public_access_block, True), bucket
        assert not bucket.policy_is_public, bucket.policy_statements
        assert bucket.anonymous("list_objects_v2") == HTTPStatus.FORBIDDEN, bucket
        if stored:
            assert bucket.object_bytes(stored)  # it is there, so that a refusal says something
            assert bucket.anonymous("get_object", Key=stored) == HTTPStatus.FORBIDDEN, bucket


@pytest.mark.item("SEC-11")
def test_everything_is_encrypted_at_rest(stack: Stack) -> None:
    """A copied disk or a wrong grant would reveal the data unencrypted."""
    encrypted = {
        **{name: bool(bucket.encryption_algorithms) for name, bucket in stack.every_bucket.items()},
        **{name: queue.encrypted for name, queue in stack.every_queue.items()},
        "JobsTable": stack.table.encryption_status in ("ENABLED", "ENABLING"),
        "AlarmTopic": bool(stack.alarm_topic.kms_key_id),
    }

    assert [name for name, protected in encrypted.items() if not protected] == []
    assert encrypted.keys() >= {stack.part(name).logical_id for name in ("ImagesBucket", "JobsQueue")}
    assert stack.provider_keys.description["ARN"], "the secret is always encrypted, but it has to exist"
    assert list(_unreadable(stack)) == []


def _unreadable(stack: Stack) -> Iterator[str]:
    """Yield each bucket whose new objects its distribution cannot decrypt."""
    for bucket, distribution in stack.buckets:
        if not bucket.kms_key_id:
            continue
        key = Key(stack.env, bucket.kms_key_id)
        caller = Caller("cloudfront.amazonaws.com", distribution.arn, stack.env.account_id)
        if not may_decrypt(key, caller):
            yield (
                f"{bucket!r}: expected a key that lets {distribution!r} decrypt, found {bucket.kms_key_id}, which does not; "
                "set BucketEncryption to AES256"
            )


@pytest.mark.item("SEC-12")
def test_bucket_refuses_plain_http(stack: Stack, shown_job: Job) -> None:
    """An attacker can read an unencrypted signed request, and repeat it while its signature is valid."""
    key = key_of(shown_job.sample_url)

    for bucket, stored in ((stack.bucket, key), (stack.site_bucket, stack.page_key)):
        assert bucket.object_bytes(stored)  # the same credentials may read it over TLS
        assert bucket.over_plain_http("get_object", Key=stored) == HTTPStatus.FORBIDDEN, bucket
    for bucket in stack.every_bucket.values():
        _ = bucket.any_key  # and list it
        everything = {f"arn:aws:s3:::{bucket.name}", f"arn:aws:s3:::{bucket.name}/*"}
        assert [s for s in read(bucket.policy_statements) if _denies_plain_http(s, everything)], bucket
        assert bucket.over_plain_http("list_objects_v2") == HTTPStatus.FORBIDDEN, bucket


@pytest.mark.item("SEC-13")
def test_cdn_sends_security_headers(cdn: Cdn, site: Cdn, page: Page, api: Api, shown_job: Job) -> None:
    """Browsers protect a page only as far as its headers ask them to."""
    image = cdn.get(cdn.path(shown_job.sample_url))
    served = {urlsplit(api.endpoint).netloc, cdn.domain, "'self'", "data:"}
    reachable = {"script-src": {"'self'"}, "connect-src": served, "img-src": served}

    for answer in (image, page.answer, *map(site.get, page.assets)):
        _asks_browsers_for_protection(answer)
    assert page.policies[0].get("frame-ancestors") == ["'none'"], page.policies[0]
    # A browser holds the page to all of its policies: what one of them forbids is forbidden.
    assert {
        directive: page.may_reach(directive)
        for directive, wanted in reachable.items()
        if not any(sources <= wanted for sources in page.may_reach(directive))
    } == {}


def _asks_browsers_for_protection(answer: Answer) -> None:
    content_policy = answer.headers.get("content-security-policy", "")
    age = re.search(r"max-age=(\d+)", answer.headers.get("strict-transport-security", ""))

    assert answer.status == HTTPStatus.OK, answer
    assert age and int(age[1]) >= general.HSTS.total_seconds(), dict(answer.headers)
    assert answer.headers.get("x-content-type-options") == "nosniff", answer
    assert answer.headers.get("x-frame-options") == "DENY", answer
    assert "default-src" in content_policy, dict(answer.headers)
    assert "unsafe-" not in content_policy, content_policy
    assert "*" not in content_policy, content_policy
    assert answer.headers.get("referrer-policy") in (
        "no-referrer",
        "same-origin",
        "strict-origin-when-cross-origin",
    ), answer


@pytest.mark.item("SEC-14")
def test_unwanted_requests_are_refused_before_anyone_is_paid(api: Api, stack: Stack) -> None:
    """Each accepted request is nine bills, and vendors close accounts that break their rules repeatedly."""
    started, common_id = datetime.now(UTC), new_correlation_id()
    oversize = [(path, "a" * budgets.OVERSIZE_BODY_BYTES) for path in ("/generate", "/enhance", "/log")]
    blocked = [(path, prompt) for path in ("/generate", "/enhance") for prompt in ("nsfw", "n s f w")]
    sent = {f"{common_id}-{number}": what for number, what in enumerate([*oversize, *blocked])}
    answers = {
        (path, text[:10]): api.call(
            "POST", path, json_body={"prompt": text, "message": "a"}, headers={"X-Correlation-ID": id_}
        )
        for id_, (path, text) in sent.items()
    }

    expected = {
        **{(path, text[:10]): (413, "payload_too_large") for path, text in oversize},
        **{(path, text[:10]): (422, "content_blocked") for path, text in blocked},
    }
    throttled = [answer for answer in answers.values() if answer.status == HTTPStatus.TOO_MANY_REQUESTS]

    assert [
        answer
        for what, answer in answers.items()
        if (answer.status, error_of(answer).get("code")) != expected[what] and answer not in throttled
    ] == []
    if throttled:
        raise Unverified(f"{throttled[0]!r}: another client is using up the API's limit")
    assert stack.table.keys_where("correlationId", sent) == []
    # A text model's answer is looked at as well, and refused alike: after it was paid for, and longer.
    events = stack.api_log.wait_for(common_id, started, lambda events: len(_blocked(events)) == len(blocked))
    characters = {str(line.get("correlationId")): line.get("promptCharacters") for line in _blocked(events)}
    assert characters == {id_: len(sent[id_][1]) for id_ in characters}
    if len(characters) < len(blocked):
        within = general.LOG_DEADLINE.total_seconds()
        raise Unverified(
            f"{stack.api_log!r} tells of {len(characters)} of {len(blocked)} within {within:.0f} s"
        )


@pytest.mark.item("SEC-15")
def test_logs_hold_no_key_and_no_prompt(stack: Stack, job: Job) -> None:
    """Logs are read by more people than keys are, and copied into tickets."""
    assert job.accepted is not None
    gateway_id = job.accepted.headers.get("apigw-requestid", job.id)  # how the access log names the request
    proofs = [
        (stack.api_log, job.id, _holds("job_created")),
        (stack.worker_log, job.id, _holds("job_finished")),
        (stack.access_log, gateway_id, bool),
    ]
    events_of = {log.name: log.wait_for(term, job.asked, enough) for log, term, enough in proofs}
    first = min((event.at for events in events_of.values() for event in events), default=job.asked)
    mark = job.prompt.rpartition(" ")[2]
    leaks = [
        f"{log.name} {event.at:%H:%M:%S}: {'the prompt' if mark in event.message else 'a credential'}"
        for log in stack.log_groups
        for event in log.events(first - budgets.LOG_MARGIN)
        if mark in event.message or looks_secret(event.message) or _BEARER.search(event.message)
    ]

    assert leaks == []
    if silent := [log.name for log, _, enough in proofs if not enough(events_of[log.name])]:
        within = general.LOG_DEADLINE.total_seconds()
        raise Unverified(f"nothing about job {job.id} in {' and '.join(silent)} within {within:.0f} s")


_BEARER = re.compile(r"\bBearer\s+(?!\[redacted\])\S{8,}|\bbfl_\w{8,}", re.IGNORECASE)


def _blocked(events: Sequence[LogEvent]) -> list[Mapping[str, Any]]:
    return [event.fields for event in events if event.fields.get("event") == "content_blocked"]


def _holds(event_name: str) -> Callable[[Sequence[LogEvent]], bool]:
    return lambda events: any(event.fields.get("event") == event_name for event in events)


@pytest.mark.item("SEC-16")
def test_functions_answer_their_own_api_and_queue_alone(stack: Stack) -> None:
    """An event from another account would bypass throttling, limits and CORS."""
    invoking = [statement for statement in read(stack.api.permissions) if statement.allows]
    sources = {
        function.name: [m["EventSourceArn"] for m in function.event_sources] for function in stack.functions
    }

    assert invoking, (
        f"{stack.api!r}: expected a permission for API Gateway to invoke it, found none; deploy the stack again"
    )
    assert [
        statement
        for statement in invoking
        if statement.principals != [("Service", "apigateway.amazonaws.com")]
        or not statement.names_only({"lambda:InvokeFunction"})
        or not _only_from(statement, stack.http_api.execution_arn)
    ] == []
    assert stack.worker.permissions == []
    # An alias or a version has its own policy, and a caller that it allows runs old code.
    assert {f.name: own for f in stack.functions if (own := f.permissions_of_qualifiers)} == {}
    assert sources == {stack.api.name: [], stack.worker.name: [stack.queue.arn]}
    assert {function.name: function.urls for function in stack.functions if function.urls} == {}


@pytest.mark.item("SEC-25")
def test_queues_and_topic_take_messages_from_their_own_senders(stack: Stack, env: Environment) -> None:
    """A foreign sender could order images past every limit, or hide a real alarm among false ones."""
    policies = {name: queue.policy_statements for name, queue in stack.every_queue.items()}
    policies["AlarmTopic"] = stack.alarm_topic.policy_statements
    open_to_others = {
        name: loose
        for name, statements in policies.items()
        if (
            loose := [
                *(s for s in read(statements) if s.allows and not _is_of(s, env.account_id)),
                *unlimited(statements, env.account_id),
            ]
        )
    }

    assert len(policies) > 1, f"{stack.formation!r}: expected queues, found none; deploy the stack again"
    assert open_to_others == {}
    assert [s for s in read(stack.queue.policy_statements) if s.allows] == [], (
        "expected no statement that allows a principal, because the senders' roles allow them to send; remove it"
    )


@pytest.mark.item("SEC-26")
def test_data_admits_its_own_account_alone(stack: Stack, env: Environment) -> None:
    """Another account would read keys, jobs or logs with rights of its own, which no role here shows."""
    policies = stack.policies_of_data

    assert policies.keys() >= {"ProviderKeys", "JobsTable"}, policies
    assert {
        name: let_in
        for name, statements in policies.items()
        if (
            let_in := [
                *external_principals(statements, env.account_id, trusted=_WRITING_LOGS),
                *unlimited(statements, env.account_id),
            ]
        )
    } == {}


@pytest.mark.item("SEC-17")
def test_distribution_has_a_web_acl(stack: Stack) -> None:
    """During an attack the operators could only block all users."""
    assert stack.web_acl, f"{stack.distribution!r} has no web ACL"
    assert stack.site_distribution.web_acl_id, f"{stack.site_distribution!r} has no web ACL"
    assert stack.web_acl.acting_rules, stack.web_acl.rules
    assert stack.web_acl.flood_rules, (
        f"expected a rate-based rule that blocks in {stack.web_acl!r}, found none; add one to CdnWebAcl"
    )
    assert stack.web_acl.counting_rules == [], f"{stack.web_acl!r} lets through what these rules find"
    declared = _declared_acl(stack, stack.web_acl)
    if declared is None:
        return
    expected = {rule["Name"]: rule for rule in declared.get("Rules", [])}
    live = {rule["Name"]: rule for rule in stack.web_acl.rules}
    assert live.keys() == expected.keys(), (
        f"{stack.web_acl!r} has other rules than the template; deploy again"
    )
    changed = [name for name, rule in live.items() if not _agrees(expected[name], rule)]
    assert changed == [], f"{stack.web_acl!r} has rules that differ from the template's; deploy again"
    assert stack.web_acl.default_action == next(iter(declared["DefaultAction"])), (
        f"{stack.web_acl!r} treats a request that no rule matches in another way than the template says; deploy again"
    )


def _declared_acl(stack: Stack, acl: WebAcl) -> Mapping[str, Any] | None:
    """Return what the template says of a web ACL, None for one that another stack or person made."""
    template: Mapping[str, Any] = stack.formation.template["Resources"]
    found = (
        template[name]["Properties"]
        for name, resource in stack.formation.resources.items()
        if resource.type == "AWS::WAFv2::WebACL"
        and acl.arn.endswith(f"/{resource.physical_id.split('|')[1]}")
    )
    return next(found, None)


def _agrees(declared: Any, live: Any) -> bool:
    """Return whether a live value holds what is declared; AWS adds defaults to it, and a function's value is unknown.

    `readiness.discovery.comparison` does not see an empty member that is missing, and a rule's action is one: `{"Block": {}}`.
    """
    if isinstance(declared, Mapping) and declared.keys() & {"Ref", "Fn::GetAtt", "Fn::Sub", "Fn::If"}:
        return True
    if isinstance(declared, Mapping) and isinstance(live, Mapping):
        return all(name in live and _agrees(value, live[name]) for name, value in declared.items())
    if isinstance(declared, list) and isinstance(live, list):
        return len(declared) == len(live) and all(map(_agrees, declared, live))
    return str(declared) == str(live)


@pytest.mark.item("SEC-18")
def test_runtimes_stay_supported(stack: Stack) -> None:
    """A deprecated runtime gets no security fixes, and soon no updates of the function."""
    horizon = datetime.now(UTC).date() + general.RUNTIME_NOTICE
    unknown = {f.runtime for f in stack.functions} - general.RUNTIME_DEPRECATION.keys()
    ending = {f.name: f.runtime for f in stack.functions if f.runtime not in unknown}
    ending = {
        name: runtime for name, runtime in ending.items() if general.RUNTIME_DEPRECATION[runtime] < horizon
    }

    assert ending == {}
    if unknown:
        raise Unverified(
            f"no deprecation date is known for {', '.join(sorted(unknown))}; add it to budgets.py"
        )


@pytest.mark.item("SEC-19")
def test_only_this_distribution_reads_the_bucket(stack: Stack, cdn: Cdn) -> None:
    """Another account's distribution could serve our bucket."""
    for bucket, distribution in stack.buckets:
        allowed = [statement for statement in read(bucket.policy_statements) if statement.allows]
        # Nobody can ask for a listing through a distribution; it is how S3 tells what is absent.
        actions = {"s3:GetObject"} if bucket is stack.bucket else {"s3:GetObject", "s3:ListBucket"}

        assert allowed, f"{bucket!r}: no principal may read it, so the distribution cannot"
        assert [
            statement
            for statement in allowed
            if statement.principals != [("Service", "cloudfront.amazonaws.com")]
            or statement.sources != [distribution.arn]
            or not statement.names_only(actions)
        ] == []
        assert [o["Id"] for o in distribution.origins if not o.get("OriginAccessControlId")] == []
        assert {c["SigningBehavior"] for c in distribution.origin_access_controls} == {"always"}
    # A cache would answer in the bucket's place, so it is asked for what is in none.
    key = f"images/verification-{uuid.uuid4().hex}.png"
    with stack.bucket.temporary_object(key, b"in no cache"):
        assert cdn.get(f"/{key}").status == HTTPStatus.OK


@pytest.mark.item("SEC-20")
def test_api_and_cdn_refuse_old_tls(stack: Stack, api: Api, cdn: Cdn, site: Cdn, env: Environment) -> None:
    """An attacker can decrypt traffic under TLS 1.0 or 1.1 by known methods."""
    addresses = {"API": api.endpoint, "CDN": cdn.domain, "page": site.domain}
    accepted = {
        where: {version.name for version in _TLS_VERSIONS if tls.accepts(env, address, version)}
        for where, address in addresses.items()
    }

    assert {where: versions & _OLD_TLS for where, versions in accepted.items()} == {
        where: set() for where in addresses
    }
    assert [where for where, versions in accepted.items() if not versions] == [], (
        "no version is spoken at all"
    )
    least = {distribution.id: distribution.minimum_protocol_version for distribution in stack.distributions}
    assert {id_: least[id_] for id_ in least if not least[id_].startswith(("TLSv1.2", "TLSv1.3"))} == {}
    # Under CloudFront's own name CloudFront shows its own certificate, and takes TLS 1.0, whatever is configured.
    if nameless := [distribution.id for distribution in stack.distributions if not distribution.names]:
        raise NeedsAws(
            f"{', '.join(nameless)} has no domain name of its own, so it shows no certificate of yours, and an embedded AWS cannot "
            "show how CloudFront serves its own name; set CdnDomainName and SiteDomainName"
        )


@pytest.mark.item("SEC-21")
def test_report_of_a_spilt_secret_holds_none(source: Source) -> None:
    """The report is attached to pull requests: it would publish the very key that it complains about."""
    own = {ROOT, source.app} if (source.app / "readiness" / "plugin.py").is_file() else {ROOT}

    assert [leak for suite in sorted(own) for leak in OwnReport(suite).leaks()] == []


@pytest.mark.item("SEC-22")
def test_cdn_serves_images_alone(stack: Stack, cdn: Cdn, shown_job: Job) -> None:
    """Any other file in the bucket would be public at once."""
    key = f"verification/{uuid.uuid4().hex}.txt"
    with stack.bucket.temporary_object(key, b"not an image"):
        answer = cdn.get(f"/{key}")
    absent = cdn.get(f"/images/{uuid.uuid4()}.png")

    assert cdn.get(cdn.path(shown_job.sample_url)).status == HTTPStatus.OK
    assert answer.status == HTTPStatus.FORBIDDEN, answer
    assert absent.status == answer.status, f"{absent!r} tells what is there from what is not"


@pytest.mark.item("SEC-23")
def test_workflows_cannot_be_turned_against_us(source: Source) -> None:
    """A moved tag, or a title that is run as shell, acts with the rights that deploy to production."""
    workflows = Workflows(source.app)

    assert workflows.found, "there is no workflow, so nothing is checked before it is released"
    assert workflows.actionlint() + workflows.zizmor() + workflows.stored_keys() == []


def _trusted_services(role: Role) -> list[str]:
    """Return the services that may assume the role, and any other principal with its kind."""
    return [
        name if kind == "Service" else f"{kind} {name}"
        for statement in read(role.trusted)
        if statement.allows
        for kind, name in statement.principals
    ]


def _leaves_actions_open(statement: Statement) -> bool:
    return not statement.actions or any(set(action) & set("*?") for action in statement.actions)


def _leaves_resources_open(statement: Statement, stack: Stack) -> bool:
    """Return whether a wildcard is anywhere but after the whole name of one of the stack's resources."""
    resources = statement.resources
    if resources == ["*"]:
        return not statement.names_only(general.ACTIONS_WITHOUT_RESOURCE)
    names = "|".join(re.escape(name) for name in stack.physical_names)
    return not resources or any(
        not re.search(f"[:/]({names})[:/]", re.split(r"[*?]", resource)[0])
        for resource in resources
        if set(resource) & set("*?")
    )


def _not_needed(arn: str, function: Function, stack: Stack, application: Application) -> str:
    """Why a function has no use for a resource that its role names, '' where it may have."""
    if arn == "*" or application.declares_foreign(arn):
        return ""
    _, _, _, region, account, named = arn.split(":", 5)
    names = [
        name for name in stack.physical_names if re.search(rf"(^|[:/]){re.escape(name)}($|[:/*])", named)
    ]
    if not names or region not in ("", stack.env.region) or account not in ("", stack.env.account_id):
        return "is not of the stack, and readiness.toml does not declare it under [[foreign]]"
    # A name such as the stack's may be a part of a longer one, and only the longest means the resource.
    whole = [name for name in names if not any(name != other and name in other for other in names)]
    # Its name has a random part, so that code cannot know it by itself.
    return (
        "" if any(name in function.received for name in whole) else "the function does not receive its name"
    )


def _unneeded(stack: Stack, env: Environment) -> Iterator[tuple[Role, str, str]]:
    """What neither function, or one of them, has a need of: role, action and one resource."""
    api, worker = stack.roles[stack.api.name], stack.roles[stack.worker.name]
    bucket, table = f"arn:{env.partition}:s3:::{stack.bucket.name}", stack.table.arn
    queue, keys = stack.queue.arn, stack.provider_keys.arn
    for role, other in ((api, worker), (worker, api)):
        yield role, "s3:DeleteBucket", bucket
        yield role, "s3:PutBucketPolicy", bucket
        yield role, "s3:DeleteObject", f"{bucket}/images/x"
        yield role, "dynamodb:DeleteTable", table
        yield role, "dynamodb:Scan", table
        yield role, "sqs:PurgeQueue", queue
        yield role, "secretsmanager:PutSecretValue", keys
        yield role, "secretsmanager:GetSecretValue", re.sub(r":secret:.*", ":secret:another-AbCdEf", keys)
        yield role, "iam:PutRolePolicy", role.arn
        yield role, "iam:PassRole", other.arn
        yield role, "iam:CreateUser", "*"
        yield role, "sts:AssumeRole", other.arn
        yield role, "lambda:UpdateFunctionCode", stack.api.arn
        yield role, "lambda:InvokeFunction", stack.worker.arn
    yield api, "secretsmanager:GetSecretValue", keys
    yield api, "s3:PutObject", f"{bucket}/images/x"
    yield api, "sqs:ReceiveMessage", queue
    yield worker, "s3:PutObject", f"{bucket}/other/x"
    yield worker, "dynamodb:DeleteItem", table
    yield worker, "dynamodb:Query", f"{table}/index/gallery"


def _only_from(statement: Statement, execution_arn: str) -> bool:
    return bool(statement.sources) and all(
        source.startswith(f"{execution_arn}/") for source in statement.sources
    )


def _denies_plain_http(statement: Statement, resources: set[str]) -> bool:
    return (
        not statement.allows
        and not statement.excludes_principals
        and statement.principals == [("AWS", "*")]
        and statement.names_only({"s3:*"})
        and resources <= set(statement.resources)
        and list(statement.conditions) == [("bool", "aws:securetransport", ["false"])]
    )


def _is_of(statement: Statement, account: str) -> bool:
    """Whether a condition keeps the statement to one account's callers or resources."""
    keys = ("aws:SourceAccount", "aws:SourceOwner", "aws:PrincipalAccount")
    arns = statement.sources
    return [account] in [statement.required(key) for key in keys] or bool(
        arns and all(arn.split(":")[4:5] == [account] for arn in arns)
    )
