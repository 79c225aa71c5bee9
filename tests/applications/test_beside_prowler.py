"""The comparison with Prowler, without either of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from readiness.application import Application
from readiness.suite import Suite
from tests.applications import trial
from tests.applications.beside_prowler import (
    DOCUMENT,
    Measured,
    Named,
    Row,
    compose,
    judge,
    keep,
    kept,
    load,
    render,
)
from tests.applications.prowler import lost, unasked

MEASURED = Measured(
    seconds={"catalogue": [12.0, 10.0, 14.0], "prowler": [72.0, 90.0, 71.0]},
    items={"fail": 2, "pass": 3},
    checks=4,
    resources=5,
    elsewhere=6,
    errors=["operations: `ListDocuments`"],
    lost=12.0,
    load=2.0,
    version="5.0",
    day="2026-01-01",
)
PLAIN = Row("takes plain HTTP", "it is read on its way", "real", catalogue=["S3-03"], prowler=["s3_tls"])


def test_a_finding_that_both_name_counts_once() -> None:
    judged, unanswered = judge(
        [Named("catalogue", "S3-03", "Page"), Named("prowler", "s3_tls", "Page")], [PLAIN]
    )

    assert [one.who for one in judged] == [{"Page": {"catalogue", "prowler"}}]
    assert unanswered == []
    assert "| real | 1 | 1 | 1 |" in render(MEASURED, judged)


def test_a_finding_without_a_verdict_is_named() -> None:
    found = Named("prowler", "s3_lock", "Page")

    assert judge([found], [PLAIN]) == ([], [found])


def test_a_row_about_one_resource_goes_first(tmp_path: Path) -> None:
    file = tmp_path / "prowler.toml"
    file.write_text(
        '[[finding]]\nsays = "all"\nwhy = "-"\nverdict = "real"\nprowler = ["s3_lock"]\n'
        '[[finding]]\nsays = "logs"\nwhy = "-"\nverdict = "not-real"\nprowler = ["s3_lock"]\nonly = ["Logs"]\n',
        encoding="utf-8",
    )

    judged, _ = judge([Named("prowler", "s3_lock", "Logs"), Named("prowler", "s3_lock", "Page")], load(file))

    assert {one.row.says: [*one.who] for one in judged} == {"all": ["Page"], "logs": ["Logs"]}


def test_two_names_of_one_resource_are_one_finding() -> None:
    row = Row("open", "-", "real", catalogue=["HTTP-14"], prowler=["url_public"], about="Url")

    judged, _ = judge(
        [Named("catalogue", "HTTP-14", "Url"), Named("prowler", "url_public", "Function")], [row]
    )

    assert [one.who for one in judged] == [{"Url": {"catalogue", "prowler"}}]


def test_what_prowler_alone_names_says_who_claims_it() -> None:
    rows = [
        Row("nothing shows", "-", "real", prowler=["root_object"]),
        Row("small", "-", "real", prowler=["scaling"], claim="DDB-04"),
    ]

    judged, _ = judge([Named("prowler", "root_object", "Cdn"), Named("prowler", "scaling", "Table")], rows)
    text = render(MEASURED, judged)

    assert "| nothing shows | Cdn | `root_object` | - | no item |" in text
    assert "| small | Table | `scaling` | - | DDB-04 |" in text


def test_times_are_shown_by_their_medians() -> None:
    text = render(MEASURED, [])

    assert "| catalogue | 12.0 s | 10.0 s | 14.0 s |" in text
    assert "| Prowler 5.0 | 72.0 s | 71.0 s | 90.0 s |" in text
    assert "Prowler took 6.0 times as long. At most 12.0 s" in text
    assert "without them it is 5.0 times" in text


def test_a_measurement_is_kept_whole(tmp_path: Path) -> None:
    found = [Named("prowler", "s3_lock", "Page")]

    keep(MEASURED, found, tmp_path / "kept.json")

    assert kept(tmp_path / "kept.json") == (MEASURED, found)


def test_an_unknown_verdict_is_refused() -> None:
    with pytest.raises(
        ValueError, match="expected one of real, not-real, emulator as verdict, found 'maybe'"
    ):
        Row("-", "-", "maybe")


def test_what_prowler_could_not_ask_is_read_from_its_log(tmp_path: Path) -> None:
    log = tmp_path / "prowler.log"
    log.write_text(
        '{"module": "ssm_service", "message": "An error occurred when calling the ListDocuments operation: -"}\n'
        '{"module": "check", "message": "iam_avoid_root_usage -- ParserError[643]: not_supported"}\n'
        '{"message": "Could not connect to the endpoint URL: "https://1.127.0.0.1:1/v20180820/accesspoint""}\n',
        encoding="utf-8",
    )

    assert unasked(log) == [
        "operations: `ListDocuments`",
        "addresses of S3 Control: `/v20180820/accesspoint`",
        "checks that broke off: `iam_avoid_root_usage`",
    ]
    assert unasked(tmp_path / "none.log") == []


def test_time_for_addresses_without_a_server_is_counted(tmp_path: Path) -> None:
    log = tmp_path / "prowler.log"
    log.write_text(
        '{"timestamp": "2026-11-28 15:33:53,500", "message": "ClientError"}\n'
        '{"timestamp": "2026-11-28 15:33:56,500", "message": "EndpointConnectionError[600]"}\n'
        '{"timestamp": "2026-11-28 15:34:01,000", "message": "ClientError"}\n',
        encoding="utf-8",
    )

    assert lost(log) == 3.0
    assert lost(tmp_path / "none.log") == 0


def test_the_stack_holds_every_defect(tmp_path: Path) -> None:
    folder = compose(tmp_path / "app")

    template = (folder / "template.yaml").read_text(encoding="utf-8")
    assert all(
        f"TemplateURL: ./{file.name}" in template for file in folder.glob("*.yaml") if file.stem != "template"
    )
    edits = [edit for defect in trial.defects("site") for edit in defect.edits]
    assert [
        one for one in edits if one["replace"] not in (folder / one["file"]).read_text(encoding="utf-8")
    ] == []


def test_every_item_of_a_verdict_is_in_the_catalogue(tmp_path: Path) -> None:
    (tmp_path / "template.yaml").write_text("Resources: {}\n", encoding="utf-8")
    items = Suite.of(Application.of(tmp_path), catalogue=True).items

    assert {item for row in load() for item in row.catalogue} - items.keys() == set()


def test_every_verdict_is_in_the_document() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")

    assert [row.says for row in load() if f"| {row.says} |" not in text] == []
