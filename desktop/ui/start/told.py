"""A journey as a report tells it."""

from __future__ import annotations

import PySide6
from PySide6.QtCore import qVersion
from PySide6.QtGui import QGuiApplication

from desktop.core import report
from desktop.core.report import Story
from desktop.ui.start.journey import Journey, Step


def story_of(journey: Journey, now: float) -> Story:
    """Return what there is to report at clock time `now`."""
    return Story(
        phase=journey.phase.value,
        error=journey.error or journey.crash,
        steps=tuple(_step(step, journey, now) for step in Step),
        facts=journey.facts,
        versions={
            "qt": f"{qVersion()} (PySide6 {PySide6.__version__})",
            "platform": QGuiApplication.platformName(),
        },
    )


def _step(step: Step, journey: Journey, now: float) -> report.Step:
    row = journey.rows[step]
    return report.Step(step.value, row.state, row.elapsed(now))
