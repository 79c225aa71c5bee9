"""Tells images from everything else, without decoding them.

Vendors answer 200 with error pages, with half a file or with another format than agreed; none of that may
reach a user as an image.

Sources: PNG https://www.w3.org/TR/png-3/ , JPEG ITU-T T.81,
WebP https://developers.google.com/speed/webp/docs/riff_container
"""

import zlib
from dataclasses import dataclass
from typing import Final

SIDES: Final = range(64, 8193)
_PNG: Final = b"\x89PNG\r\n\x1a\n"
_IHDR_BYTES: Final = 13
# JPEG's markers. Frame headers lie in one range, except for three in it that announce tables.
_MARKER: Final = 0xFF
_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_SCAN: Final = 0xDA
_LENGTH_BYTES: Final = 2
_VP8L_SIGNATURE: Final = 0x2F


class NotAPicture(ValueError):
    """The bytes are no complete PNG, JPEG or WebP of a sensible size."""


@dataclass(frozen=True, slots=True)
class Picture:
    """An image file and what it says about itself; sides are in pixels."""

    data: bytes
    media_type: str
    extension: str
    width: int
    height: int


def recognise(data: bytes) -> Picture:
    """Say what image these bytes are.

    Raises:
        NotAPicture: they are none, or a damaged one.
    """
    try:
        if data.startswith(_PNG):
            picture = Picture(data, "image/png", "png", *_png_sides(data))
        elif data.startswith(b"\xff\xd8\xff"):
            picture = Picture(data, "image/jpeg", "jpg", *_jpeg_sides(data))
        elif data[:4] == b"RIFF" and data[8:12] == b"WEBP":
            picture = Picture(data, "image/webp", "webp", *_webp_sides(data))
        else:
            raise NotAPicture("unknown signature")
    except IndexError:
        raise NotAPicture("ends too early") from None
    if picture.width not in SIDES or picture.height not in SIDES:
        raise NotAPicture(f"{picture.width} x {picture.height} pixels")
    return picture


def _png_sides(data: bytes) -> tuple[int, int]:
    """Walks all chunks and checks their sums, which also finds a file that was cut or altered."""
    position = len(_PNG)
    sides: tuple[int, int] | None = None
    pixels = False
    while True:
        length = int.from_bytes(data[position : position + 4], "big")
        end = position + 12 + length
        if end > len(data):
            raise NotAPicture("ends within a chunk")
        kind = data[position + 4 : position + 8]
        if zlib.crc32(data[position + 4 : end - 4]) != int.from_bytes(data[end - 4 : end], "big"):
            raise NotAPicture("a chunk is damaged")
        if sides is None:
            if kind != b"IHDR" or length != _IHDR_BYTES:
                raise NotAPicture("does not begin with its header")
            sides = int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")
        pixels = pixels or kind == b"IDAT"
        if kind == b"IEND":
            if not pixels:
                raise NotAPicture("holds no pixels")
            return sides
        position = end


def _jpeg_sides(data: bytes) -> tuple[int, int]:
    """Walks the segments up to the frame header; the end marker must be there."""
    if b"\xff\xd9" not in data[-64:]:
        raise NotAPicture("ends too early")
    position = 2
    while True:
        if data[position] != _MARKER:
            raise NotAPicture("a segment is damaged")
        marker = data[position + 1]
        if marker == _MARKER:
            position += 1
            continue
        if marker in _FRAMES:
            height = int.from_bytes(data[position + 5 : position + 7], "big")
            width = int.from_bytes(data[position + 7 : position + 9], "big")
            return width, height
        if marker == _SCAN:
            raise NotAPicture("has no frame header")
        length = int.from_bytes(data[position + 2 : position + 4], "big")
        if length < _LENGTH_BYTES:
            raise NotAPicture("a segment is damaged")
        position += 2 + length


def _webp_sides(data: bytes) -> tuple[int, int]:
    if int.from_bytes(data[4:8], "little") + 8 > len(data):
        raise NotAPicture("ends too early")
    kind = data[12:16]
    if kind == b"VP8X":
        return 1 + int.from_bytes(data[24:27], "little"), 1 + int.from_bytes(data[27:30], "little")
    if kind == b"VP8L" and data[20] == _VP8L_SIGNATURE:
        bits = int.from_bytes(data[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8 " and data[23:26] == b"\x9d\x01\x2a":
        width = int.from_bytes(data[26:28], "little") & 0x3FFF
        return width, int.from_bytes(data[28:30], "little") & 0x3FFF
    raise NotAPicture("unknown kind of WebP")
