"""The app put together: QApplication, window, tray, and the core behind them.

    first the window is on screen → then what is slow to import is imported, in a thread
    → then, if asked for, the session starts

Closing the window goes on in the tray where there is one; where there is none, it quits.
"""

from __future__ import annotations

import gc
import os
import sys
import threading
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from PySide6.QtCore import QEvent, QLibraryInfo, QObject, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication

from desktop.core.amounts import joined
from desktop.core.catalogue import DEFAULT_MODEL
from desktop.core.errors import StorageError
from desktop.core.explain import Language, explain
from desktop.core.paths import Paths
from desktop.core.session.wishes import Wishes
from desktop.core.settings import Settings
from desktop.core.texts import Texts
from desktop.system.keyring import Keyring
from desktop.system.network import network_watcher
from desktop.system.wake import SleepWatcher
from desktop.ui import fonts
from desktop.ui.bridge import Bridge, Item
from desktop.ui.chats.keeping import Keeping
from desktop.ui.chats.remembered import Remembered
from desktop.ui.controller import Controller
from desktop.ui.intents import FromHost, HostKey, Target
from desktop.ui.interrupt import Interrupt
from desktop.ui.prompts import WindowPrompts
from desktop.ui.style import style_sheet
from desktop.ui.theme import Theme, palette
from desktop.ui.tray import Tray, TrayActions
from desktop.ui.window import Window

# Threads that parse take the interpreter for at most this long: no tick waits (Python's own
# default of 5 ms shows in the stream; measured, 0.5 ms costs no CPU worth naming).
_SWITCH_INTERVAL_S = 0.0005


class App:
    """Everything that lives while the app runs.

    Attributes:
        window: the one window.
        tray: the icon, there or not.
        controller: the intents, and the core behind them.
    """

    def __init__(
        self,
        wishes: Wishes | None,
        *,
        paths: Paths,
        settings: Settings,
        language: Language,
        keyring: Keyring | None = None,
    ) -> None:
        """Build it; nothing is shown and nothing is connected yet."""
        self._texts = Texts(language)
        self._theme = Theme(settings.theme)
        self._dress()
        self._theme.changed.connect(self._dress)
        self._bridge = Bridge(self._deliver)
        self._keyring = keyring or Keyring()
        self.controller = Controller(
            wishes,
            settings,
            paths,
            self._bridge,
            self._questions,
            on_target=self._show_target,
            on_removed=self._remove,
            on_quit=QApplication.quit,
        )
        model = settings.model or DEFAULT_MODEL
        self._keeping = Keeping(paths.database, self.controller.replies, self.controller.price)
        self._keeping.troubled.connect(self._say_trouble)
        remembered = Remembered(paths.state / "window.json")
        self.window = Window(
            self.controller, self._theme, self._texts, self._keeping.chats, remembered, model
        )
        self.tray = Tray(self._tray_actions(), self._theme, self._texts)
        self.tray.appeared.connect(self._use_tray)
        self.window.changed.connect(self._show_in_tray)
        self._show_hosts()
        self._say_trouble(self._keeping.remark)
        again = self.controller.look_again
        self._watchers = (SleepWatcher(again), network_watcher(again))
        self._warm_up: threading.Thread | None = None
        self._ended = False

    def show(self, then: Callable[[], None]) -> None:
        """Show the window; `then` is called once it has been painted."""
        self._first_paint = _FirstPaint(self.window, then)
        self.window.show()
        self.tray.begin()

    def warm_up(self) -> None:
        """Import what is slow, in a thread: the window is there and answers meanwhile."""
        self._warm_up = threading.Thread(target=_import_slow_parts, name="warm-up")
        self._warm_up.start()
        self.controller.warm_up()
        for watcher in self._watchers:
            watcher.start()

    def close(self) -> None:
        """End all threads and take the icon away; the host works on. Once is enough."""
        if self._ended:
            return
        self._ended = True
        for watcher in self._watchers:
            watcher.stop()
        self.window.end()
        self.controller.close()
        self._keeping.close()
        self.tray.close()
        self.window.hide()
        if self._warm_up is not None:
            self._warm_up.join()

    # -- parts -------------------------------------------------------------------------------------

    def _deliver(self, batch: list[Item]) -> None:
        for key, events in self.controller.by_host(batch).items():
            self.controller.host(key).apply(events)
            self.window.apply(key, events)
        self.window.desk.hear(item for item in batch if not isinstance(item, FromHost))

    def _say_trouble(self, error: StorageError | None) -> None:
        if error is not None:
            why = explain(error, self._texts.language)
            self.window.desk.toast.say(joined(why.title, why.detail))

    def _show_hosts(self) -> None:
        for key, host in self.controller.hosts.items():
            self.window.show_target(key, host.target())
        first = self.controller.first()
        if first is None:
            self.window.show_adding()
        else:
            self.window.show_host(first)

    def _questions(self) -> WindowPrompts:
        """Return what asks about one host: the question of another one stays open."""
        return WindowPrompts(self._bridge, lambda: self.window, self._texts, self._keyring)

    def _show_in_tray(self) -> None:
        self.tray.show_hosts(self.window.listed())

    def _dress(self) -> None:
        application = QApplication.instance()
        assert isinstance(application, QApplication)
        application.setPalette(palette(self._theme.colours))
        application.setStyleSheet(style_sheet(self._theme.colours))

    def _show_target(self, key: HostKey, target: Target) -> None:
        self.window.show_target(key, target)

    def _remove(self, key: HostKey) -> None:
        self.window.remove_host(key)

    def _use_tray(self) -> None:
        self.window.hides = True

    def _tray_actions(self) -> TrayActions:
        return TrayActions(
            open=self._open,
            start=self._start,
            stop=self.window.stop,
            copy_endpoint=self._copy_endpoint,
            quit=self.controller.quit,
        )

    def _open(self, key: HostKey | None = None) -> None:
        if key is not None:
            self.window.show_host(key)
        self.window.show()
        self.window.raise_()
        self.window.activateWindow()

    def _start(self, key: HostKey) -> None:
        target = self.controller.host(key).target()
        if self.controller.host(key).start(target.host_text, target.model):
            self._open(key)

    def _copy_endpoint(self, key: HostKey) -> None:
        if endpoint := self.controller.host(key).endpoint:
            text = self._texts(
                "endpoint.copy",
                base_url=endpoint.base_url,
                api_key=endpoint.api_key,
                model=endpoint.model,
            )
            QGuiApplication.clipboard().setText(text)


