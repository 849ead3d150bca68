"""The first run, from plain values."""

from __future__ import annotations

from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit

from desktop.core.errors import AgentRefused, AppError
from desktop.core.events import Event, Fact, PhaseChanged, Surveyed, Surveying, TaskChanged
from desktop.core.last_checks import DOWNLOAD_RATE, RUNNING_MODEL, LastCheck
from desktop.core.phases import Phase
from desktop.ui.intents import Target
from tests.helpers.screens import (
    A_4090,
    NOBODY,
    RENTED,
    TARGET,
    Scene,
    Stage,
    preparing,
    windows,
)
from tests.helpers.window import child, click

LINE = "ssh -p 12345 root@connect.westb.seetacloud.com"
FOUND: dict[str, object] = {
    **A_4090,
    "gpu.0.memory_total": 24564 << 20,
    "gpu.0.capability": "8.9",
    "provider": "autodl",
    "no_gpu_boot": False,
    "disk.free": 49_000_000_000,
}
WITHOUT_GPU = {"gpu.count": 0, "no_gpu_boot": True, "provider": "autodl"}
SMALL = {**FOUND, "gpu.0.name": "NVIDIA GeForce RTX 2080 Ti", "gpu.0.memory_total": 11264 << 20}
SMALL |= {"gpu.0.memory_free": 10_800 << 20, "gpu.0.capability": "7.5"}
TWO = {
    **FOUND,
    "gpu.count": 2,
    **{key.replace(".0.", ".1."): FOUND[key] for key in FOUND if ".0." in key},
}


def looking() -> list[tuple[float, Event]]:
    """The host is being looked at."""
    return [
        (0.0, PhaseChanged(Phase.CONNECTING)),
        (0.0, Surveying()),
        (0.0, TaskChanged("connect", "running")),
        (1.4, TaskChanged("connect", "done")),
        (0.0, PhaseChanged(Phase.CHECKING)),
        (0.0, TaskChanged("deploy", "running")),
        (0.8, TaskChanged("deploy", "done")),
        (0.0, TaskChanged("preflight", "running")),
    ]


def surveyed(
    facts: dict[str, object] | None = None, error: AppError | None = None
) -> list[tuple[float, Event]]:
    """The host was looked at."""
    found = FOUND if facts is None else facts
    return [
        *looking(),
        *((0.0, Fact(name, value)) for name, value in found.items()),
        (1.1, TaskChanged("preflight", "done")),
        (0.0, Surveyed(found, error)),
        (0.0, PhaseChanged(Phase.OFF)),
    ]


def too_large() -> list[tuple[float, Event]]:
    """The model does not fit on the card."""
    error = AgentRefused(
        "preflight.model-does-not-fit", model=TARGET.model, needed=23 << 30, room=10 << 30
    )
    return [*preparing()[:-4], (0.0, PhaseChanged(Phase.FAILED, error))]


def type_line(stage: Stage, text: str = LINE) -> None:
    """Type the provider's line."""
    field = child(stage.window, "hostField")
    assert isinstance(field, QLineEdit)
    field.clear()
    QTest.keyClicks(field, text)


def change(stage: Stage, facts: dict[str, object] | None = None, age_s: float = 300.0) -> None:
    """Press "Change…" at a host that was looked at before."""
    host = stage.intents.hosts[next(iter(stage.window.panes))]
    if facts is not None:
        host.checked = LastCheck(facts, stage.clock() - age_s)
    click(stage.window, "changeButton")


def _search(stage: Stage, text: str) -> None:
    stage.play(surveyed())
    QTest.keyClicks(child(stage.window, "modelField"), text)


def _details(stage: Stage) -> None:
    change(stage, {**FOUND, DOWNLOAD_RATE: 6.2e7})
    click(stage.window, "planDetailsButton")


def _paid(stage: Stage) -> None:
    type_line(stage)
    click(stage.window, "rateOffer")


SCENES: dict[str, tuple[Target, Scene]] = {
    "first-run-recognised": (NOBODY, type_line),
    "first-run-paid": (NOBODY, _paid),
    "first-run-vast": (NOBODY, lambda stage: type_line(stage, "ssh -p 31022 root@ssh5.vast.ai")),
    "looking": (TARGET, lambda stage: stage.play(looking())),
    "planner": (TARGET, lambda stage: stage.play(surveyed())),
    "planner-small": (TARGET, lambda stage: stage.play(surveyed(SMALL))),
    "planner-two": (TARGET, lambda stage: stage.play(surveyed(TWO))),
    "planner-no-gpu": (TARGET, lambda stage: stage.play(surveyed(dict(WITHOUT_GPU)))),
    "planner-unknown": (RENTED, change),
    "planner-details": (RENTED, _details),
    "planner-search": (TARGET, lambda stage: _search(stage, "coder")),
    "planner-hub-id": (TARGET, lambda stage: _search(stage, "deepseek-ai/DeepSeek-V4-AWQ")),
    "planner-running": (
        TARGET,
        lambda stage: stage.play(surveyed({**FOUND, RUNNING_MODEL: "Qwen/Qwen3-14B-AWQ"})),
    ),
    "too-large": (TARGET, lambda stage: stage.play(too_large())),
}


PICTURES = windows(SCENES)
