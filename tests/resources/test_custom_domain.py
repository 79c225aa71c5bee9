"""The own name of an API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from readiness.aws.custom_domain import CustomDomain
from tests.answering import Answering


def test_every_api_that_it_leads_to_is_listed() -> None:
    """API Gateway tells them in pages, for which boto3 has no paginator."""

    def page(asked: Mapping[str, Any]) -> dict[str, Any]:
        if asked.get("NextToken") == "two":
            return {"Items": [{"ApiId": "last", "Stage": "Prod"}]}
        return {"Items": [{"ApiId": "first", "Stage": "Prod"}], "NextToken": "two"}

    env: Any = Answering({"apigatewayv2:GetApiMappings": page})

    assert CustomDomain(env, "api.example").api_ids == ["first", "last"]
