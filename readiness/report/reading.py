"""The content of a report for its readers, from its document. HTML and Markdown both use it, so that they agree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from readiness.checklist import Severity
from readiness.errors import Gap
from readiness.report.document import Document
from readiness.verdict import Outcome

_ALWAYS = (Outcome.FAIL, Outcome.UNVERIFIED, Outcome.WAIVED, Outcome.PASS)
SEVERITIES = tuple(Severity)
_CHANGES = {
    "newly_failing": "Newly failing",
    "still_failing": "Still failing",
    "newly_unverified": "Newly unverified",
    "fixed": "Fixed",
}

_LEFT_OUT = {
    "paid": "making AI providers work, which --paid grants",
    "active": "writing to the stack, which -m active asks for",
    "drill": "disturbing the stack, which -m drill asks for",
}

_LOOK_AGAIN = "Remove what was in the way, see above, and run again."
_A_PART = "Only a run over the whole checklist can say that a deployment is ready."
_LOOK = {
    Gap.NEEDS_AWS: "Verify it on the real deployment; no emulator can show it.",
    Gap.NEEDS_INTERNET: "Run again where the advisory services can be reached.",
    Gap.PLANNED: "Write its check, see CONTRIBUTING.md.",
}


@dataclass(frozen=True)
class Change:
    """One item that ended differently in an earlier run, or failed in it too."""

    item: Mapping[str, Any]
    before: str
    since: str


@dataclass(frozen=True)
class Point:
    """What needs a reader's attention: an item, or a cause with each item that could not be checked because of it."""

    items: Sequence[Mapping[str, Any]]
    cause: str = ""

    @property
    def first(self) -> Mapping[str, Any]:
        """The item, or the gravest of them."""
        return self.items[0]

    @property
    def size(self) -> int:
        return len(self.items)

    @property
    def ids(self) -> str:
        return ", ".join(item["id"] for item in self.items)

    @property
    def title(self) -> str:
        """What a cause has done."""
        return f"{_count(len(self.items), 'item')} could not be checked"


def observed(item: Mapping[str, Any]) -> str:
    """What was observed, in one line: of several findings how many they are, and the first."""
    several = len(item["findings"]) + item["findings_left_out"] > 1
    return (
        f"{item['reason']}, the first: {line(item['findings'][0])}"
        if several and item["findings"]
        else item["reason"]
    )


def listed(item: Mapping[str, Any], most: int) -> Sequence[Mapping[str, str]]:
    """The first findings, where the reason does not say all that is known of them."""
    found: Sequence[Mapping[str, str]] = item["findings"]
    return (
        found[:most] if len(found) + item["findings_left_out"] > 1 or (found and found[0]["remedy"]) else ()
    )


def line(finding: Mapping[str, str]) -> str:
    """A finding with its place."""
    return f"{finding['place']}: {finding['text']}" if finding["place"] else finding["text"]


def unlisted(item: Mapping[str, Any], shown: int) -> str:
    """How many findings are not among the first that are shown, and where they are; '' when all are."""
    kept, left_out = len(item["findings"]), item["findings_left_out"]
    if not (more := kept + left_out - shown):
        return ""
    where = f"the first {kept:,} of them" if left_out else "all of them"
    return f"and {more:,} more; verification.json holds {where}"


def own_remedy(item: Mapping[str, Any]) -> str:
    """The remedy of an item's only finding; empty where it has none of its own."""
    found = item["findings"]
    return str(found[0]["remedy"]) if len(found) + item["findings_left_out"] == 1 and found else ""


def named(items: Sequence[Mapping[str, Any]], most: int) -> str:
    """How many items there are, with the ids of the first."""
    ids = ", ".join(item["id"] for item in items[:most])
    more = f" and {len(items) - most} more" if len(items) > most else ""
    return f"{_count(len(items), 'item')} ({ids}{more})"


def minute(moment: str) -> str:
    """A moment in ISO 8601 without its seconds, as people read it."""
    return moment[:16].replace("T", " ")


