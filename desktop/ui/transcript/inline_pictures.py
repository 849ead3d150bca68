"""Pictures that stand on the line's baseline and may reach below it.

Qt's own inline images stand on the baseline with nothing below it, or are centred in a line whose
height depends on everything else in it. So a formula is an object of ours as high as its ascent,
drawn with its descent hanging out below; where that is more than letters need, an empty object
beside it, which Qt centres, makes the line deep enough.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cache

from PySide6.QtCore import QPointF, QRect, QRectF, QSizeF
from PySide6.QtGui import (
    QColor,
    QFontMetricsF,
    QImage,
    QPainter,
    QPyTextObject,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QTextFormat,
)

OBJECT = "\ufffc"  # what stands for an object in Qt's texts
_KIND = QTextFormat.ObjectTypes.UserObject.value + 1
_PICTURE = QTextFormat.Property.UserProperty.value + 1
_WIDTH, _ASCENT, _TRAIL, _TONE = (_PICTURE + number for number in (1, 2, 3, 4))
_NEVER_FIRST = re.compile("[,.;:!?)\\]%，。、；：！？）」』》】”’…]{1,3}")


@dataclass(frozen=True)
class Picture:
    """A picture in a line; lengths are in pixels of ours.

    Attributes:
        image: at the screen's resolution.
        width: of it.
        ascent: from its top to the baseline.
        descent: from the baseline to its bottom.
        source: what copying gives.
        trail: punctuation behind it, painted with it: Qt breaks lines behind objects, and none may
            begin with a comma.
        tone: colour of that.
    """

    image: QImage
    width: float
    ascent: float
    descent: float
    source: str
    trail: str = ""
    tone: str = "black"


class _Painter(QPyTextObject):
    """Paints pictures for all documents."""

    def intrinsicSize(self, doc: QTextDocument, pos: int, form: QTextFormat) -> QSizeF:  # noqa: N802
        """Return the size that the line reserves: nothing below the baseline."""
        return QSizeF(form.doubleProperty(_WIDTH), form.doubleProperty(_ASCENT))

    def drawObject(  # noqa: N802
        self,
        painter: QPainter,
        rect: QRectF | QRect,
        doc: QTextDocument,
        pos: int,
        form: QTextFormat,
    ) -> None:
        """Paint a picture, its descent below the rectangle."""
        image = form.property(_PICTURE)
        if isinstance(image, QImage):  # on whole pixels of the screen, or it is blurred
            there = painter.deviceTransform()
            corner = there.map(QPointF(rect.x(), rect.y())).toPoint()
            painter.drawImage(there.inverted()[0].map(QPointF(corner)), image)
            if trail := str(form.property(_TRAIL) or ""):
                painter.setPen(QColor(str(form.property(_TONE))))
                painter.setFont(form.toCharFormat().font())
                painter.drawText(
                    QPointF(rect.right() - _advance(form, trail), rect.bottom()), trail
                )


def _advance(form: QTextFormat, text: str) -> float:
    return QFontMetricsF(form.toCharFormat().font()).horizontalAdvance(text)


@cache
def _painter() -> _Painter:
    return _Painter()


def put_pictures(document: QTextDocument, pictures: list[Picture]) -> None:
    """Put pictures where the document has objects, in their order."""
    document.documentLayout().registerHandler(_KIND, _painter())
    metrics = QFontMetricsF(document.defaultFont())
    edit = QTextCursor(document)
    edit.beginEditBlock()  # one layout for all of them
    found = document.find(OBJECT, 0)
    for number, picture in enumerate(pictures):
        if found.isNull():
            break
        at = found.selectionStart()
        form = found.charFormat()
        whole = pictures[number] = replace(picture, trail=_take_trail(document, at + 1))
        found.setCharFormat(_format(form, whole))
        if picture.descent > metrics.descent():
            _deepen(document, at + 1, picture.descent, metrics)
            at += 1
        found = document.find(OBJECT, at + 1)
    edit.endEditBlock()


def _take_trail(document: QTextDocument, at: int) -> str:
    """Remove punctuation that no line may begin with, and return it."""
    block = document.findBlock(at)
    found = _NEVER_FIRST.match(block.text(), at - block.position())
    if found is None:
        return ""
    cursor = QTextCursor(document)
    cursor.setPosition(at)
    cursor.setPosition(at + len(found[0]), QTextCursor.MoveMode.KeepAnchor)
    cursor.removeSelectedText()
    return found[0]


def _format(form: QTextCharFormat, picture: Picture) -> QTextCharFormat:
    made = QTextCharFormat()
    made.setFont(form.font())
    made.setObjectType(_KIND)
    made.setProperty(_PICTURE, picture.image)
    made.setProperty(_TRAIL, picture.trail)
    made.setProperty(_TONE, picture.tone)
    made.setProperty(_WIDTH, float(picture.width) + _advance(made, picture.trail))
    made.setProperty(_ASCENT, float(picture.ascent))
    return made


def _deepen(document: QTextDocument, at: int, descent: float, metrics: QFontMetricsF) -> None:
    """Insert an empty object that makes its line `descent` pixels deep at least."""
    strut = QTextCharFormat()
    strut.setObjectType(_KIND)
    strut.setVerticalAlignment(QTextCharFormat.VerticalAlignment.AlignMiddle)
    strut.setProperty(_WIDTH, 0.0)
    # Qt centres it half the x-height above the baseline: descent = (height - xh / 2) / 2.
    strut.setProperty(_ASCENT, 2 * descent + metrics.xHeight() / 2)
    cursor = QTextCursor(document)
    cursor.setPosition(at)
    cursor.insertText(OBJECT, strut)


def with_sources(
    document: QTextDocument, span: tuple[int, int], pictures: list[Picture], text: str
) -> str:
    """Return the text of a span with the sources of pictures in place of their stand-ins."""
    sources, at = iter(pictures), 0
    parts: list[str] = []
    found = document.find(OBJECT, 0)
    while not found.isNull() and found.selectionStart() < max(span):
        drawn = found.charFormat().property(_PICTURE) is not None
        picture = next(sources, None) if drawn else None
        if found.selectionStart() >= min(span):
            end = text.find(OBJECT, at)
            if end < 0:
                break
            parts += [text[at:end], picture.source + picture.trail if picture is not None else ""]
            at = end + 1
        found = document.find(OBJECT, found.selectionEnd())
    return "".join(parts) + text[at:]
