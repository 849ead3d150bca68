"""Conversations out into files and in from files, through the system's own file dialog."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QFileDialog

from desktop.core.atomic_file import write_atomically
from desktop.core.chat.conversation import Conversation
from desktop.core.chat.exports.whole import Whole, all_of, bring_in, gathered
from desktop.core.texts import Texts
from desktop.ui.chats.chats import Chats
from desktop.ui.chats.told import told

if TYPE_CHECKING:
    from desktop.ui.chats.desk import Desk

_ALL = "conversations"
_JSON, _MARKDOWN = "*.json", "*.md"
_READABLE = "*.json *.zip"


class Transfer:
    """Asks where to, writes, and says what was done; nothing that is here is ever overwritten."""

    def __init__(
        self, desk: Desk, chats: Chats, texts: Texts, on_imported: Callable[[], None]
    ) -> None:
        self._desk, self._chats, self._texts = desk, chats, texts
        self._on_imported = on_imported

    def do(self, wish: str, conversation: Conversation | None = None) -> None:
        """Do one of the sidebar's wishes that end in a file dialog."""
        match wish:
            case "export-json" if conversation is not None:
                self._ask_file(self._named(conversation, ".json"), _JSON, conversation)
            case "export-markdown" if conversation is not None:
                self._ask_file(self._named(conversation, ".md"), _MARKDOWN, conversation)
            case "export-all-json":
                self._ask_file(f"{_ALL}.json", _JSON, None)
            case "export-all-markdown":
                self._ask_folder()
            case "import":
                self._ask_import()

    # -- out ---------------------------------------------------------------------------------------

    def _named(self, conversation: Conversation, suffix: str) -> str:
        from desktop.core.chat.exports import markdown  # noqa: PLC0415 - not at start

        return str(Path(markdown.file_name(conversation)).with_suffix(suffix))

    def _ask_file(self, name: str, kind: str, conversation: Conversation | None) -> None:
        dialog = self._dialog("chats.export-title")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setNameFilter(kind)
        dialog.setDefaultSuffix(Path(name).suffix.lstrip("."))
        dialog.selectFile(name)
        dialog.fileSelected.connect(lambda path: self.write(Path(path), conversation))
        dialog.open()

    def _ask_folder(self) -> None:
        dialog = self._dialog("chats.export-folder-title")
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.fileSelected.connect(lambda path: self.write_folder(Path(path)))
        dialog.open()

    def write(self, path: Path, conversation: Conversation | None) -> None:
        """Write one conversation, or all of them, into a file; its suffix says how."""
        from desktop.core.chat.exports import files, markdown  # noqa: PLC0415 - zipfile: not at start

        with told(self._desk.toast, self._texts):
            if path.suffix == ".md" and (whole := self._whole(conversation)):
                write_atomically(path, markdown.document(whole).encode())
            elif conversation is None:
                files.write_json(path, all_of(self._chats.store))
            elif whole := self._whole(conversation):
                files.write_json(path, [whole])
            self._desk.toast.say(self._texts("chats.exported", path=path.name))

    def write_folder(self, folder: Path) -> None:
        """Write each conversation into a Markdown file of its own."""
        from desktop.core.chat.exports import files  # noqa: PLC0415 - zipfile: not at start

        with told(self._desk.toast, self._texts):
            written = files.write_markdown(folder, all_of(self._chats.store))
            self._desk.toast.say(
                self._texts("chats.exported-all", count=len(written), path=folder.name)
            )

    def _whole(self, conversation: Conversation | None) -> Whole | None:
        return None if conversation is None else gathered(self._chats.store, conversation.id)

    # -- in ----------------------------------------------------------------------------------------

    def _ask_import(self) -> None:
        dialog = self._dialog("chats.import-title")
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.setNameFilter(_READABLE)
        dialog.fileSelected.connect(lambda path: self.bring_in(Path(path)))
        dialog.open()

    def bring_in(self, path: Path) -> None:
        """Take the conversations in a file in beside those that there are."""
        from desktop.core.chat.exports import files  # noqa: PLC0415 - zipfile: not at start

        with told(self._desk.toast, self._texts):
            kept = bring_in(self._chats.store, files.read(path))
            self._desk.toast.say(self._texts("chats.imported", count=len(kept)))
        self._on_imported()

    def _dialog(self, key: str) -> QFileDialog:
        dialog = QFileDialog(self._desk, self._texts[key])
        dialog.setObjectName("transferDialog")
        dialog.finished.connect(dialog.deleteLater)
        return dialog
