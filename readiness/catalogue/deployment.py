"""What a stack was deployed from, beside the template in the application's folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from readiness.aws.cloudformation import written_out
from readiness.errors import Unverified
from readiness.exchanges import Exchanges, comparable

# What `sam package` and `aws cloudformation package` replace by an address in S3.
# Source: AWS CLI Command Reference, "cloudformation package".
_PACKAGED: Final = {
    *(
        "CodeUri",
        "Code",
        "ImageUri",
        "ContentUri",
        "Content",
        "DefinitionUri",
        "DefinitionS3Location",
        "BodyS3Location",
    ),
    *("TemplateURL", "Location", "SchemaUri", "DefinitionSchemaS3Location", "SourceBundle", "Command"),
}
_INCLUDES: Final = "Fn::Transform"


def changed(deployed: str | Mapping[str, Any], template: Path, exchanges: Exchanges) -> list[str]:
    """Where the deployed template says something else than the one in the folder, as paths in it.

    Args:
        deployed: as CloudFormation answers it.
        template: the file.
        exchanges: the environment's, which gave the answer.

    Raises:
        Unverified: one of the two cannot be read, or holds what is filled in during a deployment.
    """
    try:
        content = comparable(exchanges, template.name, template.read_bytes())
        own = written_out(content.decode("utf-8"))
    except (OSError, UnicodeDecodeError) as problem:
        raise Unverified(f"{template.name} cannot be read: {problem}") from problem
    theirs = written_out(deployed)
    if _INCLUDES in str(own):
        raise Unverified(
            f"{template.name} includes what is filled in during a deployment, so the two cannot be compared"
        )
    found = sorted(_differences(_comparable(own), _comparable(theirs), ""))
    if found and "AWS::LanguageExtensions" in str(own.get("Transform", "")):
        raise Unverified(
            f"{template.name} uses AWS::LanguageExtensions, which the SAM CLI may write out before a deployment; compare by hand "
            f"{', '.join(found)}"
        )
    return found


def _comparable(template: Mapping[str, Any]) -> Mapping[str, Any]:
    """A template without where packages lie, and without what is said about resources."""
    resources = {
        name: {
            **{key: value for key, value in resource.items() if key != "Metadata"},
            "Properties": {
                key: value for key, value in resource.get("Properties", {}).items() if key not in _PACKAGED
            },
        }
        for name, resource in template["Resources"].items()
    }
    said = ("Parameters", "Mappings", "Conditions", "Globals", "Outputs", "Transform")
    rest = {key: template[key] for key in said if key in template}
    if "Globals" in rest:
        rest["Globals"] = {
            kind: {key: value for key, value in (shared or {}).items() if key not in _PACKAGED}
            for kind, shared in rest["Globals"].items()
        }
    return {**rest, "Resources": resources}


def _differences(one: Any, other: Any, path: str) -> Iterator[str]:
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        for key in one.keys() | other.keys():
            yield from _differences(one.get(key), other.get(key), f"{path}/{key}")
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for index, (mine, its) in enumerate(zip(one, other, strict=True)):
            yield from _differences(mine, its, f"{path}/{index}")
    elif _plain(one) != _plain(other):
        yield path


def _plain(value: Any) -> str:
    """A scalar as CloudFormation takes it, for which `true`, "true" and True are the same."""
    text = str(value)
    return text.lower() if text in ("True", "False") else text
