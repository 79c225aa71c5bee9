"""Image models on Amazon Bedrock: Stability AI's.

A third party's model needs a Marketplace subscription of the account, which the worker's role cannot make; see
docs/DEPLOYMENT.md.

Sources: https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-diffusion-3-5-large.html ,
https://docs.aws.amazon.com/bedrock/latest/userguide/model-card-stability-ai-stable-image-core-1-0.html ,
https://docs.aws.amazon.com/bedrock/latest/userguide/model-lifecycle.html ,
https://docs.aws.amazon.com/bedrock/latest/APIReference/API_FoundationModelLifecycle.html ,
https://docs.aws.amazon.com/bedrock/latest/userguide/model-access.html
"""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from typing import Any, Final

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    ReadTimeoutError,
)

from pixel_prompt.adapters import Means
from pixel_prompt.adapters.decoding import find, image_bytes
from pixel_prompt.adapters.transport import Deadline, VendorError
from pixel_prompt.models import Life, Model
from pixel_prompt.validation import Wish

_CODES: Final = {
    "AccessDeniedException": "unauthorized",
    "UnrecognizedClientException": "unauthorized",
    "ThrottlingException": "rate_limited",
    "TooManyRequestsException": "rate_limited",
    "ServiceQuotaExceededException": "rate_limited",
    "ModelTimeoutException": "timeout",
    "ValidationException": "rejected",
}
# What Bedrock's message says of a prompt that a content filter refused.
_MODERATION: Final = ("content filter", "content policy", "responsible ai", "blocked by")
# What it says of a model that cannot be called, and what that means for the operator.
_CAUSES: Final = {
    "marked by provider as legacy": "legacy",
    "end of its life": "not_served",
    "model identifier is invalid": "not_served",
    "aws-marketplace": "not_subscribed",
    "marketplace subscription": "not_subscribed",
    "invalid_payment_instrument": "not_subscribed",
}
_MISCONFIGURED: Final = ("on-demand", "not supported in this region")
# What an inference profile puts before a model's name.
_PROFILE: Final = re.compile(r"(us|us-gov|eu|apac|jp|au|global)\.")


class Bedrock:
    """Authenticates with the worker's role instead of a key."""

    def __init__(self, model: Model, means: Means) -> None:
        self._model = model
        self._means = means

    def generate(self, wish: Wish, deadline: Deadline) -> bytes:
        """See Adapter. botocore does the retries; its client has time-outs shorter than any deadline."""
        if deadline.remaining <= 0:
            raise VendorError("timeout")
        body: dict[str, Any] = {"prompt": wish.prompt, "aspect_ratio": "1:1", "output_format": "png"}
        if "sd3" in self._model.vendor_model:
            body["mode"] = "text-to-image"
        if wish.seed is not None:
            body["seed"] = wish.seed
        document = self._invoke(body)
        reason = find(document, "finish_reasons", 0)
        if reason == "Inference error":
            raise VendorError("unavailable")
        if reason:
            raise VendorError("moderated")
        return image_bytes(find(document, "images", 0))

    def check_key(self, deadline: Deadline) -> None:
        """See Adapter. An empty request is refused as malformed only after access to the model was checked."""
        if deadline.remaining <= 0:
            raise VendorError("timeout")
        try:
            self._invoke({})
        except VendorError as error:
            if error.code != "rejected":
                raise

    def life(self, deadline: Deadline) -> Life | None:
        """See Adapter. Whether an account may still call a model in retirement is seen by trying it."""
        name = _PROFILE.sub("", self._model.vendor_model, count=1)
        if name.startswith("arn:"):
            return None
        if deadline.remaining <= 0:
            raise VendorError("timeout")
        try:
            described = self._asked(
                lambda: self._means.catalogue(self._model.region).get_foundation_model(modelIdentifier=name)
            )
        except VendorError as error:
            if error.cause == "not_served":
                return Life(served=False)
            raise
        life = _life(find(described, "modelDetails", "modelLifecycle"))
        return replace(life, served=self._callable(deadline)) if life.legacy else life

    def _callable(self, deadline: Deadline) -> bool | None:
        """Whether this account may call the model; None when that cannot be seen."""
        try:
            self.check_key(deadline)
        except VendorError as error:
            return False if error.cause in ("not_served", "legacy") else None
        return True

    def _invoke(self, body: dict[str, Any]) -> Any:
        def invoked() -> bytes:
            answer = self._means.bedrock(self._model.region).invoke_model(
                modelId=self._model.vendor_model,
                contentType="application/json",
                accept="application/json",
                body=json.dumps(body).encode(),
            )
            data: bytes = answer["body"].read()
            return data

        answer = self._asked(invoked)
        try:
            return json.loads(answer)
        except ValueError:
            raise VendorError("invalid_response") from None

    @staticmethod
    def _asked(call: Callable[[], Any]) -> Any:
        try:
            return call()
        except ClientError as error:
            raise _failure(error) from None
        except (ReadTimeoutError, ConnectTimeoutError):
            raise VendorError("timeout") from None
        except BotoCoreError:
            raise VendorError("unavailable") from None


def _failure(error: ClientError) -> VendorError:
    details = error.response.get("Error", {})
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    code = _CODES.get(details.get("Code", ""), "unavailable")
    message = details.get("Message", "").lower()
    cause = next((cause for mark, cause in _CAUSES.items() if mark in message), None)
    # GetFoundationModel knows no name of a model that is gone.
    if error.operation_name == "GetFoundationModel" and details.get("Code") == "ResourceNotFoundException":
        cause = "not_served"
    if code == "rejected" and any(mark in message for mark in _MODERATION):
        code = "moderated"
    elif code == "rejected" and (cause or any(mark in message for mark in _MISCONFIGURED)):
        code = "unavailable"
    return VendorError(code, status, cause)


def _life(lifecycle: Any) -> Life:
    """Bedrock's lifecycle of a model; botocore makes a datetime of its end.

    Raises:
        VendorError: invalid_response; it says no status.
    """
    status, end = find(lifecycle, "status"), find(lifecycle, "endOfLifeTime")
    if status not in ("ACTIVE", "LEGACY") or not (end is None or isinstance(end, datetime)):
        raise VendorError("invalid_response")
    day: date | None = end.date() if end else None
    return Life(day, legacy=status == "LEGACY")
