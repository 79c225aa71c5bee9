"""The page as a browser gets it: what it names, and what it may do."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from html.parser import HTMLParser
from urllib.parse import urlsplit

from readiness.probes.http import Answer

Policy = Mapping[str, Sequence[str]]
_Tag = tuple[str, Mapping[str, str | None]]


@dataclass(frozen=True)
class Page:
    """An HTML document as it was served."""

    answer: Answer

    @cached_property
    def assets(self) -> Sequence[str]:
        """Paths of the scripts and stylesheets that the page loads from its own origin."""
        return list(dict.fromkeys(path for path, _ in loaded(self._html)))

    @cached_property
    def policies(self) -> Sequence[Policy]:
        """Content security policies, the header's first; browsers hold the page to all of them."""
        texts = [self.answer.headers.get("content-security-policy", "")]
        texts += [
            tag.get("content") or ""
            for name, tag in _tags(self._html)
            if name == "meta" and (tag.get("http-equiv") or "").lower() == "content-security-policy"
        ]
        return [_policy(text) for text in texts if text.strip()]

    def may_reach(self, directive: str) -> Sequence[frozenset[str]]:
        """Return the sources that each policy allows for one directive, one set for each policy.

        A source that is a URL appears as its host, any other source as written. If a policy sets neither the directive nor
        `default-src`, its set is `*`.
        """
        return [
            frozenset(
                urlsplit(source).netloc or source
                for source in policy.get(directive, policy.get("default-src", ["*"]))
            )
            for policy in self.policies
        ]

    @cached_property
    def _html(self) -> str:
        return self.answer.body.decode("utf-8", "replace")


def loaded(html: str) -> Sequence[tuple[str, str]]:
    """Path and `integrity` of each script and style that a page loads from its own origin; '' where it names no hash."""
    tags = _tags(html)
    addresses = [
        *((tag.get("src"), tag) for name, tag in tags if name == "script"),
        *(
            (tag.get("href"), tag)
            for name, tag in tags
            if name == "link" and tag.get("rel") in ("stylesheet", "modulepreload")
        ),
    ]
    return [(path, tag.get("integrity") or "") for path, tag in addresses if path and path.startswith("/")]


def _tags(html: str) -> Sequence[_Tag]:
    reader = _Reader()
    reader.feed(html)
    return reader.tags


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[_Tag] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def _policy(text: str) -> Policy:
    directives = [words for part in text.split(";") if (words := part.split())]
    return {words[0].lower(): words[1:] for words in reversed(directives)}  # the first of several counts


def is_hashed(key: str) -> bool:
    """Whether a file's name changes with its content, as a build names what it makes."""
    return re.fullmatch(r"assets/.+-[\w-]{8,}\.\w+", key) is not None
