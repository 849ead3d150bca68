"""The monitor with a made-up hour."""

from __future__ import annotations

import math

from PySide6.QtWidgets import QWidget

from desktop.core.events import Card, Sample
from desktop.core.explain import Language
from desktop.core.history import History
from desktop.core.texts import Texts
from desktop.ui.monitor.dialog import MonitorDialog
from desktop.ui.theme import Theme
from tests.helpers.scenes import Picture, alone, ground

NOW = 10_000.0
GIB = 1 << 30


def sample(at: float, cards: int = 1) -> Sample:
    """Return what a busy host might say at a second of the hour."""
    wave = max(0.0, math.sin(at / 190) + 0.4 * math.sin(at / 37))
    busy = wave > 0.2
    return Sample(
        cards=tuple(
            Card(round(97 * min(wave, 1.0)), int(22.1 * GIB), 24 * GIB) for _ in range(cards)
        ),
        kv_use=min(0.7 * wave, 1.0),
        running=math.ceil(3 * wave),
        waiting=2 if wave > 1.2 else 0,
        tokens_per_s=120 * wave if busy else 0.0,
        prompt_tokens_per_s=900.0 * wave if busy else 0.0,
        ttft_s=0.3 + 0.4 * wave if busy else None,
    )


def an_hour(cards: int = 1) -> History:
    history = History()
    for step in range(100, 1800):
        at = NOW - 3600 + 2 * step
        if not 600 <= step < 700:  # the laptop slept
            history.add(sample(at, cards), at)
    return history


def monitor(
    parent: QWidget, language: Language, theme: Theme, history: History | None = None
) -> MonitorDialog:
    shown = an_hour() if history is None else history
    texts = Texts(language)
    return MonitorDialog(parent, theme, texts, "westb-12345", shown, lambda: NOW, others=lambda: 2)


def _showing(history: History) -> Picture:
    def make(theme: Theme, texts: Texts) -> MonitorDialog:
        dialog = monitor(ground(), texts.language, theme, history)
        dialog.show()
        dialog.draw()
        return dialog

    return alone(make)


PICTURES = {
    "monitor": _showing(an_hour()),
    "monitor-cards": _showing(an_hour(cards=4)),
    "monitor-rests": _showing(History()),
}
