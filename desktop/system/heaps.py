"""How many heaps the C library keeps for this program's threads.

glibc gives each thread a heap of its own, up to eight for each core, and each keeps a part of what
its threads ever had. Python's threads take turns anyway. Measured with connections that are lost
and found again (`tests/bench/soak_string.py`): the command grew by 3 MiB in a quarter of an hour.
"""

from __future__ import annotations

import ctypes
import sys

_M_ARENA_MAX = -8  # malloc.h of glibc
_HEAPS = 1


def share_one_heap() -> None:
    """Have all threads take their memory from one heap. Before the first thread; else no effect."""
    if sys.platform != "linux":
        return
    set_option = getattr(ctypes.CDLL(None), "mallopt", None)  # musl has none
    if set_option is not None:
        set_option(_M_ARENA_MAX, _HEAPS)
