"""What a template declares of a distribution arrives in CloudFront."""

from __future__ import annotations

import copy

import pytest

from tests.embedded.cloudformation.template import FULL
from tests.embedded.conftest import Running
from tests.embedded.stacks import Stack, deployed

pytestmark = pytest.mark.embedded


def test_distribution_has_cloudfronts_defaults(full: Stack) -> None:
    control, distribution = full.cloud.client("cloudfront"), full.id_of("Distribution")
    found = control.get_distribution_config(Id=distribution)
    config = found["DistributionConfig"]

    assert config["Comment"] == ""
    assert config["Logging"]["Enabled"] is False
    assert config["ViewerCertificate"]["MinimumProtocolVersion"] == "TLSv1"
    assert config["DefaultCacheBehavior"]["FieldLevelEncryptionId"] == ""
    control.update_distribution(Id=distribution, IfMatch=found["ETag"], DistributionConfig=config)


def test_distribution_with_a_certificate_says_that_it_is_not_cloudfronts(cloud: Running) -> None:
    own = {
        "AcmCertificateArn": cloud.cloud.certificate("some")["CdnCertificateArn"],
        "SslSupportMethod": "sni-only",
        "MinimumProtocolVersion": "TLSv1.2_2021",
    }
    wanted = copy.deepcopy(FULL["Resources"]["Distribution"])
    wanted["Properties"]["DistributionConfig"]["ViewerCertificate"] = own
    with deployed(cloud, {"Resources": {"Distribution": wanted}}) as stack:
        control, distribution = cloud.client("cloudfront"), stack.id_of("Distribution")
        config = control.get_distribution_config(Id=distribution)["DistributionConfig"]

    assert config["ViewerCertificate"]["CloudFrontDefaultCertificate"] is False


def test_distribution_with_an_unknown_certificate_fails_the_stack(cloud: Running) -> None:
    own = {
        "AcmCertificateArn": "arn:aws:acm:us-east-1:123456789012:certificate/none",
        "SslSupportMethod": "sni-only",
    }
    wanted = copy.deepcopy(FULL["Resources"]["Distribution"])
    wanted["Properties"]["DistributionConfig"]["ViewerCertificate"] = own

    with pytest.raises(
        AssertionError, match="InvalidViewerCertificate: The specified SSL certificate doesn't exist"
    ):
        Stack(cloud, {"Resources": {"Distribution": wanted}})
