"""readiness/guard.py: every operation of every service that the suite touches, tried on a read-only environment."""

from __future__ import annotations

import ast
import contextlib
import re
import socket
import threading
from datetime import UTC, datetime

import boto3
import botocore.session
import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import EndpointConnectionError
from urllib3 import HTTPResponse

from readiness.environment import Environment, Settings
from readiness.errors import Refused, Unverified
from readiness.guard import operations
from verification.application import ROOT

KNOWN = operations()
LISTED = KNOWN.prod | KNOWN.elsewhere
SERVICES = sorted({name.partition(":")[0] for name in LISTED})
MODELS = {service: botocore.session.get_session().get_service_model(service) for service in SERVICES}
EVERYTHING = {f"{service}:{name}" for service, model in MODELS.items() for name in model.operation_names}
READ = (
    "BatchGet",
    "Check",
    "Describe",
    "Detect",
    "Download",
    "Estimate",
    "Evaluate",
    "Filter",
    "Get",
    "Head",
    "List",
)
READ += ("Lookup", "Query", "Receive", "Scan", "Search", "Select", "Simulate", "Test", "Validate", "Verify")


class Wire:
    """What would leave the machine: requests that botocore is about to send, and connections to the endpoint."""

    def __init__(self) -> None:
        self.requests = 0
        self.connections = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                self._listener.accept()[0].close()
                self.connections += 1

    def environment(self, **settings: str) -> Environment:
        chosen = Settings("prod", "some-stack", "us-east-1", **settings)
        return Environment(chosen, boto3.Session("testing", "testing"), endpoint_url=self.url)

    def client(self, service: str, **settings: str):
        client = self.environment(**settings).bare_client(service, read_timeout=1, attempts=1)
        client.meta.events.register_last("before-send", self._count)
        return client

    def _count(self, request, **_):
        """The last event before a socket is opened."""
        self.requests += 1
        return AWSResponse(request.url, 200, {}, HTTPResponse(b"", preload_content=False))

    def close(self) -> None:
        self._listener.close()


@pytest.fixture
def wire():
    wire = Wire()
    yield wire
    wire.close()


def minimal(shape, depth=0):
    """The least that botocore's validation takes for a shape."""
    kind, limits = shape.type_name, shape.metadata
    if kind == "structure":
        names = shape.required_members or (list(shape.members)[:1] if shape.is_tagged_union else [])
        return {name: minimal(shape.members[name], depth + 1) for name in names}
    if kind == "list":
        return [minimal(shape.member, depth + 1)] * max(1, limits.get("min", 1))
    if kind == "map":
        return {minimal(shape.key): minimal(shape.value, depth + 1)}
    if kind == "string":
        return shape.enum[0] if shape.enum else "a" * max(3, limits.get("min", 1))
    return {
        "blob": b"x",
        "boolean": False,
        "timestamp": datetime(2026, 1, 1, tzinfo=UTC),
        "double": float(limits.get("min", 1)),
        "float": float(limits.get("min", 1)),
        "integer": limits.get("min", 1),
        "long": limits.get("min", 1),
    }[kind]


def attempt(client, name):
    """Call one operation, by whatever boto3 names it, with parameters that botocore takes."""
    shape = client.meta.service_model.operation_model(name).input_shape
    method = next(one for one, of in client.meta.method_to_api_mapping.items() if of == name)
    return getattr(client, method)(**(minimal(shape) if shape else {}))


