"""Image models on Amazon Bedrock: Nova Canvas and Stable Diffusion 3.5.

Sources: https://docs.aws.amazon.com/nova/latest/userguide/image-gen-req-resp-structure.html ,
https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-diffusion-3-5-large.html
"""

import json
import secrets
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
from pixel_prompt.models import Model
from pixel_prompt.validation import Wish

_NOVA_SEEDS: Final = 858_993_460
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
# What it says of a model that cannot be called as configured.
_WRONG_MODEL: Final = ("model identifier", "on-demand", "end of its life", "not supported in this region")


class Bedrock:
    """Authenticates with the worker's role instead of a key."""

    def __init__(self, model: Model, means: Means) -> None:
        self._model = model
        self._means = means

    def generate(self, wish: Wish, deadline: Deadline) -> bytes:
        """See Adapter. botocore does the retries; its client has time-outs shorter than any deadline."""
        if deadline.remaining <= 0:
            raise VendorError("timeout")
        nova = self._model.vendor_model.startswith("amazon.")
        document = self._invoke(_nova_canvas(wish) if nova else _stable_diffusion(wish))
        if find(document, "error") or find(document, "finish_reasons", 0):
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

    def _invoke(self, body: dict[str, Any]) -> Any:
        try:
            answer = self._means.bedrock(self._model.region).invoke_model(
                modelId=self._model.vendor_model,
                contentType="application/json",
                accept="application/json",
                body=json.dumps(body).encode(),
            )
            return json.loads(answer["body"].read())
        except ClientError as error:
            raise _failure(error) from None
        except (ReadTimeoutError, ConnectTimeoutError):
            raise VendorError("timeout") from None
        except BotoCoreError:
            raise VendorError("unavailable") from None
        except ValueError:
            raise VendorError("invalid_response") from None


def _failure(error: ClientError) -> VendorError:
    details = error.response.get("Error", {})
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    code = _CODES.get(details.get("Code", ""), "unavailable")
    message = details.get("Message", "").lower()
    if code == "rejected" and any(mark in message for mark in _MODERATION):
        code = "moderated"
    elif code == "rejected" and any(mark in message for mark in _WRONG_MODEL):
        code = "unavailable"
    return VendorError(code, status)


def _nova_canvas(wish: Wish) -> dict[str, Any]:
    # Without a seed Nova Canvas always takes the same one.
    seed = secrets.randbelow(_NOVA_SEEDS) if wish.seed is None else wish.seed % _NOVA_SEEDS
    return {
        "taskType": "TEXT_IMAGE",
        "textToImageParams": {"text": wish.prompt},
        "imageGenerationConfig": {
            "numberOfImages": 1,
            "width": 1024,
            "height": 1024,
            "quality": "standard",
            "cfgScale": wish.guidance,
            "seed": seed,
        },
    }


def _stable_diffusion(wish: Wish) -> dict[str, Any]:
    body: dict[str, Any] = {
        "prompt": wish.prompt,
        "mode": "text-to-image",
        "aspect_ratio": "1:1",
        "output_format": "png",
    }
    if wish.seed is not None:
        body["seed"] = wish.seed
    return body
