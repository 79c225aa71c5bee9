"""How to read each property of each resource type back, in the shape that a template gives it."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import ClientError
from botocore.session import Session

from readiness.discovery.comparison import document
from readiness.discovery.template import UNKNOWN

Read = Callable[["Live"], Any]
ABSENT_CODES = frozenset(
    {
        "BucketNotEmpty",
        "NoSuchBucketPolicy",
        "NoSuchCORSConfiguration",
        "NoSuchLifecycleConfiguration",
        "NoSuchMonitoringSubscription",
        "NoSuchPublicAccessBlockConfiguration",
        "NoSuchTagSet",
        "NoSuchTagSetError",
        "NoSuchWebsiteConfiguration",
        "NotFoundException",
        "OwnershipControlsNotFoundError",
        "ReplicationConfigurationNotFoundError",
        "ResourceNotFoundException",
        "ServerSideEncryptionConfigurationNotFoundError",
        "WAFNonexistentItemException",
    }
)


class Aws:
    """The account that a stack is in; every answer is asked for once."""

    def __init__(self, session: Session, account_id: str, region: str) -> None:
        self.account_id = account_id
        self.region = region
        self._session = session
        self._clients: dict[str, Any] = {}
        self._answers: dict[tuple[str, str, str], Any] = {}

    def client(self, service: str) -> Any:
        """Return the client of a service."""
        if service not in self._clients:
            self._clients[service] = self._session.create_client(service)
        return self._clients[service]

    def ask(self, service: str, operation: str, **parameters: Any) -> Any:
        """Return a service's answer; {} when it says that there is no such thing."""
        key = (service, operation, repr(sorted(parameters.items())))
        if key not in self._answers:
            try:
                self._answers[key] = getattr(self.client(service), operation)(**parameters)
            except ClientError as error:
                if error.response.get("Error", {}).get("Code") not in ABSENT_CODES:
                    raise
                self._answers[key] = {}
        return self._answers[key]


class Live:
    """One live resource, with the properties that its template declares."""

    def __init__(self, aws: Aws, physical_id: str, declared: Mapping[str, Any]) -> None:
        self.aws = aws
        self.id = physical_id
        self.declared = declared

    def ask(self, service: str, operation: str, **parameters: Any) -> Any:
        """See Aws.ask."""
        return self.aws.ask(service, operation, **parameters)


def member(source: Callable[[Live], Mapping[str, Any]], *path: str, default: Any = None) -> Read:
    """Return a reader of one member of an answer."""

    def read(live: Live) -> Any:
        value: Any = source(live)
        for name in path:
            value = value.get(name) if isinstance(value, Mapping) else None
        return default if value is None else value

    return read


def members(source: Callable[[Live], Mapping[str, Any]], *names: str) -> dict[str, Read]:
    """Return readers of members that have the same name in the template and in the answer."""
    return {name: member(source, name) for name in names}


def tag_list(tags: object) -> list[dict[str, str]]:
    """Return tags, whichever of AWS's three spellings they have, as a template's list."""
    if isinstance(tags, Mapping):
        return [{"Key": str(key), "Value": str(value)} for key, value in tags.items()]
    found = tags if isinstance(tags, list) else []
    return [
        {"Key": one.get("Key", one.get("TagKey")), "Value": one.get("Value", one.get("TagValue"))}
        for one in found
    ]


# ---------------------------------------------------------------- API Gateway


def _api(live: Live) -> Any:
    return live.ask("apigatewayv2", "get_api", ApiId=live.id)


def _stage(live: Live) -> Any:
    stage = live.id.rpartition("/")[2]
    return live.ask("apigatewayv2", "get_stage", ApiId=live.declared["ApiId"], StageName=stage)


def _route(live: Live) -> Any:
    route = live.id.rpartition("/")[2]
    return live.ask("apigatewayv2", "get_route", ApiId=live.declared["ApiId"], RouteId=route)


def _integration(live: Live) -> Any:
    parameters = {"ApiId": live.declared["ApiId"], "IntegrationId": live.id.rpartition("/")[2]}
    return live.ask("apigatewayv2", "get_integration", **parameters)


def _authorizer(live: Live) -> Any:
    return live.ask("apigatewayv2", "get_authorizer", ApiId=live.declared["ApiId"], AuthorizerId=live.id)


