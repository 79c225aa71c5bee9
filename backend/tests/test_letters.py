import unicodedata

import pytest
from doubles import any_text
from hypothesis import given
from hypothesis import strategies as st
from pixel_prompt.letters import objection

# Unicode's bidirectional classes of the characters that this is about.
OPENING = {
    "\u202a": "LRE",
    "\u202b": "RLE",
    "\u202d": "LRO",
    "\u202e": "RLO",
    "\u2066": "LRI",
    "\u2067": "RLI",
    "\u2068": "FSI",
}
ISOLATES = ("LRI", "RLI", "FSI")
ENGLAND = "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"


def states(text: str, around: list[str]) -> list[list[str]]:
    """What is open at the end of each line of a text, by rules X1 to X8 of Unicode's bidirectional algorithm.

    Args:
        text: is read from its first letter.
        around: what those have opened who show it, the outermost first.
    """
    ends, opened = [], list(around)
    for letter in f"{text}\u2029":
        if letter in OPENING:
            opened.append(OPENING[letter])
        elif letter == "\u2069":
            # X6a: closes the last isolate and what is open in it; nothing when there is none.
            isolates = [number for number, kind in enumerate(opened) if kind in ISOLATES]
            if isolates:
                del opened[isolates[-1] :]
        elif letter == "\u202c":
            # X7: closes the last embedding or override, unless an isolate is open within it.
            if opened and opened[-1] not in ISOLATES:
                opened.pop()
        elif unicodedata.bidirectional(letter) == "B":
            # X8: the paragraph ends, and with it all that is open.
            ends.append(opened)
            opened = list(around)
    return ends


directions = st.sampled_from(
    [*OPENING, "\u202c", "\u2069", "\u200e", "\u200f", "\u061c", "a", "א", "ع", "1", " ", "\n"]
)


balanced = st.recursive(
    st.text("aאع1 .\u200e\u200f\u061c\u200d", min_size=1, max_size=4),
    lambda inner: st.builds(
        lambda opening, parts: (
            opening + "".join(parts) + ("\u2069" if OPENING[opening] in ISOLATES else "\u202c")
        ),
        st.sampled_from([letter for letter, kind in OPENING.items() if kind not in ("LRO", "RLO")]),
        st.lists(inner, max_size=3),
    ),
    max_leaves=8,
)


@given(
    balanced | st.lists(directions, max_size=12).map("".join) | any_text(20),
    st.lists(st.sampled_from(["RLE", "RLI", "FSI", "RLO"]), max_size=4),
)
def test_no_accepted_text_changes_the_direction_of_what_is_around_it(text: str, around: list[str]) -> None:
    """Somebody else's prompt would be read backwards."""
    if objection(text) is None:
        assert states(text, around) == [around] * len(states(text, around))
        # HTML shows a line break as a space.
        assert states(" ".join(text.splitlines()), around) == [around]
        assert not {"\u202d", "\u202e"} & set(text)


@given(balanced)
def test_every_text_that_closes_what_it_opens_is_accepted(text: str) -> None:
    assert objection(f"x{text}") is None


@given(balanced, st.sampled_from([*OPENING, "\u202c", "\u2069", "\u202e", "\u202d"]), st.data())
def test_one_more_or_one_fewer_is_refused(text: str, letter: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(text)))
    assert objection(f"x{text[:at]}{letter}{text[at:]}")
    for at in [at for at, kept in enumerate(text) if kept in OPENING or kept in "\u202c\u2069"][:3]:
        assert objection(f"x{text[:at]}{text[at + 1 :]}")


@pytest.mark.parametrize(
    "text",
    [
        "منارة في عاصفة، بأسلوب van Gogh\u200f!",
        "מגדלור \u200e(1889)\u200e בסערה",
        "السعر \u061c5$",
        "a sign that says \u2067כתב\u2069 at noon",
        "\u202bبيت\u202c and \u2068\u2067x\u2069\u2069",
        "two\nlines\r\nand\ttabs",
        "\u2066one\u2069\n\u2067two\u2069",
        "a family \U0001f468\u200d\U0001f469\u200d\U0001f467 under a \u2764\ufe0f",
        "می\u200cبینم",
        f"the flag of England {ENGLAND}",
        "soft\u00adhyphen and word\u2060joiner",
        "\ue000 a letter of a private font",
        "\U0001fae9 an emoji newer than most tables",
    ],
)
def test_what_people_write_is_accepted(text: str) -> None:
    assert objection(text) is None


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("a\u202eb", "override"),
        ("a\u202db\u202c", "override"),
        ("a\u202ab", "close"),
        ("a\u2067b\n\u2069", "close"),
        ("a\u2067b\u2029\u2069", "close"),
        ("a\u2069b", "close"),
        ("a\u202cb", "close"),
        ("\u2067a\u202bb\u2069\u202c", "close"),
        ("a\x00b", "control"),
        ("a\x85b", "control"),
        ("a\x9bb", "control"),
        ("a\x1cb", "control"),
        ("a\ud800b", "control"),
        ("a\ufffeb", "no characters"),
        ("a\ufdd0b", "no characters"),
        ("a\U0010ffffb", "no characters"),
        ("a\U000e0041b", "tags"),
        ("a\U000e0001b", "tags"),
        (f"{ENGLAND[:-1]}b", "tags"),
        (f"{ENGLAND[1:]}b", "tags"),
        ("a\ufff9b\ufffac\ufffb", "annotations"),
        ("a\u206eb", "tags"),
        ("\u200e\u200f", "visible"),
        ("\u2067\u2069", "visible"),
    ],
)
def test_what_reaches_beyond_its_own_text_is_refused(text: str, word: str) -> None:
    assert word in (objection(text) or "")
