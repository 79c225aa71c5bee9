"""Mutants of the contract and of samconfig, and how a file beside the template is changed and put back."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import pytest

from tests.mutants import contract, settings
from tests.mutants.__main__ import main
from tests.mutants.folder import Folder, repacked
from tests.mutants.mutant import Rewritten
from tests.mutants.run import steps
from tests.mutants.stand import OWN, Refused, with_source

CONTRACT = """\
openapi: 3.0.3
info: { title: Shop, version: 1.0.0 }
paths:
  /pay:
    get:
      summary: Pays
      parameters:
        - { name: sum, in: query, required: true, schema: { type: integer, maximum: 50 } }
      responses:
        "200":
          description: Paid
          headers: &headers
            X-Id: { schema: { type: string } }
          content:
            application/json:
              schema: { $ref: "#/components/schemas/Paid" }
              example: { type: cash }
        "500": { description: Not paid, headers: *headers }
components:
  schemas:
    Paid:
      type: object
      required: [type]
      properties:
        type: { enum: [cash, card], description: How }
"""
SAMCONFIG = """\
[local.deploy.parameters]
parameter_overrides = [
    "Days=30",
    "Limit=50",
    "None=0",
    "Open=true",
    "Mail=a@shop.example",
]
[prod.deploy.parameters]
parameter_overrides = ["Days=30"]
"""
TEMPLATE = {
    "Parameters": {
        "Days": {"Type": "Number", "AllowedValues": [7, 14, 30]},
        "Limit": {"Type": "Number"},
        "None": {"Type": "Number"},
        "Open": {"Type": "String", "AllowedValues": ["true", "false"]},
        "Mail": {"Type": "String"},
    }
}


def rewritten(file: str, text: str) -> Rewritten:
    return Rewritten("app", "", "part", (file, "place"), "kind", "says", None, text=text)


def package(**members: str) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, text in members.items():
            archive.writestr(f"shop/{name}.py", text)
    return made.getvalue()


def members(content: bytes) -> dict[str, str]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


def test_the_contract_promises_something_else_in_each_mutant(tmp_path: Path) -> None:
    (tmp_path / "openapi.yaml").write_text(CONTRACT)

    mutants = contract.mutants_of("app", tmp_path)

    assert [(one.type, one.operator, one.says) for one in mutants] == [
        ("GET /pay", "type", "line 8: type: integer -> string"),
        ("GET /pay", "times-ten", "line 8: maximum: 50 -> 500"),
        ("GET /pay", "by-ten", "line 8: maximum: 50 -> 5"),
        ("GET /pay", "remove-status", "line 10: 200 removed"),
        ("GET /pay", "remove-status", "line 18: 500 removed"),
        ("GET /pay", "type", "line 13: type: string -> integer"),
        ("schemas Paid", "remove-property", "line 25: type removed"),
        ("schemas Paid", "rename-property", "line 25: type -> typeOther"),
        ("schemas Paid", "drop-required", "line 23: required: type removed"),
        ("schemas Paid", "type", "line 22: type: object -> array"),
        ("schemas Paid", "enum", "line 25: enum: cash -> cash-other"),
        ("schemas Paid", "enum", "line 25: enum: card -> card-other"),
    ]
    assert len({one.id for one in mutants}) == len(mutants)


def test_what_an_anchor_stands_for_changes_wherever_it_is_used(tmp_path: Path) -> None:
    (tmp_path / "openapi.yaml").write_text(CONTRACT)
    mutants = {one.says: json.loads(one.text) for one in contract.mutants_of("app", tmp_path)}

    responses = mutants["line 13: type: string -> integer"]["paths"]["/pay"]["get"]["responses"]
    assert [one["headers"]["X-Id"]["schema"]["type"] for one in responses.values()] == ["integer", "integer"]
    paid = mutants["line 25: type -> typeOther"]["components"]["schemas"]["Paid"]
    assert (paid["required"], list(paid["properties"])) == (["typeOther"], ["typeOther"])
    assert mutants["line 25: type removed"]["components"]["schemas"]["Paid"]["required"] == []


def test_a_parameter_has_another_value_in_the_file_and_in_the_stack(tmp_path: Path) -> None:
    (tmp_path / "samconfig.toml").write_text(SAMCONFIG)

    mutants = {one.says: one for one in settings.mutants_of("app", tmp_path, TEMPLATE)}

    assert {one: mutant.parameters for one, mutant in mutants.items()} == {
        "line 3: Days: 30 -> 7": {"Days": "7"},
        "line 4: Limit: 50 -> 500": {"Limit": "500"},
        "line 4: Limit: 50 -> 5": {"Limit": "5"},
        "line 5: None: 0 -> 10": {"None": "10"},
        "line 6: Open: true -> false": {"Open": "false"},
        "line 7: Mail: a@shop.example -> empty": {"Mail": ""},
    }
    changed = mutants["line 3: Days: 30 -> 7"].text
    assert changed == SAMCONFIG.replace("Days=30", "Days=7", 1)


def test_a_file_is_put_back_before_the_next_one_is_changed(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("good a")
    (tmp_path / "b").write_text("good b")
    folder = Folder(tmp_path)

    folder.rewrite({"a": "bad"})
    assert [(tmp_path / name).read_text() for name in "ab"] == ["bad", "good b"]
    folder.rewrite({"b": "bad"})
    assert [(tmp_path / name).read_text() for name in "ab"] == ["good a", "bad"]
    folder.rewrite({})
    assert [(tmp_path / name).read_text() for name in "ab"] == ["good a", "good b"]


def test_every_package_that_holds_a_source_holds_the_mutant() -> None:
    packages = {
        ("b", "api"): package(pay="good", log="log"),
        ("b", "worker"): package(pay="good"),
        ("b", "other"): package(log="log"),
        ("b", "template"): b"no zip",
    }

    changed = with_source(packages, rewritten("src/shop/pay.py", "bad = 1"))

    assert members(changed["b", "api"]) == {"shop/pay.py": "bad = 1", "shop/log.py": "log"}
    assert members(changed["b", "worker"]) == {"shop/pay.py": "bad = 1"}
    assert [changed["b", name] for name in ("other", "template")] == [
        packages["b", name] for name in ("other", "template")
    ]
    assert repacked(b"no zip", "shop/pay.py", "") is None


def test_a_source_that_no_package_holds_is_an_error() -> None:
    with pytest.raises(AssertionError, match=r"expected shop/gone\.py in a package"):
        with_source({("b", "api"): package(pay="good")}, rewritten("src/shop/gone.py", ""))


def test_a_source_that_does_not_compile_is_refused_by_python_and_one_that_fails_is_not() -> None:
    packages = {("b", "api"): package(pay="good")}

    with pytest.raises(Refused, match="Python"):
        with_source(packages, rewritten("src/shop/pay.py", "def pay(:"))
    assert with_source(packages, rewritten("src/shop/pay.py", "1 / 0")) != packages
    assert with_source(packages, rewritten("openapi.yaml", "def pay(:")) is packages


def test_what_the_api_does_is_asked_at_once_where_quick_items_do_not_ask_it() -> None:
    assert steps(OWN, "all") == steps(OWN, "all", "samconfig") == ["read-only", "all"]
    assert steps(OWN, "all", "source") == steps(OWN, "all", "contract") == ["all"]


def test_other_kinds_are_listed_for_pixel_prompt_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--of", "samconfig", "--list", "--sample", "3"]) == 0
    assert capsys.readouterr().out.count("pixel-prompt/samconfig.toml/") == 3

    with pytest.raises(SystemExit):
        main(["--of", "contract", "--application", "site", "--list"])
    assert "--of contract takes --application pixel-prompt alone" in capsys.readouterr().err
