"""Stability AI's Stable Diffusion 3.5 models.

Source: https://platform.stability.ai/docs/api-reference
"""

import uuid
from typing import Final

from pixel_prompt.adapters import Means
from pixel_prompt.adapters.decoding import required_key
from pixel_prompt.adapters.transport import READ_SECONDS, Call, Deadline, VendorError, expect_success
from pixel_prompt.models import Life, Model
from pixel_prompt.validation import Wish

_BASE: Final = "https://api.stability.ai"
_MODERATION: Final = ("content_moderation",)


class Stability:
    """Takes a seed, and guidance except for the turbo models, which are trained to go without."""

    def __init__(self, model: Model, means: Means) -> None:
        self._model = model
        self._means = means

    def generate(self, wish: Wish, deadline: Deadline) -> bytes:
        """See Adapter."""
        fields = {
            "prompt": wish.prompt,
            "model": self._model.vendor_model,
            "mode": "text-to-image",
            "aspect_ratio": "1:1",
            "output_format": "png",
        }
        if "turbo" not in self._model.vendor_model:
            fields["cfg_scale"] = f"{wish.guidance:g}"
        if wish.seed is not None:
            fields["seed"] = str(wish.seed)
        media_type, body = _form(fields)
        headers = {**self._headers(), "Content-Type": media_type, "Accept": "image/*"}
        call = Call(
            "POST", f"{_BASE}/v2beta/stable-image/generate/sd3", headers, body, READ_SECONDS["stability"]
        )
        answer = expect_success(self._means.caller.call(call, deadline), _MODERATION)
        if answer.headers.get("finish-reason", "SUCCESS") == "CONTENT_FILTERED":
            raise VendorError("moderated")
        return answer.body

    def check_key(self, deadline: Deadline) -> None:
        """See Adapter."""
        call = Call("GET", f"{_BASE}/v1/user/balance", self._headers())
        expect_success(self._means.caller.call(call, deadline)).json()

    def life(self, deadline: Deadline) -> Life | None:
        """See Adapter. The vendor's API does not tell."""

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {required_key(self._means.key('stability'))}"}


def _form(fields: dict[str, str]) -> tuple[str, bytes]:
    """Text fields as multipart/form-data: the media type and the body."""
    boundary = uuid.uuid4().hex
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    return f"multipart/form-data; boundary={boundary}", "".join([*parts, f"--{boundary}--\r\n"]).encode()
