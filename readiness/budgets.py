"""The numbers of the engine and of every application: value, unit, source.

An application's own numbers stand with its checks.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Final

API_TIMEOUT_LIMIT: Final = timedelta(seconds=30)
"""API Gateway gives up on an integration after this. Source: Amazon API Gateway quotas for HTTP APIs."""

DEAD_LETTER_RECEIVES: Final = range(2, 11)
"""Deliveries before a job is put aside: once is no retry, more than ten is a loop. Source: own judgement."""

DEAD_LETTER_RETENTION: Final = timedelta(days=4)
"""Least time that a failed job has to be kept for the operator. Source: own judgement, a long weekend; also the
default of SQS."""

ERRORS_UNSEEN: Final = 10
"""Most errors in a period that may go by without an alarm. Source: own judgement."""

ALARM_SPAN: Final = timedelta(minutes=15)
"""Longest time that errors may continue before an alarm has to be raised. Source: own judgement."""

LOG_RETENTION: Final = timedelta(days=400)
"""Longest that a log may be kept; users' addresses stand in it. Source: own judgement, a year and a month."""

LEAST_LOG_RETENTION: Final = timedelta(days=7)
"""Least time that a log has to be kept, if the application declares no other. Source: own judgement: what failed on Friday
evening is looked into on Monday, and compared with the days before. Security Hub's CloudWatch.16 asks for a year, too much
for a stack that people try things out on."""

RUNTIME_NOTICE: Final = timedelta(days=183)
"""A runtime has to be supported for at least this long. Source: checklist SEC-18, six months."""

LOG_DEADLINE: Final = timedelta(seconds=120)
"""How long a check waits for log events. Source: own judgement; CloudWatch Logs gives no bound, and 90 s are known."""

CLOCK_SKEW: Final = timedelta(minutes=5)
"""How far the verifier's clock and AWS's may be apart. Source: signed requests are refused beyond it (SigV4)."""

HSTS: Final = timedelta(days=365)
"""Least time for which the response header makes browsers require TLS. Source: hstspreload.org, one year."""

RUNTIME_DEPRECATION: Final = {
    "dotnet6": date(2024, 12, 20),
    "dotnet8": date(2026, 11, 10),
    "dotnet9": date(2026, 11, 10),
    "dotnet10": date(2028, 11, 14),
    "dotnetcore1.0": date(2019, 6, 27),
    "dotnetcore2.0": date(2019, 5, 30),
    "dotnetcore2.1": date(2022, 1, 5),
    "dotnetcore3.1": date(2023, 4, 3),
    "go1.x": date(2024, 1, 8),
    "java8": date(2024, 1, 8),
    "java8.al2": date(2027, 6, 30),
    "java11": date(2027, 6, 30),
    "java17": date(2027, 6, 30),
    "java21": date(2029, 6, 30),
    "java25": date(2029, 6, 30),
    "nodejs": date(2016, 8, 30),
    "nodejs4.3": date(2020, 3, 5),
    "nodejs4.3-edge": date(2020, 3, 5),
    "nodejs6.10": date(2019, 8, 12),
    "nodejs8.10": date(2020, 3, 6),
    "nodejs10.x": date(2021, 7, 30),
    "nodejs12.x": date(2023, 3, 31),
    "nodejs14.x": date(2023, 12, 4),
    "nodejs16.x": date(2024, 6, 12),
    "nodejs18.x": date(2025, 9, 1),
    "nodejs20.x": date(2026, 4, 30),
    "nodejs22.x": date(2027, 4, 30),
    "nodejs24.x": date(2028, 4, 30),
    "provided": date(2024, 1, 8),
    "provided.al2": date(2026, 7, 31),
    "provided.al2023": date(2029, 6, 30),
    "python2.7": date(2021, 7, 15),
    "python3.6": date(2022, 7, 18),
    "python3.7": date(2023, 12, 4),
    "python3.8": date(2024, 10, 14),
    "python3.9": date(2025, 12, 15),
    "python3.10": date(2026, 10, 31),
    "python3.11": date(2027, 6, 30),
    "python3.12": date(2028, 10, 31),
    "python3.13": date(2029, 6, 30),
    "python3.14": date(2029, 6, 30),
    "ruby2.5": date(2021, 7, 30),
    "ruby2.7": date(2023, 12, 7),
    "ruby3.2": date(2026, 3, 31),
    "ruby3.3": date(2027, 3, 31),
    "ruby3.4": date(2028, 3, 31),
    "ruby4.0": date(2029, 3, 31),
}
"""When Lambda stops patching a runtime. Source: AWS Lambda developer guide, "Lambda runtimes", as cfn-lint has it."""

