"""verification/probes/lighthouse.py"""

from __future__ import annotations

import copy
import json
import sys
import urllib.request
from pathlib import Path

import pytest

from readiness.errors import Unverified
from verification.probes.chromium import Chromium
from verification.probes.lighthouse import CATEGORIES, METRICS, Audit, audit, middle, served_greeting

PAGE = "http://127.0.0.1:1"
REPORT = {
    "finalDisplayedUrl": f"{PAGE}/",
    "categories": {
        name: {"score": 0.97, "auditRefs": [{"id": METRICS[0], "weight": 1}, {"id": METRICS[1], "weight": 0}]}
        for name in CATEGORIES
    },
    "audits": {
        **{name: {"numericValue": 100.0 + number, "score": 0.5} for number, name in enumerate(METRICS)},
        "network-requests": {
            "details": {
                "items": [
                    {"url": f"{PAGE}/", "transferSize": 700},
                    {"url": f"{PAGE}/a.js", "transferSize": 300},
                    {"url": "http://127.0.0.1:2/health", "transferSize": 5000},
                ]
            }
        },
    },
}
BROWSER = Chromium(Path("/opt/chromium"), "a test", {"LD_LIBRARY_PATH": "/opt/lib"})


def cli(tmp_path, report):
    """A Lighthouse that writes this report, or nothing, and notes its environment."""
    script = tmp_path / "lighthouse.py"
    script.write_text(
        "import json, os, sys\n"
        "stem = next(a.split('=', 1)[1] for a in sys.argv if a.startswith('--output-path='))\n"
        f"report = {report!r}\n"
        "open(stem + '.env', 'w').write(os.environ['CHROME_PATH'] + ' ' + os.environ['LD_LIBRARY_PATH'])\n"
        "if report is None:\n    sys.exit('no such browser')\n"
        "open(stem + '.report.json', 'w').write(json.dumps(report))\n"
    )
    return [sys.executable, str(script)]


def test_a_report_gives_scores_metrics_and_the_pages_own_weight(tmp_path) -> None:
    seen = audit(PAGE, BROWSER, tmp_path / "page-1", cli=cli(tmp_path, REPORT))

    assert set(seen.scores.values()) == {97}
    assert seen.metrics["speed-index"] == 104.0
    assert seen.loaded_bytes == 1000
    assert seen.lost == [METRICS[0]]  # the other one has no weight
    assert (tmp_path / "page-1.env").read_text() == "/opt/chromium /opt/lib"


def test_a_page_that_could_not_be_opened_is_not_knowing(tmp_path) -> None:
    broken = {**REPORT, "runtimeError": {"code": "CONNECTION_REFUSED", "message": "no"}}

    with pytest.raises(Unverified, match="CONNECTION_REFUSED"):
        audit(PAGE, BROWSER, tmp_path / "page", cli=cli(tmp_path, broken))


@pytest.mark.parametrize(("part", "name"), [("audits", METRICS[2]), ("categories", "seo")])
def test_a_figure_that_is_left_out_is_not_knowing(part, name) -> None:
    report = copy.deepcopy(REPORT)
    report[part][name] = {"score": None, "auditRefs": []}

    with pytest.raises(Unverified, match=f"no value for {name}"):
        Audit.of(report)


def test_no_report_is_not_knowing_and_says_what_was_said(tmp_path) -> None:
    with pytest.raises(Unverified, match=r"exit status 1.*no such browser"):
        audit(PAGE, BROWSER, tmp_path / "page", cli=cli(tmp_path, None))
    with pytest.raises(Unverified, match=r"cannot be run.*setup\.sh"):
        audit(PAGE, BROWSER, tmp_path / "page", cli=[str(tmp_path / "gone")])


def test_the_median_is_taken_of_each_figure_and_the_heaviest_load_counts() -> None:
    runs = []
    for score, paint, weight in ((0.9, 300.0, 10), (1.0, 100.0, 40), (1.0, 200.0, 20)):
        report = copy.deepcopy(REPORT)
        report["categories"]["performance"]["score"] = score
        report["audits"]["speed-index"]["numericValue"] = paint
        report["audits"]["network-requests"]["details"]["items"][0]["transferSize"] = weight
        runs.append(Audit.of(json.loads(json.dumps(report))))
    whole = middle(runs)

    assert (whole.scores["performance"], whole.metrics["speed-index"]) == (100, 200.0)
    assert whole.loaded_bytes == 340
    with pytest.raises(Unverified, match="did not run"):
        middle([])


def test_the_least_page_is_built_served_compressed_and_stopped(tmp_path) -> None:
    with served_greeting(tmp_path) as url:
        page = urllib.request.urlopen(url).read().decode()
        script = page.split('src="', 1)[1].split('"', 1)[0]
        asked = urllib.request.Request(url.rstrip("/") + script, headers={"Accept-Encoding": "gzip"})
        assert urllib.request.urlopen(asked).headers["Content-Encoding"] == "gzip"

    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(url)
