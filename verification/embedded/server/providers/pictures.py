"""Pictures made from nothing but a seed: real files that every decoder opens, in a few milliseconds.

The same traits always give the same bytes; another prompt, model or seed gives another picture.
PNG and JPEG show coloured bands and stripes. WebP is one flat colour, because a lossless WebP of
one colour needs no entropy coder.

Sources: PNG (Third Edition), W3C, https://www.w3.org/TR/png-3/ ;
ITU-T T.81 (baseline JPEG), https://www.w3.org/Graphics/JPEG/itu-t81.pdf ;
WebP lossless bitstream, https://developers.google.com/speed/webp/docs/webp_lossless_bitstream_specification
"""

import hashlib
import struct
import zlib
from functools import cache, lru_cache
from typing import Literal

Format = Literal["png", "jpeg", "webp"]

MEDIA_TYPES: dict[Format, str] = {
    "png": "image/png",
    "jpeg": "image/jpeg",
    "webp": "image/webp",
}

LARGEST_SIDE = 16383
_BANDS = 16
_STRIPES = 192


def draw(kind: Format, width: int, height: int, *traits: object) -> bytes:
    """A picture of exactly ``width`` x ``height`` pixels, determined by the traits.

    Raises:
        ValueError: a side is not in 1..16383 (WebP's limit, the smallest of the three).
    """
    if not (1 <= width <= LARGEST_SIDE and 1 <= height <= LARGEST_SIDE):
        raise ValueError(f"a picture of {width}x{height} pixels is outside 1..{LARGEST_SIDE}")
    seed = hashlib.sha256("\0".join(str(trait) for trait in traits).encode()).digest()
    return _draw(kind, width, height, seed)


@lru_cache(maxsize=32)
def _draw(kind: Format, width: int, height: int, seed: bytes) -> bytes:
    painters = {"png": _png, "jpeg": _jpeg, "webp": _webp}
    return painters[kind](width, height, seed)