def _definition(live: Live) -> dict[str, Any]:
    """Return an OpenAPI definition with what the API really has of the declared one."""
    routes = live.ask("apigatewayv2", "get_routes", ApiId=live.id).get("Items", [])
    integrations = {
        one["IntegrationId"]: one
        for one in live.ask("apigatewayv2", "get_integrations", ApiId=live.id).get("Items", [])
    }
    authorizers = {
        one["AuthorizerId"]: one["Name"]
        for one in live.ask("apigatewayv2", "get_authorizers", ApiId=live.id).get("Items", [])
    }
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        method, _, path = route["RouteKey"].partition(" ")
        verb = "x-amazon-apigateway-any-method" if method in ("ANY", "$default") else method.lower()
        target = integrations.get(route.get("Target", "").rpartition("/")[2], {})
        operation: dict[str, Any] = {
            "x-amazon-apigateway-integration": {
                "type": str(target.get("IntegrationType", "")).lower(),
                "httpMethod": target.get("IntegrationMethod"),
                "uri": target.get("IntegrationUri"),
                "payloadFormatVersion": target.get("PayloadFormatVersion"),
                "timeoutInMillis": target.get("TimeoutInMillis"),
                "connectionType": target.get("ConnectionType"),
                "credentials": target.get("CredentialsArn"),
            }
        }
        if route.get("AuthorizerId"):
            scopes = route.get("AuthorizationScopes", [])
            operation["security"] = [{authorizers.get(route["AuthorizerId"], "-"): scopes}]
        operation["operationId"] = route.get("OperationName")
        paths.setdefault(path or "/$default", {})[verb] = operation
    cors = _api(live).get("CorsConfiguration") or {}
    tags = _api(live).get("Tags") or {}
    return {
        "paths": paths,
        "info": {
            "title": _api(live).get("Name"),
            "version": _api(live).get("Version"),
            "description": _api(live).get("Description"),
        },
        "x-amazon-apigateway-cors": {key[:1].lower() + key[1:]: value for key, value in cors.items()},
        "tags": [{"name": key, "x-amazon-apigateway-tag-value": value} for key, value in tags.items()],
    }


def declared_definition(body: Mapping[str, Any], properties: Mapping[str, Any]) -> dict[str, Any]:
    """Return the part of a declared OpenAPI definition that becomes part of an API."""
    made: dict[str, Any] = {"paths": {}}
    for written, item in (body.get("paths") or {}).items():
        path = f"/{written.lstrip('/')}"  # SAM writes the default route without the slash that others have
        for verb, operation in item.items():
            kept = {"x-amazon-apigateway-integration": operation.get("x-amazon-apigateway-integration")}
            for name in ("security", "operationId"):
                if operation.get(name):
                    kept[name] = operation[name]
            made["paths"].setdefault(path, {})[verb] = kept
    if body.get("x-amazon-apigateway-cors") and not properties.get("CorsConfiguration"):
        made["x-amazon-apigateway-cors"] = body["x-amazon-apigateway-cors"]
    info = body.get("info") or {}
    own = {"title": "Name", "version": "Version", "description": "Description"}
    made["info"] = {key: value for key, value in info.items() if key in own and own[key] not in properties}
    return made


# ---------------------------------------------------------------- Lambda


def _function(live: Live) -> Any:
    return live.ask("lambda", "get_function", FunctionName=live.id)


def _configuration(live: Live) -> Any:
    return _function(live).get("Configuration") or {}


def _code(live: Live) -> Any:
    """Return the declared location when the function runs exactly the bytes that lie there."""
    declared = live.declared.get("Code") or {}
    if "S3Bucket" not in declared:
        return {**declared} if _configuration(live).get("CodeSize") else None
    version = {"VersionId": declared["S3ObjectVersion"]} if declared.get("S3ObjectVersion") else {}
    answer = live.aws.client("s3").get_object(Bucket=declared["S3Bucket"], Key=declared["S3Key"], **version)
    digest = base64.b64encode(hashlib.sha256(answer["Body"].read()).digest()).decode()
    return declared if digest == _configuration(live).get("CodeSha256") else {"CodeSha256": digest}


def _event_source(live: Live) -> Any:
    return live.ask("lambda", "get_event_source_mapping", UUID=live.id)


def _event_source_function(live: Live) -> Any:
    arn = str(_event_source(live).get("FunctionArn", ""))
    return _as_declared(live.declared.get("FunctionName"), arn)


def _as_declared(declared: object, arn: str) -> str:
    """Return an ARN, or the name in it when the template gives a name."""
    return arn if str(declared).startswith("arn:") else arn.rpartition(":")[2]


def _permission(live: Live) -> Mapping[str, Any]:
    """Return the statement of the function's policy that grants what the template declares."""
    policy = (
        live.ask("lambda", "get_policy", FunctionName=live.declared["FunctionName"]).get("Policy") or "{}"
    )
    for statement in document(policy).get("Statement", []):
        principal = statement.get("Principal")
        condition = statement.get("Condition") or {}
        found = {
            "Action": statement.get("Action"),
            "Principal": next(iter(principal.values())) if isinstance(principal, Mapping) else principal,
            "SourceArn": (condition.get("ArnLike") or condition.get("ArnEquals") or {}).get("AWS:SourceArn"),
            "SourceAccount": (condition.get("StringEquals") or {}).get("AWS:SourceAccount"),
            "FunctionName": _as_declared(live.declared["FunctionName"], str(statement.get("Resource"))),
        }
        if all(found.get(name) == live.declared[name] for name in found if name in live.declared):
            return found
    return {}


# ---------------------------------------------------------------- IAM


def _role(live: Live) -> Any:
    return live.ask("iam", "get_role", RoleName=live.id).get("Role") or {}


