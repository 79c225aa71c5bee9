"""Refuses letters that reach beyond the prompt that holds them.

A prompt stands among others in everybody's gallery. An override of directions, or an embedding that is never
closed, turns round what stands behind it; tags and annotations hide words from the reader that a model reads.
What people need is let through: Arabic and Hebrew with their marks, embeddings and isolates that are closed again,
joiners, and the flags of England, Scotland and Wales, which are spelt in tags.

Source: Unicode Standard Annex 9, Unicode Bidirectional Algorithm, https://www.unicode.org/reports/tr9/ ;
Unicode Technical Standard 51, Unicode Emoji, "emoji tag sequence", https://www.unicode.org/reports/tr51/
"""

import re
import unicodedata
from typing import Final

_LINE_BREAKS: Final = frozenset("\n\r\t")
_OVERRIDES: Final = re.compile("[\u202d\u202e]")
# What closes each that opens. The line's end closes all of them, but also those of whoever shows the prompt.
_CLOSED_BY: Final = {
    "\u202a": "\u202c",
    "\u202b": "\u202c",
    "\u2066": "\u2069",
    "\u2067": "\u2069",
    "\u2068": "\u2069",
}
_CLOSERS: Final = frozenset(_CLOSED_BY.values())
_LINES: Final = re.compile("[\n\r\u2029]")
_FLAG: Final = re.compile("\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{3,7}\U000e007f")
# Tags, interlinear annotations, formats that Unicode has given up, and code points that are no characters.
_HIDDEN: Final = re.compile(
    "[\U000e0000-\U000e007f\ufff9-\ufffb\u206a-\u206f\ufdd0-\ufdef"
    + "".join(chr(plane << 16 | end) for plane in range(17) for end in (0xFFFE, 0xFFFF))
    + "]"
)


def objection(text: str) -> str | None:
    """Why the text must not be shown among others, as the end of a sentence about it; None when it may."""
    if any(unicodedata.category(letter) in ("Cc", "Cs") and letter not in _LINE_BREAKS for letter in text):
        return "must not hold control characters."
    if _HIDDEN.search(_FLAG.sub("", text)):
        return "must not hold tags, annotations or code points that are no characters."
    if _OVERRIDES.search(text):
        return "must not override the direction of its letters (U+202D, U+202E)."
    if not all(_closes(line) for line in _LINES.split(text)):
        return "must close each embedding and isolate of directions in the line that opens it."
    if not any(unicodedata.category(letter)[0] in "LNPS" for letter in text):
        return "must hold something visible."
    return None


def _closes(line: str) -> bool:
    """Whether what is opened is closed again, the innermost first, and nothing else is closed."""
    awaited: list[str] = []
    for letter in line:
        if letter in _CLOSED_BY:
            awaited.append(_CLOSED_BY[letter])
        elif letter in _CLOSERS and (not awaited or awaited.pop() != letter):
            return False
    return not awaited
