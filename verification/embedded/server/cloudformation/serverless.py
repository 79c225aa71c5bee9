"""Overlay of the transform AWS::Serverless: it knows the values that an operation gives its parameters.

MiniStack tells it of none, so that it takes each default for the value wherever it resolves a Ref itself, as in an HTTP
API's CORS. Source: AWS SAM's translator, `translate(sam_template, parameter_values)`, "Parameter values provided by the user".
"""

from __future__ import annotations

import contextvars
from collections.abc import Mapping
from typing import Any

from ministack.services.cloudformation import changesets, engine, handlers
from samtranslator.translator import transform

from verification.embedded.server import require

require(engine, "_apply_transforms", "_transform_parameters")
require(changesets, "_apply_transforms")
require(handlers, "_apply_transforms")
require(transform, "transform")

_values: contextvars.ContextVar[Mapping[str, str]] = contextvars.ContextVar("sam_parameters")


def install() -> None:
    """Lay the overlay over MiniStack and the translator that it calls."""
    apply, translate = engine._apply_transforms, transform.transform

    def apply_transforms(template: dict[str, Any], provided: Any = None, previous: Any = None) -> Any:
        token = _values.set(engine._transform_parameters(template, provided, previous))
        try:
            return apply(template, provided, previous)
        finally:
            _values.reset(token)

    def translated(template: dict[str, Any], parameters: dict[str, Any], *rest: Any, **options: Any) -> Any:
        return translate(template, {**_values.get({}), **parameters}, *rest, **options)

    for module in (engine, changesets, handlers):
        module._apply_transforms = apply_transforms
    transform.transform = translated
