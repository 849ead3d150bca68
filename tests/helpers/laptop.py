"""A person's own computer, on which the app is opened, closed and opened again."""

from __future__ import annotations

import random
import shutil
from dataclasses import replace
from pathlib import Path

from pytestqt.qtbot import QtBot

from desktop.core import settings as settings_file
from desktop.core.explain import Language
from desktop.core.paths import paths
from desktop.core.settings import Settings
from desktop.core.texts import Texts
from desktop.system.keyring import Keyring
from desktop.ui.app import App
from desktop.ui.application import application
from tests.e2e.conftest import Box
from tests.helpers.journey import User


class Laptop:
    """A person's own computer: a home with their keys, and what Paperkite has saved there."""

    def __init__(self, qtbot: QtBot, home: Path) -> None:
        self._qtbot, self._home = qtbot, home
        self._opened: list[User] = []

    def has_key_for(self, box: Box) -> None:
        """Let the person's usual key into a box; the first box tells which key that is."""
        own = self._home / ".ssh" / "id_ed25519"
        if not own.exists():
            own.parent.mkdir()
            shutil.copy(box.sshd.identity, own)
            shutil.copy(box.sshd.identity.with_suffix(".pub"), own.with_suffix(".pub"))
            return
        with (box.sshd.identity.parent / "authorized_keys").open("a", encoding="utf-8") as file:
            file.write(own.with_suffix(".pub").read_text(encoding="utf-8"))

    def chooses(self, box: Box, **more: object) -> None:
        """Save settings under which the box is served with what it has: its hub, its engine."""
        served = Settings(
            hub=box.hub.url,
            data_dir=str(box.data),
            engine_env=str(box.engine),
            language="en",
            local_port=random.randrange(
                10_000, 30_000
            ),  # the usual one may be taken on this computer
        )
        settings_file.save(replace(served, **more), paths().settings)  # type: ignore[arg-type]

    def opens_app(self, language: Language = "en") -> User:
        """Start the app with what is saved, and return who sits in front of it."""
        application()
        settings, problems = settings_file.load(paths().settings)
        assert problems == []
        app = App(None, paths=paths(), settings=settings, language=language, keyring=Keyring(None))
        user = User(app, self._qtbot, Texts(language))
        self._opened.append(user)
        with self._qtbot.waitExposed(app.window):
            app.show(app.warm_up)
        return user

    def close(self) -> None:
        """End every app that was opened."""
        for each in self._opened:
            each.app.close()
            each.app.window.deleteLater()
