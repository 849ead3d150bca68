"""What a stop may offer for a host now, and what of it has been seen: pure decisions, no words.

A ladder: the reply, the server, the host itself. Each rung costs less than the one before, and
only what the provider is known to bill by is offered from here; else its console has to do.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

from desktop.core import providers
from desktop.core.errors import AgentRefused, AppError
from desktop.core.events import (
    Ended,
    Event,
    Fact,
    PhaseChanged,
    PoweringOff,
    Ready,
    Surveyed,
    Surveying,
    TaskChanged,
)
from desktop.core.last_checks import RUNNING_MODEL
from desktop.core.phases import Phase
from desktop.core.providers import Provider
from desktop.core.session.reading import RUN
from remote import wire


class Rung(Enum):
    """What can be stopped."""

    REPLY = "reply"
    SERVER = "server"
    POWER_OFF = "power-off"
    CONSOLE = "console"  # the provider's page, where a person powers it off by hand


@dataclass(frozen=True, slots=True)
class Standing:
    """How one host stands, as far as its bill goes.

    Attributes:
        name: what it is called.
        phase: of its session.
        is_on: it was reached, or left running, and was not seen to be off since.
        replying: a reply of its model streams just now.
        rate: what the rental costs an hour; 0 where that is not known.
        currency: of the rate.
        address: its name or address in the network.
        provider: the host's own fact `provider`: an id, "" where it has no provider's mark; None
            before it was asked.
        looks: it is only being looked at; nothing is started by that, and the phase stays OFF.
        was_left: an earlier start of the app left its model running, and nobody has seen since
            what became of that.
    """

    name: str
    phase: Phase
    is_on: bool = False
    replying: bool = False
    rate: float = 0.0
    currency: str = ""
    address: str = ""
    provider: str | None = None
    looks: bool = False
    was_left: bool = False


def stands(standing: Standing, event: Event) -> Standing:
    """Return how a host stands after an event of its session."""
    match event:
        case Surveying():
            return replace(standing, phase=Phase.OFF, looks=True)
        case PhaseChanged(phase) if standing.looks:
            return replace(standing, looks=phase not in (Phase.OFF, Phase.FAILED))
        case PhaseChanged(phase):
            return replace(standing, phase=phase)
        case TaskChanged("connect", wire.DONE):
            return replace(standing, is_on=True)
        case Ended(powered_off=powered_off):
            return replace(standing, is_on=standing.is_on and not powered_off, was_left=False)
        case Ready():
            return replace(standing, was_left=False)
        case Fact(name=name) if name == RUN:
            return replace(standing, was_left=False)
        case Surveyed(facts, error) if facts and (error is None or isinstance(error, AgentRefused)):
            return replace(standing, was_left=standing.was_left and RUNNING_MODEL in facts)
        case Fact("provider", str(provider)):
            return replace(standing, provider=provider)
    return standing


def recalled(standing: Standing, *, was_left: bool) -> Standing:
    """Return how a host stands with what is known of an earlier start of the app.

    What was seen of it since counts for more.
    """
    if standing.is_on and not standing.was_left:
        return standing
    return replace(standing, is_on=was_left, was_left=was_left)


@dataclass(frozen=True, slots=True)
class Offer:
    """What can be done about a host.

    Attributes:
        standing: how it stands.
        rungs: in the order of the ladder.
        provider: who rents it out, where that is known.
    """

    standing: Standing
    rungs: tuple[Rung, ...]
    provider: Provider | None

    @property
    def asks(self) -> bool:
        """Whether there is a choice that a person should make; else the server is just stopped."""
        return Rung.POWER_OFF in self.rungs


def offer(standing: Standing) -> Offer:
    """Return what can be offered for a host that stands like this."""
    provider = provider_of(standing)
    told = (
        (Rung.REPLY, standing.replying and standing.phase is Phase.READY),
        (Rung.SERVER, standing.phase is not Phase.OFF),
        (Rung.POWER_OFF, provider is not None and provider.power_off),
        (Rung.CONSOLE, provider is None or not provider.power_off),
    )
    return Offer(standing, tuple(rung for rung, offered in told if offered), provider)


def provider_of(standing: Standing) -> Provider | None:
    """Return who rents the host out: its own mark decides, the address only before it was asked."""
    if standing.provider is None:
        return providers.of_host(standing.address)
    return providers.find(standing.provider)


class Seen(Enum):
    """How far one step of a stop is."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"  # and that was seen
    FAILED = "failed"
    NOTHING = "nothing"  # there was nothing to stop


@dataclass(frozen=True, slots=True)
class Course:
    """What has been seen of a stop.

    Attributes:
        rung: what was asked for.
        server: how far the server's stop is.
        host: how far the host's power-off is, where that was asked for.
        silent: how often in a row the SSH port was silent.
        needed: so often is the proof.
        is_lost: the host cannot be reached just now.
        is_over: nothing more will come of it.
        error: why something was not seen.
    """

    rung: Rung
    server: Seen = Seen.RUNNING
    host: Seen = Seen.WAITING
    silent: int = 0
    needed: int = 0
    is_lost: bool = False
    is_over: bool = False
    error: AppError | None = None

    @property
    def is_good(self) -> bool:
        """Whether it is over, and all that was asked for was seen."""
        return self.is_over and self.error is None and Seen.FAILED not in (self.server, self.host)


def follow(course: Course, event: Event) -> Course:
    """Return the course after an event of the host's session."""
    if course.is_over:
        return course
    match event:
        case PoweringOff(silent, needed):
            seen = replace(course, server=Seen.DONE, host=Seen.RUNNING, is_lost=False)
            return replace(seen, silent=silent, needed=needed)
        case Ended(powered_off=powered_off):
            return replace(course, server=Seen.DONE, host=Seen.DONE if powered_off else course.host)
        case PhaseChanged(Phase.OFF):
            return replace(_closed(course, Seen.NOTHING), is_over=True)
        case PhaseChanged(Phase.FAILED, error):
            return replace(_closed(course, Seen.FAILED), is_over=True, error=error)
        case PhaseChanged(phase):
            return replace(course, is_lost=phase in (Phase.RECONNECTING, Phase.CONNECTING))
    return course


def _closed(course: Course, server: Seen) -> Course:
    """Return the course with nothing left open: what was not seen until the end did not happen."""
    server = server if course.server is Seen.RUNNING else course.server
    asked = course.rung is Rung.POWER_OFF and course.host is not Seen.DONE
    return replace(course, server=server, host=Seen.FAILED if asked else course.host)
