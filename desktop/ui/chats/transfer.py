"""Conversations out into files and in from files, through the system's own file dialog."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QFileDialog

from desktop.core.chat.conversation import Conversation
from desktop.core.chat.exports.whole import Whole, all_of, bring_in, gathered
from desktop.core.errors import Cancelled, StorageError
from desktop.core.texts import Texts
from desktop.ui.chats.chats import Chats
from desktop.ui.chats.errand import Stopped, Work

if TYPE_CHECKING:
    from desktop.ui.chats.desk import Desk

_ALL = "conversations"
_JSON, _MARKDOWN = "*.json", "*.md"
_READABLE = "*.json *.md *.zip"


class Transfer:
    """Asks where to, has it written, and says what was done; nothing here is overwritten.

    The window goes on meanwhile, and says what is under way; it can be stopped.
    """

    def __init__(
        self, desk: Desk, chats: Chats, texts: Texts, on_imported: Callable[[], None]
    ) -> None:
        self._desk, self._store, self._texts = desk, chats.store, texts
        self._on_imported = on_imported
        desk.errand.ended.connect(self._ended)

    def do(self, wish: str, conversation: Conversation | None = None) -> None:
        """Do one of the sidebar's wishes that end in a file dialog; one at a time."""
        if self._desk.errand.is_under_way:
            self._desk.toast.done()  # what is under way is said again
            return
        match wish:
            case "export-json" if conversation is not None:
                name = self._named(conversation, ".json")
                self._ask_file(name, _JSON, lambda path: self.write_json(path, conversation))
            case "export-markdown" if conversation is not None:
                name = self._named(conversation, ".md")
                self._ask_file(name, _MARKDOWN, lambda path: self.write_one(path, conversation))
            case "export-all-json":
                self._ask_file(f"{_ALL}.json", _JSON, self.write_json)
            case "export-all-markdown":
                self._ask_folder()
            case "import":
                self._ask_import()

    def _begin(self, key: str, path: Path, work: Work) -> None:
        if not self._desk.errand.is_under_way:
            self._desk.toast.stay(self._texts(key, path=path.name), self._desk.errand.stop)
            self._desk.errand.begin(work)

    def _ended(self, result: object) -> None:
        self._desk.toast.stay_no_more()
        if isinstance(result, StorageError):
            self._desk.say_trouble(result)
        else:
            self._desk.toast.say(str(result or self._texts["chats.transfer-stopped"]))
        self._on_imported()

    # -- out ---------------------------------------------------------------------------------------

    def _named(self, conversation: Conversation, suffix: str) -> str:
        from desktop.core.chat.exports import markdown  # noqa: PLC0415 - not at start

        return str(Path(markdown.file_name(conversation)).with_suffix(suffix))

    def _ask_file(self, name: str, kind: str, write: Callable[[Path], None]) -> None:
        dialog = self._dialog("chats.export-title")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setNameFilter(kind)
        dialog.setDefaultSuffix(Path(name).suffix.lstrip("."))
        dialog.selectFile(name)
        dialog.fileSelected.connect(lambda path: write(Path(path)))
        dialog.open()

    def _ask_folder(self) -> None:
        dialog = self._dialog("chats.export-folder-title")
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.fileSelected.connect(lambda path: self.write_folder(Path(path)))
        dialog.open()

    def write_json(self, path: Path, conversation: Conversation | None = None) -> None:
        """Write one conversation, or all of them, into a file that comes back as it is."""

        def work(stopped: Stopped) -> str:
            from desktop.core.chat.exports import files  # noqa: PLC0415 - zipfile: not at start

            all_or_one = (
                all_of(self._store, stopped)
                if conversation is None
                else [self._whole(conversation)]
            )
            files.write_json(path, all_or_one)
            return self._texts("chats.exported", path=path.name)

        self._begin("chats.exporting", path, work)

    def write_one(self, path: Path, conversation: Conversation) -> None:
        """Write one conversation into a Markdown file."""

        def work(_: Stopped) -> str:
            from desktop.core.chat.exports import files  # noqa: PLC0415 - zipfile: not at start

            files.write_document(path, self._whole(conversation))
            return self._texts("chats.exported", path=path.name)

        self._begin("chats.exporting", path, work)

    def write_folder(self, folder: Path) -> None:
        """Write each conversation into a Markdown file of its own."""

        def work(stopped: Stopped) -> str:
            from desktop.core.chat.exports import files  # noqa: PLC0415 - zipfile: not at start

            written = files.write_markdown(folder, all_of(self._store, stopped))
            return self._texts("chats.exported-all", count=len(written), path=folder.name)

        self._begin("chats.exporting", folder, work)

    def _whole(self, conversation: Conversation) -> Whole:
        found = gathered(self._store, conversation.id)
        if found is None:  # another Paperkite deleted it
            raise Cancelled
        return found

    # -- in ----------------------------------------------------------------------------------------

    def _ask_import(self) -> None:
        dialog = self._dialog("chats.import-title")
        dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)  # all in Markdown are many
        dialog.setNameFilter(_READABLE)
        dialog.filesSelected.connect(lambda names: self.bring_in(*map(Path, names)))
        dialog.open()

    def bring_in(self, *paths: Path) -> None:
        """Take the conversations in these files in beside those that there are."""
        if not paths:
            return

        def work(stopped: Stopped) -> str:
            from desktop.core.chat.exports import files  # noqa: PLC0415 - zipfile: not at start

            kept = bring_in(self._store, files.read(*paths), stopped)
            return self._texts("chats.imported", count=len(kept))

        self._begin("chats.importing", paths[0] if len(paths) == 1 else paths[0].parent, work)

    def _dialog(self, key: str) -> QFileDialog:
        dialog = QFileDialog(self._desk, self._texts[key])
        dialog.setObjectName("transferDialog")
        dialog.finished.connect(dialog.deleteLater)
        return dialog
