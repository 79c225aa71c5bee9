"""The one place that loads templates; HTML is escaped, Markdown is not."""

from __future__ import annotations

import re

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup, escape

from readiness.report import reading, trend
from readiness.report.shortening import shorten


def code_spans(text: str) -> Markup:
    """Markdown's inline code as HTML, everything else escaped."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704  # escaped above


TEMPLATES = Environment(
    loader=PackageLoader("readiness.report", "templates"),
    autoescape=select_autoescape(["html.jinja"], default=False),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)
TEMPLATES.filters["code_spans"] = code_spans
TEMPLATES.filters["shorten"] = shorten
TEMPLATES.globals["reading"] = reading
TEMPLATES.globals["trend"] = trend
