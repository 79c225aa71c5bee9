"""Overlay of CloudWatch's alarms: metric math in a template, refusals, and an evaluation that knows dimensions and gaps.

MiniStack evaluates an alarm only when a caller puts metric data, over every series of the metric's name, with any
dimensions. So an alarm on the wrong function would fire like the right one. Source: CloudWatch User Guide,
"Evaluating an alarm", "Configuring how CloudWatch alarms treat missing data", "Using math expressions"; CloudWatch API
Reference, "PutMetricAlarm".
"""

from __future__ import annotations

import ast
import logging
import operator
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from ministack.core import iam_evaluator
from ministack.core.responses import request_scope
from ministack.services import cloudwatch, sqs
from ministack.services.cloudformation import provisioners

from verification.embedded.server import pace, require
from verification.embedded.server.cloudformation import hooks
from verification.embedded.server.context import Context

require(
    cloudwatch,
    "_alarms",
    "_calc_stats",
    "_dims_from_list",
    "_dims_key",
    "_dispatch_alarm_actions",
    "_error",
    "_evaluate_alarm",
    "_evaluate_parent_alarms",
    "_metrics",
    "_p",
    "_put_metric_alarm",
    "_record_history",
    "_stat_value",
    "record_metric",
)
require(iam_evaluator, "pin_request_origin")
require(provisioners, "_cw_metric_alarm_record")
require(sqs, "_queues")

logger = logging.getLogger("embedded.alarms")

