from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.catalogue.verified import expected, template, unnamed, verified
from tests.embedded.conftest import Running, cloud
from tests.embedded.stacks import deployed

__all__ = ["cloud"]
pytestmark = [pytest.mark.embedded, pytest.mark.xdist_group("catalogue-identity")]
AREA = "identity"


def _let_read(cloud: Running, secret: str, **statement: Any) -> None:
    """Give a secret a policy, for the embedded AWS knows no AWS::SecretsManager::ResourcePolicy."""
    whole = {"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": "*", **statement}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [whole]})
    cloud.client("secretsmanager").put_resource_policy(SecretId=secret, ResourcePolicy=policy)


def test_nothing_is_found_where_nothing_is_wrong(cloud: Running, tmp_path: Path) -> None:
    body = template(AREA, "good")
    own = cloud.client("sts").get_caller_identity()["Account"]
    with deployed(cloud, body) as stack:
        condition = {"StringEquals": {"aws:PrincipalAccount": own}}
        _let_read(cloud, stack.id_of("Login"), Principal={"AWS": "*"}, Condition=condition)
        found = verified(cloud, stack.name, AREA, tmp_path, body)

    assert found.keys() >= expected(AREA).keys()
    assert {id_: one for id_, one in found.items() if one.outcome != "pass"} == {}


def test_each_defect_is_named_by_its_item(cloud: Running, tmp_path: Path) -> None:
    body, names = template(AREA, "bad"), expected(AREA)
    with deployed(cloud, body) as stack:
        _let_read(cloud, stack.id_of("Login"), Principal={"AWS": "arn:aws:iam::210987654321:root"})
        found = verified(cloud, stack.name, AREA, tmp_path, body)

    assert unnamed(found, names) == {}
    assert found.keys() == names.keys()
