"""verification/probes/own_report.py: this very suite, and one that does not hold together."""

from __future__ import annotations

import shutil

import pytest

from readiness.errors import Unverified
from verification.application import ROOT
from verification.probes import own_report
from verification.probes.own_report import OwnReport, Planted


def test_this_suites_report_holds_no_secret():
    assert OwnReport(ROOT).leaks() == []


def test_each_way_out_of_a_suite_that_redacts_nothing_is_seen(tmp_path):
    ignored = shutil.ignore_patterns("server", "checks")
    for package in ("readiness", "verification"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=ignored)
    redaction = tmp_path / "readiness" / "report" / "redaction.py"
    redaction.write_text(
        "def redact(text):\n    return text\n\n\nwithout_secrets = redact\n\n\ndef looks_secret(text):\n    return False\n"
    )

    leaks = OwnReport(tmp_path).leaks()

    assert {leak.message.removeprefix("gets out by way of ") for leak in leaks} == set(own_report._WAYS)
    assert {leak.rule for leak in leaks} == {planted.kind for planted in own_report._secrets()}
    assert {leak.file for leak in leaks} == {*own_report._FORMATS, "terminal"}


def test_a_suite_that_does_not_run_is_unverified(tmp_path):
    with pytest.raises(Unverified, match="the throw-away run wrote nothing to judge"):
        OwnReport(tmp_path).leaks()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("key abcdefghijklmnopqr", True),
        ("key abcdefghijkl...", True),
        ("key abcdefghijk...r", False),
        ("<b>abcdef&#103;hijklmnopqr</b>", True),
        ("nothing", False),
    ],
)
def test_a_part_of_a_secret_counts(text, shown):
    case = ("a log", Planted("key", "k", "abcdefghijklmnopqr"))

    assert list(own_report._showing(text, [case])) == ([case] if shown else [])


def test_secrets_are_made_anew():
    assert {planted.core for planted in own_report._secrets()}.isdisjoint(
        planted.core for planted in own_report._secrets()
    )
