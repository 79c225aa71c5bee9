"""verification/embedded/server/cloudformation/drift.py on what a template says of old versions and other classes"""

from __future__ import annotations

import time

import pytest

from tests.embedded.conftest import Running
from tests.embedded.stacks import Stack, deployed

pytestmark = [pytest.mark.embedded, pytest.mark.xdist_group("embedded")]

TEMPLATE = """
Resources:
  Bucket:
    Type: AWS::S3::Bucket
    Properties:
      VersioningConfiguration: {Status: Enabled}
      LifecycleConfiguration:
        Rules:
          - Id: old
            Status: Enabled
            NoncurrentVersionExpiration: {NoncurrentDays: 30, NewerNoncurrentVersions: 3}
            NoncurrentVersionTransitions: [{StorageClass: STANDARD_IA, TransitionInDays: 40}]
            Transitions: [{StorageClass: GLACIER, TransitionInDays: 90}]
          - {Id: tagged, Status: Enabled, TagFilters: [{Key: keep, Value: short}], NoncurrentVersionExpirationInDays: 7}
          - {Id: markers, Status: Enabled, ExpiredObjectDeleteMarker: true}
"""


def status(stack: Stack) -> str:
    formation = stack.cloud.client("cloudformation")
    begun = formation.detect_stack_drift(StackName=stack.name)["StackDriftDetectionId"]
    while True:
        told = formation.describe_stack_drift_detection_status(StackDriftDetectionId=begun)
        if told["DetectionStatus"] != "DETECTION_IN_PROGRESS":
            return str(told["StackDriftStatus"])
        time.sleep(0.1)


def test_what_becomes_of_old_versions_is_compared(cloud: Running) -> None:
    with deployed(cloud, TEMPLATE) as stack:
        deployed_as_declared = status(stack)
        rule = {
            "ID": "old",
            "Status": "Enabled",
            "Filter": {"Prefix": ""},
            "NoncurrentVersionExpiration": {"NoncurrentDays": 300},
        }
        cloud.client("s3").put_bucket_lifecycle_configuration(
            Bucket=stack.id_of("Bucket"), LifecycleConfiguration={"Rules": [rule]}
        )

        assert (deployed_as_declared, status(stack)) == ("IN_SYNC", "DRIFTED")
