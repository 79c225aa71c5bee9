"""Each item about files, on an application in which it finds nothing and on one in which it finds something."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from readiness.application import Application
from readiness.catalogue.checks import test_source as checks
from readiness.errors import Unverified
from readiness.probes import gates, imports, parameters, sources
from readiness.probes.routes import fits
from readiness.probes.shell import Script, mask
from readiness.probes.sources import NotJudgedError

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent / "source"
SECONDS = 120


def verified(folder: Path) -> Mapping[str, Mapping[str, Any]]:
    """What `verify-stack --static` says in a folder, by the item's id."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "AWS_"))}
    done = subprocess.run(
        [sys.executable, "-m", "readiness", "--static"],
        cwd=folder,
        env={**kept, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )
    report = folder / "reports" / "static" / "verification.json"
    assert report.is_file(), f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    items = json.loads(report.read_text(encoding="utf-8"))["items"]
    return {item["id"]: item for item in items if item["id"].startswith("SRC-")}


def copied(name: str, folder: Path) -> Path:
    """A copy of one of the two applications."""
    return Path(shutil.copytree(HERE / name, folder / name))


def places(item: Mapping[str, Any]) -> set[str]:
    return {finding["place"] for finding in item["findings"]}


def test_nothing_is_found_where_nothing_is_wrong(tmp_path: Path) -> None:
    found = verified(copied("good", tmp_path))

    assert {
        id_: item for id_, item in found.items() if item["outcome"] not in ("pass", "not-applicable")
    } == {}


def test_each_defect_is_named_by_its_item(tmp_path: Path) -> None:
    expected = tomllib.loads((HERE / "expected.toml").read_text(encoding="utf-8"))
    folder = copied("bad", tmp_path)
    # Written here, for no file of the repository may hold what looks like a secret, not even a made-up one.
    key = "AKIA" + "Q3EGRWY7TN2LVKDM"
    (folder / "settings.ini").write_text(f"[aws]\nkey = {key}\n", encoding="utf-8")
    found = verified(folder)

    assert {id_: item["outcome"] for id_, item in found.items()} == dict.fromkeys(expected, "fail")
    assert {id_: places(item) for id_, item in found.items()} == {
        id_: {*names} for id_, names in expected.items()
    }


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("sam deploy || true", ["ignored"]),
        ("sam deploy ||\n  echo failed", ["ignored"]),
        ("sam deploy || { echo failed; exit 1; }", []),
        ("pytest --junitxml=r.xml || true", []),
        ("for i in 1 2; do\n  sam deploy || true\ndone", []),
        ("echo 'sam deploy || true'", []),
        ("cat <<EOF\nsam deploy || true\nEOF", []),
        ("sam deploy | tee log", ["piped"]),
        ("sam deploy | grep -q complete", []),
        ("curl -fsS https://notes.example/ || :", ["ignored"]),
        ("curl https://notes.example/ || :", []),
        ("sam delete || true", []),
    ],
)
def test_only_what_is_certain_to_be_lost_is_found(text: str, found: list[str]) -> None:
    script = Script("deploy.sh", text, 1, errexit=True, pipefail=False)

    assert [finding.rule for finding in gates.lost(script)] == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("sam deploy\necho done", ["goes-on"]),
        ("echo start\nsam deploy", []),
        ("sam deploy\nexit $?", []),
        ("if sam deploy; then\n  echo done\nfi", []),
        ("sam deploy || exit 1\necho done", []),
    ],
)
def test_script_that_does_not_end_at_a_failure_goes_on(text: str, found: list[str]) -> None:
    script = Script("deploy.sh", text, 1, errexit=False, pipefail=False)

    assert [finding.rule for finding in gates.lost(script)] == found


def test_lines_stay_where_they_are_in_a_masked_script() -> None:
    text = "a 'b\nc' # d\ncat <<-EOF\n\te\n\tEOF\nf\\\n g"

    assert mask(text).count("\n") == text.count("\n")


@pytest.mark.parametrize(
    ("facts", "value", "fits_it"),
    [
        ({"Type": "String", "AllowedPattern": "[a-z]+"}, "abc", True),
        ({"Type": "String", "AllowedPattern": "[a-z]+"}, "abc1", False),
        ({"Type": "String", "AllowedPattern": r"\p{Alpha}+"}, "1", True),
        ({"Type": "String", "AllowedValues": [True, False]}, "yes", True),
        ({"Type": "Number", "AllowedValues": [7, 30]}, "30", True),
        ({"Type": "Number", "MaxValue": 30}, "31", False),
        ({"Type": "CommaDelimitedList", "AllowedValues": ["a", "b"]}, "a, b", True),
        ({"Type": "AWS::SSM::Parameter::Value<String>", "AllowedValues": ["a"]}, "/name", True),
        ({"Type": "String", "MinLength": 3}, "ab", False),
    ],
)
def test_values_are_judged_as_cloudformation_does(
    facts: dict[str, Any], value: str, *, fits_it: bool
) -> None:
    assert (parameters.value_problem(facts, value) == "") is fits_it


