"""One load test from the first request to the verdict: the generator's figures and CloudWatch's of the same window."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from readiness.aws.metric import Metric, Window
from readiness.environment import Environment
from readiness.errors import Unverified, UsageProblem
from scripts.loadtest import page
from scripts.loadtest.generator import Generator
from scripts.loadtest.profile import Profile
from verification import budgets
from verification.probes.api import Api
from verification.probes.load import Criterion, Images, Load, judge
from verification.stack import Stack

_OF_FUNCTIONS = ("Invocations", "Errors", "Throttles", "Duration", "ConcurrentExecutions")
_OF_GATEWAY = ("Count", "4xx", "5xx", "Latency")
_LOOK_AGAIN_SECONDS = 5
_CORRELATION = "load-"  # begins the correlation ids of users.mjs

Watched = Mapping[str, Mapping[str, Window | None]]
"""By who was watched and by the metric's name; None for a metric that CloudWatch has nothing of."""


@dataclass(frozen=True)
class Trial:
    """What a load test came to, and whether that is good enough."""

    profile: Profile
    load: Load
    cloudwatch: Watched
    images: Images
    criteria: Sequence[Criterion]

    @property
    def failed(self) -> Sequence[Criterion]:
        return [one for one in self.criteria if not one.held]

    def document(self) -> dict[str, Any]:
        """The figures as JSON's own types."""
        return {
            "profile": self.profile.name,
            "scale": self.profile.scale,
            "users_wanted": self.profile.users,
            **self.load.document(),
            "cloudwatch": {
                who: {name: asdict(window) if window else None for name, window in metrics.items()}
                for who, metrics in self.cloudwatch.items()
            },
            "images": asdict(self.images),
            "criteria": [asdict(one) for one in self.criteria],
        }


def run(
    stack: Stack, profile: Profile, generator: Generator, where: Path, *, say: Callable[[str], None]
) -> Trial:
    """Load the API and judge how it bore that; `where` gets the figures as JSON and as a page.

    Raises:
        UsageProblem: the generator is not installed, or the API cannot be loaded.
        Unverified: it did not do what it had to, or CloudWatch does not know.
    """
    require(stack, generator)
    where.mkdir(parents=True, exist_ok=True)
    target = stack.formation.output("ApiEndpoint")
    since = stack.table.clock
    output = generator.run(profile, target, where, ca_bundle=stack.env.ca_bundle, say=say)
    load = Load.read(output)
    say("load: waits for CloudWatch")
    seen = watch(stack, load)
    say("load: waits for the jobs to end")
    images = look_at_images(stack, since)
    throttles, crashes = (_total(seen, name) for name in ("Throttles", "Errors"))
    criteria = judge(
        load,
        images=images,
        users=profile.users,
        held_between=profile.held_between,
        throttles=throttles,
        crashes=crashes,
        goals=stack.env.emulated,
    )
    trial = Trial(profile, load, seen, images, criteria)
    (where / "load.json").write_text(json.dumps(trial.document(), indent=2), encoding="utf-8")
    (where / "load.html").write_text(
        page.render(trial.document(), _facts(stack.env, trial)), encoding="utf-8"
    )
    return trial


def require(stack: Stack, generator: Generator) -> None:
    """Make sure that the load can reach the API, and that the API's limits do not apply to it.

    Raises:
        UsageProblem: it cannot.
    """
    if stack.env.settings.read_only:
        raise UsageProblem(
            f"'{stack.env.name}' is read-only, and a load test makes jobs; load staging, which has its limits"
        )
    if generator.runner != "here" and stack.env.emulated:
        raise UsageProblem("workers in AWS cannot reach an API on this machine; leave --on out")
    if not stack.formation.parameter("AllowedAddresses"):
        raise UsageProblem(
            f"'{stack.env.stack_name}' has no allow-listed address, so every address is limited to "
            f"{budgets.ADDRESS_REQUESTS_PER_DAY} paid requests a day; deploy it with --parameter "
            "AllowedAddresses=ADDRESS, see scripts/loadtest/README.md"
        )


def watch(stack: Stack, load: Load) -> Watched:
    """What CloudWatch counted meanwhile, once it knows of every request that the gateway let through.

    Raises:
        Unverified: it does not.
    """
    since, until = load.began, load.began + timedelta(seconds=load.seconds)
    passed = sum(load.codes.values()) - sum(load.gateway.values())
    invocations = _of_function(stack, stack.api.name, "Invocations")
    started = time.monotonic()
    while (counted := _sum(invocations.over(since, until))) < passed:
        if (waited := time.monotonic() - started) > budgets.METRIC_DEADLINE.total_seconds():
            raise Unverified(
                f"CloudWatch counts {counted:g} of {passed} invocations of {stack.api!r} after {waited:.0f} s"
            )
        time.sleep(_LOOK_AGAIN_SECONDS)
    gateway = {
        name: Metric(stack.env, "AWS/ApiGateway", name, {"ApiId": stack.http_api.id}) for name in _OF_GATEWAY
    }
    functions = {
        who: {name: _of_function(stack, function.name, name) for name in _OF_FUNCTIONS}
        for who, function in (("api", stack.api), ("worker", stack.worker))
    }
    return {
        who: _looked_at(metrics, since, until) for who, metrics in {**functions, "gateway": gateway}.items()
    }


def look_at_images(stack: Stack, since: datetime) -> Images:
    """What became of the images that a load's jobs have asked for since a moment, once all have ended or time is up.

    Raises:
        Unverified: the API does not tell whose its models are.
    """
    vendors = Api(stack.env, stack.formation.output("ApiEndpoint")).vendors()
    if not vendors:
        raise Unverified(
            "GET /health names no model, so the vendors of missing images are unknown; see CONF-01"
        )
    started = time.monotonic()
    while True:
        images = Images.of(stack.table.models_of_jobs(_CORRELATION, since), vendors)
        late = time.monotonic() - started > budgets.LOAD_JOBS_DEADLINE.total_seconds()
        if not images.unfinished or late:
            return images
        time.sleep(_LOOK_AGAIN_SECONDS)


def _of_function(stack: Stack, function: str, name: str) -> Metric:
    return Metric(stack.env, "AWS/Lambda", name, {"FunctionName": function})


def _looked_at(
    metrics: Mapping[str, Metric], since: datetime, until: datetime
) -> Mapping[str, Window | None]:
    return {name: metric.over(since, until) for name, metric in metrics.items()}


def _total(seen: Watched, name: str) -> float:
    """Of both functions; CloudWatch, which was seen to know of their invocations, keeps nothing about what never was."""
    return sum(_sum(seen[who][name]) for who in ("api", "worker"))


def _sum(window: Window | None) -> float:
    return window.sum if window else 0.0


def _facts(env: Environment, trial: Trial) -> Mapping[str, str]:
    generators = f", {trial.profile.generators} generators" if trial.profile.generators > 1 else ""
    scale = f", durations x {trial.profile.scale:g}" if trial.profile.scale != 1 else ""
    return {
        "Stack": f"{env.stack_name} in {env.region}{', emulated' if env.emulated else ''}",
        "Profile": f"{trial.profile.name}, {trial.profile.users} users{scale}{generators}",
        "Began": f"{trial.load.began:%Y-%m-%d %H:%M:%S} UTC",
        "Lasted": f"{trial.load.seconds:.0f} s",
    }
