"""PNG files with fewer bytes: one of 256 colours a pixel, and no filters, since flat areas are smaller so."""

from __future__ import annotations

import struct
import zlib
from collections import Counter
from collections.abc import Iterator

COLOURS = 256
_FEWER = 2
"""Bits of each channel that two shades of a letter's edge may differ in, and be one colour here."""


def optimised(png: bytes) -> bytes:
    """The same picture with a palette; the rarest shades become the next one in it."""
    width, height = struct.unpack(">II", png[16:24])
    channels = 4 if png[25] == 6 else 3
    rows = [
        [bytes(row[at : at + 3]) for at in range(0, len(row), channels)]
        for row in _rows(_data(png), width * channels, channels)
    ]
    seen = Counter(pixel for row in rows for pixel in row)
    palette = _palette(seen)
    indexes = {pixel: _nearest(pixel, palette) for pixel in seen}
    lines = b"".join(b"\0" + bytes(indexes[pixel] for pixel in row) for row in rows)
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
        (b"PLTE", b"".join(palette)),
        (b"IDAT", zlib.compress(lines, 9)),
        (b"IEND", b""),
    )
    return png[:8] + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


def _palette(seen: Counter[bytes]) -> list[bytes]:
    """The most frequent colours, each unlike those before it."""
    chosen: dict[tuple[int, ...], bytes] = {}
    for pixel, _ in seen.most_common():
        if len(chosen) == COLOURS:
            break
        chosen.setdefault(tuple(value >> _FEWER for value in pixel), pixel)
    return list(chosen.values())


def _nearest(pixel: bytes, palette: list[bytes]) -> int:
    return min(
        range(len(palette)),
        key=lambda index: sum((a - b) ** 2 for a, b in zip(pixel, palette[index], strict=True)),
    )


def _data(png: bytes) -> bytes:
    """The decompressed lines; https://www.w3.org/TR/png-3/#5Chunk-layout."""
    packed, place = b"", 8
    while place < len(png):
        (length,) = struct.unpack(">I", png[place : place + 4])
        if png[place + 4 : place + 8] == b"IDAT":
            packed += png[place + 8 : place + 8 + length]
        place += length + 12
    return zlib.decompress(packed)


def _rows(data: bytes, size: int, step: int) -> Iterator[bytearray]:
    """The lines without their filters; https://www.w3.org/TR/png-3/#9Filters."""
    above = bytearray(size)
    for start in range(0, len(data), size + 1):
        kind, row = data[start], bytearray(data[start + 1 : start + 1 + size])
        for index in range(size if kind else 0):
            left = row[index - step] if index >= step else 0
            corner = above[index - step] if index >= step else 0
            added = (0, left, above[index], (left + above[index]) // 2, _paeth(left, above[index], corner))
            row[index] = (row[index] + added[kind]) % 256
        yield row
        above = row


def _paeth(left: int, above: int, corner: int) -> int:
    guess = left + above - corner
    return min((left, above, corner), key=lambda value: abs(guess - value))