def _inline_policies(live: Live) -> list[dict[str, Any]]:
    names = live.ask("iam", "list_role_policies", RoleName=live.id).get("PolicyNames", [])
    answers = [live.ask("iam", "get_role_policy", RoleName=live.id, PolicyName=name) for name in names]
    return [{"PolicyName": one["PolicyName"], "PolicyDocument": one["PolicyDocument"]} for one in answers]


def _managed_policies(live: Live) -> list[str]:
    attached = live.ask("iam", "list_attached_role_policies", RoleName=live.id).get("AttachedPolicies", [])
    return [one["PolicyArn"] for one in attached]


# ---------------------------------------------------------------- SQS, SNS


def _queue(live: Live) -> Any:
    return (
        live.ask("sqs", "get_queue_attributes", QueueUrl=live.id, AttributeNames=["All"]).get("Attributes")
        or {}
    )


def _queue_policies(live: Live) -> list[Any]:
    queues = live.declared.get("Queues") or []
    answers = [
        live.ask("sqs", "get_queue_attributes", QueueUrl=one, AttributeNames=["All"]) for one in queues
    ]
    return [document((one.get("Attributes") or {}).get("Policy")) for one in answers]


def _topic(live: Live) -> Any:
    return live.ask("sns", "get_topic_attributes", TopicArn=live.id).get("Attributes") or {}


def _topic_policies(live: Live) -> list[Any]:
    answers = [
        live.ask("sns", "get_topic_attributes", TopicArn=one) for one in live.declared.get("Topics") or []
    ]
    return [document((one.get("Attributes") or {}).get("Policy")) for one in answers]


def _subscriptions(live: Live) -> list[dict[str, Any]]:
    found = live.ask("sns", "list_subscriptions_by_topic", TopicArn=live.id).get("Subscriptions", [])
    return [{"Protocol": one["Protocol"], "Endpoint": one["Endpoint"]} for one in found]


def _subscription(live: Live) -> Any:
    topic = live.declared.get("TopicArn")
    listed = live.ask("sns", "list_subscriptions_by_topic", TopicArn=topic).get("Subscriptions", [])
    wanted = (live.declared.get("Protocol"), live.declared.get("Endpoint"))
    found: dict[str, Any] = next((one for one in listed if (one["Protocol"], one["Endpoint"]) == wanted), {})
    attributes: dict[str, Any] = {}
    if str(found.get("SubscriptionArn", "")).startswith("arn:"):
        answer = live.ask("sns", "get_subscription_attributes", SubscriptionArn=found["SubscriptionArn"])
        attributes = answer.get("Attributes") or {}
    return {**attributes, **found}


def all_equal(policies: list[Any]) -> Any:
    """Return the one policy that every target has, or all of them when they differ."""
    return policies[0] if policies and all(one == policies[0] for one in policies) else policies


# ---------------------------------------------------------------- DynamoDB


def _table(live: Live) -> Any:
    return live.ask("dynamodb", "describe_table", TableName=live.id).get("Table") or {}


def _encryption(live: Live) -> dict[str, Any]:
    found = _table(live).get("SSEDescription") or {}
    enabled = found.get("Status") in ("ENABLED", "ENABLING", "UPDATING")
    return {
        "SSEEnabled": enabled,
        "SSEType": found.get("SSEType"),
        "KMSMasterKeyId": found.get("KMSMasterKeyArn"),
    }


def _recovery(live: Live) -> dict[str, Any]:
    answer = live.ask("dynamodb", "describe_continuous_backups", TableName=live.id)
    found = (answer.get("ContinuousBackupsDescription") or {}).get("PointInTimeRecoveryDescription") or {}
    return {
        "PointInTimeRecoveryEnabled": found.get("PointInTimeRecoveryStatus") == "ENABLED",
        "RecoveryPeriodInDays": found.get("RecoveryPeriodInDays"),
    }


def _time_to_live(live: Live) -> dict[str, Any]:
    answer = live.ask("dynamodb", "describe_time_to_live", TableName=live.id)
    found = answer.get("TimeToLiveDescription") or {}
    enabled = found.get("TimeToLiveStatus") in ("ENABLED", "ENABLING")
    return {"AttributeName": found.get("AttributeName"), "Enabled": enabled}


def _table_tags(live: Live) -> Any:
    answer = live.ask("dynamodb", "list_tags_of_resource", ResourceArn=_table(live).get("TableArn", ""))
    return tag_list(answer.get("Tags"))


def _insights(live: Live) -> dict[str, Any]:
    answer = live.ask("dynamodb", "describe_contributor_insights", TableName=live.id)
    return {"Enabled": answer.get("ContributorInsightsStatus") in ("ENABLED", "ENABLING")}


# ---------------------------------------------------------------- S3


def _bucket(operation: str, *path: str) -> Read:
    return member(lambda live: live.ask("s3", operation, Bucket=live.id), *path)


