"""What is inside a message, for a menu: without a mouse nobody could press it where it stands."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QMenu

from desktop.ui.transcript.addresses import addresses
from desktop.ui.transcript.code import CodeBlock
from desktop.ui.transcript.flow import Seen
from desktop.ui.transcript.plain import FoldBlock

if TYPE_CHECKING:
    from desktop.ui.transcript.view import Transcript

_MOST = 8  # of each: a menu is to be seen whole
_LONGEST = 40  # characters of a line in it


def offer(view: Transcript, menu: QMenu, index: int) -> None:
    """Add what a message holds to a menu: what is folded away, its code, its links."""
    section, texts = view.flow.sections[index], view.texts
    blocks = section.column.blocks
    menu.addSeparator()
    for at, block in enumerate(blocks):
        if isinstance(block, FoldBlock):
            key = "transcript.close" if block.open else "transcript.open"
            press = partial(view.activate, Seen(index, at, block, 0.0), QPointF())
            menu.addAction(_line(texts(key, title=block.title)), press)
    fences = dict.fromkeys(block.fence for block in blocks if isinstance(block, CodeBlock))
    for fence in list(fences)[:_MOST]:
        first = fence.source.lstrip().partition("\n")[0]
        copy = partial(QGuiApplication.clipboard().setText, fence.source)
        menu.addAction(_line(texts("transcript.copy-code", first=first)), copy)
    for link in addresses(section.text)[:_MOST]:
        menu.addAction(
            _line(texts("transcript.follow", link=link)), partial(view.linked.emit, link)
        )


def _line(text: str) -> str:
    cut = text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
    return cut.replace("&", "&&")
