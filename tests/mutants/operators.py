"""Makes the mutants of a template: the property and list operators here, those of policies in `policies`."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tests.mutants import policies, schemas
from tests.mutants.mutant import REMOVED, Change, Mutant, Path
from tests.mutants.schemas import NOWHERE, Bounds, Place

# Text for people, names that nothing refers to, and what only tells a list's members apart.
_WITHOUT_MEANING: Final = frozenset(
    {
        "AlarmDescription",
        "BudgetName",
        "ClientName",
        "Comment",
        "Description",
        "DisplayName",
        "ErrorCode",
        "Id",
        "PolicyName",
        "Sid",
        "VersionDescription",
    }
)
# Removed as a whole only: what a tag says is a matter of the one who pays.
_TAGS: Final = frozenset({"ResourceTags", "Tags"})
_NO_VALUE: Final = {"Ref": "AWS::NoValue"}
_SECTIONS: Final = {
    "Api": "AWS::Serverless::Api",
    "Function": "AWS::Serverless::Function",
    "HttpApi": "AWS::Serverless::HttpApi",
    "SimpleTable": "AWS::Serverless::SimpleTable",
    "StateMachine": "AWS::Serverless::StateMachine",
}
_METHODS: Final = ["GET", "HEAD", "OPTIONS", "PUT", "PATCH", "POST", "DELETE"]
_FOREIGN_ORIGIN: Final = "https://somebody-else.example"
# Values of properties about which the schemas say nothing, or name some that cannot be meant, as AWS's API references
# list them. The group with the present value is meant.
_KNOWN: Final[Sequence[tuple[str, Sequence[str]]]] = (
    ("Action", ("Block", "Count", "Allow")),
    ("Architectures", ("arm64", "x86_64")),
    ("Authorizer", ("NONE", "AWS_IAM")),
    ("BudgetType", ("COST", "USAGE")),
    ("ComparisonOperator", ("GREATER_THAN", "LESS_THAN", "EQUAL_TO")),
    (
        "ComparisonOperator",
        (
            "GreaterThanOrEqualToThreshold",
            "GreaterThanThreshold",
            "LessThanOrEqualToThreshold",
            "LessThanThreshold",
        ),
    ),
    ("CookieBehavior", ("none", "all")),
    ("DefaultAction", ("Allow", "Block")),
    ("ExtendedStatistic", ("p50", "p95", "p99")),
    ("FrameOption", ("DENY", "SAMEORIGIN")),
    ("HeaderBehavior", ("none", "whitelist")),
    ("Method", ("GET", "POST", "PUT", "DELETE", "ANY")),
    ("MetricName", ("4XXError", "5XXError", "Count", "Latency")),
    ("MetricName", ("4xx", "5xx", "Count", "Latency")),
    ("MetricName", ("4xxErrorRate", "5xxErrorRate", "Requests")),
    (
        "MetricName",
        ("ApproximateNumberOfMessagesVisible", "ApproximateAgeOfOldestMessage", "NumberOfMessagesSent"),
    ),
    ("MetricName", ("Errors", "Throttles", "Invocations", "Duration")),
    ("MetricName", ("ExecutionsFailed", "ExecutionsTimedOut", "ExecutionsAborted", "ExecutionsStarted")),
    ("NotificationType", ("ACTUAL", "FORECASTED")),
    ("OriginProtocolPolicy", ("http-only", "https-only", "match-viewer")),
    ("OriginSSLProtocols", ("SSLv3", "TLSv1", "TLSv1.1", "TLSv1.2")),
    ("OverrideAction", ("None", "Count")),
    ("PriceClass", ("PriceClass_100", "PriceClass_200", "PriceClass_All")),
    ("QueryStringBehavior", ("none", "all")),
    ("ReferrerPolicy", ("no-referrer", "origin", "unsafe-url", "strict-origin-when-cross-origin")),
    ("Runtime", ("python3.12", "python3.13", "python3.14")),
    ("SigningBehavior", ("always", "never", "no-override")),
    ("ThresholdType", ("PERCENTAGE", "ABSOLUTE_VALUE")),
    ("TimeUnit", ("MONTHLY", "ANNUALLY")),
    ("Type", ("REGIONAL", "EDGE")),
    ("ViewerProtocolPolicy", ("allow-all", "https-only", "redirect-to-https")),
)
_ABSENT: Final = object()
_MANY: Final = 2  # members that are tried in the place of one
_SHOWN: Final = 120  # characters of a value in `says`


def mutants_of(application: str, template: Mapping[str, Any]) -> list[Mutant]:
    """Every sensible mutant of a template, in an order that is always the same.

    Args:
        application: its name, such as `pixel-prompt`.
        template: with its intrinsic functions in their long form, as `written_out` gives it.
    """
    found: list[Mutant] = []
    seen: set[tuple[Path, str]] = set()
    numbers = Counter[tuple[Path, str]]()
    for resource, type_, change in _changes(template):
        present = _at(template, change.path)
        what = (change.path, repr(change.value) if change.value is REMOVED else json.dumps(change.value))
        if change.value == present or what in seen or _empties(template, change, seen):
            continue
        seen.add(what)
        numbers[change.path, change.operator] += 1
        number = numbers[change.path, change.operator]
        says = _says(change, present)
        found.append(
            Mutant(application, resource, type_, change.path, change.operator, says, change.value, number)
        )
    return found


def _empties(template: Mapping[str, Any], change: Change, seen: Collection[tuple[Path, str]]) -> bool:
    """Whether all that a change leaves is empty, and a mutant without even that is there already."""
    around = change.path[:-1]
    return (
        change.operator == "remove-property"
        and len(_at(template, around)) == 1
        and (around, repr(REMOVED)) in seen
    )


def _changes(template: Mapping[str, Any]) -> Iterator[tuple[str, str, Change]]:
    """Each change with the resource that it is about and its type."""
    walk = _Walk(template)
    for name, parameter in template.get("Parameters", {}).items():
        for change in _of_parameter(("Parameters", name), parameter):
            yield "", "Parameters", change
    for name, condition in template.get("Conditions", {}).items():
        negated = condition["Fn::Not"][0] if "Fn::Not" in condition else {"Fn::Not": [condition]}
        yield "", "Conditions", Change(("Conditions", name), "invert-condition", negated)
    for section, properties in template.get("Globals", {}).items():
        type_ = _SECTIONS.get(section, "")
        for change in walk.properties(("Globals", section), properties, schemas.of(type_), frozenset()):
            yield "", type_, change
    for name, resource in template["Resources"].items():
        path, type_ = ("Resources", name), resource["Type"]
        yield name, type_, Change(path, "remove-resource", REMOVED)
        for attribute in ("DeletionPolicy", "UpdateReplacePolicy"):
            if attribute in resource:
                other = "Retain" if resource[attribute] == "Delete" else "Delete"
                yield name, type_, Change((*path, attribute), "enum", other)
        for change in walk.properties(
            (*path, "Properties"), resource.get("Properties", {}), schemas.of(type_), schemas.names(type_)
        ):
            yield name, type_, change


def _of_parameter(path: Path, parameter: Mapping[str, Any]) -> Iterator[Change]:
    """What a deployment gets that gives no value of its own."""
    if "Default" in parameter:
        default, members = parameter["Default"], parameter.get("AllowedValues", ())
        bounds = parameter.get("MinValue"), parameter.get("MaxValue")
        if members:
            yield from (Change((*path, "Default"), "enum", one) for one in _others(default, members))
        elif parameter["Type"] == "Number":
            yield from _numbers((*path, "Default"), default, bounds)
    if parameter.get("NoEcho") in (True, "true"):
        yield Change((*path, "NoEcho"), "flip", _same_kind(parameter["NoEcho"], flipped=False))


@dataclass(frozen=True)
class _Walk:
    """Goes through properties with what their schema says.

    Args:
        template: whose properties they are.
    """

    template: Mapping[str, Any]

    def properties(
        self, path: Path, properties: Mapping[str, Any], place: Place, names: frozenset[str]
    ) -> Iterator[Change]:
        required = place.required(properties)
        for key, value in properties.items():
            if key in _WITHOUT_MEANING:
                continue
            if key not in required and key not in names and key != "Name":
                yield Change((*path, key), "remove-property", REMOVED)
            if key not in _TAGS:
                yield from self.value((*path, key), value, place.inside(key, properties))
        for key in place.switched_on(properties):
            yield Change((*path, key), "flip", value=False)

    def value(self, path: Path, value: Any, place: Place) -> Iterator[Change]:
        if isinstance(value, Mapping):
            yield from self.mapping(path, value, place)
        elif isinstance(value, list):
            yield from self.sequence(path, value, place)
        else:
            yield from _scalar(path, value, place)

    def mapping(self, path: Path, value: Mapping[str, Any], place: Place) -> Iterator[Change]:
        if policies.is_policy(value):
            yield from policies.changes(path, value, lambda inner, one: self.value(inner, one, NOWHERE))
        elif "Fn::If" in value:
            for index in (1, 2):
                if value["Fn::If"][index] != _NO_VALUE:
                    yield from self.value((*path, "Fn::If", index), value["Fn::If"][index], place)
        elif "Ref" in value:
            yield from self.reference(path, value["Ref"], place)
        elif "Fn::GetAtt" in value:
            name, attribute = value["Fn::GetAtt"]
            for other in self.others(name):
                yield Change((*path, "Fn::GetAtt"), "other-resource", [other, attribute])
        elif "Fn::Sub" in value:
            yield from self.substitution((*path, "Fn::Sub"), value["Fn::Sub"])
        elif _is_function(value):
            (function,) = value
            yield from self.inside((*path, function), value[function])
        else:
            yield from self.properties(path, value, place, frozenset())
            yield from _alternatives(path, value)
        yield from _widened_origins(path, value)

    def inside(self, path: Path, value: Any) -> Iterator[Change]:
        """The references within another intrinsic function."""
        entries: Sequence[tuple[str | int, Any]] = ()
        if isinstance(value, Mapping):
            if value.keys() & {"Ref", "Fn::GetAtt", "Fn::Sub", "Fn::If"}:
                yield from self.mapping(path, value, NOWHERE)
                return
            entries = list(value.items())
        elif isinstance(value, list):
            entries = list(enumerate(value))
        for key, entry in entries:
            yield from self.inside((*path, key), entry)

    def reference(self, path: Path, name: str, place: Place) -> Iterator[Change]:
        for other in self.others(name):
            yield Change((*path, "Ref"), "other-resource", other)
        parameter = self.template.get("Parameters", {}).get(name)
        if parameter is None:
            return
        usual = parameter.get("Default", next(iter(parameter.get("AllowedValues", ())), None))
        if place.members or (usual is not None and parameter["Type"] == "Number"):
            yield from _scalar(path, usual, place)

    def substitution(self, path: Path, value: str | list[Any]) -> Iterator[Change]:
        text, more = (value, {}) if isinstance(value, str) else (value[0], value[1])
        for whole, name in re.findall(r"(\$\{([A-Za-z0-9]+)(?:\.[A-Za-z0-9.]+)?\})", text):
            for other in self.others(name) if name not in more else ():
                changed = text.replace(whole, whole.replace(name, other, 1))
                yield Change(path, "other-resource", changed if isinstance(value, str) else [changed, more])
        for name, one in more.items():
            yield from self.inside((*path, 1, name), one)

    def others(self, name: str) -> list[str]:
        """The next resource of the same type, in the template's order; after the last comes the first."""
        resources = self.template["Resources"]
        if name not in resources:
            return []
        same = [one for one in resources if resources[one]["Type"] == resources[name]["Type"]]
        return [other] if (other := same[(same.index(name) + 1) % len(same)]) != name else []

    def sequence(self, path: Path, value: list[Any], place: Place) -> Iterator[Change]:
        if len(value) > 1:
            for index, member in enumerate(value):
                if member not in value[:index]:
                    yield Change((*path, index), "drop-member", REMOVED)
        if value and isinstance(value[0], Mapping) and not place.unique and not _is_function(value[0]):
            yield Change(path, "duplicate-member", [*value, value[0]])
        yield from _widened(path, value, place)
        for index, member in enumerate(value):
            # One of several plain values is changed by dropping it and by widening the list.
            if len(value) == 1 or isinstance(member, (Mapping, list)):
                yield from self.value((*path, index), member, place.inside(index))


