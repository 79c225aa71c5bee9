"""verification/probes/commands.py: on small checkouts, with the real tools wherever they are quick."""

from __future__ import annotations

import json
import os
import subprocess
from textwrap import dedent

import pytest

from readiness.errors import Unverified
from readiness.probes.finding import Finding
from verification.probes.commands import Source, TestRun
from verification.probes.release import blob_id

# Built here, for the project's own check reads this file too.
KEY = "AKIA" + "Q3EGRJ4YT2X7LP5M"
WORD = "TO" + "DO"


class Checkout:
    """A checkout of an application, made of what a test puts into it."""

    def __init__(self, root):
        self.root = root
        self.source = Source(root)

    def write(self, name, text):
        file = self.root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(text, bytes):
            file.write_bytes(text)
        else:
            file.write_text(dedent(text))
        return file

    def tool(self, name, script):
        """A stand-in for an npm tool: a few lines of shell."""
        self.write(f"frontend/node_modules/.bin/{name}", "#!/bin/sh\n" + script).chmod(0o755)

    def git(self, *arguments):
        environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
        identity = (
            "-c",
            "user.name=Ada",
            "-c",
            "user.email=ada@example.com",
            "-c",
            "init.defaultBranch=main",
        )
        subprocess.run(
            ["git", *identity, *arguments], cwd=self.root, env=environment, check=True, capture_output=True
        )

    def commit(self, name, text):
        self.write(name, text)
        self.git("add", "-A")
        self.git("commit", "-qm", name)


@pytest.fixture
def checkout(tmp_path):
    return Checkout(tmp_path)


@pytest.fixture
def repository(checkout):
    checkout.git("init", "-q")
    checkout.commit("README.md", "A project.\n")
    return checkout


def test_a_finding_reads_like_a_compilers():
    assert repr(Finding("src/a.ts", 3, "no-eval", "eval is evil")) == "src/a.ts:3 no-eval eval is evil"


def test_unfinished_words_are_found_where_they_stand(checkout):
    checkout.write("backend/src/app/a.py", f"x = 1\ny = 2  # {WORD} later\n")
    checkout.write("frontend/src/App.tsx", f"const {WORD}S = 1;\nconst mastodon = 2;\n")
    checkout.write("backend/tests/test_a.py", f"# {WORD}\n")
    checkout.write("backend/src/notes.md", f"{WORD}\n")

    assert checkout.source.unfinished_words() == [
        Finding("backend/src/app/a.py", 2, WORD, f"y = 2  # {WORD} later")
    ]


def test_no_source_is_no_clean_source(checkout):
    checkout.write("backend/src/notes.md", "nothing")

    with pytest.raises(Unverified, match="no source found under backend/src"):
        checkout.source.unfinished_words()


def eslint_report(root, *messages):
    return json.dumps([{"filePath": f"{root}/frontend/src/a.ts", "messages": list(messages)}])


def test_eslint_without_findings_is_clean(checkout):
    checkout.tool("eslint", f"echo '{eslint_report(checkout.root)}'")

    assert checkout.source.eslint() == []


def test_eslints_warnings_and_errors_are_findings(checkout):
    report = eslint_report(
        checkout.root,
        {"line": 3, "ruleId": "no-eval", "severity": 1, "message": "eval"},
        {"ruleId": None, "severity": 2, "message": "Parsing error"},
    )
    checkout.tool("eslint", f"echo '{report}'; exit 1")

    assert checkout.source.eslint() == [
        Finding("frontend/src/a.ts", 3, "no-eval", "eval"),
        Finding("frontend/src/a.ts", 0, "parser", "Parsing error"),
    ]


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("echo Oops", r"eslint wrote nothing to judge \(exit status 0\): Oops"),
        (
            "echo 'no such config' >&2; exit 2",
            r"eslint wrote nothing to judge \(exit status 2\): no such config",
        ),
        ("exit 0", "eslint wrote nothing to judge"),
        ("echo '[]'", "eslint linted no file"),
    ],
)
def test_an_eslint_that_cannot_be_judged_is_unverified(checkout, script, message):
    checkout.tool("eslint", script)

    with pytest.raises(Unverified, match=message):
        checkout.source.eslint()


@pytest.mark.parametrize("tool", ["eslint", "vitest"])
def test_a_tool_that_is_not_installed_is_unverified(checkout, tool):
    look = {"eslint": checkout.source.eslint, "vitest": checkout.source.frontend_tests}[tool]

    with pytest.raises(
        Unverified, match=rf"{tool} is not installed in frontend/node_modules; run ./scripts/setup"
    ):
        look()


