"""Gathers what a deployment's plan says: parameters, keys, and what the account still needs."""

from __future__ import annotations

import os
from collections.abc import Sequence

from readiness import secret_parameters
from readiness.environment import Environment
from readiness.errors import UsageProblem
from verification.deployment import account, aws, keys, parameters, release, standing
from verification.deployment.options import Options
from verification.deployment.parameters import Parameters
from verification.deployment.plan import Plan


def gather(options: Options, environment: Environment, found: standing.Standing) -> Parameters:
    """Return the stack's parameters, from wherever each has its value.

    Raises:
        UsageProblem: a parameter is missing, unknown, or a secret on the command line.
    """
    declared = parameters.declared(options.backend / "template.yaml")
    samconfig = options.backend / "samconfig.toml"
    config = parameters.configured(samconfig, environment.name, environment.stack_name)
    secrets = [each.name for each in declared if each.secret]
    for name in options.parameters.keys() & set(secrets):
        raise UsageProblem(
            f"--parameter '{name}' is a secret, and a command line can be read by others; give it in the variable "
            f"{secret_parameters.variable_of(name)}, or in backend/.env.{environment.name}"
        )
    return parameters.combined(
        declared,
        config | parameters.ambient(environment.name, os.environ) | options.parameters,
        _keys(options, environment, secrets, exists=found.exists),
        found.parameters,
        exists=found.exists,
    )


def _keys(options: Options, environment: Environment, secrets: Sequence[str], *, exists: bool) -> keys.Keys:
    """Simulated providers get simulated keys: a person's own must not go where they are not needed."""
    directory = options.cloud_directory
    if directory is not None:
        return keys.simulated(secrets, directory)
    given = keys.given(secrets, environment.name, options.app, os.environ)
    if exists or not environment.emulated:
        return given
    filled = keys.simulated(secrets, options.private)
    return keys.Keys({**filled.values, **given.values}, {**filled.sources, **given.sources})


def plan(options: Options, environment: Environment) -> Plan:
    """Return what a deployment would do.

    Raises:
        UsageProblem: the stack's state, a parameter or the account does not permit it.
    """
    found = standing.standing(environment)
    standing.require_deployable(environment, found)
    if options.rollback is not None and not found.exists:
        raise UsageProblem(
            f"there is no stack '{environment.stack_name}' that could be rolled back; deploy one: "
            f"./scripts/deploy.sh {environment.name}"
        )
    gathered = gather(options, environment, found)
    described = release.described(options.app)
    return Plan(
        environment=environment.name,
        account=environment.account_id,
        region=environment.region,
        stack=environment.stack_name,
        endpoint=environment.client("cloudformation").meta.endpoint_url,
        emulated=environment.emulated,
        standing=found,
        parameters=gathered,
        notes=_of_the_account(options, environment, gathered, found),
        release=f"{described} (rollback to {options.rollback})" if options.rollback else described,
        **({"page": f"built from {options.page}, then published"} if options.frontend else {}),
    )


def _of_the_account(
    options: Options, environment: Environment, gathered: Parameters, found: standing.Standing
) -> list[str]:
    """What the account still needs before the stack works.

    Raises:
        UsageProblem: CloudFormation could not even make the stack.
    """

    def clients(service: str, region: str | None = None) -> object:
        return aws.client(environment, service, region)

    template = parameters.document(options.backend / "template.yaml")
    note = account.require_concurrency(clients, template, gathered.passed, found)
    # An embedded AWS has no Marketplace, and its models want no subscription.
    models = [] if environment.emulated else account.models_to_subscribe(clients, template)
    return [*([note] if note else []), *models]
