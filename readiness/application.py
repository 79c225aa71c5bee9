"""The application that is verified, as its own folder describes it.

Nothing has to be described where the application looks as `sam init` leaves it. `readiness.toml` says what is elsewhere:

    template = "backend/template.yaml"
    samconfig = "backend/samconfig.toml"
    checks = "verification"
    catalogue = false
    gaps = "verification/embedded/gaps.toml"
    state = ".local"
    expects = ["SQS-*"]
    roles = ["Worker", "Images"]
    prices = "verification.costs:PRICES_OF_RUN"

    [[left-out]]
    item = "EDGE-07"
    reason = "the page is for our own network"

    [[foreign]]
    resource = "arn:aws:dynamodb:*:*:table/customers"
    reason = "belongs to the shop's stack"

    [log-retention]
    days = 3
    reason = "lines hold what users wrote"

    [hints]
    deploy = "./scripts/deploy.sh {environment}"
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from fnmatch import fnmatch, fnmatchcase
from pathlib import Path
from typing import Any, Self

from readiness import budgets, written
from readiness.errors import UsageProblem

FILE = "readiness.toml"
CHECKLIST = "PRODUCTION_CHECKLIST.md"
_HINTS = ("deploy", "rehearse", "cloud")
_PATH: written.Schema = {
    "type": "string",
    "pattern": r"^[^/]",
    "description": "a path in quotes, relative to the application's folder",
}
_SCHEMA: written.Schema = {
    "type": "object",
    "properties": {
        **dict.fromkeys(("template", "samconfig", "checks", "gaps", "state"), _PATH),
        "catalogue": {"type": "boolean"},
        "expects": {"type": "array", "items": written.TEXT, "description": "a list of items such as 'SQS-*'"},
        "left-out": {
            "type": "array",
            "description": "entries written as [[left-out]]",
            "items": {
                "type": "object",
                "properties": {"item": written.TEXT, "reason": written.TEXT},
                "required": ["item", "reason"],
                "additionalProperties": False,
            },
        },
        "roles": {"type": "array", "items": written.TEXT, "description": "a list of names"},
        "foreign": {
            "type": "array",
            "description": "entries written as [[foreign]]",
            "items": {
                "type": "object",
                "properties": {
                    "resource": {
                        "type": "string",
                        "pattern": "^arn:[^*]",
                        "description": "an ARN in quotes, with * where it may be any",
                    },
                    "reason": written.TEXT,
                },
                "required": ["resource", "reason"],
                "additionalProperties": False,
            },
        },
        "log-retention": {
            "type": "object",
            "properties": {
                "days": {"type": "integer", "minimum": 1, "description": "a number of days"},
                "reason": written.TEXT,
            },
            "required": ["days", "reason"],
            "additionalProperties": False,
        },
        "tools": {"type": "array", "items": _PATH, "description": "a list of folders"},
        "prices": {
            "type": "string",
            "pattern": r"^[\w.]+:\w+$",
            "description": "a module and a name in it, such as 'shop.costs:PRICES'",
        },
        "hints": {
            "type": "object",
            "properties": dict.fromkeys(_HINTS, written.TEXT),
            "additionalProperties": False,
        },
    },
    "additionalProperties": False,
}


@dataclass(frozen=True)
class Hints:
    """The commands that messages name as a next step. `{environment}` is replaced by the environment's name.

    Args:
        deploy: deploys an environment.
        rehearse: makes the shell use an emulated AWS.
        cloud: starts an emulated AWS.
    """

    deploy: str = "sam deploy --config-env {environment}"
    rehearse: str = "export AWS_ENDPOINT_URL=<the emulator's address>"
    cloud: str = "start it, or unset AWS_ENDPOINT_URL"


@dataclass(frozen=True)
class Application:
    """One application's folder and the paths of its parts. Paths are absolute.

    Args:
        folder: holds environments.toml, waivers.toml and the reports.
        template: the SAM or CloudFormation template.
        samconfig: what `sam deploy` reads.
        checks: the tests that judge the items of the application's own checklist.
        catalogue: whether the items that are true of every application are judged.
        gaps: the file of what an emulated AWS cannot show, None for no gaps.
        state: the folder that runs on this machine share: locks of the stack, durations, an embedded AWS.
        tools: folders whose programs are found before those of PATH.
        expects: patterns of items that must apply. An item that matches and does not apply fails.
        foreign: patterns of ARNs outside the stack that the stack's roles may use, each with its reason.
        least_log_retention: the least time that the application has to keep its logs.
        left_out: items that do not apply because the application says so, each with its reason.
        roles: names of the application for its resources. environments.toml may assign a resource to each name.
        prices: the location of the prices of paid requests, as `module:name`; '' where no request is paid for.
        hints: the commands that messages name as a next step.
    """

    folder: Path
    template: Path
    samconfig: Path
    checks: Path
    state: Path
    catalogue: bool = True
    gaps: Path | None = None
    tools: tuple[Path, ...] = ()
    expects: tuple[str, ...] = ()
    left_out: Mapping[str, str] = field(default_factory=dict)
    roles: tuple[str, ...] = ()
    foreign: Mapping[str, str] = field(default_factory=dict)
    least_log_retention: timedelta = budgets.LEAST_LOG_RETENTION
    prices: str = ""
    hints: Hints = field(default_factory=Hints)

    @classmethod
    def of(cls, folder: Path) -> Self:
        """The application in a folder.

        Raises:
            UsageProblem: its readiness.toml is malformed.
        """
        folder = folder.resolve()
        said: Mapping[str, Any] = written.load(folder / FILE, _SCHEMA) if (folder / FILE).is_file() else {}
        return cls(
            folder=folder,
            template=folder
            / said.get("template", _first(folder, "template.yaml", "template.yml", "template.json")),
            samconfig=folder / said.get("samconfig", _first(folder, "samconfig.toml", "samconfig.yaml")),
            checks=folder / said.get("checks", "checks"),
            state=folder / said.get("state", ".readiness"),
            catalogue=said.get("catalogue", True),
            gaps=folder / said["gaps"] if "gaps" in said else None,
            tools=tuple(folder / tool for tool in said.get("tools", [])),
            expects=tuple(said.get("expects", [])),
            left_out={entry["item"]: entry["reason"] for entry in said.get("left-out", [])},
            roles=tuple(said.get("roles", [])),
            foreign={entry["resource"]: entry["reason"] for entry in said.get("foreign", [])},
            least_log_retention=timedelta(days=said["log-retention"]["days"])
            if "log-retention" in said
            else budgets.LEAST_LOG_RETENTION,
            prices=said.get("prices", ""),
            hints=Hints(**said.get("hints", {})),
        )

    @classmethod
    def around(cls, place: Path) -> Self | None:
        """The application that a file or folder belongs to: the nearest folder above that describes one, or None."""
        for folder in (place, *place.parents):
            if (folder / FILE).is_file() or (folder / CHECKLIST).is_file():
                return cls.of(folder)
        return None

    @property
    def checklist(self) -> Path:
        """The application's own items; there may be none."""
        return self.folder / CHECKLIST

    @property
    def environments(self) -> Path:
        """What says more of the environments than samconfig.toml does; there may be none."""
        return self.folder / "environments.toml"

    @property
    def waivers(self) -> Path:
        return self.folder / "waivers.toml"

    def expects_item(self, item: str) -> bool:
        """Whether the application demands that an item applies."""
        return any(fnmatch(item, pattern) for pattern in self.expects)

    def declares_foreign(self, arn: str) -> bool:
        """Whether the application says that its roles need something that the stack does not have."""
        return any(fnmatchcase(arn, pattern) for pattern in self.foreign)

    def load_prices(self) -> Any:
        """What paid requests cost, None where nothing is paid for.

        Raises:
            UsageProblem: it does not stand where `prices` says.
        """
        if not self.prices:
            return None
        module, _, name = self.prices.partition(":")
        try:
            return getattr(importlib.import_module(module), name)
        except (ImportError, AttributeError) as problem:
            raise UsageProblem(f"{FILE}: prices: expected {name} in {module}, found: {problem}") from problem


def _first(folder: Path, *names: str) -> str:
    """The name of these that exists, or else the first."""
    return next((name for name in names if (folder / name).is_file()), names[0])
