"""Section Configuration: what was deployed is what production needs."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from readiness import budgets as general
from readiness import samconfig
from readiness.application import Application
from readiness.aws.alarm_evaluation import Trouble, unnoticed
from readiness.aws.key import Key
from readiness.aws.log_group import LogEvent, LogGroup
from readiness.aws.queue import Queue
from readiness.aws.service_access import Caller
from readiness.aws.trouble import Strength
from readiness.catalogue.sending import Receiver, refusals
from readiness.environment import Environment
from readiness.errors import Unverified, existing
from readiness.ledger import Ledger
from verification import budgets
from verification.deployment import dotenv
from verification.probes import model_lives
from verification.probes.api import Api
from verification.probes.at_once import at_once
from verification.probes.commands import Source
from verification.resources.counter import forgotten
from verification.stack import Stack

pytestmark = pytest.mark.config

_WISH = {"prompt": "a quiet harbour"}


@pytest.mark.item("CONF-01")
def test_registry_names_nine_models(api: Api, stack: Stack) -> None:
    """If the configuration lacks a model, its picture is missing, and only users notice."""
    models = api.call("GET", "/health").document()["models"]
    overrides = {
        function.name: function.environment.get("MODEL_OVERRIDES") for function in (stack.api, stack.worker)
    }

    assert len(models) == budgets.MODELS, models
    assert (
        len({model["id"] for model in models}) == len({model["name"] for model in models}) == budgets.MODELS
    )
    assert len(set(overrides.values())) == 1, f"the functions are configured differently: {overrides}"


@pytest.mark.item("CONF-02")
def test_every_vendor_accepts_its_credentials(stack: Stack) -> None:
    """All images of one vendor would fail, and users would be the first to know."""
    asked, begun = datetime.now(UTC), time.monotonic()
    answer = stack.worker.invoke({"action": "check-keys"}, budgets.KEY_CHECK_DEADLINE)
    took = timedelta(seconds=time.monotonic() - begun)
    if "secret" not in answer:
        raise Unverified(f"{stack.worker!r} answers from keys that it has kept; deploy the application again")
    secret, tried = answer["secret"], answer["models"]
    wrong = [f"secret {secret['id']} {problem}" for problem in secret["problems"]]
    assert wrong == [], f"{'; '.join(wrong)}; deploy again with the keys in the environment"
    answers = {
        entry["model"]: _WHY.get(entry.get("cause") or "", entry["code"])
        for entry in tried
        if not entry["ok"]
    }
    refused = {entry["model"] for entry in tried if entry["code"] == "unauthorized"}

    assert {model: why for model, why in answers.items() if model in refused} == {}
    late = {model for model, why in answers.items() if why == "timeout"}
    if late and took < budgets.VENDOR_PATIENCE:
        assert not (unasked := _without_answer(stack, asked, late)), (
            f"the worker gave up on {sorted(unasked)} after {took.total_seconds():.1f} s, before any vendor could be late"
        )
    if answers:
        raise Unverified(f"no vendor's word on the credentials behind {answers}; run again when it answers")
    if len({entry["model"] for entry in tried}) != budgets.MODELS:
        raise Unverified(f"the worker tried {len(tried)} models, expected {budgets.MODELS}; see CONF-01")


def _without_answer(stack: Stack, asked: datetime, models: AbstractSet[str]) -> set[str]:
    """Those models of which the worker's log says that their vendors answered nothing."""

    def refusals(events: Sequence[LogEvent]) -> dict[str, Mapping[str, Any]]:
        refused = [event.fields for event in events if event.fields.get("event") == "key_refused"]
        return {str(line.get("model")): line for line in refused}

    events = stack.worker_log.wait_for("key_refused", asked, lambda found: models <= refusals(found).keys())
    lines = refusals(events)
    return {model for model in models if model in lines and lines[model].get("vendorStatus") is None}


_WHY = {
    "legacy": "the model is Legacy, which Bedrock refuses to this account; see CONF-19",
    "not_served": "the model has ended, or there is none of this name; see CONF-19",
    "not_subscribed": "this account has no Marketplace subscription to the model; see docs/DEPLOYMENT.md, 'Bedrock'",
    "not_verified": "the vendor requires the key's organisation to be verified first",
}


