"""Overlay of AWS::Lambda: reservations, dead-letter targets, logging defaults, and switched-off event sources."""

from __future__ import annotations

from ministack.core.responses import error_response_json
from ministack.services import lambda_svc
from ministack.services.cloudformation import provisioners

from verification.embedded.server import require
from verification.embedded.server.cloudformation import hooks
from verification.embedded.server.cloudformation.hooks import Attributes, Properties

require(lambda_svc, "_ACCOUNT_CONCURRENCY_CAP", "_esms", "_functions", "_update_config")
require(provisioners, "_STACK_TAG_PROPERTY")

FUNCTION = "AWS::Lambda::Function"
EVENT_SOURCE = "AWS::Lambda::EventSourceMapping"
# Property of the template: member of UpdateFunctionConfiguration, and what it is when no template names it.
CONFIGURATION = {
    "DeadLetterConfig": ("DeadLetterConfig", {}),
    "KmsKeyArn": ("KMSKeyArn", ""),
    "VpcConfig": ("VpcConfig", {}),
    "FileSystemConfigs": ("FileSystemConfigs", []),
}
UNRESERVED_AT_LEAST = 100
COUNTS = {
    "BatchSize",
    "MaximumBatchingWindowInSeconds",
    "MaximumRecordAgeInSeconds",
    "MaximumRetryAttempts",
    "ParallelizationFactor",
}
EVENT_SOURCE_DEFAULTS = {"BatchSize": 10, "MaximumBatchingWindowInSeconds": 0, "FunctionResponseTypes": []}
EVENT_SOURCE_OPTIONS = {
    "BisectBatchOnFunctionError",
    "DestinationConfig",
    "FilterCriteria",
    "MaximumRecordAgeInSeconds",
    "MaximumRetryAttempts",
    "ParallelizationFactor",
    "ScalingConfig",
}


MOST_MEMORY = 10_240  # MB. Source: Lambda Developer Guide, "Lambda quotas"
MOST_WITHOUT_WINDOW = (
    10  # Source: Lambda Developer Guide, "Creating and configuring an Amazon SQS event source mapping"
)


def install() -> None:
    """Lay the overlay over MiniStack."""
    hooks.before(FUNCTION, spell_function)
    hooks.after(FUNCTION, settle_function)
    hooks.before(EVENT_SOURCE, spell_event_source)
    hooks.after(EVENT_SOURCE, settle_event_source)
    # The stack's own tags reach event sources too.
    provisioners._STACK_TAG_PROPERTY.setdefault(EVENT_SOURCE, ("Tags", "list"))


def spell_function(properties: Properties) -> Properties:
    """Return the properties with environment variables as text, as CloudFormation sends `true` and `5`.

    Raises:
        ValueError: More memory than Lambda gives a function that runs on no instances of the account's own.
    """
    memory = int(properties.get("MemorySize") or 0)
    if memory > MOST_MEMORY and not properties.get("CapacityProviderConfig"):
        raise ValueError(
            f"{FUNCTION}: Value '{memory}' at 'memorySize' failed to satisfy constraint: Member must have value less than or "
            f"equal to {MOST_MEMORY}"
        )
    variables = (properties.get("Environment") or {}).get("Variables") or {}
    if not variables:
        return properties
    return {**properties, "Environment": {"Variables": {name: _text(one) for name, one in variables.items()}}}


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def settle_function(physical_id: str, new: Properties, old: Properties, _attributes: Attributes) -> None:
    """Apply what MiniStack leaves out."""
    function = lambda_svc._functions[physical_id]
    reserved = new.get("ReservedConcurrentExecutions")
    function["concurrency"] = None
    if reserved is not None:
        _require_room(int(reserved))
        function["concurrency"] = int(reserved)
    if "RecursiveLoop" in new:
        function["recursive_loop"] = new["RecursiveLoop"]
    changes = {
        member: new.get(name) or default
        for name, (member, default) in CONFIGURATION.items()
        if name in new or name in old
    }
    if changes:
        hooks.accepted(lambda_svc._update_config(physical_id, changes), FUNCTION)
    group = f"/aws/lambda/{physical_id}"
    function["config"]["LoggingConfig"] = {
        "LogFormat": "Text",
        "LogGroup": group,
        **(new.get("LoggingConfig") or {}),
    }


def _require_room(wanted: int) -> None:
    """Refuse a reservation as Lambda does.

    Source: Lambda Developer Guide, "Configuring reserved concurrency": 100 stay unreserved, and all where there are fewer.
    """
    limit = lambda_svc._ACCOUNT_CONCURRENCY_CAP
    reserved = sum(int(function.get("concurrency") or 0) for function in lambda_svc._functions.values())
    least = min(UNRESERVED_AT_LEAST, limit)
    if wanted and limit - reserved - wanted < least:
        message = (
            "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below "
            f"its minimum value of [{least}]."
        )
        hooks.accepted(error_response_json("InvalidParameterValueException", message, 400), FUNCTION)


def spell_event_source(properties: Properties) -> Properties:
    """Return an event source's numbers as numbers: the poller starts at once and fails on a parameter's text.

    Raises:
        ValueError: A queue's batch is larger than Lambda takes without a batching window; for a FIFO queue, at all.
    """
    made = dict(properties)
    for name in COUNTS & properties.keys():
        made[name] = int(properties[name])
    if properties.get("ScalingConfig"):
        made["ScalingConfig"] = {key: int(value) for key, value in properties["ScalingConfig"].items()}
    if "Enabled" in properties:
        made["Enabled"] = hooks.as_bool(properties["Enabled"])
    source = str(properties.get("EventSourceArn", ""))
    if ":sqs:" in source and made.get("BatchSize", 0) > MOST_WITHOUT_WINDOW:
        if source.endswith(".fifo"):
            raise ValueError(f"{EVENT_SOURCE}: Maximum batch size for FIFO queues is {MOST_WITHOUT_WINDOW}")
        if not made.get("MaximumBatchingWindowInSeconds"):
            raise ValueError(
                f"{EVENT_SOURCE}: Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than "
                f"{MOST_WITHOUT_WINDOW}"
            )
    return made


def settle_event_source(physical_id: str, new: Properties, old: Properties, _attributes: Attributes) -> None:
    """Keep a mapping that the template switches off switched off, and forget what it no longer names."""
    mapping = lambda_svc._esms[physical_id]
    mapping["Enabled"] = hooks.as_bool(new.get("Enabled", True))
    mapping["State"] = "Enabled" if mapping["Enabled"] else "Disabled"
    mapping["Tags"] = hooks.tag_map(new.get("Tags"))
    for name in EVENT_SOURCE_DEFAULTS.keys() & (old.keys() - new.keys()):
        mapping[name] = EVENT_SOURCE_DEFAULTS[name]
    for name in EVENT_SOURCE_OPTIONS & (old.keys() - new.keys()):
        mapping.pop(name, None)
