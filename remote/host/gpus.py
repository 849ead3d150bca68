"""What `nvidia-smi` says about the cards: the one source that is there on every GPU host.

Whatever it does (hang, print nonsense, know half of the fields, end with an error) is an answer
too: a card is only left out, and a field only None, where nothing could be learned.
"""

import os
import re
import shutil
import subprocess
import time
from pathlib import Path
from typing import Dict, List, NamedTuple, Optional, Sequence, Tuple

from remote import processes
from remote.host import capabilities, kernel_files

# Every driver knows them; 470 does not know the last one of all (its status is 2 then).
OLD_FIELDS = ("index", "name", "memory.total", "memory.free", "driver_version", "uuid")
FIELDS = (*OLD_FIELDS, "mig.mode.current", "compute_cap")
APP_FIELDS = ("gpu_uuid", "pid", "process_name", "used_memory")
UNKNOWN_FIELD = 2

# Where containers have it when the PATH of a non-interactive SSH command does not.
WELL_KNOWN = ("/usr/bin", "/usr/local/nvidia/bin", "/usr/lib/wsl/lib", "/opt/bin")
DRIVER_FILE = Path("/proc/driver/nvidia/version")
MIB = 1024 * 1024
# For all questions together: without persistence mode a driver of many cards takes its time.
SECONDS_TO_ANSWER = 30.0


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
    uuid: str = ""
    number: int = 0  # as nvidia-smi counts, and CUDA with CUDA_DEVICE_ORDER=PCI_BUS_ID


class Gpus(NamedTuple):
    """All cards, and the CUDA version that the driver speaks.

    Attributes:
        cards: those that are there for us.
        cuda_major: None where nvidia-smi does not tell.
        loaded_driver: the version of the kernel's driver, which is there without a card too.
        problem: what nvidia-smi said in place of a card, "" where there is one or no nvidia-smi.
    """

    cards: Tuple[Gpu, ...] = ()
    cuda_major: Optional[int] = None
    loaded_driver: str = ""
    problem: str = ""

    @property
    def driver(self) -> str:
        """The driver's version, or ""."""
        return self.cards[0].driver if self.cards else self.loaded_driver


def look() -> Gpus:
    """Return what nvidia-smi reports; no cards where it is absent or fails.

    A host that several people share shows all cards to everybody, and tells each of them in
    CUDA_VISIBLE_DEVICES which are theirs.
    """
    loaded = parse_driver_file(kernel_files.text(DRIVER_FILE))
    program = shutil.which("nvidia-smi") or shutil.which(
        "nvidia-smi", path=os.pathsep.join(WELL_KNOWN)
    )
    if not program:
        return Gpus(loaded_driver=loaded)
    smi = _NvidiaSmi(program, SECONDS_TO_ANSWER)
    cards, said = _cards(smi)
    cards = visible(cards, os.environ.get("CUDA_VISIBLE_DEVICES", ""))
    if not cards:
        return Gpus(loaded_driver=loaded, problem=parse_problem(said))
    holders = parse_holders(smi.query("compute-apps", APP_FIELDS)[1], processes.marked())
    held = tuple(card._replace(holders=holders.get(card.uuid, ())) for card in cards)
    return Gpus(held, parse_cuda_major(smi.ask()[1]), loaded)


