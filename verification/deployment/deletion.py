"""Deletes an environment's stack, or what an interrupted drill has left."""

from __future__ import annotations

from readiness.environment import Environment
from readiness.errors import Unverified
from verification.deployment import backend, console, page_dotenv, standing
from verification.deployment.options import Options
from verification.deployment.plan import Removal
from verification.deployment.steps import StepFailed
from verification.deployment.underway import underway


def delete(options: Options) -> int:
    """Delete the environment's stack; the exit status. What the template retains stays, and is named.

    Raises:
        UsageProblem: nothing was changed: wrong arguments, a tool missing, or a preflight that failed.
        StepFailed: the stack could not be deleted entirely.
        process.Interrupted: a signal ended it; what to do next was printed.
    """
    options.check()
    if options.dry_run:
        environment = options.connected()
        found = standing.standing(environment)
        standing.require_still(environment, found)
        _is_planned(environment, found)
        return 0
    with underway(options, f"delete {options.environment}", f"{options.command} --delete") as (
        steps,
        environment,
    ):
        if not _is_planned(
            environment,
            standing.wait_until_idle(environment, patience_s=options.patience_s, say=console.note),
        ):
            return 0
        steps.current = "consent"
        if not options.yes and not console.agreed(f"delete {environment.name}", "delete"):
            console.out("Nothing was deleted.")
            return 1
        backend.delete(options, environment, steps)
        console.out(
            f"Deleted '{environment.stack_name}'. {page_dotenv.name_of(options)} still names its addresses, "
            "until the next deployment replaces them."
        )
    return 0


def _is_planned(environment: Environment, found: standing.Standing) -> bool:
    """Show what deleting the stack would do; whether there is one."""
    if found.status is None:
        console.out(f"There is no stack '{environment.stack_name}' in {environment.region}.")
        return False
    standing.require_deletable(environment, found)
    kept = standing.kept_by_deletion(environment) if found.exists else []
    console.out(str(Removal(environment, found, kept)))
    return True


def tear_down(options: Options) -> int:
    """Delete what a drill that was cut off has left; the exit status.

    Raises:
        UsageProblem: the environment cannot be reached.
        StepFailed: something is left.
    """
    from verification.deployment.drill import ThrowAway  # noqa: PLC0415  # a deployment needs nothing of it

    environment = options.connected()
    throw_away = ThrowAway(environment, options.app, options.private)
    try:
        gone = throw_away.tear_down()
    except Unverified as problem:
        raise StepFailed("tear down", str(problem)) from problem
    console.out(f"deleted: {', '.join(gone)}" if gone else f"no drill of '{environment.name}' left anything")
    return 0
