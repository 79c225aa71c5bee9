"""frontend/.env belongs to a person: only our variables change, all or nothing."""

from __future__ import annotations

import os
import re
import resource
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from verification.deployment.dotenv import DotenvProblem, edited, parsed, read, update

OURS = {
    "VITE_API_ENDPOINT": "https://abc.execute-api.us-east-1.amazonaws.com",
    "VITE_CLOUDFRONT_DOMAIN": "127.0.0.1:32434",
    "VITE_ENVIRONMENT": "staging",
}
NODE = Path(__file__).resolve().parents[2] / ".tools" / "bin" / "node"


def test_appends_what_is_missing() -> None:
    assert edited("", {"A": "1"}) == "A=1\n"
    assert edited("X=y", {"A": "1"}) == "X=y\nA=1\n"
    assert edited("X=y\r\n", {"A": "1"}) == "X=y\r\nA=1\r\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("A=old\nB=2\n", "A=new\nB=2\n"),
        ("B=2\nA=old", "B=2\nA=new"),
        ("  export A = old  # why\n", "  export A = new  # why\n"),
        ("A='old'\n", "A='new'\n"),
        ('A="old" # "quoted"\n', 'A="new" # "quoted"\n'),
        ("A=`old`\n", "A=`new`\n"),
        ("A=\n", "A=new\n"),
        ("A=one\nA=two\n", "A=new\nA=new\n"),
        ("A=old\r\nB=2\r\n", "A=new\r\nB=2\r\n"),
        ("\ufeffA=old\n", "A=new\n"),
        ("#A=old\n", "#A=old\nA=new\n"),
        ("AA=old\nXA=old\n", "AA=old\nXA=old\nA=new\n"),
        ("NOTE='two\nA=inside\nlines'\n", "NOTE='two\nA=inside\nlines'\nA=new\n"),
        ('BROKEN="no end\nA=old\n', 'BROKEN="no end\nA=new\n'),
        ("A='old#part'\n", "A='new'\n"),
        ("B=2\rA=old\r", "B=2\rA=new\r"),
        ("X=1\r", "X=1\r\nA=new\n"),
    ],
)
def test_edits_in_place(before: str, after: str) -> None:
    assert edited(before, {"A": "new"}) == after


@pytest.mark.parametrize("value", ["", "a b", "a'b", 'a"b', "a\nb", "a#b", "a$b", "a\\b", "a`b", "\x00"])
def test_refuses_values_that_not_every_reader_takes_alike(value: str) -> None:
    with pytest.raises(ValueError, match="A is empty or holds a character"):
        edited("", {"A": value})


@pytest.mark.parametrize("name", ["", "A-B", "1A", "A=B", "A\n"])
def test_refuses_names_that_are_none(name: str) -> None:
    with pytest.raises(ValueError, match="no name for an environment variable"):
        edited("", {name: "1"})


NAMES = st.from_regex(r"\A(CUSTOM|VITE)_[A-Z]{1,6}\Z")
BARE = st.from_regex(r"\A[A-Za-z0-9_./:=-]{0,12}\Z")
QUOTED = st.one_of(
    st.from_regex(r"\A'[^'\\]{0,12}'\Z"),
    st.from_regex(r'\A"[^"\\]{0,12}"\Z'),
    st.from_regex(r"\A`[^`\\]{0,12}`\Z"),
)
LINES = st.one_of(
    st.builds("{}={}".format, NAMES, st.one_of(BARE, QUOTED)),
    st.builds("export {} = {} # {}".format, NAMES, BARE, BARE),
    st.builds("# {}".format, st.from_regex(r"\A[^\r\n]{0,20}\Z")),
    st.just(""),
)
FILES = st.builds(
    lambda lines, ending, last: ending.join(lines) + last * ending,
    st.lists(LINES, max_size=8),
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
)


@given(FILES)
def test_any_file_keeps_what_is_not_ours(text: str) -> None:
    """Whatever people wrote: our variables have our values, every other one its own, and twice is once."""
    once = edited(text, OURS)

    assert parsed(once) == parsed(text) | OURS
    assert edited(once, OURS) == once
    comments = re.findall(r"(?m)^#[^\r\n]*", text)
    assert all(comment in once for comment in comments)


@given(st.text(max_size=60))
def test_any_text_at_all_keeps_its_lines(text: str) -> None:
    """A file that is no .env at all still only grows."""
    once = edited(text, {"VITE_ENVIRONMENT": "staging"})

    assert parsed(once)["VITE_ENVIRONMENT"] == "staging"
    assert once.startswith(text) or "VITE_ENVIRONMENT" in text


