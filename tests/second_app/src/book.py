# noqa: INP001  # the root of a function's package
"""A guest book: POST /entries signs it, GET /entries shows the latest twenty."""

import json
import os
import uuid
from datetime import UTC, datetime

import boto3

TABLE, BUCKET = os.environ["TABLE"], os.environ["BUCKET"]
LATEST, NAME_MAX, WORDS_MAX = 20, 60, 500
dynamodb, s3 = boto3.client("dynamodb"), boto3.client("s3")


def handler(event, _context):
    """Lambda's entry point."""
    if event["requestContext"]["http"]["method"] == "GET":
        return answer(200, {"entries": latest()})
    try:
        entry = json.loads(event.get("body") or "")
        name, words = entry["name"].strip(), entry["words"].strip()
    except (ValueError, KeyError, TypeError, AttributeError):
        return answer(400, {"error": "expected a JSON object with name and words"})
    if not (1 <= len(name) <= NAME_MAX and 1 <= len(words) <= WORDS_MAX):
        return answer(422, {"error": f"1 to {NAME_MAX} characters of name, 1 to {WORDS_MAX} of words"})
    signed = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ}#{uuid.uuid4().hex}"
    item = {"book": {"S": "guests"}, "signed": {"S": signed}, "name": {"S": name}, "words": {"S": words}}
    dynamodb.put_item(TableName=TABLE, Item=item)
    copy = json.dumps({"name": name, "words": words}).encode()
    s3.put_object(Bucket=BUCKET, Key=f"entries/{signed}.json", Body=copy)
    return answer(201, {"signed": signed})


def latest():
    """The newest entries, newest first."""
    found = dynamodb.query(
        TableName=TABLE,
        KeyConditionExpression="book = :book",
        ExpressionAttributeValues={":book": {"S": "guests"}},
        ScanIndexForward=False,
        Limit=LATEST,
    )
    return [{key: item[key]["S"] for key in ("signed", "name", "words")} for item in found["Items"]]


def answer(status, document):
    """What the HTTP API wants back."""
    return {
        "statusCode": status,
        "headers": {"Content-Type": "application/json"},
        "body": json.dumps(document),
    }
