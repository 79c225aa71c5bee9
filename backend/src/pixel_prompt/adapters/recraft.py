"""Recraft's raster models.

Sources: https://www.recraft.ai/docs/api-reference/endpoints , https://www.recraft.ai/docs/api-reference/agents ,
https://www.recraft.ai/docs/recraft-models/introduction
"""

import json
from typing import Any, Final

from pixel_prompt.adapters import Means
from pixel_prompt.adapters.decoding import find, image_bytes, required_key
from pixel_prompt.adapters.transport import READ_SECONDS, Call, Deadline, expect_success
from pixel_prompt.models import Life, Model
from pixel_prompt.validation import Wish

_BASE: Final = "https://external.api.recraft.ai/v1"
_MODERATION: Final = ("content_policy", "content policy", "nsfw")


class Recraft:
    """Takes a seed, neither steps nor guidance. Its images are WebP unless PNG is asked for."""

    def __init__(self, model: Model, means: Means) -> None:
        self._model = model
        self._means = means

    def generate(self, wish: Wish, deadline: Deadline) -> bytes:
        """See Adapter."""
        body: dict[str, Any] = {
            "prompt": wish.prompt,
            "model": self._model.vendor_model,
            "n": 1,
            "size": "1024x1024",
            "response_format": "b64_json",
            "image_format": "png",
        }
        if wish.seed is not None:
            body["random_seed"] = wish.seed
        headers = {**self._headers(), "Content-Type": "application/json"}
        url = f"{_BASE}/images/generations"
        call = Call("POST", url, headers, json.dumps(body).encode(), READ_SECONDS["recraft"])
        answer = expect_success(self._means.caller.call(call, deadline), _MODERATION)
        return image_bytes(find(answer.json(), "data", 0, "b64_json"))

    def check_key(self, deadline: Deadline) -> None:
        """See Adapter."""
        call = Call("GET", f"{_BASE}/users/me", self._headers())
        expect_success(self._means.caller.call(call, deadline)).json()

    def life(self, deadline: Deadline) -> Life | None:
        """See Adapter. The vendor's API does not tell."""

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {required_key(self._means.key('recraft'))}"}
