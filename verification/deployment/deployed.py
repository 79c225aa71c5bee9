"""Answers about a deployed stack: its outputs, and whether it matches the checkout."""

from __future__ import annotations

from readiness.errors import UsageProblem
from verification.deployment import outputs, page_dotenv, planning, stamp, standing
from verification.deployment.options import Options


def reuse(options: Options) -> str | None:
    """Return why a deployment is needed; nothing when the deployment matches the checkout, and frontend/.env names it.

    Raises:
        UsageProblem: the environment cannot be reached.
        StepFailed: frontend/.env could not be written.
    """
    directory = options.cloud_directory
    if directory is None:
        return f"'{options.environment}' is deployed deliberately"
    environment = options.connected()
    found = standing.standing(environment)
    gathered = planning.gather(options, environment, found)
    digest = stamp.digest(options.backend, gathered)
    reason = stamp.difference(directory, environment.stack_name, digest, found)
    if reason is None and options.frontend:
        variables = outputs.frontend_variables(environment.name, found.outputs)
        page = stamp.page_digest(options.page, variables)
        reason = stamp.page_difference(directory, environment.stack_name, page, found)
    if reason is None:
        page_dotenv.write(options, outputs.checked(environment.stack_name, found.outputs))
    return reason


def stack_outputs(options: Options) -> dict[str, str]:
    """The deployed stack's outputs.

    Raises:
        UsageProblem: the environment cannot be reached, or nothing is deployed.
        outputs.OutputProblem: the stack lacks an output that the frontend needs.
    """
    environment = options.connected()
    found = standing.standing(environment)
    if not found.exists:
        raise UsageProblem(
            f"no stack '{environment.stack_name}' in {environment.region}; "
            f"deploy it first: ./scripts/deploy.sh {environment.name}"
        )
    return outputs.checked(environment.stack_name, found.outputs)