def test_everything_that_is_not_listed_is_refused_and_nothing_leaves_the_machine(wire, record_property):
    """Mutating or not: what a name says of an operation is not asked."""
    refused, sent = [], []
    for service, model in MODELS.items():
        client = wire.client(service, guard="read-only")
        for name in model.operation_names:
            if (operation := f"{service}:{name}") in KNOWN.prod:
                continue
            try:
                attempt(client, name)
                sent.append(operation)
            except Refused:
                refused.append(operation)

    writes = [operation for operation in refused if not operation.partition(":")[2].startswith(READ)]
    figure = (
        f"{len(refused)} of {len(EVERYTHING - KNOWN.prod)} operations of {len(SERVICES)} services refused, {len(writes)} of "
        f"them not named like reads; {wire.requests} requests, {wire.connections} connections"
    )
    record_property("figure", f"guard of prod: {figure}")
    assert sent == []
    assert set(refused) == EVERYTHING - KNOWN.prod
    assert len(writes) > 600
    assert (wire.requests, wire.connections) == (0, 0)


def test_the_same_attempts_without_the_guard_all_leave_the_machine(wire):
    """Or the count of none would say nothing."""
    kept = []
    for service, model in MODELS.items():
        client = wire.client(service)
        for name in model.operation_names:
            before = wire.requests
            try:
                attempt(client, name)
            except Refused:
                assert f"{service}:{name}" in KNOWN.never
                continue
            except Exception as problem:  # noqa: BLE001  # an empty answer suits few operations
                reason = repr(problem)
            if wire.requests == before:
                kept.append(f"{service}:{name} {reason}")

    assert kept == []


def test_what_is_listed_is_sent(wire):
    for service in SERVICES:
        client = wire.client(service, guard="read-only")
        for name in MODELS[service].operation_names:
            before = wire.requests
            with contextlib.suppress(Exception):
                attempt(client, name)
            assert (wire.requests > before) is (f"{service}:{name}" in KNOWN.prod), name


@pytest.mark.parametrize("settings", [{}, {"guard": "read-only"}])
@pytest.mark.parametrize("operation", sorted(KNOWN.never))
def test_secrets_are_fetched_nowhere(wire, operation, settings):
    service, _, name = operation.partition(":")

    with pytest.raises(
        Refused, match=rf"{operation} was not sent: it hands out .*; describe the resource instead"
    ):
        attempt(wire.client(service, **settings), name)

    assert (wire.requests, wire.connections) == (0, 0)


def test_a_refusal_names_the_operation_and_the_next_step(wire):
    with pytest.raises(
        Refused,
        match=r"'prod' is read-only: s3:PutObject was not sent; run this item on staging\. If .*/operations\.toml",
    ):
        wire.client("s3", guard="read-only").put_object(Bucket="bucket", Key="k")


def test_a_refusal_is_a_doubt_and_no_failure():
    assert issubclass(Refused, Unverified)
    assert not issubclass(Refused, AssertionError)


@pytest.mark.parametrize(
    "way",
    [
        lambda s3: s3.generate_presigned_url("put_object", Params={"Bucket": "bucket", "Key": "k"}),
        lambda s3: s3.generate_presigned_post("bucket", "k"),
        # What is signed for a listed operation would do for another method.
        lambda s3: s3.generate_presigned_url("head_bucket", Params={"Bucket": "bucket"}, HttpMethod="PUT"),
        lambda s3: list(s3.get_paginator("list_object_versions").paginate(Bucket="bucket")),
        lambda s3: s3.upload_file(__file__, "bucket", "k"),
        lambda s3: s3._make_api_call("PutObject", {"Bucket": "bucket", "Key": "k"}),
    ],
    ids=["URL", "post", "method", "paginator", "transfer", "inner call"],
)
def test_there_is_no_way_around(wire, way):
    with pytest.raises(Refused, match="'prod' is read-only"):
        way(wire.client("s3", guard="read-only"))

    assert (wire.requests, wire.connections) == (0, 0)


def test_a_client_is_guarded_whatever_it_is_made_for(wire):
    env = wire.environment(guard="read-only")
    clients = [
        env.client("s3"),
        env.client("s3", "eu-west-1", read_timeout=1, attempts=1),
        env.bare_client("s3", read_timeout=1, attempts=1, signature_version=botocore.UNSIGNED),
        env.bare_client("s3", read_timeout=1, attempts=1, endpoint_url="http://127.0.0.1:9"),
    ]
    for client in clients:
        with pytest.raises(Refused):
            client.delete_bucket(Bucket="bucket")

    assert wire.connections == 0