@pytest.mark.item("CONF-03")
def test_global_limit_holds_under_concurrent_requests(stack: Stack, ledger: Ledger) -> None:
    """Nine vendors are paid for each request of a burst that exceeds the limit."""
    limit = stack.api.environment.get("GLOBAL_HOURLY_LIMIT")
    assert limit == str(budgets.GLOBAL_REQUESTS_PER_HOUR), (
        f"{stack.api!r} lets {limit} requests an hour through"
    )

    callers = [stack.caller() for _ in range(budgets.RACERS)]
    counters = stack.counters
    all_callers = counters.of_all
    prompts = budgets.RACES * budgets.RACERS  # more than the limit lets through, should it be broken
    with (
        ledger.hold("enhanced prompts", enhancements=prompts),
        forgotten(*(counters.of_address(caller.address) for caller in callers)),
    ):
        # Refused before they count, these only wake as many environments as will be needed.
        callers[0].post("/enhance", {})
        at_once([partial(caller.post, "/enhance", {}) for caller in callers])
        for _ in range(budgets.RACES):
            with all_callers.raised_to(budgets.GLOBAL_REQUESTS_PER_HOUR - budgets.RACE_PLACES):
                replies = at_once([partial(caller.post, "/enhance", _WISH) for caller in callers])
                used = all_callers.used
                served = sum(reply.let_through for reply in replies)
                all_callers.add(-served)

            if all_callers.over:
                raise Unverified(f"the hour ended while {all_callers.key} was checked; run again")
            assert served <= budgets.RACE_PLACES, (
                f"of {len(replies)} concurrent requests {served} were let through where {budgets.RACE_PLACES} were left"
            )
            assert {reply.error_code for reply in replies if not reply.let_through} == {"global_limit"}
            if served < budgets.RACE_PLACES and used >= budgets.GLOBAL_REQUESTS_PER_HOUR:
                raise Unverified(
                    "another client used up the API's limit meanwhile; run again when no other client uses it"
                )
            assert served == budgets.RACE_PLACES, f"refused at {used} of {budgets.GLOBAL_REQUESTS_PER_HOUR}"


@pytest.mark.item("CONF-20")
def test_request_limits_are_configured(stack: Stack) -> None:
    """One line in the function's environment takes the cap off the bill."""
    expected = {
        "GLOBAL_HOURLY_LIMIT": str(budgets.GLOBAL_REQUESTS_PER_HOUR),
        "ADDRESS_DAILY_LIMIT": str(budgets.ADDRESS_REQUESTS_PER_DAY),
    }

    assert {name: stack.api.environment.get(name) for name in expected} == expected, (
        f"{stack.api!r} runs with other limits; set them in backend/samconfig.toml and deploy"
    )


@pytest.mark.item("CONF-04")
def test_address_limit_ignores_forged_addresses(stack: Stack, ledger: Ledger) -> None:
    """One script invents a new address for each request."""
    limit = stack.api.environment.get("ADDRESS_DAILY_LIMIT")
    assert limit == str(budgets.ADDRESS_REQUESTS_PER_DAY), (
        f"{stack.api!r} lets {limit} requests a day through"
    )

    caller, other, counters = stack.caller(), stack.caller().address, stack.counters
    own, others = counters.of_address(caller.address), counters.of_address(other)
    forged = dict.fromkeys(("X-Forwarded-For", "X-Real-IP", "True-Client-IP", "CF-Connecting-IP"), other)
    claims: dict[str, tuple[dict[str, str], dict[str, str]]] = {
        "nothing": ({}, {}),
        "headers": ({}, forged | {"Forwarded": f"for={other}"}),
        "body": ({"ip": other}, {}),
    }
    with ledger.hold("an enhanced prompt", enhancements=1), forgotten(own, others):
        own.add(budgets.ADDRESS_REQUESTS_PER_DAY - 1)
        last = caller.post("/enhance", {**_WISH, "ip": other}, forged)
        assert last.let_through, f"request {budgets.ADDRESS_REQUESTS_PER_DAY} of a day was refused: {last!r}"
        counters.of_all.give_back()
        assert others.used == 0, "an address that only claimed to be it was counted"
        # A job costs more than an enhanced prompt: /generate is tried when the limit is known to hold.
        for route in ("/enhance", "/generate"):
            served = {
                claim: reply
                for claim, (body, headers) in claims.items()
                if (reply := caller.post(route, {**_WISH, **body}, headers)).let_through
            }
            assert served == {}, f"{route} went on after {budgets.ADDRESS_REQUESTS_PER_DAY} requests"
        assert (own.used, others.used) == (budgets.ADDRESS_REQUESTS_PER_DAY, 0), "the count was shifted"


@pytest.mark.item("CONF-05")
def test_worker_may_run_as_long_as_lambda_allows(stack: Stack) -> None:
    """A slow vendor would have its finished image thrown away."""
    assert stack.worker.timeout == budgets.WORKER_TIMEOUT


