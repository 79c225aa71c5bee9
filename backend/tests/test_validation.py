import base64
import json
import math
from typing import Any

import pytest
from doubles import any_text
from hypothesis import given
from hypothesis import strategies as st
from pixel_prompt.errors import ApiError
from pixel_prompt.validation import (
    PROMPT_BODY_MAX_BYTES,
    SEED_MAX,
    make_cursor,
    read_cursor,
    read_id,
    read_models,
    read_object,
    read_page,
    read_prompt,
    read_report,
    read_wish,
)
from pixel_prompt.web import Request


def request(body: str | None, content_type: str = "application/json", *, is_base64: bool = False) -> Request:
    return Request(
        "POST",
        "/generate",
        "id-12345678",
        headers={"content-type": content_type},
        raw_body=body,
        is_base64=is_base64,
    )


def outcome(call: Any, *arguments: Any) -> Any:
    try:
        return call(*arguments)
    except ApiError as error:
        return error


def refused(call: Any, *arguments: Any) -> ApiError:
    with pytest.raises(ApiError) as caught:
        call(*arguments)
    return caught.value


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "Application/JSON; charset=UTF-8",
        'application/json;charset="utf-8"',
        "application/json; x=y",
    ],
)
def test_json_is_read_whatever_its_media_type_is_spelt_like(content_type: str) -> None:
    assert read_object(request('{"prompt": "x"}', content_type), 100) == {"prompt": "x"}


@pytest.mark.parametrize(
    "content_type",
    ["", "text/plain", "application/json; charset=utf-16", "multipart/form-data", "application/jsonp"],
)
def test_other_media_types_are_refused(content_type: str) -> None:
    assert refused(read_object, request("{}", content_type), 100).status == 415


@pytest.mark.parametrize(
    "body",
    [
        None,
        "",
        "   ",
        "{",
        "[]",
        "null",
        '"text"',
        "1",
        '{"a": NaN}',
        '{"a": Infinity}',
        '{"a": -Infinity}',
        '{"a": 1e999}',
        '{"a": 1, "a": 2}',
        '{"a": {"b": 1, "b": 1}}',
        "{'a': 1}",
        '{"a": 1}}',
        "\ufeff{}",
        '{"a": ' + "9" * 5000 + "}",
        "[" * 8000 + "]" * 8000,
    ],
)
def test_what_is_no_strict_json_object_is_refused(body: str | None) -> None:
    error = refused(read_object, request(body), PROMPT_BODY_MAX_BYTES)
    assert (error.status, error.code) == (400, "invalid_json")


def test_base64_bodies_are_decoded() -> None:
    body = base64.b64encode(b'{"prompt": "\xc3\xa9"}').decode()
    assert read_object(request(body, is_base64=True), 100) == {"prompt": "é"}


@pytest.mark.parametrize("body", ["not base64!", "////", base64.b64encode(b"\xff\xfe").decode()])
def test_undecodable_bodies_are_refused(body: str) -> None:
    assert refused(read_object, request(body, is_base64=True), 100).status == 400


def test_size_counts_bytes_and_the_limit_itself_passes() -> None:
    body = json.dumps({"a": "é" * 10}, ensure_ascii=False)
    size = len(body.encode())
    assert read_object(request(body), size)
    assert refused(read_object, request(body), size - 1).status == 413
    assert refused(read_object, request("x" * 1000), 100).status == 413
    assert (
        refused(read_object, request(base64.b64encode(b" " * 101).decode(), is_base64=True), 100).status
        == 413
    )


def test_the_longest_prompt_fits_into_the_body_limit_however_it_is_escaped() -> None:
    body = json.dumps({"prompt": "\N{PILE OF POO}" * 1000, "steps": 50, "guidance": 10, "seed": SEED_MAX})
    assert read_wish(read_object(request(body), PROMPT_BODY_MAX_BYTES)).prompt == "\N{PILE OF POO}" * 1000