def _alternatives(path: Path, value: Mapping[str, Any]) -> Iterator[Change]:
    """What is chosen by the name of its only property, such as a rule's action."""
    for name, chosen in value.items():
        if len(value) == 1 and chosen == {}:
            yield from (Change(path, "enum", {one: {}}) for one in _others(name, _known(path, name)))


def _scalar(path: Path, value: Any, place: Place) -> Iterator[Change]:
    members = _known(path, value) or place.members
    if isinstance(value, bool) or value in ("true", "false"):
        yield Change(path, "flip", _same_kind(value, flipped=value in (False, "false")))
    elif members:
        yield from (Change(path, "enum", one) for one in _others(value, members))
    elif not isinstance(value, str) or place.types & {"integer", "number"} or "Variables" in path:
        yield from _numbers(path, value, place.bounds)


def _numbers(path: Path, value: Any, bounds: Bounds) -> Iterator[Change]:
    """Ten times as much, where nothing counts as one; a tenth; and what the schema just allows."""
    if isinstance(value, str):
        if value.isdigit():
            for change in _numbers(path, int(value), bounds):
                yield Change(change.path, change.operator, str(change.value))
        return
    lowest, greatest = bounds
    more, less = value * 10 or 10, value / 10 if isinstance(value, float) else value // 10
    yield Change(path, "times-ten", more if greatest is None else min(more, greatest))
    if less > 0:
        yield Change(path, "by-ten", less if lowest is None else max(less, lowest))
    yield from (Change(path, "bound", bound) for bound in bounds if bound is not None)