@pytest.mark.item("CONF-06")
def test_api_gives_up_before_the_gateway_does(stack: Stack) -> None:
    """The gateway answers 503 on its own while the function continues to run and to cost money."""
    assert stack.api.timeout < general.API_TIMEOUT_LIMIT


@pytest.mark.item("CONF-07")
def test_worker_has_its_memory(stack: Stack) -> None:
    """Nine images at once do not fit into Lambda's default."""
    assert stack.worker.memory_mb == budgets.WORKER_MEMORY_MB


@pytest.mark.item("CONF-08")
def test_images_expire(stack: Stack) -> None:
    """Storage would grow without a limit, and a leak could reveal ever more images."""
    images = "images/"
    rules = [rule for rule in stack.bucket.lifecycle_rules if rule.enabled and rule.expiration]
    of_all = [rule.expiration for rule in rules if images.startswith(rule.prefix) and not rule.partial]
    of_some = [
        rule for rule in rules if (rule.prefix.startswith(images) and rule.prefix != images) or rule.partial
    ]

    assert of_all == [budgets.IMAGE_EXPIRY], stack.bucket.lifecycle_rules
    assert of_some == [], "some images would expire at another time"
    assert [rule for rule in stack.bucket.lifecycle_rules if rule.enabled and rule.archives] == [], (
        f"{stack.bucket!r} archives images, which S3 then refuses to serve; remove the transition"
    )
    assert stack.bucket.versioning != "Enabled", (
        f"{stack.bucket!r} keeps a version of each image that expires"
    )


@pytest.mark.item("CONF-09")
def test_errors_of_each_function_raise_an_alarm(stack: Stack) -> None:
    """Users would tell the operators, days later."""
    troubles = {
        f"errors of {function.name}": [trouble.errors(function.name) for trouble in _TROUBLES]
        for function in (stack.api, stack.worker)
    }

    assert _unnoticed(stack, troubles) == {}


@pytest.mark.item("CONF-10")
def test_duration_of_each_function_raises_an_alarm(stack: Stack) -> None:
    """Time-outs announce themselves as slowness first."""
    troubles = {
        f"slowness of {function.name}": [
            trouble.slowness(function.name, function.timeout * budgets.SLOW_PART) for trouble in _TROUBLES
        ]
        for function in (stack.api, stack.worker)
    }

    assert _unnoticed(stack, troubles) == {}


@pytest.mark.item("CONF-11")
def test_alarms_notify_a_recipient(stack: Stack) -> None:
    """Every alarm would fire into the void."""
    silent = [
        alarm.name
        for alarm in stack.alarms
        if not alarm.actions_enabled or stack.alarm_topic.arn not in alarm.actions
    ]

    assert stack.alarms, f"{stack.formation!r} has no alarm"
    assert silent == []
    # A subscriber of the stack itself, such as AlarmInbox, notifies no person.
    subscribers = [
        subscription
        for subscription in stack.alarm_topic.subscriptions
        if subscription.endpoint.rpartition(":")[2] not in stack.physical_names
    ]
    assert subscribers, f"no subscriber outside the stack for {stack.alarm_topic!r}; set AlarmEmail"
    assert [subscription for subscription in subscribers if not subscription.confirmed] == []
    assert [each for each in stack.alarm_topic.subscriptions if each.filters] == [], (
        f"a filter policy of a subscription to {stack.alarm_topic!r} drops alarms; remove it"
    )
    assert _refused(stack) == []
    # The drill of INF-14 reads there what the topic delivered.
    inbox = stack.every_queue.get("AlarmInbox")
    assert inbox is None or list(refusals(*_delivery(stack, inbox))) == []


def _delivery(stack: Stack, inbox: Queue) -> tuple[Caller, Receiver]:
    """Return the topic that delivers alarms, and the queue that receives them."""
    key = Key(stack.env, inbox.kms_key_id) if inbox.kms_key_id else None
    receiver = Receiver("AlarmInbox", inbox.arn, "sqs:SendMessage", inbox.policy_statements, key)
    return Caller("sns.amazonaws.com", stack.alarm_topic.arn, stack.env.account_id), receiver


