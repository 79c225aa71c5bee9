"""The mutants of templates: what is changed, what is left alone, and that nothing else moves."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from typing import Any

import pytest

from readiness.aws.cloudformation import written_out
from tests.mutants.equivalents import equivalent, rows
from tests.mutants.mutant import REMOVED, Mutant
from tests.mutants.operators import mutants_of
from verification.application import ROOT

TEMPLATES = {
    "pixel-prompt": "backend/template.yaml",
    "guest-book": "tests/second_app/template.yaml",
    "rest_api": "tests/applications/rest_api/template.yaml",
    "pipeline": "tests/applications/pipeline/template.yaml",
    "site": "tests/applications/site/template.yaml",
}


def template_of(application: str) -> Mapping[str, Any]:
    return written_out((ROOT / TEMPLATES[application]).read_text(encoding="utf-8"))


def made(resources: str, sections: str = "") -> dict[str, str]:
    """What each mutant of these resources says, by its id."""
    return {
        mutant.id: mutant.says
        for mutant in mutants_of("app", written_out(f"Resources:\n{resources}{sections}"))
    }


def about(said: Mapping[str, str], operator: str) -> list[str]:
    return [says for name, says in said.items() if f"/{operator}" in name]


QUEUE = """
  Queue:
    Type: AWS::SQS::Queue
    Properties:
      VisibilityTimeout: 60
      SqsManagedSseEnabled: true
      FifoQueue: "false"
"""

QUOTED = "Resources: { Queue: { Type: AWS::SQS::Queue, Properties: { DelaySeconds: '5' } } }"
QUEUE_OF = "Resources: {{ Queue: {{ Type: AWS::SQS::Queue, Properties: {{ MessageRetentionPeriod: {} }} }} }}"


def test_numbers_become_ten_times_as_much_a_tenth_and_what_the_schema_just_allows():
    assert {name: says for name, says in made(QUEUE).items() if "VisibilityTimeout" in name} == {
        "app/Queue/Properties.VisibilityTimeout/remove-property": "VisibilityTimeout removed: 60",
        "app/Queue/Properties.VisibilityTimeout/times-ten": "VisibilityTimeout: 60 -> 600",
        "app/Queue/Properties.VisibilityTimeout/by-ten": "VisibilityTimeout: 60 -> 6",
        "app/Queue/Properties.VisibilityTimeout/bound": "VisibilityTimeout: 60 -> 0",
        "app/Queue/Properties.VisibilityTimeout/bound/2": "VisibilityTimeout: 60 -> 43200",
    }


def test_booleans_are_flipped_as_they_are_written():
    assert about(made(QUEUE), "flip") == ["SqsManagedSseEnabled: true -> false", "FifoQueue: false -> true"]


def test_what_is_on_where_nothing_is_said_is_switched_off():
    said = made("""
  Alarm: { Type: AWS::CloudWatch::Alarm, Properties: { ComparisonOperator: a } }
  Silent: { Type: AWS::CloudWatch::Alarm, Properties: { ComparisonOperator: a, ActionsEnabled: false } }
  Function:
    Type: AWS::Serverless::Function
    Properties: { Events: { Jobs: { Type: SQS, Properties: { Queue: a } } } }
""")

    assert about(said, "flip") == [
        "ActionsEnabled: not given -> false",
        "ActionsEnabled: false -> true",
        "Enabled: not given -> false",
    ]


def test_ten_times_nothing_is_ten():
    said = made("""
  Policy:
    Type: AWS::CloudFront::CachePolicy
    Properties:
      CachePolicyConfig: { Name: a, MinTTL: 0, DefaultTTL: 9, MaxTTL: 100 }
""")

    assert "MinTTL: 0 -> 10" in about(said, "times-ten")
    assert about(said, "by-ten") == ["MaxTTL: 100 -> 10"]


def test_a_number_that_may_only_be_great_or_only_be_small_keeps_to_that():
    said = made("""
  Pool:
    Type: AWS::Cognito::UserPool
    Properties: { UserPoolAddOns: a, Policies: { PasswordPolicy: { MinimumLength: 12 } } }
  Alarm: { Type: AWS::CloudWatch::Alarm, Properties: { Period: 60 } }
