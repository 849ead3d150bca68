"""The tray icon and its menu, and what to do on desktops that have no tray.

Qt never registers an icon that was shown before the tray existed, whatever its documentation
says (opensnitch#1659): after a login the panel may come up seconds later than we do. So for the
first minute the tray is looked for again, and the icon is made anew when it turns up.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtWidgets import QMenu, QSystemTrayIcon

from desktop.core.amounts import joined
from desktop.core.phases import Phase
from desktop.core.texts import Texts
from desktop.ui import icons
from desktop.ui.intents import HostKey, Screen
from desktop.ui.states import STARTABLE, state_icon
from desktop.ui.switcher import Listed
from desktop.ui.theme import Theme

_POLL_MS = 2000
_POLLS = 30  # a minute
_MARK = 16
# One icon for several hosts: what needs a look first, then what works. A host that failed this
# morning must not hide one that answers now.
_FOREMOST = (
    Phase.RECONNECTING,
    Phase.STOPPING,
    Phase.LOADING,
    Phase.PREPARING,
    Phase.CHECKING,
    Phase.CONNECTING,
    Phase.READY,
    Phase.FAILED,
    Phase.OFF,
)


@dataclass(frozen=True, slots=True)
class TrayActions:
    """What the menu does: to one host, or with None to the window and the app."""

    open: Callable[[HostKey | None], None]
    start: Callable[[HostKey], None]
    stop: Callable[[HostKey], None]
    power_off: Callable[[HostKey], None]
    copy_endpoint: Callable[[HostKey], None]
    show: Callable[[Screen, HostKey | None], None]
    quit: Callable[[], None]


class Tray(QObject):
    """One icon with one menu, there or not.

    Signals:
        appeared: a tray turned up and the icon is in it.
    """

    appeared = Signal()
    _SECONDS = 8  # that a notification is asked to stay

    def __init__(
        self,
        actions: TrayActions,
        theme: Theme,
        texts: Texts,
        available: Callable[[], bool] = QSystemTrayIcon.isSystemTrayAvailable,
    ) -> None:
        super().__init__()
        self._theme, self._texts, self._available = theme, texts, available
        self._icon: QSystemTrayIcon | None = None
        self._hosts: Sequence[Listed] = ()
        self._actions = actions
        self._submenus: list[QMenu] = []
        self._told_about: HostKey | None = None
        self.menu = QMenu()
        self._fill()
        self._polls = 0
        self._timer = QTimer(self, interval=_POLL_MS)
        self._timer.timeout.connect(self.look)
        theme.changed.connect(self._draw)

    @property
    def there(self) -> bool:
        """Tell whether the icon is in a tray."""
        return self._icon is not None

    def begin(self) -> None:
        """Look for a tray now, and for a minute where there is none."""
        self.look()
        if not self.there:
            self._timer.start()

    def look(self) -> None:
        """Put the icon into the tray if there is one by now."""
        self._polls += 1
        if self._available():
            self._icon = QSystemTrayIcon(self)
            self._icon.setContextMenu(self.menu)
            self._icon.activated.connect(self._activated)
            self._icon.messageClicked.connect(lambda: self._actions.open(self._told_about))
            self._draw()
            self._icon.show()
            self.appeared.emit()
        if self.there or self._polls > _POLLS:
            self._timer.stop()

    def notify(self, title: str, text: str, host: HostKey | None = None) -> bool:
        """Show a notification, whose click opens the host; False where there is no tray."""
        if self._icon is None:
            return False
        self._told_about = host
        self._icon.showMessage(title, text, icons.application(), self._SECONDS * 1000)
        return True

    def close(self) -> None:
        """Take the icon away: Windows would keep its ghost."""
        self._timer.stop()
        if self._icon is not None:
            self._icon.hide()
            self._icon.deleteLater()
            self._icon = None
        self.menu.deleteLater()

    def speak(self) -> None:
        """Say everything in the language that the texts have now."""
        self._fill()
        self._draw()

    def show_hosts(self, hosts: Sequence[Listed]) -> None:
        """Show every host and how it stands."""
        changed, self._hosts = hosts != self._hosts, hosts
        if changed:
            self._fill()
        self._draw()

    def _fill(self) -> None:
        self.menu.clear()
        for submenu in self._submenus:
            submenu.deleteLater()
        self._submenus = []
        if len(self._hosts) > 1:
            self._fill_with_many()
        else:
            self._fill_with_one()
        self.menu.addSeparator()
        show = self._actions.show
        for screen in (Screen.DIARY, Screen.SETTINGS):
            self.menu.addAction(self._texts[f"menu.{screen.value}"], partial(show, screen, None))
        self.menu.addAction(self._texts["tray.quit"], self._actions.quit)

    def _fill_with_one(self) -> None:
        """Offer what can be done with the one host there is, without a menu between."""
        status = self.menu.addAction(self._status(self._hosts[0] if self._hosts else None))
        status.setEnabled(False)  # text, not a command
        self.menu.addSeparator()
        self.menu.addAction(self._texts["tray.open"], lambda: self._actions.open(None))
        for host in self._hosts:
            self._add_commands(self.menu, host)

    def _fill_with_many(self) -> None:
        for host in self._hosts:
            submenu = QMenu(self._status(host), self.menu)
            submenu.setIcon(state_icon(host.phase, self._theme, _MARK))
            submenu.addAction(self._texts["tray.open"], partial(self._actions.open, host.key))
            self._add_commands(submenu, host)
            self.menu.addMenu(submenu)
            self._submenus.append(submenu)
        self.menu.addSeparator()
        self.menu.addAction(self._texts["tray.window"], lambda: self._actions.open(None))

    def _add_commands(self, menu: QMenu, host: Listed) -> None:
        key, phase = host.key, host.phase
        if phase in STARTABLE:
            menu.addAction(self._texts["tray.start"], lambda: self._actions.start(key))
        else:
            stop = menu.addAction(self._texts["tray.stop"], lambda: self._actions.stop(key))
            stop.setEnabled(phase is not Phase.STOPPING)
        if host.may_power_off:
            power_off = partial(self._actions.power_off, key)
            menu.addAction(self._texts["menu.power-off"], power_off)
        if phase is Phase.READY:
            copy = self._actions.copy_endpoint
            menu.addAction(self._texts["tray.copy-endpoint"], lambda: copy(key))
        for screen in (Screen.MONITOR, Screen.LOGS):
            text = self._texts[f"menu.{screen.value}"]
            menu.addAction(text, partial(self._actions.show, screen, key))

    def _status(self, host: Listed | None, bill: str = "") -> str:
        phase = self._texts[f"phase.{(host.phase if host else Phase.OFF).value}"]
        name = host.name if host else self._texts["tray.no-host"]
        status = self._texts("tray.status", host=name, phase=phase)
        return joined(status, host.remark if host else "", bill)

    def _draw(self) -> None:
        if self._icon is None:
            return
        phase = foremost_phase(self._hosts)
        self._icon.setIcon(icons.tray(phase, dark=self._theme.is_dark))
        self._icon.setToolTip(self.tooltip())

    def tooltip(self) -> str:
        """Return a line for each host: how it stands, what runs how fast, what it has cost."""
        lines = [
            self._status(host, joined(host.model, host.pace, host.bill)) for host in self._hosts
        ]
        return "\n".join(lines or [self._status(None)])

    def _activated(self, reason: QSystemTrayIcon.ActivationReason) -> None:
        # Not every desktop tells about clicks; the menu has the same command.
        if reason is QSystemTrayIcon.ActivationReason.Trigger:
            self._actions.open(None)


def foremost_phase(hosts: Sequence[Listed]) -> Phase:
    """Return the phase that one icon for all of these hosts shows."""
    phases = (host.phase for host in hosts)
    return min(phases, key=_FOREMOST.index, default=Phase.OFF)
