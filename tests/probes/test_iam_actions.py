"""readiness/probes/iam_actions.py"""

from __future__ import annotations

import pytest

from readiness.aws.policy import read
from readiness.errors import Unverified
from readiness.probes import iam_actions
from verification.application import ROOT


@pytest.mark.parametrize(
    "action", ["s3:PutObject", "S3:putobject", "s3:Put*", "s3:*", "xray:PutTraceSegments"]
)
def test_action_that_exists_is_known(action):
    assert iam_actions.is_known(action)


@pytest.mark.parametrize(
    "action", ["bedrock-runtime:InvokeModel", "s3:ListObjectsV2", "s3:Putt*", "PutObject"]
)
def test_action_that_does_not_exist_is_unknown(action):
    assert not iam_actions.is_known(action)


def named(file):
    return [
        action
        for statement in read(iam_actions.template_statements(file))
        for action in statement.named_actions
    ]


def test_short_forms_and_single_actions_are_read(tmp_path):
    file = tmp_path / "template.yaml"
    file.write_text("""
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      Policies:
        - PolicyName: a
          PolicyDocument:
            Statement:
              - {Effect: Allow, Action: [s3:GetObject, s3:PutObject], Resource: !Sub "${Bucket.Arn}/*"}
              - {Effect: Deny, NotAction: s3:ListBucket, Resource: !GetAtt Bucket.Arn}
        - !If [Extra, {PolicyDocument: {Statement: {Effect: Allow, Action: sqs:SendMessage}}}, !Ref AWS::NoValue]
  Bucket: {Type: AWS::S3::Bucket}
""")

    assert named(file) == ["s3:GetObject", "s3:PutObject", "s3:ListBucket", "sqs:SendMessage"]


def test_own_template_grants_something():
    assert "s3:PutObject" in named(ROOT / "backend" / "template.yaml")


def test_file_that_is_no_template_is_no_empty_answer(tmp_path):
    (tmp_path / "template.yaml").write_text("- nothing")

    with pytest.raises(Unverified, match="cannot be read as a template"):
        named(tmp_path / "template.yaml")
