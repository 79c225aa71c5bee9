"""readiness/aws/distribution.py"""

from __future__ import annotations

from datetime import timedelta

import pytest

from readiness.aws.distribution import Distribution
from readiness.errors import Missing
from tests.answering import Answering
from tests.probes.server import Reply

BEHAVIOUR = {"TargetOriginId": "images", "ViewerProtocolPolicy": "redirect-to-https"}


def origin(id_, control=""):
    return {
        "Id": id_,
        "DomainName": f"{id_}.s3.us-east-1.amazonaws.com",
        "OriginAccessControlId": control,
        "S3OriginConfig": {"OriginAccessIdentity": ""},
    }


@pytest.fixture
def cloudfront(env):
    return env.client("cloudfront")


@pytest.fixture
def create(env, cloudfront, unique):
    def create(*origins, enabled=True, **more):
        made = cloudfront.create_distribution(
            DistributionConfig={
                "CallerReference": unique,
                "Comment": "",
                "Enabled": enabled,
                "Origins": {"Quantity": len(origins), "Items": list(origins)},
                "DefaultCacheBehavior": BEHAVIOUR,
                **more,
            }
        )
        return Distribution(env, made["Distribution"]["Id"])

    return create


def test_what_is_configured_is_read(create):
    distribution = create(origin("images"))

    assert distribution.arn.endswith(f":distribution/{distribution.id}")
    assert distribution.domain_name.endswith(".cloudfront.net")
    assert distribution.status in ("InProgress", "Deployed")
    assert distribution.enabled
    assert [found["Id"] for found in distribution.origins] == ["images"]


def test_a_distribution_that_is_off_is_off(create):
    assert not create(origin("images"), enabled=False).enabled


def test_the_default_behaviour_comes_first_and_may_be_alone(create):
    (default,) = create(origin("images")).behaviours

    assert default["ViewerProtocolPolicy"] == "redirect-to-https"


def test_behaviours_by_path_follow_the_default(create):
    by_path = {"Quantity": 1, "Items": [{**BEHAVIOUR, "PathPattern": "/images/*"}]}

    found = create(origin("images"), CacheBehaviors=by_path).behaviours

    assert [behaviour.get("PathPattern") for behaviour in found] == [None, "/images/*"]


def test_access_controls_are_those_of_the_origins(env, cloudfront, unique):
    made = cloudfront.create_origin_access_control(
        OriginAccessControlConfig={
            "Name": unique,
            "SigningProtocol": "sigv4",
            "SigningBehavior": "always",
            "OriginAccessControlOriginType": "s3",
        }
    )
    distribution = Distribution(env, "E1")  # moto forgets which control an origin has
    origins = [origin("images", made["OriginAccessControl"]["Id"]), origin("open")]
    vars(distribution).update(description={"DistributionConfig": {"Origins": {"Items": origins}}})

    assert [control["SigningBehavior"] for control in distribution.origin_access_controls] == ["always"]


def test_an_origin_without_access_control_contributes_none(create):
    assert create(origin("images")).origin_access_controls == []


def test_a_distribution_that_does_not_exist_is_missing(env):
    with pytest.raises(Missing, match="NoSuchDistribution"):
        _ = Distribution(env, "NEVERMADE").status


def test_a_behaviour_without_a_headers_policy_allows_no_origin():
    policy = {"CorsConfig": {"AccessControlAllowOrigins": {"Quantity": 1, "Items": ["https://page.example"]}}}
    answers = {
        "cloudfront:GetResponseHeadersPolicy": {
            "ResponseHeadersPolicy": {"ResponseHeadersPolicyConfig": policy}
        }
    }
    distribution = Distribution(Answering(answers), "E1")
    by_path = [{"PathPattern": "*.gif"}]
    configuration = {
        "DefaultCacheBehavior": {"ResponseHeadersPolicyId": "P1"},
        "CacheBehaviors": {"Items": by_path},
    }
    vars(distribution).update(description={"DistributionConfig": configuration})

    assert distribution.cors_origins == {"*": {"https://page.example"}, "*.gif": frozenset()}


def test_an_invalidation_is_waited_for(scripted, stub):
    batch = "<CreateTime>2026-01-01T00:00:00Z</CreateTime>"
    body = "<Invalidation><Id>I1</Id><Status>{}</Status>" + batch + "</Invalidation>"
    stub.replies(
        *(
            Reply(200, body.format(status).encode(), {"Content-Type": "text/xml"})
            for status in ("InProgress", "Completed")
        )
    )

    assert Distribution(scripted, "E1").invalidate("/images/a.png") < timedelta(seconds=20)
