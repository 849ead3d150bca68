"""Threads share one heap: glibc itself is asked."""

from __future__ import annotations

import subprocess
import sys

import pytest

_PROGRAM = """
import ctypes, threading
from desktop.system.heaps import share_one_heap

{call}
c = ctypes.CDLL(None)
c.malloc.restype = ctypes.c_void_p
c.malloc.argtypes = [ctypes.c_size_t]
waiting = threading.Barrier(9)

def take():
    c.malloc(5000)
    waiting.wait()
    waiting.wait()

threads = [threading.Thread(target=take) for _ in range(8)]
for thread in threads:
    thread.start()
waiting.wait()
c.malloc_info.argtypes = [ctypes.c_int, ctypes.c_void_p]
c.fdopen.restype = ctypes.c_void_p
out = c.fdopen(1, b"w")
c.malloc_info(0, out)
c.fflush(ctypes.c_void_p(out))
waiting.wait()
"""


def heaps(call: str) -> int:
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM.format(call=call)],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.count("<heap nr=")


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's heaps")
def test_threads_share_one_heap_which_they_would_not_by_themselves() -> None:
    assert heaps("share_one_heap()") == 1
    assert heaps("") > 1