ACTIONS_WITHOUT_RESOURCE: Final = frozenset({"xray:PutTelemetryRecords", "xray:PutTraceSegments"})
"""What can be granted on resource `*` alone. Source: Service Authorization Reference, "AWS X-Ray"."""

EDGE_LOG_DEADLINE: Final = timedelta(seconds=20)
"""How long a check waits for the first file of a distribution that has none yet. Source: own judgement."""

CONSISTENCY_DEADLINE: Final = timedelta(seconds=10)
"""How long a list may lag behind what was written. Source: DynamoDB's indexes follow within a second as a rule."""

ERROR_CACHE: Final = timedelta(seconds=10)
"""Longest that the CDN may remember an error. Source: checklist CDN-12; also CloudFront's own default."""

DRIFT_DEADLINE: Final = timedelta(minutes=5)
"""How long CloudFormation may compare. Source: own judgement; a stack of forty resources takes it about a minute."""

QUOTA_USE: Final = 0.8
"""Largest part of a quota that may be in use. Source: checklist INF-08, 80 %."""

BUDGET_ALARM_PERCENT: Final = 80.0
"""Highest share of the monthly budget at which a first notification is sent. Source: checklist INF-16."""

SAMPLES_FOR_PERCENTILE: Final = 10
"""Fewest samples that a 95th percentile is taken of. Specification: ten cold starts."""

INVALIDATION_DEADLINE: Final = timedelta(minutes=5)
"""How long a check waits for an invalidation. Source: own judgement; CloudFront mostly takes under a minute."""

REQUESTS_OF_AN_ITEM: Final = 600
"""Most requests that one item may send to API and CDN, so that no check becomes a load. Source: own judgement; the
burst of INF-06 is the most that one needs."""

RUN_USD: Final = 1.0
"""What one run may spend at the AI providers, unless `--budget` says otherwise. Source: own judgement; a whole run makes
about 22 images, at some 4 cents each."""

UNPRICED_IMAGE_USD: Final = 0.25
"""What an image of a model without a known price is reckoned at. Source: own judgement; above every price of the list."""

UNTOLD_IMAGE_USD: Final = 0.05
"""What an image is reckoned at while the API does not tell which models it asks. Source: own judgement; about the mean
of the list."""

ITEM_LIMITS: Final[Mapping[str, Mapping[str, timedelta]]] = {
    "emulated": {
        "read-only": timedelta(minutes=1),
        "active": timedelta(minutes=4),
        "paid": timedelta(minutes=4),
        "browser": timedelta(minutes=4),
        "static": timedelta(minutes=5),
        "drill": timedelta(minutes=10),
    },
    "AWS": {
        "read-only": timedelta(minutes=5),
        "active": timedelta(minutes=15),
        "paid": timedelta(minutes=15),
        "browser": timedelta(minutes=10),
        "static": timedelta(minutes=10),
        "drill": timedelta(hours=2),
    },
}
"""How long one check may take, setup included, by what it takes. Source: own judgement; about twenty times what each kind
took on two idle processors, and on AWS what its slowest operations take (a distribution, a rollback) twice."""

CLEAN_UP_LIMIT: Final[Mapping[str, Mapping[str, timedelta]]] = {
    "emulated": {
        "read-only": timedelta(seconds=15),
        "active": timedelta(seconds=30),
        "paid": timedelta(seconds=30),
        "browser": timedelta(seconds=15),
        "static": timedelta(seconds=15),
        "drill": timedelta(minutes=1),
    },
    "AWS": {
        "read-only": timedelta(seconds=30),
        "active": timedelta(minutes=2),
        "paid": timedelta(minutes=2),
        "browser": timedelta(seconds=30),
        "static": timedelta(seconds=30),
        "drill": timedelta(minutes=45),
    },
}
"""How long a check may take to put back what it has changed, before its process is ended. Source: own judgement; a drill on
AWS deletes a stack with a distribution."""

