"""Refuses prompts for what this application does not make, before any vendor is paid.

The vendors moderate as well; this list only keeps the plainest requests from nine bills. It goes by whole
words, so that a word inside another ("grape", "Scunthorpe") refuses nothing, and looks through the usual
disguises: other cases and widths of letters, accents, letters of other scripts that look alike, digits for
letters, invisible characters, spaces between the letters.
"""

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

BLOCKED: Final = (
    "beheading",
    "bestiality",
    "child abuse",
    "child porn",
    "childporn",
    "csam",
    "deepfake nude",
    "gore",
    "hentai",
    "incest",
    "lolicon",
    "naked child",
    "naked children",
    "nsfw",
    "nude",
    "nudes",
    "nudity",
    "porn",
    "porno",
    "pornographic",
    "pornography",
    "rape",
    "raped",
    "rapist",
    "revenge porn",
    "self harm",
    "sexual abuse",
    "shotacon",
    "snuff film",
    "topless",
    "undressed",
    "zoophilia",
)

# Letters of other scripts that are drawn like Latin ones.
# Source: https://www.unicode.org/Public/security/latest/confusables.txt (a selection)
_LOOKALIKES: Final = str.maketrans("аеорсухіјѕһԁɡαεορτυχνικ", "aeopcyxijshdgaeoptuxvik")
_DIGITS: Final = str.maketrans("013457@$!", "oieastasi")
_WORDS: Final = re.compile(r"[a-z]+")
_PLAIN_WORDS: Final = re.compile(r"[a-z0-9]+")


class ContentFilter:
    """Knows the blocked words and phrases."""

    def __init__(self, blocked: Iterable[str] = BLOCKED) -> None:
        phrases = "|".join(re.escape(phrase) for phrase in sorted(blocked, key=len, reverse=True))
        self._blocked = re.compile(rf"(?<![a-z0-9])(?:{phrases})(?![a-z0-9])")

    def blocks(self, prompt: str) -> bool:
        """Whether the prompt holds a blocked word or phrase."""
        plain = _plain(prompt)
        disguised = plain.translate(_DIGITS)
        return any(
            self._blocked.search(text)
            for text in (
                " ".join(_PLAIN_WORDS.findall(plain)),
                " ".join(_joined(_WORDS.findall(disguised))),
            )
        )


def _plain(prompt: str) -> str:
    """Lower case, without accents and invisible characters, in Latin letters where they look alike."""
    decomposed = unicodedata.normalize("NFKD", prompt.casefold())
    visible = "".join(letter for letter in decomposed if unicodedata.category(letter) not in ("Mn", "Cf"))
    return visible.translate(_LOOKALIKES)


def _joined(words: list[str]) -> list[str]:
    """Runs of single letters become words, as in "p o r n"."""
    joined: list[str] = []
    run = ""
    for word in [*words, ""]:
        if len(word) == 1:
            run += word
            continue
        if run:
            joined.append(run)
            run = ""
        if word:
            joined.append(word)
    return joined
