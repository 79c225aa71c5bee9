"""Faults of the account around the stack: drift, tags, quotas, cost."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

from readiness.probes.http import exchange
from readiness.verdict import Outcome
from tests.faults.bench import Bench
from tests.faults.delivery import SERVED_IMAGES
from tests.faults.fault import fault


def _switch(bench: Bench, **switches: Any) -> None:
    """What only AWS decides otherwise, see verification/embedded/server/account.py."""
    url = f"{bench.env.endpoint_url}/_embedded/account"
    answer = exchange(bench.env, "POST", url, body=json.dumps(switches).encode())
    assert answer.status == HTTPStatus.OK, answer


@contextmanager
def _latest_change_took(bench: Bench, seconds: int) -> Iterator[None]:
    _switch(bench, longer={"resource": "Distribution", "seconds": seconds})
    try:
        yield
    finally:
        _switch(bench, longer={"resource": "Distribution", "seconds": -seconds})


@fault("CDN-10", "the latest change of the distribution took 20 minutes")
def slow_deployment(bench: Bench) -> Iterator[None]:
    with _latest_change_took(bench, 20 * 60):
        yield


@fault("CDN-10", "the latest change of the distribution took a quarter of an hour and no less")
def deployment_at_the_limit(bench: Bench) -> Iterator[None]:
    with _latest_change_took(bench, 15 * 60):
        yield


@fault("CDN-01", "a change is still on its way to the edges", outcome=Outcome.UNVERIFIED)
def change_under_way(bench: Bench) -> Iterator[None]:
    _switch(bench, distributions="InProgress")
    try:
        yield
    finally:
        _switch(bench, distributions="Deployed")


@fault("CDN-14", "no answer of the CDN names its edge")
def nameless_edge(bench: Bench) -> Iterator[None]:
    _switch(bench, edges_named=False)
    try:
        yield
    finally:
        _switch(bench, edges_named=True)


@fault(
    "CDN-14", "images are looked for elsewhere", relatives=SERVED_IMAGES - {"CDN-03", "CDN-14"} | {"CDN-12"}
)
def errors_instead_of_images(bench: Bench) -> Iterator[None]:
    def move(configuration: dict[str, Any]) -> None:
        configuration["Origins"]["Items"][0]["OriginPath"] = "/elsewhere"

    with bench.distribution_changed(move):
        bench.stack.distribution.invalidate("/*")  # an edge still serves the images that it has in its cache
        yield


@fault("INF-04", "the worker's memory was raised by hand", relatives={"CONF-07"})
def memory_by_hand(bench: Bench) -> Iterator[None]:
    with bench.configured("WorkerFunction", MemorySize=3072):
        yield


@fault("INF-04", "an alarm's threshold was raised by hand", relatives={"CONF-12"})
def threshold_by_hand(bench: Bench) -> Iterator[None]:
    with bench.alarm("QueueAgeAlarm", lambda alarm: {**alarm, "Threshold": 3600.0}):
        yield


@fault("INF-04", "the stage writes its access log in another form by hand")
def access_log_by_hand(bench: Bench) -> Iterator[None]:
    client, api = bench.client("apigatewayv2"), bench.physical("HttpApi")
    before = client.get_stage(ApiId=api, StageName="$default")["AccessLogSettings"]
    changed = {**before, "Format": '{"requestId":"$context.requestId","from":"$context.identity.sourceIp"}'}
    client.update_stage(ApiId=api, StageName="$default", AccessLogSettings=changed)
    try:
        yield
    finally:
        client.update_stage(ApiId=api, StageName="$default", AccessLogSettings=before)


@fault("CONF-14", "a function runs with a changed file")
def changed_file(bench: Bench) -> Iterator[None]:
    with bench.patched("WorkerFunction", "pixel_prompt/clock.py", "Time, as", "The time, as"):
        yield


@fault("CONF-14", "a change under backend/ is not committed")
def uncommitted_change(bench: Bench) -> Iterator[None]:
    with bench.checkout.written("backend/src/pixel_prompt/later.py", "LATER = True\n"):
        yield


@fault("CONF-14", "the template was changed and committed since the deployment")
def newer_template(bench: Bench) -> Iterator[None]:
    head = bench.checkout.head()
    with bench.checkout.changed("backend/template.yaml", "BatchSize: 1\n", "BatchSize: 2\n"):
        bench.checkout.commit("Hand over two jobs at once")
        try:
            yield
        finally:
            bench.checkout.reset(head)


@fault("CONF-18", "a function lost its tag Project")
def untagged_function(bench: Bench) -> Iterator[None]:
    client, arn = bench.client("lambda"), bench.stack.api.arn
    before = client.list_tags(Resource=arn)["Tags"]["Project"]
    client.untag_resource(Resource=arn, TagKeys=["Project"])
    try:
        yield
    finally:
        client.tag_resource(Resource=arn, Tags={"Project": before})


@fault("CONF-18", "a queue names another environment")
def queue_of_another_environment(bench: Bench) -> Iterator[None]:
    client, url = bench.client("sqs"), bench.physical("JobsDeadLetterQueue")
    before = client.list_queue_tags(QueueUrl=url)["Tags"]["Environment"]
    client.tag_queue(QueueUrl=url, Tags={"Environment": "dev"})
    try:
        yield
    finally:
        client.tag_queue(QueueUrl=url, Tags={"Environment": before})


@contextmanager
def _quotas(bench: Bench, **limits: float) -> Iterator[None]:
    _switch(bench, quotas=limits)
    try:
        yield
    finally:
        _switch(bench, quotas={})


@fault("INF-08", "the account may have one bucket")
def one_bucket(bench: Bench) -> Iterator[None]:
    with _quotas(bench, **{"s3/L-DC2B2D3D": 1}):
        yield


@fault("INF-08", "API Gateway grants the region no more requests than this API may take")
def no_requests_to_spare(bench: Bench) -> Iterator[None]:
    with _quotas(bench, **{"apigateway/L-8A5B8E43": 50}):
        yield


@contextmanager
def _monthly_budget(bench: Bench, amount: str) -> Iterator[None]:
    client, account = bench.client("budgets"), bench.env.account_id
    which = {"AccountId": account, "BudgetName": bench.physical("MonthlyBudget")}
    before = client.describe_budget(**which)["Budget"]
    kept = {key: before[key] for key in ("BudgetName", "BudgetType", "TimeUnit", "BudgetLimit")}
    changed = {**kept, "BudgetLimit": {"Amount": amount, "Unit": "USD"}}
    client.update_budget(AccountId=account, NewBudget=changed)
    try:
        yield
    finally:
        client.update_budget(AccountId=account, NewBudget=kept)


@fault("INF-16", "the budget is 1 USD")
def tiny_budget(bench: Bench) -> Iterator[None]:
    with _monthly_budget(bench, "1"):
        yield


@fault("INF-16", "the budget is far above what was granted")
def endless_budget(bench: Bench) -> Iterator[None]:
    with _monthly_budget(bench, "100000"):
        yield


@fault("INF-16", "nobody is told that the budget is being used up")
def silent_budget(bench: Bench) -> Iterator[None]:
    client = bench.client("budgets")
    which = {"AccountId": bench.env.account_id, "BudgetName": bench.physical("MonthlyBudget")}
    found = client.describe_notifications_for_budget(**which)["Notifications"]
    actual = next(one for one in found if one["NotificationType"] == "ACTUAL")
    key = {name: value for name, value in actual.items() if name != "NotificationState"}
    told = client.describe_subscribers_for_notification(**which, Notification=key)["Subscribers"]
    client.delete_notification(**which, Notification=key)
    try:
        yield
    finally:
        client.create_notification(**which, Notification=key, Subscribers=told)


@fault("INF-16", "the budget counts one service alone")
def budget_of_one_service(bench: Bench) -> Iterator[None]:
    client = bench.client("budgets")
    which = {"AccountId": bench.env.account_id, "BudgetName": bench.physical("MonthlyBudget")}
    told = client.describe_budget(**which)["Budget"]
    before = {key: told[key] for key in ("BudgetName", "BudgetType", "TimeUnit", "BudgetLimit")}
    alone = {**before, "CostFilters": {"Service": ["Amazon Simple Storage Service"]}}
    client.update_budget(AccountId=bench.env.account_id, NewBudget=alone)
    try:
        yield
    finally:
        client.update_budget(AccountId=bench.env.account_id, NewBudget=before)


@fault("CONF-14", "one route runs the code of a version", relatives={"SEC-16"})
def route_of_a_version(bench: Bench) -> Iterator[None]:
    functions, client = bench.client("lambda"), bench.client("apigatewayv2")
    name, api = bench.physical("ApiFunction"), bench.physical("HttpApi")
    version = functions.publish_version(FunctionName=name)
    functions.add_permission(
        FunctionName=name,
        Qualifier=version["Version"],
        StatementId="trial",
        Action="lambda:InvokeFunction",
        Principal="apigateway.amazonaws.com",
        SourceArn=f"arn:aws:execute-api:{bench.env.region}:{bench.env.account_id}:{api}/*",
    )
    route = next(one for one in client.get_routes(ApiId=api)["Items"] if one["RouteKey"] == "POST /log")
    made = client.create_integration(
        ApiId=api,
        IntegrationType="AWS_PROXY",
        IntegrationUri=version["FunctionArn"],
        PayloadFormatVersion="2.0",
    )["IntegrationId"]
    client.update_route(ApiId=api, RouteId=route["RouteId"], Target=f"integrations/{made}")
    try:
        yield
    finally:
        client.update_route(ApiId=api, RouteId=route["RouteId"], Target=route["Target"])
        client.delete_integration(ApiId=api, IntegrationId=made)
        functions.remove_permission(FunctionName=name, Qualifier=version["Version"], StatementId="trial")
        functions.delete_function(FunctionName=name, Qualifier=version["Version"])
