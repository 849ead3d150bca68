"""What the settings dialog shows beside the settings themselves."""

from __future__ import annotations

from dataclasses import dataclass

from desktop.core.settings import Settings


@dataclass(frozen=True, slots=True)
class Shown:
    """How things stand when the dialog opens.

    Attributes:
        settings: the user's choices.
        starts_at_login: whether the system starts the app.
        folder: where Paperkite keeps its own files.
        version: of the app.
    """

    settings: Settings
    starts_at_login: bool
    folder: str
    version: str
