"""Every replacement in a function's source, or in the checkout, finds its text. No AWS is needed to see that it does not."""

from __future__ import annotations

import inspect
import re
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any
from unittest.mock import MagicMock

import pytest

from tests.faults.bench import Bench, Checkout
from tests.faults.fault import Fault
from tests.faults.register import FAULTS
from tests.probes.registries import Registries
from verification.probes.api import Api

_SECONDS = 20


class Unconnected(Bench):
    """A bench whose AWS answers everything with something, and whose functions exist as source alone."""

    env = stack = MagicMock()  # type: ignore[assignment]

    def client(self, service: str) -> Any:
        return MagicMock()

    unguarded = client

    def physical(self, logical_id: str) -> str:
        return logical_id

    def _control(self, *_: Any) -> None:
        """No vendor is there."""

    def switched_on(self, switch: str) -> Any:
        return nullcontext()

    def _upload(self, logical_id: str) -> None:
        self._patched(logical_id)


@pytest.fixture(scope="module")
def unconnected(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    folder = tmp_path_factory.mktemp("fitting")
    checkout = Checkout.of_this_tree(folder / "app")
    (checkout.app / "frontend" / ".env").write_text("")  # which a deployment writes
    registries = Registries(checkout.app)
    yield Unconnected("none", checkout, folder, registries)
    registries.close()


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No fault waits, no job is made, and a fault that waits for an answer is given up."""

    def give_up(*_: object) -> None:
        raise TimeoutError

    monkeypatch.setattr(time, "sleep", lambda _: None)
    monkeypatch.setattr(Api, "generate", MagicMock())
    before = signal.signal(signal.SIGALRM, give_up)
    yield
    signal.signal(signal.SIGALRM, before)


def misfit(fault: Fault, bench: Bench) -> str:
    """What the fault does not find in the source, '' if it finds everything that it gets to."""
    signal.alarm(_SECONDS)
    try:
        with fault.inject(bench):
            pass
    except AssertionError as problem:
        return str(problem) if re.match("the fault no longer fits: .* does not hold", str(problem)) else ""
    except Exception:  # noqa: BLE001  # a stand-in's answer leads nowhere
        pass
    finally:
        signal.alarm(0)
    return ""


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_a_fault_finds_the_source_that_it_changes(fault: Fault, unconnected: Bench) -> None:
    assert misfit(fault, unconnected) == ""


def test_a_fault_that_no_longer_fits_is_named(unconnected: Bench) -> None:
    fault = next(one for one in FAULTS if one.what == "a refused job is stored all the same")
    file = unconnected.checkout.app / "backend" / "src" / "pixel_prompt" / "api.py"
    before = file.read_text(encoding="utf-8")
    file.write_text(before.replace("job = self._jobs.create", "made = self._jobs.create"), encoding="utf-8")
    try:
        assert "pixel_prompt/api.py does not hold" in misfit(fault, unconnected)
    finally:
        file.write_text(before, encoding="utf-8")


def test_every_fault_that_replaces_text_is_reached(unconnected: Bench) -> None:
    """A stand-in that raises before the replacement would let the fault pass."""
    reached: list[str] = []

    class Counting(Unconnected):
        def _upload(self, logical_id: str) -> None:
            reached.append(logical_id)

    class CountingCheckout(Checkout):
        @contextmanager
        def changed(self, path: str, old: str, new: str) -> Iterator[None]:
            reached.append(path)
            yield

    checkout = CountingCheckout(unconnected.checkout.app)
    bench = Counting("none", checkout, unconnected.reports, unconnected.registries)
    missed = []
    for fault in FAULTS:
        source = inspect.getsource(inspect.unwrap(fault.inject))
        if "bench.patched(" in source or "checkout.changed(" in source:
            reached.clear()
            misfit(fault, bench)
            missed += [] if reached else [str(fault)]

    assert missed == []
