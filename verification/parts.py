"""Which resource of a stack plays which part in Pixel Prompt.

A part has the name that backend/template.yaml gives its resource. A stack may give it another one: then the relations of the
live stack show which resource it is. `roles` of an environment in environments.toml decides where they do not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from readiness.discovery.graph import Graph, Relation, Resource


@dataclass(frozen=True)
class Part:
    """How the relations of a stack show a part.

    Args:
        type: CloudFormation's.
        beside: a part, or a type of which any resource will do; '' where the type alone shows the part.
        relation: between the part and what it is beside.
        source: whether the relation goes from the part, rather than to it.
        label: of the relation, '' for any.
        unlike: a part that this one is not, though it is of the same type.
    """

    type: str
    beside: str = ""
    relation: Relation | None = None
    source: bool = False
    label: str = ""
    unlike: str = ""


_FUNCTION: Final = "AWS::Lambda::Function"
_QUEUE: Final = "AWS::SQS::Queue"
_BUCKET: Final = "AWS::S3::Bucket"
_DISTRIBUTION: Final = "AWS::CloudFront::Distribution"

PARTS: Final[Mapping[str, Part]] = {
    "HttpApi": Part("AWS::ApiGatewayV2::Api"),
    "ApiFunction": Part(_FUNCTION, "HttpApi", Relation.ROUTES_TO),
    "WorkerFunction": Part(_FUNCTION, _QUEUE, Relation.READS_FROM, source=True),
    "JobsQueue": Part(_QUEUE, "WorkerFunction", Relation.READS_FROM),
    "JobsDeadLetterQueue": Part(_QUEUE, "JobsQueue", Relation.DEAD_LETTERS_TO),
    "JobsTable": Part("AWS::DynamoDB::Table", "ApiFunction", Relation.USES),
    "ProviderKeys": Part("AWS::SecretsManager::Secret", "WorkerFunction", Relation.USES),
    "ImagesBucket": Part(_BUCKET, "WorkerFunction", Relation.USES),
    "Distribution": Part(_DISTRIBUTION, "ImagesBucket", Relation.SERVES, source=True),
    "SiteBucket": Part(_BUCKET, "SiteDistribution", Relation.SERVES),
    "SiteDistribution": Part(_DISTRIBUTION, unlike="Distribution"),
    "AccessLogGroup": Part("AWS::Logs::LogGroup", "AWS::ApiGatewayV2::Stage", Relation.LOGS_TO),
    "AlarmTopic": Part("AWS::SNS::Topic", "AWS::CloudWatch::Alarm", Relation.NOTIFIES),
    "AlarmInbox": Part(_QUEUE, "AlarmTopic", Relation.NOTIFIES),
    "ApiErrorsAlarm": Part(
        "AWS::CloudWatch::Alarm", "ApiFunction", Relation.WATCHES, source=True, label="Errors"
    ),
    "CdnLogsBucket": Part(_BUCKET, "Distribution", Relation.LOGS_TO),
    "MonthlyBudget": Part("AWS::Budgets::Budget"),
}
OPTIONAL: Final[Mapping[str, str]] = {"CdnLogsBucket": "INF-19", "MonthlyBudget": "INF-16"}
"""What a setting leaves out of a stack, with the item that claims it."""
NEEDED: Final = tuple(name for name in PARTS if name not in OPTIONAL)
"""What every stack has; INF-01 claims that all of it is there."""


@dataclass(frozen=True)
class Parts:
    """The parts of one stack.

    Args:
        graph: of the stack.
        roles: logical ids that an operator has named, by part.
    """

    graph: Graph
    roles: Mapping[str, str]

    def candidates(self, name: str) -> list[Resource]:
        """The resources that could be the part: one where the stack shows it, none or several where it does not.

        Raises:
            Unverified: the relations could not be read whole.
        """
        part = PARTS[name]
        by_name = {one.logical_id: one for one in self.graph.of(part.type)}
        if own := by_name.get(self.roles.get(name, name)):
            return [own]
        if name in self.roles:
            return []
        if part.relation is None:
            others = self.candidates(part.unlike) if part.unlike else []
            return [one for one in by_name.values() if one not in others]
        self.graph.require(part.relation)
        beside = self.candidates(part.beside) if part.beside in PARTS else self.graph.of(part.beside)
        read = self.graph.to if part.source else self.graph.from_
        edges = [
            edge for one in beside for edge in read(one, part.relation) if part.label in ("", edge.label)
        ]
        ends = (edge.source if part.source else edge.target for edge in edges)
        return list(dict.fromkeys(end for end in ends if end.logical_id in by_name))
