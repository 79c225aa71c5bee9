"""Which operations tell what is set on a resource, and what is attached to it; one table, a type a row."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import jmespath
from botocore.exceptions import BotoCoreError, ClientError

from readiness.catalogue.undeclared import apis, edge, policies
from readiness.catalogue.undeclared.subject import Document, Subject
from readiness.discovery.template import UNKNOWN
from readiness.errors import Unverified


@dataclass(frozen=True)
class Read:
    """One operation and what of its answer is kept.

    Args:
        service: by boto3's name.
        method: of its client.
        parameters: texts with `{id}`, `{arn}`, `{name}`, `{function}` or a declared property, such as `{ApiId}`.
        take: a JMESPath expression that makes a document of the answer, in the template's words.
    """

    service: str
    method: str
    parameters: Mapping[str, Any]
    take: str = "@"

    def of(self, subject: Subject) -> Document:
        """What the operation tells of a resource.

        Raises:
            Unverified: a parameter is a property that the template does not declare, or whose value is not known.
        """
        words = {
            **subject.properties,
            "id": subject.id,
            "arn": subject.arn,
            "name": subject.name,
            "function": subject.function,
        }
        parameters = {name: _filled(value, words) for name, value in self.parameters.items()}
        found: Document = (
            jmespath.search(self.take, subject.ask(self.service, self.method, **parameters)) or {}
        )
        return found


Reading = Read | Callable[[Subject], Document]


def _filled(value: Any, words: Mapping[str, Any]) -> Any:
    if isinstance(value, list):
        return [_filled(one, words) for one in value]
    text = str(value).format_map(defaultdict(lambda: UNKNOWN, words))
    if UNKNOWN in text:
        name = str(value).strip("{}")
        raise Unverified(
            f"expected {name} in the template, found no known value; declare it with Ref or GetAtt"
        )
    return text


def _alarm(subject: Subject) -> Document:
    """The alarm's rule; nothing where it is gone, which is drift.

    Raises:
        Unverified: the answer names no list of alarms, so that it says nothing of this one.
    """
    answer = subject.ask("cloudwatch", "describe_alarms", AlarmNames=[subject.id])
    if "MetricAlarms" not in answer:
        raise Unverified(
            f"cloudwatch:DescribeAlarms answers without alarms, so that {subject.id} is not known; run again"
        )
    alarms: Sequence[Document] = answer["MetricAlarms"]
    return alarms[0] if alarms else {}


def _log_group(subject: Subject) -> Document:
    """A log group's own settings; the operation finds groups by the beginning of their names."""
    groups = subject.ask("logs", "describe_log_groups", logGroupNamePrefix=subject.id).get("logGroups", [])
    group: Document = next((one for one in groups if one["logGroupName"] == subject.id), {})
    return {f"{name[0].upper()}{name[1:]}": group.get(name) for name in _OF_LOG_GROUP}


def _subscription(subject: Subject) -> Document:
    """A subscription's attributes, asked in its topic's region; none while it waits to be confirmed and has no ARN."""
    if not subject.id.startswith("arn:"):
        return {}
    region = subject.id.split(":")[3]
    found: Document = subject.ask(
        "sns", "get_subscription_attributes", region=region, SubscriptionArn=subject.id
    )
    return {name: found.get("Attributes", {}).get(name) for name in _OF_SUBSCRIPTION}


def _url(subject: Subject) -> Document:
    """A function URL's settings; its physical id is the function's ARN, with the alias where it has one."""
    alias = subject.id.rpartition("function:")[2].partition(":")[2]
    which = {"Qualifier": alias} if alias else {}
    found: Document = subject.ask("lambda", "get_function_url_config", FunctionName=subject.function, **which)
    return {name: found.get(name) for name in ("Cors", "InvokeMode")}


def _lambda(method: str, take: str) -> Read:
    return Read("lambda", method, {"FunctionName": "{id}"}, take)