""")

    assert about(said, "times-ten") == ["MinimumLength: 12 -> 99", "Period: 60 -> 600"]
    assert about(said, "by-ten") == ["MinimumLength: 12 -> 6", "Period: 60 -> 6"]
    assert about(said, "bound") == ["Period: 60 -> 1"]


def test_a_number_that_is_quoted_stays_so():
    said = made(
        "\n  Queue: { Type: AWS::SQS::Queue, Properties: { DelaySeconds: '5' } }\n",
        "Parameters: { Days: { Type: Number, Default: '30' } }",
    )

    assert about(said, "times-ten") == ["Default: 30 -> 300", "DelaySeconds: 5 -> 50"]
    assert {
        type(one.value) for one in mutants_of("app", written_out(QUOTED)) if one.operator == "times-ten"
    } == {str}


def test_a_parameters_number_is_replaced_where_it_is_used():
    said = made(
        "\n  Log: { Type: AWS::Logs::LogGroup, Properties: { RetentionInDays: !Ref Days } }\n",
        "Parameters: { Days: { Type: Number, Default: 30 } }",
    )

    assert about(said, "enum") == [
        'RetentionInDays: {"Ref": "Days"} -> 60',
        'RetentionInDays: {"Ref": "Days"} -> 1',
    ]


def test_enums_take_their_next_member_and_their_first():
    said = made("""
  Distribution:
    Type: AWS::CloudFront::Distribution
    Properties:
      DistributionConfig:
        DefaultCacheBehavior: { TargetOriginId: a, ViewerProtocolPolicy: redirect-to-https }
""")

    assert about(said, "enum") == [
        "ViewerProtocolPolicy: redirect-to-https -> allow-all",
        "ViewerProtocolPolicy: redirect-to-https -> https-only",
    ]


def test_what_a_type_requires_names_or_explains_is_not_removed():
    said = made("""
  Key: { Type: AWS::KMS::Alias, Properties: { AliasName: alias/a, TargetKeyId: b } }
  Table: { Type: AWS::DynamoDB::Table, Properties: { TableName: a, KeySchema: [] } }
  Alarm: { Type: AWS::CloudWatch::Alarm, Properties: { AlarmDescription: a } }
""")

    assert about(said, "remove-property") == []


def test_tags_are_removed_as_a_whole_only():
    said = made("\n  Queue: { Type: AWS::SQS::Queue, Properties: { Tags: [{ Key: a, Value: '3' }] } }\n")

    assert list(said) == ["app/Queue/remove-resource", "app/Queue/Properties.Tags/remove-property"]


def test_references_go_to_another_resource_of_the_same_type():
    said = made("""
  First: { Type: AWS::SQS::Queue }
  Second: { Type: AWS::SQS::Queue }
  Topic: { Type: AWS::SNS::Topic }
  Function:
    Type: AWS::Serverless::Function
    Properties:
      Environment:
        Variables:
          BY_REF: !Ref First
          BY_ATTRIBUTE: !GetAtt Second.QueueName
          BY_TEXT: !Sub "${First.Arn}/of/${Topic}"
          IN_A_LIST: !Join ["", [!Ref First]]
          ALONE: !Ref Topic