def vitest(report, lines=None):
    """A vitest that writes this report, and a coverage summary with these lines."""
    summary = json.dumps({"total": {"lines": lines}})
    return f"""
for argument; do
  case $argument in
    --outputFile=*) echo '{json.dumps(report)}' >"${{argument#*=}}" ;;
    --coverage.reportsDirectory=*) folder="${{argument#*=}}" ;;
  esac
done
{f"mkdir -p $folder; echo '{summary}' >$folder/coverage-summary.json" if lines else ""}
"""


def vitest_report(root, *files, total=2, **counts):
    return {
        "numTotalTests": total,
        **counts,
        "testResults": [{"name": f"{root}/frontend/src/a.test.ts", **file} for file in files],
    }


def test_vitest_with_coverage_is_read(checkout):
    passed = {"status": "passed", "assertionResults": [{"status": "passed", "fullName": "adds"}]}
    checkout.tool("vitest", vitest(vitest_report(checkout.root, passed), {"total": 10, "pct": 81.5}))

    assert checkout.source.frontend_tests() == TestRun(2, [], 81.5)


@pytest.mark.parametrize(
    ("file", "failure"),
    [
        (
            {"assertionResults": [{"status": "passed"}, {"status": "failed", "fullName": "adds up"}]},
            "adds up",
        ),
        ({"assertionResults": [], "message": "Cannot find module ./b"}, "Cannot find module ./b"),
        ({"assertionResults": []}, "broken"),
    ],
)
def test_vitests_failures_are_named(checkout, file, failure):
    checkout.tool("vitest", vitest(vitest_report(checkout.root, {"status": "failed", **file})) + "exit 1")

    assert checkout.source.frontend_tests() == TestRun(2, [f"frontend/src/a.test.ts: {failure}"], None)


def test_tests_that_vitest_skipped_did_not_run(checkout):
    checkout.tool("vitest", vitest(vitest_report(checkout.root, total=5, numPendingTests=3, numTodoTests=1)))

    assert checkout.source.frontend_tests().total == 1


def test_coverage_of_no_line_is_no_coverage(checkout):
    checkout.tool("vitest", vitest(vitest_report(checkout.root), {"total": 0, "pct": "Unknown"}))

    assert checkout.source.frontend_tests().coverage_percent is None


@pytest.mark.parametrize("script", ["echo 'Startup Error' >&2; exit 1", "exit 0"])
def test_a_vitest_without_report_is_unverified(checkout, script):
    checkout.tool("vitest", script)

    with pytest.raises(Unverified, match="vitest wrote nothing to judge"):
        checkout.source.frontend_tests()


def test_vitest_writes_nothing_into_the_checkout(checkout):
    checkout.tool("vitest", vitest(vitest_report(checkout.root), {"total": 1, "pct": 100}))
    before = sorted(checkout.root.rglob("*"))

    checkout.source.frontend_tests()

    assert sorted(checkout.root.rglob("*")) == before


def backend(checkout, tests, source="def half(x):\n    return x / 2\n\n\ndef unused():\n    return 1\n"):
    checkout.write("backend/src/app.py", source)
    checkout.write(
        "backend/tests/conftest.py",
        "import sys, pathlib\nsys.path.insert(0, str(pathlib.Path(__file__).parents[1] / 'src'))\n",
    )
    checkout.write("backend/tests/test_app.py", tests)


def test_the_backends_tests_pass_and_are_measured_whatever_this_runs_settings(checkout, monkeypatch):
    monkeypatch.setenv("PYTEST_ADDOPTS", "--no-such-option")
    monkeypatch.setenv("AWS_PROFILE", "mine")
    backend(
        checkout,
        """
        import os
        from app import half

        def test_half(): assert half(4) == 2
        def test_alone(): assert "AWS_PROFILE" not in os.environ
        """,
    )

    assert checkout.source.backend_tests() == TestRun(2, [], 75.0)
    assert not (checkout.root / "backend" / ".coverage").exists()


def test_the_backends_failures_are_named(checkout):
    tests = """
    import pytest
    from app import half

    @pytest.fixture
    def broken():
        raise OSError

    def test_fine(): assert half(2) == 1
    def test_wrong(): assert half(2) == 2
    def test_never_started(broken): pass
    @pytest.mark.skip
    def test_skipped(): pass
    """
    backend(checkout, tests)

    run = checkout.source.backend_tests()

    assert run.total == 3, "what was skipped did not run"
    assert run.failures == ["tests.test_app.test_wrong", "tests.test_app.test_never_started"]