@pytest.mark.parametrize(
    ("path", "route", "fits_it"),
    [
        ("/api/notes", "/api/notes", True),
        ("/api/notes/", "/api/notes", True),
        ("/api/notes/1", "/api/notes/{id}", True),
        ("/api/notes/${id}", "/api/notes/{id}", True),
        ("/api/notes${query}", "/api/notes", True),
        ("/api/a/b/c", "/api/{proxy+}", True),
        ("/api/note", "/api/notes", False),
        ("/api/notes/1/2", "/api/notes/{id}", False),
    ],
)
def test_calls_fit_routes(path: str, route: str, *, fits_it: bool) -> None:
    assert fits(path, route) is fits_it


def test_one_function_that_cannot_be_judged_keeps_the_items_from_passing(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(
        "import json\n\n\ndef handler(event, context):\n    return json.dumps(event)\n"
    )
    plain = {"Runtime": "python3.13", "Handler": "app.handler"}
    functions = [
        sources.Function("Plain", tmp_path, plain, {}, "."),
        sources.Function("Layered", tmp_path, {**plain, "Handler": "layered.handler"}, {}, ".", layers=[[]]),
    ]
    files = [tmp_path / name for name in ("template.yaml", "samconfig.toml", "checks", "state")]
    application = Application(tmp_path, *files)

    checks.test_imports_are_declared(application, functions[:1], {})
    checks.test_handlers_exist(functions[:1], {})
    with pytest.raises(Unverified, match=r"1 of 2.*Layered"):
        checks.test_imports_are_declared(application, functions, {})
    with pytest.raises(Unverified, match=r"1 of 2.*Layered"):
        checks.test_handlers_exist(functions, {})


ELSEWHERE = "arn:aws:lambda:eu-west-1:017000801446:layer:AWSLambdaPowertoolsPythonV3-python313-arm64:18"


def a_function(
    folder: Path, first_line: str, layers: object = (), code: str | None = "src/"
) -> sources.Function:
    """A function that imports something, beside a layer `Shared` that needs a package."""
    properties = {"Runtime": "python3.13", "Handler": "app.handler", "Layers": layers, "CodeUri": code}
    template = {
        "Parameters": {"Powertools": {"Default": "/aws/service/powertools/python/arm64/python3.13/latest"}},
        "Resources": {
            "Shared": {"Type": "AWS::Serverless::LayerVersion", "Properties": {"ContentUri": "shared/"}},
            "Read": {
                "Type": "AWS::Serverless::Function",
                "Properties": {name: value for name, value in properties.items() if value},
            },
        },
    }
    files = {
        f"{code or '.'}/app.py": f"{first_line}\n\n\ndef handler(event, context):\n    return event\n",
        "shared/tools.py": "import simplejson\n",
        "shared/requirements.txt": "simplejson==3.20.1\n",
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    (found,) = sources.functions(template, folder)
    return found


@pytest.mark.parametrize(
    ("first_line", "layers"),
    [
        ("import tools", [{"Ref": "Shared"}]),
        ("import simplejson", [{"Ref": "Shared"}]),
        ("import json, boto3", [ELSEWHERE]),
        ("import aws_lambda_powertools", [ELSEWHERE]),
        ("import aws_lambda_powertools", [{"Ref": "Powertools"}]),
        ("import json", {"Fn::If": ["Traced", [ELSEWHERE], {"Ref": "AWS::NoValue"}]}),
    ],
)
def test_imports_of_a_function_with_layers_are_judged(
    tmp_path: Path, first_line: str, layers: object
) -> None:
    assert imports.missing(a_function(tmp_path, first_line, layers), tmp_path) == []


def test_import_that_no_layer_of_the_template_holds_is_undeclared(tmp_path: Path) -> None:
    (found,) = imports.missing(a_function(tmp_path, "import stripe", [{"Ref": "Shared"}]), tmp_path)

    assert found.place == "src/app.py:1"


def test_import_that_a_layer_from_elsewhere_may_hold_is_not_judged(tmp_path: Path) -> None:
    with pytest.raises(NotJudgedError, match="may bring stripe"):
        imports.missing(a_function(tmp_path, "import stripe", [ELSEWHERE]), tmp_path)


def test_function_without_a_folder_is_in_the_templates(tmp_path: Path) -> None:
    """The SAM CLI builds it from there, and puts what it built and its packages into a folder of its own."""
    function = a_function(tmp_path, "import stripe", code=None)
    (tmp_path / ".aws-sam" / "build" / "Other" / "six-1.17.0.dist-info").mkdir(parents=True)

    assert sources.handler_problem(function) == ""
    assert [finding.place for finding in imports.missing(function, tmp_path)] == ["app.py:1"]
