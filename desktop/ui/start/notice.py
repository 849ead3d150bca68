"""What stands above the steps when something is wrong: why, what to do, buttons for it, the log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import QFrame, QPlainTextEdit, QPushButton, QVBoxLayout, QWidget

from desktop.core.explain import Explanation
from desktop.core.remedies import Remedy
from desktop.core.texts import Texts
from desktop.ui import fonts
from desktop.ui.labels import button, label, set_property
from desktop.ui.start.address import AddressBox
from desktop.ui.start.wrapping import WrappingRow

_SHOWN_LINES = 10
_KEPT_LINES = 200  # what a host may make us show
_NAMES = {
    Remedy.RETRY: "retryButton",
    Remedy.OTHER_HOST: "changeAfterFailureButton",
    Remedy.COMPARE_KEYS: "compareKeysButton",
    Remedy.STOP: "stopAgainButton",
    Remedy.LOG: "logOfHostButton",
}
# Always there, and hardly ever what helps: in a line of their own.
_BESIDE = (Remedy.OTHER_HOST, Remedy.LOG, Remedy.REPORT)


class Notice(QFrame):
    """A card with a title, a detail, a hint and buttons.

    Attributes:
        address: asks for the host's new address, where that may be what is wrong.

    Signals:
        chosen: a Remedy is to be tried.
    """

    chosen = Signal(object)

    def __init__(self, texts: Texts) -> None:
        super().__init__()
        self.setObjectName("notice")
        self._texts = texts
        self._title = label(size=1.2, bold=True, wrap=True)
        self._detail, self._hint = label(wrap=True), label(tone="quiet", wrap=True)
        self._remark = label(wrap=True)
        self._remark.setObjectName("noticeRemark")
        for text in (self._detail, self._hint):
            text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._buttons: dict[Remedy, QPushButton] = {}  # each made when it is first offered
        self._offered: tuple[Remedy, ...] = ()
        self._deeds, self._beside = WrappingRow(), WrappingRow()
        self._toggle = button(texts["notice.show-log"], "link", "logButton")
        self._toggle.setParent(self)
        self._toggle.clicked.connect(self._toggle_log)
        self._log = self._make_log()
        self.address = AddressBox(texts)
        self._arrange()
        self._order()

    def _make_button(self, remedy: Remedy) -> QPushButton:
        made = button("", "link", _NAMES.get(remedy, f"{remedy.value}Button"))
        made.setParent(self)
        made.clicked.connect(lambda: self.chosen.emit(remedy))
        self._buttons[remedy] = made
        return made

    def _make_log(self) -> QPlainTextEdit:
        log = QPlainTextEdit()
        log.setObjectName("logLines")
        log.setAccessibleName(self._texts["notice.log"])
        log.setReadOnly(True)
        log.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        log.setFont(fonts.monospace(self.font(), 0.88))
        log.setFixedHeight(QFontMetrics(log.font()).lineSpacing() * _SHOWN_LINES + 20)
        log.setVisible(False)
        return log

    def _arrange(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(18, 15, 18, 15)
        layout.setSpacing(6)
        for widget in (self._title, self._detail, self._hint, self._remark):
            layout.addWidget(widget)
        layout.addSpacing(4)
        layout.addLayout(self._deeds)
        layout.addLayout(self._beside)
        layout.addWidget(self._log)
        layout.addWidget(self.address)

    def show_failure(
        self, why: Explanation, lines: Sequence[str], offers: Mapping[Remedy, str], remark: str
    ) -> None:
        """Show an error.

        Args:
            why: in words.
            lines: the last ones of a log, where there are some.
            offers: what can be done about it and how that is called, the best first.
            remark: what came of the last one, or "".
        """
        set_property(self, "card", "bad")
        set_property(self._title, "tone", "bad")
        self._say(why.title, why.detail, why.hint, remark)
        text = "\n".join(lines[-_KEPT_LINES:])
        if text != self._log.toPlainText():
            self._log.setPlainText(text)
            self._log.setVisible(False)
        self._offer(offers)
        self._toggle.setVisible(bool(text))
        self._name_toggle()

    def show_waiting(self, title: str, countdown: str, hint: str) -> None:
        """Show that the host cannot be reached and when it is tried again."""
        set_property(self, "card", "busy")
        set_property(self._title, "tone", "busy")
        self._say(title, countdown, hint, "")
        self._offer({Remedy.RETRY: self._texts["reconnect.now"]})
        self._toggle.setVisible(False)
        self._log.setVisible(False)

    def say(self, remark: str) -> None:
        """Tell what came of a button."""
        self._remark.setText(remark)
        self._remark.setVisible(bool(remark))

    def take_keyboard(self) -> None:
        """Put the keyboard where what helps best is done."""
        best = next(iter(self._offered), None)
        if best is Remedy.ADDRESS:
            self.address.take_keyboard()
        elif best is not None:
            self._buttons[best].setFocus()

    def disable(self, remedy: Remedy, *, disabled: bool) -> None:
        """Have a button wait for what it began."""
        if made := self._buttons.get(remedy):
            made.setDisabled(disabled)

    def _offer(self, offers: Mapping[Remedy, str]) -> None:
        best = next(iter(offers), None)
        self.address.stand_out(is_best=best is Remedy.ADDRESS)
        for remedy, text in offers.items():
            if remedy is not Remedy.ADDRESS:  # that one has a field of its own
                made = self._buttons.get(remedy) or self._make_button(remedy)
                made.setText(text)
                made.setAccessibleName(text)
                set_property(made, "kind", "primary" if remedy is best else "link")
        if tuple(offers) != self._offered:
            self._offered = tuple(offers)
            self._order()

    def _order(self) -> None:
        """Put the buttons in their order, for the eye and for the Tab key."""
        offered = [each for each in self._offered if each in self._buttons]
        deeds = [each for each in offered if each not in _BESIDE or each is self._offered[0]]
        beside = [each for each in offered if each not in deeds]
        first: list[QWidget] = [self._buttons[each] for each in deeds]
        second: list[QWidget] = [*(self._buttons[each] for each in beside), self._toggle]
        shown = [*first, *second]
        for each in self._buttons.values():
            each.setVisible(each in shown)
        self._deeds.fill(first)
        self._beside.fill(second)
        for one, other in zip(shown, [*shown[1:], self._log], strict=True):
            QWidget.setTabOrder(one, other)

    def _say(self, *said: str) -> None:
        shown = (self._title, self._detail, self._hint, self._remark)
        for widget, text in zip(shown, said, strict=True):
            widget.setText(text)
            widget.setVisible(bool(text))

    def _toggle_log(self) -> None:
        self._log.setVisible(self._log.isHidden())
        self._name_toggle()

    def _name_toggle(self) -> None:
        key = "notice.show-log" if self._log.isHidden() else "notice.hide-log"
        self._toggle.setText(self._texts[key])
