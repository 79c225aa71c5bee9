"""botocore's service model as the judge of an answer: what AWS itself says that an operation gives back.

botocore's parser is lenient: it drops members that the model does not know, fills in none that are missing, and takes a
number in quotes for a number. Here the body is read as it was sent.
"""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping
from typing import Any

Told = Iterator[str]
_NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)|-?\d+(\.\d+)?")
# Of every operation: what keeps AWS from looking at a request at all.
# Source: each service's API Reference, "Common Errors", and "Error responses" of the Amazon S3 API Reference.
COMMON_ERRORS = frozenset(
    {
        *(
            "AccessDenied",
            "AccessDeniedException",
            "AuthorizationError",
            "ExpiredToken",
            "InvalidClientTokenId",
        ),
        *(
            "SignatureDoesNotMatch",
            "ThrottlingException",
            "Throttling",
            "ValidationError",
            "ValidationException",
        ),
        *("InternalFailure", "ServiceUnavailable", "InvalidParameterValue"),
    }
)
# Of S3, whose model declares few of the errors that its API Reference lists.
S3_ERRORS = frozenset(
    {
        *(
            "AllAccessDisabled",
            "NoSuchBucket",
            "NoSuchKey",
            "NoSuchBucketPolicy",
            "NoSuchLifecycleConfiguration",
        ),
        *(
            "NoSuchTagSet",
            "NoSuchCORSConfiguration",
            "NoSuchWebsiteConfiguration",
            "NoSuchPublicAccessBlockConfiguration",
        ),
        *(
            "ServerSideEncryptionConfigurationNotFoundError",
            "OwnershipControlsNotFoundError",
            "MethodNotAllowed",
        ),
        *("301", "403", "404", "412", "PreconditionFailed"),
    }
)


def disagreements(  # noqa: C901, PLR0911  # each protocol has its own way
    model: Any, status: int, headers: Mapping[str, str], body: bytes
) -> list[str]:
    """How an answer differs from what the model of its operation says; empty when it does not.

    Args:
        model: botocore's model of the operation.
        status: of the answer.
        headers: of the answer.
        body: as it was sent; of a stream nothing.
    """
    if status >= 300:
        return list(_error(model, status, headers, body))
    shape = model.output_shape
    if shape is None:
        return []
    told = list(_located(shape, headers))
    payload = shape.serialization.get("payload")
    if payload:
        shape = shape.members[payload]
    if shape.type_name in ("blob", "string"):
        return told
    wanted = {
        name: member
        for name, member in getattr(shape, "members", {}).items()
        if payload or not member.serialization.get("location")
    }
    if not wanted:
        return told
    if "json" in model.service_model.protocol or "json" in model.service_model.resolved_protocol:
        try:
            content = json.loads(body or b"{}")
        except ValueError:
            return [*told, "its body is no JSON"]
        return [*told, *_of_json(content, shape, "")]
    try:
        root = ET.fromstring(body)
    except ET.ParseError as problem:
        return [*told, f"its body is no XML: {problem}"]
    wrapper = shape.serialization.get("resultWrapper")
    if wrapper:
        inner = next((child for child in root if _local(child) == wrapper), None)
        if inner is None:
            return [*told, f"has no element {wrapper}"]
        root = inner
    return [*told, *_of_xml(root, shape, "", known=_OF_EVERY_XML)]


_OF_EVERY_XML = frozenset({"ResponseMetadata", "requestId", "RequestId"})


def _error(model: Any, status: int, headers: Mapping[str, str], body: bytes) -> Told:
    if status in (304, 412) or not body:  # a HEAD's, or one without a body, has a status alone
        return
    code = _code(headers, body)
    declared = {shape.metadata.get("error", {}).get("code") or shape.name for shape in model.error_shapes}
    declared |= {shape.name for shape in model.error_shapes}
    known = (
        declared | COMMON_ERRORS | (S3_ERRORS if model.service_model.service_name == "s3" else frozenset())
    )
    if not code:
        yield f"answers {status} without an error code"
    elif code not in known:
        yield f"answers {code}, which the operation does not declare (declares {', '.join(sorted(declared)) or 'none'})"


def _code(headers: Mapping[str, str], body: bytes) -> str:
    told = {name.lower(): value for name, value in headers.items()}
    if (name := told.get("x-amzn-errortype")) is not None:
        return name.partition(":")[0].rpartition("#")[2]
    if (name := told.get("x-amzn-query-error")) is not None:
        return name.partition(";")[0]
    try:
        content = json.loads(body)
        return str(content.get("__type") or content.get("code") or content.get("Code") or "").rpartition("#")[
            2
        ]
    except ValueError:
        found = re.search(rb"<Code>([^<]+)</Code>", body)
        return found[1].decode() if found else ""


def _located(shape: Any, headers: Mapping[str, str]) -> Told:
    told = {name.lower(): value for name, value in headers.items()}
    for name, member in shape.members.items():
        if member.serialization.get("location") != "header":
            continue
        value = told.get(member.serialization.get("name", name).lower())
        if value is None:
            if name in shape.required_members:
                yield f"{name}: is required and missing (a header)"
        elif member.type_name == "string":
            yield from _of_enumeration(value, member, name)
        elif member.type_name in ("integer", "long") and not value.lstrip("-").isdigit():
            yield f"{name}: expected a number, found {value!r} (a header)"


