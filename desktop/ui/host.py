"""One host in the app: its session, what is wished of it, where its model answers.

No other host is known here, so that nothing that is done to one can touch another.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from desktop.core.errors import AppError, DestinationError
from desktop.core.events import Endpoint, Event, PhaseChanged, Ready, TaskChanged
from desktop.core.phases import Phase
from desktop.core.saved import SavedHost
from desktop.core.session.wishes import Wishes
from desktop.core.ssh.prompts import Prompts
from desktop.ui.intents import HostKey, Target
from remote import wire

if TYPE_CHECKING:
    from desktop.core.session.dial import Dial
    from desktop.core.session.session import Session


class Questions(Prompts, Protocol):
    """A person, whose open question can be taken back."""

    def dismiss(self) -> None:
        """Close the question that is open: nobody waits for its answer any more."""
        ...


@dataclass(frozen=True, slots=True)
class Works:
    """What a host needs of the app, and tells it.

    Attributes:
        questions: the person, in dialogs about this host only.
        wished: from a line and a model to wishes; raises DestinationError.
        dial: how the host of these wishes is reached.
        session: a session for these wishes, and for that way to reach it.
        chosen: told that it goes elsewhere, and what of it is to be saved, if anything.
    """

    questions: Questions
    wished: Callable[[str, str], Wishes]
    dial: Callable[[Wishes], Dial]
    session: Callable[[Wishes, Dial], Session]
    chosen: Callable[[SavedHost | None], None]


class Host:
    """Implements `HostIntents`.

    Attributes:
        key: its name in the app.
        saved: what is saved of it; for one that the command line named, what would be.
        wishes: what is to run there, or None before the first start.
        endpoint: where the model answers, while it does.
        phase: of its session.
    """

    def __init__(
        self, key: HostKey, saved: SavedHost, works: Works, wishes: Wishes | None = None
    ) -> None:
        """Take the parts; `wishes` are those that came from the command line."""
        self.key, self.saved, self.wishes = key, saved, wishes
        self.endpoint: Endpoint | None = None
        self.phase = Phase.OFF
        self._works = works
        self._given = wishes  # by the command line: not a choice to remember
        self._session: Session | None = None
        self._is_trusting = False  # it is being started with a key that a person has compared

    # -- HostIntents -------------------------------------------------------------------------------

    def start(self, host: str, model: str) -> AppError | None:
        """Bring this host to ready; returns what is wrong with what was typed, or None."""
        try:
            wishes = self._wished(host, model)
        except AppError as error:
            return error
        if wishes != self.wishes:
            self.leave()
        self._choose(wishes)
        self.begin()
        return None

    def move(self, text: str) -> AppError | None:
        """Go on at another address, with the run and the port that there are."""
        try:
            where = self._works.wished(_a_login(text), "").destination
        except AppError as error:
            return error
        if self.wishes is None:
            return self.start(text, self.saved.model)
        wishes = replace(self.wishes, destination=where)
        self._choose(wishes)
        if self._session is None:
            self.begin()
        else:
            self._session.move(wishes, self._works.dial(wishes))
        self.questions.dismiss()  # last: one about the old address is answered by the move
        return None

    def trust(self, fingerprint: str) -> None:
        """Start again with this host key, which a person has compared, and no other.

        It is pinned by that. Whatever comes of it, the next start demands no key any more: the
        host that changes again is a host that has changed.
        """
        if self.wishes is not None:
            self.leave()
            self._is_trusting = True
            self.wishes = replace(self.wishes, host_key=fingerprint)
            self.begin()

    def retry(self) -> None:
        """Try again: now, instead of later, or from the start."""
        if self.phase in (Phase.OFF, Phase.FAILED):
            self.begin()
        elif self._session is not None:
            self._session.retry_now()

    def stop(self) -> None:
        """Stop the run on the host."""
        if self._session is not None:
            self._session.stop()
        self.questions.dismiss()  # last: an open question is answered by the stop

    # -- for the app -------------------------------------------------------------------------------

    def apply(self, events: list[Event]) -> None:
        """Keep up with what its session says."""
        for event in events:
            match event:
                case TaskChanged("connect", wire.DONE) if self._is_trusting:
                    self._end_trusting()
                case PhaseChanged(phase):
                    self.phase = phase
                    if phase is Phase.FAILED and self._is_trusting:
                        self.leave()  # its way to the host demands the key for ever
                        self._end_trusting()
                    if phase is not Phase.READY:
                        self.endpoint = None
                case Ready(endpoint):
                    self.endpoint = endpoint

    def begin(self) -> None:
        """Start with the wishes that there are."""
        if self.wishes is not None:
            if self._session is None:
                self._session = self._works.session(self.wishes, self._works.dial(self.wishes))
            self._session.start()

    def target(self) -> Target:
        """Return where it goes, in words."""
        saved, wishes = self.saved, self.wishes
        where = None if wishes is None else wishes.destination
        return Target(
            host=saved.line if where is None else str(where),
            model=saved.model if wishes is None else wishes.model,
            host_text=saved.line if where is None else where.text or str(where),
            name=self.key,
            notes=() if where is None else where.unsupported,
            rate=saved.rate,
            currency=saved.currency,
        )

    def look_again(self) -> None:
        """Find out now whether the host is there; from any thread, returns at once."""
        session = self._session
        if session is not None:
            session.look_again()

    @property
    def questions(self) -> Questions:
        """The person, in dialogs about this host."""
        return self._works.questions

    def close(self) -> None:
        """End the session's threads; the host works on."""
        self.questions.dismiss()
        self.leave()

    def leave(self) -> None:
        """End the session's threads, from any thread; nobody is asked anything any more."""
        if self._session is not None:
            self._session.close()
            self._session = None

    # -- parts -------------------------------------------------------------------------------------

    def _wished(self, host: str, model: str) -> Wishes:
        if self.wishes is None:
            return self._works.wished(host, model)
        model = model or self.wishes.model
        if host == self.target().host_text:
            return replace(self.wishes, model=model)
        where = self._works.wished(host, model).destination
        return replace(self.wishes, destination=where, model=model)

    def _end_trusting(self) -> None:
        assert self.wishes is not None  # it was started with some
        self._is_trusting = False
        self.wishes = replace(self.wishes, host_key="")

    def _choose(self, wishes: Wishes) -> None:
        self.wishes = wishes
        # Not what was typed: a password may stand under the line.
        self.saved = replace(self.saved, line=wishes.destination.text, model=wishes.model)
        self._works.chosen(None if wishes == self._given else self.saved)


def _a_login(text: str) -> str:
    """Return what was pasted if it names a login.

    A bare word could be a host's alias, but is more likely the new password: it goes nowhere.

    Raises:
        DestinationError: `paste-the-line`.
    """
    first = text.strip().partition("\n")[0]
    if first.startswith("ssh ") or "@" in first:
        return text
    raise DestinationError("paste-the-line")