class _NvidiaSmi:
    """The program; when it has hung once, it is not asked again."""

    def __init__(self, program: str, seconds: float) -> None:
        self._program = program
        self._deadline = time.monotonic() + seconds

    def query(self, what: str, fields: Sequence[str]) -> Tuple[Optional[int], str]:
        """Return the exit status and the lines for `--query-WHAT`."""
        return self.ask("--query-%s=%s" % (what, ",".join(fields)), "--format=csv,noheader,nounits")

    def ask(self, *arguments: str) -> Tuple[Optional[int], str]:
        """Return the exit status and what was printed; (None, why) where it gave no answer."""
        seconds = self._deadline - time.monotonic()
        if seconds <= 0:
            return None, "nvidia-smi gave no answer"
        try:
            answer = subprocess.run(
                [self._program, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env=dict(os.environ, LC_ALL="C"),
                timeout=seconds,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return None, "nvidia-smi gave no answer"
        except OSError as error:
            return None, "nvidia-smi does not start: %s" % error.strerror
        return answer.returncode, answer.stdout.decode("utf-8", "replace")


def _cards(smi: _NvidiaSmi) -> Tuple[Tuple[Gpu, ...], str]:
    status, said = smi.query("gpu", FIELDS)
    if status == UNKNOWN_FIELD:
        status, said = smi.query("gpu", OLD_FIELDS)
    return parse_cards(said), said


def visible(cards: Sequence[Gpu], setting: str) -> Tuple[Gpu, ...]:
    """Return the cards that CUDA_VISIBLE_DEVICES leaves: "2,3", or the begin of UUIDs.

    Where it names none of them (empty, "-1", a number from outside of the container, a part of a
    card) it is of no use to anybody, and all cards stay.
    """
    names = [name.strip() for name in setting.split(",")]
    left = [
        card
        for card in cards
        if str(card.number) in names
        or any(name.startswith("GPU-") and card.uuid.startswith(name) for name in names)
    ]
    return tuple(left or cards)


def parse_cards(csv: str) -> Tuple[Gpu, ...]:
    """Return the cards in the CSV answer; other lines ("No devices were found") are skipped.

    Of a card that is cut into parts (MIG) the numbers are the whole card's, while a process gets
    one part: its memory counts as not known.
    """
    cards: List[Gpu] = []
    for line in csv.splitlines():
        fields = [field.strip() for field in line.split(",")]
        named = dict(zip(FIELDS, fields))
        number, driver = _number(fields[0]), named.get("driver_version", "")
        if number is None or not re.match(r"\d+\.\d", driver):
            continue
        is_cut = named.get("mig.mode.current") == "Enabled"
        cards.append(
            Gpu(
                name=named["name"][:80],
                memory_total=None if is_cut else _mib(named["memory.total"]),
                memory_free=None if is_cut else _mib(named["memory.free"]),
                driver=driver[:40],
                capability=_capability(named.get("compute_cap", ""), named["name"]),
                uuid=named.get("uuid", "")[:80],
                number=number,
            )
        )
    return tuple(cards)


def parse_holders(csv: str, ours: Dict[int, str]) -> Dict[str, Tuple[Holder, ...]]:
    """Return the holders of each card by its UUID.

    Args:
        csv: the answer; a program's name may have commas in it.
        ours: the runs of our processes, by process id.
    """
    found: Dict[str, List[Holder]] = {}
    for line in csv.splitlines():
        fields = [field.strip() for field in line.split(",")]
        pid = _number(fields[1]) if len(fields) >= 4 else None
        if pid is None:
            continue
        name = ",".join(fields[2:-1])
        name = "" if name.startswith("[") else name.rpartition("/")[2][:60]  # "[Not Found]"
        found.setdefault(fields[0], []).append(Holder(pid, name, _mib(fields[-1]), pid in ours))
    return {uuid: tuple(holders) for uuid, holders in found.items()}


def describe_holders(holders: Sequence[Holder]) -> str:
    """Return the holders for a person: "python (4711), 19.5 GiB; …", the largest first."""
    ranked = sorted(holders, key=lambda holder: -(holder.memory or 0))
    return "; ".join(map(_described, ranked))[:300]


def parse_cuda_major(header: str) -> Optional[int]:
    """Return the major CUDA version in the table's header, or None."""
    found = re.search(r"CUDA (?:UMD )?Version:\s*(\d+)\.\d+", header)
    return int(found.group(1)) if found else None


def parse_driver_file(text: str) -> str:
    """Return the version in /proc/driver/nvidia/version, "" where there is none."""
    found = re.search(r"Kernel Module(?: for \S+)?\s+(\d+\.\d+(?:\.\d+)*)\s", text)
    return found.group(1) if found else ""


def parse_problem(said: str) -> str:
    """Return the first line of what nvidia-smi said in place of an answer, bounded."""
    lines = ("".join(filter(str.isprintable, line)).strip() for line in said.splitlines())
    return next(filter(None, lines), "nvidia-smi says nothing")[:200]


def is_failure(problem: str) -> bool:
    """Tell whether nvidia-smi failed to look, rather than looked and found no card."""
    return bool(problem) and "No devices were found" not in problem


def _described(holder: Holder) -> str:
    who = "%s (%d)" % (holder.name or "?", holder.pid)
    whose = ", Paperkite" if holder.ours else ""
    if holder.memory is None:
        return who + whose
    return "%s%s, %.1f GiB" % (who, whose, holder.memory / 1024**3)


def _capability(told: str, name: str) -> Optional[Tuple[int, int]]:
    found = re.match(r"(\d{1,2})\.(\d)$", told)
    return (int(found.group(1)), int(found.group(2))) if found else capabilities.of_card(name)


def _mib(field: str) -> Optional[int]:
    number = _number(field)
    return None if number is None else number * MIB


def _number(field: str) -> Optional[int]:
    return int(field) if re.match(r"[0-9]{1,11}$", field) else None
