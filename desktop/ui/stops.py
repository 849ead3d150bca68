"""Stopping and quitting, as a person asks for them: at once, or after the one question it is worth.

What can be offered, and what is worth a question, is decided in the core (`stopping`, `leaving`);
here the dialogs are opened, and what they choose is carried out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, QUrl
from PySide6.QtGui import QDesktopServices

from desktop.core.events import Event, PhaseChanged
from desktop.core.leaving import Choice, left_behind
from desktop.core.phases import Phase
from desktop.core.stopping import Offer, Rung, offer
from desktop.core.texts import Texts
from desktop.ui.intents import HostKey
from desktop.ui.theme import Theme

if TYPE_CHECKING:
    from desktop.ui.controller import Controller
    from desktop.ui.stopping.dialog import StopDialog
    from desktop.ui.stopping.quit import QuitDialog
    from desktop.ui.window import Window


class Stops(QObject):
    """Asks before a host is stopped, where there is a choice, and before hosts are left."""

    def __init__(
        self,
        controller: Controller,
        theme: Theme,
        texts: Texts,
        window: Callable[[], Window],
        leave: Callable[[], None],
    ) -> None:
        """Take the hosts, the looks, where the window is, and what quits."""
        super().__init__()
        self._controller, self._theme, self._texts = controller, theme, texts
        self._window, self._leave = window, leave
        self._stop: tuple[HostKey, StopDialog] | None = None
        self._quit: QuitDialog | None = None
        self._unasked: dict[HostKey, Offer] = {}  # stopped without a question, and not seen yet

    def stop(self, key: HostKey) -> None:
        """Stop a host: at once where there is nothing to choose."""
        host, window = self._controller.host(key), self._window()
        standing = host.standing(replying=window.desk.replies_at(host.endpoint))
        offered = offer(standing)
        is_early = standing.looks or standing.phase is Phase.CONNECTING  # there is nothing to stop
        if not offered.asks or not standing.is_on or is_early:
            if not is_early:
                self._unasked[key] = offered
            window.stop(key)
            return
        from desktop.ui.stopping.dialog import StopDialog  # noqa: PLC0415 - as all here: lazy

        dialog = StopDialog(window, self._theme, self._texts, offered)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.reply_stopped.connect(lambda: window.desk.stop_at(host.endpoint))
        dialog.server_stopped.connect(lambda: window.stop(key))
        dialog.power_off_asked.connect(lambda: window.stop(key, power_off=True))
        dialog.gave_up.connect(host.stop)
        dialog.console_opened.connect(lambda url: QDesktopServices.openUrl(QUrl(url)))
        dialog.finished.connect(lambda _: self._end_stop())
        self._stop = (key, dialog)
        dialog.open()

    def may_power_off(self, key: HostKey) -> bool:
        """Tell whether a host is on, and can be powered off from here."""
        standing = self._controller.host(key).standing()
        return standing.is_on and Rung.POWER_OFF in offer(standing).rungs

    def quit(self) -> None:
        """Leave the app, after a question where a host goes on costing money."""
        hosts = self._controller.hosts
        left = {key: left_behind([(host.standing(), host.wishes)]) for key, host in hosts.items()}
        costly = {key: found[0] for key, found in left.items() if found}
        if not costly:
            self._leave()
            return
        if self._quit is not None:
            self._quit.activateWindow()
            return
        from desktop.ui.stopping.quit import QuitDialog  # noqa: PLC0415

        window = self._window()
        window.show()
        window.raise_()
        dialog = QuitDialog(window, self._theme, self._texts, costly)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.decided.connect(self._decide)
        dialog.all_stopped.connect(self._leave)
        dialog.finished.connect(lambda _: self._end_quit())
        self._quit = dialog
        dialog.open()

    def hear(self, key: HostKey, events: Sequence[Event]) -> None:
        """Show what a host says of its stop."""
        for event in events:
            if isinstance(event, PhaseChanged):
                self._note(key, event.phase)
            if self._stop is not None and self._stop[0] == key:
                self._stop[1].show_event(event)
            if self._quit is not None:
                self._quit.show_event(key, event)

    def close(self) -> None:
        """Close what is open; what was asked for goes on."""
        for dialog in (self._stop and self._stop[1], self._quit):
            if dialog is not None:
                dialog.close()

    def _note(self, key: HostKey, phase: Phase) -> None:
        """Say that a host is billed all the same, once its stop was seen."""
        if phase not in (Phase.OFF, Phase.FAILED):
            return
        offered = self._unasked.pop(key, None)
        if phase is Phase.OFF and offered is not None and offered.standing.is_on:
            from desktop.ui.stopping.wording import note  # noqa: PLC0415

            self._window().desk.toast.say(note(offered, self._texts))

    def _decide(self, choice: Choice) -> None:
        dialog = self._quit
        if choice is Choice.LEAVE or dialog is None:
            self._leave()
            return
        for key, host in self._controller.hosts.items():
            if key in dialog.hosts:
                off = choice is Choice.POWER_OFF and dialog.powers_off(key)
                if off or host.phase is not Phase.OFF:
                    self._window().stop(key, power_off=off)

    def _end_stop(self) -> None:
        self._stop = None

    def _end_quit(self) -> None:
        self._quit = None
