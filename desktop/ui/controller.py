"""Intents come down here and become calls to the core; the conversation is kept here.

No widgets: the window only knows the intents, and the core only knows `emit` and `prompts`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from desktop.core import settings as settings_file
from desktop.core.catalogue import DEFAULT_MODEL
from desktop.core.chat.message import Message
from desktop.core.errors import AppError, StorageError
from desktop.core.events import (
    Delta,
    Endpoint,
    Event,
    PhaseChanged,
    Ready,
    ReplyBroken,
    ReplyDone,
)
from desktop.core.paths import Paths
from desktop.core.phases import Phase
from desktop.core.session.wishes import Wishes, from_settings
from desktop.core.settings import Settings
from desktop.core.ssh.destination import resolve
from desktop.core.ssh.known_hosts import KnownHosts
from desktop.ui.bridge import Bridge
from desktop.ui.intents import Target
from desktop.ui.prompts import WindowPrompts

if TYPE_CHECKING:
    from desktop.core.chat.replies import Replies
    from desktop.core.session.session import Session


@dataclass(slots=True)
class _Conversation:
    """What was said, and the reply that is being said."""

    messages: list[Message] = field(default_factory=list)
    reply: int | None = None
    coming: list[str] = field(default_factory=list)

    def close_reply(self) -> None:
        """Keep what has come of the reply as the model's message.

        A question without any answer is not asked again with the next one: many chat templates
        refuse two messages of one role in a row.
        """
        if text := "".join(self.coming):
            self.messages.append(Message("assistant", text))
        elif self.messages:
            self.messages.pop()
        self.reply = None
        self.coming.clear()


class Controller:
    """Implements `Intents` with a session, replies and settings.

    Attributes:
        wishes: the host and what is to run there, or None before the first start.
        endpoint: where the model answers, while it does.
    """

    def __init__(
        self,
        wishes: Wishes | None,
        settings: Settings,
        paths: Paths,
        bridge: Bridge,
        prompts: WindowPrompts,
        *,
        on_target: Callable[[Target], None],
        on_quit: Callable[[], None],
    ) -> None:
        """Take the parts; `on_target` is told of another host, `on_quit` ends the app."""
        self.wishes = wishes
        self.endpoint: Endpoint | None = None
        self._given = wishes  # by the command line: not a choice to remember
        self._settings, self._paths = settings, paths
        self._bridge, self._prompts = bridge, prompts
        self._on_target, self._on_quit = on_target, on_quit
        self._session: Session | None = None
        self._replies: Replies | None = None
        self._phase = Phase.OFF
        self._conversation = _Conversation()

    # -- Intents -----------------------------------------------------------------------------------

    def start(self, host: str, model: str) -> AppError | None:
        """Bring this host to ready; returns what is wrong with what was typed, or None."""
        try:
            wishes = self._wished(host, model)
        except AppError as error:
            return error
        if wishes != self.wishes or self._session is None:
            self._leave_session()
            self._session = self._new_session(wishes)
        self.wishes = wishes
        self._on_target(self.target())
        if wishes != self._given:
            # Not what was typed: a password may stand under the line.
            self._remember(wishes.destination.text, wishes.model)
        self._session.start()
        return None

    def retry(self) -> None:
        """Try again: now, instead of later, or from the start."""
        if self._session is None:
            return
        if self._phase is Phase.RECONNECTING:
            self._session.retry_now()
        else:
            self._session.start()

    def stop(self) -> None:
        """Stop the run on the host."""
        self.cancel()
        if self._session is not None:
            self._session.stop()
        self._prompts.dismiss()  # last: an open question is answered by the stop

    def send(self, text: str) -> bool:
        """Ask the model; tells whether it could be sent."""
        conversation = self._conversation
        if self.endpoint is None or conversation.reply is not None:
            return False
        conversation.messages.append(Message("user", text))
        conversation.reply = self._use_replies().send(self.endpoint, list(conversation.messages))
        return True

    def cancel(self) -> None:
        """Stop the reply that is streaming."""
        if self._replies is not None and self._conversation.reply is not None:
            self._replies.cancel(self._conversation.reply)

    def quit(self) -> None:
        """Leave the app; the host works on."""
        self._on_quit()

    # -- for the app -------------------------------------------------------------------------------

    def apply(self, batch: list[Event]) -> None:
        """Keep up with what the core says."""
        for event in batch:
            match event:
                case PhaseChanged(phase):
                    self._phase = phase
                    if phase is not Phase.READY:
                        self.endpoint = None
                case Ready(endpoint):
                    self.endpoint = endpoint
                case Delta(reply, text) if reply == self._conversation.reply:
                    self._conversation.coming.append(text)
                case ReplyDone() | ReplyBroken() if event.reply == self._conversation.reply:
                    self._conversation.close_reply()

    def begin(self) -> None:
        """Start with the wishes that came from the command line."""
        if self.wishes is not None:
            self._session = self._session or self._new_session(self.wishes)
            self._session.start()

    def warm_up(self) -> None:
        """Load what the first reply needs, in its own thread."""
        self._use_replies().warm_up()

    def look_again(self) -> None:
        """Find out now whether the host is there: the laptop woke up, or has another network.

        From any thread; returns at once.
        """
        session = self._session
        if session is not None:
            session.look_again()

    def target(self) -> Target:
        """Return where it goes, in words."""
        if self.wishes is None:
            host = self._settings.host
            return Target(host, self._settings.model or DEFAULT_MODEL, host)
        where = self.wishes.destination
        return Target(str(where), self.wishes.model, where.text or str(where))

    def close(self) -> None:
        """End all threads; the host works on."""
        self._prompts.dismiss()
        self._bridge.close()
        if self._replies is not None:
            self._replies.close()
        self._leave_session()

    # -- parts -------------------------------------------------------------------------------------

    def _wished(self, host: str, model: str) -> Wishes:
        """Return the wishes in what was typed; raises DestinationError."""
        model = model or DEFAULT_MODEL
        if self.wishes is None:
            return replace(from_settings(self._settings, resolve(host)), model=model)
        if host == self.target().host_text:
            return replace(self.wishes, model=model)
        return replace(self.wishes, destination=resolve(host), model=model)

    def _new_session(self, wishes: Wishes) -> Session:
        # paramiko: a quarter of a second that nobody should wait for before the first paint.
        from desktop.core.session.dial import dialler  # noqa: PLC0415
        from desktop.core.session.session import Session  # noqa: PLC0415

        known_hosts = KnownHosts(self._paths.known_hosts)
        dial = dialler(wishes, self._prompts, known_hosts, forwarding=True)
        return Session(wishes, self._bridge.post, dial)

    def _use_replies(self) -> Replies:
        if self._replies is None:
            from desktop.core.chat.replies import Replies  # noqa: PLC0415 - asyncio, as above

            self._replies = Replies(self._bridge.post)
        return self._replies

    def _leave_session(self) -> None:
        if self._session is not None:
            self._session.close()
            self._session = None

    def _remember(self, host: str, model: str) -> None:
        """Save the choice; that it cannot be saved stops nobody from using it."""
        changed = replace(self._settings, host=host, model=model)
        if changed != self._settings:
            self._settings = changed
            try:
                settings_file.save(changed, self._paths.settings)
            except StorageError:
                return
