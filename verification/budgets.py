"""Every number once: value, unit, source.

`specification` is the project's own statement of what production needs, docs/ARCHITECTURE.md repeats none of it.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

MODELS: Final = 9
"""Models that a job asks. Specification: nine by default."""

COVERAGE_PERCENT: Final = 70.0
"""Least line coverage on each side. Specification: 70 %."""

WORKER_TIMEOUT: Final = timedelta(seconds=900)
"""Specification; also the longest that Lambda lets a function run."""

WORKER_MEMORY_MB: Final = 3008
"""Specification."""

IMAGE_EXPIRY: Final = timedelta(days=30)
"""Specification: images live for thirty days."""

ROW_LIFETIME: Final = timedelta(days=31)
"""Most time that a row of the table may live on: as long as a job's images, and a day for code that counts in
whole days. An expiry in milliseconds, which DynamoDB reads as seconds, is thousands of years away. Source: own judgement."""

EDGE_ATTEMPTS: Final = 8
"""Requests until one has to hit: neighbouring edge caches may each miss once. Source: own judgement."""

IMAGES_SAMPLED: Final = 40
"""Newest images that are checked, and as many of all others. Source: own judgement; the images of the last four jobs show
what the worker makes now, and eighty requests to the edge take some three seconds."""
IMAGES_LISTED: Final = 10_000
"""Images that are listed to choose from. Source: own judgement; S3 lists a thousand in a call, so this is a second or two,
and more than a thousand jobs, where a full month at the hourly limit would be millions."""
RUNS_OWN_IMAGES: Final = timedelta(hours=1)
"""How long what a verification stores under `images/` may still be in use. Source: own judgement; a check takes minutes."""

IMAGE_CACHE: Final = timedelta(days=7)
"""Least time that an image may be cached. Specification: seven days or more, immutable."""

ASSET_CACHE: Final = timedelta(days=365)
"""How long a file that is named by its content is kept. Source: RFC 9111 gives no limit; a year is customary."""

GLOBAL_REQUESTS_PER_HOUR: Final = 1000
"""Specification."""

ADDRESS_REQUESTS_PER_DAY: Final = 50
"""Specification."""

API_RATE: Final = 50
"""Requests a second on each route. Specification."""

API_BURST: Final = 100
"""Requests at once on each route. Specification."""

DEAD_LETTER_DEADLINE: Final = timedelta(seconds=90)
"""How long a message that cannot be processed may take into the dead-letter queue. Source: the worker slows it down by
one second more at each of ten deliveries at most, and SQS moves it when it is asked for again."""

AT_ONCE_RATIO: Final = 0.5
"""Most time that a job of models which are asked at once may take, of what they take together. Source: own judgement;
nine at once take a ninth to a third of it, one after the other all of it."""

METRIC_DEADLINE: Final = timedelta(minutes=5)
"""How late CloudWatch may count an error. Source: own judgement; Lambda's metrics mostly appear within two minutes."""

ALARM_DEADLINE: Final = timedelta(minutes=2)
"""How long an alarm may take once CloudWatch counts the errors. Source: CloudWatch evaluates every minute."""

FAILURES_A_MINUTE: Final = 2
"""Failures a minute, of twice as many calls, that have to raise an alarm. Source: own judgement; ten in five minutes are no
chance any more, and a quiet service has few calls."""

ALARM_REST: Final = timedelta(hours=1)
"""How long after a failure ended the next one has to raise the alarm again. Source: own judgement; the operators who were
notified of the first believe by then that it is fixed."""

SLOW_PART: Final = 0.9
"""Part of a function's timeout that slow calls take, which has to raise an alarm. Source: own judgement; at the whole of it
the calls fail already."""

NOTIFICATION_DEADLINE: Final = timedelta(seconds=30)
"""How long a notification may take through the topic. Source: own judgement; SNS mostly delivers within a second."""

SAME_EVENT: Final = timedelta(seconds=2)
"""How far two of AWS's own time stamps of one event may be apart. Source: own judgement; they are rounded."""

JOB_DEADLINE: Final = timedelta(minutes=12)
"""How long a check waits for a job of nine models. Source: the worker gives a job 11 minutes, for a vendor that takes
three for an answer and fails; mostly it is a minute."""

STATUS_DEADLINE: Final = timedelta(seconds=45)
"""How long a job's status may answer nothing but errors. Source: own judgement; a table's throttling and a function's
failed starts pass in seconds, and the page gives up earlier."""