def _bucket(method: str, take: str) -> Read:
    return Read("s3", method, {"Bucket": "{id}"}, take)


def _table(method: str, take: str) -> Read:
    return Read("dynamodb", method, {"TableName": "{id}"}, take)


def _user_pool(method: str, take: str) -> Read:
    return Read("cognito-idp", method, {"UserPoolId": "{id}"}, take)


def _role(method: str, take: str) -> Read:
    return Read("iam", method, {"RoleName": "{id}"}, take)


_LIFECYCLE: Final = (
    "{LifecycleConfiguration: {Rules: Rules[].{Id: ID, Status: Status, "
    "Prefix: Filter.Prefix || Filter.And.Prefix || Prefix, TagFilters: Filter.And.Tags || Filter.Tag && [Filter.Tag], "
    "ExpirationInDays: Expiration.Days, "
    "ExpirationDate: Expiration.Date, ExpiredObjectDeleteMarker: Expiration.ExpiredObjectDeleteMarker, "
    "AbortIncompleteMultipartUpload: AbortIncompleteMultipartUpload, "
    "NoncurrentVersionExpiration: NoncurrentVersionExpiration, "
    "Transitions: Transitions[].{StorageClass: StorageClass, TransitionInDays: Days, TransitionDate: Date}, "
    "NoncurrentVersionTransitions: NoncurrentVersionTransitions[].{StorageClass: StorageClass, "
    "TransitionInDays: NoncurrentDays, NewerNoncurrentVersions: NewerNoncurrentVersions}}}}"
)
"""S3's rules in the words of AWS::S3::Bucket. Source: S3 API Reference, LifecycleRule; CloudFormation User Guide, Rule."""
_CORS: Final = (
    "{CorsConfiguration: {CorsRules: CORSRules[].{Id: ID, AllowedOrigins: AllowedOrigins, AllowedMethods: AllowedMethods, "
    "AllowedHeaders: AllowedHeaders, ExposedHeaders: ExposeHeaders, MaxAge: MaxAgeSeconds}}}"
)
_OF_LOG_GROUP: Final = ("retentionInDays", "kmsKeyId", "logGroupClass", "deletionProtectionEnabled")
_OF_SUBSCRIPTION: Final = (
    "DeliveryPolicy",
    "FilterPolicy",
    "FilterPolicyScope",
    "RawMessageDelivery",
    "RedrivePolicy",
    "ReplayPolicy",
    "SubscriptionRoleArn",
)
_EVENT_RULES: Final = Read(
    "events", "list_rule_names_by_target", {"TargetArn": "{arn}"}, "{EventRules: RuleNames}"
)

