"""User pools of Cognito: what a template says twice by saying it once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from readiness.catalogue.undeclared.subject import Document

POOL: Final = "AWS::Cognito::UserPool"
_TRIGGER: Final = "PreTokenGeneration"


def declared(kind: str, properties: Document) -> Document:
    """Return the properties of a user pool that Cognito reports in two places, in both; nothing for other types.

    Source: Cognito API Reference, LambdaConfigType: PreTokenGeneration and PreTokenGenerationConfig have the same value.
    """
    if kind != POOL:
        return {}
    found: dict[str, Any] = {}
    triggers = properties.get("LambdaConfig")
    if isinstance(triggers, Mapping):
        versioned = triggers.get(f"{_TRIGGER}Config")
        if _TRIGGER in triggers:
            plain = {"LambdaArn": triggers[_TRIGGER], "LambdaVersion": "V1_0"}
            found["LambdaConfig"] = {f"{_TRIGGER}Config": plain, **triggers}
        elif isinstance(versioned, Mapping):
            found["LambdaConfig"] = {_TRIGGER: versioned.get("LambdaArn"), **triggers}
    return found
