"""verification/probes/release.py"""

from __future__ import annotations

import subprocess

import pytest

from readiness.aws.cloudformation import written_out
from readiness.errors import Unverified
from readiness.exchanges import Direct
from verification.probes.commands import Source
from verification.probes.release import Release, blob_id

TEMPLATE = """
Resources:
  Door:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: src/, Role: !GetAtt Role.Arn, Timeout: 5}
  Role:
    Type: AWS::IAM::Role
    Properties: {Tags: [{Key: a, Value: !Sub "${AWS::StackName}-a"}]}
"""
DEPLOYED = """
Resources:
  Door:
    Type: AWS::Serverless::Function
    Metadata: {SamResourceId: Door}
    Properties: {CodeUri: s3://some/where, Role: {Fn::GetAtt: [Role, Arn]}, Timeout: 5}
  Role:
    Type: AWS::IAM::Role
    Metadata: {SamResourceId: Role}
    Properties: {Tags: [{Key: a, Value: {Fn::Sub: "${AWS::StackName}-a"}}]}
"""


@pytest.fixture
def release():
    return Release("c0ffee", written_out(TEMPLATE), {"src/a.py": blob_id(b"a"), "template.yaml": "0"}, [])


def test_what_sam_writes_into_a_template_is_no_change(release):
    assert release.changed_template(DEPLOYED) == []
    assert release.changed_template(written_out(DEPLOYED)) == []


def test_a_changed_template_is_named_by_its_places(release):
    changed = DEPLOYED.replace("Timeout: 5", "Timeout: 6").replace("Key: a", "Key: b")

    assert release.changed_template(changed) == [
        "/Resources/Door/Properties/Timeout",
        "/Resources/Role/Properties/Tags/0/Key",
    ]


@pytest.mark.parametrize(
    ("package", "changed"),
    [
        ({"a.py": b"a"}, []),
        ({"a.py": b"b"}, ["a.py"]),
        ({}, ["a.py"]),
        ({"a.py": b"a", "b.py": b""}, ["b.py"]),
    ],
)
def test_packages_are_compared_file_by_file(release, package, changed):
    assert release.changed_files("Door", package) == changed


def test_a_function_that_the_commit_does_not_know_is_a_failure(release):
    with pytest.raises(AssertionError, match="has no function 'Window'"):
        release.changed_files("Window", {"a.py": b"a"})


def test_a_commit_without_the_functions_files_settles_nothing(release):
    with pytest.raises(Unverified, match="has no file under backend/src"):
        Release("c0ffee", release.template, {}, []).changed_files("Door", {"a.py": b"a"})


@pytest.mark.parametrize("text", ["", "a: [", "just words", "Outputs: {}"])
def test_what_is_no_template_settles_nothing(text):
    with pytest.raises(Unverified, match="the template "):
        written_out(text)


def test_a_checkout_is_read_as_committed(tmp_path):
    (tmp_path / "backend" / "src").mkdir(parents=True)
    (tmp_path / "backend" / "template.yaml").write_text(TEMPLATE)
    (tmp_path / "backend" / "src" / "a.py").write_text("a")
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false")
    for command in (("init", "-q"), ("add", "."), (*identity, "commit", "-qm", "a")):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    (tmp_path / "backend" / "src" / "a.py").write_text("b")
    (tmp_path / "backend" / "later.py").write_text("")

    release = Source(tmp_path).release(Direct())

    assert release.changed_files("Door", {"a.py": b"a"}) == []
    assert release.uncommitted == ["backend/src/a.py", "backend/later.py"]


def test_a_folder_without_a_commit_settles_nothing(tmp_path):
    with pytest.raises(Unverified, match="git ls-tree failed"):
        Source(tmp_path).release(Direct())
