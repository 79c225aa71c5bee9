"""Documents, messages and docstrings use plain words. Documents use short sentences. tests/plain_words.toml has the words, what to write instead, and the limits."""

from __future__ import annotations

import ast
import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).resolve().parents[1]
STYLE: dict[str, Any] = tomllib.loads(
    Path(__file__).with_name("plain_words.toml").read_text(encoding="utf-8")
)
DOCUMENTS = [
    *("README.md", "CONTRIBUTING.md", "PRODUCTION_CHECKLIST.md"),
    *(f"docs/{name}.md" for name in ("ADAPTING", "ARCHITECTURE", "DEPLOYMENT", "REAL_AWS", "RECORDINGS")),
    "scripts/loadtest/README.md",
    *sorted(
        str(path.relative_to(ROOT))
        for folder in ("docs/adr", "readiness/catalogue/items")
        for path in (ROOT / folder).glob("*.md")
    ),
]
PACKAGES = {"readiness": (), "verification": ("verification/embedded",), "verification/embedded": ()}
"""Each package of Python source, and the folders in it that have figures of their own."""
_LONGEST_FIRST = sorted(STYLE["words"], key=len, reverse=True)
_LISTED = re.compile(rf"\b({'|'.join(_LONGEST_FIRST)})\b".replace(" ", r"\s+"), re.IGNORECASE)
_SENTENCE = re.compile(r"[^.!?:]+(?:[.!?:](?!\s|$)[^.!?:]*)*")
_CODE = "\N{BULLET}"
"""Replaces a code span, so that the span counts as one word and contains no listed word."""


@dataclass(frozen=True)
class Block:
    """The text of a paragraph, a heading or a table cell, without code, and its first line."""

    text: str
    line: int
    prose: bool

    def sentences(self) -> Iterator[tuple[str, int]]:
        """Yield each sentence with its line."""
        for found in _SENTENCE.finditer(self.text):
            if found[0].strip():
                start = found.start() + len(found[0]) - len(found[0].lstrip())
                yield found[0].strip(), self.line + self.text.count("\n", 0, start)


@dataclass(frozen=True)
class Figures:
    """The listed words of a document, and the length of its sentences in words."""

    words: list[str]
    mean: float
    longest: int
    where: str


def blocks(text: str) -> Iterator[Block]:
    """Yield the blocks of a Markdown document."""
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    for before, token in pairwise(tokens):
        if token.type == "inline" and (place := token.map or before.map):
            yield Block(
                "".join(_plain(child) for child in token.children or []),
                place[0] + 1,
                prose=before.type == "paragraph_open",
            )


def _plain(token: Token) -> str:
    if token.type == "code_inline":
        return _CODE
    return "\n" if token.type in {"softbreak", "hardbreak"} else token.content


def figures(document: str, text: str) -> Figures:
    """Measure a document. Each listed word has its file, line and replacement."""
    found = list(blocks(text))
    words = [
        f"{document}:{block.line + block.text.count(chr(10), 0, match.start())}: '{' '.join(match[0].split())}': write "
        f"{STYLE['words'][' '.join(match[0].lower().split())]}"
        for block in found
        for match in _LISTED.finditer(block.text)
    ]
    lengths = [
        (len(re.findall(rf"[\w{_CODE}]\S*", sentence)), line, sentence)
        for block in found
        if block.prose
        for sentence, line in block.sentences()
    ]
    longest = max(lengths, key=lambda each: each[0], default=(0, 1, ""))
    return Figures(
        words,
        sum(length for length, _, _ in lengths) / max(len(lengths), 1),
        longest[0],
        f"{document}:{longest[1]}: '{' '.join(longest[2].split())}'",
    )


@pytest.mark.parametrize("document", DOCUMENTS)
def test_words_are_plain(document: str) -> None:
    found = figures(document, (ROOT / document).read_text(encoding="utf-8"))
    allowed = STYLE.get(document, {}).get("words", 0)

    assert len(found.words) <= allowed, "\n".join(
        [f"{document}: expected {allowed} listed words at most, found {len(found.words)}", *found.words]
    )