KEY_CHECK_DEADLINE: Final = timedelta(seconds=60)
"""How long the worker may take to try all vendors' keys. Source: it gives the vendors 30 s, and may start cold."""

VENDOR_PATIENCE: Final = timedelta(seconds=5)
"""The shortest time after which the worker gives up on a vendor. Source: `CONNECT_SECONDS` of the worker's transport."""

MODEL_NOTICE: Final = timedelta(days=90)
"""How long a configured model has to be served for yet. Source: checklist CONF-19; OpenAI gives three months' notice for
image models, "Deprecations"."""

MODEL_LOOK_UP: Final = timedelta(days=90)
"""How old the registry's word on a model's end may be. Source: own judgement, as long as the notice."""

DRILL_DEADLINE: Final = timedelta(seconds=60)
"""How long a drill of the worker may take. Source: own judgement; botocore's retries wait a few seconds each."""

S3_REFUSALS: Final = 2
"""How often a drill has S3 refuse an image: botocore's standard mode tries three times in all. Source: botocore,
"Retries", AWS's recommended number of attempts."""

LOG_MARGIN: Final = timedelta(seconds=2)
"""How long before the first line about a job its requests may have been logged. Source: own judgement."""

OVERSIZE_BODY_BYTES: Final = 64 * 1024
"""A body that no route takes. Source: backend/openapi.yaml; prompts get 16 KiB, browser reports 32 KiB."""

USERS_AT_ONCE: Final = 100
"""Users whose requests the API function has to carry at the same time. Specification."""

EDGE_LOG_DELAY: Final = timedelta(hours=24)
"""How late CloudFront may deliver an access log. Source: CloudFront Developer Guide, "Access logs (standard logs)"."""

PROMPT_CHARACTERS: Final = 1000
"""Longest prompt. Specification."""

STEPS: Final = (25, 50)
"""Least and most steps. Specification."""

GUIDANCE: Final = (5, 10)
"""Least and most guidance. Specification."""

DISTRIBUTION_DEPLOYMENT: Final = timedelta(minutes=15)
"""Longest that a change of the distribution may take. Specification."""

EDGE_SAMPLES: Final = 5
"""Timed requests for one image. Source: own judgement; the least whose median one slow answer cannot move."""

DEPLOYMENT_DEADLINE: Final = timedelta(minutes=45)
"""How long a drill waits for one deployment or deletion. Source: own judgement; a distribution takes up to 15 minutes."""

DRILL_HEALTH_DEADLINE: Final = timedelta(seconds=60)
"""How long a rebuilt API may take to answer. Source: scripts/deploy.sh waits as long."""

TRAFFIC_PAUSE: Final = timedelta(milliseconds=50)
"""Between the first requests of a drill's user. Source: own judgement; well below what is throttled (INF-05)."""

TRAFFIC_SLOWDOWN: Final = 40
"""Later the pause is the time gone by, divided by this. Source: own judgement; most drills are short, and need frequent requests."""

TRAFFIC_LONGEST_PAUSE: Final = timedelta(seconds=7.5)
"""Between two requests at the most. Source: REQUESTS_OF_AN_ITEM last longer than DEPLOYMENT_DEADLINE with it."""

GALLERY_PAGE: Final = 100
"""Galleries asked for at once, the most that the contract allows. Source: backend/openapi.yaml."""

COLD_START_P95: Final = timedelta(seconds=3)
"""Longest init plus first handler time, of 95 in 100 cold starts. Specification."""

COLD_STARTS: Final = 10
"""Cold starts that are measured. Specification: at least ten."""

WARM_P95: Final = timedelta(milliseconds=500)
"""Longest warm invocation, of 95 in 100. Specification."""

WARM_INVOCATIONS: Final = 20
"""Warm invocations that are measured. Source: own judgement."""

BURST_REQUESTS: Final = 400
"""Requests of the burst: at any speed above the rate, more than the gateway may let pass. Source: own judgement."""

BURST_ROUNDS: Final = 4
"""Bursts that are sent without a break until the gateway refuses. Source: own judgement; at 63 requests a second, as a busy
machine sent them, the second one exceeds the limit."""

BURST_RATE: Final = 400
"""Requests a second that the burst is to reach. Source: own judgement; the limit is kept as well as AWS can, which may let
twice as many through."""

