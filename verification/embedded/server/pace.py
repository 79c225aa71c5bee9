"""How slow and how loose the embedded AWS is: not at all by default, or as AWS is at its worst (`--pessimistic`).

Every number once, with its source. What AWS publishes no number for is what its users report; that is said as *known*.
Delays run on a clock that `--speed` makes faster: at 20 a log event that takes AWS 90 s takes 4.5 s.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final


@dataclass(frozen=True)
class Span:
    """A delay that differs from time to time."""

    least: timedelta
    most: timedelta


LOG_EVENTS: Final = Span(timedelta(seconds=5), timedelta(seconds=90))
"""Until an event can be read. Source: known; CloudWatch Logs User Guide gives no bound ("typically a few seconds")."""

METRICS: Final = Span(timedelta(minutes=3), timedelta(minutes=3))
"""Until a value is in a metric. Source: known; Lambda Developer Guide, "Viewing metrics", says one-minute intervals alone."""

ALARM_EVALUATION: Final = Span(timedelta(minutes=1), timedelta(minutes=1))
"""Between two evaluations of a metric. Source: CloudWatch User Guide, "Evaluating an alarm"."""

CHANGE_SET: Final = Span(timedelta(seconds=40), timedelta(seconds=40))
"""Until a change set can be executed. Source: known, of stacks with forty resources and the SAM transform."""

STACK_ROLLBACK: Final = Span(timedelta(minutes=1), timedelta(minutes=5))
"""Before the first resource is taken back. Source: known."""

STACK_DELETION: Final = Span(timedelta(minutes=1), timedelta(minutes=5))
"""What a deletion takes beside that of the distributions. Source: known."""

DISTRIBUTION: Final = Span(timedelta(minutes=3), timedelta(minutes=15))
"""Until a created, changed or deleted distribution is `Deployed` or gone. Source: CloudFront Developer Guide, "Distribution
settings" (`Deployed` "typically within minutes"), and known."""

INVALIDATION: Final = Span(timedelta(seconds=10), timedelta(minutes=2))
"""Until an invalidation is `Completed`. Source: known; CloudFront Developer Guide gives no bound."""

EDGE_LOG: Final = Span(timedelta(hours=1), timedelta(hours=24))
"""Until an access log is delivered. Source: CloudFront Developer Guide, "Access logs (standard logs)": within an hour mostly,
up to 24 hours late."""

EDGE_CACHES: Final = 3
"""Caches of one edge location, each of which has to miss once. Source: known; CloudFront Developer Guide, "How CloudFront
works with regional edge caches", promises no hit to a second request."""

GATEWAY_NODES: Final = 2
"""Token buckets that one throttle is spread over, none of which knows the others. Source: API Gateway Developer Guide,
"Throttle requests to your HTTP APIs": limits are targets, on a best-effort basis."""

IAM_CHANGE: Final = Span(timedelta(seconds=5), timedelta(seconds=30))
"""Until a changed policy of a role is what decides. Source: IAM User Guide, "Troubleshoot IAM", "Changes that I make are not
always immediately visible", which gives no bound; known."""

LISTED_METRICS: Final = Span(timedelta(minutes=15), timedelta(minutes=15))
"""Until a new metric is listed. Source: CloudWatch API Reference, "ListMetrics": up to 15 minutes."""

THROTTLED_CALLS: Final = 0.01
"""Part of the calls of a control plane that is refused as too frequent. Source: own judgement; other users of an account
share its rates, which few services publish."""

SEED: Final = 14
"""Of what is drawn, so that a run can be repeated. Source: none."""


@dataclass(frozen=True)
class Pace:
    """The embedded AWS's pace.

    Args:
        speed: how many times faster than AWS's its clock runs; None where nothing is slow or loose.
    """

    speed: float | None = None
    _drawn: random.Random = field(
        default_factory=lambda: random.Random(SEED),  # noqa: S311  # delays, no secret
        repr=False,
        compare=False,
    )

    @property
    def pessimistic(self) -> bool:
        """Whether anything is slower or looser than it needs to be."""
        return self.speed is not None

    def seconds(self, span: Span) -> float:
        """How long something takes this time; 0.0 where nothing is slow."""
        if self.speed is None:
            return 0.0
        drawn = self._drawn.uniform(span.least.total_seconds(), span.most.total_seconds())
        return drawn / self.speed

    def one_of(self, count: int) -> int:
        """Which of several stand-ins serves now; always the first where there is one of each."""
        return self._drawn.randrange(count) if self.pessimistic else 0

    def happens(self, part: float) -> bool:
        """Whether something happens that does so in that part of all cases; never where nothing is loose."""
        return self.pessimistic and self._drawn.random() < part
