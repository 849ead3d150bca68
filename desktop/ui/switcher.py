"""The button with the host's name: under it all hosts and how they stand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from PySide6.QtCore import QEvent, QPoint, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QMenu, QPushButton, QSizePolicy

from desktop.core.phases import Phase
from desktop.core.texts import Texts
from desktop.ui import fonts, icons
from desktop.ui.intents import HostKey
from desktop.ui.states import STARTABLE, state_icon
from desktop.ui.theme import Theme

_STATE_ICON, _CHEVRON = 15, 11
INSET = 7  # from the edge of the button to its name: what stands under it begins there too
_AROUND = 30  # arrow, padding and border beside the name, in pixels


@dataclass(frozen=True, slots=True)
class Listed:
    """One host in a list.

    Attributes:
        key: which.
        name: what it is called.
        address: where it is.
        phase: how it stands.
        remark: what happened there that nobody asked for, or "".
        bill: what it has cost so far, or "".
        model: what answers there, or "" while none does.
        pace: how fast it writes just now, or "".
        may_power_off: it is on, and can be powered off from here.
    """

    key: HostKey
    name: str
    address: str
    phase: Phase
    remark: str = ""
    bill: str = field(default="", compare=False)
    model: str = field(default="", compare=False)
    pace: str = field(default="", compare=False)
    may_power_off: bool = False


class Switcher(QPushButton):
    """Names the host in front; its menu brings another one there, adds and removes.

    Attributes:
        hosts_menu: what the button opens.

    Signals:
        chosen: the key of the host that is wanted.
        adding: a host is to be added.
        removing: the key of the host that is to be forgotten.
    """

    chosen = Signal(str)
    adding = Signal()
    removing = Signal(str)

    def __init__(self, theme: Theme, texts: Texts) -> None:
        super().__init__()
        self._theme, self._texts = theme, texts
        self._hosts: Sequence[Listed] = ()
        self._current: HostKey | None = None
        self.setObjectName("hostButton")
        self.setProperty("kind", "host")
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.setFont(fonts.scaled(self.font(), 1.0, bold=True))
        self.setLayoutDirection(Qt.LayoutDirection.RightToLeft)  # the arrow stands after the name
        self.setIconSize(QSize(_CHEVRON, _CHEVRON))
        self.hosts_menu = QMenu(self)
        self.hosts_menu.setObjectName("hostMenu")
        self.hosts_menu.setLayoutDirection(Qt.LayoutDirection.LeftToRight)
        self.hosts_menu.setAccessibleName(texts["hosts.name"])
        self.clicked.connect(self.open)
        theme.changed.connect(self._draw)
        self._draw()

    def show_hosts(self, hosts: Sequence[Listed], current: HostKey | None) -> None:
        """Show which hosts there are, and which is in front; None: a page of no host."""
        if (hosts, current) != (self._hosts, self._current):
            self._hosts, self._current = hosts, current
            self._draw()

    def open(self) -> None:
        """Open the menu under the button, with the keyboard on the host in front."""
        self.hosts_menu.popup(self.mapToGlobal(QPoint(0, self.height() + 3)))
        here = (each for each in self.hosts_menu.actions() if each.data() == self._current)
        if action := next(here, None):
            self.hosts_menu.setActiveAction(action)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Open on the keys that open a menu elsewhere."""
        if event.key() in (Qt.Key.Key_Down, Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.open()
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """Fit the name to the new width."""
        super().resizeEvent(event)
        self._fit()

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802
        """Fit the name to another font: the style sheet's comes when it is first shown."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self.updateGeometry()
            self._fit()

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802
        """Fit the name once it is known how wide it is."""
        super().showEvent(event)
        self._fit()

    def sizeHint(self) -> QSize:  # noqa: N802
        """Ask for room for the whole name."""
        self.ensurePolished()
        width = self.fontMetrics().horizontalAdvance(self._name()) + _AROUND
        return QSize(width, super().sizeHint().height())

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        """Let the layout make it narrow."""
        return QSize(80, super().minimumSizeHint().height())

    # -- parts -------------------------------------------------------------------------------------

    def _here(self) -> Listed | None:
        return next((each for each in self._hosts if each.key == self._current), None)

    def _name(self) -> str:
        here = self._here()
        return here.name if here else self._texts["hosts.add-title"]

    def _draw(self) -> None:
        here = self._here()
        self.setIcon(icons.icon("chevron", self._theme.colours.quiet, _CHEVRON))
        self.setToolTip(here.address if here else "")
        self.setAccessibleName(self._texts("hosts.button", name=self._name()))
        self._fit()
        self.updateGeometry()
        self._fill()

    def _fit(self) -> None:
        name, metrics = self._name(), self.fontMetrics()
        room = max(self.width() - _AROUND, 40)
        # `elidedText` rounds otherwise than `horizontalAdvance` where a name is of two fonts.
        fits = metrics.horizontalAdvance(name) <= room
        fitting = name if fits else metrics.elidedText(name, Qt.TextElideMode.ElideMiddle, room)
        if fitting != self.text():
            self.setText(fitting)

    def _fill(self) -> None:
        self.hosts_menu.clear()
        for each in self._hosts:
            self._add_host(each)
        self.hosts_menu.addSeparator()
        self.hosts_menu.addAction(self._texts["hosts.add"], self.adding.emit)
        here = self._here()
        if here is not None:
            key = here.key
            removing = self.hosts_menu.addAction(
                self._texts("hosts.remove", name=here.name), lambda: self.removing.emit(key)
            )
            removing.setEnabled(here.phase in STARTABLE)  # what runs is stopped first

    def _add_host(self, each: Listed) -> None:
        """Add a line: mark and name on the left, the state in a word on the right."""
        word = self._texts[f"phase.{each.phase.value}"]
        action = self.hosts_menu.addAction(
            state_icon(each.phase, self._theme, _STATE_ICON),
            f"{each.name.replace('&', '&&')}\t{word}",
            lambda: self.chosen.emit(each.key),
        )
        action.setData(each.key)
        action.setToolTip(each.address)
        font = action.font()
        font.setBold(each.key == self._current)
        action.setFont(font)
