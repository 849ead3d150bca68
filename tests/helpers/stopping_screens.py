"""The stop ladder and the question at quitting, from plain values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from PySide6.QtWidgets import QWidget

from desktop.core.errors import AppError
from desktop.core.events import Ended, Event, PhaseChanged, PoweringOff
from desktop.core.leaving import Choice, left_behind
from desktop.core.phases import Phase
from desktop.core.session.wishes import Wishes
from desktop.core.ssh.destination import Destination
from desktop.core.stopping import Rung, Standing, offer
from desktop.core.texts import Texts
from desktop.ui.intents import HostKey
from desktop.ui.stopping.dialog import StopDialog
from desktop.ui.stopping.quit import QuitDialog
from desktop.ui.theme import Theme
from tests.helpers.scenes import alone, clear, ground, settle
from tests.helpers.screens import CHANGED

AUTODL = Standing(
    "westb-12345",
    Phase.READY,
    is_on=True,
    rate=1.98,
    currency="CNY",
    address="connect.westb.seetacloud.com",
    provider="autodl",
)
RUNPOD = replace(AUTODL, name="两张 A100", rate=3.2, currency="USD", provider="runpod")
NOBODYS = replace(AUTODL, name="lab", rate=0.0, address="10.0.0.7", provider="")
WISHES = Wishes(Destination("gpu"))
STOPPED: tuple[Event, ...] = (
    PhaseChanged(Phase.STOPPING),
    Ended("stopped", "asked"),
    PhaseChanged(Phase.OFF),
)
OFF: tuple[Event, ...] = (
    PhaseChanged(Phase.STOPPING),
    *(PoweringOff(silent, 3) for silent in range(4)),
    Ended("stopped", "asked", powered_off=True),
    PhaseChanged(Phase.OFF),
)
NOT_CONFIRMED: tuple[Event, ...] = (
    PhaseChanged(Phase.STOPPING),
    PoweringOff(0, 3),
    Ended("stopped", "asked"),
    PhaseChanged(
        Phase.FAILED,
        AppError(
            "power-off-not-confirmed", host="connect.westb.seetacloud.com", port=12345, seconds=120
        ),
    ),
)
UNSEEN: tuple[Event, ...] = (
    PhaseChanged(Phase.STOPPING),
    PhaseChanged(Phase.FAILED, AppError("stop-unseen", host="connect.westb.seetacloud.com")),
)

CHANGED_KEY: tuple[Event, ...] = (
    PhaseChanged(Phase.STOPPING),
    PhaseChanged(Phase.FAILED, CHANGED),
)


def ask(theme: Theme, texts: Texts, standing: Standing, patience_ms: int = 8000) -> StopDialog:
    """Return the ladder for a host that stands like this."""
    return StopDialog(ground(), theme, texts, offer(standing), patience_ms)


def going(
    theme: Theme, texts: Texts, rung: Rung, *events: Event, standing: Standing = AUTODL
) -> StopDialog:
    """Return the sheet after a choice and what was heard since."""
    made = ask(theme, texts, standing)
    made.begin(rung)
    for event in events:
        made.show_event(event)
    return made


def quitting(theme: Theme, texts: Texts, *hosts: tuple[Standing, Wishes | None]) -> QuitDialog:
    """Return the question for these hosts."""
    left = left_behind(hosts)
    keys = {HostKey(each.standing.name): each for each in left}
    return QuitDialog(ground(), theme, texts, keys)


def several(theme: Theme, texts: Texts) -> QuitDialog:
    """Three hosts that end in different ways."""
    return quitting(
        theme,
        texts,
        (AUTODL, replace(WISHES, power_off=True, spending_seconds=9000)),
        (replace(RUNPOD, phase=Phase.PREPARING), WISHES),
        (replace(NOBODYS, rate=0.5), replace(WISHES, lease_seconds=0)),
    )


def _quitting_stops(theme: Theme, texts: Texts) -> QuitDialog:
    made = several(theme, texts)
    made._choose(Choice.POWER_OFF)
    for event in OFF[:4]:
        made.show_event(HostKey(AUTODL.name), event)
    for event in STOPPED:
        made.show_event(HostKey(RUNPOD.name), event)
    return made


def _quitting_failed(theme: Theme, texts: Texts) -> QuitDialog:
    made = quitting(theme, texts, (AUTODL, WISHES))
    made._choose(Choice.STOP)
    for event in UNSEEN:
        made.show_event(HostKey(AUTODL.name), event)
    return made


def _quitting_failed_long(theme: Theme, texts: Texts) -> QuitDialog:
    made = quitting(theme, texts, (AUTODL, WISHES))
    made._choose(Choice.STOP)
    made.show()  # as it is when it fails: what was measured then is to be measured anew
    settle()
    for event in CHANGED_KEY:
        made.show_event(HostKey(AUTODL.name), event)
    return made


def _impatient(theme: Theme, texts: Texts) -> StopDialog:
    made = going(theme, texts, Rung.POWER_OFF, *OFF[:3])
    made._patience.stop()
    made._show()
    return made


SCENES: dict[str, Callable[[Theme, Texts], QWidget]] = {
    "stop-autodl": lambda theme, texts: ask(theme, texts, AUTODL),
    "stop-replying": lambda theme, texts: ask(theme, texts, replace(AUTODL, replying=True)),
    "stop-console": lambda theme, texts: ask(theme, texts, RUNPOD),
    "stop-nobodys": lambda theme, texts: ask(theme, texts, NOBODYS),
    "stop-off": lambda theme, texts: ask(theme, texts, replace(AUTODL, phase=Phase.OFF)),
    "stopping": lambda theme, texts: going(theme, texts, Rung.SERVER, STOPPED[0]),
    "stopping-lost": lambda theme, texts: going(
        theme, texts, Rung.SERVER, STOPPED[0], PhaseChanged(Phase.RECONNECTING)
    ),
    "stopped": lambda theme, texts: going(theme, texts, Rung.SERVER, *STOPPED),
    "stopping-off": _impatient,
    "stopped-off": lambda theme, texts: going(theme, texts, Rung.POWER_OFF, *OFF),
    "stop-not-confirmed": lambda theme, texts: going(theme, texts, Rung.POWER_OFF, *NOT_CONFIRMED),
    "stop-unseen": lambda theme, texts: going(theme, texts, Rung.SERVER, *UNSEEN),
    "quit-one": lambda theme, texts: quitting(theme, texts, (AUTODL, WISHES)),
    "quit-several": several,
    "quit-was-left": lambda theme, texts: quitting(
        theme, texts, (replace(AUTODL, phase=Phase.OFF, was_left=True), None)
    ),
    "quit-only-on": lambda theme, texts: quitting(
        theme, texts, (replace(AUTODL, phase=Phase.OFF), WISHES)
    ),
    "quit-stopping": _quitting_stops,
    "quit-failed": _quitting_failed,
    "quit-failed-long": _quitting_failed_long,
    "quit-unpriced": lambda theme, texts: quitting(
        theme, texts, (AUTODL, WISHES), (NOBODYS, WISHES)
    ),
}
PICTURES = {name: alone(make) for name, make in SCENES.items()}
close = clear
