"""What the processed templates say of a resource: its own properties, and what other resources attach to it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from readiness.aws.cloudformation import CloudFormationStack
from readiness.catalogue.undeclared import apis, edge, policies, pools
from readiness.catalogue.undeclared.subject import Document
from readiness.discovery import arns
from readiness.discovery.graph import Graph, Resource
from readiness.discovery.template import UNKNOWN, Template
from readiness.environment import Environment
from readiness.errors import Missing, Unverified

_STACK: Final = "AWS::CloudFormation::Stack"
_API_IN_ARN: Final = re.compile(r":execute-api:[^:]*:[^:]*:([\w-]+)")


@dataclass(frozen=True)
class Declared:
    """One resource as its template has it, intrinsic functions carried out."""

    resource: Resource
    properties: Document = field(repr=False, compare=False)

    def refers_to(self, reference: Any, target: Resource) -> bool:
        """Return whether a property's value refers to a resource. A value with unknown parts may refer to any that fits."""
        text = str(reference)
        if UNKNOWN in text:
            pattern = ".*".join(re.escape(part) for part in text.split(UNKNOWN))
            return any(re.fullmatch(pattern, one) for one in (target.physical_id, target.arn))
        names = {target.physical_id, target.arn, arns.short(target.physical_id)}
        return (
            text in names
            or (bool(target.arn) and arns.reduced(text) == target.arn)
            or (target.type == "AWS::Lambda::Function" and text.partition(":")[0] == target.physical_id)
        )


@dataclass(frozen=True)
class Attachment:
    """What resources of one type attach to another.

    Args:
        type: of the resource that attaches.
        to: the property that names whom to; several with `[]`.
        member: of the target's document.
        value: what it attaches, given the declaring resource and its target.
    """

    type: str
    to: str
    member: str
    value: Callable[[Declared, Resource], Any]

    def of(self, declared: Declared, target: Resource) -> Iterator[Any]:
        """What a resource attaches to a target."""
        if declared.resource.type != self.type:
            return
        if any(declared.refers_to(one, target) for one in _at(declared.properties, self.to)):
            value = self.value(declared, target)
            yield from value if isinstance(value, list) else [] if value is None else [value]


def _at(properties: Document, path: str) -> Sequence[Any]:
    """The values at a path, such as `Roles` or `Targets.Arn`; what is in a list counts by itself."""
    found: list[Any] = [properties]
    for name in path.split("."):
        found = [one.get(name) for one in found if isinstance(one, Mapping)]
        found = [one for some in found for one in (some if isinstance(some, list) else [some])]
    return [one for one in found if one is not None]


def _id(declared: Declared, _target: Resource) -> str:
    return declared.resource.physical_id


def _last(declared: Declared, _target: Resource) -> str:
    return re.split(r"[|/:]", declared.resource.physical_id)[-1]


def _property(name: str) -> Callable[[Declared, Resource], Any]:
    return lambda declared, _target: declared.properties.get(name, UNKNOWN)


def _statements(name: str) -> Callable[[Declared, Resource], Any]:
    return lambda declared, _target: list(policies.normal(declared.properties.get(name)))


def _provisioned(declared: Declared, _target: Resource) -> str | None:
    return declared.resource.physical_id if "ProvisionedConcurrencyConfig" in declared.properties else None


def _qualified(declared: Declared, target: Resource) -> str:
    """The ARN of a function with the alias or version that is meant, without `$LATEST`, which means the function."""
    properties = declared.properties
    named = str(properties.get("TargetFunctionArn") or properties.get("FunctionName"))
    qualifier = str(
        properties.get("Qualifier") or named.removeprefix(target.arn).removeprefix(target.physical_id)
    )
    qualifier = qualifier.lstrip(":")
    return f"{target.arn}:{qualifier}" if qualifier else target.arn


def _permission(declared: Declared, target: Resource) -> list[Any]:
    statement = policies.permission(declared.properties, _qualified(declared, target))
    return list(policies.normal({"Statement": statement}))


def _caller(declared: Declared, _target: Resource) -> Any:
    return _API_IN_ARN.findall(str(declared.properties.get("SourceArn", "")))


def _route(declared: Declared, _target: Resource) -> Document:
    """A route of its own; its integration, which is another resource, is drift's business."""
    auth = declared.properties.get("AuthorizationType", "NONE")
    return {
        "RouteKey": declared.properties.get("RouteKey"),
        "Integration": UNKNOWN,
        "AuthorizationType": auth,
    }


