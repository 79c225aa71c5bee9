"""Secrets in a repository and in its history, and the contents that its files had."""

from __future__ import annotations

import pytest

from readiness.errors import Unverified
from readiness.probes.finding import Finding
from verification.probes.commands import Source
from verification.probes.release import blob_id

# Built here, for the project's own check reads this file too.
KEY = "AKIA" + "Q3EGRJ4YT2X7LP5M"


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


def test_a_file_that_git_ignores_is_no_finding(repository):
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
