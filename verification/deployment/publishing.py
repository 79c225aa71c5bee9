"""Builds the page for one deployed stack and publishes it."""

from __future__ import annotations

import os
import uuid
from collections.abc import Mapping

from readiness import secret_parameters
from readiness.environment import Environment
from verification.deployment import aws, console, health, outputs, site
from verification.deployment.options import Options
from verification.deployment.steps import StepFailed, Steps


def publish(options: Options, environment: Environment, values: dict[str, str], steps: Steps) -> None:
    """Build the page for this very stack and put it where people open it.

    Raises:
        StepFailed: it could not be built or stored, or does not answer.
    """
    url = values[outputs.SITE_URL]
    fetch = health.https_fetch(health.trusted_roots(environment.ca_bundle))
    with steps.step("page build"):
        _build(options, outputs.frontend_variables(environment.name, values), steps)
    with steps.step("page upload"):
        names = _upload(options, environment, values, fetch)
    with steps.step("page health check"):
        try:
            health.wait_until_published(url, names, fetch, deadline_s=options.health_deadline_s)
        except health.Unhealthy as problem:
            raise StepFailed(
                "page health check",
                f"{problem}. The page is stored; check its distribution, then fix the cause or roll back",
            ) from problem
        console.out(f"page: {url}")


def _build(options: Options, addresses: Mapping[str, str], steps: Steps) -> None:
    """Build the page, after the packages of a release that was rolled back to."""
    # Vite prefers variables to every .env file, so that no other one can point the page elsewhere.
    variables = {
        name: value
        for name, value in secret_parameters.without(os.environ).items()
        if not name.startswith(("AWS_", "VITE_"))
    } | dict(addresses)
    if options.rollback and not (options.page / "node_modules" / ".package-lock.json").exists():
        install = ["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"]
        status = steps.command(install, cwd=options.page, env=variables)
        if status:
            raise StepFailed(
                "page build",
                f"{' '.join(install)} ended with {status}; the page is still the old one. Fix what it says above, "
                "then run again",
            )
    status = steps.command(["npm", "run", "build"], cwd=options.page, env=variables)
    if status:
        raise StepFailed(
            "page build",
            f"exit status {status}; the page is still the old one. Fix what it says above, then run again",
        )


def _upload(
    options: Options, environment: Environment, values: dict[str, str], fetch: health.Fetch
) -> list[str]:
    """Store the built page, and have the edges fetch it; the names of the files that the page needs."""
    home = site.Site(values[outputs.SITE_BUCKET], values[outputs.SITE_DISTRIBUTION])
    try:
        content = site.files(options.page / "dist")
        names = site.named(content[-1].path.read_text(encoding="utf-8"))
        stored = home.store(content, aws.client(environment, "s3"))
        # A killed deployment may have stored the page without invalidating the edges.
        if stored or not health.is_published(values[outputs.SITE_URL], names, fetch):
            home.forget(aws.client(environment, "cloudfront"), reference=uuid.uuid4().hex)
    except site.PageProblem as problem:
        raise StepFailed("page upload", str(problem)) from problem
    console.out(f"published {stored} of {len(content)} files; the others were there")
    return names