READINGS: Final[Mapping[str, Sequence[Reading]]] = {
    "AWS::Lambda::Function": (
        _lambda("get_function_configuration", "merge(@, {Layers: Layers[].Arn, KmsKeyArn: KMSKeyArn})"),
        _lambda("get_function_concurrency", "{ReservedConcurrentExecutions: ReservedConcurrentExecutions}"),
        _lambda("get_function_code_signing_config", "{CodeSigningConfigArn: CodeSigningConfigArn}"),
        _lambda("get_function_recursion_config", "{RecursiveLoop: RecursiveLoop}"),
        _lambda("list_aliases", "{Aliases: Aliases[].AliasArn}"),
        _lambda("list_function_url_configs", "{Urls: FunctionUrlConfigs[].FunctionArn}"),
        _lambda(
            "list_provisioned_concurrency_configs",
            "{Provisioned: ProvisionedConcurrencyConfigs[].FunctionArn}",
        ),
        _lambda(
            "list_function_event_invoke_configs",
            "{EventInvokeConfigs: FunctionEventInvokeConfigs[].FunctionArn}",
        ),
        _lambda(
            "list_event_source_mappings",
            "{EventSourceMappings: EventSourceMappings[].{UUID: UUID, EventSourceArn: EventSourceArn}}",
        ),
        policies.of_function,
        apis.that_call,
        _EVENT_RULES,
    ),
    "AWS::Lambda::EventSourceMapping": (
        Read("lambda", "get_event_source_mapping", {"UUID": "{id}"}, "merge(@, {Enabled: State})"),
    ),
    "AWS::Lambda::Alias": (
        Read(
            "lambda",
            "get_alias",
            {"FunctionName": "{function}", "Name": "{name}"},
            "{RoutingConfig: RoutingConfig}",
        ),
    ),
    "AWS::Lambda::EventInvokeConfig": (
        Read(
            "lambda",
            "get_function_event_invoke_config",
            {"FunctionName": "{FunctionName}", "Qualifier": "{Qualifier}"},
            "{DestinationConfig: DestinationConfig, MaximumEventAgeInSeconds: MaximumEventAgeInSeconds, "
            "MaximumRetryAttempts: MaximumRetryAttempts}",
        ),
    ),
    "AWS::Lambda::Url": (_url,),
    "AWS::ApiGatewayV2::Api": (
        Read("apigatewayv2", "get_api", {"ApiId": "{id}"}),
        Read("apigatewayv2", "get_stages", {"ApiId": "{id}"}, "{Stages: Items[].StageName}"),
        Read("apigatewayv2", "get_authorizers", {"ApiId": "{id}"}, "{Authorizers: Items[].Name}"),
        apis.http_routes,
    ),
    "AWS::ApiGatewayV2::Stage": (
        Read("apigatewayv2", "get_stage", {"ApiId": "{ApiId}", "StageName": "{id}"}),
    ),
    "AWS::ApiGateway::RestApi": (
        Read("apigateway", "get_rest_api", {"restApiId": "{id}"}, apis.REST),
        Read("apigateway", "get_stages", {"restApiId": "{id}"}, "{Stages: item[].stageName}"),
        Read("apigateway", "get_authorizers", {"restApiId": "{id}"}, "{Authorizers: items[].name}"),
        apis.rest_methods,
    ),
    "AWS::S3::Bucket": (
        _bucket("get_bucket_policy", "{Policy: Policy}"),
        policies.grants_of_bucket,
        _bucket("get_bucket_cors", _CORS),
        _bucket("get_bucket_lifecycle_configuration", _LIFECYCLE),
        _bucket(
            "get_bucket_notification_configuration",
            "{NotificationConfiguration: [LambdaFunctionConfigurations, QueueConfigurations, TopicConfigurations, "
            'EventBridgeConfiguration && `["EventBridge"]`][]}',
        ),
        _bucket("get_bucket_replication", "{ReplicationConfiguration: ReplicationConfiguration.Rules}"),
        _bucket(
            "get_bucket_website",
            "{WebsiteConfiguration: {I: IndexDocument, R: RedirectAllRequestsTo, T: RoutingRules}}",
        ),
        _bucket("get_bucket_logging", "{LoggingConfiguration: LoggingEnabled.TargetBucket}"),
        _bucket(
            "list_bucket_inventory_configurations",
            "{InventoryConfigurations: InventoryConfigurationList[].Id}",
        ),
        _bucket(
            "list_bucket_analytics_configurations",
            "{AnalyticsConfigurations: AnalyticsConfigurationList[].Id}",
        ),
        _bucket(
            "list_bucket_metrics_configurations", "{MetricsConfigurations: MetricsConfigurationList[].Id}"
        ),
        _bucket(
            "list_bucket_intelligent_tiering_configurations",
            "{IntelligentTieringConfigurations: IntelligentTieringConfigurationList[].Id}",
        ),
        _bucket("get_bucket_accelerate_configuration", "{AccelerateConfiguration: Status}"),
        _bucket("get_bucket_request_payment", "{RequestPayer: Payer}"),
        _bucket("get_bucket_versioning", "{VersioningConfiguration: Status}"),
        _bucket(
            "get_bucket_encryption",
            "{BucketEncryption: ServerSideEncryptionConfiguration.Rules[].ApplyServerSideEncryptionByDefault.SSEAlgorithm}",
        ),
        _bucket(
            "get_bucket_ownership_controls", "{OwnershipControls: OwnershipControls.Rules[].ObjectOwnership}"
        ),
        _bucket(
            "get_public_access_block", "{PublicAccessBlockConfiguration: PublicAccessBlockConfiguration}"
        ),
        _bucket(
            "get_object_lock_configuration", "{ObjectLockEnabled: ObjectLockConfiguration.ObjectLockEnabled}"
        ),
    ),
    "AWS::SQS::Queue": (
        Read("sqs", "get_queue_attributes", {"QueueUrl": "{id}", "AttributeNames": ["All"]}, "Attributes"),
        _EVENT_RULES,
    ),
    "AWS::SNS::Topic": (
        Read("sns", "get_topic_attributes", {"TopicArn": "{id}"}, "Attributes"),
        Read(
            "sns",
            "list_subscriptions_by_topic",
            {"TopicArn": "{id}"},
            "{Subscriptions: Subscriptions[].{Protocol: Protocol, Endpoint: Endpoint, SubscriptionArn: SubscriptionArn}}",
        ),
        policies.data_protection_of_topic,
        _EVENT_RULES,
    ),
    "AWS::SNS::Subscription": (_subscription,),
    "AWS::DynamoDB::Table": (
        _table(
            "describe_table",
            "Table.{StreamSpecification: StreamSpecification, Replicas: Replicas[].RegionName, "
            "GlobalSecondaryIndexes: GlobalSecondaryIndexes[].{IndexName: IndexName}, TableClass: TableClassSummary.TableClass, "
            "DeletionProtectionEnabled: DeletionProtectionEnabled, SSESpecification: SSEDescription.SSEType}",
        ),
        _table(
            "describe_time_to_live",
            "TimeToLiveDescription.{TimeToLiveSpecification: TimeToLiveStatus != 'DISABLED' && AttributeName || ''}",
        ),
        _table(
            "describe_continuous_backups",
            "{PointInTimeRecoverySpecification: "
            "ContinuousBackupsDescription.PointInTimeRecoveryDescription.PointInTimeRecoveryStatus}",
        ),
        _table(
            "describe_kinesis_streaming_destination",
            "{KinesisStreamSpecification: KinesisDataStreamDestinations[?DestinationStatus != 'DISABLED'].StreamArn}",
        ),
        _table(
            "describe_contributor_insights", "{ContributorInsightsSpecification: ContributorInsightsStatus}"
        ),
        Read("dynamodb", "get_resource_policy", {"ResourceArn": "{arn}"}, "{Policy: Policy}"),
    ),
    "AWS::IAM::Role": (
        _role(
            "get_role",
            "Role.{Policy: AssumeRolePolicyDocument, PermissionsBoundary: PermissionsBoundary.PermissionsBoundaryArn, "
            "MaxSessionDuration: MaxSessionDuration}",
        ),
        _role("list_role_policies", "{InlinePolicies: PolicyNames}"),
        _role("list_attached_role_policies", "{AttachedPolicies: AttachedPolicies[].PolicyArn}"),
        _role(
            "list_instance_profiles_for_role", "{InstanceProfiles: InstanceProfiles[].InstanceProfileName}"
        ),
    ),
    "AWS::Logs::LogGroup": (
        Read(
            "logs",
            "describe_subscription_filters",
            {"logGroupName": "{id}"},
            "{SubscriptionFilters: subscriptionFilters[].filterName}",
        ),
        Read(
            "logs",
            "describe_metric_filters",
            {"logGroupName": "{id}"},
            "{MetricFilters: metricFilters[].filterName}",
        ),
        Read(
            "logs",
            "get_data_protection_policy",
            {"logGroupIdentifier": "{id}"},
            "{DataProtectionPolicy: policyDocument}",
        ),
        _log_group,
        policies.of_log_group,
    ),
    "AWS::CloudFront::Distribution": (edge.distribution,),
    "AWS::CloudFront::CachePolicy": (edge.policy("get_cache_policy", "CachePolicy", "CachePolicyConfig"),),
    "AWS::CloudFront::OriginAccessControl": (
        edge.policy("get_origin_access_control", "OriginAccessControl", "OriginAccessControlConfig"),
    ),
    "AWS::CloudFront::OriginRequestPolicy": (
        edge.policy("get_origin_request_policy", "OriginRequestPolicy", "OriginRequestPolicyConfig"),
    ),
    "AWS::CloudFront::ResponseHeadersPolicy": (
        edge.policy("get_response_headers_policy", "ResponseHeadersPolicy", "ResponseHeadersPolicyConfig"),
    ),
    "AWS::SecretsManager::Secret": (
        Read(
            "secretsmanager",
            "describe_secret",
            {"SecretId": "{id}"},
            "{KmsKeyId: KmsKeyId, Rotation: RotationLambdaARN, ReplicaRegions: ReplicationStatus[].Region}",
        ),
        Read("secretsmanager", "get_resource_policy", {"SecretId": "{id}"}, "{Policy: ResourcePolicy}"),
    ),
    "AWS::CloudWatch::Alarm": (_alarm,),
    "AWS::Events::Rule": (apis.targets_of_rule,),
    "AWS::StepFunctions::StateMachine": (
        Read(
            "stepfunctions",
            "describe_state_machine",
            {"stateMachineArn": "{id}"},
            "{LoggingConfiguration: loggingConfiguration.destinations[].cloudWatchLogsLogGroup.logGroupArn, "
            "TracingConfiguration: tracingConfiguration.enabled, EncryptionConfiguration: encryptionConfiguration.kmsKeyId}",
        ),
        _EVENT_RULES,
    ),
    "AWS::Cognito::UserPool": (
        _user_pool(
            "describe_user_pool",
            "UserPool.{AdminCreateUserConfig: AdminCreateUserConfig, DeletionProtection: DeletionProtection, "
            "LambdaConfig: LambdaConfig, MfaConfiguration: MfaConfiguration, Policies: Policies, Domains: [Domain, CustomDomain][]}",
        ),
        # Without what describes a client, which contains its secret.
        _user_pool("list_user_pool_clients", "{UserPoolClients: UserPoolClients[].ClientId}"),
        _user_pool("list_identity_providers", "{IdentityProviders: Providers[].ProviderName}"),
    ),
    "AWS::KMS::Key": (
        Read("kms", "get_key_policy", {"KeyId": "{id}", "PolicyName": "default"}, "{Policy: Policy}"),
        Read("kms", "get_key_rotation_status", {"KeyId": "{id}"}, "{EnableKeyRotation: KeyRotationEnabled}"),
        Read("kms", "list_aliases", {"KeyId": "{id}"}, "{KeyAliases: Aliases[].AliasName}"),
        policies.grants_of_key,
    ),
    "AWS::WAFv2::WebACL": (
        edge.web_acl,
        Read(
            "wafv2",
            "get_logging_configuration",
            {"ResourceArn": "{arn}"},
            "{Logging: LoggingConfiguration.LogDestinationConfigs}",
        ),
    ),
}


def whole(subject: Subject) -> tuple[Document, Sequence[Exception]]:
    """Return all that AWS reports of a resource, and the errors of the reads that failed."""
    document: dict[str, Any] = {}
    problems: list[Exception] = []
    for reading in READINGS[subject.type]:
        try:
            document.update(reading.of(subject) if isinstance(reading, Read) else reading(subject))
        except (Unverified, ClientError, BotoCoreError) as problem:
            problems.append(problem)
    document.pop("ResponseMetadata", None)
    if "Policy" in document:
        document["Policy"] = policies.normal(document["Policy"], named=True)
    return document, problems
