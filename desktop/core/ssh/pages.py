"""Buffers in pages of their own.

Each connection has large ones, and each is made on another thread. Out of the C library's heaps
they would leave holes behind: measured, `paperkite forward` grew by 5 MiB in seven minutes of lost
and found connections, with not one object more.
"""

from __future__ import annotations

from mmap import mmap


def pages(size: int) -> memoryview:
    """Return `size` zeros to write to; they go back to the system when nobody has them any more."""
    return memoryview(mmap(-1, size))
