"""Who may do what: roles, secrets, parameters, keys."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from readiness.application import Application
from readiness.aws.function import Function
from readiness.aws.key import Key
from readiness.aws.log_group import LogGroup
from readiness.aws.parameter import Parameter
from readiness.aws.policy import (
    DEPUTIES,
    Statement,
    administered,
    external_principals,
    matches,
    read,
    unlimited,
)
from readiness.aws.role import Role
from readiness.aws.secret import Secret
from readiness.aws.service_access import Caller, lets_in
from readiness.catalogue import grants, lacking, reach, tasks, usage
from readiness.catalogue.compute import FUNCTION, MACHINE, Compute
from readiness.catalogue.declaration import Declarations
from readiness.catalogue.judging import every, findings
from readiness.discovery.graph import Graph, Resource
from readiness.environment import Environment
from readiness.errors import NotApplicable

pytestmark = pytest.mark.security

_ROLE, _SECRET = "AWS::IAM::Role", "AWS::SecretsManager::Secret"
_PARAMETER, _KEY = "AWS::SSM::Parameter", "AWS::KMS::Key"
_LOG_GROUP = "AWS::Logs::LogGroup"
_OF_LOGS = ("kms:Encrypt", "kms:Decrypt", "kms:ReEncryptFrom", "kms:ReEncryptTo", "kms:GenerateDataKey")
"""Source: CloudWatch Logs User Guide, "Encrypt log data in CloudWatch Logs using AWS KMS". It names kms:Describe* too, without which
CDK's `grantEncryptDecrypt` does."""
_LAMBDA = {"lambda.amazonaws.com", "edgelambda.amazonaws.com"}
# What a stack must have of a service whose name stands in a role's trust. Other services are taken for used.
_KINDS: Mapping[str, Sequence[str]] = {
    "apigateway.amazonaws.com": ("AWS::ApiGateway", "AWS::ApiGatewayV2"),
    "codebuild.amazonaws.com": ("AWS::CodeBuild",),
    "ec2.amazonaws.com": ("AWS::EC2", "AWS::AutoScaling", "AWS::IAM::InstanceProfile"),
    "ecs-tasks.amazonaws.com": ("AWS::ECS", "AWS::Batch"),
    "events.amazonaws.com": ("AWS::Events",),
    "glue.amazonaws.com": ("AWS::Glue",),
    "scheduler.amazonaws.com": ("AWS::Scheduler",),
    "states.amazonaws.com": ("AWS::StepFunctions",),
}
# Roles of the functions that CDK adds to a stack by itself; the application does not write their policies.
_ADDED_BY_CDK = re.compile(
    r"[0-9a-fA-F]{32}|CustomResourceProvider|^LogRetention|^BucketNotificationsHandler"
)
_SECRET_NAME = re.compile(
    r"(?:^|[-_/.])(?:api[-_]?key|secret|token|password|passwd|credentials?|private[-_]?key)$", re.IGNORECASE
)
_WORDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


_NOT_ASSUMING = "sts:GetFederationToken"
"""An action of STS that no trust needs; where it is allowed, the statement has a wildcard. Source: Service Authorization Reference."""
_UNCONDITIONAL = {"events.amazonaws.com"}
"""Source: Amazon SNS Developer Guide, "Enable compatibility between event sources from AWS services and encrypted topics": EventBridge
meets no condition on a source there."""


@pytest.fixture(scope="session")
def roles(env: Environment, graph: Graph) -> Mapping[Resource, Role]:
    """Every role of the stack."""
    return {one: Role(env, one.physical_id) for one in graph.of(_ROLE)}


@pytest.fixture(scope="session")
def functions(graph: Graph, compute: Compute) -> Sequence[Function]:
    """Every function of the stack."""
    return [compute.function(one) for one in graph.of(FUNCTION)]


def _of(role: Role, functions: Sequence[Function]) -> Sequence[Function]:
    """The functions that have a role."""
    return [one for one in functions if one.role_name == role.name]


def _written(graph: Graph) -> Sequence[Resource]:
    """Return the stack's roles except those that CDK adds."""
    found = [one for one in every(graph, _ROLE) if not _ADDED_BY_CDK.search(one.logical_id)]
    if not found:
        raise NotApplicable("the stack has no role but those that CDK adds by itself")
    return found


