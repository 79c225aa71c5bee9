import json
from typing import ClassVar

import pytest
from doubles import RecordedLog
from pixel_prompt.log import Log, describe, redact


def test_lines_are_json_and_carry_what_the_log_is_bound_to() -> None:
    recorded = RecordedLog()
    recorded.log.bind(correlationId="abc").info(
        "something", count=2, absent=None, nested={"a": ["b", 1.5, None, True]}
    )
    (line,) = recorded.lines
    assert line["event"] == "something"
    assert (line["level"], line["function"], line["correlationId"], line["count"]) == (
        "info",
        "test",
        "abc",
        2,
    )
    assert line["nested"] == {"a": ["b", 1.5, None, True]}
    assert "absent" not in line
    assert line["timestamp"].endswith("Z")


def test_levels() -> None:
    recorded = RecordedLog()
    recorded.log.warning("a")
    recorded.log.failure("b")
    assert [line["level"] for line in recorded.lines] == ["warning", "error"]


def test_standard_output_is_where_lines_go(capsys: pytest.CaptureFixture[str]) -> None:
    Log().info("hello", thing=object())
    assert json.loads(capsys.readouterr().out)["event"] == "hello"


@pytest.mark.parametrize(
    "secret",
    [
        "sk-proj-abcdefghijkl",
        "AIza" + "SyA-0123456789abcdefghijklmnopqrstu",
        "Bearer abc.def",
        "AKIA" + "A" * 16,
    ],
)
def test_what_looks_like_a_key_is_blanked_out(secret: str) -> None:
    recorded = RecordedLog()
    recorded.log.info("e", text=f"failed with {secret}", nested={"x": [secret]})
    assert secret not in recorded.text
    assert "[redacted]" in redact(secret)


def test_an_exception_is_described_by_type_and_place_not_by_its_message() -> None:
    class AwsError(Exception):
        response: ClassVar = {"Error": {"Code": "AccessDenied", "Message": "secret prompt"}}
        operation_name = "PutItem"

    with pytest.raises(AwsError) as caught:
        raise AwsError("secret prompt")
    description = describe(caught.value)
    assert description["errorType"] == "AwsError"
    assert (description["awsError"], description["awsOperation"]) == ("AccessDenied", "PutItem")
    assert description["trace"][0].startswith("test_log.py:")
    assert "secret" not in json.dumps(description)
