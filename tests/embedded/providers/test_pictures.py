from __future__ import annotations

import io
import time

import pytest
from PIL import Image

from verification.embedded.server.providers import pictures

SIZES = [(1024, 1024), (1792, 1024), (256, 256), (1, 1), (1365, 1024), (640, 1536), (7, 300)]


@pytest.mark.parametrize("kind", ["png", "jpeg", "webp"])
@pytest.mark.parametrize("size", SIZES)
def test_every_format_decodes_to_the_size_asked_for(kind: pictures.Format, size: tuple[int, int]) -> None:
    """A picture that a strict decoder rejects would make the application look broken."""
    image = Image.open(io.BytesIO(pictures.draw(kind, *size, "a fox", 7)))
    image.load()
    assert (image.format, image.size) == (kind.upper(), size)


def test_verified_by_pillow() -> None:
    """Chunk checksums are right, not merely tolerated."""
    Image.open(io.BytesIO(pictures.draw("png", 1024, 1024, "a fox"))).verify()


@pytest.mark.parametrize("kind", ["png", "jpeg", "webp"])
def test_same_traits_same_bytes_other_traits_other_picture(kind: pictures.Format) -> None:
    """Seeds would be untestable otherwise."""
    first = pictures.draw(kind, 512, 512, "model", "a fox", 1)
    assert first == pictures.draw(kind, 512, 512, "model", "a fox", 1)
    others = [("model", "a fox", 2), ("model", "a cat", 1), ("other", "a fox", 1)]
    assert len({first, *(pictures.draw(kind, 512, 512, *traits) for traits in others)}) == 4


def test_traits_do_not_run_into_each_other() -> None:
    assert pictures.draw("png", 64, 64, "ab", "c") != pictures.draw("png", 64, 64, "a", "bc")


def test_a_png_is_a_few_kilobytes_and_costs_milliseconds() -> None:
    """A load test must measure the application, not this drawing."""
    best = min(_cost(index) for index in range(5))
    assert best < 0.05
    assert 4_000 < len(pictures.draw("png", 1024, 1024, "weight")) < 60_000


def _cost(index: int) -> float:
    start = time.perf_counter()
    pictures.draw("png", 1024, 1024, "cost", index)
    return time.perf_counter() - start


@pytest.mark.parametrize("size", [(0, 10), (10, 0), (16384, 10), (10, -1)])
def test_impossible_sizes_are_refused(size: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="outside"):
        pictures.draw("png", *size)
