"""A stand-in for nvidia-smi: a program that answers for a host as it is described.

It knows the fields that a driver of that number knows, refuses others as the real one does (status
2), and can be told to fail or to hang. Python 3.8 runs it too.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

KNOWS_COMPUTE_CAP = 510  # the first driver that does


@dataclass(frozen=True)
class Process:
    """A program that holds memory of a card; None is "[N/A]"."""

    pid: int
    name: str
    mib: int | None


@dataclass(frozen=True)
class Card:
    """One card. `driver_mib` is what the driver keeps for itself."""

    name: str
    mib: int
    capability: str
    processes: tuple[Process, ...] = ()
    driver_mib: int = 450
    mig: str = "[N/A]"  # "Enabled" and "Disabled" on cards that can be cut into parts

    @property
    def used_mib(self) -> int:
        """What is in use altogether."""
        return sum(process.mib or 0 for process in self.processes)


@dataclass(frozen=True)
class GpuHost:
    """What nvidia-smi tells of; `said` and `status` take the place of every answer."""

    driver: str = "550.90.07"
    cuda: str = "12.4"
    cards: tuple[Card, ...] = ()
    said: str = ""
    status: int = 0
    hangs: bool = False


RTX_4090 = Card("NVIDIA GeForce RTX 4090", 24564, "8.9")
RTX_3090 = Card("NVIDIA GeForce RTX 3090", 24576, "8.6")
RTX_2080_TI = Card("NVIDIA GeForce RTX 2080 Ti", 11264, "7.5")
V100 = Card("Tesla V100-SXM2-32GB", 32768, "7.0")


def install(folder: Path, host: GpuHost) -> Path:
    """Write the program to FOLDER/nvidia-smi and return its path; an older one is replaced."""
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / "nvidia-smi"
    description = json.dumps(asdict(host))
    text = _PROGRAM % (sys.executable, description)
    part = folder / "nvidia-smi.part"
    part.write_text(text, encoding="utf-8")
    part.chmod(0o755)
    part.replace(program)
    return program


_PROGRAM = r'''#!%s -IS
import json, sys, time
HOST = json.loads(r"""%s""")

def uuid(index):
    return "GPU-0000000%%d-1111-2222-3333-444444444444" %% index

def bus(index):
    return "00000000:0%%d:00.0" %% (index + 1)

def used(card):
    return sum(process["mib"] or 0 for process in card["processes"])

def of_card(index, card):
    row = {
        "index": str(index),
        "name": card["name"],
        "uuid": uuid(index),
        "pci.bus_id": bus(index),
        "driver_version": HOST["driver"],
        "memory.total": str(card["mib"]),
        "memory.used": str(used(card)),
        "memory.free": str(card["mib"] - card["driver_mib"] - used(card)),
        "utilization.gpu": "0",
        "temperature.gpu": "35",
        "power.draw": "20.50",
        "mig.mode.current": card["mig"],
    }
    if int(HOST["driver"].split(".")[0]) >= KNOWS_COMPUTE_CAP:
        row["compute_cap"] = card["capability"]
    return row

def of_process(index, process):
    mib = "[N/A]" if process["mib"] is None else str(process["mib"])
    return {
        "gpu_uuid": uuid(index),
        "gpu_bus_id": bus(index),
        "pid": str(process["pid"]),
        "process_name": process["name"],
        "used_memory": mib,
        "used_gpu_memory": mib,
    }

def table(rows, known, fields):
    for field in fields:
        if field not in known:
            print('Field "%%s" is not a valid field to query.\n' %% field)
            return 2
    for row in rows:
        print(", ".join(row[field] for field in fields))
    return 0

def answer(arguments):
    cards = HOST["cards"]
    what, _, fields = arguments[0].partition("=") if arguments else ("", "", "")
    if what == "--query-gpu":
        rows = [of_card(index, card) for index, card in enumerate(cards)]
        return table(rows, rows[0], fields.split(","))
    if what == "--query-compute-apps":
        rows = [of_process(index, one) for index, card in enumerate(cards)
                for one in card["processes"]]
        return table(rows, of_process(0, {"mib": 0, "pid": 0, "name": ""}), fields.split(","))
    if arguments == ["-L"]:
        for index, card in enumerate(cards):
            print("GPU %%d: %%s (UUID: %%s)" %% (index, card["name"], uuid(index)))
        return 0
    shown = "NVIDIA-SMI %%(driver)-19s Driver Version: %%(driver)-14s CUDA Version: %%(cuda)s"
    print("Mon Nov 23 09:00:00 2026")
    print("+" + "-" * 89 + "+")
    print("| %%-87s |" %% (shown %% HOST))
    return 0

if HOST["hangs"]:
    time.sleep(3600)
if HOST["said"] or HOST["status"]:
    print(HOST["said"])
    sys.exit(HOST["status"])
if not HOST["cards"]:
    print("No devices were found")
    sys.exit(6)
sys.exit(answer(sys.argv[1:]))
'''.replace("KNOWS_COMPUTE_CAP", str(KNOWS_COMPUTE_CAP))
