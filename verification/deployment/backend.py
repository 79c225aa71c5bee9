"""Builds, deploys, protects and deletes the backend's stack, with SAM and CloudFormation."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import botocore.exceptions

from readiness.environment import Environment
from readiness.errors import UsageProblem
from verification.deployment import aws, console, parameters, sam, stamp, standing
from verification.deployment.options import Options
from verification.deployment.plan import Plan
from verification.deployment.steps import StepFailed, Steps


def apply(options: Options, environment: Environment, plan: Plan, steps: Steps) -> str:
    """Build and deploy the backend; the stamp of what was deployed."""
    variables = sam.variables(environment, os.environ)
    with steps.step("sam build"), _unless_cut(options):
        _remove_bytecode(options.backend / "src")
        digest = stamp.digest(options.backend, plan.parameters)
        status = steps.command(sam.build(), cwd=options.backend, env=variables)
        if status:
            raise StepFailed(
                "sam build",
                f"exit status {status}; nothing was deployed. Fix what it says above, then run again",
            )

    if plan.standing.is_empty:
        delete(options, environment, steps)

    with steps.step("sam deploy"):
        with parameters.private_file(options.private, plan.parameters.passed) as file:
            status = steps.command(sam.deploy(environment, file), cwd=options.backend, env=variables)
        if status:
            raise StepFailed("sam deploy", _why_not(environment, plan.standing, status))
    return digest


def protect(environment: Environment) -> None:
    """Protect the stack from deletion: INF-17 requires it for prod, and a template cannot declare it."""
    try:
        aws.client(environment, "cloudformation").update_termination_protection(
            StackName=environment.stack_name, EnableTerminationProtection=True
        )
    except (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError) as problem:
        raise StepFailed(
            "termination protection",
            f"{problem}. The stack is deployed and can be deleted by mistake; fix the cause, then run again",
        ) from problem
    console.out("termination protection: on")


@contextlib.contextmanager
def _unless_cut(options: Options) -> Iterator[None]:
    """Build from nothing when the last build was cut off.

    SAM takes a half copied folder in its cache for a whole one once the source is again what it was before.
    """
    folder = options.backend / ".aws-sam"
    cut = folder / ".building"
    if cut.exists():
        shutil.rmtree(folder)
    folder.mkdir(exist_ok=True)
    cut.touch()
    yield
    cut.unlink(missing_ok=True)


def delete(options: Options, environment: Environment, steps: Steps) -> None:
    """Delete the stack, and wait until it is gone.

    Raises:
        StepFailed: something of it is left.
    """
    before = standing.standing(environment)
    with steps.step("sam delete"):
        status = steps.command(
            sam.delete(environment), cwd=options.backend, env=sam.variables(environment, os.environ)
        )
        now = standing.wait_until_idle(environment, patience_s=options.patience_s, say=console.note)
        # Gone, or already another's: the stack of that id is no more.
        if now.status is None or now.stack_id != before.stack_id:
            return
        reason = standing.first_failure(environment)
        raise StepFailed(
            "sam delete",
            f"exit status {status}; the stack is {now.status}{f', first failure {reason}' if reason else ''}. "
            "Fix the cause, then run again",
        )


def _remove_bytecode(source: Path) -> None:
    """Bytecode would be packed with the functions: another hash at every deployment of the same commit."""
    for cache in list(source.rglob("__pycache__")):
        shutil.rmtree(cache, ignore_errors=True)
    for compiled in list(source.rglob("*.py[co]")):
        compiled.unlink(missing_ok=True)


def _why_not(environment: Environment, before: standing.Standing, status: int) -> str:
    """What CloudFormation itself says about a deployment that SAM gave up."""
    words = [f"exit status {status}"]
    try:
        now = standing.standing(environment)
    except UsageProblem:
        now = before
    if (now.status, now.changed) != (before.status, before.changed):
        words.append(f"the stack is now {now.status}")
        reason = standing.first_failure(environment)
        if reason:
            words.append(f"first failure {reason}")
    return f"{'; '.join(words)}. frontend/.env is unchanged. Fix the cause, then run again"
