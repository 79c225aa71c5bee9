"""Mutants in what an environment's parameters leave out change nothing there."""

from __future__ import annotations

import pytest

from readiness.aws.cloudformation import written_out
from tests.mutants.operators import mutants_of
from tests.mutants.reach import reached

TEMPLATE = written_out("""
Parameters:
  Stage: { Type: String, AllowedValues: [test, live] }
  Days: { Type: Number, Default: 30 }
  Key: { Type: String, NoEcho: true, Default: "" }
Conditions:
  Live: !Equals [!Ref Stage, live]
  Test: !Not [!Condition Live]
  Either: !Or [!Condition Live, !Condition Test]
  Both: !And [!Condition Live, !Condition Test]
Resources:
  Table:
    Type: AWS::DynamoDB::Table
    Properties: { KeySchema: [], DeletionProtectionEnabled: !If [Live, true, !Ref AWS::NoValue] }
  Queue:
    Type: AWS::SQS::Queue
    Condition: Live
    Properties: { DelaySeconds: 3 }
  Log:
    Type: AWS::Logs::LogGroup
    Condition: Either
    Properties: { RetentionInDays: !Ref Days }
  Never:
    Type: AWS::SQS::Queue
    Condition: Both
""")


def in_environment(**parameters: str) -> set[str]:
    return {mutant.id for mutant in mutants_of("app", TEMPLATE) if reached(mutant, TEMPLATE, parameters)}


def test_what_a_condition_leaves_out_is_not_reached():
    test, live = in_environment(Stage="test"), in_environment(Stage="live")

    assert live - test == {
        "app/Table/Properties.DeletionProtectionEnabled/remove-property",
        "app/Table/Properties.DeletionProtectionEnabled.Fn::If.1/flip",
        "app/Queue/remove-resource",
        "app/Queue/Properties.DelaySeconds/remove-property",
        "app/Queue/Properties.DelaySeconds/times-ten",
        "app/Queue/Properties.DelaySeconds/bound",
        "app/Queue/Properties.DelaySeconds/bound/2",
    }
    assert not any("Never/" in one for one in test | live)


def test_inverted_conditions_are_reached_where_they_change_what_is_there():
    inverted = {one for one in in_environment(Stage="live") if "invert" in one}

    assert inverted == {
        f"app/Conditions/{name}/invert-condition" for name in ("Live", "Test", "Either", "Both")
    }


def test_a_default_is_reached_only_where_no_value_is_given():
    own, given = in_environment(Stage="test"), in_environment(Stage="test", Days="300")

    assert {one for one in own if "Days.Default" in one} == {
        "app/Parameters/Days.Default/times-ten",
        "app/Parameters/Days.Default/by-ten",
    }
    assert not any("Days.Default" in one for one in given)
    assert "app/Log/Properties.RetentionInDays/enum" in own & given


def test_a_value_that_is_the_given_one_is_not_reached():
    # Where the parameter's default is 30, the mutant writes 60.
    assert "app/Log/Properties.RetentionInDays/enum" not in in_environment(Stage="test", Days="60")


def test_a_key_that_is_shown_is_reached():
    assert "app/Parameters/Key.NoEcho/flip" in in_environment(Stage="test")


def test_an_unknown_function_of_conditions_is_an_error():
    template = {**TEMPLATE, "Conditions": {**TEMPLATE["Conditions"], "Live": {"Fn::Contains": []}}}

    with pytest.raises(ValueError, match="Fn::Contains"):
        reached(mutants_of("app", TEMPLATE)[0], template, {"Stage": "test"})