@pytest.mark.item("IAM-01")
def test_roles_are_taken_on_by_their_services_alone(
    env: Environment, graph: Graph, roles: Mapping[Resource, Role], functions: Sequence[Function]
) -> None:
    """A principal that can assume the role has all its permissions."""

    def judge(resource: Resource) -> Iterator[str]:
        role = roles[resource]
        unguarded = [
            statement for statement in role.trusted if Statement(statement).required("sts:ExternalId") is None
        ]
        yield from external_principals(unguarded, env.account_id, trusted=DEPUTIES)
        for statement in read(role.trusted):
            if not statement.allows:
                continue
            if statement.covers(_NOT_ASSUMING):
                yield (
                    f"expected trust to name its actions, found {statement.what}; name sts:AssumeRole, and sts:TagSession or "
                    "sts:SetSourceIdentity where they are used"
                )
            for kind, name in statement.principals:
                if kind == "Federated":
                    yield from _anyone_signed_in(statement, name)
                elif kind == "Service" and _of(role, functions) and not _is_used(name, graph):
                    yield (
                        f"expected a function's role to be trusted to Lambda alone, found {name}, of which the stack has "
                        "nothing; take it out of AssumeRolePolicyDocument"
                    )

    assert findings(every(graph, _ROLE), judge) == {}


def _is_used(service: str, graph: Graph) -> bool:
    if service in _LAMBDA or service not in _KINDS:
        return True
    return any(resource.type.startswith(kind) for kind in _KINDS[service] for resource in graph.resources)


def _anyone_signed_in(statement: Statement, provider: str) -> Iterator[str]:
    """Yield a finding where a role trusts every identity of an identity provider, and not only the intended ones."""
    required = {
        key.rpartition(":")[2]: values
        for operator, key, values in statement.conditions
        if not operator.endswith("ifexists") and not operator.startswith("forallvalues")
    }
    wanted = "sub" if "token.actions.githubusercontent.com" in provider else "aud"
    given = required.get(wanted) or (required.get("sub") if wanted == "aud" else None)
    if not given or any(set(value) <= {"*"} for value in given):
        yield (
            f"expected a condition on '{wanted}', found none: any identity of {provider} can assume the role; add one to "
            "AssumeRolePolicyDocument"
        )


@pytest.mark.item("IAM-02")
def test_roles_name_their_actions(graph: Graph, roles: Mapping[Resource, Role]) -> None:
    """An attacker who controls a function can use every action of its role, and delete all data."""
    assert findings(every(graph, _ROLE), lambda one: grants.whole_services(roles[one])) == {}


@pytest.mark.item("IAM-03")
def test_roles_name_their_resources(graph: Graph, roles: Mapping[Resource, Role]) -> None:
    """The role reaches other applications of the account as well."""

    def judge(resource: Resource) -> Iterator[str]:
        yield from grants.open_ends(roles[resource], graph)
        yield from grants.open_resources(roles[resource])

    assert findings(_written(graph), judge) == {}


@pytest.mark.item("IAM-04")
def test_roles_cannot_raise_their_own_rights(
    env: Environment, graph: Graph, roles: Mapping[Resource, Role]
) -> None:
    """An attacker who controls one function becomes the administrator of the account."""
    assert (
        findings(
            every(graph, _ROLE),
            lambda one: grants.escalations(roles[one], env.partition, env.account_id),
        )
        == {}
    )


@pytest.mark.item("IAM-05")
def test_every_granted_action_exists(graph: Graph, roles: Mapping[Resource, Role]) -> None:
    """A misspelt action grants nothing, and IAM does not report it."""
    assert findings(every(graph, _ROLE), lambda one: grants.unknown_actions(roles[one])) == {}


@pytest.mark.item("IAM-06")
def test_every_granted_action_is_called(
    graph: Graph, roles: Mapping[Resource, Role], functions: Sequence[Function], tmp_path: Path
) -> None:
    """A permission that a function never uses only helps an attacker who controls the function."""
    used = {one: of for one in _written(graph) if (of := _of(roles[one], functions))}
    if not used:
        raise NotApplicable("no function of the stack has a role of the stack")

    assert findings(used, lambda one: usage.unused(roles[one], used[one], tmp_path)) == {}


@pytest.mark.item("IAM-07")
def test_roles_reach_the_stacks_own_resources(
    env: Environment,
    graph: Graph,
    declared: Declarations,
    roles: Mapping[Resource, Role],
    application: Application,
) -> None:
    """An attacker who controls a function can reach the data of other applications."""

    def judge(resource: Resource) -> Iterator[str]:
        stack = declared.around(resource)
        yield from reach.foreign(roles[resource], graph, stack, application, env.account_id)

    assert findings(_written(graph), judge) == {}


