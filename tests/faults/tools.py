"""Faults of the source that a well-kept tool finds."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from contextlib import AbstractContextManager

from readiness.verdict import Outcome
from tests.faults.bench import Bench
from tests.faults.fault import Realm, fault


@fault("CODE-06", "a function without types", realm=Realm.SOURCE)
def untyped_function(bench: Bench) -> Iterator[None]:
    text = '"""Halves."""\n\n\ndef half(number):\n    """Half of it."""\n    return number / 2\n'
    with bench.checkout.written("backend/src/pixel_prompt/half.py", text):
        yield


@fault("CODE-06", "a header that may be missing is measured", realm=Realm.SOURCE)
def unchecked_none(bench: Bench) -> Iterator[None]:
    text = (
        '"""Lengths."""\n\nfrom __future__ import annotations\n\n\n'
        "def length(header: str | None) -> int:\n"
        '    """How long a header is."""\n'
        "    return len(header)\n"
    )
    with bench.checkout.written("backend/src/pixel_prompt/length.py", text):
        yield


@fault("CODE-06", "a file that nobody formatted", realm=Realm.SOURCE)
def unformatted_file(bench: Bench) -> Iterator[None]:
    with bench.checkout.written("backend/src/pixel_prompt/loose.py", '"""Loose."""\n\nWORDS = {  "a":1 }\n'):
        yield


@fault("CODE-07", "package.json asks for what its lock does not hold", realm=Realm.SOURCE)
def manifest_edited_alone(bench: Bench) -> Iterator[None]:
    with bench.checkout.changed("frontend/package.json", '"preact": "', '"preact": "~'):
        yield


@fault("CODE-07", "a group of pyproject.toml asks for what its lock does not hold", realm=Realm.SOURCE)
def group_edited_alone(bench: Bench) -> Iterator[None]:
    with bench.checkout.changed("pyproject.toml", '"pillow>=12"', '"pillow>=99"'):
        yield


@fault("CODE-07", "a locked package has no hash", realm=Realm.SOURCE, relatives={"SEC-02"})
def lock_without_hash(bench: Bench) -> Iterator[None]:
    lock = (bench.checkout.app / "requirements" / "lambda.txt").read_text(encoding="utf-8")
    bare = re.sub(r"(?m)^(jmespath==\S+) \\\n(?: +--hash=\S+(?: \\)?\n)+", r"\1\n", lock)
    assert bare != lock, "the fault no longer fits: requirements/lambda.txt does not hold a hash of jmespath"
    with bench.checkout.written("requirements/lambda.txt", bare):
        yield


@fault("CODE-21", "a dependency of the frontend has come two majors further", realm=Realm.SOURCE)
def npm_package_far_behind(bench: Bench) -> Iterator[None]:
    major = int(bench.registries.npm["jsdom"].partition(".")[0])
    with bench.registries.saying(bench.registries.npm_latest, jsdom=f"{major + 2}.0.0"):
        yield


@fault("CODE-21", "an old major is pinned", realm=Realm.SOURCE)
def old_major_pinned(bench: Bench) -> Iterator[None]:
    held = bench.registries.python["pillow"]
    old = f"{int(held.partition('.')[0]) - 2}.0.0"
    manifest = bench.checkout.changed("pyproject.toml", '"pillow>=12"', f'"pillow=={old}"')
    lock = bench.checkout.changed("requirements/suite.txt", f"pillow=={held}", f"pillow=={old}")
    with manifest, lock:
        yield


@fault("CODE-21", "the registry is away", realm=Realm.SOURCE, outcome=Outcome.UNVERIFIED)
def registry_away(bench: Bench) -> Iterator[None]:
    with bench.registries.without("pypi"):
        yield


@fault("SEC-01", "an advisory of severity high is about what ships", realm=Realm.SOURCE)
def vulnerable_npm_package(bench: Bench) -> Iterator[None]:
    with bench.registries.saying(bench.registries.npm_advisories, preact="high"):
        yield


@fault("SEC-01", "npm's advisory service is away", realm=Realm.SOURCE, outcome=Outcome.UNVERIFIED)
def npm_advisories_away(bench: Bench) -> Iterator[None]:
    with bench.registries.without("audit"):
        yield


@fault("SEC-02", "a vulnerability of what the functions use is known", realm=Realm.SOURCE)
def vulnerable_python_package(bench: Bench) -> Iterator[None]:
    with bench.registries.saying(bench.registries.python_advisories, urllib3="PYSEC-2026-1"):
        yield


@fault("SEC-02", "the advisory service is away", realm=Realm.SOURCE, outcome=Outcome.UNVERIFIED)
def python_advisories_away(bench: Bench) -> Iterator[None]:
    with bench.registries.without("osv"):
        yield


@fault("SEC-05", "a compiled file with a key lies in what is packaged", realm=Realm.SOURCE)
def key_in_the_package(bench: Bench) -> Iterator[None]:
    key = "sk-" + secrets.token_hex(24)
    with bench.checkout.written("backend/src/pixel_prompt/settings.pyc", f"\0openai\0{key}\0"):
        yield


def _frontend_setting(bench: Bench, line: str) -> AbstractContextManager[None]:
    before = (bench.checkout.app / "frontend" / ".env").read_text(encoding="utf-8")
    return bench.checkout.written("frontend/.env", f"{before.rstrip()}\n{line}\n")


def _page_with(bench: Bench, variable: str) -> AbstractContextManager[None]:
    main = (bench.checkout.app / "frontend" / "src" / "main.tsx").read_text(encoding="utf-8")
    told = f"document.documentElement.lang = String(import.meta.env.{variable});\n"
    return bench.checkout.written("frontend/src/main.tsx", f"{main}\n{told}")


@fault("SEC-05", "a key in a VITE_ variable reaches the bundle", realm=Realm.SOURCE)
def key_in_the_bundle(bench: Bench) -> Iterator[None]:
    unguarded = bench.checkout.changed("frontend/vite.config.ts", "Object.keys(variables)", "[]")
    setting = _frontend_setting(bench, f"VITE_RECRAFT_TOKEN={secrets.token_urlsafe(32)}")
    with unguarded, setting, _page_with(bench, "VITE_RECRAFT_TOKEN"):
        yield


@fault("SEC-05", "the build takes the machine's own keys along", realm=Realm.SOURCE)
def environment_in_the_bundle(bench: Bench) -> Iterator[None]:
    opened = bench.checkout.changed(
        "frontend/vite.config.ts", "  return {\n", "  return {\n    envPrefix: ['VITE_', 'OPENAI_'],\n"
    )
    with opened, _page_with(bench, "OPENAI_API_KEY"):
        yield


@fault(
    "SEC-05",
    "the build refuses a variable, so that there is no page",
    realm=Realm.SOURCE,
    outcome=Outcome.UNVERIFIED,
    relatives={"CODE-24"},
)
def no_bundle(bench: Bench) -> Iterator[None]:
    with _frontend_setting(bench, f"VITE_RECRAFT_TOKEN={secrets.token_urlsafe(32)}"):
        yield


@fault("SEC-21", "nobody takes keys of one vendor out of the report", realm=Realm.SOURCE)
def forgotten_form(bench: Bench) -> Iterator[None]:
    with bench.checkout.changed(
        "readiness/report/redaction.py", 're.compile(r"\\bAIza', 're.compile(r"\\bNone'
    ):
        yield


@fault("SEC-21", "what a check prints is reported as it is", realm=Realm.SOURCE)
def raw_output(bench: Bench) -> Iterator[None]:
    with bench.checkout.changed(
        "readiness/session/outcomes.py", "(name, redact(beginning(text)))", "(name, beginning(text))"
    ):
        yield


@fault("SEC-21", "the words of a waiver are reported as they are", realm=Realm.SOURCE)
def raw_waiver(bench: Bench) -> Iterator[None]:
    with bench.checkout.changed(
        "readiness/session/outcomes.py", "reason=redact(result.reason)", "reason=result.reason"
    ):
        yield


@fault(
    "SEC-21",
    "the throw-away run does not start",
    realm=Realm.SOURCE,
    outcome=Outcome.UNVERIFIED,
    relatives={"CODE-06"},
)
def no_throw_away_run(bench: Bench) -> Iterator[None]:
    with bench.checkout.changed("readiness/errors.py", "class Missing(", "class Absent("):
        yield


_WORKFLOW = ".github/workflows/verify-pr.yml"


@fault("SEC-23", "a pull request's title is run as shell", realm=Realm.SOURCE)
def interpolated_title(bench: Bench) -> Iterator[None]:
    title = "${{ github.event.pull_request.title }}"
    with bench.checkout.changed(
        _WORKFLOW, "run: ./scripts/verify.sh", f'run: ./scripts/verify.sh -k "{title}"'
    ):
        yield


@fault("SEC-23", "an action is pinned to a tag, which can be moved", realm=Realm.SOURCE)
def unpinned_action(bench: Bench) -> Iterator[None]:
    text = (bench.checkout.app / _WORKFLOW).read_text(encoding="utf-8")
    moved = re.sub(r"(actions/checkout)@[0-9a-f]{40} # v(\d+)\S*", r"\1@v\2", text)
    assert moved != text, f"the fault no longer fits: {_WORKFLOW} does not hold a pinned actions/checkout"
    with bench.checkout.written(_WORKFLOW, moved):
        yield


@fault("SEC-23", "AWS is entered with a stored key", realm=Realm.SOURCE)
def stored_key(bench: Bench) -> Iterator[None]:
    keys = (
        "aws-access-key-id: ${{ secrets.DEPLOYER_ID }}\n"
        "          aws-secret-access-key: ${{ secrets.DEPLOYER }}"
    )
    with bench.checkout.changed(
        ".github/workflows/verify-staging.yml", "role-to-assume: ${{ vars.AWS_ROLE_ARN }}", keys
    ):
        yield


@fault("SEC-23", "a workflow declares no permissions", realm=Realm.SOURCE)
def open_permissions(bench: Bench) -> Iterator[None]:
    with bench.checkout.changed(_WORKFLOW, "permissions: {}\n", ""):
        yield


@fault("SEC-23", "there is no workflow", realm=Realm.SOURCE)
def no_workflow(bench: Bench) -> Iterator[None]:
    folder = bench.checkout.app / ".github"
    aside = folder.with_name(".github-aside")
    folder.rename(aside)
    try:
        yield
    finally:
        aside.rename(folder)
