"""readiness/probes/called_actions.py"""

from __future__ import annotations

import pytest

from readiness.errors import Unverified
from readiness.probes.called_actions import OF_A_QUEUES_READER, OF_EVERY_FUNCTION, Code
from verification.application import ROOT

HANDLER = "app.api.handler"


@pytest.fixture
def code(tmp_path):
    """Two functions over one package, of which each calls a part."""
    files = {
        "__init__": "",
        "api": "from app.store import Store\n\ndef handler(event, context):\n    return Store().read(event)\n",
        "worker": "from app import store\n\ndef handler(event, context):\n    store.Store().write(event)\n",
        "store": (
            "class Store:\n"
            "    def __init__(self):\n        self.client = None\n"
            "    def read(self, key):\n        return self.client.get_item(Key=key)\n"
            "    def write(self, key):\n        call(self.client.put_item, key)\n"
        ),
        "stray": "client.delete_item()\n",
    }
    (tmp_path / "app").mkdir()
    for name, text in files.items():
        (tmp_path / "app" / f"{name}.py").write_text(text)
    return Code(tmp_path)


def test_what_the_handler_reaches_is_called(code):
    assert code.uncalled(["dynamodb:GetItem"], HANDLER) == []
    assert code.uncalled(["dynamodb:PutItem"], "app.worker.handler") == []


def test_what_another_handler_reaches_is_not(code):
    assert code.uncalled(["dynamodb:GetItem", "dynamodb:PutItem"], HANDLER) == ["dynamodb:PutItem"]


def test_what_no_module_imports_is_not(code):
    assert code.uncalled(["dynamodb:DeleteItem"], HANDLER) == ["dynamodb:DeleteItem"]


def test_what_is_imported_by_a_computed_name_is_called(code):
    file = code.folder / "app" / "api.py"
    file.write_text(file.read_text() + "\nimport importlib\nimportlib.import_module(f'{x}.stray')\n")

    assert code.uncalled(["dynamodb:DeleteItem"], HANDLER) == []


def test_what_runs_at_import_is_called(code):
    file = code.folder / "app" / "store.py"
    file.write_text(file.read_text() + "\nCLIENT.describe_table()\n")

    assert code.uncalled(["dynamodb:DescribeTable"], HANDLER) == []


def test_what_is_asked_for_by_text_is_called(code):
    file = code.folder / "app" / "api.py"
    file.write_text(file.read_text().replace("return", "getattr(x, 'query')()\n    return"))

    assert code.uncalled(["dynamodb:Query"], HANDLER) == []


def test_operations_of_another_name_than_their_action_count(code):
    file = code.folder / "app" / "api.py"
    file.write_text(file.read_text().replace("return", "x.list_objects_v2()\n    return"))

    assert code.uncalled(["s3:ListBucket"], HANDLER) == []


def test_a_wildcard_is_called_when_one_of_its_actions_is(code):
    assert code.uncalled(["dynamodb:Get*", "s3:*"], HANDLER) == ["s3:*"]


def test_what_lambda_calls_itself_is_called(code):
    granted = [*OF_EVERY_FUNCTION, *OF_A_QUEUES_READER]

    assert code.uncalled(granted, HANDLER, OF_EVERY_FUNCTION | OF_A_QUEUES_READER) == []
    assert sorted(code.uncalled(granted, HANDLER, OF_EVERY_FUNCTION)) == sorted(OF_A_QUEUES_READER)


@pytest.mark.parametrize("handler", ["app.api.absent", "app.absent.handler", "handler"])
def test_a_handler_that_is_not_there_is_no_empty_answer(code, handler):
    with pytest.raises(Unverified, match="check Handler and CodeUri"):
        code.uncalled(["dynamodb:GetItem"], handler)


def test_source_that_is_no_python_is_no_empty_answer(code):
    (code.folder / "app" / "store.py").write_text("def (")

    with pytest.raises(Unverified, match="cannot be read as Python"):
        code.uncalled(["dynamodb:GetItem"], HANDLER)


def test_own_functions_call_what_they_are_granted():
    own = Code(ROOT / "backend" / "src")

    assert own.uncalled(["bedrock:InvokeModel", "s3:PutObject"], "pixel_prompt.worker.handler") == []
    assert own.uncalled(["s3:PutObject"], "pixel_prompt.api.handler") == ["s3:PutObject"]
