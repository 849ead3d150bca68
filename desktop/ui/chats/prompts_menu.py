"""The small library of system prompts: take one, keep this one, let one go."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from functools import partial
from itertools import count
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QInputDialog, QMenu, QPushButton

from desktop.core.texts import Texts
from desktop.ui.chats.prompt_field import PromptField
from desktop.ui.labels import button

if TYPE_CHECKING:
    from desktop.core.chat.store.store import Store

Guard = Callable[[], AbstractContextManager[None]]

_LONGEST_NAME = 60


class PromptLibrary:
    """Behind a link button; the prompts lie in the store.

    Attributes:
        button: opens the menu.
    """

    def __init__(self, store: Store, texts: Texts, field: PromptField, guarded: Guard) -> None:
        self._guarded = guarded
        self._store, self._texts, self._field = store, texts, field
        self.button: QPushButton = button(texts["prompts.open"], "link", "promptsButton")
        self.button.clicked.connect(self._open)

    def menu(self) -> QMenu:
        """Return the menu as it is now."""
        menu = QMenu(self.button)
        menu.setObjectName("promptsMenu")
        saved = self._store.prompts()
        for name, text in saved.items():
            menu.addAction(name.replace("&", "&&"), partial(self._field.take, text))
        if not saved:
            menu.addAction(self._texts["prompts.none"]).setEnabled(False)
        menu.addSeparator()
        saving = menu.addAction(self._texts["prompts.save"], self._ask_name)
        saving.setEnabled(bool(self._field.text().strip()))
        if saved:
            removing = menu.addMenu(self._texts["prompts.delete"])
            for name in saved:
                removing.addAction(name.replace("&", "&&"), partial(self.delete, name))
        return menu

    def _open(self) -> None:
        menu = self.menu()
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(self.button.mapToGlobal(QPoint(0, self.button.height())))

    def _ask_name(self) -> None:
        dialog = QInputDialog(self.button.window())
        dialog.setObjectName("promptNameDialog")
        dialog.setWindowTitle(self._texts["prompts.save"])
        dialog.setLabelText(self._texts["prompts.name"])
        dialog.setTextValue(self._field.text().strip().splitlines()[0][:_LONGEST_NAME])
        dialog.textValueSelected.connect(self.save)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def save(self, name: str) -> None:
        """Keep what is in the field under a name; one that has the name stays beside it."""
        text = self._field.text()
        if name := name.strip()[:_LONGEST_NAME]:
            with self._guarded():
                self._store.save_prompt(_free(name, text, self._store.prompts()), text)

    def delete(self, name: str) -> None:
        """Let one go."""
        with self._guarded():
            self._store.delete_prompt(name)


def _free(name: str, text: str, saved: Mapping[str, str]) -> str:
    """Return the name, with a number where another text has it."""
    names = (name if number == 1 else f"{name} ({number})" for number in count(1))
    return next(each for each in names if saved.get(each, text) == text)
