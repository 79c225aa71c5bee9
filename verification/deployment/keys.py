"""The AI providers' keys: where they come from, and never where anyone can read them."""

from __future__ import annotations

import importlib
import json
import os
import re
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_hex

from readiness.errors import UsageProblem
from readiness.secret_parameters import is_key, variable_of, vendor_of
from verification.deployment import dotenv

# Every vendor's keys are of these; a quote or a space was pasted by mistake.
_KEY = re.compile(r"[A-Za-z0-9._~+/=:-]{8,512}")


@dataclass(frozen=True)
class Keys:
    """Values by template parameter, and where each came from. Never shown: `repr` leaves the values out."""

    values: Mapping[str, str] = field(repr=False)
    sources: Mapping[str, str]


def given(secrets: Iterable[str], environment: str, app: Path, variables: Mapping[str, str]) -> Keys:
    """The secrets from environment variables, then from the git-ignored backend/.env.<environment>.

    Args:
        secrets: the template's secret parameters.
        environment: its name.
        app: the checkout.
        variables: the environment variables.

    Raises:
        UsageProblem: the file is readable by others, or a key is malformed. The message never quotes it.
    """
    file = app / "backend" / f".env.{environment}"
    stored = _stored(file)
    values: dict[str, str] = {}
    sources: dict[str, str] = {}
    for parameter in secrets:
        variable = variable_of(parameter)
        for source, found in (
            ("environment", variables),
            (f"backend/{file.name}", stored),
        ):
            value = found.get(variable, "").strip()
            if not value:
                continue
            if is_key(parameter) and not _KEY.fullmatch(value):
                raise UsageProblem(
                    f"{variable} (from {source}) is no key: expected 8 to 512 letters, digits and . _ ~ + / = : -, "
                    f"found {len(value)} characters, some of them others; set it to the key alone, without quotes or spaces"
                )
            values[parameter], sources[parameter] = value, source
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


def simulated(secrets: Iterable[str], directory: Path) -> Keys:
    """Well-formed keys for the simulated providers: made once for a cloud, the same at every deployment.

    Args:
        secrets: the template's secret parameters.
        directory: the cloud's private folder; the keys stay in its `provider-keys.json`, mode 600.
    """
    file = directory / "provider-keys.json"
    try:
        kept = {key: str(value) for key, value in json.loads(file.read_text()).items()}
    except (FileNotFoundError, ValueError, AttributeError):
        kept = {}
    values = {parameter: kept.get(parameter) or _invented(parameter) for parameter in secrets}
    if not values.items() <= kept.items():
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        temporary = file.with_suffix(f".{os.getpid()}")
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as output:
            json.dump({**kept, **values}, output)
        temporary.replace(file)
    return Keys(values, dict.fromkeys(values, "simulated"))


def _invented(parameter: str) -> str:
    """Return a key in its vendor's form, where a simulated vendor checks the form."""
    vendors = importlib.import_module("verification.embedded.server.providers.keys")
    vendor = vendor_of(parameter)
    return str(vendors.example(vendor)) if vendor in vendors.SHAPES else token_hex(32)
