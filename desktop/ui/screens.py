"""What opens beside the conversation: each screen is imported, and made, when it is wanted.

One of each at most; it goes with its closing. Nothing that has to survive lives only in one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QDialog, QWidget

from desktop import __version__
from desktop.core.diary.diary import Diary
from desktop.core.diary.entry import Entry
from desktop.core.errors import StorageError
from desktop.core.events import Event
from desktop.core.paths import Paths
from desktop.core.settings import Settings
from desktop.core.texts import Texts
from desktop.system.hub_token import HubToken
from desktop.ui.intents import OF_A_HOST, HostKey, Screen
from desktop.ui.theme import Theme

if TYPE_CHECKING:
    from desktop.ui.controller import Controller

Change = Callable[[Settings], Settings]


class Screens(QObject):
    """The screens that are open, and how each is made."""

    def __init__(
        self,
        controller: Controller,
        theme: Theme,
        texts: Texts,
        paths: Paths,
        token: HubToken,
        diary: Diary,
        report: Callable[[HostKey], str],
        *,
        on_changed: Callable[[Change], None],
        on_trouble: Callable[[StorageError], None],
    ) -> None:
        """Take what the screens show.

        Args:
            controller: the hosts and the settings.
            theme: of everything.
            texts: of everything.
            paths: our own files.
            token: the hub's.
            diary: what the sessions have cost.
            report: returns a redacted report about a host.
            on_changed: keeps a change of the settings, and has it hold.
            on_trouble: told what could not be kept.
        """
        super().__init__()
        self._controller, self._theme, self._texts = controller, theme, texts
        self._paths, self._token, self._diary, self._report = paths, token, diary, report
        self._on_changed, self._on_trouble = on_changed, on_trouble
        self._open: dict[Screen, tuple[QDialog, HostKey | None]] = {}

    def open(self, screen: Screen, window: QWidget, host: HostKey | None) -> QDialog | None:
        """Show a screen in front of everything; one about another host is made anew.

        Returns:
            It, or None for a screen about a host where there is none.
        """
        about = host if screen in OF_A_HOST else None
        if screen in OF_A_HOST and about is None:
            return None
        there, shown = self._open.get(screen, (None, None))
        if there is not None and shown != about:
            there.close()
            there = None
        if there is None:
            there = self._make(screen, window, about)
            self._open[screen] = (there, about)
        there.show()
        there.raise_()
        there.activateWindow()
        return there

    def show_page(self, name: str) -> None:
        """Bring a page of the settings to the front, where they are open."""
        from desktop.ui.settings.dialog import SettingsDialog  # noqa: PLC0415 - as all below: lazy

        there, _about = self._open.get(Screen.SETTINGS, (None, None))
        if isinstance(there, SettingsDialog):
            there.show_page(name)

    def hear(self, host: HostKey, events: Sequence[Event]) -> None:
        """Hand over what a host says to the screens about it."""
        for each, about in tuple(self._open.values()):
            if about == host and hasattr(each, "hear"):
                each.hear(events)

    def close(self) -> list[tuple[Screen, HostKey | None]]:
        """Close all; returns which were open, and about which host."""
        were = [(screen, about) for screen, (_, about) in self._open.items()]
        for each, _about in tuple(self._open.values()):
            each.close()
        return were

    # -- making them -------------------------------------------------------------------------------

    def _make(self, screen: Screen, window: QWidget, host: HostKey | None) -> QDialog:
        makes: dict[Screen, Callable[[QWidget, HostKey | None], QDialog]] = {
            Screen.MONITOR: self._monitor,
            Screen.ENDPOINT: self._endpoint,
            Screen.LOGS: self._logs,
            Screen.DIARY: self._diary_of_costs,
            Screen.SETTINGS: self._settings,
            Screen.KEYBOARD: self._keyboard,
        }
        made = makes[screen](window, host)
        made.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        made.finished.connect(lambda _: self._open.pop(screen, None))
        return made

    def _monitor(self, window: QWidget, host: HostKey | None) -> QDialog:
        from desktop.ui.monitor.dialog import MonitorDialog  # noqa: PLC0415 - as all below: lazy

        assert host is not None  # it is one of OF_A_HOST
        watched = self._controller.host(host)
        return MonitorDialog(
            window,
            self._theme,
            self._texts,
            host,
            watched.history,
            others=lambda: watched.others,
        )

    def _endpoint(self, window: QWidget, host: HostKey | None) -> QDialog:
        from desktop.ui.endpoint.dialog import EndpointDialog, Shared  # noqa: PLC0415

        assert host is not None
        dialog = EndpointDialog(window, self._theme, self._texts, host)
        dialog.shared.connect(
            lambda on: self._on_changed(lambda now: replace(now, share_endpoint=on))
        )

        def state() -> Shared:
            there = self._controller.hosts.get(host)
            is_shared = self._controller.settings.share_endpoint
            endpoint, others = (there.endpoint, there.others) if there else (None, 0)
            return Shared(endpoint, is_shared, others)

        dialog.watch(state)
        return dialog

    def _logs(self, window: QWidget, host: HostKey | None) -> QDialog:
        from desktop.ui.logs.dialog import LogsDialog  # noqa: PLC0415

        assert host is not None
        asked = self._controller.host(host)
        dialog = LogsDialog(window, self._theme, self._texts, host, asked.redacted)
        dialog.followed.connect(lambda wanted: asked.follow_log(wanted=wanted))
        dialog.report_wanted.connect(lambda: dialog.copy(self._report(host)))
        return dialog

    def _diary_of_costs(self, window: QWidget, _host: HostKey | None) -> QDialog:
        from desktop.ui.diary.dialog import DiaryDialog  # noqa: PLC0415
        from desktop.ui.diary.export import save_csv  # noqa: PLC0415

        diary = self._diary

        def export(path: Path, shown: Sequence[Entry]) -> StorageError | None:
            return save_csv(path, shown, diary.clock(), self._texts)

        entries: list[Entry] = []
        self._guarded(lambda: entries.extend(diary.entries()))
        return DiaryDialog(window, self._theme, self._texts, entries, export, diary.clock)

    def _settings(self, window: QWidget, _host: HostKey | None) -> QDialog:
        from desktop.system.desktop_entry import own_command  # noqa: PLC0415
        from desktop.system.login_start import login_start  # noqa: PLC0415
        from desktop.ui.settings.dialog import SettingsDialog  # noqa: PLC0415
        from desktop.ui.settings.shown import Shown  # noqa: PLC0415

        start = login_start([*own_command(), "--hidden"])
        shown = Shown(
            settings=self._controller.settings,
            starts_at_login=start.is_on(),
            folder=str(self._paths.state),
            version=__version__,
        )
        dialog = SettingsDialog(window, self._theme, self._texts, shown)
        dialog.changed.connect(self._on_changed)
        dialog.login_start_chosen.connect(lambda on: self._guarded(lambda: start.turn(on=on)))
        dialog.token_given.connect(self._keep_token)
        dialog.folder_wanted.connect(self._show_folder)
        return dialog

    def _keyboard(self, window: QWidget, _host: HostKey | None) -> QDialog:
        from desktop.ui.keyboard.dialog import KeyboardDialog  # noqa: PLC0415

        return KeyboardDialog(window, self._texts)

    def _keep_token(self, token: str) -> None:
        self._token.change(token)
        self._on_changed(lambda settings: replace(settings, hub_token_kept=bool(token)))

    def _show_folder(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._paths.state)))

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except StorageError as error:
            self._on_trouble(error)
