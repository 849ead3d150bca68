"""What the tray's menu does: each of it as a click in the window would."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtGui import QGuiApplication

from desktop.core.texts import Texts
from desktop.ui.controller import Controller
from desktop.ui.intents import Chosen, HostKey, Screen
from desktop.ui.screens import Screens
from desktop.ui.stops import Stops
from desktop.ui.tray import TrayActions
from desktop.ui.window import Window


class TrayDeeds:
    """Carries out the menu, in the window that there is."""

    def __init__(
        self,
        controller: Controller,
        stops: Stops,
        screens: Screens,
        texts: Texts,
        window: Callable[[], Window],
    ) -> None:
        self._controller, self._stops, self._screens = controller, stops, screens
        self._texts, self._window = texts, window

    def actions(self) -> TrayActions:
        """Return what the menu calls."""
        return TrayActions(
            open=self.open,
            start=self._start,
            stop=self._stop,
            power_off=self._stop,  # asked first, as everywhere
            copy_endpoint=self._copy_endpoint,
            show=self._show,
            quit=self._controller.quit,
        )

    def open(self, key: HostKey | None = None) -> None:
        """Bring the window to the front, with a host where one is meant."""
        window = self._window()
        if key is not None and key in window.panes:
            window.show_host(key)
        window.show()
        window.raise_()
        window.activateWindow()

    def _show(self, screen: Screen, host: HostKey | None) -> None:
        self.open(host)
        self._screens.open(screen, self._window(), host)

    def _start(self, key: HostKey) -> None:
        host = self._controller.host(key)
        target = host.target()
        if host.start(target.host_text, Chosen(target.model)):
            self.open(key)

    def _stop(self, key: HostKey) -> None:
        self.open(key)
        self._stops.stop(key)

    def _copy_endpoint(self, key: HostKey) -> None:
        endpoint = self._controller.host(key).endpoint
        if endpoint is not None and endpoint.shared_url:
            text = self._texts(
                "endpoint.copy",
                base_url=endpoint.shared_url,
                api_key=endpoint.api_key,
                model=endpoint.model,
            )
            QGuiApplication.clipboard().setText(text)
