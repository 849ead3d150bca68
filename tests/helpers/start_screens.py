"""Scenes of the start sheet and of the log."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from PySide6.QtWidgets import QDialog, QWidget

from desktop.core.errors import AgentRefused, AppError, HostUnreachable
from desktop.core.events import (
    Ended,
    Event,
    Logged,
    LogLine,
    PhaseChanged,
    TaskChanged,
    Tidied,
    Tidying,
)
from desktop.core.explain import Language
from desktop.core.phases import Phase
from desktop.core.redaction import redact
from desktop.core.remedies import Remedy
from desktop.ui.intents import Target
from desktop.ui.logs.dialog import LogsDialog
from tests.helpers.scenes import Look, Picture, settle
from tests.helpers.screens import (
    OTHER,
    RENTED,
    TARGET,
    Scene,
    Stage,
    close,
    key_of,
    loading,
    preparing,
    set_stage,
    windows,
)

Script = list[tuple[float, Event]]
LANGUAGES: tuple[Language, ...] = ("zh", "en")


def failing(error: AppError, task: str = "preflight") -> Script:
    """Return a start that this error ended, in this task."""
    begun = preparing() if task != "preflight" else preparing()[:14]
    return [*begun, (1.0, TaskChanged(task, "failed")), (0.0, PhaseChanged(Phase.FAILED, error))]


DISK_FULL = AgentRefused(
    "model.disk-full", path="/root/autodl-tmp", free=2_100_000_000, needed=19_230_000_000
)
TOO_LONG = AgentRefused(
    "engine.length-does-not-fit",
    asked=32768,
    fits=4096,
    exit_status=1,
    last_lines=["ValueError: the model's max seq len (32768) is larger than the maximum number"],
)
NO_GPU = AgentRefused("preflight.boot-with-gpu")
NOT_FITTING = AgentRefused(
    "preflight.model-does-not-fit", model=TARGET.model, needed=20 << 30, room=10 << 30
)


def cancelling() -> Script:
    """Return a start that a person cancels."""
    return [*preparing(), (3.0, PhaseChanged(Phase.STOPPING))]


def cancelled() -> Script:
    """Return the same once it is over."""
    return [*cancelling(), (2.0, Ended("stopped", "asked")), (0.0, PhaseChanged(Phase.OFF))]


def _unreached() -> Script:
    error = HostUnreachable("host-refused", host="connect.westb.seetacloud.com", port=12345)
    return [
        (0.0, PhaseChanged(Phase.CONNECTING)),
        (0.0, TaskChanged("connect", "running")),
        (120.0, PhaseChanged(Phase.FAILED, error)),
    ]


def _playing(script: Script) -> Scene:
    return lambda stage: stage.play(script)


def _reported(stage: Stage) -> None:
    stage.play(failing(TOO_LONG, "serve"))
    stage.window.pane._remedy(Remedy.REPORT)


SCENES: dict[str, tuple[Target, Scene]] = {
    "start-costs": (RENTED, _playing(preparing())),
    "start-costs-loading": (RENTED, _playing(loading())),
    "start-unpriced": (OTHER, _playing(preparing())),
    "start-cancelling": (RENTED, _playing(cancelling())),
    "start-cancelled": (RENTED, _playing(cancelled())),
    "start-disk-full": (RENTED, _playing(failing(DISK_FULL, "model-files"))),
    "start-tidying": (RENTED, _playing([*failing(DISK_FULL, "model-files"), (0.0, Tidying())])),
    "start-tidied": (
        RENTED,
        _playing([*failing(DISK_FULL, "model-files"), (0.0, Tidied(12_300_000_000, 14))]),
    ),
    "start-too-long": (RENTED, _reported),
    "start-no-gpu": (RENTED, _playing(failing(NO_GPU))),
    "start-not-fitting": (RENTED, _playing(failing(NOT_FITTING))),
    "start-unreached": (RENTED, _playing(_unreached())),
}

_LOG = (
    ("engine-environment", "Resolved 163 packages in 2.41s"),
    ("engine-environment", "Downloading torch (830.4MiB)"),
    ("model-files", "model-00001-of-00002.safetensors: 7.2 / 9.9 GB"),
    ("supervisor", "12:01:44 task serve: running"),
    ("engine", "INFO 11-23 12:01:52 [__init__.py:244] Automatically detected platform cuda."),
    ("engine", "INFO 11-23 12:02:11 [gpu_model_runner.py:1595] Starting to load model 01ai/Yi-34B"),
    ("engine", "Loading safetensors checkpoint shards:  50% Completed | 1/2 [00:09<00:09,  9.31s]"),
    ("engine", "WARNING 11-23 12:02:31 [awq_marlin.py:120] 模型权重以半精度计算"),
)


def log_lines(times: int = 1) -> tuple[LogLine, ...]:
    """Return some lines of all logs, repeated so often."""
    return tuple(LogLine(task, line) for task, line in _LOG * times)


def _log(stage: Stage) -> LogsDialog:
    return LogsDialog(stage.window, stage.theme, stage.texts, key_of(TARGET), redact)


def _live(stage: Stage) -> QDialog:
    dialog = _log(stage)
    dialog.hear([Logged(log_lines(8), anew=True)])
    return dialog


def _last_known(stage: Stage) -> QDialog:
    dialog = _log(stage)
    dialog.hear([Logged(log_lines(3), anew=True, live=False)])
    dialog.choose("engine")
    dialog.seek("awq")
    return dialog


def _empty(stage: Stage) -> QDialog:
    dialog = _log(stage)
    dialog.hear([Logged((), anew=True)])
    return dialog


DIALOGS: dict[str, Callable[[Stage], QDialog]] = {
    "log-live": _live,
    "log-last-known": _last_known,
    "log-empty": _empty,
}


def _of_dialog(make: Callable[[Stage], QDialog]) -> Picture:
    @contextmanager
    def show(look: Look) -> Iterator[QWidget]:
        stage = set_stage(look.language, look.theme)
        dialog = make(stage)
        dialog.show()
        settle()
        try:
            yield dialog
        finally:
            close(stage)

    return Picture(show)


PICTURES = windows(SCENES) | {name: _of_dialog(make) for name, make in DIALOGS.items()}
