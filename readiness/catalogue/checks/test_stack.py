"""The stack itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest

from readiness import budgets
from readiness.aws.budget import Budget
from readiness.aws.cloudformation import CloudFormationStack
from readiness.aws.quotas import Quotas
from readiness.aws.tags import READABLE, tags_of
from readiness.catalogue import deployment, prices
from readiness.catalogue.compute import FUNCTION, Compute
from readiness.catalogue.declaration import Declarations
from readiness.catalogue.judging import every, findings
from readiness.catalogue.outputs import Outputs
from readiness.catalogue.undeclared.search import undeclared
from readiness.discovery.graph import Graph, Resource
from readiness.environment import Environment
from readiness.errors import Missing, NotApplicable, Unverified
from readiness.plugin import Verification

_COMPLETE = {"CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE"}
_NESTED = "AWS::CloudFormation::Stack"
_BUDGET = "AWS::Budgets::Budget"
_BUCKET = "AWS::S3::Bucket"
_EMPTIES = "Custom::S3AutoDeleteObjects"
"""What CDK adds to a bucket with `autoDeleteObjects`. Source: AWS CDK API reference, aws-s3, BucketProps."""
_STATEFUL = (
    *("AWS::DynamoDB::Table", "AWS::DynamoDB::GlobalTable", "AWS::Cognito::UserPool"),
    *("AWS::RDS::DBInstance", "AWS::RDS::DBCluster", "AWS::EFS::FileSystem", "AWS::KMS::Key"),
    *("AWS::OpenSearchService::Domain", "AWS::Kinesis::Stream", "AWS::DocDB::DBCluster"),
)
_KEPT = {"Retain", "RetainExceptOnCreate", "Snapshot"}


@pytest.fixture(scope="session")
def stacks(compute: Compute) -> Mapping[str, CloudFormationStack]:
    """The stack and those nested in it, by the path that their resources' logical ids begin with."""
    return compute.stacks


@pytest.mark.infra
@pytest.mark.item("STACK-01")
def test_stack_is_complete(stacks: Mapping[str, CloudFormationStack]) -> None:
    """A stack that was rolled back runs something else than what was released."""
    assert {stack.name: stack.status for stack in stacks.values() if stack.status not in _COMPLETE} == {}
    assert {
        path + resource.logical_id: f"expected a complete state, found {resource.status}"
        for path, stack in stacks.items()
        for resource in stack.resources.values()
        if resource.status not in _COMPLETE
    } == {}


@pytest.mark.infra
@pytest.mark.item("STACK-02")
def test_nothing_has_drifted_from_the_template(
    stacks: Mapping[str, CloudFormationStack], evidence: dict[str, object]
) -> None:
    """The next deployment would undo a manual change, or keep a forgotten one."""
    drifts = {path + id_: drift for path, stack in stacks.items() for id_, drift in stack.drifts.items()}
    evidence["compared"] = (
        f"{len(drifts)} of {sum(len(stack.resources) for stack in stacks.values())} resources"
    )

    assert {
        id_: "; ".join(drift.differences) or f"expected it to be as declared, found {drift.status}"
        for id_, drift in drifts.items()
        if drift.status in ("MODIFIED", "DELETED")
    } == {}
    if unread := [id_ for id_, drift in drifts.items() if drift.status != "IN_SYNC"]:
        raise Unverified(
            f"expected CloudFormation to compare every resource, found that it could not read {', '.join(unread)}; allow these reads, then run again"
        )
    if not drifts:
        raise Unverified(
            "expected CloudFormation to compare resources, found that it compared none; check the stack's drift by hand"
        )


@pytest.mark.infra
@pytest.mark.item("STACK-03")
def test_resources_with_data_survive_an_accidental_deletion(
    env: Environment, graph: Graph, stacks: Mapping[str, CloudFormationStack], declared: Declarations
) -> None:
    """Deleting the wrong stack would delete the users' data with it."""
    holding = [one for one in every(graph, _BUCKET, *_STATEFUL) if _goes_with_its_data(one, declared)]
    if not holding:
        raise NotApplicable(
            "the stack holds data in buckets alone, which CloudFormation deletes only when they are empty"
        )
    if not env.settings.production:
        raise NotApplicable(f"'{env.name}' is not declared as production")
    protected = stacks[""].termination_protection

    def judge(resource: Resource) -> Iterator[str]:
        written = declared.resource(resource)
        properties = written.get("Properties", {})
        kept = written.get("DeletionPolicy") in _KEPT or any(
            str(properties.get(name)).lower() in ("true", "active")
            for name in ("DeletionProtection", "DeletionProtectionEnabled")
        )
        if not (protected or kept):
            yield (
                "expected DeletionPolicy Retain or a stack with termination protection, found neither; set DeletionPolicy and "
                "UpdateReplacePolicy, and protect the stack"
            )

    assert findings(holding, judge) == {}


