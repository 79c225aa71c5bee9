"""readiness/aws/table.py"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from readiness.aws.table import Table
from readiness.errors import Missing, Unverified
from tests.answering import Answering


@pytest.fixture
def dynamodb(env):
    return env.client("dynamodb")


@pytest.fixture
def create(env, dynamodb, unique):
    def create(**settings):
        wanted = {
            "TableName": unique,
            "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
            "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
            "BillingMode": "PAY_PER_REQUEST",
            **settings,
        }
        dynamodb.create_table(**wanted)
        return Table(env, wanted["TableName"])

    return create


@pytest.mark.parametrize(("attribute", "is_passing"), [("expiration", True), ("expiresAt", False)])
def test_idempotency_records_are_distinguished_from_other_rows_that_expire(
    create, dynamodb, unique, attribute, is_passing
):
    table = create()
    dynamodb.update_time_to_live(
        TableName=unique, TimeToLiveSpecification={"Enabled": True, "AttributeName": attribute}
    )

    assert table.is_passing is is_passing


def test_connections_are_recognised_by_their_key(create, unique):
    key = {"AttributeName": "connectionId", "AttributeType": "S"}

    assert not create().is_passing
    assert create(
        TableName=f"{unique}-connections",
        AttributeDefinitions=[key],
        KeySchema=[{"AttributeName": "connectionId", "KeyType": "HASH"}],
    ).is_passing


def test_a_bare_table_has_dynamodbs_defaults(create):
    capacity = {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1}
    table = create(BillingMode="PROVISIONED", ProvisionedThroughput=capacity)

    assert table.billing_mode == "PROVISIONED"
    assert table.encryption_status == ""
    assert table.time_to_live == {"TimeToLiveStatus": "DISABLED"}
    assert table.point_in_time_recovery == "DISABLED"


def test_rows_that_outlive_a_moment_are_named(env, dynamodb, unique):
    dynamodb.create_table(
        TableName=unique,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    table, moment = Table(env, unique), datetime.now(UTC) + timedelta(days=31)
    assert table.rows_outliving(moment, "expires") is None

    seconds = int(moment.timestamp())
    for key, expires in {
        "gone by then": {"N": str(seconds - 1)},
        "later": {"N": str(seconds + 1)},
        "milliseconds": {"N": f"{seconds - 86400}000"},
        "text": {"S": str(seconds - 1)},
        "nothing": None,
    }.items():
        dynamodb.put_item(
            TableName=unique, Item={"pk": {"S": key}, **({"expires": expires} if expires else {})}
        )

    assert table.rows_outliving(moment, "expires") == ["later", "milliseconds", "nothing", "text"]


def test_a_table_from_before_billing_modes_is_provisioned(env):
    table = Table(env, "old")
    vars(table).update(description={})

    assert (table.billing_mode, table.encryption_status) == ("PROVISIONED", "")


def test_what_is_configured_is_read(create, dynamodb):
    table = create(SSESpecification={"Enabled": True, "SSEType": "KMS"})
    dynamodb.update_time_to_live(
        TableName=table.name, TimeToLiveSpecification={"Enabled": True, "AttributeName": "expires"}
    )
    dynamodb.update_continuous_backups(
        TableName=table.name, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
    )

    assert table.billing_mode == "PAY_PER_REQUEST"
    assert table.encryption_status == "ENABLED"
    assert table.time_to_live == {"TimeToLiveStatus": "ENABLED", "AttributeName": "expires"}
    assert table.point_in_time_recovery == "ENABLED"


def test_a_tables_policy_is_read(create, dynamodb):
    table = create()
    assert table.policy_statements == []

    statement = {"Effect": "Allow", "Principal": "*", "Action": "dynamodb:*", "Resource": table.arn}
    policy = json.dumps({"Version": "2012-10-17", "Statement": statement})
    dynamodb.put_resource_policy(ResourceArn=table.arn, Policy=policy)

    assert Table(table.env, table.name).policy_statements == [statement]


@pytest.mark.parametrize("fact", ["billing_mode", "point_in_time_recovery"])
def test_a_table_that_does_not_exist_is_missing(env, fact):
    with pytest.raises(Missing, match=r"(Resource|Table)NotFoundException"):
        getattr(Table(env, "never-made"), fact)


def test_items_are_found_by_an_attribute(env, dynamodb, unique):
    dynamodb.create_table(
        TableName=unique,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    for key, value in {"job#1": "a", "job#2": "b", "job#3": "c"}.items():
        dynamodb.put_item(TableName=unique, Item={"pk": {"S": key}, "correlationId": {"S": value}})

    assert sorted(Table(env, unique).keys_where("correlationId", ["a", "c", "z"])) == ["job#1", "job#3"]
    assert Table(env, unique).keys_where("correlationId", ["z"]) == []


def test_jobs_tell_what_became_of_their_models(env, dynamodb, unique):
    keys = [{"AttributeName": "pk", "KeyType": "HASH"}]
    attributes = [{"AttributeName": "pk", "AttributeType": "S"}]
    dynamodb.create_table(
        TableName=unique, KeySchema=keys, AttributeDefinitions=attributes, BillingMode="PAY_PER_REQUEST"
    )

    def put(key, correlation, created, **models):
        told = {
            model: {"M": {"state": {"S": state}, **({"code": {"S": code}} if code else {})}}
            for model, (state, code) in models.items()
        }
        item = {"pk": {"S": key}, "correlationId": {"S": correlation}, "created": {"N": str(created)}}
        dynamodb.put_item(TableName=unique, Item={**item, "models": {"M": told}})

    put("job#1", "load-1", 1000.5, a=("completed", ""), b=("failed", "rate_limited"))
    put("job#2", "load-2", 999.0, a=("completed", ""))
    put("job#3", "verify-3", 1001.0, a=("completed", ""))
    dynamodb.put_item(TableName=unique, Item={"pk": {"S": "limit#global"}, "used": {"N": "1"}})

    assert Table(env, unique).models_of_jobs("load-", datetime.fromtimestamp(1000, UTC)) == [
        {"a": ("completed", ""), "b": ("failed", "rate_limited")}
    ]


def test_the_time_is_what_the_answer_is_dated(create):
    assert abs(create().clock - datetime.now(UTC)) < timedelta(minutes=1)


def test_an_answer_without_a_date_tells_no_time():
    with pytest.raises(Unverified, match=r"some-table.*no readable date"):
        _ = Table(Answering({"dynamodb:DescribeTable": {}}), "some-table").clock


def test_scaled_capacities_are_read(env, create):
    table = create()
    assert table.scaled == set()

    env.client("application-autoscaling").register_scalable_target(
        ServiceNamespace="dynamodb",
        ResourceId=f"table/{table.name}",
        ScalableDimension="dynamodb:table:ReadCapacityUnits",
        MinCapacity=1,
        MaxCapacity=5,
    )

    assert Table(env, table.name).scaled == {"ReadCapacityUnits"}
