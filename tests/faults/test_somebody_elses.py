"""Somebody else's application: a copy of this one with five defects that the matrix did not hold, deployed and verified.

The faults of the matrix were written beside the checks that see them. These five were chosen first, as mistakes
that a team may well make, and then looked for: pytest tests/faults/test_somebody_elses.py
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pytest

from tests.faults.bench import Bench, Checkout, Seen, deployed
from tests.probes.registries import Registries
from verification.embedded.cloud import Cloud

pytestmark = [pytest.mark.further, pytest.mark.xdist_group("somebody-else")]


@dataclass(frozen=True)
class Defect:
    """One replacement under backend/, the item that has to name it, and what its reason has to say."""

    what: str
    path: str
    old: str
    new: str
    item: str
    said: str

    def __str__(self) -> str:
        return self.what.replace(" ", "-")


DEFECTS = [
    Defect(
        "jobs expire in milliseconds",
        "src/pixel_prompt/jobs.py",
        '"expiresAt": int(now) + (KEEP_DRILL_SECONDS if drill else KEEP_SECONDS),',
        '"expiresAt": 1000 * (int(now) + (KEEP_DRILL_SECONDS if drill else KEEP_SECONDS)),',
        "CONF-17",
        "job#",
    ),
    Defect(
        "expired images stay as versions",
        "template.yaml",
        "      LifecycleConfiguration:\n        Rules:\n          - Id: expire-images\n",
        "      VersioningConfiguration: { Status: Enabled }\n"
        "      LifecycleConfiguration:\n        Rules:\n          - Id: expire-images\n",
        "CONF-08",
        "keeps a version of each image",
    ),
    Defect(
        "the gallery ignores its cursor",
        "src/pixel_prompt/gallery.py",
        "wanted.size + 1, start)",
        "wanted.size + 1, None)",
        "CODE-10",
        "a page repeats another",
    ),
    Defect(
        "progress counts images alone",
        "src/pixel_prompt/api.py",
        'sum(result.state in ("completed", "failed") for',
        'sum(result.state == "completed" for',
        "CODE-19",
        "the status says 8",
    ),
    Defect(
        "a vendor's model is misspelt",
        "template.yaml",
        '  ModelOverrides:\n    Type: String\n    Default: ""\n',
        '  ModelOverrides:\n    Type: String\n    Default: \'{"recraft-v3":{"vendor_model":"recraft-v3"}}\'\n',
        "CODE-09",
        "recraft-v3",
    ),
]


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, Seen]]:
    """What the whole checklist says of the defective copy."""
    checkout = Checkout.of_this_tree(tmp_path_factory.mktemp("theirs") / "app")
    for defect in DEFECTS:
        file = checkout.app / "backend" / defect.path
        text = file.read_text(encoding="utf-8")
        assert text.count(defect.old) == 1, f"the defect no longer fits: {defect.path}"
        file.write_text(text.replace(defect.old, defect.new), encoding="utf-8")
    checkout.commit("Release of somebody else")
    registries = Registries(checkout.app)
    cloud = Cloud(f"theirs-{os.getpid()}")
    try:
        with deployed(checkout, cloud):
            yield Bench(cloud.name, checkout, tmp_path_factory.mktemp("reports"), registries).verify(
                "-n", "2"
            )
    finally:
        registries.close()


@pytest.mark.parametrize("defect", DEFECTS, ids=str)
def test_a_defect_of_somebody_elses_is_named(defect: Defect, seen: Mapping[str, Seen]) -> None:
    assert seen[defect.item].outcome == "fail", seen[defect.item]
    assert defect.said in seen[defect.item].reason


def test_what_is_right_with_somebody_elses_passes(seen: Mapping[str, Seen]) -> None:
    """Who reads the report has to find five causes, not fifty."""
    followed = {
        *("CODE-03", "CODE-04"),  # their own tests know better
    }
    turned = {item for item, found in seen.items() if found.outcome not in ("pass", "waived")}

    assert turned - {defect.item for defect in DEFECTS} <= followed, {item: seen[item] for item in turned}
