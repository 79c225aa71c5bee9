"""verification/probes/packages.py: the real tools, on a small checkout and registries of this machine's own."""

from __future__ import annotations

import json
import re

import pytest

from readiness.errors import NeedsInternet, Unverified
from tests.probes.registries import Registries
from verification.probes.packages import Behind, Packages

MANIFEST = {
    "name": "page",
    "version": "1.0.0",
    "dependencies": {"preact": "11.2.0"},
    "devDependencies": {"vite": "^8.1.0"},
}
INTEGRITY = "sha512-" + "A" * 86 + "=="
HASH = "--hash=sha256:" + "a1" * 32
PYPROJECT = '[dependency-groups]\nsuite = ["pytest>=9.2", "boto3-stubs[s3]>=1.4"]\nlambda = ["boto3>=1.44"]\n'


def locked(**versions):
    entries = {
        f"node_modules/{name}": {
            "version": version,
            "integrity": INTEGRITY,
            **({"dev": True} if name == "vite" else {}),
        }
        for name, version in versions.items()
    }
    kinds = {key: MANIFEST[key] for key in ("dependencies", "devDependencies")}
    root = {"name": "page", "version": "1.0.0", **kinds}
    return {
        "name": "page",
        "version": "1.0.0",
        "lockfileVersion": 3,
        "requires": True,
        "packages": {"": root, **entries},
    }


def pin(line, group=""):
    via = f"    # via project (pyproject.toml:{group})\n" if group else "    # via boto3\n"
    return f"{line} \\\n    {HASH} \\\n    {HASH}\n{via}"


class Checkout:
    """A checkout of nothing but manifests and locks that fit, until a test spoils one."""

    def __init__(self, root):
        self.root = root
        self.packages = Packages(root)
        self.write("frontend/package.json", MANIFEST)
        self.lock = locked(preact="11.2.0", vite="8.3.8")
        self.write("frontend/package-lock.json", self.lock)
        self.write("pyproject.toml", PYPROJECT)
        suite = pin("boto3-stubs==1.43.1", "suite") + pin("colorama==0.4.6 ; sys_platform == 'win32'")
        self.write("requirements/suite.txt", suite + pin("pytest==9.2.0", "suite"))
        self.write("requirements/lambda.txt", pin("boto3==1.44.5", "lambda") + pin("jmespath==1.1.0"))

    def write(self, name, content):
        file = self.root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content if isinstance(content, str) else json.dumps(content))


@pytest.fixture
def checkout(tmp_path):
    return Checkout(tmp_path)


@pytest.fixture
def registries(checkout, monkeypatch):
    stub = Registries(checkout.root)
    for name, value in stub.variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("npm_config_cache", str(checkout.root / "cache"))
    yield stub
    stub.close()


def test_locks_that_fit_have_no_mismatch(checkout):
    assert checkout.packages.npm_mismatches() == []
    assert checkout.packages.python_mismatches() == []


@pytest.mark.parametrize(
    ("manifest", "told"),
    [
        (
            {**MANIFEST, "dependencies": {"preact": "10.0.0"}},
            "preact is 11.2.0, dependencies asks for 10.0.0",
        ),
        ({**MANIFEST, "dependencies": {}}, "preact is 11.2.0, dependencies asks for none"),
        (
            {**MANIFEST, "optionalDependencies": {"left": "1.0.0"}},
            "left is absent, optionalDependencies asks for 1.0.0",
        ),
    ],
)
def test_a_package_json_edited_alone_is_found(checkout, manifest, told):
    checkout.write("frontend/package.json", manifest)

    assert told in [finding.message for finding in checkout.packages.npm_mismatches()]


def test_a_lock_that_holds_another_version_than_its_own_head_says_is_found(checkout):
    checkout.lock["packages"]["node_modules/vite"]["version"] = "7.0.0"
    checkout.write("frontend/package-lock.json", checkout.lock)

    (found,) = checkout.packages.npm_mismatches()

    assert (found.rule, "invalid: vite@7.0.0" in found.message) == ("unresolved", True)


@pytest.mark.parametrize("part", ["version", "integrity"])
def test_a_locked_package_without_version_or_hash_is_found(checkout, part):
    del checkout.lock["packages"]["node_modules/preact"][part]
    checkout.write("frontend/package-lock.json", checkout.lock)

    assert "node_modules/preact has no exact version with a hash" in [
        finding.message for finding in checkout.packages.npm_mismatches()
    ]


def test_the_tools_own_manifests_are_looked_at_too(checkout):
    checkout.write("requirements/node/package.json", {**MANIFEST, "dependencies": {"preact": "10.0.0"}})
    checkout.write("requirements/node/package-lock.json", checkout.lock)

    assert {finding.file for finding in checkout.packages.npm_mismatches()} == {
        "requirements/node/package-lock.json"
    }


@pytest.mark.parametrize("text", ["", "{", "[]"])
def test_a_lock_of_npm_that_cannot_be_read_is_unverified(checkout, text):
    checkout.write("frontend/package-lock.json", text)

    with pytest.raises(Unverified, match=r"package-lock\.json cannot be read"):
        checkout.packages.npm_mismatches()


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("pytest>=9.2", "pytest>=10", "pytest>=10 is asked for, 9.2.0 held"),
        ("pytest>=9.2", "Pillow", "Pillow is asked for and absent"),
        ('"pytest>=9.2", ', "", "pytest is held, and not asked for any more"),
        ("boto3>=1.44", "boto3<1", "boto3<1 is asked for, 1.44.5 held"),
        ("lambda = [", "cloud = [", "the lock file does not exist, or is empty"),
    ],
)
def test_a_group_edited_alone_is_found(checkout, old, new, told):
    checkout.write("pyproject.toml", PYPROJECT.replace(old, new))

    assert told in [finding.message for finding in checkout.packages.python_mismatches()]


