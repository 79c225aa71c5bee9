"""readiness/probes/made_calls.py"""

from __future__ import annotations

import pytest

from readiness.errors import Unverified
from readiness.probes.made_calls import Package

TABLE = 'import boto3, os\ntable = boto3.resource("dynamodb").Table(os.environ["TABLE"])\n'
S3 = 'import boto3\ns3 = boto3.client("s3")\n'


def handled(*lines: str) -> str:
    return "def handler(event, context):\n" + "".join(f"    {line}\n" for line in lines)


def calls(files: dict[str, str], handler: str = "app.handler", **environment: str) -> list[str]:
    package = Package({name: text.encode() for name, text in files.items()}, handler, environment)
    return [f"{call.service}:{call.operation}" for call in package.calls]


@pytest.mark.parametrize(
    ("code", "found"),
    [
        (TABLE + handled("table.query()"), "dynamodb:Query"),
        (TABLE + handled("with table.batch_writer() as b:", "    b.put_item()"), "dynamodb:BatchWriteItem"),
        (S3 + handled("s3.upload_file()"), "s3:PutObject"),
        (S3 + handled("retry(s3.put_object, Key='a')"), "s3:PutObject"),
        (S3 + handled("s3.generate_presigned_url('get_object', Params={})"), "s3:GetObject"),
        (
            S3 + handled("for page in s3.get_paginator('list_objects_v2').paginate(): pass"),
            "s3:ListObjectsV2",
        ),
        ("from boto3 import client\n" + handled("client('sns').publish()"), "sns:Publish"),
        (
            "import boto3\n" + handled("c = boto3.Session().client('sqs')", "c.send_message()"),
            "sqs:SendMessage",
        ),
        (
            "import boto3\ndef table():\n    return boto3.resource('dynamodb').Table('t')\n"
            + handled("table().scan()"),
            "dynamodb:Scan",
        ),
        (
            S3
            + "def read(e):\n    s3.get_object()\nROUTES = {'GET': read}\n"
            + handled("ROUTES['GET'](event)"),
            "s3:GetObject",
        ),
        (
            S3
            + "app = Router()\n@app.get('/')\ndef read():\n    s3.get_object()\n"
            + handled("app.resolve(event)"),
            "s3:GetObject",
        ),
        (
            "import boto3\nclass Store:\n    def __init__(self, client):\n        self.client = client\n"
            "    def read(self):\n        self.client.get_object()\n"
            + handled("Store(boto3.client('s3')).read()"),
            "s3:GetObject",
        ),
        (
            "import logging, os\nlog = logging.getLogger()\n"
            + S3
            + "def read(name):\n    return s3.get_object()\n"
            + handled(
                "found = read(os.environ['NAME'])", "if found is None:", "    log.info('none of %s', event)"
            ),
            "s3:GetObject",
        ),
    ],
)
def test_what_is_certain_is_found(code: str, found: str) -> None:
    assert calls({"app.py": code}) == [found]


@pytest.mark.parametrize(
    "code",
    [
        S3 + "def other():\n    s3.put_object()\n" + handled("pass"),  # of another handler
        S3 + "def other():\n    s3.put_object()\nsecond = wrap(other)\n" + handled("pass"),
        S3 + "def other():\n    s3.put_object()\nROUTES = {'a': lambda: other()}\n" + handled("pass"),
        S3 + handled("pass") + "if __name__ == '__main__':\n    s3.put_object()\n",
        S3 + handled("s3 = event['client']", "s3.put_object()"),
        S3 + "def read(s3):\n    s3.put_object()\n" + handled("read(event)"),
        S3 + handled("s3.exceptions.NoSuchKey", "s3.close()", "s3.get_waiter('object_exists')"),
        "import boto3\n" + handled("boto3.client('s3', endpoint_url='https://r2').put_object()"),
        "import boto3\n" + handled("boto3.client('s3', aws_access_key_id=event['id']).put_object()"),
        "import boto3\n" + handled("boto3.client('s3', **event['keys']).put_object()"),
        "import boto3\n" + handled("boto3.Session(profile_name='a').client('s3').put_object()"),
        "import boto3\n" + handled("boto3.client(event['service']).put_object()"),
        S3
        + handled("try:", "    s3.put_object()", "except Exception as e:", "    assert 'AccessDenied' in e"),
        "import os\n" + S3 + handled("if os.environ.get('COPY'):", "    s3.put_object()"),
        "import os\n"
        + S3
        + "COPY = os.environ.get('COPY')\n"
        + handled("if not COPY:", "    return", "s3.put_object()"),
        "import os\n" + S3 + handled("if os.environ['MODE'] == 'w':", "    s3.put_object()"),
        "import os\n"
        + S3
        + handled("if os.environ['MODE'] == 'w':", "    log.info(stop())", "s3.put_object()"),
        S3
        + "class Store:\n    def keep(self):\n        s3.put_object()\n"
        + "class Memory(Store):\n    def keep(self):\n        pass\n"
        + "def keep(store: Store):\n    store.keep()\n"
        + handled("keep(Memory())"),
        "import vendored\n" + handled("vendored.write()"),
    ],
)
def test_what_may_not_be_called_is_left_out(code: str) -> None:
    others = {
        "vendored/__init__.py": S3 + "def write():\n    s3.put_object()\n",
        "vendored-1.0.dist-info/RECORD": "vendored/__init__.py,sha256=,10\n",
        "scripts/seed.py": S3 + "s3.put_object()\n",
        "tests/test_app.py": S3 + "s3.put_object()\n",
    }
    assert calls({"app.py": code, **others}, MODE="r") == []


def test_a_variable_that_is_set_turns_a_call_on() -> None:
    code = "import os\n" + S3 + handled("if os.environ.get('COPY'):", "    s3.put_object()")

    assert calls({"app.py": code}, COPY="yes") == ["s3:PutObject"]


def test_modules_of_the_package_are_followed() -> None:
    files = {
        "shop/__init__.py": "",
        "shop/api.py": "from . import store\nfrom .store import read\n" + handled("read()", "store.write()"),
        "shop/store.py": S3 + "def read():\n    s3.get_object()\ndef write():\n    s3.put_object()\n"
        "def remove():\n    s3.delete_object()\n",
    }

    assert calls(files, "shop.api.handler") == ["s3:GetObject", "s3:PutObject"]
    (one,) = {
        call.place for call in Package({n: t.encode() for n, t in files.items()}, "shop.api.handler").calls
    } - {"shop/store.py:6"}
    assert one == "shop/store.py:4"


def test_a_module_that_another_function_imports_is_not_started() -> None:
    seed = S3 + "s3.put_object()\n"

    assert calls({"app.py": "def other():\n    import seed\n" + handled("pass"), "seed.py": seed}) == []
    assert calls({"app.py": "import seed\n" + handled("pass"), "seed.py": seed}) == ["s3:PutObject"]


def test_a_handler_that_is_not_there_is_unverified() -> None:
    with pytest.raises(Unverified, match="expected the handler"):
        calls({"app.py": "pass"})
    with pytest.raises(Unverified, match="cannot be read as Python"):
        calls({"app.py": "def handler(:"})
