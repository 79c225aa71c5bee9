"""Overlay of AWS::Events::Rule: Ref gives the bus and the name of a rule on another bus than the default one.

MiniStack gives the name alone, by which no API finds the rule. Source: CloudFormation Template Reference, "AWS::Events::Rule",
Return values; EventBridge API Reference, "DescribeRule".
"""

from __future__ import annotations

from typing import Any

from ministack.services.cloudformation import drift, provisioners

from verification.embedded.server import require
from verification.embedded.server.cloudformation import hooks
from verification.embedded.server.cloudformation.hooks import Made, Properties

require(provisioners, "_eb_rule_bus_name")
require(drift, "_DRIFT_READERS")

RULE = "AWS::Events::Rule"
DEFAULT_BUS = "default"


def install() -> None:
    """Lay the overlay over MiniStack."""
    its = hooks.handler(RULE)
    make, change, remove = its["create"], its["update"], its["delete"]

    def create(logical_id: str, properties: Properties, stack_name: str) -> Made:
        name, attributes = make(logical_id, properties, stack_name)
        return _with_bus(name, properties), attributes

    def update(physical_id: str, old: Properties, new: Properties, stack_name: str, *rest: Any) -> Made:
        name, attributes = change(_name(physical_id), old, new, stack_name, *rest)
        return _with_bus(name, new), attributes

    def delete(physical_id: str, properties: Properties) -> None:
        remove(_name(physical_id), properties)

    its.update(create=create, update=update, delete=delete)
    read, compared = drift._DRIFT_READERS[RULE]
    drift._DRIFT_READERS[RULE] = (lambda id_, declared: read(_name(id_), declared), compared)


def _with_bus(name: str, properties: Properties) -> str:
    bus: str = provisioners._eb_rule_bus_name(properties)
    return name if bus == DEFAULT_BUS else f"{bus}|{name}"


def _name(physical_id: str) -> str:
    return physical_id.rpartition("|")[2]
