"""The application's registry of models is the only place that names them."""

from __future__ import annotations

import json
import re
import subprocess

import pytest
import yaml

from readiness import budgets as general
from tests import registry
from verification import budgets
from verification.application import ROOT

# What vendors call image models, however it is written.
_NAME = re.compile(
    r"(?i)\b(?:dall-?e|gpt-image|(?:gemini-)?nano-banana|gemini|imagen|(?:amazon\.)?nova-canvas|titan-image"
    r"|(?:stability\.)?(?:sdxl|sd-?3|stable-image|stable-diffusion)|stability-turbo|flux|recraft(?=v\d|-v\d))[\w.:-]*\d[\w.:-]*"
    r"|\b(?:stable-image-core|stability-turbo|flux-\w+)\b"
)
# Vendors serve more than the application asks for by default, and say in their own words what has ended.
_OTHER_MODELS_TOO = (
    "backend/src/pixel_prompt/adapters/",
    "backend/tests/test_adapters.py",
    "verification/embedded/server/providers/",
    "tests/embedded/providers/",
    "tests/test_registry.py",
    "tests/blind/third.py",
    "tests/blind/third.jsonl",
    "docs/adr/",
    "CHANGELOG.md",
    "frontend/package-lock.json",
)
# What may follow a name: an ending of a file, a job's id before it, a method, the day of a snapshot.
_APPENDED = re.compile(r"(-[0-9a-f]{8})?\.(png|jpg)$|:[a-z]+$|-\d{4}-\d\d-\d\d$|[.:-]+$")
# Addresses of vendors' pages and of endpoints.
_ADDRESS = re.compile(r"https?://\S+|[\w.-]+\.(?:com|dev|ai)/\S+")


def _known() -> set[str]:
    models = (*registry.MODELS, registry.TEXT_MODEL)
    names = {name for model in models for name in (model.id, model.vendor_model)}
    return names | {word.lower() for model in models for word in model.name.split()}


def test_no_other_model_is_named_anywhere() -> None:
    """A name that the registry has left would stand in a document, a test or a load for years."""
    files = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split("\0")[:-1]
    known, strange = _known(), []
    for name in files:
        if name.startswith(_OTHER_MODELS_TOO) or not (ROOT / name).is_file():
            continue
        try:
            text = (ROOT / name).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        for line in text.splitlines():
            names = _NAME.findall(_ADDRESS.sub("", line))
            strange += [
                f"{name}: {found}" for found in names if _APPENDED.sub("", found.lower()) not in known
            ]
    assert strange == []


@pytest.mark.parametrize(
    "text",
    [
        "dall-e-3",
        "gpt-image-1",
        "gemini-2.0",
        "imagen-3",
        "nova-canvas-v1:0",
        "flux-dev",
        "recraft-v3",
        "recraftv3",
    ],
)
def test_names_of_yesterday_would_be_found(text: str) -> None:
    assert _NAME.search(f'"{text}"')
    assert text not in _known()


def test_the_contracts_examples_name_models_as_the_registry_does() -> None:
    contract = yaml.safe_load((ROOT / "backend" / "openapi.yaml").read_text(encoding="utf-8"))
    health = contract["paths"]["/health"]["get"]["responses"]["200"]["content"]["application/json"]["example"]
    ours = [{"id": model.id, "name": model.name, "vendor": model.vendor} for model in registry.MODELS]
    assert [model for model in health["models"] if model not in ours] == []


def test_the_load_tests_advice_leaves_one_model() -> None:
    """Deployed as the document says, the load reaches no vendor but Bedrock."""
    text = (ROOT / "scripts" / "loadtest" / "README.md").read_text(encoding="utf-8")
    (given,) = re.findall(r"ModelOverrides=(\{.*?\})'", text)
    off = {model for model, change in json.loads(given).items() if change is None}
    left = [model for model in registry.MODELS if model.id not in off]
    assert off <= {model.id for model in registry.MODELS}
    assert [model.vendor for model in left] == ["bedrock"]


def test_checks_wait_longer_for_a_job_than_it_may_take() -> None:
    """A check that gives up first would not see what the application does with a slow vendor."""
    job = registry.generation.JOB_SECONDS
    assert job < budgets.JOB_DEADLINE.total_seconds() < budgets.WORKER_TIMEOUT.total_seconds()
    assert general.ITEM_LIMITS["AWS"]["paid"] > budgets.JOB_DEADLINE
    assert len(registry.MODELS) == budgets.MODELS
