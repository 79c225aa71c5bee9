"""Real image files that every decoder opens, of what `scenery` shows, in a few milliseconds of plain Python.

The same prompt, model and traits always give the same bytes; another of them gives another picture. PNG is what the
application asks for and has the finest grain. JPEG has blocks of 8 x 8 pixels of one colour each.

Sources: PNG (Third Edition), W3C, https://www.w3.org/TR/png-3/ ;
ITU-T T.81 (baseline JPEG), https://www.w3.org/Graphics/JPEG/itu-t81.pdf ;
WebP lossless bitstream, https://developers.google.com/speed/webp/docs/webp_lossless_bitstream_specification
"""

import re
import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence
from functools import cache, lru_cache
from typing import Literal

from .scenery import Colour, Scene, scene

Format = Literal["png", "jpeg", "webp"]

MEDIA_TYPES: dict[Format, str] = {
    "png": "image/png",
    "jpeg": "image/jpeg",
    "webp": "image/webp",
}

LARGEST_SIDE = 16383
_BLOCK = 8


def draw(kind: Format, width: int, height: int, model: str, prompt: str, *traits: object) -> bytes:
    """A picture of exactly ``width`` x ``height`` pixels.

    Args:
        kind: the file's format.
        width: in pixels.
        height: in pixels.
        model: is written in the picture, and decides how it is painted.
        prompt: is written in the picture, and decides its colours.
        traits: other values that make it a different picture, such as a seed.

    Raises:
        ValueError: a side is not in 1..16383 (WebP's limit, the smallest of the three).
    """
    if not (1 <= width <= LARGEST_SIDE and 1 <= height <= LARGEST_SIDE):
        raise ValueError(f"a picture of {width}x{height} pixels is outside 1..{LARGEST_SIDE}")
    return _draw(kind, width, height, model, prompt, traits)


