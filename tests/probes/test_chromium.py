"""verification/probes/chromium.py"""

from __future__ import annotations

import io
import subprocess
import tarfile

import pytest

from readiness.errors import Unverified
from verification.application import ROOT
from verification.probes.chromium import find

NODE = ROOT / ".tools" / "bin" / "node"
PACK = "const f=require('fs');f.writeFileSync(process.argv[2],require('zlib').brotliCompressSync(f.readFileSync(process.argv[1])))"


def executable(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def packed(target, content):
    plain = target.with_suffix(".plain")
    plain.write_bytes(content)
    subprocess.run([str(NODE), "-e", PACK, str(plain), str(target)], check=True)


@pytest.fixture
def carried(tmp_path):
    """Tools that carry a Chromium as npm brings it."""
    tools = tmp_path / ".tools"
    source = tools / "browser" / "node_modules" / "@sparticuz" / "chromium" / "bin"
    source.mkdir(parents=True)
    (tools / "bin").mkdir()
    (tools / "bin" / "node").symlink_to(NODE)
    packed(source / "chromium.br", b"#!/bin/sh\n")
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        member = tarfile.TarInfo("lib/libnss3.so")
        member.size = 3
        tar.addfile(member, io.BytesIO(b"nss"))
    packed(source / "al2023.tar.br", archive.getvalue())
    return tools


def test_the_named_one_comes_first(tmp_path, carried) -> None:
    named = executable(tmp_path / "own" / "chrome")
    executable(tmp_path / "bin" / "chromium")
    found = find(carried, {"CHROME_PATH": str(named), "PATH": str(tmp_path / "bin")})

    assert (found.path, str(found)) == (named, "Chromium of $CHROME_PATH")


def test_a_named_one_that_is_none_is_no_reason_to_take_another(tmp_path, carried) -> None:
    with pytest.raises(Unverified, match=r"CHROME_PATH names .*gone.*setup\.sh"):
        find(carried, {"CHROME_PATH": str(tmp_path / "gone"), "PATH": ""})


def test_the_systems_comes_before_the_carried_one(tmp_path, carried) -> None:
    system = executable(tmp_path / "bin" / "google-chrome")

    assert find(carried, {"PATH": str(tmp_path / "bin")}).path == system


def test_the_carried_one_is_unpacked_once_and_brings_its_libraries(carried) -> None:
    found = find(carried, {"PATH": "", "LD_LIBRARY_PATH": "/opt/lib"})
    made = found.path.stat().st_ino

    subprocess.run([str(found.path)], check=True)
    libraries, own = found.variables["LD_LIBRARY_PATH"].split(":")
    assert (found.path.parent / "lib" / "libnss3.so").read_bytes() == b"nss"
    assert (libraries, own) == (str(found.path.parent / "lib"), "/opt/lib")
    assert find(carried, {"PATH": ""}).path.stat().st_ino == made
    assert [file.name for file in (carried / "browser").iterdir() if "unpacking" in file.name] == []


def test_a_broken_package_leaves_nothing_behind(carried) -> None:
    source = carried / "browser" / "node_modules" / "@sparticuz" / "chromium" / "bin"
    (source / "al2023.tar.br").write_bytes(b"half")

    with pytest.raises(Unverified, match=r"al2023\.tar\.br cannot be unpacked"):
        find(carried, {"PATH": ""})
    assert [file.name for file in (carried / "browser").iterdir()] == ["node_modules"]


def test_no_browser_at_all_is_not_knowing(tmp_path) -> None:
    with pytest.raises(Unverified, match=r"no browser.*run \./scripts/setup\.sh"):
        find(tmp_path, {"PATH": str(tmp_path)})
