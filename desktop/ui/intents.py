"""What the window asks for: the seam between what is drawn and what works."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, NewType, Protocol

from desktop.core.errors import AppError
from desktop.core.events import Event
from desktop.core.last_checks import LastCheck

if TYPE_CHECKING:
    from desktop.core.report import Story

# Names one host in the app: the name under which it is saved, or would be.
HostKey = NewType("HostKey", str)


@dataclass(frozen=True, slots=True)
class FromHost:
    """What the session of one host says."""

    host: HostKey
    event: Event


@dataclass(frozen=True, slots=True)
class Target:
    """Where it goes, in words.

    Attributes:
        host: as people see it, such as `root@connect.westb.seetacloud.com:12345`.
        model: `OWNER/NAME`.
        host_text: as it was typed; "" when no host was chosen yet.
        name: under which it is listed.
        notes: what the SSH config wishes for it and does not get.
        rate: what the rental costs an hour; 0 where that is not known.
        currency: of the rate.
        max_model_len: the context that is asked for: a number, "auto" or "".
        kv_cache_dtype: "auto", "fp8" or "".
        was_left: an earlier start of the app left its model running, and nobody has seen since
            what became of that.
    """

    host: str
    model: str
    host_text: str = ""
    name: str = ""
    notes: tuple[str, ...] = ()
    rate: float = 0.0
    currency: str = ""
    max_model_len: str = ""
    kv_cache_dtype: str = ""
    was_left: bool = False


@dataclass(frozen=True, slots=True)
class Chosen:
    """What a person chose for a host; None leaves it as it was.

    Attributes:
        model: `OWNER/NAME`; "" for the one that it has.
        max_model_len: a number, "auto", or "" as for all hosts.
        kv_cache_dtype: "auto" (16 bits), "fp8", or "" for what fits.
        rate: what the rental costs an hour; 0 where that is not known.
        currency: of the rate.
    """

    model: str = ""
    max_model_len: str | None = None
    kv_cache_dtype: str | None = None
    rate: float | None = None
    currency: str | None = None


class Screen(Enum):
    """What opens beside the conversation; the first three are about one host."""

    MONITOR = "monitor"
    ENDPOINT = "endpoint"
    LOGS = "logs"
    DIARY = "diary"
    SETTINGS = "settings"
    KEYBOARD = "keyboard"


OF_A_HOST = (Screen.MONITOR, Screen.ENDPOINT, Screen.LOGS)


class HostIntents(Protocol):
    """What is asked of one host. Returns at once; what comes of it is told by events."""

    def start(self, host: str, chosen: Chosen) -> AppError | None:
        """Bring this host to ready; returns what is wrong with what was typed, or None."""
        ...

    def survey(self, host: str, chosen: Chosen) -> AppError | None:
        """Look at this host and start nothing; returns what is wrong with what was typed, or None.

        `stop` gives it up.
        """
        ...

    def last_check(self) -> LastCheck | None:
        """Return what was last found out about this host, None where that is nothing."""
        ...

    def move(self, text: str) -> AppError | None:
        """Go on at the address in this text, which may bring a new password.

        Returns:
            What is wrong with what was pasted, or None.
        """
        ...

    def trust(self, fingerprint: str) -> None:
        """Start again with this host key, which a person has compared, and no other."""
        ...

    def retry(self) -> None:
        """Try again: after a failure, or instead of waiting for the next try."""
        ...

    def tidy(self) -> None:
        """Remove what is half there on the host; Tidied tells how much room came back."""
        ...

    def follow_log(self, *, wanted: bool) -> None:
        """Tell the host's logs as they grow (Logged); or no more."""
        ...

    def report(self, story: Story) -> str:
        """Return a report that can be given to strangers."""
        ...

    def redacted(self, text: str) -> str:
        """Return a text of this host's without what is private."""
        ...

    def stop(self, *, power_off: bool = False) -> None:
        """Stop the run on the host, and power the host off where that is asked.

        A second call that asks for no more gives up waiting for it.
        """
        ...


class Intents(Protocol):
    """What is asked of the app. Every method returns at once."""

    def host(self, key: HostKey) -> HostIntents:
        """Return what can be asked of one host."""
        ...

    def add(self, host: str, chosen: Chosen, *, survey: bool = False) -> HostKey | AppError:
        """Save a host and bring it to ready, or only look at it.

        Returns:
            Its key, or what is wrong with the text.
        """
        ...

    def remove(self, key: HostKey) -> None:
        """Forget a host; what runs there goes on."""
        ...

    def quit(self) -> None:
        """Leave the app; the hosts work on."""
        ...