def test_credentials_of_a_profile_may_take_a_role_on(wire, tmp_path, monkeypatch):
    """How people and CI sign in is no call of the suite's."""
    (tmp_path / "config").write_text(
        "[default]\nrole_arn = arn:aws:iam::123456789012:role/verifier\ncredential_source = Environment\n"
    )
    for name, value in {
        "AWS_CONFIG_FILE": str(tmp_path / "config"),
        "AWS_ACCESS_KEY_ID": "a",
        "AWS_SECRET_ACCESS_KEY": "b",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_MAX_ATTEMPTS": "1",
    }.items():
        monkeypatch.setenv(name, value)
    settings = Settings("prod", "some-stack", "us-east-1", guard="read-only")
    env = Environment(settings, boto3.Session(profile_name="default", region_name="us-east-1"))

    with pytest.raises(EndpointConnectionError):  # so that AssumeRole was sent
        env.client("sts", attempts=1).get_caller_identity()


def test_no_other_module_makes_clients():
    """One that Environment has not made has no guard."""
    makes = re.compile(
        r"(boto3|botocore\.session|session|_session)\.(client|resource|Session|get_session|create_client)$"
    )
    found = {
        f"{file.relative_to(ROOT)}: {ast.unparse(node.func)}"
        for folder in ("readiness", "verification", "benchmarks", "scripts")
        for file in (ROOT / folder).rglob("*.py")
        if "verification/embedded/" not in file.as_posix()
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and makes.search(ast.unparse(node.func))
    }

    assert found == {
        "readiness/environment.py: boto3.Session",
        "readiness/environment.py: botocore.session.Session",  # settings of a replay; makes no client
        "readiness/environment.py: self.session.client",  # in bare_client
        "verification/policies.py: botocore.session.get_session",  # reads models
        "verification/deployment/aws.py: session.client",  # publishes the page; no check imports it
    }


# What active items of the catalogue, or Pixel Prompt's own checks, read; no read-only environment is asked for it.
ACTIVE = {"cloudfront:GetInvalidation", "s3:GetObject"}
READS = re.compile(r"""[."]((?:describe|filter|get|list|simulate)_[a-z0-9_]+|head_object|head_bucket)[(",]""")


def test_a_read_only_environment_is_asked_for_all_that_the_catalogue_reads():
    """An item that the guard leaves UNVERIFIED on production is one that production does not have."""
    missing = set()
    for package in ("aws", "catalogue", "discovery"):
        for file in (ROOT / "readiness" / package).rglob("*.py"):
            text = file.read_text(encoding="utf-8")
            for service in set(re.findall(r'client\(\s*"([a-z0-9-]+)"', text)):
                methods = boto3.client(service, "us-east-1").meta.method_to_api_mapping
                named = {f"{service}:{methods[name]}" for name in READS.findall(text) if name in methods}
                missing |= named - KNOWN.prod - KNOWN.catalogue

    assert missing == ACTIVE


def test_every_operation_that_is_named_exists():
    named = LISTED | KNOWN.unseen.keys() | KNOWN.weighed.keys() | KNOWN.never.keys()

    assert sorted(named - EVERYTHING) == []


def test_what_was_weighed_is_done():
    assert {name for name, said in KNOWN.weighed.items() if said.startswith("sent: ")} == (
        KNOWN.weighed.keys() & KNOWN.prod
    )
    assert all(said.startswith(("sent: ", "refused: ")) for said in KNOWN.weighed.values())
    assert {
        name
        for name in KNOWN.prod
        if not name.partition(":")[2].startswith(("Describe", "Get", "Head", "List"))
    } <= (KNOWN.weighed.keys())
    assert not LISTED & KNOWN.never.keys()
    assert not KNOWN.prod & KNOWN.elsewhere
    assert KNOWN.unseen.keys() <= LISTED
