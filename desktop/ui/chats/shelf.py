"""What the sidebar lists, and what becomes of a conversation there: renamed, pinned, put away."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from desktop.core.chat.conversation import Conversation
from desktop.core.texts import Texts
from desktop.ui.chats.chats import Chats
from desktop.ui.chats.listing import Row, by_time, title_of
from desktop.ui.chats.sidebar import Sidebar
from desktop.ui.chats.transfer import Transfer

if TYPE_CHECKING:
    from desktop.ui.chats.desk import Desk

_MOST_HITS = 100


class Shelf(QObject):
    """Puts the conversations into the sidebar, and does what is wished there."""

    def __init__(self, sidebar: Sidebar, desk: Desk, chats: Chats, texts: Texts) -> None:
        super().__init__(sidebar)
        self._sidebar, self._desk, self._chats, self._texts = sidebar, desk, chats, texts
        self._sought = ""
        self._archived = False
        self._transfer = Transfer(desk, chats, texts, self.refresh)
        sidebar.opened.connect(self._open)
        sidebar.created.connect(self.begin)
        sidebar.sought.connect(self._seek)
        sidebar.wished.connect(self._wished)
        sidebar.edited.connect(self.refresh)
        sidebar.typed.connect(desk.composer.editor.type_in)
        desk.composer.editor.compose_for(sidebar.list)
        desk.listed.connect(self.refresh)
        self.refresh()

    @property
    def is_empty(self) -> bool:
        """Whether there is no conversation at all."""
        if self._sidebar.rows.rows or self._sought or self._archived:
            return False
        return not self._chats.store.conversations(archived=True)

    def refresh(self) -> None:
        """List what there is now, or what was found."""
        with self._desk.guarded():
            self._list()

    def _list(self) -> None:
        texts = self._texts
        self._sidebar.shows_archive = self._archived
        if self._sought.strip():
            rows, empty = self._found(), texts["chats.nothing-found"]
        elif self._archived:
            rows, empty = self._listed(archived=True), texts["chats.no-archived"]
        else:
            rows, empty = self._listed(archived=False), texts["chats.none-yet"]
        self._sidebar.show_rows(rows, self._desk.current, empty)

    def _listed(self, *, archived: bool) -> list[Row]:
        kept = self._chats.kept
        there = self._chats.store.conversations(archived=archived)
        streaming = [each.id for each in there if kept.reply_in(each.id) is not None]
        return by_time(there, streaming, self._chats.clock(), self._texts)

    def _found(self) -> list[Row]:
        rows = []
        for hit in self._chats.store.search(self._sought, _MOST_HITS):
            title, snippet = title_of(hit.conversation, self._texts), hit.snippet
            shown = snippet.text if hit.message else ""
            there = hit.conversation
            rows.append(
                Row(
                    title,
                    there.id,
                    hit.message,
                    shown,
                    snippet.marks,
                    pinned=there.pinned,
                    archived=there.archived,
                )
            )
        return rows

    def begin(self) -> None:
        """Show an empty conversation, beside those that are not put away."""
        self._archived = False
        self._desk.new()

    def _open(self, row: Row) -> None:
        start, end = row.matches[0] if row.snippet and row.matches else (0, 0)
        self._desk.open(row.conversation, row.message, row.snippet[start:end])
        self._desk.read.emit()

    def _seek(self, text: str) -> None:
        if text != self._sought:
            self._sought = text
            self.refresh()

    def _wished(self, wish: str, name: str) -> None:
        with self._desk.guarded():
            self._do(wish, name)

    def _do(self, wish: str, name: str) -> None:
        deed, _, title = wish.partition(" ")
        if deed == "archived":
            self._archived = not self._archived
            self.refresh()
        elif not name:
            self._transfer.do(deed)
        elif (there := self._chats.store.conversation(name)) is not None:
            self._do_to(there, deed, title)

    def _do_to(self, there: Conversation, deed: str, title: str) -> None:
        match deed:
            case "rename":
                self._keep(replace(there, title=title))
            case "pin":
                self._keep(replace(there, pinned=not there.pinned))
            case "archive":
                self._archive(there)
            case "delete":
                self._delete(there)
            case _:
                self._transfer.do(deed, there)

    def _keep(self, conversation: Conversation) -> None:
        self._chats.store.save(conversation)
        self.refresh()

    def _archive(self, there: Conversation) -> None:
        self._keep(replace(there, archived=not there.archived))
        key = "chats.was-unarchived" if there.archived else "chats.was-archived"
        title = title_of(there, self._texts)

        def undo() -> None:
            with self._desk.guarded():
                now = self._chats.store.conversation(there.id)
                if now is not None:
                    self._keep(replace(now, archived=there.archived))

        self._desk.toast.say(self._texts(key, title=title), undo)

    def _delete(self, there: Conversation) -> None:
        self._chats.kept.stop(there.id)
        was_open = self._desk.current == there.id
        if was_open:
            self._desk.open("")
        self._chats.store.delete(there.id)
        self.refresh()

        def undo() -> None:
            with self._desk.guarded():
                self._chats.store.restore(there.id)
            if was_open:
                self._desk.open(there.id)
            self.refresh()

        title = title_of(there, self._texts)
        self._desk.toast.say(self._texts("chats.was-deleted", title=title), undo)
