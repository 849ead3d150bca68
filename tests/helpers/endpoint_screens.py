"""The endpoint for other programs."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from desktop.core.events import Endpoint
from desktop.core.explain import Language
from desktop.core.texts import Texts
from desktop.ui.endpoint.dialog import EndpointDialog
from desktop.ui.theme import Theme
from tests.helpers.scenes import Picture, alone, ground

ENDPOINT = Endpoint(
    "http://127.0.0.1:41234/v1",
    "pk-Zm9vYmFyYmF6",
    "01ai/Yi-34B-Chat-4bits",
    4096,
    "run",
    "0.32.0",
    "http://127.0.0.1:8000/v1",
)
STATES = {
    "endpoint": (ENDPOINT, True, 2),
    "endpoint-not-shared": (ENDPOINT, False, 0),
    "endpoint-off": (None, True, 0),
}


def endpoint_dialog(parent: QWidget, language: Language, theme: Theme) -> EndpointDialog:
    return EndpointDialog(parent, theme, Texts(language), "westb-12345")


def _in_state(endpoint: Endpoint | None, shared: bool, others: int) -> Picture:
    def make(theme: Theme, texts: Texts) -> EndpointDialog:
        dialog = endpoint_dialog(ground(), texts.language, theme)
        dialog.show_endpoint(endpoint, shared=shared, others=others)
        return dialog

    return alone(make)


PICTURES = {name: _in_state(*state) for name, state in STATES.items()}