class _FirstPaint(QObject):
    """Calls back once, after a widget was painted for the first time."""

    def __init__(self, window: Window, then: Callable[[], None]) -> None:
        super().__init__(window)
        self._then = then
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Wait for the paint, then for the turn after it."""
        if event.type() == QEvent.Type.Paint:
            watched.removeEventFilter(self)
            QTimer.singleShot(0, self, self._then)
        return False


def run(
    wishes: Wishes | None,
    *,
    start_now: bool,
    paths: Paths,
    settings: Settings,
    language: Language,
    on_first_paint: Callable[[], None] | None = None,
) -> int:
    """Show the app until it is quit.

    Args:
        wishes: the host and what is to run there; None: the saved host, or ask for one.
        start_now: begin at once, as if Start had been clicked.
        paths: our own files.
        settings: the user's choices.
        language: of everything that is shown.
        on_first_paint: called when the window is on screen.

    Returns:
        The exit status.
    """
    qt = application()
    app = App(wishes, paths=paths, settings=settings, language=language)

    def begin() -> None:
        if on_first_paint is not None:
            on_first_paint()
        app.warm_up()
        first = app.controller.first()
        if start_now and first is not None:
            app.controller.host(first).begin()
        gc.collect()
        gc.freeze()  # a full collection over what never goes away costs a frame

    with Interrupt(qt.quit):
        app.show(begin)
        status = qt.exec()
        app.close()
    return status


def application() -> QApplication:
    """Return the application object in our style, made at the first call."""
    existing = QApplication.instance()
    if isinstance(existing, QApplication):
        qt = existing
    else:
        _choose_input_method()
        sys.setswitchinterval(_SWITCH_INTERVAL_S)
        qt = QApplication(sys.argv[:1])
    qt.setApplicationName("paperkite")
    qt.setApplicationDisplayName("Paperkite")
    qt.setDesktopFileName("paperkite")
    qt.setStyle("Fusion")
    qt.setFont(fonts.interface())
    qt.setQuitOnLastWindowClosed(False)  # the window's own closing decides
    return qt


def _choose_input_method() -> None:
    """Reach fcitx through its ibus interface: PyPI's wheels bring no fcitx plugin (hydrus#1794)."""
    plugins = Path(QLibraryInfo.path(QLibraryInfo.LibraryPath.PluginsPath))
    has_plugin = any(plugins.glob("platforminputcontexts/*fcitx*"))
    if os.environ.get("QT_IM_MODULE", "").startswith("fcitx") and not has_plugin:
        os.environ["QT_IM_MODULE"] = "ibus"


def _import_slow_parts() -> None:
    import_module("desktop.core.session.session")  # paramiko
    from desktop.ui.transcript.markdown import to_html  # noqa: PLC0415

    to_html("**paper** `kite`", {})
