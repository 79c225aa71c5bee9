"""Faults of what the functions' roles may do."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

from tests import registry
from tests.faults.bench import OTHER_ACCOUNT, Bench
from tests.faults.fault import fault


@contextmanager
def _granted(bench: Bench, role: str, document: Mapping[str, Any]) -> Iterator[None]:
    """A role with one policy more."""
    client, which = (
        bench.client("iam"),
        {"RoleName": bench.physical(role), "PolicyName": f"fault-{uuid4().hex}"},
    )
    client.put_role_policy(**which, PolicyDocument=json.dumps(document))
    try:
        yield
    finally:
        client.delete_role_policy(**which)


def _policy(action: str, resource: str) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Action": action, "Resource": resource}
    return {"Version": "2012-10-17", "Statement": [statement]}


@fault("SEC-08", "the worker may do everything with its bucket's images")
def wildcard_action(bench: Bench) -> Iterator[None]:
    images = f"arn:aws:s3:::{bench.physical('ImagesBucket')}/images/*"
    with _granted(bench, "WorkerFunctionRole", _policy("s3:*", images)):
        yield


@fault("SEC-08", "the API may send to every queue of the account")
def wildcard_resource(bench: Bench) -> Iterator[None]:
    every = bench.stack.queue.arn.rpartition(":")[0] + ":*"
    with _granted(bench, "ApiFunctionRole", _policy("sqs:SendMessage", every)):
        yield


@fault("SEC-08", "the API may read the providers' keys", relatives={"SEC-24"})
def api_reads_the_keys(bench: Bench) -> Iterator[None]:
    keys = bench.physical("ProviderKeys")
    with _granted(bench, "ApiFunctionRole", _policy("secretsmanager:GetSecretValue", keys)):
        yield


@fault("SEC-08", "the worker may use somebody else's table")
def table_of_somebody_else(bench: Bench) -> Iterator[None]:
    table = bench.stack.table.arn.rpartition("/")[0] + "/customers"
    with _granted(bench, "WorkerFunctionRole", _policy("dynamodb:GetItem", table)):
        yield


@fault("SEC-08", "the worker may read a secret of the same name in another account")
def secret_of_another_account(bench: Bench) -> Iterator[None]:
    secret = bench.physical("ProviderKeys").replace(f":{bench.stack.env.account_id}:", f":{OTHER_ACCOUNT}:")
    with _granted(bench, "WorkerFunctionRole", _policy("secretsmanager:GetSecretValue", secret)):
        yield


@fault("SEC-08", "the worker may overwrite the page")
def bucket_of_the_page(bench: Bench) -> Iterator[None]:
    page = f"arn:aws:s3:::{bench.physical('SiteBucket')}/index.html"
    with _granted(bench, "WorkerFunctionRole", _policy("s3:PutObject", page)):
        yield


@fault("SEC-08", "the API may send to the stack's other queue")
def the_other_queue(bench: Bench) -> Iterator[None]:
    queue = bench.stack.dead_letter_queue.arn
    with _granted(bench, "ApiFunctionRole", _policy("sqs:SendMessage", queue)):
        yield


@fault("SEC-08", "the API may use every table but one")
def every_table_but_one(bench: Bench) -> Iterator[None]:
    but = {**_policy("dynamodb:GetItem", "*")["Statement"][0], "NotResource": bench.stack.table.arn}
    del but["Resource"]
    with _granted(bench, "ApiFunctionRole", {"Version": "2012-10-17", "Statement": but}):
        yield


@fault("SEC-08", "both functions share one role", relatives={"SEC-24"})
def one_role_for_both(bench: Bench) -> Iterator[None]:
    client = bench.client("iam")
    both = client.get_role_policy(RoleName=bench.physical("ApiFunctionRole"), PolicyName="api")
    worker = client.get_role(RoleName=bench.physical("WorkerFunctionRole"))["Role"]["Arn"]
    with (
        _granted(bench, "WorkerFunctionRole", both["PolicyDocument"]),
        bench.configured("ApiFunction", Role=worker),
    ):
        yield


@fault("SEC-09", "the worker is granted an action by the name of its endpoint")
def action_of_an_endpoint(bench: Bench) -> Iterator[None]:
    model = f"arn:aws:bedrock:us-west-2::foundation-model/{registry.of('bedrock')[0].vendor_model}"
    with _granted(bench, "WorkerFunctionRole", _policy("bedrock-runtime:InvokeModel", model)):
        yield


@fault("SEC-09", "an action in the template is misspelt")
def misspelt_action(bench: Bench) -> Iterator[None]:
    with bench.checkout.changed("backend/template.yaml", "dynamodb:Query", "dynamodb:Querry"):
        yield


@fault("SEC-24", "the API may do what only the worker does")
def granted_and_never_called(bench: Bench) -> Iterator[None]:
    queue = bench.stack.queue.arn
    with _granted(bench, "ApiFunctionRole", _policy("sqs:ChangeMessageVisibility", queue)):
        yield


@fault("SEC-24", "the worker no longer stores what it may store", relatives={"CONF-14"}, alone=True)
def granted_and_no_longer_called(bench: Bench) -> Iterator[None]:
    with bench.checkout.changed(
        "backend/src/pixel_prompt/storage.py", "self._client.put_object(", "self._client.store("
    ):
        yield