def _spread(count: int, onto: int) -> list[int]:
    """Boundaries that cut ``onto`` pixels into ``count`` nearly equal parts."""
    return [index * onto // count for index in range(count + 1)]


def _palette(seed: bytes) -> list[tuple[int, int, int]]:
    """256 colours on the way between three that the seed chooses."""
    stops = [seed[0:3], seed[3:6], seed[6:9], seed[0:3]]
    colours = []
    for index in range(256):
        position = index * 3 / 256
        left, right, share = (
            stops[int(position)],
            stops[int(position) + 1],
            position % 1,
        )
        colours.append(
            (
                int(left[0] + (right[0] - left[0]) * share),
                int(left[1] + (right[1] - left[1]) * share),
                int(left[2] + (right[2] - left[2]) * share),
            )
        )
    return colours


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _png(width: int, height: int, seed: bytes) -> bytes:
    """Palette image; a band's second and later rows are stored as "like the row above"."""
    noise = hashlib.shake_256(seed).digest(_BANDS * _STRIPES)
    columns = _spread(_STRIPES, width)
    rows = _spread(_BANDS, height)
    same = b"\x02" + bytes(width)
    parts: list[bytes] = []
    for band in range(_BANDS):
        count = rows[band + 1] - rows[band]
        if not count:
            continue
        stripes = noise[band * _STRIPES : (band + 1) * _STRIPES]
        row = b"".join(
            stripes[index : index + 1] * (columns[index + 1] - columns[index]) for index in range(_STRIPES)
        )
        parts.append(b"\x00" + row)
        parts.append(same * (count - 1))
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    palette = bytes(value for colour in _palette(seed) for value in colour)
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", header)
        + _chunk(b"PLTE", palette)
        + _chunk(b"IDAT", zlib.compress(b"".join(parts), 1))
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


def _dc_bits(difference: int) -> str:
    size = abs(difference).bit_length()
    if not size:
        return _dc_codes()[0]
    value = difference if difference > 0 else difference + (1 << size) - 1
    return _dc_codes()[size] + format(value, f"0{size}b")


def _jpeg(width: int, height: int, seed: bytes) -> bytes:
    """Baseline JPEG whose 8x8 blocks are flat; rows repeat between restart markers."""
    blocks_across, blocks_down = -(-width // 8), -(-height // 8)
    noise = hashlib.shake_256(seed).digest(_BANDS * _STRIPES)
    colours = [_ycc(colour) for colour in _palette(seed)]
    columns = _spread(min(_STRIPES, blocks_across), blocks_across)
    rows = _spread(_BANDS, blocks_down)
    scan: list[bytes] = []
    restart = 0
    for band in range(_BANDS):
        count = rows[band + 1] - rows[band]
        if not count:
            continue
        bits: list[str] = []
        before = (0, 0, 0)
        for index in range(len(columns) - 1):
            for _ in range(columns[index + 1] - columns[index]):
                colour = colours[noise[band * _STRIPES + index]]
                bits += (_dc_bits(new - old) + "0" for new, old in zip(colour, before, strict=True))
                before = colour
        line = "".join(bits)
        line += "1" * (-len(line) % 8)
        data = int(line, 2).to_bytes(len(line) // 8, "big").replace(b"\xff", b"\xff\x00")
        for _ in range(count):
            scan.append(data)
            scan.append(bytes((0xFF, 0xD0 + restart % 8)))
            restart += 1
    scan.pop()
    frame = struct.pack(">BHHB", 8, height, width, 3) + b"\x01\x11\x00\x02\x11\x00\x03\x11\x00"
    return (
        b"\xff\xd8"
        + _segment(0xE0, b"JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00")
        + _segment(0xDB, b"\x00" + bytes([8] * 64))
        + _segment(0xC0, frame)
        + _segment(0xC4, b"\x00" + bytes(_DC_COUNTS) + bytes(_DC_VALUES))
        + _segment(0xC4, b"\x10" + bytes((1, *([0] * 15))) + b"\x00")
        + _segment(0xDD, struct.pack(">H", blocks_across))
        + _segment(0xDA, b"\x03\x01\x00\x02\x00\x03\x00\x00\x3f\x00")
        + b"".join(scan)
        + b"\xff\xd9"
    )


def _segment(marker: int, data: bytes) -> bytes:
    return bytes((0xFF, marker)) + struct.pack(">H", len(data) + 2) + data


def _ycc(colour: tuple[int, int, int]) -> tuple[int, int, int]:
    """A colour as quantised DC coefficients: with a step of 8, that is the level-shifted sample."""
    red, green, blue = colour
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    return round(luma - 128), round(0.564 * (blue - luma)), round(0.713 * (red - luma))


def _webp(width: int, height: int, seed: bytes) -> bytes:
    """Lossless WebP of one colour: five prefix codes of a single symbol, so pixels take no bits."""
    fields: list[tuple[int, int]] = [
        (0x2F, 8),
        (width - 1, 14),
        (height - 1, 14),
        (0, 1),
        (0, 3),
    ]
    fields += [
        (0, 1),
        (0, 1),
        (0, 1),
    ]  # no transform, no colour cache, one group of prefix codes
    for symbol in (seed[1], seed[0], seed[2], 255):  # green, red, blue, alpha
        fields += [(1, 1), (0, 1), (1, 1), (symbol, 8)]
    fields += [(1, 1), (0, 1), (0, 1), (0, 1)]  # distance: symbol 0 in one bit
    value, used = 0, 0
    for number, width_in_bits in fields:
        value |= number << used
        used += width_in_bits
    stream = value.to_bytes(-(-used // 8), "little")
    padded = stream + b"\x00" * (len(stream) % 2)
    body = b"WEBP" + b"VP8L" + struct.pack("<I", len(stream)) + padded
    return b"RIFF" + struct.pack("<I", len(body)) + body
