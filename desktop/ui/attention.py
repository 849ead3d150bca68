"""What a person is told who does not look: news of hosts, models that rest, a window gone."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication

from desktop.core.events import Event
from desktop.core.settings import Settings
from desktop.core.texts import Texts
from desktop.ui.chats.remembered import Remembered
from desktop.ui.host import Host
from desktop.ui.idle_watch import IdleWatch
from desktop.ui.intents import HostKey
from desktop.ui.notifier import Notifier
from desktop.ui.tray import Tray
from desktop.ui.window import Window


class Attention(QObject):
    """Follows all hosts, and asks for a person's attention where that is worth it.

    Attributes:
        idle: when to ask whether a model is still needed.
    """

    def __init__(
        self,
        texts: Texts,
        tray: Tray,
        remembered: Remembered,
        clock: Callable[[], float],
        *,
        window: Callable[[], Window],
        settings: Callable[[], Settings],
        host: Callable[[HostKey], Host],
    ) -> None:
        """Take where it is said.

        Args:
            texts: the language.
            tray: shows notifications, where it is there.
            remembered: what was said once, and needs not be said again.
            clock: a steady one.
            window: returns the window that there is now.
            settings: returns the user's choices as they are now.
            host: returns a host.
        """
        super().__init__()
        self._texts, self._tray, self._remembered = texts, tray, remembered
        self._window, self._settings, self._host = window, settings, host
        self._notifier = Notifier(texts, self._is_missed, self._notify)
        self.idle = IdleWatch(clock, lambda: settings().idle_prompt_minutes)
        self.idle.due.connect(self._ask_whether_needed)
        self.idle.over.connect(lambda key: window().panes[HostKey(key)].idle.hide())

    def hear(self, key: HostKey, events: Sequence[Event]) -> None:
        """Keep up with a host."""
        self.idle.hear(key, events)
        self._notifier.hear(key, key, events)

    def say_hidden(self) -> None:
        """Say once, ever, that the window is not the app."""
        if not self._remembered.memory.told_of_tray:
            self._remembered.keep(told_of_tray=True)
            self._notify(self._texts["menu.hidden-title"], self._texts["menu.hidden-text"])

    def _is_missed(self) -> bool:
        """Tell whether a person would miss what only the window says."""
        return self._settings().notifications and not self._window().isActiveWindow()

    def _notify(self, title: str, text: str, host: HostKey | None = None) -> None:
        if not self._tray.notify(title, text, host):
            QApplication.alert(self._window())  # without a tray the task bar has to do

    def _ask_whether_needed(self, key: str, seconds: float) -> None:
        """Ask in the window, and tell the desktop where nobody looks at it."""
        from desktop.ui.idle_bar import sentence  # noqa: PLC0415 - when it is needed

        host = HostKey(key)
        target = self._host(host).target()
        said = sentence(key, seconds, target.rate, target.currency, self._texts)
        self._window().panes[host].idle.ask(said)
        if self._is_missed():
            self._notify(self._texts["idle.title"], said, host)