def advice(document: Document) -> str:
    """What to do, in a sentence or two."""
    if document["interrupted"]:
        return f"The run was ended early, {document['interrupted']}. It says nothing of what it did not reach: run it again."
    if date := document.get("replayed"):
        return f"A recording of {date} answered, not the stack. Verify the stack itself before a release."
    return _advice_at_the_end(document)


def _advice_at_the_end(document: Document) -> str:
    items = document["items"]
    first = f"begin with {document['attention'][0]}" if document["attention"] else ""
    failed = [item for item in items if item["outcome"] == Outcome.FAIL]
    if failed:
        return f"Do not release. {_count(len(failed), 'claim')} {_is(len(failed), 'does', 'do')} not hold: {first}."
    if not document["ok"] and items:
        unverified = [
            item
            for item in items
            if item["outcome"] == Outcome.UNVERIFIED and not (document["rehearsal"] and item["gap"])
        ]
        return f"Do not release yet. {_count(len(unverified), 'item')} could not be checked: {first}."
    if not items:
        return "No item was checked, so nothing is known."
    if len(items) < document["checklist"]:
        return f"What was selected holds. {left_out(document) or _A_PART}"
    if document["emulated"]:
        return "Everything that a rehearsal can show holds. Verify the real deployment before you release."
    waived = any(item["outcome"] == Outcome.WAIVED for item in items)
    applies = " that applies" * any(item["outcome"] == Outcome.NOT_APPLICABLE for item in items)
    return f"Every claim{applies} was seen to hold{' or is waived' if waived else ''}. This deployment may go to production."


def left_out(document: Document) -> str:
    """What this environment or these options have left out, in a sentence or two; empty for nothing."""
    parts = [
        f"{_count(len(items), 'item')} for {_LEFT_OUT[kind]} ({', '.join(items)})"
        for kind, items in document.get("left_out", {}).items()
    ]
    return f"Left out: {'; '.join(parts)}. {_A_PART}" if parts else ""


def spending(document: Document) -> str:
    """What AI providers were made to do, and at what price, in one line."""
    seen = document.get("spending")
    if not seen:
        return "not counted"
    by_vendor: dict[str, int] = {}
    for row in seen["images"]:
        vendor = row["vendor"] or "a vendor that the API does not name"
        by_vendor[vendor] = by_vendor.get(vendor, 0) + row["images"]
    vendors = ", ".join(f"{vendor} {count}" for vendor, count in by_vendor.items())
    images = _count(sum(by_vendor.values()), "image") + (f" ({vendors})" if vendors else "")
    parts = [
        f"{_count(seen['requests'], 'request')}: {images}, {_count(seen['enhancements'], 'enhanced prompt')}",
        f"{_usd(seen['usd'])} of {seen['budget_usd']:g} USD at list prices",
    ]
    if seen["unsettled_usd"]:
        parts.append(f"{_usd(seen['unsettled_usd'])} of it for requests whose answers were lost")
    if seen["refused"]:
        parts.append(f"{len(seen['refused'])} not sent, for lack of budget")
    if document["emulated"]:
        parts.append("emulated: nothing was paid")
    return "; ".join(parts)


def _usd(amount: float) -> str:
    return f"{amount:.4f}"


def facts(document: Document) -> dict[str, str]:
    """The run in words."""
    kind = "emulated (embedded AWS, a rehearsal)" if document["emulated"] else "real AWS"
    author = document["author"]
    started = document["started"].replace("T", " ").replace("+00:00", " UTC")
    return {
        "Environment": f"{document['environment']}, {kind}",
        "Stack": f"{document['stack']} in {document['region']}, account {document['account']}",
        "Commit": document["commit"] or "unknown",
        "Template": document["template"][:12] or "unknown",
        "Run by": f"{author['name']} ({author['kind']})" if author["name"] else author["kind"],
        "Started": f"{started}, took {duration(document['seconds'])}",
        **({"Paid requests": spending(document)} if document.get("spending") else {}),
        "Suite": f"stack-readiness {document['suite']}",
    }


