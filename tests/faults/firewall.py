"""Faults of the web ACL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tests.faults.bench import Bench
from tests.faults.fault import fault


@fault("SEC-17", "the distribution has no web ACL")
def no_web_acl(bench: Bench) -> Iterator[None]:
    with bench.distribution_changed(lambda configuration: configuration.update(WebACLId="")):
        yield


@contextmanager
def _rules_changed(
    bench: Bench, change: Callable[[dict[str, Any]], dict[str, Any]], *more: dict[str, Any]
) -> Iterator[None]:
    """The web ACL with each of its rules changed, or removed where `change` returns none, and more rules."""
    client = bench.client("wafv2")
    name, id_, scope = bench.physical("CdnWebAcl").split("|")
    which = {"Name": name, "Id": id_, "Scope": scope}

    def write(rules: list[dict[str, Any]]) -> None:
        answer = client.get_web_acl(**which)
        kept = {key: answer["WebACL"][key] for key in ("DefaultAction", "Description", "VisibilityConfig")}
        client.update_web_acl(**which, **kept, Rules=rules, LockToken=answer["LockToken"])

    before = client.get_web_acl(**which)["WebACL"]["Rules"]
    write([*filter(None, map(change, before)), *more])
    try:
        yield
    finally:
        write(before)


@fault("SEC-17", "every rule of the web ACL merely counts")
def counting_web_acl(bench: Bench) -> Iterator[None]:
    def count(rule: dict[str, Any]) -> dict[str, Any]:
        return {**rule, **{key: {"Count": {}} for key in ("Action", "OverrideAction") if key in rule}}

    with _rules_changed(bench, count):
        yield


@fault("SEC-17", "the web ACL refuses everybody who is abroad")
def home_only(bench: Bench) -> Iterator[None]:
    abroad = {"NotStatement": {"Statement": {"GeoMatchStatement": {"CountryCodes": ["US", "CA"]}}}}
    rule = {
        "Name": "home-only",
        "Priority": 9,
        "Action": {"Block": {}},
        "Statement": abroad,
        "VisibilityConfig": {
            "SampledRequestsEnabled": True,
            "CloudWatchMetricsEnabled": True,
            "MetricName": "home",
        },
    }
    with _rules_changed(bench, lambda rule: rule, rule):
        yield


@fault("SEC-17", "the web ACL has no rule against floods")
def no_flood_rule(bench: Bench) -> Iterator[None]:
    with _rules_changed(bench, lambda rule: {} if "RateBasedStatement" in rule["Statement"] else rule):
        yield


@fault("SEC-17", "the web ACL takes a flood only after a million requests")
def flood_of_a_million(bench: Bench) -> Iterator[None]:
    def widened(rule: dict[str, Any]) -> dict[str, Any]:
        statement = rule["Statement"].get("RateBasedStatement")
        return (
            {**rule, "Statement": {"RateBasedStatement": {**statement, "Limit": 1000000}}}
            if statement
            else rule
        )

    with _rules_changed(bench, widened):
        yield


@fault("SEC-17", "AWS's list of known attackers merely counts")
def counting_group(bench: Bench) -> Iterator[None]:
    def count(rule: dict[str, Any]) -> dict[str, Any]:
        return {**rule, "OverrideAction": {"Count": {}}} if "OverrideAction" in rule else rule

    with _rules_changed(bench, count):
        yield
