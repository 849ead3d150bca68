"""The quiet column at the left: a search field, the conversations, and a few more things to do."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPoint, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLineEdit, QMenu, QVBoxLayout

from desktop.core.texts import Texts
from desktop.ui import icons, shortcuts
from desktop.ui.chats.listing import Row
from desktop.ui.chats.row_list import RowList
from desktop.ui.chats.rows import ROW, Rows
from desktop.ui.chats.tool import ToolButton
from desktop.ui.labels import label
from desktop.ui.theme import Theme

WIDTH = 252
_SOON_MS = 120
# What can be done to one conversation, in the order of its menu; "" divides.
DEEDS = ("rename", "pin", "archive", "", "export-markdown", "export-json", "", "delete")
OF_ALL = ("archived", "", "export-all-markdown", "export-all-json", "import")


class SearchField(QLineEdit):
    """Escape empties it, Down goes on to what was found.

    Signals:
        left: the list is wanted.
    """

    left = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Take the two keys that lead away."""
        if event.key() == Qt.Key.Key_Escape and self.text():
            self.clear()
        elif event.key() in (Qt.Key.Key_Down, Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.left.emit()
        else:
            super().keyPressEvent(event)


class Sidebar(QFrame):
    """Shows rows and tells what is wished; what comes of it is `shelf.py`'s.

    Attributes:
        rows: the model of the list.
        list: the list.
        search: the field over it.
        shows_archive: whether the list is that of the archive.

    Signals:
        opened: a row of the list.
        created: a new conversation is wanted.
        sought: the field holds this, as of a moment ago.
        edited: a title was typed, or not after all: the list may be shown anew.
        wished: one of DEEDS, and the conversation; or one of OF_ALL, and "".
        typed: text that is meant for the composer.
    """

    opened = Signal(object)
    created = Signal()
    sought = Signal(str)
    edited = Signal()
    wished = Signal(str, str)
    typed = Signal(str)

    def __init__(self, theme: Theme, texts: Texts) -> None:
        super().__init__()
        self.setObjectName("sidebar")
        self.setFixedWidth(WIDTH)
        self._theme, self._texts = theme, texts
        self._current = ""  # the conversation in front
        self.shows_archive = False
        self.rows = Rows(texts)
        self.list = RowList(self.rows, theme, texts)
        self.search = self._make_search()
        self._empty = label(tone="quiet", size=0.92, wrap=True)
        self._empty.setContentsMargins(14, 10, 14, 10)
        self._empty.setAlignment(Qt.AlignmentFlag.AlignTop)
        keys = shortcuts.of("chats.new")
        self._new = ToolButton("new-chat", texts["chats.new"], theme, "newChatButton", keys)
        self._more = ToolButton("more", texts["chats.more"], theme, "chatsMenuButton")
        self._arrange()
        self._connect()

    def _make_search(self) -> SearchField:
        field = SearchField()
        field.setObjectName("searchField")
        field.setAccessibleName(self._texts["chats.search"])
        field.setPlaceholderText(self._texts["chats.search"])
        keys = shortcuts.of("chats.search-help")
        field.setToolTip(f"{self._texts['chats.search-help']} ({keys})")
        field.setClearButtonEnabled(True)
        self._glass = field.addAction(
            icons.icon("search", self._theme.colours.quiet, 16),
            QLineEdit.ActionPosition.LeadingPosition,
        )
        return field

    def _arrange(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 10, 0, 0)
        layout.setSpacing(4)
        top = QHBoxLayout()
        top.setContentsMargins(10, 0, 8, 0)
        top.setSpacing(2)
        top.addWidget(self.search, 1)
        top.addSpacing(4)
        for each in (self._new, self._more):
            top.addWidget(each)
        layout.addLayout(top)
        layout.addWidget(self._empty)
        layout.addWidget(self.list, 1)

    def _connect(self) -> None:
        self._soon = QTimer(self, singleShot=True, interval=_SOON_MS)
        self._soon.timeout.connect(lambda: self.sought.emit(self.search.text()))
        self.search.textChanged.connect(lambda _: self._soon.start())
        self.search.left.connect(self._enter_list)
        self._new.clicked.connect(self.created)
        self._more.clicked.connect(self._open_more)
        self.list.opened.connect(self.opened)
        self.list.deleting.connect(lambda name: self.wished.emit("delete", name))
        self.list.asked.connect(self._open_menu)
        self.list.typed.connect(self.typed)
        self.list.left.connect(self._mark_open)
        self.rows.renamed.connect(lambda name, title: self.wished.emit(f"rename {title}", name))
        delegate = self.list.itemDelegate()
        delegate.closeEditor.connect(self.edited, Qt.ConnectionType.QueuedConnection)
        self._theme.changed.connect(self._draw)  # no lambda: the theme outlives this

    def _draw(self) -> None:
        self._glass.setIcon(icons.icon("search", self._theme.colours.quiet, 16))

    def sizeHint(self) -> QSize:  # noqa: N802
        """Be as wide as it is."""
        return QSize(WIDTH, 300)

    # -- what is shown -----------------------------------------------------------------------------

    def show_rows(self, rows: Sequence[Row], current: str, empty: str) -> None:
        """Show these rows, the current conversation marked; `empty` says why there are none."""
        if self.list.state() == RowList.State.EditingState:
            return  # a title is typed just now
        place = self.list.verticalScrollBar().value()
        chosen, message = self._chosen(current)
        self._current = current
        self.rows.put(rows)
        self._mark(chosen, message)
        self.list.verticalScrollBar().setValue(place)
        policy = Qt.FocusPolicy  # where there is nothing, the keyboard has nothing to do
        self.list.setFocusPolicy(policy.StrongFocus if rows else policy.NoFocus)
        self._empty.setText("" if rows else empty)
        self._empty.setVisible(not rows)

    def _mark(self, conversation: str, message: str) -> None:
        here = self.rows.find(conversation, message)
        if not here.isValid():
            here = self.rows.find(self._current)
        if here != self.list.currentIndex():
            self.list.setCurrentIndex(here)
        if not here.isValid():
            self.list.clearSelection()

    def _mark_open(self) -> None:
        """Mark the conversation that is read, wherever a click or the keyboard was last."""
        row: Row | None = self.list.currentIndex().data(ROW)
        if row is None or row.conversation != self._current:
            place = self.list.verticalScrollBar().value()
            self._mark(self._current, "")
            self.list.verticalScrollBar().setValue(place)

    def _chosen(self, current: str) -> tuple[str, str]:
        """Return which row is marked: where the keyboard walked to, while no other is opened."""
        row: Row | None = self.list.currentIndex().data(ROW)
        walks = self.window().focusWidget() is self.list and current == self._current
        if row is not None and (walks or row.conversation == current):
            return row.conversation, row.message
        return current, ""

    def seek(self) -> None:
        """Put the keyboard into the search field."""
        self.search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.search.selectAll()

    def _enter_list(self) -> None:
        self._soon.stop()
        self.sought.emit(self.search.text())
        first = next((at for at, row in enumerate(self.rows.rows) if not row.is_heading), None)
        if first is not None:
            self.list.setFocus()
            self.list.setCurrentIndex(self.rows.index(first))

    # -- menus -------------------------------------------------------------------------------------

    def _open_menu(self, where: QPoint, by_mouse: bool) -> None:
        row: Row | None = self.list.indexAt(where).data(ROW)
        if row is not None and not row.is_heading:
            menu = self.menu_of(row)
            if by_mouse:  # who came with keys walks on from here
                menu.aboutToHide.connect(self._mark_open)
            menu.popup(self.list.viewport().mapToGlobal(where))

    def menu_of(self, row: Row) -> QMenu:
        """Return the menu of one conversation."""
        menu = self._menu("chatMenu")
        for name in DEEDS:
            is_on = {"pin": row.pinned, "archive": row.archived}.get(name, False)
            self._add(menu, name, row.conversation, on=is_on)
        return menu

    def _open_more(self) -> None:
        menu = self._menu("chatsMenu")
        for name in OF_ALL:
            self._add(menu, name, "", on=name == "archived" and self.shows_archive)
        menu.popup(self._more.mapToGlobal(QPoint(0, self._more.height() + 3)))

    def _menu(self, name: str) -> QMenu:
        menu = QMenu(self)
        menu.setObjectName(name)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        return menu

    def _add(self, menu: QMenu, name: str, conversation: str, *, on: bool = False) -> None:
        if not name:
            menu.addSeparator()
            return
        key = f"chats.un{name}" if on else f"chats.{name}"
        action: QAction = menu.addAction(self._texts[key])
        action.triggered.connect(lambda: self._wish(name, conversation))

    def _wish(self, name: str, conversation: str) -> None:
        if name == "rename":
            self.rename(conversation)
        else:
            self.wished.emit(name, conversation)

    def rename(self, conversation: str) -> None:
        """Let the title of a conversation be changed in the list."""
        index = self.rows.find(conversation)
        if index.isValid():
            self.list.setCurrentIndex(index)
            self.list.edit(index)
