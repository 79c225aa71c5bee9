"""AWS's answers, given to real clients, so that botocore holds requests and answers to each service's model.

A fake client of a test's own answers whatever it is asked: an operation, a paginator or a parameter that AWS does not
have is found on AWS alone. So tests have no other fake of a client; tests/test_answering.py keeps it so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import boto3
from botocore.awsrequest import AWSResponse
from botocore.validate import ParamValidator

from readiness.errors import Denied

REGION, ACCOUNT = "eu-west-1", "123456789012"
_SESSION = boto3.Session("testing", "testing", region_name=REGION)
_VALIDATOR = ParamValidator()


class Answering:
    """An environment that answers `service:Operation` with what it is given; what it is not given it denies.

    An answer is a mapping, an exception, or a function of the request's parameters that returns either.
    """

    stack_name, region, partition, account_id = "shop", REGION, "aws", ACCOUNT

    def __init__(self, answers: Mapping[str, Any]) -> None:
        self.answers = answers
        self.calls: Counter[str] = Counter()

    def client(self, service: str, region: str | None = None, **_: Any) -> Any:
        client = _SESSION.client(service, region_name=region or REGION)
        asked: dict[str, Any] = {}

        def note(params: Mapping[str, Any], **_: Any) -> None:
            asked.clear()
            asked.update(params)

        def answer(model: Any, **_: Any) -> Any:
            operation = f"{service}:{model.name}"
            self.calls[operation] += 1
            found = self.answers.get(operation)
            found = found(dict(asked)) if callable(found) else found
            if isinstance(found, Exception):
                raise found
            if found is None:
                raise Denied(operation, "not allowed")
            _require_its_shape(operation, found, model.output_shape)
            return AWSResponse("https://aws.test", 200, {}, None), {**found, "ResponseMetadata": _METADATA}

        client.meta.events.register("provide-client-params", note)
        client.meta.events.register("before-call", answer)
        return client


_METADATA = {"HTTPStatusCode": 200, "HTTPHeaders": {}, "RetryAttempts": 0}


def _require_its_shape(operation: str, answer: Mapping[str, Any], shape: Any) -> None:
    """Refuse what AWS never answers. A test may leave out what it is not about, also where AWS always says it."""
    if shape is None:
        assert answer == {}, f"{operation} answers nothing"
        return
    problems = _VALIDATOR.validate(answer, shape)
    problems._errors = [one for one in problems._errors if one[0] != "missing required field"]
    assert not problems.has_errors(), f"{operation} does not answer so: {problems.generate_report()}"
