"""readiness/report/characters.py"""

from __future__ import annotations

import unicodedata
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from readiness.report.characters import visible, visible_on_terminal

ANY_TEXT = st.text(st.characters())
TURNING = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain\n\ttext", "plain\n\ttext"),
        ("größer 😀 שלום e\u0301 👩\u200d🚀", "größer 😀 שלום e\u0301 👩\u200d🚀"),
        ("\ud800", r"\ud800"),
        ("a\x00b\x1b[31mred\x7f\x9b", r"a\x00b\x1b[31mred\x7f\x9b"),
        ("cat\u202etac\u2066\u200f", r"cat\u202etac\u2066\u200f"),
        ("\ufffe\uffff\ufdd0\U0001ffff", r"\ufffe\uffff\ufdd0\U0001ffff"),
        ("a\r\nb\rc\u2028d\x85e", "a\nb\\rc\\u2028d\\x85e"),
        ("\ufeffa\u200bb\U000e0041", r"\ufeffa\u200bb\U000e0041"),
        (r"\ud800 as it was written", r"\ud800 as it was written"),
    ],
)
def test_what_cannot_be_read_is_shown_and_the_rest_stays(text, expected):
    assert visible(text) == expected


@given(ANY_TEXT)
def test_whatever_the_text_it_can_be_written_and_reads_in_one_direction(text):
    shown = visible(text)

    shown.encode("utf-8")
    element = ET.Element("text")
    element.text = shown
    assert (ET.fromstring(ET.tostring(element)).text or "") == shown
    assert not [
        c for c in shown if unicodedata.bidirectional(c) in TURNING or unicodedata.category(c) == "Cs"
    ]
    assert visible(shown) == shown


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\x1b[31mFAIL\x1b[0m\r", "\x1b[31mFAIL\x1b[0m\r"),
        ("\x1b]9;4;1;50\x1b\\", "\x1b]9;4;1;50\x1b\\"),
        ("\x1b]0;a new title\x07\x1b[2J", r"\x1b]0;a new title\x07\x1b[2J"),
        ("\ud800\u202e\x00", r"\ud800\u202e\x00"),
    ],
)
def test_a_terminal_gets_colours_and_no_other_commands(text, expected):
    assert visible_on_terminal(text) == expected