def _others(value: Any, members: Sequence[Any]) -> list[Any]:
    """Some of the other members: the next one, which is the easiest to mistake, then the first and the last."""
    others = [one for one in members if one != value]
    if len(others) > _MANY and value in members:
        after = members[(members.index(value) + 1) % len(members)]
        others = list(dict.fromkeys([after, others[0], others[-1]]))
    return others[:_MANY]


def _known(path: Path, value: Any) -> Sequence[str]:
    name = _named(path)[-1]
    return next((members for property_, members in _KNOWN if property_ == name and value in members), ())


def _named(path: Path) -> list[str]:
    """The properties on the way to a place, without the intrinsic functions there."""
    return [part for part in path if isinstance(part, str) and not part.startswith("Fn::")]


def _widened(path: Path, value: list[Any], place: Place) -> Iterator[Change]:
    """A list of hosts, methods or headers that lets everything through, or one stranger."""
    names = _named(path)
    name = names[-2] if names[-1] == "Items" else names[-1]
    if not name.startswith(("Allow", "AccessControlAllow", "Cached", "CallbackURLs")):
        return
    if "Methods" in name:
        every = next((one for one in ("ALL", "*") if one in place.inside(0).members), None)
        if every or "CorsConfiguration" in names:
            yield Change(path, "widen-member", [every or "*"])
        else:
            yield Change(
                path, "widen-member", _METHODS if name == "AllowedMethods" else ["GET", "HEAD", "OPTIONS"]
            )
    elif name.endswith(("Origins", "Headers")):
        yield Change(path, "widen-member", ["*"])
    if name.endswith("Origins"):
        yield Change(path, "widen-member", [*value, _FOREIGN_ORIGIN])


