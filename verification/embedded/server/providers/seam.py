"""Where the models of Bedrock are put into MiniStack; the only module here that imports it.

The seam is the runtime's ``handle_request``, which MiniStack looks up on each call and only after its
IAM check. That check is taught two things: Converse is authorised by the action of InvokeModel, and the
resource is the model or inference profile that the path names, decoded.

Sources:
    Actions of Bedrock, https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonbedrock.html
    Permissions of Converse, https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
"""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

import ministack.app
from ministack.core import iam_actions, responses
from ministack.services import bedrock_runtime

from verification.embedded.server import require

from .bedrock import PATH, Bedrock, Response, resource_arn
from .ledger import Ledger

require(ministack.app, "SERVICE_REGISTRY", "_get_module")
require(iam_actions, "extract_iam_action", "extract_resource_arn")
require(responses, "get_region")
require(bedrock_runtime, "handle_request", "reset")

_ACTIONS = {
    "bedrock:Converse": "bedrock:InvokeModel",
    "bedrock:ConverseStream": "bedrock:InvokeModelWithResponseStream",
}


def install_into(ledger: Ledger) -> None:
    """Put the models behind MiniStack's own Bedrock runtime."""
    models = Bedrock(ledger)
    original = bedrock_runtime.handle_request
    forget = bedrock_runtime.reset
    action_of = iam_actions.extract_iam_action
    resource_of = iam_actions.extract_resource_arn

    async def handle_request(
        method: str, path: str, headers: dict[str, str], body: bytes, query_params: dict[str, Any]
    ) -> Response:
        if method == "POST":
            lower = {name.lower(): value for name, value in headers.items()}
            answer = await models.handle(path, lower, body, responses.get_region())
            if answer is not None:
                return answer
        served: Response = await original(method, path, headers, body, query_params)
        return served

    def reset() -> None:
        forget()
        ledger.reset()

    def extract_iam_action(service: str, *rest: Any, **named: Any) -> str | None:
        action: str | None = action_of(service, *rest, **named)
        return _ACTIONS.get(action or "", action) if service == "bedrock-runtime" else action

    def extract_resource_arn(service: str, method: str, path: str, *rest: Any) -> str:
        match = PATH.fullmatch(path) if service == "bedrock-runtime" else None
        if match is None:
            arn: str = resource_of(service, method, path, *rest)
            return arn
        return resource_arn(unquote(match["model"]), region=rest[-2], account=rest[-1])

    bedrock_runtime.handle_request = handle_request
    bedrock_runtime.reset = reset
    iam_actions.extract_iam_action = extract_iam_action
    iam_actions.extract_resource_arn = extract_resource_arn