@pytest.mark.parametrize("document", DOCUMENTS)
def test_sentences_are_short(document: str) -> None:
    found = figures(document, (ROOT / document).read_text(encoding="utf-8"))
    limits = {**STYLE["limits"], **STYLE.get(document, {})}

    assert found.longest <= limits["longest"], (
        f"{found.where}: expected {limits['longest']} words at most, found {found.longest}; split the sentence"
    )
    assert found.mean <= limits["mean"], (
        f"{document}: expected {limits['mean']} words a sentence on average, found {found.mean:.1f}; "
        f"split long sentences, such as {found.where}"
    )


def listed_in_code(name: str, source: str) -> Iterator[tuple[str, str]]:
    """Yield each listed word of a module's texts as its kind, `messages` or `docstrings`, and its place.

    Names in a program, such as a JSON key, have no space and are no text. Of an f-string, the constant parts count.
    """
    tree = ast.parse(source)
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    parts = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
            continue
        if id(node) in docstrings or id(node) in parts or re.search(r"\s", node.value):
            kind = "docstrings" if id(node) in docstrings else "messages"
            for match in _LISTED.finditer(node.value):
                word = " ".join(match[0].split())
                yield kind, f"{name}:{node.lineno}: '{word}': write {STYLE['words'][word.lower()]}"


@pytest.mark.parametrize("package", PACKAGES)
def test_messages_and_docstrings_are_plain(package: str) -> None:
    found = [
        each
        for file in sorted((ROOT / package).rglob("*.py"))
        if not (name := str(file.relative_to(ROOT))).startswith(PACKAGES[package])
        for each in listed_in_code(name, file.read_text(encoding="utf-8"))
    ]
    counts = Counter(kind for kind, _ in found)
    allowed = STYLE.get(package, {})

    for kind in ("messages", "docstrings"):
        assert counts[kind] <= allowed.get(kind, 0), "\n".join(
            [
                f"{package}: expected {allowed.get(kind, 0)} listed words at most in {kind}, found {counts[kind]}",
                *(place for of, place in found if of == kind),
            ]
        )


def test_finds_words_in_messages_and_docstrings() -> None:
    source = '"""Whoever asks."""\nx = {"told": f"{told!r} nobody"}\ny = "we mend it"\n'

    assert [(kind, place.split(": write")[0]) for kind, place in listed_in_code("a.py", source)] == [
        ("docstrings", "a.py:1: 'Whoever'"),
        ("messages", "a.py:3: 'mend'"),
        ("messages", "a.py:2: 'nobody'"),
    ]


def test_figures_belong_to_what_is_checked() -> None:
    assert STYLE.keys() - {"limits", "words"} <= {*DOCUMENTS, *PACKAGES}


@pytest.mark.parametrize(
    "text", ["a\n\nOne\nWHOEVER asks", "# a\n\n- b\n  whoever", "|a|\n|-|\n|[whoever](a)|"]
)
def test_finds_a_word_in_text_lists_and_tables(text: str) -> None:
    (found,) = figures("a.md", text).words

    assert re.fullmatch(r"a\.md:[34]: '(?i:whoever)': write the person: .*", found)


def test_finds_words_across_a_line_break() -> None:
    assert figures("a.md", "they came\nupon it").words == ["a.md:1: 'came upon': write 'found'"]


@pytest.mark.parametrize(
    "text", ["`whoever`", "```\nwhoever\n```", "    whoever", "whoevers", "<!-- whoever -->"]
)
def test_ignores_code_comments_and_longer_words(text: str) -> None:
    assert figures("a.md", text).words == []


def test_measures_sentences_of_paragraphs_and_lists() -> None:
    found = figures(
        "a.md", "# A heading of six words here\n\nOne `a b c` three. Two\nmore.\n\n- See a.b.c now: x\n"
    )

    assert (found.mean, found.longest) == (9 / 4, 3)
    assert found.where == f"a.md:3: 'One {_CODE} three'"
