"""usage: python -m tests.report.screenshots [REPORT.html].

Takes the pictures of docs/images from a report (default: reports/local/verification.html), with the browser of the checks.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

import boto3
from PIL import Image
from playwright.sync_api import ViewportSize

from readiness.environment import Environment, Settings
from verification.application import ROOT
from verification.probes.browser import started

IMAGES = ROOT / "docs" / "images"
SCREEN = ViewportSize(width=1200, height=820)
# What each picture shows: the top of the page where no part is named.
PARTS = {"report": "", "map": "section[aria-labelledby=map]", "trend": "section[aria-labelledby=trend]"}
COLOURS = 128
"""Enough for flat colours; a quarter of the size of a picture with all."""


def main(words: list[str]) -> int:
    """Write each picture whose part the report has; say where."""
    report = Path(words[0] if words else ROOT / "reports" / "local" / "verification.html").resolve()
    if not report.is_file():
        print(f"expected a report at {report}, found none; run ./scripts/verify.sh first", file=sys.stderr)
        return 4
    IMAGES.mkdir(exist_ok=True)
    nowhere = Environment(Settings("none", "none", "us-east-1"), boto3.Session(region_name="us-east-1"))
    with started(nowhere, "file:///") as browser, browser.visit(str(report), screen=SCREEN) as tab:
        for name, part in PARTS.items():
            if part and not tab.page.locator(part).count():
                print(f"the report has no {name}; {name}.png stays as it is")
                continue
            shot = tab.page.locator(part).screenshot() if part else tab.page.screenshot()
            file = IMAGES / f"{name}.png"
            Image.open(io.BytesIO(shot)).convert("RGB").quantize(COLOURS).save(file, optimize=True)
            print(f"wrote {file.relative_to(ROOT)}: {file.stat().st_size / 1000:.0f} KB")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
