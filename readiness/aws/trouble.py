"""The metrics that AWS services publish during a failure. Alarms are judged by these series.

Sources: the developer guides of Lambda, SQS, API Gateway, Step Functions and CloudFront, each its page on CloudWatch metrics.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from readiness.aws.alarm_evaluation import Course, Trouble, Values

_LEAD: Final = 30  # minutes without trouble before anything happens
_FORMER: Final = 10  # minutes that an earlier trouble takes
_FEW: Final = 12  # messages and ages are counted again so often in the stated time
_QUICK_MS: Final = 50.0
Metrics = Mapping[
    tuple[str, str], tuple[str, Values, Values]
]  # unit, what is published in good times and in bad


@dataclass(frozen=True)
class Strength:
    """How bad a trouble is.

    Args:
        failing: failed calls a minute.
        succeeding: successful calls a minute.
        rest: time since the end of an earlier failure of the same kind. An alarm has to report both.
        within: time in which an alarm has to report the failure.
        busy: whether there are calls while nothing fails.
        wider: whether an alarm on all resources together counts, or one on an alias or a stage.
    """

    failing: int
    succeeding: int
    rest: timedelta
    within: timedelta
    busy: bool
    wider: bool

    def trouble(self, what: str, dimensions: Mapping[str, str], metrics: Metrics) -> Trouble:
        """The same trouble twice, with a rest between."""
        rest, within = (int(time / timedelta(minutes=1)) for time in (self.rest, self.within))
        courses = {
            name: Course(unit, ((_LEAD, good), (_FORMER, bad), (rest, good), (within, bad)))
            for name, (unit, good, bad) in metrics.items()
        }
        begins = _LEAD + _FORMER + rest
        return Trouble(what, begins, begins + within, courses, dimensions, self.wider)

    def _quiet(self, values: Values) -> Values:
        return values if self.busy else {}

    @property
    def calls(self) -> int:
        """A minute."""
        return self.failing + self.succeeding

    @property
    def _each(self) -> tuple[str, Values, Values]:
        """A metric that is 1 for a call that fails and 0 for another one."""
        return "Count", self._quiet({0.0: self.calls}), {0.0: self.succeeding, 1.0: self.failing}

    @property
    def _calls(self) -> tuple[str, Values, Values]:
        return "Count", self._quiet({1.0: self.calls}), {1.0: self.calls}

    @property
    def _none(self) -> tuple[str, Values, Values]:
        return "Count", self._quiet({0.0: self.calls}), {0.0: self.calls}

    def _times(self, slow_ms: float) -> tuple[str, Values, Values]:
        quiet = self._quiet({_QUICK_MS: self.calls})
        return "Milliseconds", quiet, Counter({_QUICK_MS: self.succeeding}) + Counter({slow_ms: self.failing})

    def _of_function(self, what: str, name: str, **changed: tuple[str, Values, Values]) -> Trouble:
        usual = {
            "Invocations": self._calls,
            "Errors": self._none,
            "Throttles": self._none,
            "Duration": self._times(_QUICK_MS),
        }
        metrics = {("AWS/Lambda", metric): values for metric, values in {**usual, **changed}.items()}
        return self.trouble(
            f"{self.failing} calls of {name} a minute {what}", {"FunctionName": name}, metrics
        )

    def errors(self, function: str) -> Trouble:
        """Calls of a function fail."""
        return self._of_function("fail", function, Errors=self._each)

    def throttles(self, function: str) -> Trouble:
        """Calls of a function are refused."""
        return self._of_function("are refused", function, Throttles=self._each)

    def slowness(self, function: str, lasts: timedelta) -> Trouble:
        """Calls of a function take so long."""
        slow_ms = lasts / timedelta(milliseconds=1)
        what = f"take {lasts.total_seconds():g} s"
        return self._of_function(what, function, Duration=self._times(slow_ms))

    def server_errors(self, dimensions: Mapping[str, str]) -> Trouble:
        """Answers of an API are 5xx."""
        failed = {"5xx": self._each, "5XXError": self._each}
        return self._of_api("are 5xx", dimensions, **failed)

    def slow_answers(self, dimensions: Mapping[str, str], lasts: timedelta) -> Trouble:
        """Answers of an API take so long."""
        slow = self._times(lasts / timedelta(milliseconds=1))
        what = f"take {lasts.total_seconds():g} s"
        return self._of_api(what, dimensions, Latency=slow, IntegrationLatency=slow)

    def _of_api(
        self, what: str, dimensions: Mapping[str, str], **changed: tuple[str, Values, Values]
    ) -> Trouble:
        usual = {
            "Count": self._calls,
            "Latency": self._times(_QUICK_MS),
            "IntegrationLatency": self._times(_QUICK_MS),
        }
        of_both = dict.fromkeys(("5xx", "5XXError", "4xx", "4XXError"), self._none)
        # An HTTP API has no metric of a REST API's, and the other way round.
        theirs = {"5XXError", "4XXError"} if "ApiId" in dimensions else {"5xx", "4xx"}
        by_name = {
            **usual,
            **of_both,
            **changed,
            **{name: ("Count", {}, {}) for name in theirs},
        }
        metrics = {("AWS/ApiGateway", name): values for name, values in by_name.items()}
        named = f"{self.failing} answers of {next(iter(dimensions.values()))} a minute {what}"
        return self.trouble(named, dimensions, metrics)

    def lines(self, made: Mapping[str, Any]) -> Trouble:
        """Lines that a metric filter counts are written, by one of its transformations."""
        unit, default = made.get("unit", "None"), made.get("defaultValue")
        good: Values = self._quiet({float(default): self.calls}) if default is not None else {}
        metrics = {(made["metricNamespace"], made["metricName"]): (unit, good, {1.0: self.failing})}
        return self.trouble(f"{self.failing} lines a minute tell of failures", {}, metrics)

    def failed_executions(self, machine: str) -> Trouble:
        """Executions of a state machine fail."""
        metrics = {
            **{
                ("AWS/States", name): self._none
                for name in ("ExecutionsTimedOut", "ExecutionsAborted", "ExecutionThrottled")
            },
            **{("AWS/States", name): self._calls for name in ("ExecutionsStarted",)},
            ("AWS/States", "ExecutionsFailed"): self._each,
            ("AWS/States", "ExecutionsSucceeded"): self._each,
        }
        return self.trouble(f"{self.failing} executions a minute fail", {"StateMachineArn": machine}, metrics)

    def error_rate(self, distribution: str) -> Trouble:
        """Answers of a distribution are 5xx."""
        rate = ("Percent", self._quiet({0.0: 1}), {100.0 * self.failing / self.calls: 1})
        metrics = {
            ("AWS/CloudFront", "5xxErrorRate"): rate,
            ("AWS/CloudFront", "TotalErrorRate"): rate,
            ("AWS/CloudFront", "4xxErrorRate"): ("Percent", self._quiet({0.0: 1}), {0.0: 1}),
            ("AWS/CloudFront", "Requests"): (
                "None",
                self._quiet({1.0: self.calls}),
                {1.0: self.calls},
            ),
        }
        dimensions = {"DistributionId": distribution, "Region": "Global"}
        return self.trouble(
            f"{self.failing} of {self.calls} answers of {distribution} a minute are 5xx", dimensions, metrics
        )

    def dead_letter(self, queue: str) -> Trouble:
        """A single message lies in a queue, from the beginning of the trouble on. SQS counts once a minute."""
        metrics = {
            ("AWS/SQS", "ApproximateNumberOfMessagesVisible"): ("Count", self._quiet({0.0: 1}), {1.0: 1}),
            ("AWS/SQS", "ApproximateNumberOfMessagesNotVisible"): ("Count", self._quiet({0.0: 1}), {0.0: 1}),
        }
        return self.trouble(f"a message lies in {queue}", {"QueueName": queue}, metrics)

    def waiting(self, queue: str) -> Trouble:
        """Return the failure in which no consumer takes messages out of a queue. Their number and age grow."""
        courses = {
            ("AWS/SQS", "ApproximateAgeOfOldestMessage"): self._growing("Seconds", 60),
            ("AWS/SQS", "ApproximateNumberOfMessagesVisible"): self._growing("Count", self.failing),
        }
        what = f"{queue} receives {self.failing} messages a minute and no consumer reads them"
        return self._growth(what, {"QueueName": queue}, courses)

    def lag(self, function: str) -> Trouble:
        """Return the failure in which a function gets stuck at a record of a stream. The record's age grows."""
        courses = {("AWS/Lambda", "IteratorAge"): self._growing("Milliseconds", 60_000)}
        return self._growth(f"{function} is stuck at a record", {"FunctionName": function}, courses)

    def _growing(self, unit: str, a_minute: float) -> Course:
        """A metric that is zero in good times, and then grows by so much a minute."""
        within = int(self.within / timedelta(minutes=1))
        step = max(within // _FEW, 1)
        grown = [(step, {float(a_minute * step * number): 1}) for number in range(within // step)]
        return Course(unit, ((_LEAD, self._quiet({0.0: 1})), *grown))

    def _growth(
        self, what: str, dimensions: Mapping[str, str], courses: Mapping[tuple[str, str], Course]
    ) -> Trouble:
        end = _LEAD + int(self.within / timedelta(minutes=1))
        return Trouble(what, _LEAD, end, courses, dimensions, self.wider)
