"""One host in the app: its session, what is wished of it, where its model answers.

No other host is known here, so that nothing that is done to one can touch another.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from desktop.core.errors import AppError, DestinationError
from desktop.core.events import Endpoint, Event, PhaseChanged, Ready, Sample, TaskChanged
from desktop.core.history import History
from desktop.core.last_checks import LastCheck
from desktop.core.phases import Phase
from desktop.core.providers import Provider
from desktop.core.saved import SavedHost
from desktop.core.session.wishes import Wishes, with_settings_of, with_terms_of
from desktop.core.spending import affordable_s
from desktop.core.ssh.prompts import Prompts
from desktop.core.ssh.typed import parse
from desktop.core.stopping import Standing, provider_of, recalled, stands
from desktop.ui.intents import Chosen, HostKey, Target
from remote import wire

if TYPE_CHECKING:
    from desktop.core.report import Story
    from desktop.core.session.dial import Dial
    from desktop.core.session.session import Session
    from desktop.core.session.survey import Survey


class Questions(Prompts, Protocol):
    """A person, whose open question can be taken back."""

    def move(self) -> None:
        """Ask the open question in front of the window that there is now."""
        ...

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
        survey: a look at the host of these wishes, likewise.
        last_check: what was last found out about it.
        chosen: told that it goes elsewhere, and what of it is to be saved, if anything.
    """

    questions: Questions
    wished: Callable[[str, str], Wishes]
    dial: Callable[[Wishes], Dial]
    session: Callable[[Wishes, Dial], Session]
    survey: Callable[[Wishes, Dial], Survey]
    last_check: Callable[[], LastCheck | None]
    chosen: Callable[[SavedHost | None], None]