def _bucket_encryption(live: Live) -> dict[str, Any]:
    answer = live.ask("s3", "get_bucket_encryption", Bucket=live.id)
    rules = (answer.get("ServerSideEncryptionConfiguration") or {}).get("Rules") or []
    return {
        "ServerSideEncryptionConfiguration": [
            {
                "ServerSideEncryptionByDefault": rule.get("ApplyServerSideEncryptionByDefault"),
                "BucketKeyEnabled": rule.get("BucketKeyEnabled", False),
            }
            for rule in rules
        ]
    }


def _lifecycle(live: Live) -> dict[str, Any]:
    rules = live.ask("s3", "get_bucket_lifecycle_configuration", Bucket=live.id).get("Rules") or []
    return {"Rules": [_lifecycle_rule(rule) for rule in rules]}


def _lifecycle_rule(rule: Mapping[str, Any]) -> dict[str, Any]:
    conditions = rule.get("Filter") or {}
    conditions = conditions.get("And") or conditions
    expiration = rule.get("Expiration") or {}
    noncurrent = rule.get("NoncurrentVersionExpiration") or {}
    single = [conditions["Tag"]] if conditions.get("Tag") else []
    return {
        "Id": rule.get("ID"),
        "Status": rule.get("Status"),
        "Prefix": conditions.get("Prefix", rule.get("Prefix")),
        "TagFilters": conditions.get("Tags") or single,
        "ObjectSizeGreaterThan": conditions.get("ObjectSizeGreaterThan"),
        "ObjectSizeLessThan": conditions.get("ObjectSizeLessThan"),
        "ExpirationInDays": expiration.get("Days"),
        "ExpirationDate": expiration.get("Date"),
        "ExpiredObjectDeleteMarker": expiration.get("ExpiredObjectDeleteMarker"),
        "NoncurrentVersionExpiration": noncurrent,
        "NoncurrentVersionExpirationInDays": noncurrent.get("NoncurrentDays"),
        "AbortIncompleteMultipartUpload": rule.get("AbortIncompleteMultipartUpload"),
        "Transitions": [
            {"StorageClass": one.get("StorageClass"), "TransitionInDays": one.get("Days")}
            for one in rule.get("Transitions") or []
        ],
        "NoncurrentVersionTransitions": [
            {
                "StorageClass": one.get("StorageClass"),
                "TransitionInDays": one.get("NoncurrentDays"),
                "NewerNoncurrentVersions": one.get("NewerNoncurrentVersions"),
            }
            for one in rule.get("NoncurrentVersionTransitions") or []
        ],
    }


def _bucket_logging(live: Live) -> dict[str, Any]:
    found = live.ask("s3", "get_bucket_logging", Bucket=live.id).get("LoggingEnabled") or {}
    return {"DestinationBucketName": found.get("TargetBucket"), "LogFilePrefix": found.get("TargetPrefix")}


def _bucket_cors(live: Live) -> dict[str, Any]:
    rules = live.ask("s3", "get_bucket_cors", Bucket=live.id).get("CORSRules") or []
    renamed = {"ID": "Id", "ExposeHeaders": "ExposedHeaders", "MaxAgeSeconds": "MaxAge"}
    return {"CorsRules": [{renamed.get(key, key): value for key, value in rule.items()} for rule in rules]}


# ---------------------------------------------------------------- CloudFront


