"""The store of the embedded CloudFront keeps to its size, and responses live as long as their policy says."""

from __future__ import annotations

import gzip

import pytest

from verification.embedded.server.cache import Lifetime, Store, Stored

LIFETIME = Lifetime(least=10, default=100, most=1000)


def entry(path: str, size: int = 1000, distribution: str = "D") -> Stored:
    return Stored(200, "OK", {}, b"x" * size, distribution, path, 0.0, 10.0)


def kept(store: Store, names: str) -> str:
    return "".join(name for name in names if store.get((name,)) is not None)


@pytest.fixture
def store() -> Store:
    made = Store(capacity_bytes=3 * entry("/").size)
    for name in "abc":
        made.put((name,), entry(f"/{name}"))
    return made


def test_least_recently_used_goes_first(store: Store) -> None:
    store.get(("a",))
    store.put(("d",), entry("/d"))

    assert kept(store, "abcd") == "acd"


def test_response_larger_than_the_store_is_not_kept(store: Store) -> None:
    store.put(("huge",), entry("/huge", 9000))

    assert store.get(("huge",)) is None
    assert kept(store, "abc") == "abc"


def test_replaced_response_gives_its_room_back(store: Store) -> None:
    for _ in range(5):
        store.put(("c",), entry("/c"))

    assert kept(store, "abc") == "abc"


def test_compressed_form_counts(store: Store) -> None:
    held = store.get(("c",))
    assert held is not None
    made = store.compressed(held, held.body)
    assert gzip.decompress(made) == held.body
    assert store.compressed(held, held.body) is made
    store.put(("b",), entry("/b"))

    assert kept(store, "abc") == "bc"


@pytest.mark.parametrize(
    ("pattern", "left"),
    [
        ("/a", "bc"),
        ("a", "bc"),
        ("/*", ""),
        ("/a*", "bc"),
        ("/%61", "bc"),
        ("/nothing", "abc"),
        ("/?", "abc"),
    ],
)
def test_invalidation(store: Store, pattern: str, left: str) -> None:
    generation = store.generation
    store.invalidate("D", [pattern])

    assert kept(store, "abc") == left
    assert store.generation == generation + 1


def test_invalidation_is_of_one_distribution(store: Store) -> None:
    store.invalidate("another", ["/*"])

    assert kept(store, "abc") == "abc"


@pytest.mark.parametrize(
    ("control", "seconds"),
    [
        ("", 100),
        ("max-age=5", 10),
        ("max-age=50", 50),
        ("max-age=5000", 1000),
        ("max-age=5, s-maxage=60", 60),
        ("no-store", 10),
        ("private", 10),
        ("public, MAX-AGE=70", 70),
    ],
)
def test_lifetime_from_cache_control(control: str, seconds: int) -> None:
    assert LIFETIME.of({"cache-control": control}, 0.0) == seconds


@pytest.mark.parametrize(("expires", "seconds"), [("Thu, 01 Jan 1970 00:05:00 GMT", 200), ("0", 10)])
def test_lifetime_from_expires(expires: str, seconds: int) -> None:
    assert LIFETIME.of({"expires": expires}, 100.0) == seconds