def _method(declared: Declared, _target: Resource) -> Document:
    """A REST API's method by the resource that it belongs to, whose path only the API tells; drift looks into it."""
    properties = declared.properties
    key = f"{properties.get('HttpMethod')} {UNKNOWN}"
    return {"RouteKey": key, "ResourceId": properties.get("ResourceId"), "Integration": UNKNOWN}


def _chat(_declared: Declared, _target: Resource) -> Document:
    return {"Protocol": "https", "Endpoint": UNKNOWN}


def _subscription(declared: Declared, _target: Resource) -> Document:
    return {name: declared.properties.get(name) for name in ("Protocol", "Endpoint")}


_FUNCTION: Final = "FunctionName"
ATTACHMENTS: Final = (
    Attachment(
        "AWS::Lambda::EventSourceMapping",
        _FUNCTION,
        "EventSourceMappings",
        lambda one, _: {"UUID": one.resource.physical_id},
    ),
    Attachment("AWS::Lambda::Alias", _FUNCTION, "Aliases", _id),
    Attachment("AWS::Lambda::Alias", _FUNCTION, "Provisioned", _provisioned),
    Attachment("AWS::Lambda::Version", _FUNCTION, "Provisioned", _provisioned),
    Attachment("AWS::Lambda::Url", "TargetFunctionArn", "Urls", _qualified),
    Attachment("AWS::Lambda::EventInvokeConfig", _FUNCTION, "EventInvokeConfigs", _qualified),
    Attachment("AWS::Lambda::Permission", _FUNCTION, "Policy", _permission),
    Attachment("AWS::Lambda::Permission", _FUNCTION, "Callers", _caller),
    Attachment("AWS::Events::Rule", "Targets.Arn", "EventRules", _last),
    Attachment("AWS::ApiGatewayV2::Stage", "ApiId", "Stages", _property("StageName")),
    Attachment("AWS::ApiGatewayV2::Authorizer", "ApiId", "Authorizers", _property("Name")),
    Attachment("AWS::ApiGatewayV2::Route", "ApiId", "Routes", _route),
    Attachment("AWS::ApiGatewayV2::Integration", "ApiId", "Integrations", _last),
    Attachment("AWS::ApiGateway::Stage", "RestApiId", "Stages", _property("StageName")),
    Attachment(
        "AWS::ApiGateway::Deployment", "RestApiId", "Stages", lambda one, _: one.properties.get("StageName")
    ),
    Attachment("AWS::ApiGateway::Method", "RestApiId", "Routes", _method),
    Attachment("AWS::Chatbot::SlackChannelConfiguration", "SnsTopicArns", "Subscriptions", _chat),
    Attachment("AWS::Chatbot::MicrosoftTeamsChannelConfiguration", "SnsTopicArns", "Subscriptions", _chat),
    Attachment("AWS::ApiGateway::Authorizer", "RestApiId", "Authorizers", _property("Name")),
    Attachment("AWS::S3::BucketPolicy", "Bucket", "Policy", _statements("PolicyDocument")),
    Attachment("AWS::SQS::QueuePolicy", "Queues", "Policy", _statements("PolicyDocument")),
    Attachment("AWS::SQS::QueueInlinePolicy", "Queue", "Policy", _statements("PolicyDocument")),
    Attachment("AWS::SNS::TopicPolicy", "Topics", "Policy", _statements("PolicyDocument")),
    Attachment("AWS::SNS::TopicInlinePolicy", "TopicArn", "Policy", _statements("PolicyDocument")),
    Attachment("AWS::SNS::Subscription", "TopicArn", "Subscriptions", _subscription),
    Attachment("AWS::IAM::Policy", "Roles", "InlinePolicies", _property("PolicyName")),
    Attachment("AWS::IAM::RolePolicy", "RoleName", "InlinePolicies", _property("PolicyName")),
    Attachment("AWS::IAM::ManagedPolicy", "Roles", "AttachedPolicies", _id),
    Attachment("AWS::IAM::InstanceProfile", "Roles", "InstanceProfiles", _id),
    Attachment("AWS::Logs::SubscriptionFilter", "LogGroupName", "SubscriptionFilters", _last),
    Attachment("AWS::Logs::MetricFilter", "LogGroupName", "MetricFilters", _last),
    Attachment("AWS::SecretsManager::ResourcePolicy", "SecretId", "Policy", _statements("ResourcePolicy")),
    Attachment(
        "AWS::SecretsManager::RotationSchedule", "SecretId", "Rotation", _property("RotationLambdaARN")
    ),
    Attachment("AWS::Cognito::UserPoolClient", "UserPoolId", "UserPoolClients", _id),
    Attachment("AWS::Cognito::UserPoolDomain", "UserPoolId", "Domains", _property("Domain")),
    Attachment(
        "AWS::Cognito::UserPoolIdentityProvider", "UserPoolId", "IdentityProviders", _property("ProviderName")
    ),
    Attachment("AWS::KMS::Alias", "TargetKeyId", "KeyAliases", _property("AliasName")),
    Attachment(
        "AWS::WAFv2::LoggingConfiguration", "ResourceArn", "Logging", _property("LogDestinationConfigs")
    ),
    # How the CDK sets a bucket's notifications.
    Attachment(
        "Custom::S3BucketNotifications", "BucketName", "NotificationConfiguration", lambda _one, _: UNKNOWN
    ),
)
"""Source: each type's page in the CloudFormation User Guide, its properties and what Ref returns."""
_OWN_POLICIES: Final = ("AssumeRolePolicyDocument", "KeyPolicy")
ATTACHED: Final = frozenset(
    {one.member for one in ATTACHMENTS} | {"Grants", "KeyGrants", "ResourcePolicies"}
) - {"NotificationConfiguration"}
"""Members that are things of their own, so that another value is another thing and not a changed one."""