""")

    assert about(said, "other-resource") == [
        "BY_REF: First -> Second",
        'BY_ATTRIBUTE: ["Second", "QueueName"] -> ["First", "QueueName"]',
        "BY_TEXT: ${First.Arn}/of/${Topic} -> ${Second.Arn}/of/${Topic}",
        "IN_A_LIST: First -> Second",
    ]


def test_members_of_lists_are_dropped_doubled_and_widened():
    said = made("""
  Api:
    Type: AWS::Serverless::HttpApi
    Properties:
      CorsConfiguration: { AllowOrigins: [https://a.example], AllowMethods: [GET, POST] }
""")

    assert about(said, "drop-member") == ["AllowMethods.0 removed: GET", "AllowMethods.1 removed: POST"]
    assert about(said, "widen-member") == [
        'AllowOrigins: ["https://a.example"] -> ["*"]',
        'AllowOrigins: ["https://a.example"] -> ["https://a.example", "https://somebody-else.example"]',
        'AllowMethods: ["GET", "POST"] -> ["*"]',
    ]


def test_policies_are_weakened():
    said = made("""
  Bucket:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: a
      PolicyDocument:
        Statement:
          - Effect: Allow
            Principal: { Service: cloudfront.amazonaws.com }
            Action: [s3:GetObject, s3:ListBucket]
            Resource: !Sub "arn:aws:s3:::${Name}/images/*"
            Condition: { StringEquals: { aws:SourceArn: a } }
          - Effect: Deny
            Principal: "*"
            Action: s3:*
            Resource: "*"
            Condition: { Bool: { aws:SecureTransport: "false" } }
""")
    foreign = '"arn:aws:iam::999999999999:root"'

    assert about(said, "flip") == [
        "Effect: Allow -> Deny",
        "Effect: Deny -> Allow",
        "aws:SecureTransport: false -> true",
    ]
    assert [says.partition(" -> ")[2] for says in about(said, "principal")] == [
        "*",
        f'{{"Service": "cloudfront.amazonaws.com", "AWS": {foreign}}}',
        f'{{"AWS": {foreign}}}',
    ]
    assert about(said, "action") == [
        'Action: ["s3:GetObject", "s3:ListBucket"] -> s3:*',
        "Action: s3:* -> s3:Get*",
    ]
    assert [says.partition(" -> ")[2] for says in about(said, "resource")] == [
        "*",
        '{"Fn::Sub": "arn:aws:s3:::${Name}/*"}',
    ]
    assert len(about(said, "condition")) == 2


def test_a_web_acls_rule_counts_instead_of_blocking():
    said = made("""
  Acl:
    Type: AWS::WAFv2::WebACL
    Properties:
      Rules: [{ Name: a, OverrideAction: { None: {} }, Statement: { ManagedRuleGroupStatement: { Name: b } } }]
""")

    assert about(said, "enum") == ['OverrideAction: {"None": {}} -> {"Count": {}}']


def test_conditions_are_inverted():
    said = made(QUEUE, "Conditions: { A: !Equals [a, b], B: !Not [!Condition A] }")

    assert about(said, "invert-condition") == [
        'A: {"Fn::Equals": ["a", "b"]} -> {"Fn::Not": [{"Fn::Equals": ["a", "b"]}]}',
        'B: {"Fn::Not": [{"Condition": "A"}]} -> {"Condition": "A"}',
    ]


def test_retained_resources_are_deleted_with_the_stack():
    said = made("\n  Queue: { Type: AWS::SQS::Queue, DeletionPolicy: Retain, DependsOn: Other }\n")

    assert said["app/Queue/DeletionPolicy/enum"] == "DeletionPolicy: Retain -> Delete"


def test_a_removed_resource_takes_what_only_points_to_it_along():
    template = written_out("""
Resources:
  First: { Type: AWS::SQS::Queue }
  Second: { Type: AWS::SQS::Queue, DependsOn: First }
Outputs:
  Name: { Value: !Sub "${First.QueueName}" }
  Other: { Value: !Ref Second }
""")
    mutant = next(one for one in mutants_of("app", template) if one.id == "app/First/remove-resource")

    assert mutant.applied(template) == {
        "Resources": {"Second": {"Type": "AWS::SQS::Queue", "DependsOn": []}},
        "Outputs": {"Other": {"Value": {"Ref": "Second"}}},
    }


def test_what_an_anchor_stands_for_is_changed_in_one_place_only():
    template = written_out("""
Resources:
  First: { Type: AWS::SQS::Queue, Properties: &same { DelaySeconds: 3 } }
  Second: { Type: AWS::SQS::Queue, Properties: *same }
""")
    mutant = next(
        one for one in mutants_of("app", template) if one.id == "app/Second/Properties.DelaySeconds/times-ten"
    )

    assert mutant.applied(template)["Resources"] == {
        "First": {"Type": "AWS::SQS::Queue", "Properties": {"DelaySeconds": 3}},
        "Second": {"Type": "AWS::SQS::Queue", "Properties": {"DelaySeconds": 30}},
    }


def test_a_mutant_of_another_template_is_refused():
    mutant = Mutant("app", "Queue", "AWS::SQS::Queue", ("Resources", "Queue", "Type"), "enum", "", "a")

    with pytest.raises(KeyError, match="Queue"):
        mutant.applied({"Resources": {}})


@pytest.mark.parametrize("application", TEMPLATES)
def test_each_mutant_of_the_projects_templates_changes_them_and_no_other_does_the_same(application: str):
    template = template_of(application)
    before = copy.deepcopy(template)
    mutants = mutants_of(application, template)

    changed = {json.dumps(mutant.applied(template), sort_keys=True) for mutant in mutants}

    assert template == before
    assert json.dumps(before, sort_keys=True) not in changed
    assert len({mutant.id for mutant in mutants}) == len(mutants)
    assert len(changed) == len(mutants)
    assert [one.id for one in mutants_of(application, template_of(application))] == [
        one.id for one in mutants
    ]


def test_only_removals_remove():
    for mutant in mutants_of("pixel-prompt", template_of("pixel-prompt")):
        removes = mutant.operator in {"remove-property", "remove-resource", "drop-member", "condition"}
        assert (mutant.value is REMOVED) == removes, mutant.id


def test_each_equivalence_is_about_a_mutant_and_says_why():
    mutants = [one for application in TEMPLATES for one in mutants_of(application, template_of(application))]

    unused = [row.ids for row in rows() if not any(row.means(one.id, one.says, one.type) for one in mutants)]

    assert unused == []
    assert all(row.reason for row in rows())


def test_an_equivalence_ends_with_the_value_that_it_is_about():
    short, usual = (
        next(
            one
            for one in mutants_of("app", written_out(QUEUE_OF.format(seconds)))
            if "remove-property" in one.id
        )
        for seconds in (60, 345600)
    )

    assert equivalent(short.id, short.says, short.type) is None
    assert "345600" in str(equivalent(usual.id, usual.says, usual.type))