def test_a_wish_has_defaults_and_ignores_what_it_does_not_know() -> None:
    wish = read_wish({"prompt": "  a fox  ", "ip": "1.2.3.4", "seed": None, "steps": None})
    assert (wish.prompt, wish.steps, wish.guidance, wish.seed) == ("a fox", 28, 7.0, None)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("prompt", ""),
        ("prompt", "   "),
        ("prompt", "x" * 1001),
        ("prompt", 7),
        ("prompt", None),
        ("prompt", ["x"]),
        ("prompt", "\u200b\u200b"),
        ("prompt", "a\x00b"),
        ("prompt", "a\ud800b"),
        ("prompt", "a\x1b[2Jb"),
        ("prompt", "\x1da\x85"),
        ("prompt", "a\u202eb"),
        ("prompt", "a\u2067b"),
        ("prompt", "a\U000e0041b"),
        ("steps", 24),
        ("steps", 51),
        ("steps", 30.5),
        ("steps", "30"),
        ("steps", True),
        ("guidance", 4.99),
        ("guidance", 10.01),
        ("guidance", "7"),
        ("guidance", False),
        ("guidance", math.nan),
        ("guidance", [7]),
        ("seed", -1),
        ("seed", SEED_MAX + 1),
        ("seed", 1.5),
        ("seed", "1"),
    ],
)
def test_a_field_out_of_range_is_refused_by_its_name(field: str, value: object) -> None:
    error = refused(read_wish, {"prompt": "a fox", field: value})
    assert (error.status, error.code) == (422, "invalid_field")
    assert field in error.message


@given(
    st.integers(25, 50),
    st.floats(5, 10),
    st.integers(0, SEED_MAX),
    st.text("aZ09é狐ß-_.,!?\N{FOX FACE}", min_size=1, max_size=1000),
)
def test_every_wish_within_the_ranges_is_taken(steps: int, guidance: float, seed: int, prompt: str) -> None:
    wish = read_wish({"prompt": prompt, "steps": steps, "guidance": guidance, "seed": seed})
    assert (wish.prompt, wish.steps, wish.guidance, wish.seed) == (prompt, steps, guidance, seed)


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | any_text(20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(any_text(5), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["prompt", "steps", "guidance", "seed", "ip"]), json_values))
def test_any_object_is_taken_or_refused_never_crashed_on(document: dict[str, Any]) -> None:
    wish = outcome(read_wish, document)
    if isinstance(wish, ApiError):
        assert wish.status == 422
    else:
        assert 1 <= len(wish.prompt) <= 1000
        assert 25 <= wish.steps <= 50
        assert 5 <= wish.guidance <= 10
        wish.prompt.encode("utf-8")


MODELS = ("a", "b.1", "c-2")


@given(st.permutations(MODELS), st.integers(1, len(MODELS)))
def test_any_choice_of_models_is_taken_in_the_registrys_order(mixed: list[str], count: int) -> None:
    chosen = mixed[:count]
    assert read_models({"models": chosen}, MODELS) == sorted(chosen, key=MODELS.index)


def test_without_a_choice_every_model_is_asked() -> None:
    assert read_models({}, MODELS) == read_models({"models": None}, MODELS) == list(MODELS)


@pytest.mark.parametrize(
    "value",
    [
        [],
        ["d"],
        ["a", "d"],
        ["a", "a"],
        ["a", "b.1", "c-2", "a"],
        "a",
        {"a": 1},
        1,
        True,
        [1],
        [["a"]],
        ["A"],
    ],
)
def test_a_choice_of_models_that_cannot_be_is_refused(value: object) -> None:
    error = refused(read_models, {"models": value}, MODELS)
    assert (error.status, error.code) == (422, "invalid_field")
    assert error.message.startswith("models must ")


@given(json_values | st.lists(st.sampled_from([*MODELS, "d", 1, None]), max_size=5))
def test_any_choice_is_taken_or_refused_never_crashed_on(value: object) -> None:
    models = outcome(read_models, {"models": value}, MODELS)
    if isinstance(models, ApiError):
        assert models.status == 422
    elif value is None:
        assert models == list(MODELS)
    else:
        assert isinstance(value, list)
        assert sorted(models) == sorted(value)