EVALUATION_SECONDS = 2.0
QUEUE_SAMPLE_SECONDS = 10.0
BREACHES: dict[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": operator.ge,
    "GreaterThanThreshold": operator.gt,
    "LessThanOrEqualToThreshold": operator.le,
    "LessThanThreshold": operator.lt,
}
OPERATIONS: dict[type[ast.AST], Callable[..., float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
}
COMPARISONS: dict[type[ast.AST], Callable[[float, float], bool]] = {
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
Series = dict[int, float]
_RULE = ("AlarmName", "Period", "EvaluationPeriods", "DatapointsToAlarm", "Statistic", "ExtendedStatistic")
_SHORT_PERIODS = (10, 20, 30)  # seconds; any other is a multiple of a minute
_MINUTE, _HOUR, _DAY, _WEEK = 60, 3600, 86_400, 604_800


def install(context: Context) -> None:
    """Lay the overlay over MiniStack and evaluate every alarm from now on."""
    record, put = provisioners._cw_metric_alarm_record, cloudwatch._put_metric_alarm

    def alarm_record(name: str, properties: hooks.Properties) -> dict[str, Any]:
        if why := refusal(properties):
            raise ValueError(f"{why} (Service: CloudWatch, Status Code: 400, Error Code: ValidationError)")
        if not properties.get("Metrics"):
            plain: dict[str, Any] = record(name, properties)
            return _with_one_statistic(plain)
        # MiniStack takes a single metric only; the stand-ins give way to the queries.
        stand_in = {**properties, "Metrics": None, "Namespace": "-", "MetricName": "-"}
        made: dict[str, Any] = record(name, stand_in)
        for member in (
            "Namespace",
            "MetricName",
            "Statistic",
            "ExtendedStatistic",
            "Period",
            "Dimensions",
            "Unit",
        ):
            made.pop(member, None)
        made["Metrics"] = [metric_query(query) for query in properties["Metrics"]]
        return made

    def put_metric_alarm(params: Any, body: Any, *protocol: bool) -> Any:
        asked = body if any(protocol) else {name: cloudwatch._p(params, name) for name in _RULE}
        queries = asked.get("Metrics") or cloudwatch._p(params, "Metrics.member.1.Id")
        if why := refusal({**asked, "Metrics": queries}):
            is_cbor, is_json = protocol
            return cloudwatch._error("ValidationError", why, 400, use_json=is_json, use_cbor=is_cbor)
        answer = put(params, body, *protocol)
        _with_one_statistic(cloudwatch._alarms[asked["AlarmName"]])
        return answer

    provisioners._cw_metric_alarm_record = alarm_record
    cloudwatch._put_metric_alarm = put_metric_alarm
    cloudwatch._evaluate_alarm = lambda alarm: evaluate(alarm, context)
    threading.Thread(target=_watch, args=(context,), name="alarms", daemon=True).start()


def _with_one_statistic(alarm: dict[str, Any]) -> dict[str, Any]:
    """MiniStack adds the statistic Average to an alarm on a percentile; DescribeAlarms of AWS names the percentile alone."""
    if alarm.get("ExtendedStatistic"):
        alarm["Statistic"] = None
    return alarm


def refusal(asked: Mapping[str, Any]) -> str:
    """Return why PutMetricAlarm refuses the rule of an alarm, '' if it does not."""
    return next(_refusals(asked), "")


def _refusals(asked: Mapping[str, Any]) -> Iterator[str]:
    periods, period = int(asked.get("EvaluationPeriods") or 0), period_of(asked)
    if not periods:
        yield (
            "1 validation error detected: Value null at 'evaluationPeriods' failed to satisfy constraint: "
            "Member must not be null"
        )
    if periods < int(asked.get("DatapointsToAlarm") or 0):
        yield "DatapointsToAlarm must be less than or equal to EvaluationPeriods"
    if not asked.get("Metrics"):
        if bool(asked.get("Statistic")) == bool(asked.get("ExtendedStatistic")):
            yield "Exactly one of Statistic and ExtendedStatistic must be specified with MetricName"
        if not period:
            yield "Period must be specified with MetricName"
    if period % _MINUTE and period not in _SHORT_PERIODS:
        yield f"Period must be 10, 20, 30 or a multiple of 60, not {period}"
    longest = _DAY if period < _HOUR else _WEEK
    if period * periods > longest:
        yield f"EvaluationPeriods times Period must be at most {longest} seconds, not {period * periods}"


def metric_query(declared: Mapping[str, Any]) -> dict[str, Any]:
    """Return one metric data query with the API's types."""
    made = dict(declared)
    if "ReturnData" in made:
        made["ReturnData"] = hooks.as_bool(made["ReturnData"])
    if "Period" in made:
        made["Period"] = int(made["Period"])
    if "MetricStat" in made:
        made["MetricStat"] = {**made["MetricStat"], "Period": int(made["MetricStat"]["Period"])}
    return made


def _watch(context: Context) -> None:
    sampled = 0.0
    # What an alarm sets off goes from service to service, over TLS: a policy that refuses plain HTTP lets it pass.
    iam_evaluator.pin_request_origin("127.0.0.1", secure_transport=True)
    while True:
        time.sleep(context.pace.seconds(pace.ALARM_EVALUATION) or EVALUATION_SECONDS)
        with request_scope(context.account_id, context.region):
            if time.monotonic() - sampled >= QUEUE_SAMPLE_SECONDS:
                sampled = time.monotonic()
                sample_queues()
            for alarm in list(cloudwatch._alarms.values()):
                try:
                    evaluate(alarm, context)
                except Exception:
                    logger.exception("alarm %s cannot be evaluated", alarm.get("AlarmName"))


def sample_queues() -> None:
    """Publish how many messages each queue holds and how old they are, as SQS does every minute for an active queue."""
    now = time.time()
    for queue in list(sqs._queues.values()):
        visible = [one for one in list(queue["messages"]) if one.get("visible_at", 0) <= now]
        values = {
            "ApproximateNumberOfMessagesVisible": len(visible),
            "ApproximateNumberOfMessagesNotVisible": len(queue["messages"]) - len(visible),
            "ApproximateAgeOfOldestMessage": max(
                (now - one["sent_at"] for one in list(queue["messages"])), default=0
            ),
        }
        for name, value in values.items():
            unit = "Seconds" if name == "ApproximateAgeOfOldestMessage" else "Count"
            cloudwatch.record_metric("AWS/SQS", name, value, unit, {"QueueName": queue["name"]})


def evaluate(alarm: dict[str, Any], context: Context) -> None:
    """Bring one alarm to the state that its metric's latest periods call for, and tell its actions."""
    now = time.time()
    # CloudWatch looks at the latest periods that it has values of.
    wanted, reason = judge(alarm, now - context.pace.seconds(pace.METRICS))
    before = alarm["StateValue"]
    if wanted is None or wanted == before:
        return
    alarm["StateValue"] = wanted
    alarm["StateReason"] = reason
    alarm["StateUpdatedTimestamp"] = int(now)
    cloudwatch._record_history(alarm["AlarmName"], before, wanted, reason)
    cloudwatch._dispatch_alarm_actions(alarm, before, wanted, reason)
    cloudwatch._evaluate_parent_alarms(alarm)


def judge(alarm: Mapping[str, Any], now: float) -> tuple[str | None, str]:
    """Return the state that an alarm should be in (None: as it is) and the reason."""
    period = period_of(alarm)
    wanted = int(alarm.get("EvaluationPeriods") or 1)
    needed = int(alarm.get("DatapointsToAlarm") or wanted)
    series = values(alarm, period, now, wanted)
    points = [series.get(age) for age in range(wanted)]
    treatment = alarm.get("TreatMissingData") or "missing"
    breaches = BREACHES[alarm["ComparisonOperator"]]
    threshold = float(alarm["Threshold"])
    known = [point for point in points if point is not None]
    if not known and treatment in ("missing", "ignore"):
        state = "INSUFFICIENT_DATA" if treatment == "missing" else None
        return state, f"Insufficient Data: {wanted} datapoints were unknown."
    missing = wanted - len(known)
    bad = sum(1 for point in known if breaches(point, threshold))
    bad += missing if treatment == "breaching" else 0
    state = "ALARM" if bad >= min(needed, wanted) else "OK"
    shown = ", ".join(f"{point:g}" for point in known) or "no datapoints"
    return (
        state,
        f"Threshold Crossed: [{shown}] against {alarm['ComparisonOperator']} {threshold:g} ({state}).",
    )


def period_of(alarm: Mapping[str, Any]) -> int:
    """Return an alarm's period in seconds, 0 for none; with metric math the longest of its queries."""
    if not isinstance(alarm.get("Metrics"), list):
        return int(alarm.get("Period") or 0)
    found = [
        query.get("Period") or (query.get("MetricStat") or {}).get("Period") or 0
        for query in alarm["Metrics"]
    ]
    return max((int(period) for period in found), default=0)


def values(alarm: Mapping[str, Any], period: int, now: float, count: int) -> Series:
    """Return the alarm's value in each of its latest periods that has one, by the period's age (0: up to now)."""
    if not alarm.get("Metrics"):
        statistic = alarm.get("ExtendedStatistic") or alarm.get("Statistic") or "Average"
        return series_of(
            alarm["Namespace"],
            alarm["MetricName"],
            alarm.get("Dimensions") or [],
            statistic,
            period,
            now=now,
            count=count,
        )
    known: dict[str, Series] = {}
    for query in alarm["Metrics"]:
        if "MetricStat" in query:
            wanted = query["MetricStat"]
            metric = wanted["Metric"]
            known[query["Id"]] = series_of(
                metric["Namespace"],
                metric["MetricName"],
                metric.get("Dimensions") or [],
                wanted["Stat"],
                period,
                now=now,
                count=count,
            )
    ages, metrics = range(count), list(known)
    expressions = [query for query in alarm["Metrics"] if "Expression" in query]
    # An expression may use another one, in any order.
    for _ in expressions:
        for query in expressions:
            known[query["Id"]] = compute(listed(query["Expression"], metrics), known, ages)
    returned = [query["Id"] for query in alarm["Metrics"] if query.get("ReturnData", True)]
    return known.get(returned[-1], {}) if returned else {}


def series_of(
    namespace: str,
    name: str,
    dimensions: Sequence[Mapping[str, str]],
    statistic: str,
    period: int,
    *,
    now: float,
    count: int,
) -> Series:
    """Return one metric's statistic by age of the period: exactly these dimensions, as CloudWatch matches them."""
    key = (namespace, name, cloudwatch._dims_key(cloudwatch._dims_from_list(list(dimensions))))
    grouped: dict[int, list[Any]] = {}
    for point in list(cloudwatch._metrics.get(key) or ()):
        age = int(max(0.0, now - point["Timestamp"]) // period)
        if age < count:
            grouped.setdefault(age, []).append(point)
    found = {
        age: cloudwatch._stat_value(cloudwatch._calc_stats(points), statistic, points)
        for age, points in grouped.items()
    }
    return {age: float(value) for age, value in found.items() if value is not None}


def listed(expression: str, metrics: Sequence[str]) -> str:
    """Return an expression with METRICS() replaced by its list: all metrics, or those with a text in their id."""
    return re.sub(
        r"METRICS\(\s*(?:(['\"])(.*?)\1)?\s*\)",
        lambda found: f"[{', '.join(id_ for id_ in metrics if (found[2] or '') in id_)}]",
        expression,
        flags=re.IGNORECASE,
    )


def compute(expression: str, known: Mapping[str, Series], ages: Sequence[int]) -> Series:
    """Return a math expression's value in each period where it has one."""
    tree = ast.parse(expression.strip(), mode="eval").body
    found = {}
    for age in ages:
        try:
            value = term(tree, {name: series.get(age) for name, series in known.items()})
        except ZeroDivisionError:
            continue
        if value is not None:
            found[age] = value
    return found


def term(node: ast.AST, known: Mapping[str, float | None]) -> float | None:
    """Return the value of one term of an expression in one period; None when a metric has no value there.

    Raises:
        ValueError: The expression uses what this emulation does not know.
    """
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return float(node.value)
    if isinstance(node, ast.Name):
        return known.get(node.id)
    if isinstance(node, ast.UnaryOp) and type(node.op) in OPERATIONS:
        inner = term(node.operand, known)
        return None if inner is None else OPERATIONS[type(node.op)](inner)
    if isinstance(node, ast.BinOp) and type(node.op) in OPERATIONS:
        left, right = term(node.left, known), term(node.right, known)
        return None if left is None or right is None else OPERATIONS[type(node.op)](left, right)
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in COMPARISONS:
        left, right = term(node.left, known), term(node.comparators[0], known)
        return None if left is None or right is None else float(COMPARISONS[type(node.ops[0])](left, right))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return _function(node.func.id.upper(), node.args, known)
    raise ValueError(f"metric math '{ast.unparse(node)}' is beyond this emulation")


def _function(name: str, arguments: Sequence[ast.expr], known: Mapping[str, float | None]) -> float | None:
    if name == "FILL" and arguments:
        filled = term(arguments[0], known)
        return term(arguments[-1], known) if filled is None else filled
    if name == "IF" and arguments:
        condition, *branches = arguments
        chosen = term(condition, known)
        branch = branches[:1] if chosen else branches[1:2]
        return term(branch[0], known) if branch and chosen is not None else None
    if name in ("SUM", "MAX", "MIN", "AVG") and len(arguments) == 1 and isinstance(arguments[0], ast.List):
        items = [value for value in (term(item, known) for item in arguments[0].elts) if value is not None]
        if not items:
            return None
        return {"SUM": sum(items), "MAX": max(items), "MIN": min(items), "AVG": sum(items) / len(items)}[name]
    raise ValueError(f"metric math function {name} is beyond this emulation")