class Host:
    """Implements `HostIntents`.

    Attributes:
        key: its name in the app.
        saved: what is saved of it; for one that the command line named, what would be.
        wishes: what is to run there, or None before the first start.
        endpoint: where the model answers, while it does.
        phase: of its session, or of the look at it.
        surveys: what was asked for last was a look: nothing is started by it.
        history: its last hour.
    """

    def __init__(
        self, key: HostKey, saved: SavedHost, works: Works, wishes: Wishes | None = None
    ) -> None:
        """Take the parts; `wishes` are those that came from the command line."""
        self.key, self.saved, self.wishes = key, saved, wishes
        self.endpoint: Endpoint | None = None
        self.phase = Phase.OFF
        self._stands = Standing(key, Phase.OFF)
        self.history = History()
        self._works = works
        self._given = wishes  # by the command line: not a choice to remember
        self._session: Session | None = None
        self._survey: Survey | None = None
        self.surveys = False
        self._is_trusting = False  # it is being started with a key that a person has compared
        self._is_outdated = False  # its session was made for other settings
        self._follows_log = False  # somebody looks at it

    # -- HostIntents -------------------------------------------------------------------------------

    def start(self, host: str, chosen: Chosen) -> AppError | None:
        """Bring this host to ready; returns what is wrong with what was typed, or None."""
        problem = self._take(host, chosen)
        if problem is None:
            self.begin()
        return problem

    def survey(self, host: str, chosen: Chosen) -> AppError | None:
        """Look at this host and start nothing; returns what is wrong with what was typed, or None.

        Nothing is done where a session works: it is known then what is there.
        """
        if self.phase not in (Phase.OFF, Phase.FAILED):
            return None
        problem = self._take(host, chosen)
        if problem is None:
            self._look()
        return problem

    def last_check(self) -> LastCheck | None:
        """Return what was last found out about this host, None where that is nothing."""
        return self._works.last_check()

    def move(self, text: str) -> AppError | None:
        """Go on at another address, with the run and the port that there are."""
        try:
            where = self._works.wished(_a_login(text), "").destination
        except AppError as error:
            return error
        if self.wishes is None:
            return self.start(text, Chosen(self.saved.model))
        wishes = replace(self.wishes, destination=where)
        self._choose(wishes)
        if self.surveys:
            self._look()
        elif self._session is None:
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
            self._again()

    def retry(self) -> None:
        """Try again: now, instead of later, or from the start."""
        at_work = self._survey or self._session
        if self.phase in (Phase.OFF, Phase.FAILED):
            self._again()
        elif at_work is not None:
            at_work.retry_now()

    def tidy(self) -> None:
        """Remove what is half there on the host; Tidied tells how much room came back."""
        if session := self._its_session():
            session.tidy()

    def follow_log(self, *, wanted: bool) -> None:
        """Tell the host's logs as they grow (Logged); or no more."""
        session = self._its_session() if wanted else self._session
        self._follows_log = wanted
        if session is not None:
            session.follow_log(wanted=wanted)
            if wanted and self.phase in (Phase.OFF, Phase.FAILED):
                session.fetch_log()

    def report(self, story: Story) -> str:
        """Return a report that can be given to strangers."""
        from desktop.core.report import report  # noqa: PLC0415 - when one is wanted

        return report(story, self.wishes, names=(self.key,))

    def redacted(self, text: str) -> str:
        """Return a text of this host's without what is private."""
        from desktop.core.report import redacted  # noqa: PLC0415 - when one is wanted

        return redacted(text, self.wishes, names=(self.key,))

    def stop(self, *, power_off: bool = False) -> None:
        """Stop the run on the host, and power the host off where that is asked; twice: give up."""
        if self._survey is not None:
            self._survey.cancel()
        if power_off and self.wishes is None:  # saved, and never started from here
            with suppress(AppError):
                self.wishes = self._works.wished(self.saved.line, self.saved.model)
        session = self._its_session() if power_off else self._session
        if session is not None and (power_off or self._survey is None):
            session.stop(power_off=power_off)
        self.questions.dismiss()  # last: an open question is answered by the stop

    # -- for the app -------------------------------------------------------------------------------

    def take_settings(self) -> None:
        """Have the settings hold from the next start on; what runs goes on as it is.

        What the command line asked for is nobody's setting, and stays.
        """
        if self.wishes is None or self._given is not None:
            return
        with suppress(AppError):
            fresh = self._works.wished(self.target().host_text, self.wishes.model)
            wishes = with_settings_of(self.wishes, fresh)
            self._is_outdated |= wishes != self.wishes
            self.wishes = wishes

    def change_terms(self, wishes: Wishes) -> None:
        """Put what runs, and what is started next, under the terms of these wishes."""
        if self.wishes is None:
            return
        self.wishes = with_terms_of(self.wishes, wishes)
        if self._session is not None:
            self._session.change_terms(self.wishes)

    def price(self, rate: float, currency: str, spending_limit: float) -> None:
        """Save what it costs; a limit holds from now on, for what runs too."""
        self.saved = replace(
            self.saved, rate=rate, currency=currency, spending_limit=spending_limit
        )
        if self.wishes is not None:
            seconds = affordable_s(spending_limit, rate)
            self.change_terms(replace(self.wishes, spending_seconds=seconds))
        self._works.chosen(self.saved)

    @property
    def others(self) -> int:
        """Connections of other programs to its model."""
        return 0 if self._session is None else self._session.others

    def share(self, *, wanted: bool) -> AppError | None:
        """Let other programs use its endpoint, or no more; returns what stands against it."""
        try:
            if self._session is not None:
                self._session.share(wanted=wanted)
        except AppError as error:
            return error
        return None

    def provider(self) -> Provider | None:
        """Return who rents it out, where that is known."""
        return provider_of(self.standing())

    def apply(self, events: list[Event]) -> None:
        """Keep up with what its session says."""
        for event in events:
            self._stands = stands(self._stands, event)
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
                        self.history.rest()
                case Ready(endpoint):
                    self.endpoint = endpoint
                case Sample():
                    self.history.add(event, time.monotonic())

    def recall(self, *, was_left: bool) -> None:
        """Take what the diary knows of an earlier start of the app: its model was left running."""
        self._stands = recalled(self._stands, was_left=was_left)

    def begin(self) -> None:
        """Start with the wishes that there are."""
        self.surveys = False
        self._end_survey()
        if self._is_outdated and self.phase in (Phase.OFF, Phase.FAILED):
            self.leave()
        if session := self._its_session():
            session.start()

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
            max_model_len=saved.max_model_len if wishes is None else wishes.max_model_len,
            kv_cache_dtype=saved.kv_cache_dtype if wishes is None else wishes.kv_cache_dtype,
            was_left=self._stands.was_left,
        )

    def standing(self, *, replying: bool = False) -> Standing:
        """Return how it stands, for what may be stopped; `replying`: a reply streams just now."""
        where = None if self.wishes is None else self.wishes.destination.host
        return replace(
            self._stands,
            replying=replying,
            rate=self.saved.rate,
            currency=self.saved.currency,
            address=_address(self.saved.line) if where is None else where,
        )

    def look_again(self) -> None:
        """Find out now whether the host is there; from any thread, returns at once."""
        at_work = self._survey or self._session
        if at_work is not None:
            at_work.look_again()

    @property
    def questions(self) -> Questions:
        """The person, in dialogs about this host."""
        return self._works.questions

    def close(self) -> None:
        """End the session's threads; the host works on."""
        self.questions.dismiss()
        self.leave()

    def leave(self) -> None:
        """End the threads, from any thread; nobody is asked anything any more."""
        self._end_survey()
        self._is_outdated = False
        if self._session is not None:
            self._session.close()
            self._session = None

    # -- parts -------------------------------------------------------------------------------------

    def _take(self, host: str, chosen: Chosen) -> AppError | None:
        """Make what was chosen the wishes; returns what is wrong with what was typed, or None."""
        before, self.saved = self.saved, _saved_with(self.saved, chosen)
        try:
            wishes = self._wished(host, chosen)
        except AppError as error:
            self.saved = before
            return error
        if wishes != self.wishes:
            self.leave()
        self._choose(wishes)
        return None

    def _look(self) -> None:
        """Look at the host with the wishes that there are; a session that rests is left."""
        assert self.wishes is not None  # they were just chosen
        self.leave()
        self.surveys = True
        self._survey = self._works.survey(self.wishes, self._works.dial(self.wishes))
        self._survey.start()

    def _again(self) -> None:
        if self.surveys and self.wishes is not None:
            self._look()
        else:
            self.begin()

    def _end_survey(self) -> None:
        if self._survey is not None:
            self._survey.close()
            self._survey = None

    def _wished(self, host: str, chosen: Chosen) -> Wishes:
        if self.wishes is None:
            return _with_choice(self._works.wished(host, chosen.model), chosen)
        wishes = _with_choice(self.wishes, chosen)
        if chosen.rate is not None:
            seconds = affordable_s(self.saved.spending_limit, self.saved.rate)
            wishes = replace(wishes, spending_seconds=seconds)
        if host == self.target().host_text:
            return wishes
        return replace(wishes, destination=self._works.wished(host, wishes.model).destination)

    def _its_session(self) -> Session | None:
        """Return its session, made where there are wishes for one."""
        if self._session is None and self.wishes is not None:
            self._session = self._works.session(self.wishes, self._works.dial(self.wishes))
            if self._follows_log:
                self._session.follow_log(wanted=True)
        return self._session

    def _end_trusting(self) -> None:
        assert self.wishes is not None  # it was started with some
        self._is_trusting = False
        self.wishes = replace(self.wishes, host_key="")

    def _choose(self, wishes: Wishes) -> None:
        self.wishes = wishes
        # Not what was typed: a password may stand under the line.
        self.saved = replace(self.saved, line=wishes.destination.text, model=wishes.model)
        self._works.chosen(None if wishes == self._given else self.saved)


def _address(line: str) -> str:
    """Return the host in a saved line, "" where it cannot be read."""
    try:
        return parse(line).host
    except DestinationError:
        return ""


def _saved_with(saved: SavedHost, chosen: Chosen) -> SavedHost:
    """Return what is saved of a host with what was chosen; a length belongs to its model."""
    if chosen.model and chosen.model != saved.model:
        saved = replace(saved, model=chosen.model, revision="", max_model_len="")
    names = ("max_model_len", "kv_cache_dtype", "rate", "currency")
    given = {name: getattr(chosen, name) for name in names}
    return replace(saved, **{name: value for name, value in given.items() if value is not None})


def _with_choice(wishes: Wishes, chosen: Chosen) -> Wishes:
    """Return the wishes with what was chosen; revision and length belong to a model."""
    if chosen.model and chosen.model != wishes.model:
        wishes = replace(wishes, model=chosen.model, revision="master", max_model_len="")
    if chosen.max_model_len is not None:
        wishes = replace(wishes, max_model_len=chosen.max_model_len)
    if chosen.kv_cache_dtype is not None:
        wishes = replace(wishes, kv_cache_dtype=chosen.kv_cache_dtype)
    return wishes


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
