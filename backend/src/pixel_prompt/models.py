"""The registry: which models a job asks, and what their vendors call them.

Vendors retire models, so everything about a model is configuration: change the table below, or override
single fields with the template's parameter ModelOverrides. A model on Bedrock is named in the template's
policy as well.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Final

VENDORS: Final = ("openai", "google", "bedrock", "bfl", "recraft", "stability")
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
    """

    id: str
    name: str
    vendor: str
    vendor_model: str
    region: str = ""


@dataclass(frozen=True, slots=True)
class TextModel:
    """The language model that enhances prompts; it answers through Bedrock."""

    vendor_model: str = "amazon.nova-lite-v1:0"
    region: str = "us-east-1"


DEFAULT_MODELS: Final = (
    Model("dall-e-3", "DALL-E 3", "openai", "dall-e-3"),
    Model("gemini-2.0", "Gemini 2.0", "google", "gemini-2.0-flash-preview-image-generation"),
    Model("nova-canvas", "AWS Nova Canvas", "bedrock", "amazon.nova-canvas-v1:0", "us-east-1"),
    Model("sd-3.5-large", "Stable Diffusion 3.5 Large", "bedrock", "stability.sd3-5-large-v1:0", "us-west-2"),
    Model("flux-pro", "Black Forest Pro", "bfl", "flux-pro-1.1"),
    Model("imagen-3", "Imagen 3.0", "google", "imagen-3.0-generate-002"),
    Model("recraft-v3", "Recraft v3", "recraft", "recraftv3"),
    Model("stability-turbo", "Stability AI Turbo", "stability", "sd3.5-large-turbo"),
    Model("flux-dev", "Black Forest Dev", "bfl", "flux-dev"),
)
TEXT_MODEL: Final = TextModel()


def load_models(overrides: str = "", defaults: tuple[Model, ...] = DEFAULT_MODELS) -> tuple[Model, ...]:
    """The registry with the overrides applied: a JSON object from model id to changed fields, or to null.

    An id that the table does not know adds a model.

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
    if unknown := sorted(set(change) - names):
        raise ValueError(f"ModelOverrides: {model_id!r} has no field {unknown[0]!r} (has: {sorted(names)})")
    settings: dict[str, Any] = dict(change)
    if model is None:
        if missing := sorted({"name", "vendor", "vendor_model"} - set(settings)):
            raise ValueError(f"ModelOverrides: the new model {model_id!r} needs {missing[0]!r}")
        model = Model(model_id, **settings)
    else:
        model = replace(model, **settings)
    if not _ID.fullmatch(model.id):
        raise ValueError(f"ModelOverrides: {model_id!r} is not an id (lower case, digits, '.', '-')")
    if model.vendor not in VENDORS:
        raise ValueError(f"ModelOverrides: vendor {model.vendor!r} is none of {', '.join(VENDORS)}")
    if (model.vendor == "bedrock") != bool(model.region):
        raise ValueError(
            f"ModelOverrides: {model_id!r}: a region belongs to Bedrock's models, and to them only"
        )
    return model
