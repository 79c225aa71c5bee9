"""Google's Gemini API: the Gemini models that draw, and Imagen.

Sources: https://ai.google.dev/api/generate-content , https://ai.google.dev/gemini-api/docs/imagen ,
https://ai.google.dev/api/models
"""

import json
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote

from pixel_prompt.adapters import Means
from pixel_prompt.adapters.decoding import find, image_bytes, required_key
from pixel_prompt.adapters.transport import Answer, Call, Deadline, VendorError, expect_success
from pixel_prompt.models import Model
from pixel_prompt.validation import Wish

_BASE: Final = "https://generativelanguage.googleapis.com/v1beta/models"
# Why Gemini stopped, when it drew nothing because of what was asked for.
_REFUSALS: Final = frozenset(
    {
        "SAFETY",
        "IMAGE_SAFETY",
        "PROHIBITED_CONTENT",
        "IMAGE_PROHIBITED_CONTENT",
        "BLOCKLIST",
        "SPII",
        "RECITATION",
    }
)


class Google:
    """Gemini takes a seed; Imagen takes none while it marks its images."""

    def __init__(self, model: Model, means: Means) -> None:
        self._model = model
        self._means = means

    def generate(self, wish: Wish, deadline: Deadline) -> bytes:
        """See Adapter."""
        if self._model.vendor_model.startswith("imagen"):
            return self._imagen(wish, deadline)
        return self._gemini(wish, deadline)

    def check_key(self, deadline: Deadline) -> None:
        """See Adapter."""
        call = Call("GET", self._url(), self._headers())
        _expect_success(self._means.caller.call(call, deadline)).json()

    def _gemini(self, wish: Wish, deadline: Deadline) -> bytes:
        config: dict[str, Any] = {"responseModalities": ["TEXT", "IMAGE"]}
        if wish.seed is not None:
            config["seed"] = wish.seed
        document = self._post(
            "generateContent",
            {
                "contents": [{"role": "user", "parts": [{"text": f"Draw this image: {wish.prompt}"}]}],
                "generationConfig": config,
            },
            deadline,
        )
        for part in find(document, "candidates", 0, "content", "parts") or []:
            data = find(part, "inlineData", "data")
            if data is not None:
                return image_bytes(data)
        reasons = {
            find(document, "candidates", 0, "finishReason"),
            find(document, "promptFeedback", "blockReason"),
        }
        if find(document, "promptFeedback", "blockReason") or reasons & _REFUSALS:
            raise VendorError("moderated")
        raise VendorError("invalid_response")

    def _imagen(self, wish: Wish, deadline: Deadline) -> bytes:
        document = self._post(
            "predict",
            {"instances": [{"prompt": wish.prompt}], "parameters": {"sampleCount": 1, "aspectRatio": "1:1"}},
            deadline,
        )
        if not isinstance(document, dict):
            raise VendorError("invalid_response")
        prediction = find(document, "predictions", 0)
        # An image that Imagen filters out is simply not there.
        if prediction is None or find(prediction, "raiFilteredReason"):
            raise VendorError("moderated")
        return image_bytes(find(prediction, "bytesBase64Encoded"))

    def _post(self, method: str, body: dict[str, Any], deadline: Deadline) -> Any:
        headers = {**self._headers(), "Content-Type": "application/json"}
        call = Call("POST", f"{self._url()}:{method}", headers, json.dumps(body).encode())
        return _expect_success(self._means.caller.call(call, deadline)).json()

    def _url(self) -> str:
        return f"{_BASE}/{quote(self._model.vendor_model, safe='')}"

    def _headers(self) -> dict[str, str]:
        return {"x-goog-api-key": required_key(self._means.key("google"))}


def _expect_success(answer: Answer) -> Answer:
    """Google answers a bad key with 400, like any other mistake in a request."""
    if answer.status == HTTPStatus.BAD_REQUEST and "API_KEY_INVALID" in answer.text():
        raise VendorError("unauthorized", answer.status)
    return expect_success(answer)