RUN_DEADLINE: Final[Mapping[str, timedelta]] = {"emulated": timedelta(minutes=30), "AWS": timedelta(hours=4)}
"""How long a whole run may take unless `--deadline` says otherwise. Source: own judgement."""

VISIBILITY_FACTOR: Final = 6
"""A message should stay hidden for this many times its function's timeout. Source: Lambda Developer Guide, "Configuring
a queue to use with Lambda"."""

LONGEST_RETENTION: Final = timedelta(days=14)
"""Longest that SQS keeps a message. Source: Amazon SQS Developer Guide, "Amazon SQS message quotas"."""
HTTP_TIMEOUT: Final = timedelta(seconds=30)
"""Longest that an HTTP API waits for an integration. Source: Amazon API Gateway quotas for HTTP APIs."""
REST_TIMEOUT: Final = timedelta(seconds=29)
"""How long a REST API waits for an integration that sets nothing else. Source: Amazon API Gateway quotas for REST APIs."""

UNRESERVED_CONCURRENCY: Final = 100
"""Executions that Lambda keeps for functions without a reservation. Source: Lambda Developer Guide, "Reserved concurrency"."""

LOG_LINES_READ: Final = 500
"""Latest lines of a log group that are looked through for credentials. Source: own judgement, one or two pages."""

LOG_LINES_AGE: Final = timedelta(hours=24)
"""How old these lines may be. Source: own judgement."""

ALARM_COUNT: Final = 1000
"""Most failures in a period that may go by without an alarm in any application. Source: own judgement."""

FRESH_PAGE_CACHED: Final = timedelta(minutes=1)
"""Longest that an edge may keep a page that forbids caching. Source: own judgement; the managed policy CachingOptimized has a
minimum of one second."""

EDGE_ERROR_CACHE: Final = timedelta(minutes=5)
"""Longest that any distribution may remember an error. Source: own judgement; CloudFront's default was this for years."""

ROUTES_ASKED: Final = 40
"""Most routes of one API that a check sends a request to. Source: own judgement, so that no check becomes a load."""

OUTAGE_FAILURES: Final = ALARM_COUNT
"""Failures a minute that have to raise an alarm in any application. Source: own judgement; a small one has alarms that are
raised by less."""

OUTAGE_SUCCESSES: Final = 100
"""Calls a minute that succeed all the same. Source: own judgement; in most outages some do, so the least of all values says nothing."""

OUTAGE_SPAN: Final = timedelta(minutes=30)
"""Longest time that an outage may last before an alarm has to be raised in any application. Source: twice the longest
evaluation in CloudWatch User Guide, "Best practice alarm recommendations", 15 periods of a minute; errors have 3 to 5."""

OUTAGE_REST: Final = timedelta(hours=12)
"""Time after the end of an outage, after which a new outage has to raise the alarm again. Source: own judgement; an
alarm that evaluates a whole day reports the morning's outage and not the evening's."""

BACKLOG_SPAN: Final = timedelta(days=2)
"""How long a queue may fill before an alarm has to be raised in any application. Source: own judgement; half of the four
days for which SQS keeps a message by default."""

LAG_SPAN: Final = timedelta(hours=24)
"""How long the consumer of a stream may fall behind before an alarm has to be raised in any application. Source: DynamoDB Developer
Guide, "Change data capture for DynamoDB Streams", which keep a record so long, as Kinesis does by default."""

LONGEST_LAG_SPAN: Final = timedelta(days=7)
"""The same for a stream of Kinesis that keeps records for longer, at most. Source: own judgement; a week of lag is an outage."""

LEAST_BURST_SHARE: Final = 0.5
"""Least share of its rate limit that a route takes at once. With less, traffic within the rate is refused whenever it comes
unevenly. Source: Amazon API Gateway quotas, whose own burst for an account is half its rate."""

LONGEST_VISIBILITY: Final = timedelta(seconds=6 * 900 + 300)
"""Longest that a message that a function reads has to stay hidden: six times the longest timeout of a function, and the longest
batching window. Source: Lambda Developer Guide, "Configuring an Amazon SQS queue to use with Lambda", and "Lambda quotas"."""

LEAST_VISIBILITY_FACTOR: Final = 2
"""A message has to stay hidden for at least this many times its function's timeout. Source: own judgement: a batch that was
throttled once is tried again within the same time."""