class Declarations:
    """The templates of a stack and of those nested in it."""

    def __init__(self, env: Environment, graph: Graph) -> None:
        """Carry out every template's functions.

        Args:
            env: where the stack is.
            graph: of the stack.

        Raises:
            Unverified: a template cannot be read, or the stack lacks what it declares.
        """
        self._env = env
        self._home = arns.Home(env.partition, env.region, env.account_id)
        nested = {f"{one}/": one.physical_id for one in graph.of(_STACK)}
        self.all: Sequence[Declared] = [
            Declared(one, properties)
            for path, name in {"": env.stack_name, **nested}.items()
            for one, properties in self._of(path, CloudFormationStack(env, name), graph)
        ]
        self.by_resource = {one.resource: one for one in self.all}

    def _of(self, path: str, stack: CloudFormationStack, graph: Graph) -> Iterator[tuple[Resource, Document]]:
        own = {
            one.logical_id.removeprefix(path): one
            for one in graph.resources
            if one.declared and one.logical_id.rpartition("/")[0] == path.rstrip("/")
        }
        stack_id = stack.description["StackId"]
        pseudo = {
            "AWS::AccountId": self._env.account_id,
            "AWS::Partition": self._env.partition,
            "AWS::Region": self._env.region,
            "AWS::StackId": stack_id,
            "AWS::StackName": stack.description["StackName"],
            "AWS::URLSuffix": UNKNOWN,
        }
        parameters = {
            one["ParameterKey"]: one.get("ResolvedValue", one.get("ParameterValue", ""))
            for one in stack.description.get("Parameters", [])
        }
        ids = {name: one.physical_id for name, one in own.items()}
        template = Template(stack.processed, parameters, ids, pseudo, self._attribute)
        for one in template.resources():
            if one.logical_id not in own:
                cause = f"stack '{stack.name}' has no resource '{one.logical_id}'"
                raise Missing(f"{cause}, which its template declares; deploy it again", cause=cause)
            yield own[one.logical_id], one.properties

    def _attribute(self, kind: str, physical_id: str, name: str) -> Any:
        """What GetAtt gives, as far as the physical id tells; unknown otherwise."""
        if kind == _STACK and name.startswith("Outputs."):
            return CloudFormationStack(self._env, physical_id).outputs.get(
                name.removeprefix("Outputs."), UNKNOWN
            )
        if name == "RootResourceId":
            try:
                answer = self._env.client("apigateway").get_rest_api(restApiId=physical_id)
            except Unverified:
                return UNKNOWN
            return answer.get("rootResourceId", UNKNOWN)
        if (kind, name) == ("AWS::Lambda::Version", "Version"):
            return physical_id.rpartition(":")[2]
        if name in ("Arn", "TopicArn", "AliasArn", "FunctionArn", "Id"):
            arn = arns.arn(kind, physical_id, self._home)
            return arn + UNKNOWN if arn and kind == "AWS::Logs::LogGroup" else arn or UNKNOWN
        return UNKNOWN

    def properties(self, resource: Resource) -> Document:
        """A resource's own properties; none where a macro of CloudFormation made it."""
        declared = self.by_resource.get(resource)
        return declared.properties if declared else {}

    def of(self, resource: Resource) -> Document:
        """Everything that the templates say of a resource, as `readings` has it."""
        properties = self.properties(resource)
        found: dict[str, Any] = {**properties, **_own(resource.type, properties)}
        for attachment in ATTACHMENTS:
            values = [value for one in self.all for value in attachment.of(one, resource)]
            if values:
                found[attachment.member] = [*_listed(found.get(attachment.member)), *values]
        if resource.type == "AWS::Logs::LogGroup":
            found["ResourcePolicies"] = [
                one.properties.get("PolicyName", UNKNOWN)
                for one in self.all
                if one.resource.type == "AWS::Logs::ResourcePolicy"
            ]
        return found


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _own(kind: str, properties: Document) -> Document:
    """Properties that attach something, or that a service tells in another form."""
    found: dict[str, Any] = {}
    for name in _OWN_POLICIES:
        if name in properties:
            found["Policy"] = list(policies.normal(properties[name]))
    if "PolicyDocument" in (properties.get("ResourcePolicy") or {}):
        found["Policy"] = list(policies.normal(properties["ResourcePolicy"]["PolicyDocument"]))
    if kind == "AWS::IAM::Role":
        found["InlinePolicies"] = [one["PolicyName"] for one in properties.get("Policies", [])]
        found["AttachedPolicies"] = list(properties.get("ManagedPolicyArns", []))
    if kind == "AWS::SNS::Topic":
        found["Subscriptions"] = list(properties.get("Subscription", []))
    if kind == "AWS::SecretsManager::Secret":
        found["ReplicaRegions"] = [one.get("Region") for one in properties.get("ReplicaRegions", [])]
    if kind == "AWS::S3::Bucket":
        found |= _bucket(properties)
    if kind in ("AWS::ApiGatewayV2::Api", "AWS::ApiGateway::RestApi"):
        found |= _api(kind, properties)
    found |= edge.declared(kind, properties)
    found |= pools.declared(kind, properties)
    return found


