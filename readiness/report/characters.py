r"""Escapes for characters that a report cannot contain, or that would change the display of the rest.

A text may come from an untrusted source: an API's answer, a log line, a tool's output. A lone surrogate has no UTF-8,
XML 1.0 has no control characters, a terminal obeys escape sequences, and bidirectional controls reverse the text beside
them. Each such character is shown as Python writes it: `\x1b`, `\u202e`, `\ud800`, `\U000e0041`. Backslashes are not
changed, so that an escaped text is not escaped again.

See docs/adr/0024-causes-and-findings.md.
"""

from __future__ import annotations

import re

_NONCHARACTERS = "".join(rf"\U{plane:04x}fffe\U{plane:04x}ffff" for plane in range(1, 17))
_HIDDEN = (
    r"\x00-\x08\x0b-\x1f\x7f-\x9f"  # controls other than tab and newline
    r"\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"  # invisible, or turns text round
    r"\ud800-\udfff"  # surrogates: Python joins those that belong together
    rf"\ufdd0-\ufdef\ufffe\uffff{_NONCHARACTERS}"  # never characters, by Unicode's own word
    r"\U000e0000-\U000e007f"  # tags, a second, invisible alphabet
)
_UNREADABLE = re.compile(f"[{_HIDDEN}]")
# What pytest itself sends to a terminal: colours, the taskbar's progress, and a restart of the line.
_OF_A_TERMINAL = re.compile(rf"\x1b\[[0-9;]*m|\x1b\]9;4;[0-9;]*\x1b\\|\r|([{_HIDDEN}])")


def visible(text: str) -> str:
    """The text as every format can hold it: valid UTF-8 and XML, in one direction, without commands to a terminal."""
    return _UNREADABLE.sub(_escaped, text.replace("\r\n", "\n"))


def visible_on_terminal(text: str) -> str:
    """The same, but for the colours and the carriage returns by which pytest draws on a terminal."""
    return _OF_A_TERMINAL.sub(lambda found: _escaped(found) if found[1] else found[0], text)


def _escaped(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode("ascii")
