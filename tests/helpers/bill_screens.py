"""Diary, price and idle question, from plain values."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from PySide6.QtWidgets import QVBoxLayout, QWidget

from desktop.core import providers
from desktop.core.diary.entry import Entry
from desktop.core.errors import StorageError
from desktop.core.texts import Texts
from desktop.ui.diary.dialog import DiaryDialog
from desktop.ui.idle_bar import IdleBar, sentence
from desktop.ui.rate.dialog import RateDialog
from desktop.ui.theme import Theme
from tests.helpers.scenes import alone, ground

NOW = 1_795_420_000.0  # an evening in November 2026
DAY = 86_400.0
YI, QWEN = "01ai/Yi-34B-Chat-4bits", "Qwen/Qwen2.5-7B-Instruct-AWQ"
A_4090 = "NVIDIA GeForce RTX 4090"
_ENDS = ("asked", "asked", "asked", "idle", "left", "powered-off", "lease", "failed", "cut")


def session(number: int, began: float, hours: float, **more: object) -> Entry:
    """Return a session of so many hours at ¥1.98, which wrote some tokens and idled a while."""
    plain = Entry(
        f"e{number}",
        "westb-12345",
        YI,
        began,
        began + hours * 3600,
        card=A_4090,
        run="20261101120000000-abcd",
        rate=1.98,
        currency="CNY",
        reached=began + 2,
        ready=began + 240,
        ended=began + hours * 3600,
        because="asked",
        generated=round(hours * 4200),
        prompt=round(hours * 9100),
        requests=round(hours * 17),
        idle_s=hours * 1300,
    )
    return replace(plain, **more)  # type: ignore[arg-type]


def some() -> list[Entry]:
    """A month of one box, a session that goes on, and one without a price."""
    luck = random.Random(7)
    made = [
        session(0, NOW - 5400, 1.5, ended=None, because=""),
        session(1, NOW - 2 * DAY, 0.4, host="两张 A100", model=QWEN, rate=0.0, currency=""),
    ]
    for number in range(2, 24):
        began = NOW - luck.uniform(0.3, 29.5) * DAY
        because = luck.choice(_ENDS)
        made.append(session(number, began, luck.uniform(0.2, 4.5), because=because))
    return sorted(made, key=lambda entry: entry.began, reverse=True)


def in_two_currencies() -> list[Entry]:
    """The same, and three sessions abroad."""
    abroad = [
        session(
            90 + days, NOW - days * DAY, 2.5, host="vast-31022", model=QWEN, rate=0.44,
            currency="USD", because="left", card="2 × NVIDIA A100-SXM4-80GB",
        )
        for days in (1, 3, 8)
    ]  # fmt: skip
    return sorted([*some(), *abroad], key=lambda entry: entry.began, reverse=True)


def diary(theme: Theme, texts: Texts, entries: Sequence[Entry]) -> DiaryDialog:
    """Return the diary with these sessions; nothing is written."""
    return DiaryDialog(ground(), theme, texts, entries, lambda _path, _shown: None, lambda: NOW)


def _failed_export(theme: Theme, texts: Texts) -> QWidget:
    error = StorageError("storage-not-writable", path="/media/usb/paperkite.csv", reason="No space")
    made = DiaryDialog(ground(), theme, texts, some(), lambda _path, _shown: error, lambda: NOW)
    made.save(Path("/media/usb/paperkite.csv"))
    return made


def _rate(theme: Theme, texts: Texts, provider: str, *known: object) -> RateDialog:
    found = providers.find(provider)
    return RateDialog(ground(), theme, texts, "westb-12345", found, *known)  # type: ignore[arg-type]


def _wrong_rate(theme: Theme, texts: Texts) -> QWidget:
    made = _rate(theme, texts, "")
    made._price.setText("about two")
    made._limit.setText("10")
    return made


def _marked_chart(theme: Theme, texts: Texts) -> QWidget:
    made = diary(theme, texts, some())
    made.show()
    made._chart.setFocus()
    made._chart._mark(21)
    return made


def _idle(_theme: Theme, texts: Texts) -> QWidget:
    page = ground()
    page.resize(900, 120)
    bar = IdleBar(texts)
    layout = QVBoxLayout(page)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.addWidget(bar)
    layout.addStretch(1)
    bar.ask(sentence("westb-12345", 15 * 60, 1.98, "CNY", texts))
    return page


SCENES: dict[str, Callable[[Theme, Texts], QWidget]] = {
    "diary": lambda theme, texts: diary(theme, texts, some()),
    "diary-currencies": lambda theme, texts: diary(theme, texts, in_two_currencies()),
    "diary-empty": lambda theme, texts: diary(theme, texts, []),
    "diary-day": _marked_chart,
    "diary-not-written": _failed_export,
    "rate": lambda theme, texts: _rate(theme, texts, "autodl"),
    "rate-known": lambda theme, texts: _rate(theme, texts, "autodl", 1.98, "CNY", 10.0),
    "rate-wrong": _wrong_rate,
    "idle-bar": _idle,
}
PICTURES = {name: alone(make) for name, make in SCENES.items()}
