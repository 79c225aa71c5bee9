"""The registry: which models a job asks, and what their vendors call them.

Vendors retire models, so everything about a model is configuration: change the table below, or override
single fields with the template's parameter ModelOverrides. A model on Bedrock is named in the template's
policy as well. What the registry knows of a model's end counts where its vendor has no API that tells it.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import date
from typing import Any, Final

VENDORS: Final = ("openai", "google", "bedrock", "bfl", "recraft", "stability")
# The fields that say which model of its vendor's is called.
_CALLED: Final = ("vendor", "vendor_model", "region")
_ID: Final = re.compile(r"[a-z0-9][a-z0-9.-]{0,39}")


@dataclass(frozen=True, slots=True)
class Model:
    """One image model.

    Attributes:
        id: names it in results and in image keys; never changes.
        name: what people call it.
        vendor: whose adapter calls it.
        vendor_model: what the vendor calls it.
        region: where Bedrock offers it; empty for the other vendors.
        available_until: the day on which its vendor stops to serve it; None when no end was announced.
        published: the page that says so.
        looked_up: when that was looked up; None when nobody has, so that nothing is known of its end.
    """

    id: str
    name: str
    vendor: str
    vendor_model: str
    region: str = ""
    available_until: date | None = None
    published: str = ""
    looked_up: date | None = None


@dataclass(frozen=True, slots=True)
class Life:
    """What a vendor's API says of how long a model can be called.

    Attributes:
        ends: the day on which the vendor stops to serve it; None when no end is announced.
        served: whether the vendor serves it to this account at all; None when that could not be seen.
        legacy: whether the vendor has begun to retire it.
    """

    ends: date | None = None
    served: bool | None = True
    legacy: bool = False


# Where each vendor says which of its models end, or at least which it offers.
_PAGES: Final = {
    "openai": "https://developers.openai.com/api/docs/deprecations",
    "google": "https://ai.google.dev/gemini-api/docs/deprecations",
    "bedrock": "https://docs.aws.amazon.com/bedrock/latest/userguide/model-lifecycle.html",
    "bfl": "https://docs.bfl.ai/quick_start/pricing",
    "recraft": "https://www.recraft.ai/docs/recraft-models/introduction",
    "stability": "https://platform.stability.ai/docs/api-reference",
}
# When the whole table was looked up.
_LOOKED_UP: Final = date(2026, 11, 28)


def _entry(id_: str, name: str, vendor: str, vendor_model: str, region: str = "") -> Model:
    """A model of the table, none of which had an announced end when they were looked up."""
    return Model(id_, name, vendor, vendor_model, region, None, _PAGES[vendor], _LOOKED_UP)


DEFAULT_MODELS: Final = (
    _entry("gpt-image-2", "GPT Image 2", "openai", "gpt-image-2"),
    _entry("nano-banana-2.1", "Nano Banana 2.1", "google", "gemini-nano-banana-2.1"),
    _entry("nano-banana-2-lite", "Nano Banana 2 Lite", "google", "gemini-3.1-flash-lite-image"),
    _entry(
        *("stable-image-core", "Stable Image Core"),
        *("bedrock", "stability.stable-image-core-v1:1", "us-west-2"),
    ),
    _entry(
        *("sd-3.5-large", "Stable Diffusion 3.5 Large"),
        *("bedrock", "stability.sd3-5-large-v1:0", "us-west-2"),
    ),
    _entry("flux-2-pro", "FLUX.2 Pro", "bfl", "flux-2-pro"),
    _entry("flux-2-klein", "FLUX.2 Klein 9B", "bfl", "flux-2-klein-9b"),
    _entry("recraft-v4.1", "Recraft V4.1", "recraft", "recraftv4_1"),
    _entry("stability-turbo", "Stable Diffusion 3.5 Turbo", "stability", "sd3.5-large-turbo"),
)
# The language model that enhances prompts.
TEXT_MODEL: Final = _entry("text", "Nova Lite", "bedrock", "amazon.nova-lite-v1:0", "us-east-1")


def load_models(overrides: str = "", defaults: tuple[Model, ...] = DEFAULT_MODELS) -> tuple[Model, ...]:
    """The registry with the overrides applied: a JSON object from model id to changed fields, or to null.

    An id that the table does not know adds a model. What the table knows of a model's end does not hold for
    another model of its vendor's, so an override of that kind says it itself or leaves it unknown.

    Raises:
        ValueError: the overrides are malformed, or leave no model. The function then does not start, which
            the deployment notices at once.
    """
    changes = json.loads(overrides) if overrides.strip() else {}
    if not isinstance(changes, dict):
        raise ValueError(  # noqa: TRY004 (a wrong setting, whatever is wrong with it)
            "ModelOverrides must be a JSON object from model id to changed fields"
        )
    known = {model.id: model for model in defaults}
    models = []
    for model_id in [*known, *(name for name in changes if name not in known)]:
        change = changes.get(model_id, {})
        if change is not None:
            models.append(_changed(known.get(model_id), model_id, change))
    if not models:
        raise ValueError("ModelOverrides leaves no model")
    return tuple(models)


def _changed(model: Model | None, model_id: str, change: object) -> Model:
    names = {field.name for field in fields(Model)} - {"id"}
    if not isinstance(change, Mapping) or not all(isinstance(value, str) for value in change.values()):
        raise ValueError(f"ModelOverrides: {model_id!r} must map to an object of strings, or to null")
    if strange := sorted(set(change) - names):
        raise ValueError(f"ModelOverrides: {model_id!r} has no field {strange[0]!r} (has: {sorted(names)})")
    settings: dict[str, Any] = {**change, **_days(model_id, change)}
    if model is None:
        if missing := sorted({"name", "vendor", "vendor_model"} - set(settings)):
            raise ValueError(f"ModelOverrides: the new model {model_id!r} needs {missing[0]!r}")
        model = Model(model_id, **settings)
    else:
        another = any(settings.get(name, getattr(model, name)) != getattr(model, name) for name in _CALLED)
        unknown = {"available_until": None, "published": "", "looked_up": None} if another else {}
        model = replace(model, **{**unknown, **settings})
    if model.available_until and not model.looked_up:
        raise ValueError(
            f"ModelOverrides: {model_id!r}: 'available_until' needs 'looked_up', the day it was seen"
        )
    if not _ID.fullmatch(model.id):
        raise ValueError(f"ModelOverrides: {model_id!r} is not an id (lower case, digits, '.', '-')")
    if model.vendor not in VENDORS:
        raise ValueError(f"ModelOverrides: vendor {model.vendor!r} is none of {', '.join(VENDORS)}")
    if (model.vendor == "bedrock") != bool(model.region):
        raise ValueError(
            f"ModelOverrides: {model_id!r}: a region belongs to Bedrock's models, and to them only"
        )
    return model


def _days(model_id: str, change: Mapping[str, str]) -> dict[str, date | None]:
    """The overridden days; an empty text is none."""
    given = {name: change[name] for name in ("available_until", "looked_up") if name in change}
    try:
        return {name: date.fromisoformat(text) if text else None for name, text in given.items()}
    except ValueError:
        raise ValueError(
            f"ModelOverrides: {model_id!r}: {' and '.join(given)} must be days such as 2026-11-28"
        ) from None
