"""The list of keys."""

from __future__ import annotations

from desktop.ui.keyboard.dialog import KeyboardDialog
from tests.helpers.scenes import alone, ground

PICTURES = {"keyboard": alone(lambda _theme, texts: KeyboardDialog(ground(), texts))}
