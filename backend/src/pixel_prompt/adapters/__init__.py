"""One module a vendor, all behind one protocol. A vendor's module is imported when a job first needs it."""

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol, cast

from pixel_prompt.adapters.transport import Caller, Deadline
from pixel_prompt.models import Life, Model
from pixel_prompt.validation import Wish


class Adapter(Protocol):
    """What the worker asks of a vendor."""

    def generate(self, wish: Wish, deadline: Deadline) -> bytes:
        """The bytes of one image, not yet checked to be one.

        Raises:
            VendorError: there is none, and why.
        """
        ...

    def check_key(self, deadline: Deadline) -> None:
        """Make the vendor's cheapest call that needs the key and knows the model; it generates nothing.

        Raises:
            VendorError: the vendor does not accept the key, or does not answer.
        """
        ...

    def life(self, deadline: Deadline) -> Life | None:
        """What the vendor's API says of the model's end; None when it has no such API.

        Raises:
            VendorError: the vendor does not say.
        """
        ...


@dataclass(frozen=True, slots=True)
class Means:
    """What adapters work with.

    Attributes:
        caller: HTTP towards the vendors.
        key: from a vendor to its key, read when needed.
        bedrock: from a region to botocore's client of Bedrock's runtime there.
        catalogue: from a region to botocore's client of Bedrock itself, which knows the models.
    """

    caller: Caller
    key: Callable[[str], str]
    bedrock: Callable[[str], Any]
    catalogue: Callable[[str], Any]


# From a vendor to the module and class of its adapter.
_ADAPTERS: Final[Mapping[str, tuple[str, str]]] = {
    "openai": ("openai", "OpenAi"),
    "google": ("google", "Google"),
    "bedrock": ("bedrock", "Bedrock"),
    "bfl": ("bfl", "BlackForestLabs"),
    "recraft": ("recraft", "Recraft"),
    "stability": ("stability", "Stability"),
}


def adapter_for(model: Model, means: Means) -> Adapter:
    """The adapter that calls this model."""
    module_name, class_name = _ADAPTERS[model.vendor]
    module = importlib.import_module(f"{__name__}.{module_name}")
    make = cast(Callable[[Model, Means], Adapter], getattr(module, class_name))
    return make(model, means)
