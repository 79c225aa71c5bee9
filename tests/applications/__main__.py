"""usage: python -m tests.applications [NAME ...].

Prints what verify-stack says of each application, good and with each planted defect. One embedded AWS serves one
application after the other; a defect is deployed over the good stack and undone by the next.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.applications import trial


def main(names: list[str]) -> int:
    """Print the table."""
    named = planted = 0
    with tempfile.TemporaryDirectory() as place:
        here = Path(place)
        (here / "wheel").mkdir()
        python = trial.install(here / "wheel")
        for name in names or trial.FOLDERS:
            with trial.cloud() as state:
                folder = trial.copy(name, here / name)
                trial.deploy(state, folder)
                good = trial.verify(python, state, folder)
                print(
                    f"## {name}: {good.report['verdict']}, {good.seconds:.1f} s, {len(good.report['items'])} items, "
                    f"{len(good.ended('not-applicable'))} not applicable, {len(good.ended('fail'))} failed, "
                    f"{len(good.ended('unverified'))} unverified"
                )
                for item in good.report["items"]:
                    if item["outcome"] in ("fail", "unverified"):
                        print(f"   {item['outcome']} {item['id']}: {item['reason'][:300]}")
                for defect in trial.defects(name):
                    planted += 1
                    changed = trial.copy(name, here / f"{name} {defect.id}", defect)
                    try:
                        trial.deploy(state, changed)
                        seen = trial.verify(python, state, changed)
                    except AssertionError as problem:
                        print(f"   {defect.id}: cannot be tried: {str(problem)[-300:]}")
                        continue
                    new = [item for item in seen.ended("fail") if item not in good.ended("fail")]
                    is_named = bool(new) and defect.names in seen.findings()
                    named += is_named
                    print(
                        f"   {'named ' if is_named else 'MISSED' if not new else 'seen  '} {defect.id} ({defect.names}): {', '.join(new) or '-'}",
                        flush=True,
                    )
    print(f"{named} of {planted} planted defects were named")
    return 0


sys.exit(main(sys.argv[1:]))
