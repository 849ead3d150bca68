"""The app put together: window, tray, screens, diary, and the core behind them.

Closing the window goes on in the tray where there is one; where there is none, it quits.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import CancelledError
from contextlib import suppress
from importlib import import_module

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QApplication

from desktop.core.amounts import joined
from desktop.core.catalogue import DEFAULT_MODEL
from desktop.core.diary.diary import Diary
from desktop.core.diary.entry import LOST, SAID_OFF, About
from desktop.core.errors import AppError
from desktop.core.events import Event, Ready
from desktop.core.explain import Language, explain
from desktop.core.language import system_language
from desktop.core.paths import Paths
from desktop.core.session.wishes import Wishes
from desktop.core.settings import Settings
from desktop.core.texts import Texts
from desktop.system.hub_token import HubToken
from desktop.system.keyring import Keyring
from desktop.system.network import network_watcher
from desktop.system.single_instance import ACTIVATION_TOKEN
from desktop.system.wake import SleepWatcher
from desktop.ui import fonts
from desktop.ui.application import the_application
from desktop.ui.attention import Attention
from desktop.ui.bridge import Bridge, Item
from desktop.ui.chats.keeping import Keeping
from desktop.ui.chats.remembered import Remembered
from desktop.ui.controller import Controller
from desktop.ui.first_paint import FirstPaint
from desktop.ui.host import Host
from desktop.ui.intents import FromHost, HostKey, Screen, Target
from desktop.ui.prompts import WindowPrompts
from desktop.ui.screens import Change, Screens
from desktop.ui.stops import Stops
from desktop.ui.style import style_sheet
from desktop.ui.theme import Theme, palette
from desktop.ui.tray import Tray
from desktop.ui.tray_deeds import TrayDeeds
from desktop.ui.window import Window

_TERMS = ("lease_minutes", "idle_minutes", "limit_minutes", "power_off")
_DRESS = ("language", "font", "font_size")  # what a window is made in


class App:
    """Everything that lives while the app runs.

    Attributes:
        window: the one window; made anew in another language.
        tray: the icon, there or not.
        controller: the intents, and the core behind them.
        stops: what asks before something is stopped or left.
        screens: what opens beside the conversation.
        attention: what is told to a person who does not look.
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
        self.window: Window
        self._texts, self._theme = Texts(language), Theme(settings.theme)
        self._dress(settings)
        self._theme.changed.connect(self._colour)
        self._bridge = Bridge(self._deliver)
        self._keyring = keyring or Keyring()
        self._hub_token = HubToken(self._keyring)
        self.controller = self._make_controller(wishes, settings, paths)
        self._keeping = Keeping(paths.database, self.controller.replies, self.controller.price)
        self._keeping.troubled.connect(self._say_trouble)
        self._diary = Diary(
            paths.diary,
            tell=lambda error: self._from_elsewhere(lambda: self._say_trouble(error)),
            on_changed=lambda: self._from_elsewhere(self._show_bills),
        )
        self._remembered = Remembered(paths.state / "window.json")
        self._make_parts(paths)
        again = self.controller.look_again
        self._watchers = (SleepWatcher(again), network_watcher(again))
        self._warm_up: threading.Thread | None = None
        self._ended = False
        self._show_hosts()
        self._say_trouble(self._keeping.remark)

    def show(self, then: Callable[[], None], *, hidden: bool = False) -> None:
        """Show the window; `then` is called once it has been painted.

        With `hidden` it stays away where there is a tray, and `then` is called at once.
        """
        if hidden:
            self.tray.begin()
        if self.tray.there:
            QTimer.singleShot(0, self.window, then)
            return
        FirstPaint(self.window, then)
        self.window.show()
        if not hidden:
            self.tray.begin()

    def raise_from_elsewhere(self, activation: str) -> bool:
        """Bring the window to the front: the app was started once more. From any other thread.

        Args:
            activation: Wayland's token of the click that did it, or "".

        Returns:
            Whether it came: not while the app is being quit.
        """

        def come() -> None:
            if activation:
                os.environ[ACTIVATION_TOKEN] = activation  # Qt's Wayland plugin takes it from here
            self._deeds.open()

        try:
            self._bridge.ask(come)
        except CancelledError:
            return False
        return True

    def warm_up(self) -> None:
        """Import what is slow, in a thread: the window is there and answers meanwhile."""
        self._warm_up = threading.Thread(target=self._work_beside, name="warm-up")
        self._warm_up.start()
        self.controller.warm_up()
        self._diary.begin()
        for watcher in self._watchers:
            watcher.start()

    def close(self) -> None:
        """End all threads and take the icon away; the host works on. Once is enough."""
        if self._ended:
            return
        self._ended = True
        for watcher in self._watchers:
            watcher.stop()
        self.screens.close()
        self.stops.close()
        self.window.end()
        self.controller.close()
        self._keeping.close()
        self.tray.close()
        self.window.hide()
        if self._warm_up is not None:
            self._warm_up.join()
        self._hub_token.join()
        self._diary.close()

    # -- making it ---------------------------------------------------------------------------------

    def _make_controller(
        self, wishes: Wishes | None, settings: Settings, paths: Paths
    ) -> Controller:
        return Controller(
            wishes,
            settings,
            paths,
            self._bridge,
            self._questions,
            self._keyring,
            lambda: self._hub_token.value,
            on_target=self._show_target,
            on_removed=self._remove,
            on_quit=self._quit,
        )

    def _make_parts(self, paths: Paths) -> None:
        controller, texts, theme = self.controller, self._texts, self._theme
        # Not `quit`: that closes the window first, whose closing asks once more, or hides it.
        self.stops = Stops(
            controller, theme, texts, lambda: self.window, lambda: QApplication.exit(0)
        )
        self.screens = Screens(
            controller,
            theme,
            texts,
            paths,
            self._hub_token,
            self._diary,
            lambda key: self.window.panes[key].report(),
            on_changed=self._change,
            on_trouble=self._say_trouble,
        )
        self._deeds = TrayDeeds(controller, self.stops, self.screens, texts, lambda: self.window)
        self.tray = Tray(self._deeds.actions(), theme, texts)
        self.attention = Attention(
            texts,
            self.tray,
            self._remembered,
            self._diary.clock,
            window=lambda: self.window,
            settings=lambda: controller.settings,
            host=controller.host,
        )
        self.window = self._make_window()
        self.tray.appeared.connect(self._use_tray)

    def _make_window(self) -> Window:
        made = Window(
            self.controller,
            self._theme,
            self._texts,
            self._keeping.chats,
            self._remembered,
            self.controller.settings.model or DEFAULT_MODEL,
            wall=self._diary.clock,
            entry=self._diary.entry,
            may_power_off=self.stops.may_power_off,
        )
        made.stopping.connect(lambda key: self.stops.stop(HostKey(key)))
        made.said_off.connect(lambda key: self._take_off(HostKey(key)))
        made.rate_wanted.connect(self._ask_rate)
        made.snoozed.connect(self.attention.idle.snooze)
        made.muted.connect(self.attention.idle.mute)
        made.changed.connect(self.tray.show_hosts)
        made.wanted.connect(self._open_screen)
        made.page_wanted.connect(self.screens.show_page)
        made.hidden.connect(self.attention.say_hidden)
        return made

    def _show_hosts(self) -> None:
        for key, host in self.controller.hosts.items():
            self.window.show_target(key, host.target())
        first = self.controller.first()
        if first is None:
            self.window.show_adding()
        else:
            self.window.show_host(first)

    # -- what comes --------------------------------------------------------------------------------

    def _deliver(self, batch: list[Item]) -> None:
        for key, events in self.controller.by_host(batch).items():
            host = self.controller.host(key)
            was_left = host.target().was_left
            host.apply(events)
            if host.target().was_left is not was_left:
                self._end_left(key, host)
            if not host.surveys:  # a look is no session
                self._diary.hear(key, _about(host), events)
            self.window.apply(key, events)
            self._say_not_shared(events)
            self.screens.hear(key, events)
            self.stops.hear(key, events)
            self.attention.hear(key, events)
        self.window.desk.hear(item for item in batch if not isinstance(item, FromHost))

    def _say_not_shared(self, events: list[Event]) -> None:
        for event in events:
            if isinstance(event, Ready) and event.endpoint.not_shared is not None:
                why = explain(event.endpoint.not_shared, self._texts.language).detail
                self.window.desk.toast.say(self._texts("endpoint.refused", why=why))

    def _questions(self) -> WindowPrompts:
        """Return what asks about one host: the question of another one stays open."""
        return WindowPrompts(self._bridge, lambda: self.window, self._texts, self._keyring)

    def _quit(self) -> None:
        self.stops.quit()

    def _use_tray(self) -> None:
        self.window.hides = True

    def _show_target(self, key: HostKey, target: Target) -> None:
        self.window.show_target(key, target)

    def _remove(self, key: HostKey) -> None:
        self._diary.leave(key)
        self.window.remove_host(key)

    def _say_trouble(self, error: AppError | None) -> None:
        if error is not None:
            why = explain(error, self._texts.language)
            self.window.desk.toast.say(joined(why.title, why.detail))

    def _show_bills(self) -> None:
        for key, host in self.controller.hosts.items():
            before = host.target()
            host.recall(was_left=self._diary.left(key) is not None)
            if host.target() != before:
                self.window.show_target(key, host.target())
        self.window.show_bills()  # the one that is there by then: another language makes another

    def _take_off(self, key: HostKey) -> None:
        """Believe a person that a host which was left running is off."""
        host = self.controller.host(key)
        host.recall(was_left=False)
        self._diary.settle(key, SAID_OFF)
        self.window.show_target(key, host.target())

    def _end_left(self, key: HostKey, host: Host) -> None:
        """Say no more of a host that it was left running: it was just seen what became of that."""
        if host.surveys:  # a session tells the diary by itself
            self._diary.settle(key, LOST)
        self.window.show_target(key, host.target())

    def _from_elsewhere(self, work: Callable[[], None]) -> None:
        """Do what the diary's thread has to say, unless the app is closing."""
        with suppress(CancelledError):
            self._bridge.ask(work)

    # -- what is wished ----------------------------------------------------------------------------

    def _open_screen(self, screen: Screen) -> None:
        self.screens.open(screen, self.window, self.window.current)

    def _ask_rate(self, key: str) -> None:
        from desktop.ui.rate.dialog import RateDialog  # noqa: PLC0415 - when it is wanted

        host = self.controller.host(HostKey(key))
        saved, provider = host.saved, host.provider()
        price = (saved.rate, saved.currency, saved.spending_limit)
        dialog = RateDialog(self.window, self._theme, self._texts, key, provider, *price)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)

        def keep(rate: float, currency: str, limit: float) -> None:
            host.price(rate, currency, limit)
            self._diary.price(key, _about(host))

        dialog.chosen.connect(keep)
        dialog.open()

    def _change(self, how: Change) -> None:
        """Keep a change of the settings, and have it hold."""
        before = self.controller.settings
        self.controller.change(how)
        now = self.controller.settings
        changed = {
            name for name in Settings.__slots__ if getattr(before, name) != getattr(now, name)
        }
        self._theme.choose(now.theme)
        self.controller.take_settings()
        if "share_endpoint" in changed:
            self._say_trouble(self.controller.share(wanted=now.share_endpoint))
        if changed.intersection(_TERMS):
            self.controller.change_terms()
        if changed.intersection(_DRESS):
            self._texts.speak(_language_of(now))
            self._set_font(now)
            QTimer.singleShot(0, self.window, self._renew_window)  # a row of the old one emits

    def _renew_window(self) -> None:
        """Make the window anew, in another language or font; what is under way goes on."""
        old, was_visible = self.window, self.window.isVisible()
        screens = self.screens.close()
        self.stops.close()
        old.end()
        self.window = self._make_window()
        self.window.resume(old)
        if was_visible:
            self.window.show()
        for host in self.controller.hosts.values():
            host.questions.move()
        for screen, about in screens:
            self.screens.open(screen, self.window, about)
        old.hide()
        old.deleteLater()
        self.tray.speak()
        self.tray.show_hosts(self.window.listed())

    def _dress(self, settings: Settings) -> None:
        if settings.font or settings.font_size:
            self._set_font(settings)
        self._colour()

    def _set_font(self, settings: Settings) -> None:
        is_chinese = self._texts.language == "zh"
        font = fonts.interface(settings.font, settings.font_size, is_chinese=is_chinese)
        the_application().setFont(font)

    def _colour(self) -> None:
        qt = the_application()
        qt.setPalette(palette(self._theme.colours))
        qt.setStyleSheet(style_sheet(self._theme.colours))

    def _work_beside(self) -> None:
        _import_slow_parts()
        if self.controller.settings.hub_token_kept:
            self._hub_token.read()
            with suppress(CancelledError):  # the app is being quit
                self._bridge.ask(self.controller.take_settings)


def _about(host: Host) -> About:
    target = host.target()
    return About(target.model, target.rate, target.currency)


def _language_of(settings: Settings) -> Language:
    """Return the chosen language, or the system's."""
    return "zh" if settings.language == "zh" else "en" if settings.language else system_language()


def _import_slow_parts() -> None:
    import_module("desktop.core.session.session")  # without paramiko: that comes with a connection
    import_module("desktop.core.session.dial")
    from desktop.ui.transcript.markdown import to_html  # noqa: PLC0415

    to_html("**paper** `kite`", {})
