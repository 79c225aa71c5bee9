"""verification/embedded/server/account.py, and drift as verification/embedded/server/cloudformation/drift.py sees it"""

from __future__ import annotations

import json

import boto3
import botocore.exceptions
import pytest
import requests

from readiness.aws.cloudformation import CloudFormationStack
from readiness.environment import Environment, Settings
from readiness.errors import UsageProblem
from verification.deployment.account import require_concurrency
from verification.deployment.standing import Standing

from .stacks import Stack, deployed

BUCKETS = {"ServiceCode": "s3", "QuotaCode": "L-DC2B2D3D"}
TEMPLATE = {
    "Resources": {
        "Table": {
            "Type": "AWS::DynamoDB::Table",
            "Properties": {
                "BillingMode": "PAY_PER_REQUEST",
                "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
                "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
                "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
                "TimeToLiveSpecification": {"AttributeName": "expiresAt", "Enabled": True},
            },
        },
        "Bucket": {
            "Type": "AWS::S3::Bucket",
            "Properties": {
                "PublicAccessBlockConfiguration": {"BlockPublicAcls": True, "BlockPublicPolicy": True},
                "LifecycleConfiguration": {
                    "Rules": [{"Id": "a", "Status": "Enabled", "Prefix": "a/", "ExpirationInDays": 30}]
                },
            },
        },
        "Alarm": {
            "Type": "AWS::CloudWatch::Alarm",
            "Properties": {
                "Namespace": "N",
                "MetricName": "M",
                "Statistic": "Sum",
                "Period": 60,
                "EvaluationPeriods": 1,
                "Threshold": 3,
                "ComparisonOperator": "GreaterThanThreshold",
                "Dimensions": [{"Name": "A", "Value": "b"}],
            },
        },
        "Api": {"Type": "AWS::ApiGatewayV2::Api", "Properties": {"Name": "a", "ProtocolType": "HTTP"}},
        "Stage": {
            "Type": "AWS::ApiGatewayV2::Stage",
            "Properties": {
                "ApiId": {"Ref": "Api"},
                "StageName": "$default",
                "DefaultRouteSettings": {"ThrottlingRateLimit": 50, "ThrottlingBurstLimit": 100},
            },
        },
    }
}


def switch(cloud, **switches):
    url = f"{cloud.state.endpoint}/_embedded/account"
    return requests.post(url, data=json.dumps(switches), verify=cloud.state.ca_bundle, timeout=10).status_code


def test_a_quota_is_awss_default_until_it_is_lowered(cloud):
    quotas = cloud.client("service-quotas")

    assert switch(cloud, quotas={"s3/L-DC2B2D3D": 1}) == 200
    assert quotas.get_service_quota(**BUCKETS)["Quota"]["Value"] == 1
    assert quotas.get_aws_default_service_quota(**BUCKETS)["Quota"]["Value"] == 10_000
    assert switch(cloud, quotas={}) == 200
    assert quotas.get_service_quota(**BUCKETS)["Quota"]["Value"] == 10_000


def test_a_fresh_account_refuses_reservations_and_the_preflight_says_so_before(cloud, make_role):
    """Whoever does not ask loses a creation in its middle."""
    function = {
        "Runtime": "python3.13",
        "Handler": "app.handler",
        "Role": make_role(),
        "Code": {"ZipFile": "def handler(event, context): pass"},
        "ReservedConcurrentExecutions": 5,
    }
    template = {"Resources": {"Reserving": {"Type": "AWS::Lambda::Function", "Properties": function}}}
    assert switch(cloud, quotas={"lambda/L-B99A9384": 10}) == 200
    try:
        with pytest.raises(UsageProblem, match=r"has room for 0: its quota is 10.* raised to 105 or more"):
            require_concurrency(
                lambda service, region=None: cloud.client(service), template, {}, Standing(None)
            )
        with pytest.raises(AssertionError, match=r"below its minimum value of \[10\]"):
            Stack(cloud, template)
    finally:
        assert switch(cloud, quotas={}) == 200
    assert cloud.client("lambda").get_account_settings()["AccountLimit"]["ConcurrentExecutions"] == 1000


