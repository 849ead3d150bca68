"""The one window: conversations at the left, the host in front on top, under it what is said.

Conversations belong to this laptop, and not to a host: bringing another host to the front changes
where the next message goes, and nothing of what is read.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QPlainTextEdit, QVBoxLayout, QWidget

from desktop.core.catalogue import DEFAULT_MODEL
from desktop.core.diary.entry import Entry
from desktop.core.errors import AppError
from desktop.core.events import Event, PhaseChanged, Ready
from desktop.core.explain import explain
from desktop.core.phases import Phase
from desktop.core.texts import Texts
from desktop.ui import icons, parts, shortcuts
from desktop.ui.application import the_application
from desktop.ui.chats.chats import Chats, Front
from desktop.ui.chats.desk import Desk
from desktop.ui.chats.remembered import Remembered
from desktop.ui.chats.setup_side import SetupSide
from desktop.ui.chats.shelf import Shelf
from desktop.ui.chats.sidebar import Sidebar
from desktop.ui.chats.sides import Sides
from desktop.ui.diary.wording import bill, bill_explained
from desktop.ui.header import Header
from desktop.ui.intents import Chosen, HostKey, Intents, Screen, Target
from desktop.ui.pane import Pane
from desktop.ui.start import wording
from desktop.ui.start.add import AddPage
from desktop.ui.start.journey import Journey
from desktop.ui.switcher import Listed
from desktop.ui.theme import Theme

_BILL_MS = 10_000


class Window(QWidget):
    """Everything one sees apart from the tray.

    Attributes:
        panes: one for each host, in the order in which they are listed.
        current: which of them is in front; None while one is added, and where there is none.
        desk: the conversation in front, and where one writes.
        hides: whether closing only hides (a tray is there) or quits.

    Signals:
        changed: a host stands otherwise than before, or another one is in front; all as listed.
        wanted: a Screen is to be opened.
        page_wanted: the name of a page of the settings, which are open.
        rate_wanted: the key of a host whose price is to be typed.
        stopping: the key of a host that is to be stopped.
        hidden: it was closed, and only hides.
        said_off: the key of a host that is off, as a person knows.
        snoozed: the key of a host about which to ask later.
        muted: the key of a host about which to ask no more.
    """

    changed = Signal(object)
    wanted = Signal(object)
    page_wanted = Signal(str)
    rate_wanted = Signal(str)
    stopping = Signal(str)
    said_off = Signal(str)
    hidden = Signal()
    snoozed = Signal(str)
    muted = Signal(str)

    def __init__(
        self,
        intents: Intents,
        theme: Theme,
        texts: Texts,
        chats: Chats,
        remembered: Remembered,
        model: str = DEFAULT_MODEL,
        *,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        entry: Callable[[HostKey], Entry | None] = lambda _key: None,
        may_power_off: Callable[[HostKey], bool] = lambda _key: False,
    ) -> None:
        """Take the parts.

        Args:
            intents: what is asked of the app.
            theme: of everything.
            texts: of everything.
            chats: the conversations.
            remembered: what the last window looked like.
            model: proposed for a new host.
            clock: monotonic seconds.
            wall: a steady time of day, as the diary goes by it.
            entry: returns the diary's entry of a host's session, or None.
            may_power_off: tells whether a host is on and can be powered off from here.
        """
        super().__init__()
        self.setObjectName("window")
        self.setWindowTitle(texts["app.name"])
        self.setWindowIcon(icons.application())
        self.resize(1080, 760)
        self.setMinimumSize(520, 420)
        self.hides = False
        self.panes: dict[HostKey, Pane] = {}
        self.current: HostKey | None = None
        self._last: HostKey | None = None
        self._adds = False  # whether the page that adds a host is in front
        self._intents, self._theme, self._texts = intents, theme, texts
        self._clock, self._wall, self._entry = clock, wall, entry
        self._may_power_off = may_power_off
        self._header = Header(theme, texts)
        self._adding = AddPage(texts, model)
        self.desk = Desk(chats, theme, texts, remembered)
        self._sidebar = Sidebar(theme, texts)
        self._shelf = Shelf(self._sidebar, self.desk, chats, texts)
        self._setup = SetupSide(chats.store, theme, texts, self.desk.guarded)
        self._columns = QHBoxLayout(self)
        editor = self.desk.composer.editor
        self._sides = Sides(self._columns, self._sidebar, self._setup, remembered, editor)
        self._ticker = QTimer(self, interval=_BILL_MS)
        self._arrange()
        self._connect()
        self.desk.open(remembered.memory.conversation)
        self._follow()

    @property
    def pane(self) -> Pane:
        """The host in front, or the one that was there before a host was added."""
        last = self.panes.get(self._last) if self._last is not None else None
        return last or next(iter(self.panes.values()))

    @property
    def journey(self) -> Journey:
        """How far the host in front is."""
        return self.pane.journey if self.panes else Journey()

    @property
    def transcript_text(self) -> str:
        """The conversation in front as copying it would give it."""
        return self.desk.transcript.plain_text()

    def _arrange(self) -> None:
        whole = self._columns
        self._right = QVBoxLayout()
        for layout in (whole, self._right):
            layout.setContentsMargins(0, 0, 0, 0)
            layout.setSpacing(0)
        whole.addWidget(self._sidebar)
        whole.addLayout(self._right, 1)
        whole.addWidget(self._setup)
        self._right.addWidget(self._header)
        self._right.addWidget(self._adding, 1)
        self._right.addWidget(self.desk, 1)

    def _connect(self) -> None:
        self._header.started.connect(self._start_again)
        self._header.stopped.connect(self._stop)
        self._header.toggle.clicked.connect(self._toggle_sidebar)
        more = self._header.more
        more.wanted.connect(self.wanted)
        more.rate_wanted.connect(lambda: self.rate_wanted.emit(self.current))
        more.power_off_wanted.connect(self._stop)
        more.quitting.connect(self._intents.quit)
        switcher = self._header.switcher
        switcher.chosen.connect(lambda key: self.show_host(HostKey(key)))
        switcher.adding.connect(self.show_adding)
        switcher.removing.connect(lambda key: self._intents.remove(HostKey(key)))
        self._adding.submitted.connect(self._add)
        self._adding.checking.connect(partial(self._add, survey=True))
        self._adding.left.connect(self._leave_adding)
        self._ticker.timeout.connect(self.show_bills)
        desk = self.desk
        desk.read.connect(self._read)
        desk.listed.connect(self._show_setup)
        desk.tuned.connect(self._toggle_setup)
        desk.settling.connect(self._setup.flush)
        self._setup.chosen.connect(desk.choose_setup)
        self._setup.closed.connect(self._toggle_setup)
        self._sidebar.search.textChanged.connect(lambda _: self._sides.fit(self.width()))
        shortcuts.install(
            self,
            {
                "chats.new": self._shelf.begin,
                "chats.show": self._toggle_sidebar,
                "chats.search-help": self._search,
                "find.name": desk.find_words,
                "keys.undo": desk.toast.undo,
                "keys.larger": lambda: desk.zoom(1),
                "keys.smaller": lambda: desk.zoom(-1),
                "keys.usual-size": lambda: desk.zoom(0),
                "keys.next-part": lambda: parts.go(self, self._parts(), 1),
                "keys.previous-part": lambda: parts.go(self, self._parts(), -1),
                **{f"menu.{each.value}": partial(self.wanted.emit, each) for each in Screen},
            },
        )

    # -- hosts -------------------------------------------------------------------------------------

    def show_target(self, key: HostKey, target: Target) -> None:
        """List a host, or show where it goes now."""
        if key in self.panes:
            self.panes[key].show_target(target)
            return
        intents = self._intents.host(key)
        pane = Pane(intents, self._theme, self._texts, target, self._clock, self._wall)
        pane.changed.connect(self._follow)
        pane.wanted.connect(self.wanted)
        pane.page_wanted.connect(self.page_wanted)
        pane.rate_wanted.connect(lambda: self.rate_wanted.emit(key))
        pane.idle.stopped.connect(lambda: self.stop(key))
        pane.idle.snoozed.connect(lambda: self.snoozed.emit(key))
        pane.idle.muted.connect(lambda: self.muted.emit(key))
        pane.said_off.connect(lambda: self.said_off.emit(key))
        self.panes[key] = pane
        self._right.insertWidget(self._right.indexOf(self.desk), pane, 1)
        self._follow()

    def show_host(self, key: HostKey) -> None:
        """Bring a host to the front."""
        self.current = self._last = key
        self._adds = False
        self._follow()
        self._take_keyboard()

    def show_adding(self) -> None:
        """Ask for a host in place of those that there are."""
        self.current = None
        self._adds = True
        self._adding.begin(may_leave=bool(self.panes) or not self._shelf.is_empty)
        self._follow()

    def remove_host(self, key: HostKey) -> None:
        """Take a host away; the next one comes to the front."""
        pane = self.panes.pop(key)
        self._right.removeWidget(pane)
        pane.hide()
        pane.deleteLater()
        self.desk.host_gone(key, Phase.OFF)
        if self.current == key:
            self._leave_adding()

    def apply(self, key: HostKey, events: list[Event]) -> None:
        """Show what events of a host say."""
        if key not in self.panes:
            return
        before, elsewhere = self.panes[key].journey.phase, self._writes_elsewhere()
        elsewhere = elsewhere and not self._is_idle_composer(self.focusWidget())
        self.panes[key].apply(events)
        for event in events:
            if isinstance(event, Ready):
                self.desk.host_ready(key, event.endpoint)
            elif isinstance(event, PhaseChanged):
                self.desk.host_gone(key, event.phase)
        phase = self.panes[key].journey.phase
        news = phase is not before and phase in _TAKES_KEYBOARD
        if key == self.current and news and not elsewhere:
            self._take_keyboard()

    def listed(self) -> tuple[Listed, ...]:
        """Return every host and how it stands."""
        return tuple(
            Listed(
                key,
                pane.target.name or pane.target.host,
                pane.target.host,
                pane.journey.phase,
                wording.remark(pane.journey, self._texts),
                bill(self._entry(key), self._wall(), self._texts),
                "" if pane.endpoint is None else pane.endpoint.model.rpartition("/")[2],
                wording.speed(pane.tokens_per_s, self._texts),
                self._may_power_off(key),
            )
            for key, pane in self.panes.items()
        )

    def show_bills(self) -> None:
        """Say anew what each session has cost."""
        self._follow()

    # -- what is in front --------------------------------------------------------------------------

    def _read(self) -> None:
        """Bring the conversation to the front, whatever the host does."""
        self._adds = False
        if self.current is None and self.panes:
            there = self._last in self.panes
            self.current = self._last if there else next(iter(self.panes))
        if self.current is not None:
            self.panes[self.current].read()
        self._sides.chosen(self.width())
        self._follow()

    def _follow(self) -> None:
        pane = None if self.current is None else self.panes[self.current]
        if pane is not None and pane.journey.phase is Phase.READY and self.desk.page.begun:
            pane.read()  # what was said stays in front when the host goes
        self._show_pages(pane)
        self.desk.show_front(self._front(pane))
        listed = self.listed()
        self._show_header(listed)
        self._show_setup()
        self._sides.needed = bool(self.panes) or not self._shelf.is_empty
        self._sides.fit(self.width())
        self._header.toggle.setVisible(self._sides.needed)
        has_bill = any(each.bill for each in listed)
        if has_bill != self._ticker.isActive():
            (self._ticker.start if has_bill else self._ticker.stop)()
        self.changed.emit(listed)

    def _show_pages(self, pane: Pane | None) -> None:
        on_sheet = pane is not None and pane.on_sheet
        for each in self.panes.values():
            if each is not pane:
                each.setVisible(False)
        self._adding.setVisible(self._adds)
        self.desk.page.setVisible(not on_sheet)
        plans = pane is not None and pane.plans
        self.desk.setVisible(not (self._adds or plans))
        self._right.setStretchFactor(self.desk, 0 if on_sheet else 1)
        if pane is not None:
            self._right.setStretchFactor(pane, 1 if on_sheet else 0)
            pane.setVisible(True)

    def _front(self, pane: Pane | None) -> Front:
        if pane is None:
            return Front()
        return Front(self.current, pane.journey.phase, pane.endpoint, pane.target.model)

    def _show_header(self, listed: Sequence[Listed]) -> None:
        self._header.show_hosts(listed, self.current, adds=self._adds)
        if self.current is None:
            self.setWindowTitle(self._texts["app.name"])
            return
        pane = self.pane
        self.setWindowTitle(pane.target.name or pane.target.host)  # Qt adds the name of the app
        self._header.show_host(pane.target.model, pane.journey.phase, startable=not pane.on_sheet)
        entry, now = self._entry(self.current), self._wall()
        self._header.show_bill(
            bill(entry, now, self._texts), bill_explained(entry, now, self._texts)
        )

    def _show_setup(self) -> None:
        front = self.desk.front
        model = front.endpoint.model if front.endpoint is not None else front.model
        self._setup.show_setup(self.desk.setup, model)

    def _take_keyboard(self) -> None:
        """Put the keyboard where one goes on: to the message, once there is something to ask."""
        phase = self.journey.phase
        if self.panes and phase is Phase.FAILED and self.pane.on_sheet:
            self.pane.take_keyboard()
        elif self.desk.isVisible() and (phase in _TAKES_KEYBOARD or not self.pane.on_sheet):
            self.desk.composer.editor.setFocus()  # not on Stop, where it would fall otherwise
        elif self.panes and phase is Phase.OFF:
            self.pane.take_keyboard()

    def _writes_elsewhere(self) -> bool:
        """Tell whether somebody types a title, a search or a setting just now."""
        here = self.focusWidget()
        if not isinstance(here, QLineEdit | QPlainTextEdit) or not here.isVisible():
            return False
        if here is self._sidebar.search and not self._sidebar.search.text():
            return False  # where the keyboard is from the start
        return any(part.isAncestorOf(here) for part in (self._sidebar, self._setup, self.desk))

    def _is_idle_composer(self, widget: QWidget | None) -> bool:
        composer = self.desk.composer
        return widget is composer.editor and not composer.text

    def _parts(self) -> tuple[QWidget, ...]:
        """Return what F6 goes through."""
        desk = self.desk
        middle = (self._adding, *self.panes.values(), desk.page, desk.composer)
        return (self._sidebar, self._header, *middle, self._setup)

    def _toggle_sidebar(self) -> None:
        self._sides.toggle_sidebar(self.width())

    def _toggle_setup(self) -> None:
        self._setup.flush()
        self._sides.toggle_setup(self.width())
        if not self._sides.setup:
            self.desk.composer.editor.setFocus()

    def _search(self) -> None:
        self._sides.show_sidebar(self.width())
        self._sidebar.seek()

    def resume(self, other: Window) -> None:
        """Go on where another window stands, which goes: the language is another one."""
        for key, pane in other.panes.items():
            self.show_target(key, pane.target)
            self.panes[key].resume(pane)
        self.current, self._last, self._adds = other.current, other._last, other._adds
        self.hides = other.hides
        self.setGeometry(other.geometry())
        if self._adds:
            self._adding.begin(may_leave=bool(self.panes) or not self._shelf.is_empty)
            self._adding.resume(other._adding)
        self._sides.setup = other._sides.setup
        self._follow()

    def end(self) -> None:
        """Keep what is typed, and ask the store nothing more: the app ends."""
        self._ticker.stop()
        self._setup.flush()
        self.desk.end()

    # -- intents -----------------------------------------------------------------------------------

    def _start_again(self) -> None:
        self.pane.start_again()

    def stop(self, key: HostKey, *, power_off: bool = False) -> None:
        """Stop a host, and what its model says."""
        self.desk.stop_at(self.panes[key].endpoint)
        self._intents.host(key).stop(power_off=power_off)

    def _stop(self) -> None:
        if self.current is not None:
            self.stopping.emit(self.current)

    def _add(self, host: str, chosen: Chosen, *, survey: bool = False) -> None:
        found = self._intents.add(host, chosen, survey=survey)
        if isinstance(found, AppError):
            self._adding.complain(explain(found, self._texts.language))
        else:
            self.show_host(found)

    def _leave_adding(self) -> None:
        if self._last in self.panes:
            self.show_host(self._last)
        elif self.panes:
            self.show_host(next(iter(self.panes)))
        elif self._adds and not self._shelf.is_empty:
            self._read()
        else:
            self.show_adding()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Bring the keyboard back to the message on Escape, where nothing is left by it."""
        if event.key() == Qt.Key.Key_Escape and self.desk.isVisible():
            self.desk.composer.editor.setFocus(Qt.FocusReason.ShortcutFocusReason)
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """Have as many columns as there is room for."""
        super().resizeEvent(event)
        self._sides.fit(self.width())

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802
        """Go on in the tray where there is one; leave, perhaps after a question, where not.

        While the system ends the session it is not held up.
        """
        if the_application().isSavingSession():
            event.accept()
            return
        event.ignore()  # leaving closes it, once that is what a person wants
        if self.hides:
            self.hide()
            self.hidden.emit()
        else:
            self._intents.quit()


_TAKES_KEYBOARD = (Phase.CONNECTING, Phase.READY, Phase.FAILED)