BURST_CONNECTIONS: Final = range(10, 101)
"""Connections that the burst comes over: as few as reach its rate, so that it wakes few environments of the function; as many
as that takes where an answer is a quarter of a second away. Source: own judgement."""

BURST_RECOVERY: Final = timedelta(seconds=10)
"""How soon after a burst the gateway has to answer again; its bucket is full after two. Source: own judgement."""

EDGE_IMAGES: Final = 5
"""Images that are fetched past the cache and then from it. Source: own judgement."""

EDGE_HIT: Final = timedelta(seconds=1)
"""Longest time that a cached image may take. Specification."""

FORGOTTEN_WITHIN: Final = timedelta(seconds=10)
"""How long after an invalidation is completed an edge may still answer from its cache. Source: own judgement; CloudFront
says that it is done, and no more."""

WINDOW_MARGIN: Final = timedelta(seconds=30)
"""How much of a limit's window has to be left to check it. Source: own judgement; a check takes a few seconds."""

RUN_REQUESTS: Final = 9
"""How many requests of a whole run count against its address's day. Source: what a run on the embedded AWS sends: two
jobs that all checks share, one of the contract, one of the gallery, two of the page, and two enhanced prompts; one to spare."""

RACERS: Final = 10
"""Requests that meet at the global limit. Source: own judgement; as many as botocore keeps connections."""

RACE_PLACES: Final = 2
"""How many of them the limit has room for. Source: own judgement; each costs one short answer of a text model."""

RACES: Final = 3
"""How often they meet. Source: own judgement; a read-then-write counter let more through in each race that was seen."""
BENCHMARK_COLD_STARTS: Final = 20
"""Cold starts of each function in a benchmark. Source: own judgement, twice what the specification asks for."""

BENCHMARK_WARM_CALLS: Final = 100
"""Warm calls of each function in a benchmark. Source: own judgement."""

INIT_RATIO: Final = 1.25
"""The API function's init may take this many times a bare function's with one boto3 client. Source: own judgement."""

WARM_RATIO: Final = 1.5
"""A warm `/health` at p95 may take this many times a bare handler's. Source: own judgement."""

COMPRESSED_BYTES: Final = 1000
"""Least size of a text that CloudFront compresses. Source: CloudFront Developer Guide, "Serve compressed files"."""
MAJORS_BEHIND: Final = 1
"""Major versions that a direct dependency may lag. Source: checklist CODE-21; fixes are seldom ported further back."""
PHONE: Final = (360, 640)
"""Width and height of a small phone's screen, CSS pixels. Source: checklist CODE-15."""

TARGET_PIXELS: Final = 24
"""Least width and height of what a finger presses, CSS pixels. Source: WCAG 2.2, success criterion 2.5.8."""

SLOW_3G_KBIT_PER_SECOND: Final = 400
"""A slow mobile line, each way. Source: WebPageTest's connectivity profile "3G Slow (400 Kbps, 400ms RTT)"."""

SLOW_3G_ROUND_TRIP: Final = timedelta(milliseconds=400)
"""Time there and back on that line. Source: the same profile."""

SLOW_3G_INTERACTIVE: Final = timedelta(seconds=5)
"""How soon the page takes input on that line. Source: checklist CODE-16."""

PAGE_DEADLINE: Final = timedelta(seconds=15)
"""How long a check waits for something to appear on the page. Source: own judgement; a fast line shows it at once."""

PROGRESS_GAP: Final = timedelta(milliseconds=500)
"""How long the page may show no sign of progress. Source: own judgement; people notice a pause of a second (Nielsen)."""

LIGHTHOUSE_RUNS: Final = 5
"""Runs whose median counts. Source: Lighthouse's own advice on variability."""

LIGHTHOUSE_SCORE: Final = 100
"""Performance, accessibility, best practices and SEO, of 100. Source: own judgement; the specification requires 90."""

LARGEST_CONTENTFUL_PAINT_MS: Final = 2500
"""Specification; also what web.dev calls good."""

FIRST_CONTENTFUL_PAINT_MS: Final = 1800
"""Specification."""

TOTAL_BLOCKING_TIME_MS: Final = 200
"""Specification."""

CUMULATIVE_LAYOUT_SHIFT: Final = 0.1
"""Specification; no unit."""

SPEED_INDEX_MS: Final = 3400
"""Specification."""

PAINT_RATIO: Final = 1.4
"""How much later than a hello world of the same framework the page may paint, by the means of the runs. Source: own
judgement; docs/adr/0011 says why means."""

