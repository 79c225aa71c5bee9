"""Where the models of Bedrock are put into MiniStack; the only module here that imports it.

The seam is each service's ``handle_request``, which MiniStack looks up on each call and only after its
IAM check. MiniStack's own answer to GetFoundationModel is not in AWS's spelling and knows no lives. That check is taught two things: Converse is authorised by the action of InvokeModel, and the
resource is the model or inference profile that the path names, decoded.

Sources:
    Actions of Bedrock, https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonbedrock.html
    Permissions of Converse, https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

import ministack.app
from ministack.core import iam_actions, responses
from ministack.services import bedrock, bedrock_runtime

from verification.embedded.server import require

from .bedrock import DESCRIPTION, PATH, Bedrock, Response, resource_arn
from .ledger import Ledger

require(ministack.app, "SERVICE_REGISTRY", "_get_module")
require(iam_actions, "extract_iam_action", "extract_resource_arn")
require(responses, "get_region")
require(bedrock, "handle_request")
require(bedrock_runtime, "handle_request", "reset")

_ACTIONS = {
    "bedrock:Converse": "bedrock:InvokeModel",
    "bedrock:ConverseStream": "bedrock:InvokeModelWithResponseStream",
}


def _before(original: Callable[..., Any], method: str, answer: Callable[..., Any]) -> Callable[..., Any]:
    """A service's handler that asks `answer` first."""

    async def handle_request(
        verb: str, path: str, headers: dict[str, str], body: bytes, query_params: dict[str, Any]
    ) -> Response:
        ours: Response | None = await answer(path, headers, body) if verb == method else None
        if ours is not None:
            return ours
        served: Response = await original(verb, path, headers, body, query_params)
        return served

    return handle_request


def install_into(ledger: Ledger) -> None:
    """Put the models behind MiniStack's own Bedrock runtime."""
    models = Bedrock(ledger)
    forget = bedrock_runtime.reset
    action_of = iam_actions.extract_iam_action
    resource_of = iam_actions.extract_resource_arn

    async def call(path: str, headers: dict[str, str], body: bytes) -> Response | None:
        lower = {name.lower(): value for name, value in headers.items()}
        return await models.handle(path, lower, body, responses.get_region())

    async def describe(path: str, *_: object) -> Response | None:
        return await models.describe(path, responses.get_region())

    def reset() -> None:
        forget()
        ledger.reset()

    def extract_iam_action(service: str, *rest: Any, **named: Any) -> str | None:
        action: str | None = action_of(service, *rest, **named)
        return _ACTIONS.get(action or "", action) if service == "bedrock-runtime" else action

    def extract_resource_arn(service: str, method: str, path: str, *rest: Any) -> str:
        pattern = {"bedrock-runtime": PATH, "bedrock": DESCRIPTION}.get(service)
        match = pattern.fullmatch(path) if pattern else None
        if match is None:
            arn: str = resource_of(service, method, path, *rest)
            return arn
        return resource_arn(unquote(match["model"]), region=rest[-2], account=rest[-1])

    bedrock.handle_request = _before(bedrock.handle_request, "GET", describe)
    bedrock_runtime.handle_request = _before(bedrock_runtime.handle_request, "POST", call)
    bedrock_runtime.reset = reset
    iam_actions.extract_iam_action = extract_iam_action
    iam_actions.extract_resource_arn = extract_resource_arn
