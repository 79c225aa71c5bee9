"""Overlay: Application Auto Scaling, which MiniStack lacks: what is registered is listed, and nothing scales.

Source: Application Auto Scaling API reference; CloudFormation's `AWS::ApplicationAutoScaling::ScalableTarget`, whose `Ref` is
the resource, the dimension and the namespace.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import ministack.app

from verification.embedded.server import HookMissingError, require
from verification.embedded.server.cloudformation import hooks
from verification.embedded.server.cloudformation.hooks import Made, Properties
from verification.embedded.server.context import Context

require(ministack.app, "SERVICE_HANDLERS")

SERVICE = "application-autoscaling"
TARGET = "AWS::ApplicationAutoScaling::ScalableTarget"
POLICY = "AWS::ApplicationAutoScaling::ScalingPolicy"
JSON = "application/x-amz-json-1.1"
_NAMED_BY = ("ServiceNamespace", "ResourceId", "ScalableDimension")
_OF_A_ROLE = "role/aws-service-role/dynamodb.application-autoscaling.amazonaws.com/AWSServiceRoleForApplicationAutoScaling_DynamoDBTable"

Key = tuple[str, ...]
_targets: dict[Key, dict[str, Any]] = {}
_policies: dict[str, dict[str, Any]] = {}


def install(context: Context) -> None:
    """Answer Application Auto Scaling, and take its types in templates.

    Raises:
        HookMissingError: MiniStack has learned the service, so this overlay must go.
    """
    if SERVICE in ministack.app.SERVICE_HANDLERS:
        raise HookMissingError(f"gap for {SERVICE}: it has a handler of its own now")
    service = Scaling(context)
    ministack.app.SERVICE_HANDLERS[SERVICE] = service.answer
    hooks.register(
        TARGET,
        create=service.create_target,
        update=lambda _id, _old, new, stack: service.create_target("", new, stack),
        delete=service.delete_target,
    )
    hooks.register(
        POLICY,
        create=service.create_policy,
        update=lambda _id, _old, new, stack: service.create_policy("", new, stack),
        delete=service.delete_policy,
    )


def reset() -> None:
    """Forget every target and policy."""
    _targets.clear()
    _policies.clear()


class Scaling:
    """What is registered to be scaled, and by which policies."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def answer(
        self, _method: str, _path: str, headers: Mapping[str, str], body: bytes, _query: object
    ) -> tuple[int, dict[str, str], bytes]:
        """One call of the service."""
        operation = headers.get("x-amz-target", "").rpartition(".")[2]
        request = json.loads(body or b"{}")
        try:
            answer = self._answer(operation, request)
        except KeyError as problem:
            error = {"__type": "ObjectNotFoundException", "Message": f"{operation}: {problem}"}
            return HTTPStatus.BAD_REQUEST, {"Content-Type": JSON}, json.dumps(error).encode()
        return HTTPStatus.OK, {"Content-Type": JSON}, json.dumps(answer).encode()

    def _answer(self, operation: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
        if operation == "DescribeScalableTargets":
            return {"ScalableTargets": [one for one in _targets.values() if _is_asked(one, request)]}
        if operation == "DescribeScalingPolicies":
            return {"ScalingPolicies": [one for one in _policies.values() if _is_asked(one, request)]}
        if operation == "RegisterScalableTarget":
            return {"ScalableTargetARN": self._register(request)["ScalableTargetARN"]}
        if operation == "DeregisterScalableTarget":
            _targets.pop(_key(request))
            return {}
        raise KeyError("no such operation here")

    def _register(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        key = _key(request)
        known = _targets.get(key, {})
        _targets[key] = {
            "CreationTime": time.time(),
            "RoleARN": self._arn("iam", "", _OF_A_ROLE),
            "ScalableTargetARN": self._arn(
                SERVICE, self._context.region, f"scalable-target/{uuid.uuid4().hex}"
            ),
            **known,
            **dict(zip(_NAMED_BY, key, strict=True)),
            **{
                name: int(request[name])
                for name in ("MinCapacity", "MaxCapacity")
                if request.get(name) is not None
            },
        }
        return _targets[key]

    def _arn(self, service: str, region: str, resource: str) -> str:
        return f"arn:aws:{service}:{region}:{self._context.account_id}:{resource}"

    def create_target(self, _logical_id: str, properties: Properties, _stack_name: str) -> Made:
        """Register what a template requires to be scaled."""
        self._register(properties)
        namespace, resource, dimension = _key(properties)
        return f"{resource}|{dimension}|{namespace}", {}

    def delete_target(self, _physical_id: str, properties: Properties) -> None:
        """Deregister it; what is gone already is no error."""
        _targets.pop(_key(properties), None)

    def create_policy(self, _logical_id: str, properties: Properties, _stack_name: str) -> Made:
        """Store a policy of a registered target."""
        key = _key(properties)
        if "ScalingTargetId" in properties:
            resource, dimension, namespace = str(properties["ScalingTargetId"]).split("|")
            key = (namespace, resource, dimension)
        if key not in _targets:
            raise ValueError(f"{POLICY}: No scalable target registered for {', '.join(key)}")
        name = properties["PolicyName"]
        arn = self._arn(
            "autoscaling", self._context.region, f"scalingPolicy:{':'.join(key)}:policyName/{name}"
        )
        settings = (
            "PolicyType",
            "TargetTrackingScalingPolicyConfiguration",
            "StepScalingPolicyConfiguration",
        )
        _policies[arn] = {
            "PolicyARN": arn,
            "PolicyName": name,
            "CreationTime": time.time(),
            **dict(zip(_NAMED_BY, key, strict=True)),
            **{one: properties[one] for one in settings if one in properties},
        }
        return arn, {"Arn": arn}

    def delete_policy(self, physical_id: str, _properties: Properties) -> None:
        """Delete a policy; what is gone already is no error."""
        _policies.pop(physical_id, None)


def _key(properties: Mapping[str, Any]) -> Key:
    return tuple(str(properties.get(name, "")) for name in _NAMED_BY)


def _is_asked(one: Mapping[str, Any], request: Mapping[str, Any]) -> bool:
    return (
        one["ServiceNamespace"] == request.get("ServiceNamespace")
        and request.get("ScalableDimension") in (None, one["ScalableDimension"])
        and one["ResourceId"]
        in (request.get("ResourceIds") or [request.get("ResourceId"), one["ResourceId"]])
    )