def _refused(stack: Stack) -> Sequence[str]:
    """Return why the topic takes no alarm, or no notification of the budget, one finding each."""
    env, topic, part = stack.env, stack.alarm_topic, stack.part("AlarmTopic")
    key = Key(env, topic.kms_key_id) if topic.kms_key_id else None
    if key and key.state != "Enabled":
        return [
            f"expected that the key of {part.logical_id} is enabled, found {key.state}; cancel its deletion and enable it"
        ]
    receiver = Receiver(part.logical_id, topic.arn, "sns:Publish", topic.policy_statements, key)
    start, end = f"arn:{env.partition}", env.account_id
    arns = {
        f"{start}:cloudwatch:{env.region}:{end}:alarm:{alarm.name}": "cloudwatch.amazonaws.com"
        for alarm in stack.alarms
    }
    if stack.has("MonthlyBudget"):
        arns[f"{start}:budgets::{end}:budget/{stack.budget.name}"] = "budgets.amazonaws.com"
    found = (
        why
        for arn, service in arns.items()
        for why in refusals(Caller(service, arn, env.account_id), receiver)
    )
    return list(dict.fromkeys(found))


@pytest.mark.item("CONF-12")
def test_throttles_dead_letters_and_5xx_raise_alarms(stack: Stack) -> None:
    """Refused users and lost jobs show in no function's error count."""
    dead_letters, jobs = (queue.arn.rpartition(":")[2] for queue in (stack.dead_letter_queue, stack.queue))
    wanted = {
        f"throttles of {stack.api.name}": [one.throttles(stack.api.name) for one in _TROUBLES],
        f"messages in {dead_letters}": [one.dead_letter(dead_letters) for one in _TROUBLES],
        f"jobs that wait in {jobs}": [one.waiting(jobs) for one in _TROUBLES],
        f"5xx of {stack.http_api.id}": [one.server_errors({"ApiId": stack.http_api.id}) for one in _TROUBLES],
    }

    assert _unnoticed(stack, wanted) == {}


@pytest.mark.item("CONF-13")
def test_frontend_env_points_at_this_stack(stack: Stack, source: Source, env: Environment) -> None:
    """The next build of the frontend would talk to another environment."""
    file = source.app / "frontend" / ".env"
    if not file.is_file():
        raise Unverified(
            f"{file.relative_to(source.app)} does not exist; ./scripts/deploy.sh {env.name} writes it"
        )
    written = dotenv.parsed(dotenv.read(file))

    expected = {
        "VITE_API_ENDPOINT": stack.formation.output("ApiEndpoint"),
        "VITE_CLOUDFRONT_DOMAIN": stack.formation.output("CloudFrontDomain"),
        "VITE_ENVIRONMENT": env.name,
    }

    assert {name: written.get(name) for name in expected} == expected


@pytest.mark.item("CONF-14")
def test_what_is_deployed_is_this_commit(
    stack: Stack, env: Environment, source: Source, evidence: dict[str, object]
) -> None:
    """Users would run code that was not reviewed, tested and released."""
    release = source.release(env.exchanges)
    logical_ids = {r.physical_id: r.logical_id for r in stack.formation.resources.values()}
    packages = {logical_ids[function.name]: function for function in stack.functions}
    evidence["commit"] = release.commit
    evidence |= {f"package of {id_}": function.code_sha256 for id_, function in packages.items()}
    files = {id_: release.changed_files(id_, function.package) for id_, function in packages.items()}

    assert packages, f"{stack.formation!r} has no function"
    # A version or an alias keeps the code of the day that it was made on.
    assert {
        str(route): route.integration
        for route in stack.http_api.routes
        if not route.integration.removesuffix("/invocations").endswith(f":function:{stack.api.name}")
    } == {}
    assert [
        mapping["FunctionArn"]
        for mapping in stack.worker.event_sources
        if not mapping["FunctionArn"].endswith(f":function:{stack.worker.name}")
    ] == []
    assert {id_: changed for id_, changed in files.items() if changed} == {}, release
    assert release.changed_template(stack.formation.original_template) == [], release
    assert release.uncommitted == [], release


@pytest.mark.item("CONF-15")
def test_environments_share_nothing(stack: Stack) -> None:
    """A load test on staging would fill production's gallery."""
    ours = {
        *(stack.part(name).physical_id for name in ("ImagesBucket", "HttpApi", "Distribution")),
        *(stack.part(name).physical_id for name in ("SiteBucket", "SiteDistribution")),
        *(stack.part(name).physical_id for name in ("JobsTable", "ProviderKeys")),
        *(stack.formation.output(name) for name in ("ApiEndpoint", "S3BucketName", "CloudFrontDomain")),
        stack.formation.output("SiteUrl"),
    }
    theirs = {
        environment: {*other.outputs.values(), *(r.physical_id for r in other.resources.values())}
        for environment, other in stack.neighbours.items()
    }

    assert stack.formation.fixed_names == {}
    assert [name for name, other in stack.neighbours.items() if other.name == stack.formation.name] == []
    assert {name: shared for name, values in theirs.items() if (shared := ours & values)} == {}


