"""Overlay of drift detection: compares each declared property that a service's API gives back.

MiniStack compares some properties of some types. CloudFormation compares what the read handler of a resource type returns, which is
nearly every property. The readers of the fidelity gate ask the services for the same, in the template's shape. Source: CloudFormation
User Guide, "Detect unmanaged configuration changes to stacks and resources with drift detection".
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import replace
from functools import partial
from typing import Any, Final

from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.session import Session
from ministack.services import cloudformation
from ministack.services.cloudformation import drift

from readiness.discovery.comparison import differences, document
from verification.embedded.fidelity import readers
from verification.embedded.fidelity.handlers import NOT_CHECKED, WRITE_ONLY
from verification.embedded.fidelity.live import Aws, Live, Type
from verification.embedded.server import origin_identities, require
from verification.embedded.server.cloudformation.hooks import Properties
from verification.embedded.server.context import Context

require(drift, "_DRIFT_READERS", "_STACK_TAG_PROPERTY", "_coerce_like")
require(cloudformation, "handle_request")

OWN_TAGS: Final = frozenset({"AWS::ApiGatewayV2::Api"})
"""Types whose definition adds tags of its own, such as SAM's `httpapi:createdBy`, so that tags are not compared."""
DOCUMENTS: Final = frozenset(
    {
        "DeliveryPolicy",
        "FilterPolicy",
        "KeyPolicy",
        "PolicyDocument",
        "RedriveAllowPolicy",
        "RedrivePolicy",
        "StageVariables",
        ("AWS::IAM::Role", "Policies"),
    }
)
"""Properties, some of one type alone, that are documents or maps, in which an added member is a difference too. Source: their types in the registry's schemas."""
_DETECTIONS: Final = frozenset({"DetectStackDrift", "DetectStackResourceDrift"})
_CHANGES: Final = frozenset(
    {"CreateStack", "DeleteStack", "ExecuteChangeSet", "RollbackStack", "UpdateStack"}
)
_ACTION: Final = re.compile(rb"(?:^|&)Action=(\w+)")
_ROOT: Final = "test"
"""MiniStack's access key of the root user, who may read everything; its secret is not checked."""
_GONE: Final = ("NoSuch", "NotFound", "NonExistent", "DoesNotExist")


def install(context: Context) -> None:
    """Lay the overlay over MiniStack; a pessimistic AWS spells values in its own way."""
    aws = Aws(
        partial(
            Session().create_client,
            region_name=context.region,
            endpoint_url=context.endpoint,
            verify=str(context.ca_bundle),
            aws_access_key_id=_ROOT,
            aws_secret_access_key=_ROOT,
            config=Config(retries={"mode": "standard", "total_max_attempts": 5}),
        ),
        context.account_id,
        context.region,
    )
    policy = origin_identities.POLICY
    stored = replace(readers.TYPES[policy], shapes={"PolicyDocument": _as_s3_stores})
    for kind, known in {**readers.TYPES, policy: stored}.items():
        if kind not in NOT_CHECKED:
            left_out = WRITE_ONLY.get(kind, frozenset()) | ({"Tags"} if kind in OWN_TAGS else set())
            _compare(aws, kind, known, known.properties.keys() - left_out)
    if context.pace.pessimistic:
        drift._coerce_like = as_aws_writes
    _detect_beside_the_loop()


def _compare(aws: Aws, kind: str, known: Type, readable: AbstractSet[str]) -> None:
    """Compare the properties of a type that MiniStack does not compare by itself."""
    built_in, others = drift._DRIFT_READERS.get(kind, (None, frozenset()))
    compared = readable - others
    # MiniStack adds the tags of the stack to the declared ones, and compares them with all tags.
    tags = {drift._STACK_TAG_PROPERTY.get(kind, ("",))[0]} & compared

    def read(physical_id: str, declared: Properties) -> Mapping[str, Any] | None:
        found = {} if built_in is None else built_in(physical_id, declared)
        if found is None:
            return None
        subject = Live(aws.again(), physical_id, declared)
        try:
            live = {name: _live(subject, kind, known, name) for name in (compared & declared.keys()) - tags}
            every = {name: known.properties[name](subject) for name in tags}
        except ClientError as error:
            if any(part in error.response["Error"]["Code"] for part in _GONE):
                return None
            raise
        if live and built_in is None and all(one in (None, "", [], {}) for one in live.values()):
            return None
        return {**found, **live, **every}

    drift._DRIFT_READERS[kind] = (read, frozenset(compared | others))


def _live(subject: Live, kind: str, known: Type, name: str) -> Any:
    """Return a property as it is live, and as it is declared where only the spelling differs."""
    declared, live, shape = subject.declared[name], known.properties[name](subject), known.shapes.get(name)
    expected = shape(declared, subject.declared) if shape else declared
    if any(differences(expected, live, name)):
        return live_as_declared(declared, live)
    if (name in DOCUMENTS or (kind, name) in DOCUMENTS) and any(
        differences(document(live), document(expected), name)
    ):
        return document(live)
    return declared


def _as_s3_stores(policy: Any, _properties: Mapping[str, Any]) -> Any:
    """Return a bucket policy with ARNs in the place of canonical users."""
    return json.loads(origin_identities.translate(json.dumps(policy).encode()))


def _detect_beside_the_loop() -> None:
    """Run a detection in a thread of its own: it sends requests to the loop that serves it.

    No stack changes meanwhile, and no two detections run at once.
    """
    handle, lock = cloudformation.handle_request, asyncio.Lock()

    async def handle_request(
        method: str, path: str, headers: Mapping[str, str], body: bytes, query: Mapping[str, Any]
    ) -> Any:
        asked, action = handle(method, path, headers, body, query), _action(headers, body, query)
        if action not in _DETECTIONS | _CHANGES:
            return await asked
        async with lock:
            return await (asyncio.to_thread(asyncio.run, asked) if action in _DETECTIONS else asked)

    cloudformation.handle_request = handle_request


def _action(headers: Mapping[str, str], body: bytes, query: Mapping[str, Any]) -> str:
    """Return the operation that a request asks for, in the JSON protocol or the query protocol."""
    if "amz-json" in headers.get("content-type", ""):
        return headers.get("x-amz-target", "").rpartition(".")[2]
    found = _ACTION.search(body)
    return found[1].decode() if found else "".join(query.get("Action", [])[:1])


def live_as_declared(declared: Any, live: Any) -> Any:
    """Return what is live of the members that a template names, by the template's names and in the service's own words."""
    if isinstance(declared, Mapping) and isinstance(live, Mapping):
        members = {str(name).lower(): value for name, value in live.items()}
        return {
            name: live_as_declared(value, members[name.lower()])
            for name, value in declared.items()
            if name.lower() in members
        }
    if isinstance(declared, list) and isinstance(live, list) and len(declared) == len(live):
        return [live_as_declared(*pair) for pair in zip(declared, live, strict=True)]
    return live


def as_aws_writes(_declared: object, live: Any) -> Any:
    """Return a live value as a pessimistic AWS gives it back: numbers with a fraction, lists the other way round."""
    if isinstance(live, Mapping):
        return {name: as_aws_writes(None, value) for name, value in live.items()}
    if isinstance(live, list):
        return [as_aws_writes(None, value) for value in reversed(live)]
    return float(live) if isinstance(live, int) and not isinstance(live, bool) else live
