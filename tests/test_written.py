"""readiness/written.py: what people write is as a schema says, or refused with its place."""

from __future__ import annotations

import pytest

from readiness import written
from readiness.errors import UsageProblem

SCHEMA = {
    "type": "object",
    "additionalProperties": {
        "type": "object",
        "properties": {
            "colour": {"enum": ["red", "green"]},
            "height": {"type": "integer"},
            "since": {"type": "date"},
            "names": {"type": "array", "items": written.TEXT},
        },
        "required": ["colour"],
        "additionalProperties": False,
    },
}
GOOD = """
[door]
colour = "red"
height = 3
since = 2027-01-31
names = ["front", "main"]
"""


def load(tmp_path, text):
    file = tmp_path / "doors.toml"
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return written.load(file, SCHEMA)


def test_what_is_as_its_schema_says_is_given(tmp_path):
    assert load(tmp_path, GOOD)["door"]["height"] == 3


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "colour",
            "color",
            r"doors.toml, line 3: door color: unknown key 'color' \(known: .*\); did you mean 'colour'\?",
        ),
        (
            '"red"',
            '"rad"',
            r"doors.toml, line 3: door colour: expected 'red' or 'green', found 'rad'; did you mean 'red'\?",
        ),
        ('"red"', "true", r"expected 'red' or 'green', found True"),
        ("height = 3", "height = true", "line 4: door height: expected a whole number, found true"),
        ("height = 3", 'height = "3"', "expected a whole number, found '3'"),
        ("2027-01-31", '"2027-01-31"', "expected a date like 2027-01-31, without quotes, found '2027-01-31'"),
        ("2027-01-31", "2027-01-31T00:00:00", "expected a date like"),
        ('"front"', '" "', "line 6: door names 1: expected a text that is not empty, found ' '"),
        ('["front", "main"]', '"front"', "expected a list, found 'front'"),
        ("[door]", "[door", "doors.toml cannot be read"),
        ('colour = "red"\n', "", "line 2: door: lacks colour"),
        ("[door]", "[[door]]", r"door: expected a table, found \[\{"),
        ("[door]", "\ufeff[door]", "doors.toml cannot be read"),
    ],
)
def test_a_mistake_is_named_with_its_place(tmp_path, old, new, message):
    with pytest.raises(UsageProblem, match=message):
        load(tmp_path, GOOD.replace(old, new, 1))


@pytest.mark.parametrize("content", [b"\xff\xfe[door]", b"[door]\ncolour = '\xe9'\n"])
def test_what_is_no_text_is_refused(tmp_path, content):
    with pytest.raises(UsageProblem, match="cannot be read"):
        load(tmp_path, content)


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(UsageProblem, match=r"cannot be read: .*Is a directory"):
        written.load(tmp_path, SCHEMA)


def test_nothing_near_is_not_guessed():
    assert written.nearest("xyz", ["stack", "region"]) == ""
    assert written.nearest("stak", ["stack", "region"]) == "; did you mean 'stack'?"


def test_a_file_is_named_by_its_path_from_here(tmp_path, monkeypatch):
    (tmp_path / "backend").mkdir()
    file = tmp_path / "backend" / "doors.toml"
    file.write_text(GOOD.replace("[door]", "[door"))

    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageProblem, match=r"^backend/doors\.toml cannot be read as TOML: .*; correct"):
        written.load(file, SCHEMA)
    monkeypatch.chdir(tmp_path / "backend")
    (tmp_path / "elsewhere.toml").write_text("[door]\nheight = 3\n")
    with pytest.raises(UsageProblem, match=rf"^{tmp_path}/elsewhere\.toml, line 1: door: lacks colour"):
        written.load(tmp_path / "elsewhere.toml", SCHEMA)
