import struct
import zlib
from contextlib import suppress

import pytest
from doubles import image
from hypothesis import given
from hypothesis import strategies as st
from pixel_prompt.pictures import NotAPicture, recognise


@pytest.mark.parametrize(
    ("kind", "media_type", "extension"),
    [("PNG", "image/png", "png"), ("JPEG", "image/jpeg", "jpg"), ("WEBP", "image/webp", "webp")],
)
def test_images_are_recognised_with_their_sides(kind: str, media_type: str, extension: str) -> None:
    data = image(kind, 640, 480)
    picture = recognise(data)
    assert (picture.media_type, picture.extension) == (media_type, extension)
    assert (picture.width, picture.height) == (640, 480)
    assert picture.data == data


def riff(kind: bytes, payload: bytes) -> bytes:
    body = b"WEBP" + kind + struct.pack("<I", len(payload)) + payload
    return b"RIFF" + struct.pack("<I", len(body)) + body


def test_every_kind_of_webp_is_measured() -> None:
    lossless = riff(b"VP8L", b"\x2f" + ((640 - 1) | (480 - 1) << 14).to_bytes(4, "little") + bytes(20))
    extended = riff(b"VP8X", bytes(4) + (639).to_bytes(3, "little") + (479).to_bytes(3, "little"))
    for data in (lossless, extended):
        picture = recognise(data)
        assert (picture.width, picture.height) == (640, 480)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_an_image_cut_in_the_middle_is_none(kind: str) -> None:
    data = image(kind, 640, 480)
    with pytest.raises(NotAPicture):
        recognise(data[: len(data) // 2])


def test_a_png_with_a_flipped_bit_is_none() -> None:
    data = bytearray(image("PNG"))
    data[len(data) // 2] ^= 1
    with pytest.raises(NotAPicture):
        recognise(bytes(data))


def chunk(kind: bytes, payload: bytes) -> bytes:
    return struct.pack(">I", len(payload)) + kind + payload + struct.pack(">I", zlib.crc32(kind + payload))


SIGNATURE = b"\x89PNG\r\n\x1a\n"
HEADER = chunk(b"IHDR", struct.pack(">IIBBBBB", 128, 128, 8, 2, 0, 0, 0))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<!doctype html><html>Bad gateway</html>",
        b'{"error": "quota"}',
        b"GIF89a" + bytes(100),
        SIGNATURE,
        SIGNATURE + HEADER + chunk(b"IEND", b""),
        SIGNATURE + chunk(b"IDAT", b"x") + chunk(b"IEND", b""),
        b"\xff\xd8\xff\xe0" + bytes(80) + b"\xff\xd9",
        b"\xff\xd8\xff\xff\xff\xda" + bytes(8) + b"\xff\xd9",
        b"\xff\xd8\xff\xe0\x00\x01" + b"\xff\xd9",
        b"\xff\xd8\xff\xd9",
        riff(b"ABCD", bytes(40)),
        b"RIFF\xff\xff\xff\x00WEBPVP8 " + bytes(10),
    ],
)
def test_everything_else_is_none(data: bytes) -> None:
    with pytest.raises(NotAPicture):
        recognise(data)


@pytest.mark.parametrize("sides", [(1, 1), (63, 640), (640, 63), (9000, 64)])
def test_sides_have_bounds(sides: tuple[int, int]) -> None:
    with pytest.raises(NotAPicture):
        recognise(image("PNG", *sides))


@given(
    st.sampled_from([SIGNATURE, b"\xff\xd8\xff", b"RIFF\x10\x00\x00\x00WEBP", b""]), st.binary(max_size=200)
)
def test_any_bytes_are_judged_without_a_crash(start: bytes, rest: bytes) -> None:
    with suppress(NotAPicture):
        recognise(start + rest)
