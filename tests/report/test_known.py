"""readiness/report/known.py and stream.py"""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from readiness.report import known
from readiness.report.known import hide, hide_account, hide_environment, hide_folders, without
from readiness.report.redaction import redact
from readiness.report.stream import Redacting

OPAQUE = "Zq7v/Kd03.xWm9Tb5+Lr1"


@pytest.mark.parametrize(
    "text",
    [
        OPAQUE,
        f"'{OPAQUE}'",
        f"https://example.com/?key={'Zq7v%2FKd03.xWm9Tb5%2BLr1'}",
        f"{OPAQUE}{OPAQUE}",
        "Zq7v/Kd03...",
        "...Tb5+Lr1",
        "assert 'Zq7v/K...b5+Lr1' == ''",
    ],
)
def test_a_known_value_goes_whatever_it_looks_like_whole_or_shortened(text):
    hide([OPAQUE])

    assert "[redacted]" in redact(text)
    assert "Zq7v" not in redact(text)
    assert "Lr1" not in redact(text)


def test_a_value_within_json_is_the_same_value():
    hide(['a"quoted"\nvalue'])

    assert without('{"key": "a\\"quoted\\"\\nvalue"}') == '{"key": "[redacted]"}'


@pytest.mark.parametrize("value", ["", "short", "123456789012"])
def test_what_could_be_any_word_or_number_is_left_alone(value):
    hide([value])

    assert known._values == set()


@pytest.mark.parametrize("text", ["one two... three", "['a', 'b', ...]", "(...)", "enerate...x"])
def test_what_else_was_shortened_stays(text):
    hide([OPAQUE])

    assert without(text) == text


def test_variables_named_like_secrets_are_hidden_and_paths_are_not(tmp_path):
    hide_environment(
        {
            "RECRAFT_KEY": "value-of-key",
            "GITHUB_TOKEN": "value-of-token",
            "db_password": "value-of-password",
            "SSH_KEY_FILE": str(tmp_path),
            "HOME_TOWN": "value-of-town",
        }
    )

    assert known._values == {"value-of-key", "value-of-token", "value-of-password"}


def test_an_account_keeps_four_digits_wherever_it_stands():
    hide_account("210987654321")

    assert without("of 210987654321, not 1210987654321 or 123456789012") == (
        "of ********4321, not 1210987654321 or 123456789012"
    )


def test_paths_are_shown_relative_to_the_folder():
    hide_folders(Path("/home/ada/app"), Path("/home/ada/app/inner"), Path("/"))

    assert without("/home/ada/app/inner/a.py and /home/ada/app/b.py in /home/ada/app") == "a.py and b.py in ."
    assert without("/home/ada/app-two/c.py and /etc/hosts") == "/home/ada/app-two/c.py and /etc/hosts"


def test_the_terminal_shows_no_secret_and_is_otherwise_itself():
    hide([OPAQUE])
    screen = io.StringIO()
    terminal = Redacting(screen)

    assert terminal.write(f"before {OPAQUE} after\n") == len(f"before {OPAQUE} after\n")
    print("and 'sk-" + "a1" * 20 + "'", file=terminal)
    terminal.flush()
    terminal.close()

    assert screen.getvalue() == "before [redacted] after\nand '[redacted]'\n"
    assert terminal.isatty() is False


def test_a_run_without_an_account_hides_nothing():
    known.hide_account("")

    assert redact("a text") == "a text"
    assert redact("") == ""