@pytest.mark.item("IAM-08")
def test_functions_receive_the_names_of_what_they_may_use(
    graph: Graph, compute: Compute, roles: Mapping[Resource, Role]
) -> None:
    """A grant on a resource that a function never uses only helps an attacker who controls the function."""
    graph.require(*reach.RELATIONS)
    live = {one: compute.function(one) for one in compute.serving(graph.of(FUNCTION))}
    used = {
        one: of
        for one in _written(graph)
        if (
            of := {each: function for each, function in live.items() if function.role_name == roles[one].name}
        )
    }
    if not used:
        raise NotApplicable("no function of the stack has a role of the stack")

    assert findings(used, lambda one: reach.unreceived(roles[one], used[one], graph)) == {}


def _with_roles(graph: Graph, compute: Compute, roles: Mapping[str, Role]) -> Mapping[Resource, Function]:
    """The functions that have a role of the stack, those of custom resources and of CloudFront's edges left out."""
    live = {one: compute.function(one) for one in compute.serving(every(graph, FUNCTION))}
    found = {one: function for one, function in live.items() if function.role_name in roles}
    if not found:
        raise NotApplicable("no function of the stack has a role of the stack")
    return found


@pytest.mark.item("IAM-09")
def test_every_call_of_the_code_is_granted(
    graph: Graph, compute: Compute, roles: Mapping[Resource, Role]
) -> None:
    """A call without a grant fails when it is first made, perhaps only while an error is handled."""
    by_name = {role.name: role for role in roles.values()}
    judged = {
        resource: function
        for resource, function in _with_roles(graph, compute, by_name).items()
        if function.configuration.get("Runtime", "").startswith("python")
    }
    if not judged:
        raise NotApplicable("no function with a role of the stack is in Python, whose calls alone are read")

    def judge(resource: Resource) -> Iterator[str]:
        own = judged[resource]
        same = [
            one
            for one in judged.values()
            if not own.is_image and (one.handler, one.code_sha256) == (own.handler, own.code_sha256)
        ]
        names = [own.role_name, *(one.role_name for one in same)]
        yield from lacking.lacking(own, [by_name[name] for name in dict.fromkeys(names)], graph)

    assert findings(judged, judge) == {}


@pytest.mark.item("IAM-10")
def test_what_lambda_needs_is_granted(graph: Graph, compute: Compute, roles: Mapping[Resource, Role]) -> None:
    """Without these permissions, logs, traces or events are lost and no error reports it."""
    by_name = {role.name: role for role in roles.values()}
    judged = _with_roles(graph, compute, by_name)

    def judge(resource: Resource) -> Iterator[str]:
        function = judged[resource]
        yield from lacking.lacking_for_lambda(function, by_name[function.role_name], graph)

    assert findings(judged, judge) == {}


@pytest.mark.item("IAM-11")
def test_every_call_of_a_state_machine_is_granted(
    graph: Graph, compute: Compute, roles: Mapping[Resource, Role]
) -> None:
    """An execution fails at the first task that its role does not allow, or whose target has no name."""
    by_name = {role.name: role for role in roles.values()}
    machines = {one: compute.machine(one) for one in every(graph, MACHINE)}

    def judge(resource: Resource) -> Iterator[str]:
        machine = machines[resource]
        yield from tasks.nameless(machine)
        if machine.role_name not in by_name:
            raise NotApplicable(f"the role of {resource} is none of the stack's")
        yield from tasks.lacking(machine, by_name[machine.role_name], graph)

    assert findings(machines, judge) == {}


@pytest.mark.item("SECRET-01")
def test_secrets_are_in_use(
    env: Environment, graph: Graph, declared: Declarations, roles: Mapping[Resource, Role]
) -> None:
    """An unused secret costs money, and is not rotated."""

    def judge(resource: Resource) -> Iterator[str]:
        secret = Secret(env, resource.physical_id)
        users = declared.users_of(resource).values()
        used = (
            any(not kind.startswith("AWS::SecretsManager::") for kind in users)
            or secret.arn in declared.around(resource).outputs.values()
            or any(_may_read(role, secret) for role in roles.values())
        )
        if not used:
            yield (
                "expected a resource or an output that refers to the secret, or a role that may read it by name, found none; take the "
                "secret out"
            )
        if secret.deletion_scheduled:
            yield "expected a secret that stays, found that its deletion is scheduled; restore it"
        elif not secret.has_current_version:
            yield "expected a value, found none; put one in, or set GenerateSecretString"

    assert findings(every(graph, _SECRET), judge) == {}


def _may_read(role: Role, secret: Secret) -> bool:
    """Whether a policy lets the role read the secret by its name; one that lets it read all names none."""
    return any(
        one.allows
        and one.covers("secretsmanager:GetSecretValue")
        and any(
            matches(arn, secret.arn) and arn.rpartition(":secret:")[2].strip("*") for arn in one.resources
        )
        for policy in role.own_policies
        for one in read(policy.statements)
    )


