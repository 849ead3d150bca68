"""The tray icon and its menu, and what to do on desktops that have no tray.

Qt never registers an icon that was shown before the tray existed, whatever its documentation
says (opensnitch#1659): after a login the panel may come up seconds later than we do. So for the
first minute the tray is looked for again, and the icon is made anew when it turns up.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QSystemTrayIcon

from desktop.core.amounts import joined
from desktop.core.phases import Phase
from desktop.core.texts import Texts
from desktop.ui import icons
from desktop.ui.theme import Theme

_POLL_MS = 2000
_POLLS = 30  # a minute
_STARTABLE = (Phase.OFF, Phase.FAILED)


@dataclass(frozen=True, slots=True)
class TrayActions:
    """What the menu does."""

    open: Callable[[], None]
    start: Callable[[], None]
    stop: Callable[[], None]
    copy_endpoint: Callable[[], None]
    quit: Callable[[], None]


class Tray(QObject):
    """One icon with one menu, there or not.

    Signals:
        appeared: a tray turned up and the icon is in it.
    """

    appeared = Signal()

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
        self._phase, self._host, self._remark = Phase.OFF, "", ""
        self.menu = self._make_menu(actions)
        self._open = actions.open
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
            self._draw()
            self._icon.show()
            self.appeared.emit()
        if self.there or self._polls > _POLLS:
            self._timer.stop()

    def close(self) -> None:
        """Take the icon away: Windows would keep its ghost."""
        self._timer.stop()
        if self._icon is not None:
            self._icon.hide()
            self._icon.deleteLater()
            self._icon = None
        self.menu.deleteLater()

    def show_state(self, host: str, phase: Phase, remark: str = "") -> None:
        """Show which host, how it stands, and what happened that nobody asked for."""
        self._host, self._phase, self._remark = host, phase, remark
        self._draw()

    def _make_menu(self, actions: TrayActions) -> QMenu:
        menu = QMenu()
        self._status = QAction(menu)
        self._status.setEnabled(False)  # text, not a command
        menu.addAction(self._status)
        menu.addSeparator()
        menu.addAction(self._texts["tray.open"], actions.open)
        self._start = menu.addAction(self._texts["tray.start"], actions.start)
        self._stop = menu.addAction(self._texts["tray.stop"], actions.stop)
        self._copy = menu.addAction(self._texts["tray.copy-endpoint"], actions.copy_endpoint)
        menu.addSeparator()
        menu.addAction(self._texts["tray.quit"], actions.quit)
        return menu

    def _draw(self) -> None:
        phase = self._texts[f"phase.{self._phase.value}"]
        host = self._host or self._texts["tray.no-host"]
        status = joined(self._texts("tray.status", host=host, phase=phase), self._remark)
        self._status.setText(status)
        self._start.setVisible(self._phase in _STARTABLE)
        self._stop.setVisible(self._phase not in _STARTABLE)
        self._stop.setEnabled(self._phase is not Phase.STOPPING)
        self._copy.setVisible(self._phase is Phase.READY)
        if self._icon is not None:
            self._icon.setIcon(icons.tray(self._phase, dark=self._theme.is_dark))
            self._icon.setToolTip(status)

    def _activated(self, reason: QSystemTrayIcon.ActivationReason) -> None:
        # Not every desktop tells about clicks; the menu has the same command.
        if reason is QSystemTrayIcon.ActivationReason.Trigger:
            self._open()
