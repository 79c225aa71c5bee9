"""verification/probes/artefacts.py: small checkouts, with a stand-in for the build."""

from __future__ import annotations

import base64
import hashlib

import pytest

from readiness.errors import Unverified
from verification.probes.artefacts import Artefacts

# Built here, for the project's own check reads this file too.
KEY = "AKIA" + "Q3EGRJ4YT2X7LP5M"
TEMPLATE = """
Parameters:
  RecraftApiKey: {Type: String, NoEcho: true}
  AlarmEmail: {Type: String}
Resources:
  Api:
    Type: AWS::Serverless::Function
    Metadata: {SkipBuild: true}
    Properties: {CodeUri: src/, Role: !GetAtt Role.Arn}
"""
BUILD = """
while [ $# -gt 0 ]; do [ "$1" = --outDir ] && folder=$2; shift; done
mkdir -p "$folder"
"""


def _sha384(content):
    return "sha384-" + base64.b64encode(hashlib.sha384(content).digest()).decode()


class Checkout:
    def __init__(self, root):
        self.root = root
        self.artefacts = Artefacts(root)
        self.write("backend/template.yaml", TEMPLATE)
        self.write("backend/src/api.py", "answer = 42\n")
        self.build('echo "$VITE_API_ENDPOINT" >"$folder/index.html"')

    def write(self, name, text):
        file = self.root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    def build(self, script):
        tool = self.write("frontend/node_modules/.bin/vite", f"#!/bin/sh\n{BUILD}{script}\n")
        tool.chmod(0o755)

    def found(self):
        return [(finding.file, finding.rule) for finding in self.artefacts.secrets()]


@pytest.fixture
def checkout(tmp_path):
    return Checkout(tmp_path)


def test_clean_artefacts_have_no_finding(checkout):
    assert checkout.found() == []


def test_a_planted_key_in_the_page_is_found(checkout):
    checkout.build('echo "$RECRAFT_API_KEY" >"$folder/index.html"')

    assert checkout.found() == [("frontend/dist: index.html", "RECRAFT_API_KEY")]


def test_a_value_that_is_named_like_a_secret_is_found_and_another_is_not(checkout):
    checkout.write("frontend/.env", "VITE_TOKEN='opaque-value'\nVITE_TITLE=Pixel Prompt\n")
    checkout.build('echo "opaque-value Pixel Prompt" >"$folder/index.html"')

    assert checkout.found() == [("frontend/dist: index.html", "VITE_TOKEN")]


def test_a_keys_form_is_found_in_one_long_line(checkout):
    checkout.build(f'echo \'const a="text",b="{KEY}";\' >"$folder/index.html"')

    assert checkout.found() == [("frontend/dist: index.html", "AWS Access Key")]


def test_a_key_in_a_package_is_found_and_never_shown(checkout):
    checkout.write("backend/src/.hidden", f"one\n{KEY}\n")

    assert checkout.found() == [("Api's package: .hidden", "AWS Access Key")]
    assert KEY not in repr(checkout.artefacts.secrets())


def test_addresses_that_a_deployment_wrote_are_kept(checkout):
    checkout.write("frontend/.env", "VITE_API_ENDPOINT=https://deployed.example\n")
    checkout.build('[ -z "$VITE_API_ENDPOINT" ] && echo page >"$folder/index.html"')

    assert checkout.found() == []


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("echo 'no address' >&2; exit 1", r"cannot be built \(exit status 1\): no address"),
        ("exit 0", "cannot be built"),
    ],
)
def test_a_page_that_cannot_be_built_is_unverified(checkout, script, message):
    checkout.build(script)

    with pytest.raises(Unverified, match=message):
        checkout.found()


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("Resources: {}", "declares no function"),
        (TEMPLATE.replace("src/", "{Bucket: b}"), "expected a folder as CodeUri"),
        (TEMPLATE.replace("src/", "gone/"), "backend/gone does not exist; run sam build"),
        (TEMPLATE.replace("SkipBuild: true", "BuildMethod: makefile"), r"\.aws-sam/build/Api does not exist"),
        ("- nothing", "template.yaml cannot be read as a template"),
    ],
)
def test_packages_that_cannot_be_read_are_unverified(checkout, template, message):
    checkout.write("backend/template.yaml", template)

    with pytest.raises(Unverified, match=message):
        checkout.found()


def test_a_package_of_nothing_is_unverified(checkout):
    (checkout.root / "backend" / "src" / "api.py").unlink()

    with pytest.raises(Unverified, match="Api's package is empty"):
        checkout.found()


def test_a_build_tool_that_is_not_there_is_unverified(checkout):
    (checkout.root / "frontend" / "node_modules" / ".bin" / "vite").unlink()

    with pytest.raises(Unverified, match="vite is not installed"):
        checkout.found()


@pytest.mark.parametrize(
    ("integrity", "problems"),
    [
        (_sha384(b"code"), []),
        ("", ["expected integrity='sha384-"]),
        (_sha384(b"other"), ["expected integrity='sha384-"]),
    ],
)
def test_code_that_a_page_loads_has_its_hash(checkout, integrity, problems):
    tag = f'<script type="module" integrity="{integrity}" src="/a.js"></script>'
    checkout.build(f"printf code >$folder/a.js; echo '{tag}' >$folder/index.html")

    found = checkout.artefacts.unguarded_code()

    assert [finding.rule for finding in found] == ["/a.js" for _ in problems]
    assert [finding.message[:27] for finding in found] == problems


def test_code_that_is_not_built_has_no_hash(checkout):
    checkout.build('echo "<script src=\\"/lost.js\\"></script>" >"$folder/index.html"')

    (finding,) = checkout.artefacts.unguarded_code()

    assert "expected integrity='that of a file which is built'" in finding.message


def test_a_page_that_loads_nothing_is_unverified(checkout):
    with pytest.raises(Unverified, match="loads no script"):
        checkout.artefacts.unguarded_code()