def unwrapped(value: Any) -> Any:
    """Return CloudFront's structures without the wrappers `Quantity` and `Items`."""
    if isinstance(value, list):
        return [unwrapped(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    if "Items" in value or "Quantity" in value:
        extra = {key: unwrapped(item) for key, item in value.items() if key not in ("Items", "Quantity")}
        items = unwrapped(value.get("Items") or [])
        return items if not extra else {"Items": items, **extra}
    return {key: unwrapped(item) for key, item in value.items()}


def _behavior(value: Any) -> Any:
    """Return a cache behavior with `AllowedMethods` and `CachedMethods` side by side, as a template has them."""
    methods = value.get("AllowedMethods")
    if isinstance(methods, Mapping):
        return {**value, "AllowedMethods": methods["Items"], "CachedMethods": methods.get("CachedMethods")}
    return value


def _distribution(live: Live) -> Any:
    answer = live.ask("cloudfront", "get_distribution_config", Id=live.id)
    found = unwrapped(answer.get("DistributionConfig") or {})
    found["IPV6Enabled"] = found.get("IsIPV6Enabled")
    if "DefaultCacheBehavior" in found:
        found["DefaultCacheBehavior"] = _behavior(found["DefaultCacheBehavior"])
    found["CacheBehaviors"] = [_behavior(one) for one in found.get("CacheBehaviors") or []]
    return found


def _distribution_tags(live: Live) -> Any:
    arn = f"arn:aws:cloudfront::{live.aws.account_id}:distribution/{live.id}"
    return tag_list(
        (live.ask("cloudfront", "list_tags_for_resource", Resource=arn).get("Tags") or {}).get("Items")
    )


def _cloudfront_policy(operation: str, outer: str, inner: str) -> Read:
    return lambda live: unwrapped((live.ask("cloudfront", operation, Id=live.id).get(outer) or {}).get(inner))


def _monitoring(live: Live) -> Any:
    distribution = live.declared["DistributionId"]
    return live.ask("cloudfront", "get_monitoring_subscription", DistributionId=distribution).get(
        "MonitoringSubscription"
    )


# ---------------------------------------------------------------- the rest


def _log_group(live: Live) -> Any:
    groups = live.ask("logs", "describe_log_groups", logGroupNamePrefix=live.id).get("logGroups", [])
    return next((group for group in groups if group["logGroupName"] == live.id), {})


def _log_group_tags(live: Live) -> Any:
    arn = str(_log_group(live).get("arn", "")).removesuffix(":*")
    return tag_list(live.ask("logs", "list_tags_for_resource", resourceArn=arn).get("tags"))


def _alarm(live: Live) -> Any:
    kinds = ["MetricAlarm", "CompositeAlarm"]
    answer = live.ask("cloudwatch", "describe_alarms", AlarmNames=[live.id], AlarmTypes=kinds)
    found = [*answer.get("MetricAlarms", []), *answer.get("CompositeAlarms", [])]
    return found[0] if found else {}


def _alarm_tags(live: Live) -> Any:
    arn = _alarm(live).get("AlarmArn", "")
    return tag_list(live.ask("cloudwatch", "list_tags_for_resource", ResourceARN=arn).get("Tags"))


def _secret(live: Live) -> Any:
    return live.ask("secretsmanager", "describe_secret", SecretId=live.id)


def _key(live: Live) -> Any:
    return live.ask("kms", "describe_key", KeyId=live.id).get("KeyMetadata") or {}


def _budget(live: Live) -> Any:
    account = live.aws.account_id
    return live.ask("budgets", "describe_budget", AccountId=account, BudgetName=live.id).get("Budget")


def _budget_tags(live: Live) -> Any:
    arn = f"arn:aws:budgets::{live.aws.account_id}:budget/{live.id}"
    return tag_list(live.ask("budgets", "list_tags_for_resource", ResourceARN=arn).get("ResourceTags"))


def _budget_notifications(live: Live) -> list[dict[str, Any]]:
    known = {"AccountId": live.aws.account_id, "BudgetName": live.id}
    found = live.ask("budgets", "describe_notifications_for_budget", **known).get("Notifications", [])
    made = []
    for notification in found:
        wanted = {key: value for key, value in notification.items() if key != "NotificationState"}
        answer = live.ask("budgets", "describe_subscribers_for_notification", **known, Notification=wanted)
        made.append({"Notification": notification, "Subscribers": answer.get("Subscribers", [])})
    return made


def _web_acl(live: Live) -> Any:
    name, identifier, scope = live.id.split("|")
    answer = live.ask("wafv2", "get_web_acl", Name=name, Id=identifier, Scope=scope)
    return {**(answer.get("WebACL") or {}), "Scope": scope}


def _web_acl_tags(live: Live) -> Any:
    answer = live.ask("wafv2", "list_tags_for_resource", ResourceARN=_web_acl(live).get("ARN", ""))
    return tag_list((answer.get("TagInfoForResource") or {}).get("TagList"))


def _association(live: Live) -> Any:
    arn = live.declared["ResourceArn"]
    found = live.ask("wafv2", "get_web_acl_for_resource", ResourceArn=arn).get("WebACL") or {}
    return {"WebACLArn": found.get("ARN"), "ResourceArn": arn if found else None}


READERS: dict[str, dict[str, Read]] = {
    "AWS::ApiGatewayV2::Api": {
        **members(_api, "Name", "Description", "Version", "ProtocolType", "CorsConfiguration", "Tags"),
        **members(_api, "DisableExecuteApiEndpoint", "DisableSchemaValidation", "RouteSelectionExpression"),
        **members(_api, "ApiKeySelectionExpression"),
        "Body": _definition,
    },
    "AWS::ApiGatewayV2::Stage": {
        **members(
            _stage, "StageName", "AutoDeploy", "DefaultRouteSettings", "RouteSettings", "AccessLogSettings"
        ),
        **members(_stage, "Description", "StageVariables", "Tags"),
        "ApiId": lambda live: live.declared["ApiId"] if _stage(live) else None,
    },
    "AWS::ApiGatewayV2::Route": {
        **members(_route, "RouteKey", "Target", "AuthorizationType", "AuthorizerId", "AuthorizationScopes"),
        **members(_route, "ApiKeyRequired", "OperationName"),
        "ApiId": lambda live: live.declared["ApiId"] if _route(live) else None,
    },
    "AWS::ApiGatewayV2::Integration": {
        **members(
            _integration, "IntegrationType", "IntegrationUri", "IntegrationMethod", "PayloadFormatVersion"
        ),
        **members(_integration, "TimeoutInMillis", "ConnectionType", "Description", "CredentialsArn"),
        **members(_integration, "RequestParameters"),
        "ApiId": lambda live: live.declared["ApiId"] if _integration(live) else None,
    },
    "AWS::ApiGatewayV2::Authorizer": {
        **members(
            _authorizer, "Name", "AuthorizerType", "IdentitySource", "JwtConfiguration", "AuthorizerUri"
        ),
        **members(_authorizer, "AuthorizerPayloadFormatVersion", "EnableSimpleResponses"),
        **members(_authorizer, "AuthorizerResultTtlInSeconds"),
        "ApiId": lambda live: live.declared["ApiId"] if _authorizer(live) else None,
    },
    "AWS::Lambda::Function": {
        **members(_configuration, "FunctionName", "Handler", "Runtime", "Role", "Timeout", "MemorySize"),
        **members(
            _configuration, "Description", "Environment", "Architectures", "TracingConfig", "LoggingConfig"
        ),
        **members(
            _configuration, "EphemeralStorage", "PackageType", "DeadLetterConfig", "VpcConfig", "SnapStart"
        ),
        "KmsKeyArn": member(_configuration, "KMSKeyArn"),
        "Layers": lambda live: [one["Arn"] for one in _configuration(live).get("Layers") or []],
        "Code": _code,
        "Tags": lambda live: tag_list(_function(live).get("Tags")),
        "ReservedConcurrentExecutions": member(
            lambda live: live.ask("lambda", "get_function_concurrency", FunctionName=live.id),
            "ReservedConcurrentExecutions",
        ),
    },
    "AWS::Lambda::Permission": members(
        _permission, "Action", "Principal", "SourceArn", "SourceAccount", "FunctionName"
    ),
    "AWS::Lambda::EventSourceMapping": {
        **members(
            _event_source, "EventSourceArn", "BatchSize", "MaximumBatchingWindowInSeconds", "ScalingConfig"
        ),
        **members(
            _event_source, "FunctionResponseTypes", "FilterCriteria", "DestinationConfig", "StartingPosition"
        ),
        **members(
            _event_source, "MaximumRetryAttempts", "BisectBatchOnFunctionError", "ParallelizationFactor"
        ),
        **members(_event_source, "MaximumRecordAgeInSeconds"),
        "FunctionName": _event_source_function,
        "Enabled": lambda live: _event_source(live).get("State") in ("Enabled", "Enabling", "Creating"),
    },
    "AWS::Lambda::EventInvokeConfig": {
        **members(
            lambda live: live.ask(
                "lambda",
                "get_function_event_invoke_config",
                FunctionName=live.declared["FunctionName"],
                Qualifier=live.declared["Qualifier"],
            ),
            "MaximumRetryAttempts",
            "DestinationConfig",
        ),
        "MaximumEventAgeInSeconds": member(
            lambda live: live.ask(
                "lambda",
                "get_function_event_invoke_config",
                FunctionName=live.declared["FunctionName"],
                Qualifier=live.declared["Qualifier"],
            ),
            "MaximumEventAgeInSeconds",
        ),
    },
    "AWS::IAM::Role": {
        **members(_role, "RoleName", "Path", "Description", "MaxSessionDuration", "AssumeRolePolicyDocument"),
        "PermissionsBoundary": member(_role, "PermissionsBoundary", "PermissionsBoundaryArn"),
        "Policies": _inline_policies,
        "ManagedPolicyArns": _managed_policies,
        "Tags": lambda live: tag_list(_role(live).get("Tags")),
    },
    "AWS::SQS::Queue": {
        **members(
            _queue, "VisibilityTimeout", "MessageRetentionPeriod", "DelaySeconds", "MaximumMessageSize"
        ),
        **members(_queue, "RedrivePolicy", "RedriveAllowPolicy", "SqsManagedSseEnabled", "KmsMasterKeyId"),
        **members(_queue, "KmsDataKeyReusePeriodSeconds", "FifoQueue", "ContentBasedDeduplication"),
        **members(_queue, "ReceiveMessageWaitTimeSeconds", "DeduplicationScope", "FifoThroughputLimit"),
        "QueueName": lambda live: str(_queue(live).get("QueueArn", "")).rpartition(":")[2],
        "Tags": lambda live: tag_list(live.ask("sqs", "list_queue_tags", QueueUrl=live.id).get("Tags")),
    },
    "AWS::SQS::QueuePolicy": {
        "Queues": lambda live: live.declared["Queues"] if all(_queue_policies(live)) else None,
        "PolicyDocument": lambda live: all_equal(_queue_policies(live)),
    },
    "AWS::SNS::Topic": {
        **members(_topic, "DisplayName", "KmsMasterKeyId", "FifoTopic", "ContentBasedDeduplication"),
        **members(_topic, "SignatureVersion", "TracingConfig", "ArchivePolicy", "DataProtectionPolicy"),
        "TopicName": lambda live: live.id.rpartition(":")[2],
        "Subscription": _subscriptions,
        "Tags": lambda live: tag_list(
            live.ask("sns", "list_tags_for_resource", ResourceArn=live.id).get("Tags")
        ),
    },
    "AWS::SNS::TopicPolicy": {
        "Topics": lambda live: live.declared["Topics"] if all(_topic_policies(live)) else None,
        "PolicyDocument": lambda live: all_equal(_topic_policies(live)),
    },
    "AWS::SNS::Subscription": members(
        _subscription,
        "TopicArn",
        "Protocol",
        "Endpoint",
        "FilterPolicy",
        "FilterPolicyScope",
        "RawMessageDelivery",
        "RedrivePolicy",
        "DeliveryPolicy",
    ),
    "AWS::DynamoDB::Table": {
        **members(_table, "TableName", "KeySchema", "AttributeDefinitions", "GlobalSecondaryIndexes"),
        **members(_table, "LocalSecondaryIndexes", "DeletionProtectionEnabled", "StreamSpecification"),
        **members(_table, "ProvisionedThroughput", "OnDemandThroughput"),
        "BillingMode": member(_table, "BillingModeSummary", "BillingMode", default="PROVISIONED"),
        "TableClass": member(_table, "TableClassSummary", "TableClass", default="STANDARD"),
        "SSESpecification": _encryption,
        "PointInTimeRecoverySpecification": _recovery,
        "TimeToLiveSpecification": _time_to_live,
        "ContributorInsightsSpecification": _insights,
        "Tags": _table_tags,
    },
    "AWS::S3::Bucket": {
        "BucketName": lambda live: live.id,
        "BucketEncryption": _bucket_encryption,
        "LifecycleConfiguration": _lifecycle,
        "LoggingConfiguration": _bucket_logging,
        "CorsConfiguration": _bucket_cors,
        "OwnershipControls": _bucket("get_bucket_ownership_controls", "OwnershipControls"),
        "PublicAccessBlockConfiguration": _bucket(
            "get_public_access_block", "PublicAccessBlockConfiguration"
        ),
        "VersioningConfiguration": lambda live: {
            "Status": live.ask("s3", "get_bucket_versioning", Bucket=live.id).get("Status", "Suspended")
        },
        "AccelerateConfiguration": lambda live: {
            "AccelerationStatus": live.ask("s3", "get_bucket_accelerate_configuration", Bucket=live.id).get(
                "Status"
            )
        },
        "Tags": lambda live: tag_list(live.ask("s3", "get_bucket_tagging", Bucket=live.id).get("TagSet")),
    },
    "AWS::S3::BucketPolicy": {
        "Bucket": lambda live: (
            live.declared["Bucket"]
            if live.ask("s3", "get_bucket_policy", Bucket=live.declared["Bucket"])
            else None
        ),
        "PolicyDocument": lambda live: live.ask(
            "s3", "get_bucket_policy", Bucket=live.declared["Bucket"]
        ).get("Policy"),
    },
    "AWS::CloudFront::Distribution": {"DistributionConfig": _distribution, "Tags": _distribution_tags},
    "AWS::CloudFront::OriginAccessControl": {
        "OriginAccessControlConfig": _cloudfront_policy(
            "get_origin_access_control", "OriginAccessControl", "OriginAccessControlConfig"
        )
    },
    "AWS::CloudFront::CachePolicy": {
        "CachePolicyConfig": _cloudfront_policy("get_cache_policy", "CachePolicy", "CachePolicyConfig")
    },
    "AWS::CloudFront::OriginRequestPolicy": {
        "OriginRequestPolicyConfig": _cloudfront_policy(
            "get_origin_request_policy", "OriginRequestPolicy", "OriginRequestPolicyConfig"
        )
    },
    "AWS::CloudFront::ResponseHeadersPolicy": {
        "ResponseHeadersPolicyConfig": _cloudfront_policy(
            "get_response_headers_policy", "ResponseHeadersPolicy", "ResponseHeadersPolicyConfig"
        )
    },
    "AWS::CloudFront::MonitoringSubscription": {
        "DistributionId": lambda live: live.declared["DistributionId"] if _monitoring(live) else None,
        "MonitoringSubscription": _monitoring,
    },
    "AWS::Logs::LogGroup": {
        "LogGroupName": member(_log_group, "logGroupName"),
        "RetentionInDays": member(_log_group, "retentionInDays"),
        "KmsKeyId": member(_log_group, "kmsKeyId"),
        "LogGroupClass": member(_log_group, "logGroupClass"),
        "Tags": _log_group_tags,
    },
    "AWS::CloudWatch::Alarm": {
        **members(
            _alarm, "AlarmName", "AlarmDescription", "Namespace", "MetricName", "Dimensions", "Statistic"
        ),
        **members(_alarm, "ExtendedStatistic", "Unit", "Period", "EvaluationPeriods", "DatapointsToAlarm"),
        **members(_alarm, "Threshold", "ComparisonOperator", "TreatMissingData", "AlarmActions", "OKActions"),
        **members(_alarm, "InsufficientDataActions", "ActionsEnabled", "Metrics"),
        "Tags": _alarm_tags,
    },
    "AWS::CloudWatch::CompositeAlarm": {
        **members(_alarm, "AlarmName", "AlarmDescription", "AlarmRule", "AlarmActions", "OKActions"),
        **members(_alarm, "InsufficientDataActions", "ActionsEnabled", "ActionsSuppressor"),
        **members(_alarm, "ActionsSuppressorWaitPeriod", "ActionsSuppressorExtensionPeriod"),
        "Tags": _alarm_tags,
    },
    "AWS::SecretsManager::Secret": {
        **members(_secret, "Name", "Description", "KmsKeyId"),
        "SecretString": lambda live: live.ask("secretsmanager", "get_secret_value", SecretId=live.id).get(
            "SecretString"
        ),
        "Tags": lambda live: tag_list(_secret(live).get("Tags")),
    },
    "AWS::KMS::Key": {
        **members(_key, "Description", "KeyUsage", "KeySpec", "Enabled", "MultiRegion"),
        "KeyPolicy": lambda live: live.ask("kms", "get_key_policy", KeyId=live.id, PolicyName="default").get(
            "Policy"
        ),
        "EnableKeyRotation": member(
            lambda live: live.ask("kms", "get_key_rotation_status", KeyId=live.id), "KeyRotationEnabled"
        ),
        "Tags": lambda live: tag_list(live.ask("kms", "list_resource_tags", KeyId=live.id).get("Tags")),
    },
    "AWS::Budgets::Budget": {
        "Budget": _budget,
        "NotificationsWithSubscribers": _budget_notifications,
        "ResourceTags": _budget_tags,
    },
    "AWS::WAFv2::WebACL": {
        **members(_web_acl, "Name", "Description", "Scope", "DefaultAction", "VisibilityConfig", "Rules"),
        "Tags": _web_acl_tags,
    },
    "AWS::WAFv2::WebACLAssociation": members(_association, "WebACLArn", "ResourceArn"),
}

# How a declared property is reduced to what can be read back at all, where it is not comparable as it stands.
SHAPES: dict[tuple[str, str], Callable[[Any, Mapping[str, Any]], Any]] = {
    ("AWS::ApiGatewayV2::Api", "Body"): declared_definition,
    **{
        (kind, name): lambda value, _properties: unwrapped(value)
        for kind, readers in READERS.items()
        if kind.startswith("AWS::CloudFront::")
        for name in readers
    },
}


def attribute(aws: Aws, kind: str, physical_id: str, name: str) -> Any:
    """Return the value of GetAtt for a live resource, or UNKNOWN where no reader here has it."""
    live = Live(aws, physical_id, {})
    found = ATTRIBUTES.get((kind, name))
    value = found(live) if found is not None else None
    return UNKNOWN if value is None else value


ATTRIBUTES: dict[tuple[str, str], Read] = {
    ("AWS::ApiGatewayV2::Api", "ApiEndpoint"): member(_api, "ApiEndpoint"),
    ("AWS::ApiGatewayV2::Api", "ApiId"): lambda live: live.id,
    ("AWS::CloudFront::Distribution", "DomainName"): lambda live: live.ask(
        "cloudfront", "get_distribution", Id=live.id
    )["Distribution"]["DomainName"],
    ("AWS::CloudFront::Distribution", "Id"): lambda live: live.id,
    ("AWS::CloudFront::OriginAccessControl", "Id"): lambda live: live.id,
    ("AWS::CloudWatch::Alarm", "Arn"): member(_alarm, "AlarmArn"),
    ("AWS::DynamoDB::Table", "Arn"): member(_table, "TableArn"),
    ("AWS::DynamoDB::Table", "StreamArn"): member(_table, "LatestStreamArn"),
    ("AWS::IAM::Role", "Arn"): member(_role, "Arn"),
    ("AWS::IAM::Role", "RoleId"): member(_role, "RoleId"),
    ("AWS::KMS::Key", "Arn"): member(_key, "Arn"),
    ("AWS::KMS::Key", "KeyId"): lambda live: live.id,
    ("AWS::Lambda::Function", "Arn"): member(_configuration, "FunctionArn"),
    ("AWS::Logs::LogGroup", "Arn"): member(_log_group, "arn"),
    ("AWS::S3::Bucket", "Arn"): lambda live: f"arn:aws:s3:::{live.id}",
    ("AWS::S3::Bucket", "DomainName"): lambda live: f"{live.id}.s3.amazonaws.com",
    ("AWS::S3::Bucket", "RegionalDomainName"): lambda live: f"{live.id}.s3.{live.aws.region}.amazonaws.com",
    ("AWS::SNS::Topic", "TopicArn"): lambda live: live.id,
    ("AWS::SNS::Topic", "TopicName"): lambda live: live.id.rpartition(":")[2],
    ("AWS::SQS::Queue", "Arn"): member(_queue, "QueueArn"),
    ("AWS::SQS::Queue", "QueueName"): lambda live: str(_queue(live).get("QueueArn", "")).rpartition(":")[2],
    ("AWS::SQS::Queue", "QueueUrl"): lambda live: live.id,
    ("AWS::SecretsManager::Secret", "Id"): lambda live: live.id,
    ("AWS::WAFv2::WebACL", "Arn"): member(_web_acl, "ARN"),
    ("AWS::WAFv2::WebACL", "Id"): lambda live: live.id.split("|")[1],
}
