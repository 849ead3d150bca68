"""The transcript: a conversation as it is read, searched, copied from and acted upon."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtCore import QPointF, QTimer, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QMenu, QWidget

from desktop.core.texts import Texts
from desktop.ui.theme import Theme
from desktop.ui.transcript import access
from desktop.ui.transcript.actions import ActionRow
from desktop.ui.transcript.block import Tint
from desktop.ui.transcript.canvas import COLUMN, MARGIN, Canvas
from desktop.ui.transcript.code import CodeBlock
from desktop.ui.transcript.find import Match
from desktop.ui.transcript.finding import Finding
from desktop.ui.transcript.flow import Seen
from desktop.ui.transcript.footer import FooterBlock
from desktop.ui.transcript.plain import FoldBlock
from desktop.ui.transcript.pointer import Pointer
from desktop.ui.transcript.section import Section
from desktop.ui.transcript.selection import Selection, everything, message
from desktop.ui.transcript.shown import Action, Shown

__all__ = ["COLUMN", "MARGIN", "Transcript"]

_COPIED_MS = 1500
_SEARCH_S = 0.003  # in one turn, in which the place that was found may be laid out too
_BETWEEN_MS = 1  # two slices of a search: input comes first


class Transcript(Canvas):
    """One conversation.

    Signals:
        acted: a person chose an `Action` on a message, with its id. COPY is done here already.
        linked: a person clicked a link, with its address: http, https or mailto. The view opens
            nothing; hovering shows the address.
        found: a search has gone on: `matches` and `searching` tell how far.
        followed: whether the view keeps to the end (True) or the reader went up (False).

    Attributes:
        current: index of the message that keys have chosen.
    """

    acted = Signal(str, object)
    linked = Signal(str)
    found = Signal()

    def __init__(self, theme: Theme, texts: Texts, parent: QWidget | None = None) -> None:
        access.install()
        super().__init__(theme, texts, parent)
        self.setObjectName("transcript")
        self.setAccessibleName(texts["transcript.name"])
        self.current: int | None = None
        self._hovered: int | None = None
        self._finding = Finding()
        self._search = QTimer(self, singleShot=True, interval=_BETWEEN_MS)
        self._search.timeout.connect(self._look_on)
        self._row = ActionRow(self.viewport(), texts, theme.colours)
        self._row.chosen.connect(self._act)
        self._pointer = Pointer(self)
        theme.changed.connect(self._colour_row)  # no lambda: the theme outlives this

    def _colour_row(self) -> None:
        self._row.colour(self._theme.colours)

    # -- what is shown -----------------------------------------------------------------------

    def present(self, messages: Sequence[Shown]) -> None:
        """Show a whole path of a conversation; a message with a known id keeps its blocks."""
        old = self.flow.sections
        sought = self._finding.sought
        words = [_words(section.now()) for section in old] if sought else []
        before = [section.shown.id for section in old]
        ids = [shown.id for shown in messages]
        if before != ids[: len(before)]:
            self.selection = self.current = None
        if not set(before) & set(ids):
            self._following = True
        self._keeping_section(lambda: self.flow.put(self._sections(messages)))
        if sought and words != [_words(shown) for shown in messages]:
            self._finding.seek_again(old, self.flow.sections)
            self._search.start()
        self._settle()
        self.viewport().update()

    def _sections(self, messages: Sequence[Shown]) -> list[Section]:
        known = {section.shown.id: section for section in self.flow.sections}
        sections = []
        for shown in messages:
            section = known.get(shown.id)
            if section is None:
                section = Section(self._look, shown)
            elif section.now() != shown:
                section.update(shown)
            sections.append(section)
        return sections

    def _keeping_section(self, change: Callable[[], None]) -> None:
        """Change the path; the message at the upper edge stays where it is, if it stays."""
        bar = self.verticalScrollBar()
        seen = self.flow.find(bar.value())
        section = None if seen is None else self.flow.sections[seen.section]
        top = 0.0 if seen is None else self.flow.top(seen.section)
        change()
        if section in self.flow.sections and not self._following:
            moved = self.flow.top(self.flow.sections.index(section)) - top
            self._settling = True
            self._set_range()
            bar.setValue(bar.value() + round(moved))
            self._settling = False

    def _index(self, name: str) -> int | None:
        for index in range(len(self.flow.sections) - 1, -1, -1):
            if self.flow.sections[index].shown.id == name:
                return index
        return None

    def append(self, id: str, text: str) -> None:  # noqa: A002 - the message's id
        """Add text to a message that streams; one that does not is left alone."""
        index = self._index(id)
        if index is not None and self.flow.sections[index].shown.streaming:
            self._grown(index, self.flow.sections[index].append(text))

    def reason(self, id: str, text: str) -> None:  # noqa: A002 - the message's id
        """Add reasoning to a message that streams."""
        index = self._index(id)
        if index is not None and self.flow.sections[index].shown.streaming:
            self._grown(index, self.flow.sections[index].reason(text))

    def change(self, shown: Shown) -> None:
        """Show what has changed of a message, such as that it ended."""
        index = self._index(shown.id)
        if index is None:
            return
        ended = self.flow.sections[index].shown.streaming and not shown.streaming
        self._grown(index, self.flow.sections[index].update(shown))
        if ended:
            note = shown.note
            access.announce(self, self.texts["transcript.done"] if note is None else note.title)

    def _grown(self, index: int, first: int) -> None:
        selection = self.selection
        if selection is not None and (index, first) <= (
            selection.ends[1].section,
            selection.ends[1].block,
        ):
            self.selection = None
        self._changed(index, first)

    def plain_text(self) -> str:
        """Return the whole conversation as copying it would give it."""
        whole = everything(self.flow.sections)
        return "" if whole is None else whole.text(self.flow.sections)

    # -- finding -----------------------------------------------------------------------------

    def find_text(self, text: str) -> int:
        """Tint a text wherever it stands and go to the nearest place.

        A long conversation is searched in several turns of the loop; `found` tells of each.

        Returns:
            How many places are known by now.
        """
        seen = self.flow.find(self.verticalScrollBar().value())
        self._finding.seek(self.flow.sections, text, seen)
        self._look_on()
        self.viewport().update()
        return self._finding.count

    @property
    def matches(self) -> int:
        """How many places were found, also in messages never seen; `find.MOST` at most."""
        return self._finding.count

    @property
    def searching(self) -> bool:
        """Whether there may be more of them."""
        return self._finding.searching

    def _look_on(self) -> None:
        """Search a slice of what is left, and go to the nearest place once it is known."""
        finding = self._finding
        until = time.perf_counter() + _SEARCH_S

        def search() -> None:
            finding.advance(until)
            self.flow.sum(0)  # a message that is opened is as high as its blocks

        self._keeping_place(search)
        if finding.current is None:
            self._go_to(finding.go_near())
        if self._following:  # the end is elsewhere now
            self._settle()
            self.viewport().update()
        if finding.searching:
            self._search.start()
        self.found.emit()

    def find_next(self, step: int = 1) -> int:
        """Go to another place, around the end; returns its number from 1, or 0 of none.

        A step of 0 goes nowhere.
        """
        match = self._finding.step(step)
        if step:
            self._go_to(match)
        return self._finding.number

    def clear_find(self) -> None:
        """Tint nothing any more."""
        self._finding.clear()
        self._search.stop()
        self.viewport().update()

    def _go_to(self, match: Match | None) -> None:
        if match is None or match.section >= len(self.flow.sections):
            return
        self._following = False
        section = self.flow.sections[match.section]
        if match.block in section.folded:
            section.unfold(match.block)
            self.flow.sum(match.section)
        if match.block in section.column.blocks:
            self._show_match(match, section.column.blocks.index(match.block))
        self._note_following()
        self.viewport().update()

    def _show_match(self, match: Match, index: int) -> None:
        bar, page, block = self.verticalScrollBar(), self.viewport().height(), match.block
        self._set_range()
        bar.setValue(round(self.flow.block_top(match.section, index) - page / 3))
        block.lay_out(self.width_of(block))
        if (span := self._finding.span(match)) is not None:
            offset, _ = block.line_of(span[0])
            bar.setValue(round(self.flow.block_top(match.section, index) + offset - page / 3))

    def _tints(self, seen: Seen) -> list[Tint]:
        """Return what is behind the text of a block: matches, then the selection over them."""
        return self._finding.tints(seen) + super()._tints(seen)

    # -- selecting and copying ---------------------------------------------------------------

    def select(self, selection: Selection | None) -> None:
        """Show a selection."""
        if selection != self.selection:
            self.selection = selection
            self.viewport().update()

    def select_all(self) -> None:
        """Select the whole conversation."""
        self.select(everything(self.flow.sections))

    def copy(self) -> None:
        """Put what is selected on the clipboard."""
        if self.selection is not None and not self.selection.empty:
            QGuiApplication.clipboard().setText(self.selection.text(self.flow.sections))

    def selected_in(self, id: str) -> str:  # noqa: A002 - the message's id
        """Return what is selected of a message, "" where it is none or all of it."""
        index = self._index(id)
        if index is None or self.selection is None or self.selection.empty:
            return ""
        return self.selection.part(index, self.flow.sections).strip("\n")

    def activate(self, seen: Seen, point: QPointF) -> None:
        """Do what a click on a block's hotspot does."""
        block = seen.block
        if isinstance(block, FooterBlock):
            action = block.step_at(point, self.width_of(block))
            if action is not None:
                self.acted.emit(block.shown.id, action)
            return
        copied = block.activate(point, self.width_of(block))
        if copied is not None:
            QGuiApplication.clipboard().setText(copied)
            QTimer.singleShot(_COPIED_MS, self, lambda: self._forget_copied(block))
        if isinstance(block, FoldBlock):
            self._following = False
            self.flow.sections[seen.section].refresh()
            self.flow.sum(seen.section)
            self._settle()
            self._note_following()
        self.viewport().update()

    def _forget_copied(self, block: object) -> None:
        if isinstance(block, CodeBlock):
            block.fence.copied = False
            self.viewport().update()

    def pan(self, seen: Seen, delta: float) -> bool:
        """Move wide code or a wide table sideways; tells whether there was something to move."""
        moved = seen.block.pan(delta, self.width_of(seen.block))
        if moved:
            self.viewport().update()
        return moved

    def pan_seen(self, delta: float) -> bool:
        """Move what is too wide and in sight, of the message that keys chose if they did."""
        moved = False
        for seen in self._seen():
            if self.current in (None, seen.section):
                moved = self.pan(seen, delta) or moved
        return moved

    def accessible(self) -> access.AccessibleTranscript:
        """Return what screen readers are told, made anew for each that asks."""
        return access.AccessibleTranscript(self)

    # -- acting on messages ------------------------------------------------------------------

    def hover(self, section: int | None) -> None:
        """Offer the actions of the message under the mouse."""
        if section != self._hovered and not self._row.underMouse():
            self._hovered = section
            self._settled()

    def step(self, by: int) -> None:
        """Choose the next or the last message with the keys; 0 chooses none."""
        if by == 0 or not self.flow.sections:
            self.current = None
        elif self.current is None:
            seen = self.flow.find(self.verticalScrollBar().value() + self.viewport().height() / 2)
            self.current = len(self.flow.sections) - 1 if seen is None else seen.section
        else:
            self.current = max(0, min(len(self.flow.sections) - 1, self.current + by))
        self._show_current()

    def _show_current(self) -> None:
        if self.current is None:
            self.select(None)
            self._settled()
            return
        self.select(message(self.current))
        self._following = False
        top = self.flow.top(self.current)
        bar = self.verticalScrollBar()
        if not bar.value() <= top < bar.value() + self.viewport().height() * 0.7:
            bar.setValue(round(top - 40))
        self._hovered = None
        access.chosen(self, self.current)
        self._settle()

    def _settled(self) -> None:
        """Bring the row of actions to its message."""
        index = self._hovered if self._hovered is not None else self.current
        if index is None or index >= len(self.flow.sections):
            self._row.hide()
            return
        section = self.flow.sections[index]
        footer = section.footer
        if footer is None or not section.shown.actions:
            self._row.hide()
            return
        self._place_row(section, index, footer)

    def _place_row(self, section: Section, index: int, footer: int) -> None:
        block = section.column.blocks[footer]
        assert isinstance(block, FooterBlock)
        left, width = self.column()
        self._row.offer(section.now())
        room = self._row.room(section.shown)
        x = left + width - room
        if section.shown.role == "user" and (stepper := block.stepper_width()):
            x -= stepper + 6
        block.reserved = room + 10
        y = self.flow.block_top(index, footer) - self.verticalScrollBar().value()
        self._row.place(x, y)

    def _act(self, id: str, action: Action) -> None:  # noqa: A002 - the message's id
        if action is Action.COPY:
            index = self._index(id)
            if index is not None:
                QGuiApplication.clipboard().setText(self.flow.sections[index].text)
        self.acted.emit(id, action)

    def offer_actions(self, menu: QMenu, index: int) -> None:
        """Add the actions of a message to a menu."""
        shown = self.flow.sections[index].now()
        usable = [action for action in Action if action in shown.actions]
        if usable:
            menu.addSeparator()
        for action in usable:
            text = self.texts[f"message.{action.value}"]
            menu.addAction(text, partial(self._act, shown.id, action))


def _words(shown: Shown) -> tuple[object, ...]:
    """Return what a search goes by: it is made again when a reply has ended, not as it grows."""
    return shown.id, shown.text, shown.reasoning, shown.streaming
