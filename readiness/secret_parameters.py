"""A template's secret parameters, and the environment variable that each is given in.

Which they are follows from the template alone, so a key that the application takes tomorrow needs no change here.
`OpenAiApiKey` is given as OPENAI_API_KEY, any other secret, such as `WebhookToken`, as SECRET_WEBHOOK_TOKEN.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

_KEY: Final = "ApiKey"
_SUFFIX: Final = "_API_KEY"
_PREFIX: Final = "SECRET_"
_NAMED: Final = re.compile(r"key|token|secret|passw|credential", re.IGNORECASE)


def names_secret(variable: str) -> bool:
    """Return whether a variable is named like a secret, such as `API_KEY`."""
    return bool(_NAMED.search(variable))


def is_key(parameter: str) -> bool:
    """Whether this is a vendor's key, by its name."""
    return parameter.endswith(_KEY) and parameter != _KEY


def vendor_of(key: str) -> str:
    """Whose key it is, as the application's registry names vendors."""
    return key.removesuffix(_KEY).lower()


def variable_of(parameter: str) -> str:
    """The environment variable that a secret parameter is given in."""
    if is_key(parameter):
        return f"{vendor_of(parameter).upper()}{_SUFFIX}"
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", parameter)
    return f"{_PREFIX}{words.upper()}"


def without(variables: Mapping[str, str]) -> dict[str, str]:
    """The environment for a child process, which needs no secret of the application."""
    return {
        name: value
        for name, value in variables.items()
        if not name.endswith(_SUFFIX) and not name.startswith(_PREFIX)
    }