@lru_cache(maxsize=32)
def _draw(
    kind: Format, width: int, height: int, model: str, prompt: str, traits: tuple[object, ...]
) -> bytes:
    if kind == "jpeg":
        return _jpeg(width, height, scene(-(-width // _BLOCK), -(-height // _BLOCK), model, prompt, *traits))
    made = scene(width, height, model, prompt, *traits)
    return _png(width, height, made) if kind == "png" else _webp(width, height, made)


def _runs(row: bytes) -> Iterator[tuple[int, int]]:
    """Which index comes how often in a row, one after the other."""
    return ((run[0][0], len(run[0])) for run in re.finditer(rb"(.)\1*", row, re.DOTALL))


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _png(width: int, height: int, made: Scene) -> bytes:
    """Palette image; a row that comes again is stored as "like the row above"."""
    same = b"\x02" + bytes(width)
    pixels = b"".join(b"\x00" + row + same * (count - 1) for row, count in made.rows)
    # Neighbours alike and rows alike are all there is to find: looking for more takes longer and finds less.
    packer = zlib.compressobj(1, strategy=zlib.Z_RLE)
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", header)
        + _chunk(b"PLTE", bytes(value for colour in made.palette for value in colour))
        + _chunk(b"IDAT", packer.compress(pixels) + packer.flush())
        + _chunk(b"IEND", b"")
    )


# T.81 annex K.3: the code lengths and values of the usual luminance DC table, and an AC table that
# holds the only symbol these pictures need, "end of block".
_DC_COUNTS = (0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0)
_DC_VALUES = tuple(range(12))


@cache
def _dc_codes() -> dict[int, str]:
    codes: dict[int, str] = {}
    code, position = 0, 0
    for length, count in enumerate(_DC_COUNTS, start=1):
        for _ in range(count):
            codes[_DC_VALUES[position]] = format(code, f"0{length}b")
            code += 1
            position += 1
        code <<= 1
    return codes


@cache
def _block_bits(difference: int) -> str:
    """A flat block that differs so much from the one before: its DC coefficient, and "end of block"."""
    size = abs(difference).bit_length()
    if not size:
        return _dc_codes()[0] + "0"
    value = difference if difference > 0 else difference + (1 << size) - 1
    return _dc_codes()[size] + format(value, f"0{size}b") + "0"


def _jpeg(width: int, height: int, made: Scene) -> bytes:
    """Baseline JPEG whose 8x8 blocks are flat; rows repeat between restart markers."""
    colours = [_ycc(colour) for colour in made.palette]
    scan: list[bytes] = []
    for row, count in made.rows:
        bits: list[str] = []
        before = (0, 0, 0)
        for index, length in _runs(row):
            colour = colours[index]
            bits += (_block_bits(new - old) for new, old in zip(colour, before, strict=True))
            bits.append(3 * _block_bits(0) * (length - 1))
            before = colour
        line = "".join(bits)
        line += "1" * (-len(line) % 8)
        scan += [int(line, 2).to_bytes(len(line) // 8, "big").replace(b"\xff", b"\xff\x00")] * count
    frame = struct.pack(">BHHB", 8, height, width, 3) + b"\x01\x11\x00\x02\x11\x00\x03\x11\x00"
    return (
        b"\xff\xd8"
        + _segment(0xE0, b"JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00")
        + _segment(0xDB, b"\x00" + bytes([8] * 64))
        + _segment(0xC0, frame)
        + _segment(0xC4, b"\x00" + bytes(_DC_COUNTS) + bytes(_DC_VALUES))
        + _segment(0xC4, b"\x10" + bytes((1, *([0] * 15))) + b"\x00")
        + _segment(0xDD, struct.pack(">H", -(-width // _BLOCK)))
        + _segment(0xDA, b"\x03\x01\x00\x02\x00\x03\x00\x00\x3f\x00")
        + scan[0]
        + b"".join(bytes((0xFF, 0xD0 + index % 8)) + line for index, line in enumerate(scan[1:]))
        + b"\xff\xd9"
    )


def _segment(marker: int, data: bytes) -> bytes:
    return bytes((0xFF, marker)) + struct.pack(">H", len(data) + 2) + data


def _ycc(colour: Colour) -> Colour:
    """A colour as quantised DC coefficients: with a step of 8, that is the level-shifted sample."""
    red, green, blue = colour
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    return round(luma - 128), round(0.564 * (blue - luma)), round(0.713 * (red - luma))


# WebP's prefix codes, of fixed lengths so that nothing has to be counted: 256 literals, then 24 lengths of runs.
_LITERAL_BITS = 9
_RUN_BITS = (*(6,) * 8, *(5,) * 8, *(6,) * 8)
_LONGEST_RUN = 4096
# Of the codes of a distance, the first is the pixel above and the second the one to the left.
_ABOVE, _LEFT = "0", "1"


def _webp(width: int, height: int, made: Scene) -> bytes:
    """Lossless WebP with a palette: runs of one colour within a row, then copies of the whole row."""
    literals = _webp_codes()[0]
    bits = [_low_first(0x2F, 8), _low_first(width - 1, 14), _low_first(height - 1, 14), "0", "000"]
    bits += ["1", _low_first(3, 2), _low_first(255, 8), *_webp_palette(made.palette)]
    bits += ["0", "0", "0"]  # no further transform, no colour cache, one group of prefix codes
    # Code lengths of the 280 symbols, themselves written in a code: 9 in one bit, 5 and 6 in two.
    bits += _webp_lengths([_LITERAL_BITS] * 256 + [*_RUN_BITS], {9: 1, 5: 2, 6: 2})
    bits += [_one_symbol(0), _one_symbol(0), _one_symbol(0)]
    bits += ["1", "1", "0", "0", _low_first(1, 8)]  # distance: 0 or 1, in one bit
    for row, count in made.rows:
        for index, length in _runs(row):
            bits.append(literals[index] + _webp_run(length - 1, _LEFT))
        bits.append(_webp_run(width * (count - 1), _ABOVE))
    line = "".join(bits)
    stream = int(line[::-1], 2).to_bytes(-(-len(line) // 8), "little")
    body = b"WEBP" + b"VP8L" + struct.pack("<I", len(stream)) + stream + b"\x00" * (len(stream) % 2)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _webp_palette(palette: Sequence[Colour]) -> Iterable[str]:
    """The palette as an image of one row, each colour as its difference from the one before."""
    yield "0"  # no colour cache
    eight = {8: 1, 0: 1}
    yield from _webp_lengths([8] * 256 + [0] * 24, eight)  # green
    yield from _webp_lengths([8] * 256, eight)  # red
    yield from _webp_lengths([8] * 256, eight)  # blue
    yield "11" + "0" + "0" + _low_first(255, 8)  # alpha: 0 or 255, in one bit
    yield _one_symbol(0)  # distance
    before = (0, 0, 0)
    for number, colour in enumerate(palette):
        red, green, blue = (format((new - old) % 256, "08b") for new, old in zip(colour, before, strict=True))
        yield green + red + blue + ("0" if number else "1")
        before = colour


def _webp_lengths(lengths: list[int], bits: dict[int, int]) -> Iterable[str]:
    """A prefix code, as the lengths of its symbols; ``bits`` says in how many bits each length is written."""
    order = (17, 18, 0, 1, 2, 3, 4, 5, 16, 6, 7, 8, 9)
    yield "0" + _low_first(len(order) - 4, 4)
    yield from (_low_first(bits.get(length, 0), 3) for length in order)
    yield "0"  # no shorter alphabet
    codes = dict(zip(sorted(bits), _canonical([bits[length] for length in sorted(bits)]), strict=True))
    yield from (codes[length] for length in lengths)


def _one_symbol(symbol: int) -> str:
    return "1" + "0" + "1" + _low_first(symbol, 8)


@lru_cache(maxsize=4096)
def _webp_run(length: int, distance: str) -> str:
    """As many pixels like those at a distance before them."""
    bits = ""
    while length:
        part = min(length, _LONGEST_RUN)
        # The symbol tells the two highest bits and how many follow; the smallest numbers are their own symbols.
        rest = part - 1
        further = max(0, rest.bit_length() - 2)
        symbol = 2 * further + (rest >> further)
        bits += _webp_codes()[1][symbol] + _low_first(rest & (1 << further) - 1, further) + distance
        length -= part
    return bits


def _low_first(number: int, width: int) -> str:
    """A number as WebP stores it, the lowest bit first."""
    return format(number, f"0{width}b")[::-1] if width else ""


@cache
def _webp_codes() -> tuple[list[str], list[str]]:
    """The codes of literals and of runs."""
    codes = _canonical([_LITERAL_BITS] * 256 + [*_RUN_BITS])
    return codes[:256], codes[256:]


def _canonical(lengths: list[int]) -> list[str]:
    """The canonical prefix code with these lengths: shorter ones first, those of one length in order."""
    codes = [""] * len(lengths)
    code, before = 0, 0
    for length, symbol in sorted((length, symbol) for symbol, length in enumerate(lengths)):
        code <<= length - before
        codes[symbol] = format(code, f"0{length}b")
        code, before = code + 1, length
    return codes
