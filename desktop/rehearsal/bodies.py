"""Which bytes of a file go out, and in which pieces."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

_RANGE = re.compile(r"bytes=(\d+)-(\d*)")
_CHUNK = 64 * 1024


def spoilt(chunk: bytes) -> bytes:
    """Return as many bytes, each another."""
    return bytes(byte ^ 0xFF for byte in chunk)


def asked_range(header: str | None, size: int) -> tuple[int, int]:
    """Return the half-open range that was asked for; `start > end` when it lies outside."""
    match = _RANGE.fullmatch(header.strip()) if header else None
    if match is None:
        return 0, size
    start = int(match[1])
    end = min(int(match[2]) + 1, size) if match[2] else size
    return (start, end) if start < end else (1, 0)


def chunks(source: Path, start: int, end: int) -> Iterator[bytes]:
    """Yield the bytes `start` up to `end` of a file."""
    with source.open("rb") as file:
        file.seek(start)
        while start < end and (chunk := file.read(min(_CHUNK, end - start))):
            start += len(chunk)
            yield chunk