def test_a_backends_import_error_is_a_failure(checkout):
    backend(checkout, "import no_such_module\ndef test_a(): pass\n")

    assert checkout.source.backend_tests().failures == [".tests.test_app"]


def test_a_backend_without_tests_and_source_has_neither_tests_nor_coverage(checkout):
    checkout.write("backend/tests/test_app.py", "")

    assert checkout.source.backend_tests() == TestRun(0, [], None)


@pytest.mark.parametrize(
    "conftest", ["import no_such_module\n", "import os\nos._exit(0)\n"], ids=["broken", "dead"]
)
def test_a_backend_whose_tests_cannot_start_is_unverified(checkout, conftest):
    checkout.write("backend/tests/conftest.py", conftest)

    with pytest.raises(Unverified, match="left no report"):
        checkout.source.backend_tests()


def test_a_checkout_without_backend_is_unverified(checkout):
    with pytest.raises(Unverified, match=r"backend.* does not exist"):
        checkout.source.backend_tests()


def test_bandits_findings_of_weight_are_found(checkout):
    code = "import subprocess\n\n\ndef run(name):\n    assert name\n    subprocess.call('ls ' + name, shell=True)\n"
    checkout.write("backend/src/app/run.py", code)

    (found,) = checkout.source.bandit()

    assert (found.file, found.line, found.rule) == ("backend/src/app/run.py", 6, "B602")


def test_clean_code_has_no_finding(checkout):
    checkout.write("backend/src/app.py", "def half(x):\n    return x / 2\n")

    assert checkout.source.bandit() == []


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"backend/src/notes.md": "no code"}, "bandit read 0 lines"),
        (
            {"backend/src/ok.py": "x = 1\n", "backend/src/bad.py": "def (:\n"},
            r"bandit read \d+ lines; errors: .*bad\.py",
        ),
    ],
)
def test_what_bandit_could_not_read_is_unverified(checkout, files, message):
    for name, text in files.items():
        checkout.write(name, text)

    with pytest.raises(Unverified, match=message):
        checkout.source.bandit()


def test_a_tree_without_secrets_is_clean(repository):
    repository.commit("backend/template.yaml", "Runtime: python3.13\n")
    repository.commit("frontend/package-lock.json", f'{{"integrity": "sha512-{"a1B2" * 20}=="}}\n')

    assert repository.source.secrets() == []


def test_a_secret_in_an_old_commit_is_found(repository):
    repository.commit("config.py", f"region = 'us-east-1'\nkey = '{KEY}'\n")
    repository.commit("config.py", "region = 'us-east-1'\n")

    assert repository.source.secrets() == [Finding("config.py", 2, "AWS Access Key", "looks like a secret")]
    assert KEY not in repr(repository.source.secrets())


@pytest.mark.parametrize("staged", [False, True])
def test_a_secret_that_is_not_committed_yet_is_found(repository, staged):
    repository.write("README.md", f"A project.\n\n{KEY}\n")
    if staged:
        repository.git("add", "README.md")

    assert [(found.file, found.line) for found in repository.source.secrets()] == [("README.md", 3)]


def test_a_secret_in_a_file_that_git_does_not_know_is_found(repository):
    repository.write("new folder/notes.txt", f"one\n{KEY}\n")

    assert [(found.file, found.line) for found in repository.source.secrets()] == [
        ("new folder/notes.txt", 2)
    ]


def test_what_git_ignores_is_nobodys_secret(repository):
    repository.commit(".gitignore", ".env\n")
    repository.write(".env", KEY)

    assert repository.source.secrets() == []


def test_a_secret_that_only_a_merge_brought_in_is_found(repository):
    repository.git("checkout", "-qb", "side")
    repository.commit("side.txt", "side\n")
    repository.git("checkout", "-q", "main")
    repository.commit("main.txt", "main\n")
    repository.git("merge", "-q", "--no-ff", "--no-commit", "side")
    repository.commit("merged.txt", f"{KEY}\n")
    repository.commit("merged.txt", "clean again\n")

    assert [found.file for found in repository.source.secrets()] == ["merged.txt"]


@pytest.mark.parametrize(
    "content",
    [
        f"++ {KEY}\n".encode(),
        f"@@ -1 +1 @@ {KEY}\n".encode(),
        f"one\rtwo {KEY}\rthree\n".encode(),
        f"one\x0c{KEY}\n".encode(),
        f"one\r\n{KEY}\r\n".encode(),
        f"one\u2028{KEY}".encode(),
        b"\xff\xfe " + KEY.encode() + b"\n",
        KEY.encode(),
    ],
    ids=["a diff", "a hunk", "old Mac", "form feed", "DOS", "line separator", "no UTF-8", "no newline"],
)
@pytest.mark.parametrize("committed", [True, False])
def test_odd_lines_hide_no_secret(repository, content, committed):
    if committed:
        repository.commit("odd.txt", content)
    else:
        repository.write("odd.txt", content)

    assert [found.file for found in repository.source.secrets()] == ["odd.txt"]


