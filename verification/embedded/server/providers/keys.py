"""The shapes of the vendors' API keys, in one place.

A simulated vendor takes every key of its own shape that has not been revoked, so that the keys of a
deployment can be made up at run time and never need to be stored anywhere. This module imports
nothing but the standard library: deployment code uses it outside the server.

Sources:
    OpenAI project keys, https://platform.openai.com/docs/api-reference/authentication (``sk-proj-``);
    Google API keys, https://cloud.google.com/docs/authentication/api-keys (39 characters, ``AIza``);
    Black Forest Labs, skills/bfl-api/references/api-key-setup.md in
        https://github.com/black-forest-labs/skills (``bfl_``; older keys are UUIDs);
    Recraft, https://www.recraft.ai/docs/api-reference/endpoints (an opaque bearer token);
    Stability AI, https://platform.stability.ai/docs/getting-started/authentication (``sk-``).
    Lengths beyond the prefix are not documented by all vendors; where they are not, a range is taken.
"""

import re
import secrets
import string
from dataclasses import dataclass

_ALPHANUMERIC = string.ascii_letters + string.digits
_URL_SAFE = _ALPHANUMERIC + "-_"


@dataclass(frozen=True, slots=True)
class Shape:
    """How a vendor's keys look.

    Attributes:
        pattern: what a whole key must match.
        prefix: how an invented key starts.
        alphabet: what the rest of it is drawn from.
        length: how many characters follow the prefix.
    """

    pattern: re.Pattern[str]
    prefix: str
    alphabet: str
    length: int

    def example(self) -> str:
        """A random key of this shape."""
        return self.prefix + "".join(secrets.choice(self.alphabet) for _ in range(self.length))


_UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"

SHAPES: dict[str, Shape] = {
    "openai": Shape(
        re.compile(r"sk-(?:(?:proj|svcacct|admin)-[\w-]{40,200}|[A-Za-z0-9]{48})"),
        "sk-proj-",
        _URL_SAFE,
        124,
    ),
    "google": Shape(re.compile(r"AIza[\w-]{35}"), "AIza", _URL_SAFE, 35),
    "bfl": Shape(re.compile(rf"bfl_[A-Za-z0-9]{{16,64}}|{_UUID}"), "bfl_", _ALPHANUMERIC, 32),
    "recraft": Shape(re.compile(r"[A-Za-z0-9]{40,128}"), "", _ALPHANUMERIC, 64),
    "stability": Shape(re.compile(r"sk-[A-Za-z0-9]{48}"), "sk-", _ALPHANUMERIC, 48),
}


def example(vendor: str) -> str:
    """A random, well-formed key, worthless outside the embedded AWS.

    Raises:
        KeyError: the vendor has no keys (Bedrock uses IAM) or is unknown.
    """
    return SHAPES[vendor].example()


def well_formed(vendor: str, key: str) -> bool:
    """Whether the vendor could have issued this key."""
    return SHAPES[vendor].pattern.fullmatch(key) is not None