@settings(max_examples=40)
@given(st.binary(max_size=60).filter(lambda content: b"VITE" not in content))
def test_any_bytes_survive(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.mktemp("env") / ".env"
    path.write_bytes(content)

    update(path, OURS)

    assert path.read_bytes().startswith(content)


@pytest.mark.skipif(not NODE.exists(), reason="needs Node")
def test_node_reads_what_we_wrote(tmp_path: Path) -> None:
    """Node has a .env reader of its own: what it sees is what the frontend is built with."""
    path = tmp_path / ".env"
    path.write_text(
        "\ufeffVITE_API_ENDPOINT=old\nCUSTOM='a b'\nNOTE=\"two\nlines\"\nVITE_ENVIRONMENT='local' # old\nexport OTHER=1\r\n"
    )
    update(path, OURS)

    seen = subprocess.run(
        [str(NODE), f"--env-file={path}", "-p", "JSON.stringify(process.env)"],
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": os.environ["PATH"]},
    )
    import json

    variables = json.loads(seen.stdout)
    assert {name: variables[name] for name in OURS} == OURS
    assert (variables["CUSTOM"], variables["NOTE"], variables["OTHER"]) == ("a b", "two\nlines", "1")


def test_writes_only_when_something_changes(tmp_path: Path) -> None:
    path = tmp_path / ".env"

    assert update(path, OURS) is True
    before = path.stat()
    assert update(path, OURS) is False
    assert path.stat().st_mtime_ns == before.st_mtime_ns


def test_permissions_and_links_stay(tmp_path: Path) -> None:
    target = tmp_path / "shared.env"
    target.write_text("CUSTOM=1\n")
    target.chmod(0o640)
    link = tmp_path / ".env"
    link.symlink_to(target)

    update(link, OURS)

    assert link.is_symlink()
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    assert parsed(target.read_text()) == {"CUSTOM": "1"} | OURS


def test_new_file_follows_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        update(tmp_path / ".env", OURS)
    finally:
        os.umask(before)

    assert stat.S_IMODE((tmp_path / ".env").stat().st_mode) == 0o640


def test_full_disk_leaves_the_old_file_whole(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text("CUSTOM=1\n")
    written: list[bytes] = []

    def full(_descriptor: int, content: bytes) -> int:
        if written:
            raise OSError(28, "No space left on device")
        written.append(content)
        return os.write(_descriptor, content[:4])

    with pytest.raises(
        DotenvProblem, match=r"cannot be written: No space left on device; it is unchanged\. Make room"
    ):
        update(path, OURS, write=full)

    assert path.read_text() == "CUSTOM=1\n"
    assert [entry.name for entry in tmp_path.iterdir()] == [".env"]


def test_a_limit_of_the_system_itself_leaves_the_old_file_whole(tmp_path: Path) -> None:
    """The same with a real refusal: the process may not write files of more than 30 bytes."""
    path = tmp_path / ".env"
    path.write_text("CUSTOM=1\n")
    program = (
        "import resource, signal, sys; from pathlib import Path\n"
        "from verification.deployment.dotenv import update\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (30, 30))\n"
        "update(Path(sys.argv[1]), {'VITE_API_ENDPOINT': 'https://' + 'a' * 60})\n"
    )
    assert resource.RLIMIT_FSIZE is not None

    ended = subprocess.run(
        [sys.executable, "-c", program, str(path)],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).resolve().parents[2],
    )

    assert "cannot be written: File too large; it is unchanged" in ended.stderr
    assert path.read_text() == "CUSTOM=1\n"
    assert [entry.name for entry in tmp_path.iterdir()] == [".env"]


def test_unreadable_and_unwritable_are_one_clear_message(tmp_path: Path) -> None:
    (tmp_path / ".env").mkdir()

    with pytest.raises(DotenvProblem, match="cannot be read: Is a directory"):
        read(tmp_path / ".env")
    with pytest.raises(DotenvProblem, match="cannot be written: No such file or directory"):
        update(tmp_path / "nowhere" / ".env", OURS)


def test_what_a_killed_writer_left_is_removed(tmp_path: Path) -> None:
    """Killed between its first byte and the replacement: the old file is whole, the new one lies beside it."""
    path = tmp_path / ".env"
    path.write_text("CUSTOM=1\n")
    program = (
        "import os, signal, sys; from pathlib import Path\n"
        "from verification.deployment.dotenv import update\n"
        "def half(descriptor, content):\n"
        "    os.write(descriptor, content[:5]); os.kill(os.getpid(), signal.SIGKILL)\n"
        "update(Path(sys.argv[1]), {'A': '1'}, write=half)\n"
    )
    killed = subprocess.run(
        [sys.executable, "-c", program, str(path)], cwd=Path(__file__).resolve().parents[2], check=False
    )
    after = (path.read_text(), len(list(tmp_path.iterdir())))
    (tmp_path / f"..env.new-{os.getppid()}").touch()

    update(path, OURS)

    assert (killed.returncode, after) == (-9, ("CUSTOM=1\n", 2))
    assert parsed(path.read_text()) == {"CUSTOM": "1"} | OURS
    assert sorted(left.name for left in tmp_path.iterdir()) == [f"..env.new-{os.getppid()}", ".env"]
