"""What the account has to have before a deployment can succeed, checked before anything is changed.

CloudFormation would find out in the middle of a creation, and a model's vendor not before the first job.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final, Protocol

import botocore.exceptions

from readiness.errors import Unverified, UsageProblem
from verification.deployment.standing import Standing

if TYPE_CHECKING:
    from mypy_boto3_bedrock import BedrockClient
    from mypy_boto3_lambda import LambdaClient

QUOTA: Final = "L-B99A9384"
"""Lambda's quota "Concurrent executions" by its code. Source: Lambda Developer Guide, "Lambda quotas"."""

_UNRESERVED_AT_LEAST: Final = 100
"""Executions that Lambda keeps for functions without a reservation; an account whose whole quota is smaller keeps all of
it. Source: Lambda Developer Guide, "Configuring reserved concurrency"."""

_FOUNDATION_MODEL: Final = re.compile(r"^arn:.+:bedrock:([a-z0-9-]+)::foundation-model/([A-Za-z0-9.:_-]+)$")


class Clients(Protocol):
    """AWS as the deployer sees it."""

    def __call__(self, service: str, region: str | None = None) -> Any: ...


def require_concurrency(
    clients: Clients, template: Mapping[str, Any], passed: Mapping[str, str], found: Standing
) -> str | None:
    """Refuse reservations of concurrency for which the account has no room.

    Args:
        clients: AWS.
        template: what is to be deployed.
        passed: the value of each parameter.
        found: the stack's present state; the concurrency that it has reserved already counts as free.

    Returns:
        Why the account could not be checked, for a note; nothing when there is room.

    Raises:
        UsageProblem: there is no room.
    """
    reserved = dict(_reserved(template, passed))
    wanted = sum(reserved.values())
    if wanted == 0:
        return None
    try:
        of_lambda: LambdaClient = clients("lambda")
        limits = of_lambda.get_account_settings()["AccountLimit"]
    except (Unverified, botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError) as problem:
        return (
            f"whether Lambda has room for {wanted} reserved executions could not be asked ({problem}); allow "
            "lambda:GetAccountSettings, or check the quota 'Concurrent executions'"
        )
    limit, unreserved = limits["ConcurrentExecutions"], limits["UnreservedConcurrentExecutions"]
    own = sum(dict(_reserved(template, found.parameters)).values()) if found.exists else 0
    others = limit - unreserved - own
    room = unreserved + own - min(_UNRESERVED_AT_LEAST, limit)
    if wanted <= room:
        return None
    names = " ".join(f"{name}={count}" for name, count in sorted(reserved.items()))
    without = " ".join(f"--parameter {name}=0" for name in sorted(reserved) if name in passed)
    needed = wanted + others + _UNRESERVED_AT_LEAST
    raise UsageProblem(
        f"the template reserves {wanted} executions of Lambda ({names}), and this account has room for {max(room, 0)}: its "
        f"quota is {limit}, {others} are reserved elsewhere, and {min(_UNRESERVED_AT_LEAST, limit)} have to stay unreserved. "
        f"Have the quota 'Concurrent executions' ({QUOTA} of Lambda, in Service Quotas) raised to {needed} or more"
        + (f", or reserve nothing: {without}" if without else "")
    )


def models_to_subscribe(clients: Clients, template: Mapping[str, Any]) -> list[str]:
    """What the account still needs before Bedrock serves each model that the template's roles may call.

    A third-party model on Bedrock is a product of AWS Marketplace. The first call subscribes the account, if the caller
    may; a function's role may not. Source: Bedrock User Guide, "Request access to models".
    """
    models = sorted(
        {match.groups() for text in _texts(template) if (match := _FOUNDATION_MODEL.search(text))}
    )
    with ThreadPoolExecutor(max_workers=8) as pool:
        notes = pool.map(lambda model: _missing(clients, *model), models)
        return [note for note in notes if note]


def _missing(clients: Clients, region: str, model: str) -> str | None:
    try:
        bedrock: BedrockClient = clients("bedrock", region)
        answer = bedrock.get_foundation_model_availability(modelId=model)
    except (Unverified, botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError) as problem:
        return (
            f"{model} in {region}: whether this account may use it could not be asked ({problem}); allow "
            "bedrock:GetFoundationModelAvailability"
        )
    agreement = answer.get("agreementAvailability", {})
    if answer.get("regionAvailability") == "NOT_AVAILABLE":
        return f"{model} in {region}: Bedrock does not offer it there; choose another one with ModelOverrides"
    states = {
        "agreement": (agreement.get("status"), "AVAILABLE"),
        "authorisation": (answer.get("authorizationStatus"), "AUTHORIZED"),
        "entitlement": (answer.get("entitlementAvailability"), "AVAILABLE"),
    }
    lacks = [f"{name} {state}" for name, (state, wanted) in states.items() if state != wanted]
    if not lacks:
        return None
    message = f"; {agreement['errorMessage']}" if agreement.get("errorMessage") else ""
    return (
        f"{model} in {region}: this account has no subscription to it ({', '.join(lacks)}{message}). The worker may not "
        "subscribe: its calls work for some 15 minutes, then fail. Subscribe first: see 'Before the first deployment' in "
        "docs/DEPLOYMENT.md"
    )


def _reserved(template: Mapping[str, Any], values: Mapping[str, str]) -> Iterator[tuple[str, int]]:
    """What each function reserves, by the parameter that says it, or by the function where the template does."""
    for name, resource in template.get("Resources", {}).items():
        said = resource.get("Properties", {}).get("ReservedConcurrentExecutions")
        if isinstance(said, int):
            yield name, said
        else:
            yield from ((text, int(values[text])) for text in _texts(said) if values.get(text, "0") != "0")


def _texts(node: Any) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, Mapping):
        for value in node.values():
            yield from _texts(value)
    elif isinstance(node, Sequence):
        for value in node:
            yield from _texts(value)