def _widened_origins(path: Path, value: Mapping[str, Any]) -> Iterator[Change]:
    """Origins that come out of a parameter as one text."""
    if "Fn::Split" in value and any(name.endswith("Origins") for name in _named(path)):
        separator, text = value["Fn::Split"]
        yield Change(path, "widen-member", ["*"])
        more = {"Fn::Join": [separator, [text, _FOREIGN_ORIGIN]]}
        yield Change((*path, "Fn::Split"), "widen-member", [separator, more])


def _is_function(value: Mapping[str, Any]) -> bool:
    return len(value) == 1 and all(name == "Ref" or str(name).startswith("Fn::") for name in value)


def _same_kind(like: Any, *, flipped: bool) -> bool | str:
    """A truth as it is written there: some templates quote it."""
    return str(flipped).lower() if isinstance(like, str) else flipped


def _at(template: Any, path: Path) -> Any:
    """What is there; _ABSENT for a property that is new."""
    for part in path:
        if isinstance(template, Mapping) and part not in template:
            return _ABSENT
        template = template[part]
    return template


def _says(change: Change, present: Any) -> str:
    if change.value is REMOVED:
        what = present["Type"] if change.operator == "remove-resource" else present
        return f"{_name(change.path)} removed: {_shown(what)}"
    return f"{_name(change.path)}: {_shown(present)} -> {_shown(change.value)}"


def _name(path: Path) -> str:
    """The property, and which of a list's members; what an intrinsic function is made of has no name."""
    named: list[str] = []
    function = False
    for part in path:
        if str(part).startswith("Fn::") or part == "Ref":
            function = True
        elif isinstance(part, str):
            named, function = [part], False
        elif not function:
            named.append(str(part))
    return ".".join(named)


def _shown(value: Any) -> str:
    if value is _ABSENT:
        return "not given"
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
