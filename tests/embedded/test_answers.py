"""Every answer of the embedded AWS that the checklist reads, held against botocore's model of the operation."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import boto3
import pytest

from tests.embedded import judging
from tests.embedded.checkout import checkout
from tests.embedded.model import disagreements

_REVIEW = (
    ".StackEvents[].ResourceStatus: 'REVIEW_IN_PROGRESS' is none of CREATE_IN_PROGRESS, CREATE_FAILED, CREATE_COMPLETE, "
    "DELETE_IN_PROGRESS, DELETE_FAILED, DELETE_COMPLETE, DELETE_SKIPPED, UPDATE_IN_PROGRESS ..."
)
SETTLED: Mapping[tuple[str, str], str] = {
    ("cloudformation:DescribeStackEvents", _REVIEW): (
        "AWS: a stack that a change set creates has it, and its events say so (CloudFormation User Guide, 'Stack status codes'); "
        "the model lists what resources other than stacks can have"
    ),
}
"""What disagrees and stays, by operation and what is told of it, with the reason."""


def model(service: str, operation: str):
    return boto3.client(service, region_name="us-east-1").meta.service_model.operation_model(operation)


JSON_ANSWERS = {
    '{"Location": "x", "Unheard": 1}': [".Unheard: is unknown to the model"],
    '{"FunctionName": 7}': [".FunctionName: expected string, found int"],
    '{"Timeout": "7"}': [".Timeout: expected integer, found str"],
    '{"Timeout": true}': [".Timeout: expected integer, found bool"],
    '{"Timeout": null}': [".Timeout: is null, where AWS leaves a member out"],
    '{"State": "Up"}': [".State: 'Up' is none of Pending, Active, Inactive, Failed"],
    '{"Layers": {}}': [".Layers: expected a list, found dict"],
    "<html>": ["its body is no JSON"],
}


@pytest.mark.parametrize("body", JSON_ANSWERS)
def test_a_wrong_answer_in_json_is_found(body):
    found = disagreements(model("lambda", "GetFunctionConfiguration"), 200, {}, body.encode())

    assert next(line for line in found if "Location" not in line).startswith(JSON_ANSWERS[body][0])


def test_a_required_member_that_is_missing_is_found():
    found = disagreements(model("budgets", "DescribeBudget"), 200, {}, b'{"Budget": {"TimeUnit": "MONTHLY"}}')

    assert ".Budget.BudgetName: is required and missing" in found


XML_ANSWERS = {
    "<Unheard/>": ".Unheard: is unknown to the model",
    "<Status/>": "",
    "<IsTruncated>yes</IsTruncated>": ".IsTruncated: expected true or false, found 'yes'",
    "<MaxKeys>many</MaxKeys>": ".MaxKeys: expected a whole number, found 'many'",
    "<Contents><LastModified>today</LastModified></Contents>": ".Contents[].LastModified: expected a moment, found 'today'",
    "<EncodingType>none</EncodingType>": ".EncodingType: 'none' is none of url",
}


@pytest.mark.parametrize("inner", XML_ANSWERS)
def test_a_wrong_answer_in_xml_is_found(inner):
    body = f'<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">{inner}</ListBucketResult>'

    found = disagreements(model("s3", "ListObjectsV2"), 200, {}, body.encode())

    assert XML_ANSWERS[inner] in [*found, ""]


@pytest.mark.parametrize(
    ("code", "found"),
    [("ResourceNotFoundException", False), ("NoSuchFunction", True), ("AccessDeniedException", False)],
)
def test_an_error_that_the_operation_does_not_declare_is_found(code, found):
    told = disagreements(model("lambda", "GetFunction"), 404, {"x-amzn-errortype": code}, b"{}")

    assert bool(told) == found


@pytest.mark.embedded
@pytest.mark.further
def test_what_the_checklist_reads_is_what_aws_would_answer(tmp_path: Path) -> None:
    """A member that AWS does not know, or spells otherwise, would make a check right here and wrong there."""
    with checkout(tmp_path, "answers") as here:
        file = here.root / ".local" / "answers.jsonl"
        variables = f"PYTHONPATH='{here.root}' {judging.VARIABLE}='{file}'"
        ran = here.typed(
            f"{variables} ./scripts/verify.sh -p tests.embedded.judging -m 'not static and not browser and not drill'"
        )
        here.typed("./scripts/cloud.sh down")
        assert file.is_file(), ran.out[-2000:] + ran.err[-2000:]
        lines = {tuple(json.loads(line)) for line in file.read_text().splitlines()}
    told = {(operation, text) for operation, text in lines if text}

    assert len({operation for operation, _ in lines}) > 50
    assert told - SETTLED.keys() == set()
    assert SETTLED.keys() - told == set(), "no longer so: take the row out"
