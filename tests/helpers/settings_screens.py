"""The settings, page by page."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from desktop.core.explain import Language
from desktop.core.settings import Settings
from desktop.core.texts import Texts
from desktop.ui.settings.dialog import SettingsDialog
from desktop.ui.settings.shown import Shown
from desktop.ui.theme import Theme
from tests.helpers.scenes import Picture, alone, ground

PAGES = ("general", "looks", "guards", "network", "advanced", "data")
SHOWN = Shown(
    Settings(idle_minutes=60, proxy="socks5://127.0.0.1:7890", hub_token_kept=True),
    starts_at_login=True,
    folder="/home/li/.local/state/paperkite",
    version="0.1.0",
)


def settings_dialog(
    parent: QWidget, language: Language, theme: Theme, shown: Shown = SHOWN
) -> SettingsDialog:
    return SettingsDialog(parent, theme, Texts(language), shown)


def _on_page(page: str) -> Picture:
    def make(theme: Theme, texts: Texts) -> SettingsDialog:
        dialog = settings_dialog(ground(), texts.language, theme)
        dialog.show_page(page)
        return dialog

    return alone(make)


PICTURES = {f"settings-{page}": _on_page(page) for page in PAGES}