@pytest.mark.item("CONF-16")
def test_logs_are_kept_as_long_as_they_are_needed(
    stack: Stack, application: Application, source: Source, env: Environment
) -> None:
    """Logs that never expire cost more each month; logs that expire too early cannot explain a failure."""
    given = samconfig.parameters(source.app / "backend" / "samconfig.toml", env.name).get("LogRetentionDays")
    intended = None if given is None else timedelta(days=int(given))
    kept = {group.name: _kept(group, application.least_log_retention, intended) for group in stack.log_groups}
    # First: what a role may do with a group that does not exist cannot be read.
    assert {name: why for name, why in kept.items() if why} == {}
    lost = {
        function.name: f"logs into {function.log_group_name}, which its role {role.name} may not write to; "
        "correct its LoggingConfig or the policy of the role"
        for function in stack.functions
        if not (role := stack.roles[function.name]).may(
            "logs:PutLogEvents", f"{LogGroup(env, function.log_group_name).arn}:log-stream:verification"
        )
    }

    assert lost == {}


def _kept(group: LogGroup, least: timedelta, intended: timedelta | None) -> str:
    """What is wrong with how long a log group keeps its lines."""
    if existing(lambda: group.description) is None:
        return "does not exist; the one that Lambda creates instead never expires its lines"
    if not group.retention:
        return "never expires its lines"
    if not least <= group.retention <= general.LOG_RETENTION:
        return f"keeps its lines for {group.retention.days} days, not for {least.days} to {general.LOG_RETENTION.days}"
    if intended not in (None, group.retention):
        return (
            f"keeps its lines for {group.retention.days} days, not for the {intended.days} of samconfig.toml"
        )
    return ""


@pytest.mark.item("CONF-17")
def test_jobs_and_counters_expire(stack: Stack) -> None:
    """Every request would leave a row in the table permanently."""
    attribute = stack.table.time_to_live.get("AttributeName", "")
    lasting = stack.table.rows_outliving(stack.table.clock + budgets.ROW_LIFETIME, attribute)

    assert stack.table.time_to_live["TimeToLiveStatus"] in ("ENABLED", "ENABLING"), stack.table
    if lasting is None:
        raise Unverified(f"{stack.table!r} has no row to check")
    assert lasting == [], f"by '{attribute}' these rows are still there in {budgets.ROW_LIFETIME.days} days"


@pytest.mark.item("CONF-18")
def test_every_resource_is_tagged(stack: Stack, env: Environment, evidence: dict[str, object]) -> None:
    """The operators could not split the bill by environment, or distinguish unused resources from those in use."""
    wanted = {"Project": "pixel-prompt", "Environment": env.name}
    evidence["resources with tags"] = f"{len(stack.tags)} of {len(stack.formation.resources)}"

    assert stack.tags, f"{stack.formation!r} has no resource that can be tagged"
    assert {
        id_: found
        for id_, tags in stack.tags.items()
        if (found := {name: tags.get(name) for name in wanted}) != wanted
    } == {}


@pytest.mark.item("CONF-19")
def test_no_model_ends_soon(stack: Stack, evidence: dict[str, object]) -> None:
    """Each job would suddenly lack an image, and the developers would have no time to choose another model."""
    lives = model_lives.read(stack.worker.invoke({"action": "model-lives"}, budgets.KEY_CHECK_DEADLINE))
    today = model_lives.today()
    evidence |= {life.model: life.how() for life in lives}
    doubts = [doubt for life in lives if (doubt := life.doubt(today))]

    assert {life.model: end for life in lives if (end := life.end(today))} == {}
    if doubts:
        raise Unverified("; ".join(doubts))


# Whether anybody calls before it begins or not, as at night.
_TROUBLES = tuple(
    Strength(
        budgets.FAILURES_A_MINUTE,
        budgets.FAILURES_A_MINUTE,
        budgets.ALARM_REST,
        general.ALARM_SPAN,
        busy=busy,
        wider=False,
    )
    for busy in (True, False)
)


def _unnoticed(stack: Stack, wanted: Mapping[str, Sequence[Trouble]]) -> dict[str, Sequence[str]]:
    """For each trouble that raises no alarm in time: why not, for each alarm that watches it all the same.

    Raises:
        Unverified: all else is noticed, and an alarm is not understood.
    """
    silent: dict[str, Sequence[str]] = {}
    doubts: list[Unverified] = []
    for what, troubles in wanted.items():
        try:
            why = unnoticed(stack.alarms, troubles)
        except Unverified as doubt:
            doubts.append(doubt)
        else:
            if why is not None:
                silent[what] = why
    if doubts and not silent:
        raise doubts[0]
    return silent