def test_a_quota_that_is_not_modelled_is_refused(cloud):
    with pytest.raises(botocore.exceptions.ClientError, match="NoSuchResourceException"):
        cloud.client("service-quotas").get_service_quota(ServiceCode="ec2", QuotaCode="L-0")


@pytest.mark.parametrize("switches", [{"quotas": {"ec2/L-0": 1}}, {"longer": {}}, {"quotas": 3}])
def test_a_switch_that_means_nothing_is_refused(cloud, switches):
    assert switch(cloud, **switches) == 400


def drifted(stack):
    """As INF-04 reads it: values come back in the services' own words."""
    state = stack.cloud.state
    session = boto3.Session(state.access_key_id, state.secret_access_key, region_name=state.region)
    settings = Settings("local", stack.name, state.region)
    env = Environment(settings, session, state.endpoint, state.ca_bundle)
    return {id_: drift.status for id_, drift in CloudFormationStack(env, stack.name).drifts.items()}


@pytest.fixture(scope="module")
def stack(cloud):
    with deployed(cloud, TEMPLATE) as stack:
        yield stack


def recovery_off(stack):
    off = {"PointInTimeRecoveryEnabled": False}
    stack.cloud.client("dynamodb").update_continuous_backups(
        TableName=stack.id_of("Table"), PointInTimeRecoverySpecification=off
    )


def images_stay(stack):
    stack.cloud.client("s3").delete_bucket_lifecycle(Bucket=stack.id_of("Bucket"))


def alarm_later(stack):
    client = stack.cloud.client("cloudwatch")
    settings = TEMPLATE["Resources"]["Alarm"]["Properties"]
    client.put_metric_alarm(**{**settings, "AlarmName": stack.id_of("Alarm"), "Threshold": 30})


def throttle_off(stack):
    settings = {"ThrottlingRateLimit": 500.0, "ThrottlingBurstLimit": 100}
    stack.cloud.client("apigatewayv2").update_stage(
        ApiId=stack.id_of("Api"), StageName="$default", DefaultRouteSettings=settings
    )


def test_a_stack_as_it_was_deployed_has_not_drifted(stack):
    assert drifted(stack) == dict.fromkeys(TEMPLATE["Resources"], "IN_SYNC")


@pytest.mark.parametrize(
    ("by_hand", "logical_id"),
    [(recovery_off, "Table"), (images_stay, "Bucket"), (alarm_later, "Alarm"), (throttle_off, "Stage")],
)
def test_a_change_by_hand_is_drift(stack, by_hand, logical_id):
    by_hand(stack)

    assert drifted(stack)[logical_id] == "MODIFIED"


def test_an_update_that_cloudformation_does_not_know_of_is_drift(cloud):
    changed = json.loads(json.dumps(TEMPLATE))
    changed["Resources"]["Alarm"]["Properties"]["Threshold"] = 30
    with deployed(cloud, TEMPLATE) as stack:
        assert switch(cloud, keep_record=stack.name) == 200
        assert stack.update(changed) == "UPDATE_COMPLETE"
        assert switch(cloud, restore_record=stack.name) == 200

        body = cloud.client("cloudformation").get_template(StackName=stack.name)["TemplateBody"]
        assert body["Resources"]["Alarm"]["Properties"]["Threshold"] == 3
        assert {**drifted(stack), "Alarm": "IN_SYNC"} == dict.fromkeys(TEMPLATE["Resources"], "IN_SYNC")
        assert drifted(stack)["Alarm"] == "MODIFIED"


@pytest.mark.parametrize("step", ["keep_record", "restore_record"])
def test_a_record_of_no_stack_is_neither_kept_nor_restored(cloud, step):
    assert switch(cloud, **{step: "never-made"}) == 400


def test_the_latest_change_can_be_made_to_have_taken_longer(stack):
    client = stack.cloud.client("cloudformation")

    def taken():
        events = client.describe_stack_events(StackName=stack.name)["StackEvents"]
        at = {e["ResourceStatus"]: e["Timestamp"] for e in events if e["LogicalResourceId"] == "Table"}
        return (at["CREATE_COMPLETE"] - at["CREATE_IN_PROGRESS"]).total_seconds()

    before = taken()
    assert switch(stack.cloud, longer={"resource": "Table", "seconds": 1200}) == 200
    assert taken() == pytest.approx(before + 1200, abs=0.1)
