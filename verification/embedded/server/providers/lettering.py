"""Words as rows of a picture, in a bitmap font of printable ASCII.

A letter with an accent loses it, a character that draws nothing is left out, and any other that the font lacks
is a box: a prompt in any script can be written, and no prompt is too strange.
"""

import unicodedata
from functools import cache

ADVANCE = 6
"""Dots from one letter to the next; the last is always empty."""
LINE = 10
"""Dots from one line to the next: eight of a letter, of which one hangs below, and two empty ones."""

# Five columns a letter, from the space on; the lowest bit is the topmost dot.
_COLUMNS = bytes.fromhex(
    "0000000000 00005f0000 0007000700 147f147f14 242a7f2a12 2313086462 3649562050 0008070300"
    "001c224100 0041221c00 2a1c7f1c2a 08083e0808 0080703000 0808080808 0000606000 2010080402"
    "3e5149453e 00427f4000 7249494946 2141494d33 1814127f10 2745454539 3c4a494931 4121110907"
    "3649494936 464949291e 0000140000 0040340000 0008142241 1414141414 0041221408 0201590906"
    "3e415d594e 7c1211127c 7f49494936 3e41414122 7f4141413e 7f49494941 7f09090901 3e41415173"
    "7f0808087f 00417f4100 2040413f01 7f08142241 7f40404040 7f021c027f 7f0408107f 3e4141413e"
    "7f09090906 3e4151215e 7f09192946 2649494932 03017f0103 3f4040403f 1f2040201f 3f4038403f"
    "6314081463 0304780403 6159494d43 007f414141 0204081020 004141417f 0402010204 4040404040"
    "0003070800 2054547840 7f28444438 3844444428 384444287f 3854545418 00087e0902 18a4a49c78"
    "7f08040478 00447d4000 2040403d00 7f10284400 00417f4000 7c04780478 7c08040478 3844444438"
    "fc18242418 18242418fc 7c08040408 4854545424 04043f4424 3c4040207c 1c2040201c 3c4030403c"
    "4428102844 4c9090907c 4464544c44 0008364100 0000770000 0041360800 0201020402"
)
_BOX = bytes.fromhex("7f4141417f00")
_GLYPHS = {chr(32 + index): _COLUMNS[5 * index : 5 * index + 5] + b"\0" for index in range(95)}
_UNSEEN = ("Mn", "Me", "Cf", "Cc")


def plain(text: str) -> str:
    """The text in one line: only what is drawn, each character as its letter or as one that is drawn as a box."""
    letters = unicodedata.normalize("NFKD", " ".join(text.split()))
    return "".join(letter for letter in letters if unicodedata.category(letter) not in _UNSEEN)


def wrapped(text: str, letters: int, lines: int) -> list[str]:
    """The text in at most so many lines of so many letters; three dots replace what does not fit."""
    made: list[str] = []
    rest = plain(text)
    while rest and len(made) < lines:
        at = len(rest) if len(rest) <= letters else rest.rfind(" ", 1, letters + 1)
        at = at if at > 0 else letters
        made.append(rest[:at])
        rest = rest[at:].lstrip()
    if rest and made:
        made[-1] = made[-1][: max(0, letters - 3)] + "..."
    return made


def written(line: str, scale: int, ink: int, paper: int) -> list[bytes]:
    """The rows of one line, each to be drawn ``scale`` times: a byte a pixel, either ink or paper."""
    columns = b"".join(_GLYPHS.get(letter, _BOX) for letter in line)
    rows = []
    for colours in _dots(ink, paper):
        narrow = columns.translate(colours)
        wide = bytearray(len(narrow) * scale)
        for offset in range(scale):
            wide[offset::scale] = narrow
        rows.append(bytes(wide))
    return rows


@cache
def _dots(ink: int, paper: int) -> list[bytes]:
    """For each of the eight rows, what colour a column of a letter has there."""
    return [bytes(ink if column >> dot & 1 else paper for column in range(256)) for dot in range(8)]
