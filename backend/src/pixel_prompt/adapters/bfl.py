"""Black Forest Labs' FLUX models: hand in, poll, fetch.

Sources: https://docs.bfl.ai/quick_start/generating_images , https://docs.bfl.ai/api_integration/errors ,
https://docs.bfl.ai/api-reference/get-the-users-credits , https://docs.bfl.ai/quick_start/pricing ,
https://github.com/black-forest-labs/skills
"""

import json
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote, urlsplit

from pixel_prompt.adapters import Means
from pixel_prompt.adapters.decoding import find, required_key
from pixel_prompt.adapters.transport import READ_SECONDS, Call, Deadline, VendorError, expect_success
from pixel_prompt.models import Life, Model
from pixel_prompt.validation import Wish

_BASE: Final = "https://api.bfl.ai/v1"
_HOST: Final = "bfl.ai"
_POLL_SECONDS: Final = (0.5, 0.5, 1.0, 1.0, 2.0)
_POLL_TIMEOUT_SECONDS: Final = 15.0
_MODERATED: Final = ("Request Moderated", "Content Moderated")
_WAITING: Final = ("Pending", "Reasoning", "Generating")


class BlackForestLabs:
    """FLUX.2 takes a seed; of its models "flex" alone takes steps and guidance."""

    def __init__(self, model: Model, means: Means) -> None:
        self._model = model
        self._means = means

    def generate(self, wish: Wish, deadline: Deadline) -> bytes:
        """See Adapter."""
        task = self._hand_in(wish, deadline)
        poll = Call("GET", _own_url(find(task, "polling_url")), self._headers(), None, _POLL_TIMEOUT_SECONDS)
        for count in range(1000):
            self._means.caller.pause(_POLL_SECONDS[min(count, len(_POLL_SECONDS) - 1)], deadline)
            answer = self._means.caller.call(poll, deadline)
            # A task that failed may be told with this status, too.
            failed = answer.status == HTTPStatus.UNPROCESSABLE_ENTITY
            state = (answer if failed else expect_success(answer)).json()
            status = find(state, "status")
            if status == "Ready":
                return self._fetch(find(state, "result", "sample"), deadline)
            if status in _MODERATED:
                raise VendorError("moderated")
            if status not in _WAITING:
                raise VendorError("unavailable" if isinstance(status, str) else "invalid_response")
        raise VendorError("timeout")

    def check_key(self, deadline: Deadline) -> None:
        """See Adapter."""
        call = Call("GET", f"{_BASE}/credits", self._headers())
        expect_success(self._means.caller.call(call, deadline)).json()

    def life(self, deadline: Deadline) -> Life | None:
        """See Adapter. The vendor's API does not tell."""

    def _hand_in(self, wish: Wish, deadline: Deadline) -> Any:
        body: dict[str, Any] = {
            "prompt": wish.prompt,
            "width": 1024,
            "height": 1024,
            "output_format": "png",
        }
        if self._model.vendor_model == "flux-2-flex":
            body |= {"steps": wish.steps, "guidance": wish.guidance}
        if wish.seed is not None:
            body["seed"] = wish.seed
        headers = {**self._headers(), "Content-Type": "application/json"}
        url = f"{_BASE}/{quote(self._model.vendor_model, safe='')}"
        call = Call("POST", url, headers, json.dumps(body).encode(), READ_SECONDS["bfl"])
        return expect_success(self._means.caller.call(call, deadline)).json()

    def _fetch(self, url: Any, deadline: Deadline) -> bytes:
        """The image behind its signed URL; the key is not sent there."""
        return expect_success(self._means.caller.call(Call("GET", _own_url(url)), deadline)).body

    def _headers(self) -> dict[str, str]:
        return {"x-key": required_key(self._means.key("bfl"))}


def _own_url(url: Any) -> str:
    """A URL out of an answer, if it leads to a host of this vendor over https.

    Raises:
        VendorError: invalid_response. The key must not be sent anywhere else.
    """
    if isinstance(url, str):
        try:
            parts = urlsplit(url)
            host = parts.hostname or ""
        except ValueError:
            raise VendorError("invalid_response") from None
        if parts.scheme == "https" and (host == _HOST or host.endswith(f".{_HOST}")):
            return url
    raise VendorError("invalid_response")
