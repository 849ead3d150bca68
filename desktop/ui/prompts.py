"""The person, as the connection sees them: dialogs in the GUI thread, answers in the session's.

A password is asked for once: until the app is quit it is known here, in memory. It may be kept in
the system's keyring too. One that was refused is forgotten at once.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from typing import TypeVar

from PySide6.QtWidgets import QDialog, QWidget

from desktop.core.ssh.prompts import ChallengeQuestion, HostKeyQuestion, SecretQuestion
from desktop.core.texts import Texts
from desktop.system.keyring import Keyring
from desktop.ui.bridge import Bridge
from desktop.ui.dialogs import ChallengeDialog, HostKeyDialog, SecretDialog

Dialog = TypeVar("Dialog", bound=QDialog)


class WindowPrompts:
    """Implements `desktop.core.ssh.prompts.Prompts`; one question at a time."""

    def __init__(
        self, bridge: Bridge, window: Callable[[], QWidget], texts: Texts, keyring: Keyring
    ) -> None:
        """Take the bridge, where the window is, the words, and where passwords are kept."""
        self._bridge, self._window, self._texts, self._keyring = bridge, window, texts, keyring
        self._open: tuple[QDialog, Future[bool]] | None = None
        self._told: dict[str, str] = {}  # by what they open: a look and the start after it are two

    # -- in the session's thread -------------------------------------------------------------------

    def accept_host_key(self, question: HostKeyQuestion) -> bool:
        """Show the fingerprint; returns False when it was declined or the app closes."""
        try:
            answered, _ = self._bridge.ask(
                lambda: self._show(HostKeyDialog(self._window(), self._texts, question))
            )
            return answered.result()
        except CancelledError:
            return False

    def secret(self, question: SecretQuestion) -> str | None:
        """Return the known secret, or ask; None when it was declined or the app closes."""
        name = question.opens
        if question.wrong:
            self._told.pop(name, None)
            self._keyring.forget(name)
        elif known := self._told.get(name) or self._keyring.secret(name):
            return known
        may_remember = self._keyring.available()
        try:
            answered, dialog = self._bridge.ask(
                lambda: self._show(
                    SecretDialog(self._window(), self._texts, question, may_remember=may_remember)
                )
            )
            if not answered.result():
                return None
            secret, remember = self._bridge.ask(dialog.answer)
        except CancelledError:
            return None
        if secret:
            self._told[name] = secret
            if remember:
                self._keyring.keep(name, secret)
        return secret or None

    def challenge(self, question: ChallengeQuestion) -> list[str] | None:
        """Ask what the host asks; None when it was declined or the app closes. Keeps nothing."""
        try:
            answered, dialog = self._bridge.ask(
                lambda: self._show(ChallengeDialog(self._window(), self._texts, question))
            )
            return self._bridge.ask(dialog.answers) if answered.result() else None
        except CancelledError:
            return None

    # -- in the GUI thread -------------------------------------------------------------------------

    def move(self) -> None:
        """Ask the open question in front of the window that there is now."""
        if self._open is not None:
            dialog = self._open[0]
            dialog.setParent(self._window(), dialog.windowFlags())
            dialog.open()

    def dismiss(self) -> None:
        """Close the question that is open: nobody waits for its answer any more."""
        if self._open is not None:
            self._open[0].reject()

    def _show(self, dialog: Dialog) -> tuple[Future[bool], Dialog]:
        answered: Future[bool] = Future()
        self._open = (dialog, answered)
        dialog.finished.connect(lambda result: self._close(answered, result))
        window = self._window()
        window.show()
        window.raise_()
        dialog.open()
        return answered, dialog

    def _close(self, answered: Future[bool], result: int) -> None:
        self._open = None
        if not answered.done():
            answered.set_result(result == QDialog.DialogCode.Accepted)