def _goes_with_its_data(resource: Resource, declared: Declarations) -> bool:
    """Whether deleting the stack can delete a resource that holds data: a bucket that nothing empties first stays."""
    return resource.type != _BUCKET or _EMPTIES in declared.users_of(resource).values()


@pytest.mark.infra
@pytest.mark.item("STACK-04")
def test_outputs_name_what_exists(
    env: Environment, graph: Graph, compute: Compute, stacks: Mapping[str, CloudFormationStack]
) -> None:
    """People, scripts and other stacks follow the outputs, wherever they lead."""
    outputs = Outputs(env, graph, compute)
    looked_for = {name: outputs.exists(value) for name, value in stacks[""].outputs.items()}
    if not [found for found in looked_for.values() if found is not None]:
        raise NotApplicable("no output of the stack names a resource of AWS")

    assert {
        name: f"expected what it names to exist, found no {stacks[''].outputs[name]}; take its value from a resource by Ref or GetAtt"
        for name, found in looked_for.items()
        if found is False
    } == {}


@pytest.mark.config
@pytest.mark.item("STACK-05")
def test_resources_carry_the_tags_of_the_stack(
    env: Environment, graph: Graph, stacks: Mapping[str, CloudFormationStack]
) -> None:
    """A resource has no known owner, and the bill cannot be split by owner."""
    if not (wanted := stacks[""].tags):
        raise NotApplicable("the stack was deployed without tags")

    def judge(resource: Resource) -> Iterator[str]:
        try:
            found = tags_of(env, resource.type, resource.physical_id)
        except Missing:
            return  # that it is gone is drift
        if lacking := {key: value for key, value in wanted.items() if found.get(key) != value}:
            yield f"expected the stack's tags, found none like {lacking}; deploy the stack again with its tags"

    assert findings(every(graph, *READABLE), judge) == {}


@pytest.mark.config
@pytest.mark.item("STACK-06")
def test_template_in_the_folder_is_deployed(
    verification: Verification, env: Environment, stacks: Mapping[str, CloudFormationStack]
) -> None:
    """The template that is reviewed, tested and released differs from the one that runs."""
    template = verification.template
    deployed = stacks[""].original_template

    changed = dict.fromkeys(
        deployment.changed(deployed, template, env.exchanges),
        f"expected what {template.name} says, found something else deployed; deploy it",
    )
    assert changed == {}


@pytest.mark.infra
@pytest.mark.item("STACK-07")
def test_stack_has_no_undeclared_configuration(env: Environment, graph: Graph) -> None:
    """Drift detection compares declared properties alone: a manual addition stays in effect, and no tool reports it."""
    assert undeclared(env, graph) == {}


@pytest.mark.infra
@pytest.mark.item("QUOTA-01")
def test_quotas_leave_room(env: Environment, graph: Graph) -> None:
    """A deployment, or growth, would stop at a limit that takes days to raise."""
    quotas = Quotas(env).of({resource.type for resource in graph.resources if resource.declared} | {_NESTED})

    assert {
        quota.name: f"expected at most {budgets.QUOTA_USE:.0%} in use, found {quota}; ask for a higher quota, or clear up"
        for quota in quotas
        if quota.used > budgets.QUOTA_USE * quota.limit
    } == {}


@pytest.mark.infra
@pytest.mark.item("COST-01")
def test_estimate_stays_within_the_budget(
    env: Environment, graph: Graph, compute: Compute, evidence: dict[str, object]
) -> None:
    """The bill would say first that the stack costs more than was granted."""
    own = [each for each in graph.resources if each.declared]
    live = {each: compute.function(each) if each.type == FUNCTION else None for each in own}
    lines = sorted(prices.estimate(live), key=lambda line: -line.usd)
    total = sum(line.usd for line in lines)
    evidence["requests a month"] = prices.REQUESTS
    evidence["estimate, USD a month"] = round(total, 2)
    evidence |= {f"of it {line.what}": round(line.usd, 2) for line in lines}
    granted = {
        str(each): limit
        for each in every(graph, _BUDGET)
        if (limit := Budget(env, each.physical_id).monthly_usd) is not None
    }
    if not granted:
        raise NotApplicable("no budget of the stack limits a month's cost in USD")

    assert {
        name: f"expected an estimate of at most {limit:g} USD a month, found {total:.2f} at {prices.REQUESTS:,} requests; raise it, or save"
        for name, limit in granted.items()
        if total > limit
    } == {}
