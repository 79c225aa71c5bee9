"""Faults of the source tree, made in a checkout of its own."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator

from readiness.verdict import Outcome
from tests.faults.bench import Bench
from tests.faults.fault import Realm, fault


@fault("CODE-01", "an unused variable", realm=Realm.SOURCE)
def unused_variable(bench: Bench) -> Iterator[None]:
    with bench.checkout.written("frontend/src/unused.ts", "const unused = 1;\n\nexport {};\n"):
        yield


@fault("CODE-02", "a broken assertion in the frontend's tests", realm=Realm.SOURCE)
def broken_frontend_test(bench: Bench) -> Iterator[None]:
    text = 'import { expect, test } from "vitest";\n\ntest("sums", () => {\n  expect(1 + 1).toBe(3);\n});\n'
    with bench.checkout.written("frontend/src/broken.test.ts", text):
        yield


@fault("CODE-03", "a broken assertion in the backend's tests", realm=Realm.SOURCE)
def broken_backend_test(bench: Bench) -> Iterator[None]:
    with bench.checkout.written("backend/tests/test_broken.py", "def test_sums():\n    assert 1 + 1 == 3\n"):
        yield


@fault("CODE-03", "no backend test at all", realm=Realm.SOURCE, relatives={"CODE-04"}, alone=True)
def no_backend_tests(bench: Bench) -> Iterator[None]:
    folder = bench.checkout.app / "backend" / "tests"
    aside = bench.checkout.app.with_name("tests-aside")  # Ruff reads all that lies in the checkout
    folder.rename(aside)
    folder.mkdir()
    try:
        yield
    finally:
        folder.rmdir()
        aside.rename(folder)


@fault("CODE-04", "most backend tests are gone, an old coverage file stays", realm=Realm.SOURCE, alone=True)
def stale_coverage(bench: Bench) -> Iterator[None]:
    backend = bench.checkout.app / "backend"
    aside = bench.checkout.app.with_name("tests-aside")
    shutil.copytree(backend / "tests", aside)
    for file in (backend / "tests").rglob("test_*.py"):
        file.unlink()
    (backend / "tests" / "test_little.py").write_text("def test_nothing():\n    assert 1 + 1 == 2\n")
    (backend / "coverage.json").write_text('{"totals": {"percent_covered": 99.0}}')
    try:
        yield
    finally:
        (backend / "coverage.json").unlink()
        shutil.rmtree(backend / "tests")
        aside.rename(backend / "tests")


@fault("CODE-05", "a note to oneself in shipped source", realm=Realm.SOURCE)
def unfinished_word(bench: Bench) -> Iterator[None]:
    word = "TO" + "DO"
    # Not in a comment, where Ruff would name it too.
    with bench.checkout.written("backend/src/pixel_prompt/later.py", f'"""{word}: finish this."""\n'):
        yield


@fault("CODE-24", "the page loads its code whatever that is", realm=Realm.SOURCE)
def unguarded_code(bench: Bench) -> Iterator[None]:
    with bench.checkout.changed("frontend/build/integrity.ts", "apply: 'build'", "apply: 'serve'"):
        yield


@fault("CODE-24", "the page names hashes of what its code was before the build ended", realm=Realm.SOURCE)
def hash_of_other_code(bench: Bench) -> Iterator[None]:
    with bench.checkout.changed(
        "frontend/build/integrity.ts", ".update(content)", ".update(content).update(' ')"
    ):
        yield


@fault("SEC-03", "a shell is given what it is told", realm=Realm.SOURCE)
def shell_injection(bench: Bench) -> Iterator[None]:
    call = "subprocess.run(line, check=True, shell=True)  # noqa: S602 - Bandit does not read this"
    text = f'"""Shell."""\n\nimport subprocess\n\n\ndef run(line: str) -> None:\n    {call}\n'
    with bench.checkout.written("backend/src/pixel_prompt/shell.py", text):
        yield


@fault("SEC-04", "a key was committed and deleted again", realm=Realm.SOURCE, alone=True)
def key_in_the_history(bench: Bench) -> Iterator[None]:
    head = bench.checkout.head()
    bench.checkout.commit("Before")
    key = "AKIA" + secrets.token_hex(8).upper()
    with bench.checkout.written("backend/deploy.cfg", f"aws_access_key_id = {key}\n"):
        bench.checkout.commit("Add the deployment's settings")
    bench.checkout.commit("Remove them again")
    try:
        yield
    finally:
        bench.checkout.reset(head)


@fault("SEC-04", "a provider's key stands in a commit's message", realm=Realm.SOURCE, alone=True)
def key_in_a_message(bench: Bench) -> Iterator[None]:
    head = bench.checkout.head()
    with bench.checkout.written("backend/note.txt", "a note\n"):
        bench.checkout.commit("Try sk-" + secrets.token_hex(24))
    try:
        yield
    finally:
        bench.checkout.reset(head)


@fault("SEC-04", "a key lies in a file that is not committed yet", realm=Realm.SOURCE)
def key_in_the_tree(bench: Bench) -> Iterator[None]:
    key = "sk-" + secrets.token_hex(10) + "T3BlbkFJ" + secrets.token_hex(10)
    with bench.checkout.written("scripts/notes.txt", f"OpenAI: {key}\n"):
        yield


@fault(
    "SEC-04",
    "the checkout has no history to read",
    realm=Realm.SOURCE,
    outcome=Outcome.UNVERIFIED,
    alone=True,
)
def no_history(bench: Bench) -> Iterator[None]:
    folder = bench.checkout.app / ".git"
    aside = bench.checkout.app.with_name("git-aside")
    folder.rename(aside)
    try:
        yield
    finally:
        aside.rename(folder)


@fault(
    "CODE-01",
    "ESLint is not installed",
    realm=Realm.SOURCE,
    outcome=Outcome.UNVERIFIED,
    relatives={"CODE-02", "CODE-04", "CODE-24"},
    alone=True,
)
def no_node_modules(bench: Bench) -> Iterator[None]:
    link = bench.checkout.app / "frontend" / "node_modules"
    target = link.readlink()
    link.unlink()
    try:
        yield
    finally:
        link.symlink_to(target)
