"""verification/embedded/server/cdn.py: what CloudWatch learns of a distribution"""

from __future__ import annotations

import time

import pytest

from tests.embedded.conftest import Running
from tests.embedded.stacks import deployed

pytestmark = [pytest.mark.embedded, pytest.mark.xdist_group("embedded")]

TEMPLATE = """
Resources:
  Bucket: {Type: AWS::S3::Bucket}
  Distribution:
    Type: AWS::CloudFront::Distribution
    Properties:
      DistributionConfig:
        Enabled: true
        Origins: [{Id: s3, DomainName: !GetAtt Bucket.RegionalDomainName, S3OriginConfig: {}},
                  {Id: gone, DomainName: gone.invalid, CustomOriginConfig: {OriginProtocolPolicy: https-only}}]
        DefaultCacheBehavior:
          TargetOriginId: s3
          ViewerProtocolPolicy: https-only
          CachePolicyId: 4135ea2d-6df8-44a3-9df3-4b5a84be39ad
        CacheBehaviors:
          - PathPattern: /gone
            TargetOriginId: gone
            ViewerProtocolPolicy: https-only
            CachePolicyId: 4135ea2d-6df8-44a3-9df3-4b5a84be39ad
Outputs:
  Domain: {Value: !GetAtt Distribution.DomainName}
  Id: {Value: !Ref Distribution}
"""


def test_a_distributions_error_rates_are_published(cloud: Running) -> None:
    with deployed(cloud, TEMPLATE) as stack:
        statuses = [
            stack.ask("GET", f"https://{stack.outputs['Domain']}{path}").status_code
            for path in ("/absent", "/gone", "/gone", "/gone")
        ]
        now = time.time()

        def figure(name: str, statistic: str) -> float:
            (point,) = cloud.client("cloudwatch").get_metric_statistics(
                Namespace="AWS/CloudFront",
                MetricName=name,
                Dimensions=[
                    {"Name": "DistributionId", "Value": stack.outputs["Id"]},
                    {"Name": "Region", "Value": "Global"},
                ],
                StartTime=now - 600,
                EndTime=now + 60,
                Period=3600,
                Statistics=[statistic],
            )["Datapoints"]
            return float(point[statistic])

        assert statuses == [403, 502, 502, 502]
        assert figure("Requests", "Sum") == 4
        assert (figure("4xxErrorRate", "Average"), figure("5xxErrorRate", "Average")) == (25, 75)