FIRST_VIEW_BYTES: Final = 45 * 1024
"""All that the first view loads, compressed. Source: frontend/build/bundleReport.ts, which refuses a heavier build."""

LOAD_P95: Final = timedelta(seconds=5)
"""Until 95 in 100 requests under load are answered, images excluded. Specification."""

LOAD_P99: Final = timedelta(seconds=10)
"""Until 99 in 100 are. Specification."""

LOAD_ERRORS: Final = 0.01
"""Part of the requests under load, below which those that are not answered as they should be have to stay. Specification."""

LOAD_COMPLETED: Final = 0.95
"""Part of the users that has to come through, and to be there as long as the profile says. Specification: 95 %."""

LOAD_GOAL_P95: Final = timedelta(seconds=1)
"""The same on the embedded AWS, which has no network and no text model to wait for. Source: own judgement."""

LOAD_GOAL_P99: Final = timedelta(seconds=2)
"""The same on the embedded AWS. Source: own judgement."""

LOAD_IMAGES: Final = 0.95
"""Part of the images of a load test's jobs that vendors have to deliver. Source: own judgement, as LOAD_COMPLETED."""

LOAD_JOBS_DEADLINE: Final = timedelta(minutes=20)
"""How long after a load test its last job may end. Source: WORKER_TIMEOUT, and what waited in the queue before it."""

LOAD_MIX: Final = {"generate": 0.5, "status": 0.3, "enhance": 0.1, "gallery": 0.1}
"""Each route's part of the requests. Specification."""

LOAD_MIX_MARGIN: Final = 0.05
"""How far a route's part may be off. Source: own judgement; users who leave early break off in the middle of ten."""

LOAD_SAMPLES: Final = 100
"""Fewest answers that a 99th percentile is taken of. Source: with fewer it is the slowest one."""

SAMPLES_TO_COMPARE: Final = 5
"""Fewest samples of a figure that is compared with an earlier run's. Source: LIGHTHOUSE_RUNS, the fewest there are."""

REGRESSION_NOISE: Final = {
    "ms": (1.5, 2.0),
    "s": (1.5, 0.1),
    "KB": (1.02, 0.1),
    "MB": (1.1, 1.0),
    "points": (1.02, 0.0),
    "%": (1.05, 0.1),
    "": (1.3, 0.02),
}
"""By how much a figure may be worse than the baseline's before it is a regression, by its unit: a ratio, and how much
is added to both figures first so that very small ones do not make large ratios. Source: docs/adr/0013."""

API_ROUNDS: Final = {1: 20, 10: 4, 50: 2}
"""How often so many users ask a route at the same moment. Source: own judgement; at least twenty samples each, and
fifty users are half of what the gateway takes at once."""

API_JOB_ROUNDS: Final = {1: 10, 10: 2}
"""How often so many users ask for images, each of which is paid for. Source: own judgement; fewer are no percentile,
and more users make images in the load test."""

API_PACE: Final = 0.8
"""Part of the gateway's rate that a benchmark uses up. Source: own judgement; what is refused measures nothing."""

API_ALONE_P95: Final = timedelta(milliseconds=500)
"""Longest answer of the API to one user, of 95 in 100. Specification: a warm invocation; the way there included."""

API_TOGETHER_P95: Final = timedelta(seconds=5)
"""The same for many users at once, and for the route that waits for a text model. Specification, of the load test."""

CDN_IMAGES: Final = 10
"""Images that a benchmark asks the CDN for. Source: own judgement; the fewest that a percentile can be taken of."""

CDN_REQUESTS: Final = 10
"""Requests for each of them, the first included. Source: own judgement."""

CDN_HIT_PERCENT: Final = 80.0
"""Least part of the requests after an image's first that the cache answers, percent. Source: own judgement; another
cache of the same edge may miss once."""

BUNDLE_BYTES: Final = 500 * 1024
"""All files of the page, compressed. Specification."""

VARIANT_COLD_STARTS: Final = 10
"""Cold starts of each variant of the function. Source: the fewest that a percentile can be taken of."""

VARIANT_MEMORY_MB: Final = (512, 2048)
"""Memory of the variants, beside the function's own. Source: own judgement; half and twice of it."""

IMPORT_RUNS: Final = 10
"""Runs of the interpreter whose median counts. Source: own judgement."""
