"""The paths that pages and scripts call, and the routes of a template."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from readiness.probes.finding import Finding
from readiness.probes.process import read

_FUNCTION: Final = "AWS::Serverless::Function"
_EVENTS: Final = ("Api", "HttpApi")
# What adds routes, or changes paths, elsewhere than in the events of functions.
_ELSEWHERE: Final = re.compile(
    r"AWS::ApiGateway(?:V2)?::(?:Route|Method|Resource|RestApi|Api|ApiMapping|BasePathMapping)|AWS::Serverless::(?:StateMachine|Application)"
    r"|AWS::CloudFormation::Stack|FunctionAssociations|FunctionUrlConfig|DefinitionBody|DefinitionUri|BasePath|Fn::Transform|Fn::ForEach"
)
_PAGES: Final = (".html", ".js", ".mjs", ".jsx", ".ts", ".tsx")
_TESTS: Final = re.compile(r"(?:^|[/.])(?:tests?|spec|mocks?|__tests__|e2e|dist|build)(?:[/.]|$)")
_FETCH: Final = re.compile(r"\bfetch\(\s*(?P<quote>[\"'`])(?P<path>/[^\"'`\s]*)(?P=quote)\s*[,)]")
_HELPER: Final = re.compile(
    r"function\s+(?P<name>\w+)\s*\(\s*(?P<path>\w+)[^)]*\)(?:(?!\bfunction\b)[\s\S]){0,400}?\bfetch\(\s*`(?P<prefix>/[\w/-]+)\$\{(?P=path)\}`"
)
_CURL: Final = re.compile(r"\bcurl\b[^\n|;]*?[\s\"']\$\{?\w+\}?(?P<path>/[\w./{}$?=&-]*)")


def routes(template: Mapping[str, Any]) -> set[str]:
    """The paths of the events of functions; none where other things than these may add or change any."""
    if _ELSEWHERE.search(str(template)):
        return set()
    found = set()
    for resource in template["Resources"].values():
        if resource.get("Type") == _FUNCTION:
            for event in ((resource.get("Properties") or {}).get("Events") or {}).values():
                if event.get("Type") in _EVENTS:
                    path = (event.get("Properties") or {}).get("Path")
                    if not isinstance(path, str):
                        return set()  # $default, which takes every path
                    found.add(path)
    return found


def prefixes(template: Mapping[str, Any], known: set[str]) -> list[str]:
    """The beginnings of paths that belong to the API alone: /api/, and where a distribution sends a part of all paths to it."""
    patterns = re.findall(r"'PathPattern': '(/?[\w/-]+/)\*'", str(template))
    candidates = {"/api/", *(f"/{pattern.lstrip('/')}" for pattern in patterns)}
    return sorted(prefix for prefix in candidates if any(path.startswith(prefix) for path in known))


def unknown(
    folder: Path, files: Sequence[Path], known: set[str], own: Sequence[str]
) -> tuple[int, list[Finding]]:
    """How many calls of the API there are, and those whose path no route has.

    Args:
        folder: the application's.
        files: its pages and scripts are read.
        known: the template's routes.
        own: the beginnings of paths that belong to the API.
    """
    count, found = 0, []
    for file in files:
        place = file.relative_to(folder).as_posix()
        if _TESTS.search(place) or file.suffix not in (*_PAGES, ".sh"):
            continue
        text = read(file)
        for start, called in _called(text, is_page=file.suffix in _PAGES):
            path = called.partition("?")[0]
            if not path.startswith(tuple(own)):
                continue
            count += 1
            if not any(fits(path, route) for route in known):
                line = text.count("\n", 0, start) + 1
                has = ", ".join(sorted(known))
                message = f"expected a route of the template ({has}), found a call of {path}; correct it, or add the route"
                found.append(Finding(place, line, "no-route", message))
    return count, found


def _called(text: str, *, is_page: bool) -> Iterator[tuple[int, str]]:
    if not is_page:
        yield from ((found.start("path"), found["path"].replace("$", "${")) for found in _CURL.finditer(text))
        return
    yield from (
        (found.start(), found["path"])
        for found in _FETCH.finditer(text)
        if not _is_comment(text, found.start())
    )
    for helper in _HELPER.finditer(text):
        calls = re.compile(
            rf"(?<![\w.$]){helper['name']}\(\s*(?P<quote>[\"'`])(?P<path>/[^\"'`\s]*)(?P=quote)\s*[,)]"
        )
        for found in calls.finditer(text):
            if not _is_comment(text, found.start()):
                yield found.start(), helper["prefix"] + found["path"]


def _is_comment(text: str, place: int) -> bool:
    return text[text.rfind("\n", 0, place) + 1 : place].lstrip().startswith(("//", "*", "/*", "<!--"))


def fits(path: str, route: str) -> bool:
    """Whether a call may reach a route; what the call fills in may be anything."""
    asked, has = (re.sub(r"\$\{[^}]*\}?", "\0", each).strip("/").split("/") for each in (path, route))
    for number, segment in enumerate(asked):
        if "\0" in segment and number == len(asked) - 1:
            return len(has) > number and (has[number].startswith(("{", segment.partition("\0")[0])))
        if number >= len(has):
            return False
        if has[number].endswith("+}"):
            return True
        if not (has[number].startswith("{") or "\0" in segment or has[number] == segment):
            return False
    return len(has) == len(asked)