def test_a_shallow_clone_is_unverified(repository, tmp_path_factory):
    clone = tmp_path_factory.mktemp("shallow") / "clone"
    repository.commit("more.txt", "more\n")
    repository.git("clone", "-q", "--depth", "1", f"file://{repository.root}", str(clone))

    with pytest.raises(Unverified, match=r"the checkout is shallow: .*fetch-depth: 0"):
        Source(clone).secrets()


def test_each_content_that_a_file_had_is_known(repository):
    repository.commit("frontend/public/a name.ico", "one\n")
    repository.commit("frontend/public/a name.ico", "two\n")
    repository.git("rm", "-q", "frontend/public/a name.ico")
    repository.commit("frontend/src/main.ts", "three\n")

    contents = repository.source.contents("frontend/public/")

    assert contents.keys() == {"frontend/public/a name.ico"}
    assert contents["frontend/public/a name.ico"] >= {blob_id(b"one\n"), blob_id(b"two\n")}


def test_a_folder_without_history_is_unverified(checkout):
    with pytest.raises(Unverified, match=r"git rev-parse failed: .*not a git repository"):
        checkout.source.secrets()


def test_a_repository_without_a_commit_is_unverified(checkout):
    checkout.git("init", "-q")

    with pytest.raises(Unverified, match="git log failed"):
        checkout.source.secrets()


SETTINGS = """
[tool.ruff.lint]
select = ["F", "ANN"]
[tool.mypy]
files = ["backend/src"]
"""


def python(checkout, settings=SETTINGS, **files):
    """A checkout with settings and Python modules of its own."""
    checkout.write("pyproject.toml", settings)
    for name, text in {"half": "def half(x: float) -> float:\n    return x / 2\n", **files}.items():
        checkout.write(f"backend/src/{name}.py", text)
    return checkout.source


def test_clean_python_has_no_finding(checkout):
    source = python(checkout)

    assert source.ruff() + source.mypy() == []


def test_lint_format_and_types_are_each_judged(checkout):
    source = python(
        checkout,
        unused="import os\n",
        loose="WORDS = {  1 }\n",
        length="def length(word: str | None) -> int:\n    return len(word)\n",
    )

    assert {(found.file, found.rule) for found in source.ruff()} == {
        ("backend/src/unused.py", "F401"),
        ("backend/src/loose.py", "unformatted"),
    }
    assert [(found.file, found.line, found.rule) for found in source.mypy()] == [
        ("backend/src/length.py", 2, "arg-type")
    ]


def test_what_does_not_parse_is_a_finding_of_both(checkout):
    source = python(checkout, broken="def (:\n")

    assert source.ruff() != []
    assert {found.file for found in source.mypy()} == {"backend/src/broken.py"}


def test_types_are_strict_whatever_the_settings_say(checkout):
    source = python(checkout, SETTINGS + "strict = false\n", loose="def f(x):\n    return x\n")

    assert [found.rule for found in source.mypy()] == ["no-untyped-def"]


@pytest.mark.parametrize("tool", ["ruff", "mypy"])
@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ("", r"expected \[tool\.(ruff|mypy)\] in .*pyproject.toml"),
        ("[tool", "pyproject.toml cannot be read"),
    ],
)
def test_python_without_settings_is_unverified(checkout, tool, settings, message):
    source = python(checkout, settings)

    with pytest.raises(Unverified, match=message):
        getattr(source, tool)()


@pytest.mark.parametrize(
    ("tool", "settings", "message"),
    [
        ("ruff", '[tool.ruff]\nexclude = ["half.py"]\n', r"ruff leaves out \['backend/src/half.py'\]"),
        ("mypy", '[tool.mypy]\nfiles = ["backend/nowhere"]\n', "mypy wrote nothing to judge"),
        ("mypy", "[tool.mypy]\nfiles = []\n", "mypy wrote nothing to judge"),
    ],
)
def test_a_tool_that_looks_away_is_unverified(checkout, tool, settings, message):
    source = python(checkout, settings)

    with pytest.raises(Unverified, match=message):
        getattr(source, tool)()


def test_an_application_without_python_is_unverified(checkout):
    checkout.write("pyproject.toml", SETTINGS)

    with pytest.raises(Unverified, match="ruff leaves out backend/src, which is empty"):
        checkout.source.ruff()