def _of_json(value: Any, shape: Any, path: str) -> Told:
    if value is None:
        if path:
            yield f"{path}: is null, where AWS leaves a member out"
        return
    kind = shape.type_name
    if kind == "structure":
        yield from _structure(value, shape, path)
    elif kind == "list":
        if not isinstance(value, list):
            yield f"{path}: expected a list, found {type(value).__name__}"
            return
        for inner in value:
            yield from _of_json(inner, shape.member, f"{path}[]")
    elif kind == "map":
        if not isinstance(value, dict):
            yield f"{path}: expected a map, found {type(value).__name__}"
            return
        for key, inner in value.items():
            yield from _of_enumeration(key, shape.key, f"{path} key")
            yield from _of_json(inner, shape.value, f"{path}{{}}")
    else:
        yield from _scalar(value, shape, path)


def _structure(value: Any, shape: Any, path: str) -> Told:
    if not isinstance(value, dict):
        yield f"{path}: expected a structure, found {type(value).__name__}"
        return
    if shape.is_document_type:
        return
    names = {
        member.serialization.get("name", name): (name, member)
        for name, member in shape.members.items()
        if not member.serialization.get("location")
    }
    for key, inner in value.items():
        if key == "__type":
            continue
        if key not in names:
            yield f"{path}.{key}: is unknown to the model"
        else:
            yield from _of_json(inner, names[key][1], f"{path}.{key}")
    for name in shape.required_members:
        sent = shape.members[name].serialization.get("name", name)
        if sent not in value and sent in names:
            yield f"{path}.{name}: is required and missing"


_JSON = {
    "string": str,
    "blob": str,
    "boolean": bool,
    "integer": int,
    "long": int,
    "float": (int, float),
    "double": (int, float),
    "timestamp": (int, float, str),
}


def _scalar(value: Any, shape: Any, path: str) -> Told:
    kind = shape.type_name
    wanted = _JSON[kind]
    is_number_as_boolean = isinstance(value, bool) and kind != "boolean"
    if kind in ("integer", "long") and isinstance(value, float) and value.is_integer():
        yield f"{path}: expected a whole number, found {value!r}"
    elif is_number_as_boolean or not isinstance(value, wanted):  # type: ignore[arg-type]
        yield f"{path}: expected {kind}, found {type(value).__name__}"
    elif kind == "string":
        yield from _of_enumeration(value, shape, path)
    elif kind == "timestamp":
        yield from _moment(value, shape, path)


def _moment(value: Any, shape: Any, path: str) -> Told:
    form = shape.serialization.get("timestampFormat")
    if form == "iso8601" and not isinstance(value, str):
        yield f"{path}: expected a moment in ISO 8601, found {value!r}"
    elif isinstance(value, str) and not _MOMENT.fullmatch(value):
        yield f"{path}: expected a moment, found {value!r}"


def _of_enumeration(value: str, shape: Any, path: str) -> Told:
    values = getattr(shape, "enum", None)
    if values and value not in values:
        yield f"{path}: {value!r} is none of {', '.join(values[:8])}{' ...' * (len(values) > 8)}"


def _of_xml(node: ET.Element, shape: Any, path: str, known: frozenset[str] = frozenset()) -> Told:
    kind = shape.type_name
    if kind == "structure":
        yield from _xml_structure(node, shape, path, known)
    elif kind == "list":
        name = shape.member.serialization.get("name", "member")
        for child in node:
            if _local(child) != name:
                yield f"{path}: expected {name} in the list, found {_local(child)}"
            else:
                yield from _of_xml(child, shape.member, f"{path}[]")
    elif kind == "map":
        return
    else:
        yield from _xml_scalar(node, shape, path)


def _xml_structure(node: ET.Element, shape: Any, path: str, known: frozenset[str]) -> Told:
    names = {}
    for name, member in shape.members.items():
        if member.serialization.get("location") or member.serialization.get("xmlAttribute"):
            continue
        sent = member.serialization.get("name", name)
        if member.type_name == "list" and member.serialization.get("flattened"):
            sent = member.serialization.get("name") or member.member.serialization.get("name", name)
        names[sent] = (name, member)
    found = set()
    for child in node:
        tag = _local(child)
        if tag not in names:
            if tag not in known:
                yield f"{path}.{tag}: is unknown to the model"
            continue
        name, member = names[tag]
        found.add(name)
        if member.type_name == "list" and member.serialization.get("flattened"):
            yield from _of_xml(child, member.member, f"{path}.{tag}[]")
        else:
            yield from _of_xml(child, member, f"{path}.{tag}")
    for name in shape.required_members:
        if name not in found and not shape.members[name].serialization.get("location"):
            yield f"{path}.{name}: is required and missing"


def _xml_scalar(node: ET.Element, shape: Any, path: str) -> Told:
    text, kind = node.text or "", shape.type_name
    if kind == "boolean" and text not in ("true", "false"):
        yield f"{path}: expected true or false, found {text!r}"
    elif kind in ("integer", "long") and not text.lstrip("-").isdigit():
        yield f"{path}: expected a whole number, found {text!r}"
    elif kind in ("float", "double") and not _NUMBER.fullmatch(text):
        yield f"{path}: expected a number, found {text!r}"
    elif kind == "timestamp" and not _MOMENT.fullmatch(text):
        yield f"{path}: expected a moment, found {text!r}"
    elif kind == "string":
        yield from _of_enumeration(text, shape, path)


def _local(node: ET.Element) -> str:
    return node.tag.rpartition("}")[2]
