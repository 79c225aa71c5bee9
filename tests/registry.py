"""The application's registry of models, from its source; what tests call models follows from it."""

from __future__ import annotations

import sys

from verification.application import ROOT

sys.path.append(str(ROOT / "backend" / "src"))

from pixel_prompt import generation
from pixel_prompt.models import DEFAULT_MODELS as MODELS
from pixel_prompt.models import TEXT_MODEL, Model

__all__ = ["MODELS", "TEXT_MODEL", "generation", "of"]


def of(vendor: str) -> list[Model]:
    """A vendor's models."""
    return [model for model in MODELS if model.vendor == vendor]