def _bucket(properties: Document) -> Document:
    found: dict[str, Any] = {"Grants": UNKNOWN} if "AccessControl" in properties else {}
    lifecycle = properties.get("LifecycleConfiguration")
    rules = lifecycle.get("Rules") if isinstance(lifecycle, Mapping) else None
    if isinstance(rules, list):
        found["LifecycleConfiguration"] = {"Rules": [_lifecycle_rule(one) for one in rules]}
    return found


def _lifecycle_rule(declared: Document) -> Document:
    """A lifecycle rule without the older forms of its properties, which say the same with other names."""
    rule = dict(declared)
    if "NoncurrentVersionExpirationInDays" in rule:
        rule["NoncurrentVersionExpiration"] = {
            "NoncurrentDays": rule.pop("NoncurrentVersionExpirationInDays")
        }
    for name in ("Transition", "NoncurrentVersionTransition"):
        if name in rule:
            rule[f"{name}s"] = [rule.pop(name)]
    return rule


def _api(kind: str, properties: Document) -> Document:
    http = kind == "AWS::ApiGatewayV2::Api"
    if properties.get("Target"):  # quick create: AWS makes a route and a stage of that name
        return {
            "Routes": [{"RouteKey": UNKNOWN, "Integration": UNKNOWN}],
            "Stages": ["$default"],
            "Integrations": UNKNOWN,
        }
    if "BodyS3Location" in properties or not isinstance(properties.get("Body", {}), Mapping):
        return dict.fromkeys(
            ("Routes", "Integrations", "Authorizers", "ApiPolicy", "CorsConfiguration"), UNKNOWN
        )
    body = properties.get("Body") or {}
    info, components = body.get("info") or {}, body.get("components") or body
    schemes = components.get("securitySchemes") or components.get("securityDefinitions") or {}
    named = {
        "Name": info.get("title"),
        "Description": info.get("description"),
        "Version": info.get("version"),
    }
    found: dict[str, Any] = {name: value for name, value in named.items() if value and name not in properties}
    for name, member in (
        ("x-amazon-apigateway-cors", "CorsConfiguration"),
        ("x-amazon-apigateway-policy", "ApiPolicy"),
        ("x-amazon-apigateway-binary-media-types", "BinaryMediaTypes"),
        ("x-amazon-apigateway-endpoint-configuration", "EndpointConfiguration"),
        ("x-amazon-apigateway-endpoint-configuration", "DisableExecuteApiEndpoint"),
        ("x-amazon-apigateway-minimum-compression-size", "MinimumCompressionSize"),
        ("x-amazon-apigateway-api-key-source", "ApiKeySourceType"),
    ):
        if name in body:
            found[member] = UNKNOWN
    if "Policy" in properties:
        found["ApiPolicy"] = UNKNOWN
    return {
        **found,
        "ProtocolType": properties.get("ProtocolType", "HTTP"),
        "Routes": list(apis.of_body(body, http=http)),
        "Authorizers": [
            name for name, one in schemes.items() if any(key.startswith("x-amazon") for key in one)
        ],
    }
