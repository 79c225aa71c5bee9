"""OpenAI's image models.

Sources: https://platform.openai.com/docs/api-reference/images/create ,
https://platform.openai.com/docs/api-reference/models/retrieve
"""

import json
from typing import Any, Final
from urllib.parse import quote

from pixel_prompt.adapters import Means
from pixel_prompt.adapters.decoding import find, image_bytes, required_key
from pixel_prompt.adapters.transport import Call, Deadline, expect_success
from pixel_prompt.models import Model
from pixel_prompt.validation import Wish

_BASE: Final = "https://api.openai.com/v1"
_MODERATION: Final = ("content_policy_violation", "moderation_blocked")


class OpenAi:
    """Takes neither steps nor guidance nor a seed."""

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
        }
        # The GPT image models always answer with base64, and refuse the parameter that asks for it.
        if self._model.vendor_model.startswith("dall-e"):
            body["response_format"] = "b64_json"
        headers = {**self._headers(), "Content-Type": "application/json"}
        call = Call("POST", f"{_BASE}/images/generations", headers, json.dumps(body).encode())
        answer = expect_success(self._means.caller.call(call, deadline), _MODERATION)
        return image_bytes(find(answer.json(), "data", 0, "b64_json"))

    def check_key(self, deadline: Deadline) -> None:
        """See Adapter."""
        url = f"{_BASE}/models/{quote(self._model.vendor_model, safe='')}"
        expect_success(self._means.caller.call(Call("GET", url, self._headers()), deadline)).json()

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {required_key(self._means.key('openai'))}"}
