"""What `nvidia-smi` says about the cards: the one source that is there on every GPU host."""

import os
import re
import shutil
from typing import List, NamedTuple, Optional, Tuple

from remote.packages.programs import ask

QUERY = (
    "--query-gpu=name,memory.total,memory.free,driver_version",
    "--format=csv,noheader,nounits",
)
# Where containers have it when the PATH of a non-interactive SSH command does not.
WELL_KNOWN = ("/usr/bin", "/usr/local/nvidia/bin", "/usr/lib/wsl/lib", "/opt/bin")
MIB = 1024 * 1024
SECONDS_TO_ANSWER = 30.0  # without persistence mode a driver of many cards takes its time


class Holder(NamedTuple):
    """A process that holds memory of a card.

    Attributes:
        pid: as the driver knows it; in a container it may be nobody's.
        name: of the program, "" where it cannot be told.
        memory: bytes, None where the driver does not tell.
        ours: whether it carries the mark of one of our runs.
    """

    pid: int
    name: str
    memory: Optional[int]
    ours: bool = False


class Gpu(NamedTuple):
    """One card; memory in bytes, None where the driver does not tell."""

    name: str
    memory_total: Optional[int]
    memory_free: Optional[int]
    driver: str
    capability: Optional[Tuple[int, int]] = None  # compute capability: (8, 9) for a 4090
    holders: Tuple[Holder, ...] = ()


class Gpus(NamedTuple):
    """All cards, and the CUDA version that the driver speaks."""

    cards: Tuple[Gpu, ...] = ()
    cuda_major: Optional[int] = None

    @property
    def driver(self) -> str:
        """The driver's version, or ""."""
        return self.cards[0].driver if self.cards else ""


def look() -> Gpus:
    """Return what nvidia-smi reports; no cards where it is absent or fails."""
    program = shutil.which("nvidia-smi") or shutil.which(
        "nvidia-smi", path=os.pathsep.join(WELL_KNOWN)
    )
    if not program:
        return Gpus()
    cards = parse_cards(ask([program, QUERY[0], QUERY[1]], SECONDS_TO_ANSWER) or "")
    if not cards:
        return Gpus()
    return Gpus(cards, parse_cuda_major(ask([program], SECONDS_TO_ANSWER) or ""))


def parse_cards(csv: str) -> Tuple[Gpu, ...]:
    """Return the cards in the CSV answer; other lines ("No devices were found") are skipped."""
    cards: List[Gpu] = []
    for line in csv.splitlines():
        fields = [field.strip() for field in line.split(",")]
        if len(fields) == 4 and fields[0]:
            cards.append(Gpu(fields[0][:80], _mib(fields[1]), _mib(fields[2]), fields[3][:40]))
    return tuple(cards)


def parse_cuda_major(header: str) -> Optional[int]:
    """Return the major CUDA version in the table's header, or None."""
    found = re.search(r"CUDA (?:UMD )?Version:\s*(\d+)\.\d+", header)
    return int(found.group(1)) if found else None


def _mib(field: str) -> Optional[int]:
    return int(field) * MIB if field.isdigit() else None
