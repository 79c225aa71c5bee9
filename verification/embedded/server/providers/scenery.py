"""What the simulated vendors' pictures show: a landscape, and under it the model's name and the prompt.

Colours, and where things stand, follow from prompt and seed; what kind of landscape it is follows from the model.
So the pictures of one prompt belong together, and each tells whose it is. One costs a few milliseconds of plain
Python, since a landscape is put together of columns, and a column of a few slices of prepared ones.
"""

import colorsys
import hashlib
import math
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import NamedTuple

from . import lettering

Colour = tuple[int, int, int]


class Scene(NamedTuple):
    """A picture: at most 256 colours, and rows of indices into them, each with how many times it is drawn."""

    palette: Sequence[Colour]
    rows: Sequence[tuple[bytes, int]]


_CELLS, _DOTS = 256, 170
"""How many of a landscape's cells and of a letter's dots are on the shorter side, about."""
_SHORTEST = 8
"""Letters that a line has to have room for, or nothing is written."""

# The palette: ramps of the sky, the sun and three ridges, single inks, and all of it once more as water mirrors it.
_SKY = range(64)
_SUN = range(64, 80)
_RIDGES = (range(80, 94), range(94, 108), range(108, 122))
_HALO, _CLOUD, _STAR = 122, 123, 124
_MIRROR = 125
_ACCENT, _WORDS, _PAPER = 250, 251, 252
_MIRRORED = bytes([*range(_MIRROR, 2 * _MIRROR), *range(_MIRROR, 256)])


class _Air(NamedTuple):
    """Lightness of the sky at its top, half way and at the horizon; how colourful it is; lightness of sun and land."""

    top: float
    middle: float
    horizon: float
    colour: float
    sun: float
    land: float
    stars: bool = False


_AIRS = (
    _Air(0.50, 0.70, 0.90, 0.65, 0.97, 0.30),
    _Air(0.24, 0.50, 0.80, 0.60, 0.93, 0.16),
    _Air(0.06, 0.15, 0.38, 0.55, 0.94, 0.05, stars=True),
    _Air(0.83, 0.89, 0.95, 0.35, 0.66, 0.42),
    _Air(0.12, 0.34, 0.64, 0.85, 0.85, 0.08, stars=True),
)


_LANDS = ("hills", "peaks", "town", "forest", "dunes", "waves")
_SUNS = ("disc", "ring", "bands", "crescent", "halo")


class _Style(NamedTuple):
    """How one model paints every subject."""

    land: str
    sun: str
    air: _Air
    water: bool

    @classmethod
    def of(cls, model: str) -> "_Style":
        look = _digest("style", model)
        return cls(
            _LANDS[look[0] % len(_LANDS)],
            _SUNS[look[1] % len(_SUNS)],
            _AIRS[look[2] % len(_AIRS)],
            look[3] % 3 == 0,
        )


