"""The paid requests of a run to the AI vendors: counted, priced, and kept within the run's budget.

All processes of a run write to one file, so that the sums are the run's. A check reserves the price before a paid
request, and a reservation that would exceed the budget is refused. Every accepted request is noted, from a check, from
the page in a browser, or from a call of the function itself. See docs/adr/0027-one-paid-job.md.
"""

from __future__ import annotations

import fcntl
import json
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from readiness import budgets
from readiness.errors import BudgetSpent

_ROUNDING = 1e-9  # USD, of sums of many prices
_UNTOLD = ""  # stands for a model whose name the API does not tell

Entry = Mapping[str, Any]
Request = tuple[str, str, int]
"""Method, path from the API's root on, and the status by which it is accepted."""


@dataclass(frozen=True)
class Prices:
    """What an application's paid requests are and cost.

    Args:
        images: the request that has images made, and the status by which it is accepted.
        enhancements: the request that has a prompt enhanced, likewise.
        image_usd: the price of one image of a model, by the id that the API tells; None where it is not known.
        enhancement_usd: the price of one enhanced prompt.
        models: how many models a request without a choice asks.
    """

    images: Request
    enhancements: Request
    image_usd: Callable[[str], float | None] = field(repr=False)
    enhancement_usd: float
    models: int

    def is_paid(self, method: str, path: str, status: int) -> bool:
        """Whether a request with this answer makes a vendor work."""
        return (method, path, status) in (self.images, self.enhancements)


NOTHING_IS_PAID = Prices(("", "", 0), ("", "", 0), lambda _: None, 0.0, 0)


@dataclass
class Hold:
    """Money that is kept for requests which are about to be sent."""

    id: str
    is_settled: bool = True

    def keep(self) -> None:
        """Keep the reservation, because it is not known whether the request was accepted."""
        self.is_settled = False


