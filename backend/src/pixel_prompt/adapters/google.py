"""Google's Gemini API: the Gemini models that draw.

Sources: https://ai.google.dev/api/generate-content , https://ai.google.dev/gemini-api/docs/image-generation ,
https://ai.google.dev/gemini-api/docs/models/gemini-3.1-flash-lite-image , https://ai.google.dev/api/models
"""

import json
from http import HTTPStatus
from typing import Final
from urllib.parse import quote

from pixel_prompt.adapters import Means
from pixel_prompt.adapters.decoding import find, image_bytes, required_key
from pixel_prompt.adapters.transport import READ_SECONDS, Answer, Call, Deadline, VendorError, expect_success
from pixel_prompt.models import Life, Model
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
    """Takes neither steps nor guidance nor a seed. Some models answer with JPEG, whatever is asked for."""

    def __init__(self, model: Model, means: Means) -> None:
        self._model = model
        self._means = means

    def generate(self, wish: Wish, deadline: Deadline) -> bytes:
        """See Adapter. What a model thinks aloud may hold drafts, which are no answer."""
        body = {
            "contents": [{"role": "user", "parts": [{"text": f"Draw this image: {wish.prompt}"}]}],
            "generationConfig": {
                "responseModalities": ["IMAGE"],
                "imageConfig": {"aspectRatio": "1:1", "imageSize": "1K"},
            },
        }
        headers = {**self._headers(), "Content-Type": "application/json"}
        url = f"{self._url()}:generateContent"
        call = Call("POST", url, headers, json.dumps(body).encode(), READ_SECONDS["google"])
        document = _expect_success(self._means.caller.call(call, deadline)).json()
        for part in find(document, "candidates", 0, "content", "parts") or []:
            data = find(part, "inlineData", "data")
            if data is not None and not find(part, "thought"):
                return image_bytes(data)
        blocked = find(document, "promptFeedback", "blockReason")
        if blocked or find(document, "candidates", 0, "finishReason") in _REFUSALS:
            raise VendorError("moderated")
        raise VendorError("invalid_response")

    def check_key(self, deadline: Deadline) -> None:
        """See Adapter."""
        call = Call("GET", self._url(), self._headers())
        _expect_success(self._means.caller.call(call, deadline)).json()

    def life(self, deadline: Deadline) -> Life | None:
        """See Adapter. Google tells no end, and its list has been seen to hold models that had ended."""
        try:
            self.check_key(deadline)
        except VendorError as error:
            if error.cause == "not_served":
                return Life(served=False)
            raise
        return None

    def _url(self) -> str:
        return f"{_BASE}/{quote(self._model.vendor_model, safe='')}"

    def _headers(self) -> dict[str, str]:
        return {"x-goog-api-key": required_key(self._means.key("google"))}


def _expect_success(answer: Answer) -> Answer:
    """Google answers a bad key with 400, like any other mistake in a request."""
    if answer.status == HTTPStatus.BAD_REQUEST and "API_KEY_INVALID" in answer.text():
        raise VendorError("unauthorized", answer.status)
    if answer.status == HTTPStatus.NOT_FOUND and "models/" in answer.text():
        raise VendorError("unavailable", answer.status, "not_served")
    return expect_success(answer)
