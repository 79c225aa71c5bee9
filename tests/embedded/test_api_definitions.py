"""verification/embedded/server/cloudformation/api_gateway.py"""

from __future__ import annotations

import pytest

from tests.embedded.conftest import Running
from tests.embedded.stacks import deployed

pytestmark = [pytest.mark.embedded, pytest.mark.xdist_group("embedded")]

TOPIC = "Resources: {Topic: {Type: AWS::SNS::Topic}}"
API = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Topic: {Type: AWS::SNS::Topic}
  Api:
    Type: AWS::Serverless::HttpApi
    Properties:
      CorsConfiguration:
        AllowOrigins: !Split [",", "https://one.example,https://two.example"]
        AllowMethods: [GET]
"""


def test_what_sam_makes_of_origins_that_are_split_is_refused(cloud: Running) -> None:
    """SAM puts an intrinsic of AllowOrigins in the place of the whole configuration."""
    with deployed(cloud, TOPIC) as stack:
        assert stack.update(API) == "UPDATE_ROLLBACK_COMPLETE"
        assert any("CORS configuration" in one for one in stack.reasons())
