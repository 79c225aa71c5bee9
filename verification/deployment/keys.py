"""The AI providers' keys: where they come from, and never where anyone can read them."""

from __future__ import annotations

import importlib
import json
import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from verification.deployment import dotenv
from verification.errors import UsageProblem


@dataclass(frozen=True)
class Provider:
    """One vendor whose key the application needs."""

    vendor: str
    variable: str
    parameter: str


PROVIDERS = (
    Provider("openai", "OPENAI_API_KEY", "OpenAiApiKey"),
    Provider("google", "GOOGLE_API_KEY", "GoogleApiKey"),
    Provider("bfl", "BFL_API_KEY", "BflApiKey"),
    Provider("recraft", "RECRAFT_API_KEY", "RecraftApiKey"),
    Provider("stability", "STABILITY_API_KEY", "StabilityApiKey"),
)

# Every vendor's keys are of these; a quote or a space was pasted by mistake.
_KEY = re.compile(r"[A-Za-z0-9._~+/=:-]{8,512}")


@dataclass(frozen=True)
class Keys:
    """Values by template parameter, and where each came from. Never shown: `repr` leaves the values out."""

    values: Mapping[str, str] = field(repr=False)
    sources: Mapping[str, str]


def given(environment: str, app: Path, variables: Mapping[str, str]) -> Keys:
    """The keys from environment variables, then from the git-ignored backend/.env.<environment>.

    Raises:
        UsageProblem: the file is readable by others, or a key is malformed. The message never quotes it.
    """
    file = app / "backend" / f".env.{environment}"
    stored = _stored(file)
    values: dict[str, str] = {}
    sources: dict[str, str] = {}
    for provider in PROVIDERS:
        for source, found in (
            ("environment", variables),
            (f"backend/{file.name}", stored),
        ):
            value = found.get(provider.variable, "").strip()
            if not value:
                continue
            if not _KEY.fullmatch(value):
                raise UsageProblem(
                    f"{provider.variable} (from {source}) is no key: expected 8 to 512 letters, digits and . _ ~ + / = : -, "
                    f"found {len(value)} characters, some of them others; set it to the key alone, without quotes or spaces"
                )
            values[provider.parameter], sources[provider.parameter] = value, source
            break
    return Keys(values, sources)


def _stored(file: Path) -> Mapping[str, str]:
    try:
        mode = file.stat().st_mode
    except FileNotFoundError:
        return {}
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise UsageProblem(
            f"backend/{file.name} holds keys and others may read it ({stat.filemode(mode)}); run: chmod 600 backend/{file.name}"
        )
    try:
        return dotenv.parsed(dotenv.read(file))
    except dotenv.DotenvProblem as problem:
        raise UsageProblem(str(problem)) from problem


def simulated(directory: Path) -> Keys:
    """Well-formed keys for the simulated providers: made once for a cloud, the same at every deployment.

    Args:
        directory: the cloud's private folder; the keys stay in its `provider-keys.json`, mode 600.
    """
    file = directory / "provider-keys.json"
    try:
        values = {key: str(value) for key, value in json.loads(file.read_text()).items()}
    except (FileNotFoundError, ValueError, AttributeError):
        values = {}
    wanted = {provider.parameter for provider in PROVIDERS}
    if set(values) != wanted:
        example = importlib.import_module("verification.embedded.server.providers.keys").example
        values = {provider.parameter: example(provider.vendor) for provider in PROVIDERS}
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        temporary = file.with_suffix(f".{os.getpid()}")
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as output:
            json.dump(values, output)
        temporary.replace(file)
    return Keys(values, dict.fromkeys(wanted, "simulated"))


def without_keys(variables: Mapping[str, str]) -> dict[str, str]:
    """The environment for a child process: it needs no provider's key."""
    names = {provider.variable for provider in PROVIDERS}
    return {name: value for name, value in variables.items() if name not in names}