@pytest.mark.item("SECRET-02")
def test_secrets_admit_their_own_account_alone(env: Environment, graph: Graph) -> None:
    """Another account could sign in with it."""

    def judge(resource: Resource) -> Iterator[str]:
        statements = Secret(env, resource.physical_id).policy_statements
        yield from external_principals(statements, env.account_id)
        yield from unlimited(statements, env.account_id)

    assert findings(every(graph, _SECRET), judge) == {}


@pytest.mark.item("SSM-01")
def test_no_parameter_holds_a_plaintext_secret(
    env: Environment, graph: Graph, declared: Declarations
) -> None:
    """A user who may read the template, the stack or the parameter can read the secret."""

    def judge(resource: Resource) -> Iterator[str]:
        template = declared.around(resource).declared
        value = declared.resource(resource).get("Properties", {}).get("Value", "")
        names = {resource.physical_id, resource.logical_id.rpartition("/")[2]}
        if not any(_SECRET_NAME.search(_WORDS.sub("-", name)) for name in names) or _only_points(
            value, template
        ):
            return
        if (kind := Parameter(env, resource.physical_id).kind) != "SecureString":
            yield (
                f"expected a SecureString under a name like this, found {kind}; put the value into an "
                "AWS::SecretsManager::Secret, for CloudFormation makes no SecureString"
            )

    assert findings(every(graph, _PARAMETER), judge) == {}


def _only_points(value: object, resources: Mapping[str, object]) -> bool:
    """Whether a parameter's value is an ARN, an address or what a resource is called, and no secret."""
    if isinstance(value, str):
        return bool(re.match(r"(arn:|https?://|/)", value))
    return isinstance(value, dict) and ("Fn::GetAtt" in value or value.get("Ref") in resources)


@pytest.mark.item("KMS-01")
def test_keys_are_usable_and_rotate(env: Environment, graph: Graph) -> None:
    """Data under a disabled key cannot be read, and a key that leaked once decrypts all data permanently."""

    def judge(resource: Resource) -> Iterator[str]:
        key = Key(env, resource.physical_id)
        if key.state != "Enabled":
            yield f"expected an enabled key, found {key.state}; enable it, or cancel its deletion"
        elif key.can_rotate and not key.rotates:
            yield "expected yearly rotation, found none; set EnableKeyRotation"

    assert findings(every(graph, _KEY), judge) == {}


@pytest.mark.item("KMS-02")
def test_keys_admit_their_own_account_alone(env: Environment, graph: Graph) -> None:
    """A user who may use the key reads everything that it encrypts."""

    def judge(resource: Resource) -> Iterator[str]:
        statements = Key(env, resource.physical_id).policy_statements
        logs = [f"logs.{env.region}.amazonaws.com", "logs.amazonaws.com"]
        yield from external_principals(statements, env.account_id, trusted=_UNCONDITIONAL, deputies=logs)
        yield from unlimited(statements, env.account_id)
        yield from administered(statements)

    assert findings(every(graph, _KEY), judge) == {}


@pytest.mark.item("KMS-03")
def test_keys_let_logs_be_encrypted(env: Environment, graph: Graph) -> None:
    """A log group whose key CloudWatch Logs may not use takes no more events, and gives none out."""
    keys = {Key(env, one.physical_id).arn: one for one in every(graph, _KEY)}
    encrypted: dict[Resource, list[LogGroup]] = {}
    for resource in graph.of(_LOG_GROUP):
        group = LogGroup(env, resource.physical_id)
        if (key := keys.get(group.kms_key_arn)) is not None:
            encrypted.setdefault(key, []).append(group)
    if not encrypted:
        raise NotApplicable("no log group of the stack is encrypted with a key of the stack")

    def judge(resource: Resource) -> Iterator[str]:
        statements = Key(env, resource.physical_id).policy_statements
        for group in encrypted[resource]:
            callers = [
                Caller(service, group.arn, env.account_id, {"kms:encryptioncontext:aws:logs:arn": group.arn})
                for service in (f"logs.{env.region}.amazonaws.com", "logs.amazonaws.com")
            ]
            missing = [
                action
                for action in _OF_LOGS
                if not any(lets_in(statements, caller, action) for caller in callers)
            ]
            if missing:
                yield (
                    f"expected a key policy that lets {callers[0].service} encrypt log group {group.name}, found {', '.join(missing)} missing; "
                    "add it to KeyPolicy, or correct its condition"
                )

    assert findings(encrypted, judge) == {}
