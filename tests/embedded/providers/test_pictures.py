from __future__ import annotations

import io
import time
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from verification.embedded.server.providers import lettering, pictures, scenery

SIZES = [(1024, 1024), (1792, 1024), (256, 256), (1, 1), (1365, 1024), (640, 1536), (7, 300), (300, 7)]
KINDS: list[pictures.Format] = ["png", "jpeg", "webp"]
MODELS = [f"model-{number}" for number in range(40)]


def decoded(kind: pictures.Format, width: int, height: int, *traits: object) -> Image.Image:
    image = Image.open(io.BytesIO(pictures.draw(kind, width, height, "flux-2-pro", "a fox", *traits)))
    image.load()
    return image


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", SIZES)
def test_every_format_decodes_to_the_size_asked_for(kind: pictures.Format, size: tuple[int, int]) -> None:
    """A picture that a strict decoder rejects would make the application look broken."""
    image = decoded(kind, *size, 7)
    assert (image.format, image.size) == (kind.upper(), size)


def test_verified_by_pillow() -> None:
    """Chunk checksums are right, not merely tolerated."""
    Image.open(io.BytesIO(pictures.draw("png", 1024, 1024, "flux-2-pro", "a fox"))).verify()


def test_webp_shows_what_png_shows() -> None:
    """WebP's codes are written by hand: a wrong one is another picture, not an error."""
    png, webp = (decoded(kind, 700, 500, 7).convert("RGB") for kind in ("png", "webp"))
    assert png.tobytes() == webp.tobytes()


def test_jpeg_shows_the_colours_of_its_blocks() -> None:
    made = scenery.scene(20, 20, "flux-2-pro", "a fox", 7)
    image = decoded("jpeg", 160, 160, 7).convert("RGB")
    rows = [row for row, count in made.rows for _ in range(count)]
    far = [
        (x, y)
        for x, y in product(range(20), repeat=2)
        if _distance(_pixel(image, 8 * x + 4, 8 * y + 4), made.palette[rows[y][x]]) > 4
    ]
    assert far == []


@pytest.mark.parametrize("kind", KINDS)
def test_same_traits_same_bytes_other_traits_other_picture(kind: pictures.Format) -> None:
    """Seeds would be untestable otherwise."""
    first = pictures.draw(kind, 512, 512, "model", "a fox", 1)
    pictures._draw.cache_clear()
    assert first == pictures.draw(kind, 512, 512, "model", "a fox", 1)
    others = [("model", "a fox", 2), ("model", "a cat", 1), ("other", "a fox", 1)]
    assert len({first, *(pictures.draw(kind, 512, 512, *traits) for traits in others)}) == 4


@pytest.mark.parametrize("model", MODELS)
def test_another_seed_is_another_landscape_of_every_model(model: str) -> None:
    """In some style a seed might move nothing; the caption is the same, so it cannot tell."""
    first, second = (scenery.scene(512, 512, model, "a fox", seed) for seed in (1, 2))
    assert first.rows != second.rows
    assert first.palette == second.palette, "a prompt's pictures belong together"


def test_traits_do_not_run_into_each_other() -> None:
    assert pictures.draw("png", 64, 64, "m", "p", "ab", "c") != pictures.draw(
        "png", 64, 64, "m", "p", "a", "bc"
    )


@pytest.mark.parametrize(
    ("model", "prompt", "told"),
    [
        ("flux-2-pro", "a fox", ["flux-2-pro", "a fox"]),
        ("flux-2-pro", "  a\nfox\t", ["flux-2-pro", "a fox"]),
        ("flux-2-pro", "Füchse à la crème, façade", ["flux-2-pro", "Fuchse a la creme, facade"]),
        ("flux-2-pro", "灯台 منارة", ["flux-2-pro", "[][] [][][][][]"]),
        ("flux-2-pro", "a\u202efox\u200d", ["flux-2-pro", "afox"]),
        ("flux-2-pro", "\ud800 alone", ["flux-2-pro", "[] alone"]),
        ("flux-2-pro", "x" * 200, ["flux-2-pro", "x" * 27, "x" * 27, "x" * 24 + "..."]),
        ("m" * 60, "a fox", ["m" * 24 + "...", "a fox"]),
        (
            "flux-2-pro",
            "a red fox that crosses a snowy field at dawn",
            ["flux-2-pro", "a red fox that crosses a", "snowy field at dawn"],
        ),
        ("flux-2-pro", "", ["flux-2-pro"]),
        ("flux-2-pro", "   ", ["flux-2-pro"]),
    ],
)
def test_a_picture_tells_its_model_and_its_prompt(model: str, prompt: str, told: list[str]) -> None:
    """Whoever looks at a gallery has to see which picture is whose."""
    image = Image.open(io.BytesIO(pictures.draw("png", 1024, 1024, model, prompt, 1))).convert("RGB")
    assert _read(image) == told


@settings(deadline=None, max_examples=60)
@given(
    prompt=st.text(st.characters(exclude_categories=()), max_size=80),
    model=st.text(st.characters(exclude_categories=()), max_size=40),
    size=st.tuples(st.integers(1, 400), st.integers(1, 400)),
    kind=st.sampled_from(KINDS),
)
def test_no_prompt_and_no_size_is_too_strange(
    prompt: str, model: str, size: tuple[int, int], kind: pictures.Format
) -> None:
    """A vendor that breaks down over one letter would be taken for a fault of the application."""
    image = Image.open(io.BytesIO(pictures.draw(kind, *size, model, prompt, 1)))
    image.load()
    assert image.size == size


def test_a_png_is_a_few_kilobytes_and_costs_milliseconds() -> None:
    """A load test must measure the application, not this drawing."""
    sizes = [len(pictures.draw("png", 1024, 1024, model, "weight")) for model in MODELS]
    assert 4_000 < min(sizes) <= max(sizes) < 40_000
    assert min(_cost(index) for index in range(5)) < 0.02


def _cost(index: int) -> float:
    start = time.process_time()
    pictures.draw("png", 1024, 1024, "flux-2-pro", "cost", index)
    return time.process_time() - start


@pytest.mark.parametrize("size", [(0, 10), (10, 0), (16384, 10), (10, -1)])
def test_impossible_sizes_are_refused(size: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="outside"):
        pictures.draw("png", *size, "flux-2-pro", "a fox")


def _pixel(image: Image.Image, x: int, y: int) -> tuple[int, int, int]:
    pixel = image.getpixel((x, y))
    assert isinstance(pixel, tuple)
    red, green, blue = pixel
    return int(red), int(green), int(blue)


def _distance(one: scenery.Colour, other: scenery.Colour) -> int:
    return max(abs(of_one - of_other) for of_one, of_other in zip(one, other, strict=True))


def _read(image: Image.Image, dot: int = 6) -> list[str]:
    """What stands under the landscape of a picture of 1024 x 1024 pixels, a box as `[]`."""
    paper = _pixel(image, 0, 1023)
    top = next(y for y in range(1023, -1, -1) if _pixel(image, 0, y) != paper) + 1 + 3 * dot
    glyphs = {columns: letter for letter, columns in lettering._GLYPHS.items()} | {lettering._BOX: "[]"}
    lines = []
    for start in range(top, 1024 - 8 * dot, lettering.LINE * dot):
        columns = bytes(
            sum((_pixel(image, x, start + bit * dot + 3) != paper) << bit for bit in range(8))
            for x in range(3 * dot + 3, 1024, dot)
        )
        letters = (columns[at : at + 6] for at in range(0, len(columns) - 5, 6))
        lines.append("".join(glyphs[letter] for letter in letters).rstrip())
    return lines