def duration(seconds: float) -> str:
    """As people say it."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    minutes, rest = divmod(seconds, 60)
    return f"{minutes:.0f} min {int(rest)} s" if minutes else f"{seconds:.1f} s"


def attention(document: Document) -> list[Mapping[str, Any]]:
    """Return the items that need attention, the gravest first."""
    by_id = {item["id"]: item for item in document["items"]}
    return [by_id[id_] for id_ in document["attention"]]


def points(document: Document) -> list[Point]:
    """Return the same with one point for all items of one cause, at the position of the gravest of them."""
    items = attention(document)
    sharing: dict[str, list[Mapping[str, Any]]] = {}
    for item in items:
        if item["cause"]:
            sharing.setdefault(item["cause"], []).append(item)
    found: dict[str, Point] = {}
    for item in items:
        together = sharing.get(item["cause"], [item])
        cause = item["cause"] if len(together) > 1 else ""
        found.setdefault(cause or item["id"], Point(together, cause))
    return list(found.values())


def sections(document: Document) -> dict[str, list[Mapping[str, Any]]]:
    """Items in the checklist's order, by section; sections without one are left out."""
    grouped: dict[str, list[Mapping[str, Any]]] = {}
    for item in document["items"]:
        grouped.setdefault(item["section"], []).append(item)
    return grouped


def outcomes(document: Document) -> Sequence[Outcome]:
    """The outcomes that a table has a column for, the gravest first."""
    absent = any(item["outcome"] == Outcome.NOT_APPLICABLE for item in document["items"])
    return (*_ALWAYS, Outcome.NOT_APPLICABLE) if absent else _ALWAYS


def tally(document: Document, items: Sequence[Mapping[str, Any]]) -> dict[Outcome, int]:
    """How many of some items have each outcome."""
    return {outcome: sum(item["outcome"] == outcome for item in items) for outcome in outcomes(document)}


def changes(document: Document) -> dict[str, list[Change]]:
    """What is different since the run compared with, by what that is called; kinds without any are left out."""
    comparison = document["comparison"]
    if not comparison or not comparison["with"]:
        return {}
    by_id = {item["id"]: item for item in document["items"]}
    return {
        words: [Change(by_id[entry["id"]], entry["before"], entry["since"]) for entry in comparison[kind]]
        for kind, words in _CHANGES.items()
        if comparison[kind]
    }


def standing(document: Document) -> dict[str, str]:
    """Of each item that is different, or waived, how: one short remark."""
    remarks = {
        item["id"]: f"waived, {_count(item['waiver']['days_left'], 'day')} left"
        for item in document["items"]
        if item["waiver"]
    }
    for kind, found in changes(document).items():
        for change in found:
            remarks[change.item["id"]] = {
                "Newly failing": "newly failing",
                "Still failing": f"failing since {minute(change.since)}",
                "Newly unverified": "newly unverified",
                "Fixed": "fixed",
            }[kind]
    return remarks


def steps(item: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return what to do about an item, each step with its heading. An item that was not checked gets no fix at first."""
    remedy = item["remedy"]
    if item["outcome"] == Outcome.UNVERIFIED:
        return [("To do", _LOOK.get(item["gap"], _LOOK_AGAIN)), ("Should it not hold then", remedy)]
    if item["outcome"] == Outcome.NOT_APPLICABLE:
        return []
    words = {Outcome.WAIVED: "To do before the waiver ends", Outcome.PASS: "To do if it ever fails"}
    return [(words.get(Outcome(item["outcome"]), "To do"), remedy)]


def headline(document: Document) -> tuple[str, str]:
    """The verdict's word, and its counts."""
    word, _, counts = document["verdict"].partition(" (")
    return word, counts.removesuffix(")")


def missed(document: Document) -> int:
    """How many performance budgets were not seen to be held."""
    rows = document["budgets"]["rows"] if document["budgets"] else ()
    return sum(row["outcome"] in ("over", "unverified") for row in rows)


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _is(number: int, one: str, many: str) -> str:
    return one if number == 1 else many