def scene(width: int, height: int, model: str, prompt: str, *traits: object) -> Scene:
    """The picture of this prompt by this model; another of the traits gives another one."""
    cell, dot = (max(1, min(width, height) // count) for count in (_CELLS, _DOTS))
    style = _Style.of(model)
    theme, place = _digest("theme", prompt), _digest("place", prompt, *traits)
    caption = _caption(width, height, dot, model, prompt)
    free = height - sum(count for _, count in caption)
    across, down = _spread(max(1, width // cell), width), _spread(max(1, free // cell), free)
    columns = _columns(len(across), len(down), style, place)
    flat = b"".join(column * count for column, count in zip(columns, across, strict=True))
    rows = [flat[y :: len(down)] for y in range(len(down))]
    if style.water:
        _ripple(rows, len(down) - _depth(len(down), place), cell)
    return Scene(_palette(style.air, theme), [*zip(rows, down, strict=True), *caption])


def _digest(*parts: object) -> bytes:
    text = "\0".join(str(part) for part in parts)
    return hashlib.shake_256(text.encode("utf-8", "surrogatepass")).digest(96)


@lru_cache(maxsize=64)
def _spread(count: int, onto: int) -> list[int]:
    """So many nearly equal parts of a length."""
    return [(index + 1) * onto // count - index * onto // count for index in range(count)]


def _ramp(inks: range, start: int, length: int, rows: int) -> bytes:
    """A column in which the inks follow each other from one row on, the first above it and the last below."""
    parts = zip(inks, _spread(len(inks), max(1, length)), strict=True)
    column = b"".join(bytes((ink,)) * count for ink, count in parts)[max(0, -start) :]
    return (bytes(inks[:1]) * start + column + bytes(inks[-1:]) * rows)[:rows]


def _depth(rows: int, place: bytes) -> int:
    """How many rows are below the horizon."""
    return rows * (30 + place[0] % 14) // 100


def _columns(columns: int, rows: int, style: _Style, place: bytes) -> list[bytes]:
    horizon = rows - _depth(rows, place)
    skies = _skies(columns, rows, horizon, style, place)
    crests = [
        _crest(
            style.land,
            columns,
            horizon + rows * low // 100,
            rows * tall // 100,
            stride,
            place[8 + 2 * layer :],
        )
        for layer, (low, tall, stride) in enumerate(((0, 20, 2), (14, 18, 2), (27, 16, 1)))
    ]
    ramps = [
        _ramp(inks, min(crest), max(1, rows * 22 // 100), rows)
        for inks, crest in zip(_RIDGES, crests, strict=True)
    ]
    if style.water:
        return [
            _mirrored(sky[:far] + ramps[0][far:horizon], rows)
            for sky, far in zip(skies, crests[0], strict=True)
        ]
    painted = []
    for sky, far, middle, near in zip(skies, *crests, strict=True):
        second = min(middle, near)
        first = min(far, second)
        painted.append(sky[:first] + ramps[0][first:second] + ramps[1][second:near] + ramps[2][near:])
    return painted


def _mirrored(above: bytes, rows: int) -> bytes:
    return above + above[::-1][: rows - len(above)].translate(_MIRRORED)


def _crest(land: str, columns: int, low: int, tall: int, stride: int, place: bytes) -> list[int]:
    """For each column the row at which a ridge begins."""
    start = (place[0] << 8 | place[1]) % _PERIOD
    window = (2 * _profile(land))[start::stride]
    while len(window) < columns:
        window *= 2
    return [max(0, low - (value * tall >> 8)) for value in window[:columns]]


_PERIOD = 2048
_Point = tuple[float, int]


@cache
def _profile(land: str) -> bytes:
    """The heights of a land that ends as it begins; the same for every picture."""
    chance = hashlib.shake_256(land.encode()).digest(1024)
    tops, feet = chance[::2], chance[1::2]
    turn = 2 * math.pi / _PERIOD
    match land:
        case "hills":
            waves = [
                0.5
                + 0.26 * math.sin(11 * turn * x)
                + 0.15 * math.sin(27 * turn * x + 1)
                + 0.06 * math.sin(64 * turn * x)
                for x in range(_PERIOD)
            ]
        case "waves":
            waves = [
                1 - abs(math.sin(13 * turn * x)) - 0.12 * abs(math.sin(39 * turn * x)) for x in range(_PERIOD)
            ]
        case "peaks":
            waves = _between(
                [(0.55 + 0.45 * n / 255, 10 + n % 31) for n in tops],
                [(0.35 * n / 255, 10 + n % 31) for n in feet],
            )
        case "forest":
            waves = _between(
                [(0.35 + 0.6 * n / 255, 5 + n % 4) for n in tops],
                [(0.1 + 0.25 * n / 255, 4 + n % 5) for n in feet],
            )
        case "dunes":
            waves = _between(
                [(0.3 + 0.7 * n / 255, 50 + n % 40) for n in tops],
                [(0.15 * n / 255, 16 + n % 9) for n in feet],
                soft=True,
            )
        case _:  # a town: blocks, and now and then a street
            waves = [
                height
                for index, n in enumerate(tops)
                for height in [0.2 + 0.8 * n / 255 if index % 5 else 0.0] * (5 + n % 13)
            ]
    half = bytes(max(0, min(255, int(255 * height))) for height in waves[: _PERIOD // 2])
    return half + half[::-1]


def _between(tops: list[_Point], feet: list[_Point], *, soft: bool = False) -> list[float]:
    """Heights on the way from a foot to a top and down again; a point has a height, and a way that leads to it."""
    heights: list[float] = []
    before = tops[-1][0]
    for height, away in (point for pair in zip(feet, tops, strict=True) for point in pair):
        for step in range(away):
            share = step / away
            share = share * share * (3 - 2 * share) if soft else share
            heights.append(before + (height - before) * share)
        before = height
    return heights


def _skies(columns: int, rows: int, horizon: int, style: _Style, place: bytes) -> list[bytes]:
    """The sky behind everything, column by column."""
    plain = _ramp(_SKY, 0, horizon, rows)
    skies = [plain] * columns
    side = min(columns, rows)
    if style.air.stars:
        for index in range(16, 60):
            x, y = place[index] * columns // 256, place[index * 7 % 96] * horizon * 9 // 2560
            skies[x] = skies[x][:y] + bytes((_STAR,)) + skies[x][y + 1 :]
    radius = side * (13 + place[1] % 6) // 100
    centre_x = columns * (20 + place[2] % 60) // 100
    centre_y = horizon * (30 + place[3] % 45) // 100
    sun = _ramp(_SUN, centre_y - radius, 2 * radius, rows)
    for share, aside, ink in _sun(style.sun, sun, plain, centre_y, radius, rows):
        _disc(skies, centre_x + aside * radius // 100, centre_y, share * radius // 100, ink)
    if not style.air.stars:
        for index in range(3):
            _cloud(skies, horizon, side, place[80 + 4 * index :])
    return skies


def _sun(
    kind: str, sun: bytes, sky: bytes, centre: int, radius: int, rows: int
) -> list[tuple[int, int, bytes]]:
    """The discs that make up a sun, the later over the earlier: radius and shift to the right in per cent, and ink."""
    match kind:
        case "ring":
            return [(100, 0, sun), (76, 0, sky), (58, 0, sun)]
        case "crescent":
            return [(100, 0, sun), (84, 42, sky)]
        case "halo":
            return [(135, 0, bytes((_HALO,)) * rows), (100, 0, sun)]
        case "bands":
            gaps = bytearray(sun)
            for band in range(5):
                start = centre + radius * (2 * band - 1) // 9
                end = start + max(1, radius * (band + 1) // 36)
                gaps[start:end] = sky[start:end]
            return [(100, 0, bytes(gaps))]
        case _:
            return [(100, 0, sun)]


def _disc(skies: list[bytes], x: int, y: int, radius: int, ink: bytes) -> None:
    for column in range(max(0, x - radius), min(len(skies), x + radius + 1)):
        half = math.isqrt(max(0, radius * (radius + 1) - (column - x) ** 2))
        top, bottom = max(0, y - half), y + half
        skies[column] = skies[column][:top] + ink[top:bottom] + skies[column][bottom:]


def _cloud(skies: list[bytes], horizon: int, side: int, place: bytes) -> None:
    """Three bars with round ends, one upon the other."""
    thick = max(1, side // 60)
    x, y = place[0] * len(skies) // 256, thick + place[1] * horizon // 512
    long = side * (10 + place[2] % 14) // 100
    for bar, (start, end) in enumerate(((-0.35, 0.45), (-0.8, 0.75), (-0.5, 1.0))):
        top = y + bar * thick
        for column in range(max(0, x + int(start * long)), min(len(skies), x + int(end * long))):
            skies[column] = skies[column][:top] + bytes((_CLOUD,)) * thick + skies[column][top + thick :]


def _ripple(rows: list[bytes], horizon: int, cell: int) -> None:
    for row in range(horizon, len(rows)):
        far = row - horizon
        shift = cell * round((1 + far / 30) * math.sin(0.9 * far))
        rows[row] = rows[row][shift:] + rows[row][:shift]


def _caption(width: int, height: int, dot: int, model: str, prompt: str) -> list[tuple[bytes, int]]:
    """Model and prompt under the landscape; nothing where there is no room for a word."""
    letters = width // dot // lettering.ADVANCE - 1
    lines = min(3, (height * 2 // 5 // dot - 6) // lettering.LINE - 1)
    if letters < _SHORTEST or lines < 1:
        return []
    empty = bytes((_PAPER,)) * width
    rows = [(bytes((_ACCENT,)) * width, max(1, dot // 2)), (empty, 3 * dot)]
    captions = [
        (lettering.wrapped(model, letters, 1), _ACCENT),
        (lettering.wrapped(prompt, letters, lines), _WORDS),
    ]
    for texts, ink in captions:
        for text in texts:
            dots = lettering.written(text, dot, ink, _PAPER)
            rows += [((empty[: 3 * dot] + line + empty)[:width], dot) for line in dots]
            rows.append((empty, 2 * dot))
    return [*rows, (empty, dot)]


@lru_cache(maxsize=64)
def _palette(air: _Air, theme: bytes) -> list[Colour]:
    """256 colours around two hues that the prompt chooses."""
    hue = theme[0] / 256
    other = hue + (0.09, -0.09, 0.17, -0.17, 0.42, 0.5)[theme[1] % 6]
    top, middle, low = (
        _colour(hue, air.top, air.colour),
        _colour((hue * 2 + other) / 3, air.middle, air.colour),
        _colour(other, air.horizon, air.colour),
    )
    sun = (_colour(other + 0.02, air.sun, 0.95), _colour(other - 0.03, air.sun * 0.82, 0.95))
    land = _colour(hue, air.land, 0.5)
    palette = [*_blend(top, middle, 32), *_blend(middle, low, 32), *_blend(sun[0], sun[1], 16)]
    for distance in (0.62, 0.34, 0.0):
        crest = _mix(land, low, distance)
        palette += _blend(crest, _mix(crest, low, 0.3), 14)
    palette += [_mix(low, sun[0], 0.4), _mix(middle, (255, 255, 255), 0.7), (255, 250, 235)]
    palette += [_mix(colour, land, 0.28) for colour in palette]
    return [*palette, _colour(other, 0.72, 0.8), (244, 241, 235), _colour(hue, 0.09, 0.35), *[(0, 0, 0)] * 3]


def _colour(hue: float, lightness: float, colourful: float) -> Colour:
    red, green, blue = colorsys.hls_to_rgb(hue % 1, lightness, colourful)
    return round(255 * red), round(255 * green), round(255 * blue)


def _mix(one: Colour, other: Colour, share: float) -> Colour:
    return (
        round(one[0] + (other[0] - one[0]) * share),
        round(one[1] + (other[1] - one[1]) * share),
        round(one[2] + (other[2] - one[2]) * share),
    )


def _blend(one: Colour, other: Colour, count: int) -> list[Colour]:
    return [_mix(one, other, index / (count - 1)) for index in range(count)]
