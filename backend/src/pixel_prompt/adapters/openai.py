"""OpenAI's GPT image models.

Sources: https://developers.openai.com/api/reference/resources/images/methods/generate ,
https://developers.openai.com/api/reference/resources/models/methods/retrieve ,
https://developers.openai.com/api/docs/models/gpt-image-2 ,
https://developers.openai.com/api/docs/guides/image-generation
"""

import json
from datetime import date
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote

from pixel_prompt.adapters import Means
from pixel_prompt.adapters.decoding import find, image_bytes, required_key
from pixel_prompt.adapters.transport import READ_SECONDS, Answer, Call, Deadline, VendorError, expect_success
from pixel_prompt.models import Life, Model
from pixel_prompt.validation import Wish

_BASE: Final = "https://api.openai.com/v1"
_MODERATION: Final = ("content_policy_violation", "moderation_blocked")
# "low" answers soonest and costs a ninth of "medium"; whoever compares nine images waits for the slowest of them.
_QUALITY: Final = "low"


class OpenAi:
    """Takes neither steps nor guidance nor a seed, and always answers with base64."""

    def __init__(self, model: Model, means: Means) -> None:
        self._model = model
        self._means = means

    def generate(self, wish: Wish, deadline: Deadline) -> bytes:
        """See Adapter."""
        body: dict[str, Any] = {
            "model": self._model.vendor_model,
            "prompt": wish.prompt,
            "n": 1,
            "size": "1024x1024",
            "quality": _QUALITY,
            "output_format": "png",
        }
        headers = {**self._headers(), "Content-Type": "application/json"}
        url = f"{_BASE}/images/generations"
        call = Call("POST", url, headers, json.dumps(body).encode(), READ_SECONDS["openai"])
        answer = _expect_success(self._means.caller.call(call, deadline), _MODERATION)
        return image_bytes(find(answer.json(), "data", 0, "b64_json"))

    def check_key(self, deadline: Deadline) -> None:
        """See Adapter."""
        self._described(deadline)

    def life(self, deadline: Deadline) -> Life | None:
        """See Adapter. A model whose description has no ``shutdown_date`` at all tells nothing."""
        try:
            described = self._described(deadline)
        except VendorError as error:
            if error.cause == "not_served":
                return Life(served=False)
            raise
        if not isinstance(described, dict) or "shutdown_date" not in described:
            return None
        day = described["shutdown_date"]
        try:
            return Life(None if day is None else date.fromisoformat(day))
        except (TypeError, ValueError):
            raise VendorError("invalid_response") from None

    def _described(self, deadline: Deadline) -> Any:
        url = f"{_BASE}/models/{quote(self._model.vendor_model, safe='')}"
        return _expect_success(self._means.caller.call(Call("GET", url, self._headers()), deadline)).json()

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {required_key(self._means.key('openai'))}"}


def _expect_success(answer: Answer, moderation_marks: tuple[str, ...] = ()) -> Answer:
    """OpenAI answers 404 or 400 to a model that has ended or never was, and 403 to who has not said who they are."""
    text = answer.text().lower() if answer.status >= HTTPStatus.BAD_REQUEST else ""
    if "model_not_found" in text or ("the model" in text and "does not exist" in text):
        raise VendorError("unavailable", answer.status, "not_served")
    if answer.status == HTTPStatus.FORBIDDEN and "must be verified" in text:
        raise VendorError("unavailable", answer.status, "not_verified")
    return expect_success(answer, moderation_marks)
