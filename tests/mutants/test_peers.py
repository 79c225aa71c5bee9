"""What other tools say of mutants, with stand-ins for the tools and once with cfn-lint itself."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from readiness.aws.cloudformation import written_out
from readiness.errors import UsageProblem
from tests.mutants import peers
from tests.mutants.operators import mutants_of

TEMPLATE = written_out("""
Resources:
  Queue: { Type: AWS::SQS::Queue, Properties: { DelaySeconds: 5, MaximumMessageSize: 2048 } }
  Other: { Type: AWS::SQS::Queue, Properties: { DelaySeconds: 7 } }
""")
MUTANTS = mutants_of("app", TEMPLATE)
# Complains about each queue that delays for more than ten seconds, and about the control; counts its runs.
LINTER = """
import json, sys
said = []
for file in sys.argv[1:]:
    for name, one in json.load(open(file))["Resources"].items():
        properties = one.get("Properties", {})
        if properties.get("DelaySeconds", 0) > 10 or "NoSuchProperty" in properties:
            said.append({"file": file, "says": "slow " + name})
with open(__file__ + ".runs", "a") as runs:
    print(len(sys.argv) - 1, file=runs)
print(json.dumps(said))
"""


def peer(tmp_path: Path, source: str, status: int = 0) -> dict[str, peers.Peer]:
    script = tmp_path / "tool.py"
    script.write_text(f"{source}\nraise SystemExit({status})\n")
    return {
        "tool": peers.Peer(
            [sys.executable, str(script)],
            frozenset({0}),
            lambda said: ((one["file"], one["says"]) for one in said),
        )
    }


def test_a_mutant_is_noticed_by_what_is_not_said_of_the_template(tmp_path: Path):
    said = peers.noticed("tool", TEMPLATE, MUTANTS, peer(tmp_path, LINTER))

    assert {name for name, findings in said.items() if findings} == {
        "app/Queue/Properties.DelaySeconds/times-ten",
        "app/Queue/Properties.DelaySeconds/bound/2",
        "app/Other/Properties.DelaySeconds/times-ten",
        "app/Other/Properties.DelaySeconds/bound/2",
    }
    assert said["app/Other/Properties.DelaySeconds/times-ten"] == {"slow Other"}
    assert set(said) == {mutant.id for mutant in MUTANTS}


def test_mutants_of_different_resources_share_a_template_and_all_share_a_run(tmp_path: Path):
    peers.noticed("tool", TEMPLATE, MUTANTS, peer(tmp_path, LINTER))

    # The template, the control, a template for each removed resource, and as many as the Queue has other mutants.
    of_the_queue = [one for one in MUTANTS if one.resource == "Queue" and one.operator != "remove-resource"]
    assert (tmp_path / "tool.py.runs").read_text() == f"{2 + 2 + len(of_the_queue)}\n"
    assert len(MUTANTS) > 2 + len(of_the_queue)


@pytest.mark.parametrize(
    ("source", "status", "complaint"),
    [
        ("print('[]')", 0, "planted mistake"),
        ("print('Traceback')", 0, "wrote no JSON"),
        (LINTER, 1, "ended with 1"),
    ],
)
def test_a_tool_that_did_not_look_is_an_error(tmp_path: Path, source: str, status: int, complaint: str):
    with pytest.raises(UsageProblem, match=complaint):
        peers.noticed("tool", TEMPLATE, MUTANTS, peer(tmp_path, source, status))


def test_a_tool_that_is_not_there_is_an_error_with_the_next_step(tmp_path: Path):
    tools = {"tool": peers.Peer([str(tmp_path / "none")], frozenset({0}), lambda _: iter(()))}

    with pytest.raises(UsageProblem, match=r"cross-examine\.sh --tools"):
        peers.noticed("tool", TEMPLATE, MUTANTS, tools)


def test_cfn_lint_notices_what_the_schema_forbids():
    template = written_out("""
Resources:
  Queue: { Type: AWS::SQS::Queue }
  Topic: { Type: AWS::SNS::Subscription, Properties: { TopicArn: !GetAtt Queue.Arn, Protocol: sqs } }
""")
    mutants = mutants_of("app", template)

    said = peers.noticed("cfn-lint", template, mutants)

    assert "E1010 Topic" in said["app/Queue/remove-resource"]
    assert said["app/Topic/remove-resource"] == set()


def test_checkovs_answer_names_files_and_resources():
    failed = {"check_id": "CKV_1", "file_abs_path": "/a.json", "resource": "AWS::S3::Bucket.Images"}
    report = {"results": {"failed_checks": [failed], "parsing_errors": []}}

    assert list(peers.TOOLS["checkov"].read(report)) == [("/a.json", "CKV_1 Images")]
    assert list(peers.TOOLS["checkov"].read([report])) == [("/a.json", "CKV_1 Images")]
    with pytest.raises(UsageProblem, match=r"cannot read /b\.json"):
        list(peers.TOOLS["checkov"].read({"results": {"failed_checks": [], "parsing_errors": ["/b.json"]}}))
