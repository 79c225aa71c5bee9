"""One deployment from start to end: preflight, plan, consent, build, deploy, frontend/.env, health, the page.

Every step either holds or ends the command with its name, what went wrong and what to do next.
"""

from __future__ import annotations

from dataclasses import replace

from readiness.environment import Environment
from readiness.errors import UsageProblem
from verification.deployment import (
    backend,
    console,
    health,
    lock,
    outputs,
    page_dotenv,
    planning,
    publishing,
    record,
    release,
    stamp,
    standing,
)
from verification.deployment.options import Options
from verification.deployment.plan import Plan
from verification.deployment.steps import StepFailed, Steps
from verification.deployment.underway import underway


def run(options: Options) -> int:
    """Deploy, or with `dry_run` show what would be deployed; the exit status.

    Raises:
        UsageProblem: nothing was changed: wrong arguments, a tool missing, or a preflight that failed.
        StepFailed: a step failed.
        process.Interrupted: a signal ended it; what to do next was printed.
    """
    if options.rollback is not None:
        with lock.held(options.releases / "lock", f"check {options.rollback} out"):
            app = release.checked_out(options.rollback, options.app, options.releases)
        options = replace(options, app=app)
    options.check()
    tag = (
        release.Tag.wanted(options.environment, options.tag, options.app) if options.tag is not None else None
    )
    if options.dry_run:
        console.out(str(planning.plan(options, options.connected())))
        return 0
    again = f"{options.command}{' --frontend' if options.frontend else ''}"
    with underway(options, f"deploy {options.environment}", again) as (steps, environment):
        steps.current = "preflight"
        if tag and environment.emulated:
            raise UsageProblem(
                f"'{tag.name}' would say that {environment.name} runs this commit, and this is a rehearsal; leave --tag out"
            )
        standing.wait_until_idle(environment, patience_s=options.patience_s, say=console.note)
        plan = planning.plan(options, environment)
        console.out(str(plan))
        steps.current = "consent"
        if not options.yes and not console.agreed(
            environment.name if environment.settings.production else "yes", "deploy"
        ):
            console.out("Nothing was deployed.")
            return 1
        _deploy(options, environment, plan, steps, tag)
    return 0


def _deploy(
    options: Options, environment: Environment, plan: Plan, steps: Steps, tag: release.Tag | None
) -> None:
    digest = backend.apply(options, environment, plan, steps)

    if environment.settings.production and not plan.standing.protected:
        with steps.step("termination protection"):
            backend.protect(environment)

    with steps.step("outputs"):
        found = standing.standing(environment)
        try:
            values = outputs.checked(environment.stack_name, found.outputs, hosting=options.frontend)
        except outputs.OutputProblem as problem:
            raise StepFailed("outputs", str(problem)) from problem

    with steps.step("frontend/.env"):
        page_dotenv.show(options, values, changed=page_dotenv.write(options, values))

    with steps.step("health check"):
        _wait_until_healthy(options, environment, values)

    if options.frontend:
        publishing.publish(options, environment, values, steps)

    if options.cloud_directory is not None:
        stamp.remember(options.cloud_directory, environment.stack_name, digest, found)
        if options.frontend:
            page = stamp.page_digest(options.page, outputs.frontend_variables(environment.name, values))
            stamp.remember_page(options.cloud_directory, environment.stack_name, page, found)
    if tag:
        _tag(tag, environment, steps)
    steps.current = "record"
    _account(options, environment, plan, found, steps)
    console.out(_next_steps(options, environment))


def _wait_until_healthy(options: Options, environment: Environment, values: dict[str, str]) -> None:
    fetch = health.https_fetch(health.trusted_roots(environment.ca_bundle))
    try:
        answer = health.wait_until_healthy(
            values[outputs.API_ENDPOINT], environment.name, fetch, deadline_s=options.health_deadline_s
        )
    except health.Unhealthy as problem:
        raise StepFailed(
            "health check",
            f"{problem}. The stack is deployed; check its log groups and alarms, then fix the cause or roll back",
        ) from problem
    console.out(
        f"healthy: version {answer.get('version', 'unknown')}, {len(answer.get('models', []))} models"
    )


def _tag(tag: release.Tag, environment: Environment, steps: Steps) -> None:
    with steps.step("tag"):
        try:
            tag.make(f"Deployed to '{environment.stack_name}' in {environment.region}")
        except UsageProblem as problem:
            raise StepFailed(
                "tag", f"{problem}. {environment.name} runs the commit all the same"
            ) from problem
        console.out(f"tag: {tag.name}; to share it: git push origin {tag.name}")


def _account(
    options: Options, environment: Environment, plan: Plan, found: standing.Standing, steps: Steps
) -> None:
    """Say what it took, and keep that beside the environment's reports."""
    changed = (found.stack_id, found.changed) != (plan.standing.stack_id, plan.standing.changed)
    events = standing.last_operation(environment) if changed else []
    distributions = record.distributions(events)
    what = ("updated" if plan.standing.exists else "created") if changed else "unchanged"
    durations = {name: round(taken, 1) for name, taken in steps.durations.items()}
    record.keep(
        options.root / "reports" / environment.name / "deployments.jsonl",
        {
            "stack": environment.stack_name,
            "region": environment.region,
            "emulated": environment.emulated,
            "release": plan.release,
            "stack_was": what,
            "seconds": round(steps.seconds, 1),
            "steps": durations,
            "distributions": distributions,
        },
    )
    taken = ", ".join(f"{name} {each} s" for name, each in durations.items())
    console.out(f"Deployed '{environment.name}' in {steps.seconds:.1f} s, stack {what} ({taken})")
    for name, each in distributions.items():
        console.out(f"CloudFront: {name} took {each:.0f} s")


def _next_steps(options: Options, environment: Environment) -> str:
    flags = f" --cloud {options.cloud}" if options.cloud else ""
    elsewhere = f" --app {options.app}" if options.app != options.root else ""
    steps = [f"./scripts/verify.sh --env {environment.name}{flags}{elsewhere}"]
    if not options.frontend:
        steps.append(f"{options.command} --frontend")
    return "\n".join(["Next:", *(f"  {step}" for step in steps)])
