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
        "one step too few is taken",
        "src/pixel_prompt/validation.py",
        "STEPS: Final = range(25, 51)",
        "STEPS: Final = range(24, 51)",
        "CODE-12",
        "24",
    ),
    Defect(
        "counters never expire",
        "src/pixel_prompt/limits.py",
        '"SET expiresAt = :expires ADD used :one"',
        '"SET goneAt = :expires ADD used :one"',
        "CONF-17",
        "limit#",
    ),
    Defect(
        "each image overwrites the one before",
        "src/pixel_prompt/storage.py",
        'key = f"images/{job_id}/{model}.{picture.extension}"',
        'key = f"images/{model}.{picture.extension}"',
        "CDN-02",
        "two jobs store an image",
    ),
    Defect(
        "browsers insist on TLS for five minutes",
        "template.yaml",
        "Name: !Sub ${AWS::StackName}-site\n        SecurityHeadersConfig:\n          StrictTransportSecurity:\n"
        "            { AccessControlMaxAgeSec: 63072000,",
        "Name: !Sub ${AWS::StackName}-site\n        SecurityHeadersConfig:\n          StrictTransportSecurity:\n"
        "            { AccessControlMaxAgeSec: 300,",
        "SEC-13",
        "max-age=300",
    ),
    Defect(
        "the API logs the prompt",
        "src/pixel_prompt/api.py",
        "promptCharacters=len(wish.prompt),\n            verification",
        "promptText=wish.prompt,\n            verification",
        "SEC-15",
        "the prompt",
    ),
    Defect(
        "browsers ask again for what never changes",
        "src/pixel_prompt/storage.py",
        'CACHE_CONTROL: Final = "public, max-age=2592000, immutable"',
        'CACHE_CONTROL: Final = "public, max-age=2592000"',
        "CDN-06",
        "immutable",
    ),
    Defect(
        "the API works on when the gateway has given up",
        "template.yaml",
        "      Timeout: 15\n",
        "      Timeout: 60\n",
        "CONF-06",
        "seconds=60",
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
def test_a_defect_of_another_team_is_named(defect: Defect, seen: Mapping[str, Seen]) -> None:
    assert seen[defect.item].outcome == "fail", seen[defect.item]
    assert defect.said in seen[defect.item].reason


def test_what_is_right_in_another_application_passes(seen: Mapping[str, Seen]) -> None:
    """Who reads the report has to find five causes, not fifty."""
    followed = {
        *("CODE-03", "CODE-04", "CODE-06"),  # their own tests and linters know better
        "CODE-25",  # the contract allows no such number of steps
        *("CDN-04", "CDN-05", "CODE-18", "CODE-19"),  # of images that overwrite each other
    }
    turned = {item for item, found in seen.items() if found.outcome not in ("pass", "waived")}

    assert turned - {defect.item for defect in DEFECTS} <= followed, {item: seen[item] for item in turned}