@given(st.dictionaries(st.sampled_from(["steps", "guidance", "seed"]), st.none()))
def test_null_is_the_same_as_nothing(absent: dict[str, None]) -> None:
    """openapi.yaml says so; the clients of some languages send null for what they leave out."""
    assert read_wish({"prompt": "a fox", **absent}) == read_wish({"prompt": "a fox"})


@given(st.binary(max_size=300) | any_text(300).map(lambda text: text.encode("utf-8", "replace")))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    document = outcome(read_object, request(base64.b64encode(data).decode(), is_base64=True), 200)
    if isinstance(document, ApiError):
        assert document.status in (400, 413)
    else:
        assert isinstance(document, dict)


def test_line_breaks_belong_to_prompts() -> None:
    assert read_prompt({"prompt": "one\ntwo\tthree\r\n"}) == "one\ntwo\tthree"


def test_an_id_of_another_form_is_not_found() -> None:
    good = "0198c0de-5f3a-4c1b-9d6e-2b7a4f1c8e90"
    assert read_id(good) == good
    for bad in ("", "x", good.upper(), good + "0", "../" + good):
        assert refused(read_id, bad).status == 404


def test_a_page_has_a_size_and_a_cursor() -> None:
    key = "2026-01-01T00:00:00.000Z#0198c0de-5f3a-4c1b-9d6e-2b7a4f1c8e90"
    assert read_page({}).size == 20
    page = read_page({"limit": "100", "cursor": make_cursor(key)})
    assert (page.size, page.after) == (100, key)


@pytest.mark.parametrize("limit", ["0", "101", "-1", "1.5", "ten", "", "٣", "01"])
def test_a_page_size_out_of_range_is_refused(limit: str) -> None:
    assert refused(read_page, {"limit": limit}).status == 422


@given(any_text(200))
def test_a_foreign_cursor_is_refused(cursor: str) -> None:
    assert refused(read_cursor, cursor).status == 422


def test_a_report_is_cut_to_what_a_line_can_bear() -> None:
    report = read_report(
        {
            "level": "warn",
            "message": " boom " + "x" * 1000,
            "stack": "s" * 5000,
            "url": "https://app.example/gallery?prompt=secret#frag",
            "correlationId": "abc",
            "context": {"n": 1, "t": "x" * 500, "nested": {"a": 1}, **{str(i): i for i in range(20)}},
        }
    )
    assert (report.level, len(report.message), len(report.stack or "")) == ("warn", 500, 2000)
    assert report.url == "https://app.example/gallery"
    assert report.context is not None
    assert len(report.context) == 9
    assert report.context["t"] == "x" * 200
    assert "nested" not in report.context


def test_a_report_needs_no_more_than_a_message() -> None:
    report = read_report({"message": "lone \ud800 surrogate", "url": "/gallery?x=1", "stack": ""})
    assert (report.level, report.message, report.url) == ("error", "lone ? surrogate", "/gallery")
    assert report.stack is None
    assert report.context is None
    assert read_report({"message": "m", "url": "http://[broken"}).url is None


@given(st.dictionaries(st.sampled_from(["stack", "url", "correlationId", "context"]), st.none()))
def test_null_in_a_report_is_the_same_as_nothing(absent: dict[str, None]) -> None:
    assert read_report({"message": "m", **absent}) == read_report({"message": "m"})


_FIELDS = st.sampled_from(["level", "message", "stack", "url", "correlationId", "context"])


@given(st.dictionaries(_FIELDS, json_values))
def test_any_report_is_taken_or_refused_never_crashed_on(document: dict[str, Any]) -> None:
    report = outcome(read_report, document)
    if isinstance(report, ApiError):
        assert report.status == 422
    else:
        assert 1 <= len(report.message) <= 500
        assert report.level in ("error", "warn", "info")
        json.dumps(report.context).encode("utf-8")


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"message": ""},
        {"message": 1},
        {"message": "m", "level": "fatal"},
        {"message": "m", "level": []},
        {"message": "m", "level": None},
        {"message": "m", "stack": 1},
        {"message": "m", "context": []},
    ],
)
def test_a_malformed_report_is_refused(document: dict[str, Any]) -> None:
    assert refused(read_report, document).status == 422