@dataclass
class Ledger:
    """One process's access to the run's ledger.

    Args:
        file: where the run's processes write.
        budget_usd: what all of them together may spend.
        prices: of the application.
    """

    file: Path
    budget_usd: float
    prices: Prices = NOTHING_IS_PAID
    item: str = ""
    """What is being checked."""

    def __post_init__(self) -> None:
        self._holds: list[str] = []

    @contextmanager
    def hold(self, what: str, *, models: Sequence[str] = (), enhancements: int = 0) -> Iterator[Hold]:
        """Keep what some requests will cost, for as long as the context lasts; what they did not cost is free again.

        Args:
            what: the requests, as the subject of a sentence.
            models: one entry an image.
            enhancements: prompts to enhance.

        Raises:
            BudgetSpent: they would exceed the budget.
        """
        usd = self._usd(models, enhancements)
        hold = Hold(uuid.uuid4().hex)

        def decide(entries: Sequence[Entry]) -> Entry:
            spent = _paid(entries) + sum(_held(entries).values())
            if spent + usd <= self.budget_usd + _ROUNDING:
                return {"kind": "hold", "id": hold.id, "item": self.item, "what": what, "usd": usd}
            return {"kind": "refused", "item": self.item, "what": what, "usd": usd, "spent": spent}

        if (done := self._add(decide))["kind"] == "refused":
            raise BudgetSpent(
                f"{what} would cost about {usd:.4f} USD, and {done['spent']:.4f} of this run's {self.budget_usd:g} USD "
                "are spent or held; grant more with --budget USD",
                cause=f"the run's budget of {self.budget_usd:g} USD for paid requests does not suffice",
            )
        self._holds.append(hold.id)
        try:
            yield hold
        finally:
            self._holds.remove(hold.id)
            if hold.is_settled:
                self._add(lambda _: {"kind": "release", "id": hold.id})

    def met(self, method: str, path: str, status: int, body: str | bytes | None) -> None:
        """Note a request with its answer, where that makes a vendor work.

        Args:
            method: of the request.
            path: of the request, from the API's root on.
            status: of the answer.
            body: of the request; it may name the models of a job.
        """
        if not self.prices.is_paid(method, path, status):
            return
        models = self._named(body) if path == self.prices.images[1] else []
        enhancements = int(path == self.prices.enhancements[1])
        entry = {
            "kind": "paid",
            "hold": self._holds[-1] if self._holds else "",
            "item": self.item,
            "request": f"{method} {path}",
            "models": models,
            "enhancements": enhancements,
            "usd": self._usd(models, enhancements),
        }
        self._add(lambda _: entry)

    def learn(self, vendors: Mapping[str, str]) -> None:
        """Keep for the whole run which models there are, and whose they are."""
        if vendors and vendors != self.vendors:
            self._add(lambda _: {"kind": "vendors", "vendors": dict(vendors)})

    @property
    def vendors(self) -> Mapping[str, str]:
        """Each model's id with its vendor; empty until a check has read it."""
        return _vendors(self._read())

    @property
    def every(self) -> Sequence[str]:
        """The ids of all models; the same number of placeholders until a check has read them."""
        return list(self.vendors) or [_UNTOLD] * self.prices.models

    def cheapest(self, models: Sequence[str]) -> str:
        """The model of these whose image costs least."""
        return min(models, key=lambda model: self._usd([model], 0))

    def summary(self) -> dict[str, Any]:
        """All of it for the report, as JSON's own types."""
        entries = self._read()
        paid = [entry for entry in entries if entry["kind"] == "paid"]
        vendors = _vendors(entries)
        images = Counter(model for entry in paid for model in entry["models"])
        items = dict.fromkeys(entry["item"] for entry in paid)
        unsettled = sum(_held(entries).values())
        return {
            "budget_usd": self.budget_usd,
            "usd": round(_paid(entries) + unsettled, 6),
            "unsettled_usd": round(unsettled, 6),
            "requests": len(paid),
            "enhancements": sum(entry["enhancements"] for entry in paid),
            "images": [
                {
                    "vendor": vendors.get(model, ""),
                    "model": model,
                    "images": count,
                    "usd": round(self._usd([model] * count, 0), 6),
                    "priced": self.prices.image_usd(model) is not None,
                }
                for model, count in sorted(images.items(), key=lambda one: (vendors.get(one[0], ""), one[0]))
            ],
            "items": [
                {
                    "item": item,
                    "requests": len(own),
                    "images": sum(len(entry["models"]) for entry in own),
                    "usd": round(sum(entry["usd"] for entry in own), 6),
                }
                for item in items
                if (own := [entry for entry in paid if entry["item"] == item])
            ],
            "refused": [
                {"item": entry["item"], "what": entry["what"], "usd": round(entry["usd"], 6)}
                for entry in entries
                if entry["kind"] == "refused"
            ],
        }

    def _usd(self, models: Sequence[str], enhancements: int) -> float:
        return sum(map(self._image_usd, models)) + enhancements * self.prices.enhancement_usd

    def _image_usd(self, model: str) -> float:
        known = self.prices.image_usd(model)
        if known is not None:
            return known
        return budgets.UNTOLD_IMAGE_USD if model == _UNTOLD else budgets.UNPRICED_IMAGE_USD

    def _named(self, body: str | bytes | None) -> Sequence[str]:
        """The models that an accepted request names; all where it names none."""
        try:
            named = json.loads(body or "null")["models"]
            return list(map(str, named)) if named else self.every
        except (ValueError, TypeError, KeyError):
            return self.every

    def _add(self, decide: Callable[[Sequence[Entry]], Entry]) -> Entry:
        """Add the entry that follows from those that are there."""
        with self.file.open("a+", encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            entry = decide(self._read())
            file.write(json.dumps(entry) + "\n")
            file.flush()
        return entry

    def _read(self) -> Sequence[Entry]:
        if not self.file.exists():
            return []
        return [json.loads(line) for line in self.file.read_text(encoding="utf-8").splitlines()]


def _paid(entries: Sequence[Entry]) -> float:
    return sum(float(entry["usd"]) for entry in entries if entry["kind"] == "paid")


def _held(entries: Sequence[Entry]) -> Mapping[str, float]:
    """What each hold that was not released still keeps."""
    released = {entry["id"] for entry in entries if entry["kind"] == "release"}
    drawn = Counter[str]()
    for entry in entries:
        if entry["kind"] == "paid":
            drawn[entry["hold"]] += entry["usd"]
    return {
        entry["id"]: max(0.0, entry["usd"] - drawn[entry["id"]])
        for entry in entries
        if entry["kind"] == "hold" and entry["id"] not in released
    }


def _vendors(entries: Sequence[Entry]) -> Mapping[str, str]:
    learned = [entry["vendors"] for entry in entries if entry["kind"] == "vendors"]
    return dict(learned[-1]) if learned else {}
