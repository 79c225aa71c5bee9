"""The application's registry of models, from its source; what tests call models follows from it."""

from __future__ import annotations

import sys

from verification.application import ROOT

sys.path.append(str(ROOT / "backend" / "src"))
# Bytecode beside these sources would end up in the functions' packages.
wrote, sys.dont_write_bytecode = sys.dont_write_bytecode, True

from pixel_prompt import generation  # noqa: E402
from pixel_prompt.models import DEFAULT_MODELS as MODELS  # noqa: E402
from pixel_prompt.models import TEXT_MODEL, Model  # noqa: E402

sys.dont_write_bytecode = wrote

__all__ = ["MODELS", "TEXT_MODEL", "generation", "of"]


def of(vendor: str) -> list[Model]:
    """A vendor's models."""
    return [model for model in MODELS if model.vendor == vendor]
