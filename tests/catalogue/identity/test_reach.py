"""readiness/catalogue/reach.py"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from readiness.application import Application
from readiness.catalogue import reach
from readiness.discovery.graph import Edge, Graph, Relation, Resource
from tests.catalogue.identity.test_judgements import OTHER, OWN, granting

HERE = f"us-east-1:{OWN}"
ORDERS = Resource(
    "AWS::DynamoDB::Table",
    "Orders",
    "shop-Orders-1A2B",
    arn=f"arn:aws:dynamodb:{HERE}:table/shop-Orders-1A2B",
)
FILES = Resource("AWS::S3::Bucket", "Files", "shop-files-3c4d", arn="arn:aws:s3:::shop-files-3c4d")
API = Resource(
    "AWS::Lambda::Function", "Api", "shop-Api-5E6F", arn=f"arn:aws:lambda:{HERE}:function:shop-Api-5E6F"
)
IMPORT = Resource(
    "AWS::StepFunctions::StateMachine",
    "Import",
    f"arn:aws:states:{HERE}:stateMachine:shop-Import-7a8b",
    arn=f"arn:aws:states:{HERE}:stateMachine:shop-Import-7a8b",
)
PARTNER = Resource("AWS::Events::ApiDestination", "Partner", "shop-Partner-9c0d")
STAGE = Resource("AWS::ApiGateway::Stage", "Stage", "Prod")
GRAPH = Graph([ORDERS, FILES, API, IMPORT, PARTNER, STAGE])
CUSTOMERS = f"arn:aws:dynamodb:{HERE}:table/customers"
APPLICATION = Application(*([Path()] * 5), foreign={"arn:aws:s3:::commons/*": "everybody's pictures"})


@dataclass(frozen=True)
class FakeStack:
    """A stack whose template has one role with these resources in a policy."""

    resources: Sequence[Any] = ()
    parameters: Mapping[str, str] = field(default_factory=dict)

    @property
    def description(self) -> Mapping[str, Any]:
        return {
            "Parameters": [
                {"ParameterKey": name, "ParameterValue": value} for name, value in self.parameters.items()
            ]
        }

    @property
    def declared(self) -> Mapping[str, Any]:
        statement = {"Effect": "Allow", "Action": "*", "Resource": list(self.resources)}
        return {
            "Orders": {"Type": ORDERS.type},
            "Looked": {"Type": "Custom::Lookup"},
            "Role": {"Properties": {"Policies": [{"PolicyDocument": {"Statement": statement}}]}},
        }


def foreign(resource: str, stack: FakeStack | None = None) -> Sequence[str]:
    role: Any = granting("x:Y", Resource=resource)
    made: Any = stack or FakeStack()
    return list(reach.foreign(role, GRAPH, made, APPLICATION, OWN))


@pytest.mark.parametrize(
    "resource",
    [
        ORDERS.arn,
        f"{ORDERS.arn}/index/*",
        f"{FILES.arn}/images/*",
        "arn:aws:s3:::commons/cats/*",
        f"arn:aws:events:{HERE}:event-bus/default",
        "arn:aws:ssm:us-east-1::parameter/aws/service/ami",
        f"arn:aws:events:{HERE}:rule/StepFunctionsGetEventsForStepFunctionsExecutionRule",
        "arn:aws:bedrock:us-east-1::foundation-model/some",
        f"arn:aws:logs:{HERE}:log-group:/elsewhere",
        f"arn:aws:states:{HERE}:execution:shop-Import-7a8b:*",
        f"arn:aws:events:{HERE}:api-destination/shop-Partner-9c0d/1234",
        ORDERS.arn.replace("us-east-1", "eu-west-1"),  # a replica
        "*",
    ],
)
def test_what_is_the_stacks_own_or_declared_passes(resource: str) -> None:
    assert foreign(resource) == []


@pytest.mark.parametrize(
    "resource",
    [
        CUSTOMERS,
        f"arn:aws:dynamodb:us-east-1:{OTHER}:table/shop-Orders-1A2B",
        "arn:aws:s3:::somebody/*",
        f"arn:aws:secretsmanager:{HERE}:secret:customers-AbCdEf",
        f"arn:aws:sqs:{HERE}:other",
        f"arn:aws:execute-api:{HERE}:other/Prod/GET/*",
    ],
)
def test_a_foreign_resource_is_named(resource: str) -> None:
    (finding,) = foreign(resource)

    assert resource in finding


SUB = "arn:aws:dynamodb:${AWS::Region}:${AWS::AccountId}:table/"


@pytest.mark.parametrize(
    "expression",
    [
        {"Ref": "Table"},
        {"Fn::Sub": SUB + "${Name}"},
        {"Fn::Sub": [SUB + "${tableName}", {"tableName": {"Ref": "Name"}}]},
        {"Fn::Join": [":", ["arn:aws:dynamodb", {"Ref": "AWS::Region"}, OWN, {"Fn::Sub": "table/${Name}"}]]},
        {"Fn::If": ["Shared", {"Ref": "Table"}, {"Fn::GetAtt": ["Orders", "Arn"]}]},
        {"Fn::ImportValue": "customers"},
        {"Fn::GetAtt": "Looked.Arn"},
        "arn:aws:dynamodb:us-east-1:111122223333:table/{{resolve:ssm:customers}}",
    ],
)
def test_a_name_from_outside_the_template_is_no_slip(expression: Any) -> None:
    assert foreign(CUSTOMERS, FakeStack([expression], {"Table": CUSTOMERS, "Name": "customers"})) == []


@pytest.mark.parametrize(
    "expression",
    [
        CUSTOMERS,  # as text
        {"Fn::Sub": SUB + "customers"},
        {"Fn::GetAtt": ["Orders", "Arn"]},
        {"Ref": "Name"},
        {"Fn::Sub": SUB + "${Orders}"},
    ],
)
def test_a_name_in_the_template_is_a_slip_where_stacks_make_such_resources(expression: Any) -> None:
    assert len(foreign(CUSTOMERS, FakeStack([expression], {"Name": "others"}))) == 1


def test_a_secret_that_was_made_by_hand_may_stand_in_the_template() -> None:
    secret = f"arn:aws:secretsmanager:{HERE}:secret:login-??????"
    written = {"Fn::Sub": "arn:aws:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:login-??????"}

    assert foreign(secret, FakeStack([written])) == []
    assert len(foreign(secret.replace("login", "logout"), FakeStack([written]))) == 1
    assert len(foreign(secret.replace(OWN, OTHER), FakeStack([secret.replace(OWN, OTHER)]))) == 1


@dataclass(frozen=True)
class FakeFunction:
    received: str = ""


def unreceived(
    *edges: Edge, received: str = "", action: str = "dynamodb:GetItem", resource: Resource = ORDERS
) -> Sequence[str]:
    role: Any = granting(action, Resource=f"{resource.arn}*")
    functions: Any = {API: FakeFunction(received)}
    graph = Graph([resource, FILES, API]).plus(edges)
    return list(reach.unreceived(role, functions, graph))


def test_a_grant_on_what_nothing_names_is_a_finding() -> None:
    (finding,) = unreceived(Edge(API, Relation.USES, ORDERS, "dynamodb:GetItem"))

    assert "Orders" in finding


MACHINE = Resource(
    "AWS::StepFunctions::StateMachine", "Import", "import", arn=f"arn:aws:states:{HERE}:stateMachine:import"
)
QUEUE = Resource("AWS::SQS::Queue", "Jobs", "https://sqs/1/jobs", arn=f"arn:aws:sqs:{HERE}:jobs")


@pytest.mark.parametrize(
    "edges",
    [
        [Edge(API, Relation.READS_FROM, ORDERS)],
        [Edge(ORDERS, Relation.INVOKES, API)],
        [Edge(API, Relation.DEAD_LETTERS_TO, ORDERS)],
        [Edge(ORDERS, Relation.NOTIFIES, QUEUE), Edge(API, Relation.READS_FROM, QUEUE)],
        [Edge(MACHINE, Relation.INVOKES, API), Edge(MACHINE, Relation.USES, ORDERS)],
    ],
)
def test_an_event_tells_of_what_it_comes_from(edges: list[Edge]) -> None:
    assert unreceived(*edges) == []


def test_a_function_knows_what_its_variables_and_the_template_name() -> None:
    fixed = Resource(
        ORDERS.type, "Orders", "orders", {"TableName": "orders"}, arn=f"arn:aws:dynamodb:{HERE}:table/orders"
    )

    assert unreceived(received="shop-Orders-1A2B") == []
    assert unreceived(received=ORDERS.arn) == []
    assert unreceived(resource=fixed) == []
    assert unreceived(resource=API, action="lambda:InvokeFunction") == []  # itself
    # A token names the state machine.
    assert unreceived(resource=IMPORT, action="states:SendTaskSuccess") == []
    assert len(unreceived(resource=IMPORT, action="states:StartExecution")) == 1
    assert unreceived(action="ssm:GetParameter*") == []
    assert len(unreceived(action="dynamodb:*")) == 1  # of which ListTables is a part