@pytest.mark.parametrize(
    "entry",
    [
        "idna==3.1\n    # via boto3\n",
        f"idna>=3.1 \\\n    {HASH}\n",
        "git+https://example.com/idna\n",
        "-e .\n",
    ],
)
@pytest.mark.parametrize("group", ["lambda", "bootstrap"])
def test_a_requirement_without_exact_version_and_hash_is_found(checkout, group, entry):
    checkout.write(f"requirements/{group}.txt", pin("boto3==1.44.5", "lambda") + entry)

    (found,) = checkout.packages.python_mismatches()

    assert (found.file, found.rule) == (f"requirements/{group}.txt", "unpinned")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected dependency groups in .*, found none"),
        ("[dependency-groups", "pyproject.toml cannot be read"),
        ('[dependency-groups]\nsuite = ["a b c"]\n', "pyproject.toml cannot be read"),
    ],
)
def test_groups_that_cannot_be_read_are_unverified(checkout, text, message):
    checkout.write("pyproject.toml", text)

    with pytest.raises(Unverified, match=message):
        checkout.packages.python_mismatches()


def test_each_direct_dependency_is_compared_with_its_latest(checkout, registries):
    registries.npm_latest["vite"] = "10.0.1"
    registries.python_latest["pytest"] = "11.3"

    assert checkout.packages.behind() == [
        Behind("preact", "11.2.0", "11.2.0"),
        Behind("vite", "8.3.8", "10.0.1"),
        Behind("boto3", "1.44.5", "1.44.5"),
        Behind("boto3-stubs", "1.43.1", "1.43.1"),
        Behind("pytest", "9.2.0", "11.3"),
    ]


def test_majors_are_counted_by_the_first_number():
    assert [Behind("a", old, new).majors for old, new in [("1.9", "3.0"), ("0.1", "0.9"), ("2", "1.0")]] == [
        2,
        0,
        -1,
    ]


@pytest.mark.parametrize("service", ["npm", "pypi"])
def test_a_registry_out_of_reach_needs_the_internet(checkout, registries, service):
    with registries.without(service), pytest.raises(NeedsInternet, match="gave no answer") as caught:
        checkout.packages.behind()
    assert "//" not in str(caught.value)


@pytest.mark.parametrize("name", ["npm", "python"])
def test_a_package_that_the_registry_does_not_know_is_unverified(checkout, registries, name):
    getattr(registries, name).pop({"npm": "vite", "python": "pytest"}[name])

    with pytest.raises(Unverified, match=r"vite|pytest") as caught:
        checkout.packages.behind()
    assert not isinstance(caught.value, NeedsInternet)


def test_grave_advisories_about_what_ships_are_found(checkout, registries):
    registries.npm_advisories.update(preact="high", vite="critical")

    (found,) = checkout.packages.npm_advisories()

    assert (found.rule, found.message) == ("high", "preact: preact can be made to run anything (versions *)")


@pytest.mark.parametrize("severity", ["low", "moderate"])
def test_lesser_advisories_are_none(checkout, registries, severity):
    registries.npm_advisories["preact"] = severity

    assert checkout.packages.npm_advisories() == []


def test_no_package_that_ships_is_unverified(checkout, registries):
    del checkout.lock["packages"][""]["dependencies"], checkout.lock["packages"]["node_modules/preact"]
    checkout.write("frontend/package-lock.json", checkout.lock)
    checkout.write("frontend/package.json", {**MANIFEST, "dependencies": {}})

    with pytest.raises(Unverified, match="npm audit"):
        checkout.packages.npm_advisories()


def test_known_vulnerabilities_are_found(checkout, registries):
    registries.python_advisories.update(boto3="PYSEC-1", pytest="PYSEC-2")

    assert [(found.rule, found.message) for found in checkout.packages.python_advisories()] == [
        ("PYSEC-1", "boto3 1.44.5, fixed in none yet"),
        ("PYSEC-2", "pytest 9.2.0, fixed in none yet"),
    ]


def test_packages_without_advisories_are_clean(checkout, registries):
    assert checkout.packages.npm_advisories() + checkout.packages.python_advisories() == []


@pytest.mark.parametrize("how", ["failing", "silent"])
@pytest.mark.parametrize(("service", "look"), [("audit", "npm_advisories"), ("osv", "python_advisories")])
def test_an_advisory_service_out_of_reach_needs_the_internet(checkout, registries, service, look, how):
    if how == "silent":
        registries.close()
    registries.away.add(service)

    with pytest.raises(NeedsInternet, match="gave no answer") as caught:
        getattr(checkout.packages, look)()
    assert not re.search(r"//|127\.0\.0\.1|localhost", str(caught.value)), "a report names nobody's host"


def test_a_lock_that_pip_audit_cannot_read_is_unverified(checkout, registries):
    checkout.write("requirements/lambda.txt", "boto3==1.44.5\n")

    with pytest.raises(Unverified, match="pip-audit wrote nothing") as caught:
        checkout.packages.python_advisories()
    assert not isinstance(caught.value, NeedsInternet)


def test_a_lock_that_is_not_there_is_unverified(checkout):
    (checkout.root / "requirements" / "lambda.txt").unlink()

    with pytest.raises(Unverified, match=r"requirements/lambda.txt does not exist; run \./scripts/lock.sh"):
        checkout.packages.python_advisories()
