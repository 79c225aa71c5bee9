"""The one DynamoDB table: jobs and counters, told apart by their key's prefix."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol, cast

GALLERY_INDEX: Final = "gallery"

Value = str | int | float | bool | Mapping[str, "Value"] | Sequence["Value"]
Item = dict[str, Any]


class ConditionFailed(Exception):
    """The item is not in the state that the write asked for."""


class DynamoDb(Protocol):
    """The calls of botocore's client that are used here."""

    def get_item(self, **arguments: Any) -> Mapping[str, Any]: ...
    def put_item(self, **arguments: Any) -> Mapping[str, Any]: ...
    def update_item(self, **arguments: Any) -> Mapping[str, Any]: ...
    def delete_item(self, **arguments: Any) -> Mapping[str, Any]: ...
    def query(self, **arguments: Any) -> Mapping[str, Any]: ...


class Table:
    """Reads and writes items as plain Python values."""

    def __init__(self, client: DynamoDb, name: str) -> None:
        self._client = client
        self._name = name

    def get(self, key: str) -> Item | None:
        """The item as it is now (a consistent read), or None."""
        answer = self._client.get_item(TableName=self._name, Key={"pk": {"S": key}}, ConsistentRead=True)
        return _read_item(answer["Item"]) if answer.get("Item") else None

    def create(self, key: str, item: Mapping[str, Value]) -> None:
        """Write a new item.

        Raises:
            ConditionFailed: one exists under this key.
        """
        attributes = {name: _attribute(value) for name, value in item.items()}
        self._guarded(
            self._client.put_item,
            TableName=self._name,
            Item={"pk": {"S": key}, **attributes},
            ConditionExpression="attribute_not_exists(pk)",
        )

    def update(
        self, key: str, expression: str, condition: str, names: Mapping[str, str], values: Mapping[str, Value]
    ) -> None:
        """Change an item atomically.

        Raises:
            ConditionFailed: the condition does not hold.
        """
        arguments: dict[str, Any] = {
            "TableName": self._name,
            "Key": {"pk": {"S": key}},
            "UpdateExpression": expression,
            "ConditionExpression": condition,
            "ExpressionAttributeValues": {name: _attribute(value) for name, value in values.items()},
        }
        if names:
            arguments["ExpressionAttributeNames"] = dict(names)
        self._guarded(self._client.update_item, **arguments)

    def delete(self, key: str) -> None:
        """Remove an item; one that is not there is no error."""
        self._client.delete_item(TableName=self._name, Key={"pk": {"S": key}})

    def query_gallery(
        self, partition: str, oldest: str, limit: int, start: Mapping[str, str] | None
    ) -> list[Item]:
        """At most ``limit`` items of the gallery's index, newest first, none older than ``oldest``."""
        arguments: dict[str, Any] = {
            "TableName": self._name,
            "IndexName": GALLERY_INDEX,
            "KeyConditionExpression": "galleryKey = :partition AND gallerySort > :oldest",
            "ExpressionAttributeValues": {":partition": {"S": partition}, ":oldest": {"S": oldest}},
            "ScanIndexForward": False,
            "Limit": limit,
        }
        if start is not None:
            arguments["ExclusiveStartKey"] = {name: {"S": value} for name, value in start.items()}
        return [_read_item(item) for item in self._client.query(**arguments).get("Items", [])]

    @staticmethod
    def _guarded(call: Any, **arguments: Any) -> None:
        try:
            call(**arguments)
        except Exception as error:
            response = getattr(error, "response", None)
            if isinstance(response, Mapping):
                code = response.get("Error", {}).get("Code")
                if code == "ConditionalCheckFailedException":
                    raise ConditionFailed from None
            raise


def _attribute(value: Value) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"BOOL": value}
    if isinstance(value, str):
        return {"S": value}
    if isinstance(value, int | float):
        return {"N": repr(value)}
    if isinstance(value, Mapping):
        return {"M": {name: _attribute(inner) for name, inner in value.items()}}
    return {"L": [_attribute(inner) for inner in value]}


def _read_item(item: Mapping[str, Any]) -> Item:
    return {name: _read(attribute) for name, attribute in item.items()}


def _read(attribute: Mapping[str, Any]) -> Any:
    kind, value = next(iter(attribute.items()))
    if kind == "N":
        text = cast(str, value)
        return int(text) if text.lstrip("-").isdigit() else float(text)
    if kind == "M":
        return _read_item(value)
    if kind == "L":
        return [_read(inner) for inner in value]
    return value
