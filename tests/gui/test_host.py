"""One host of the app and its sessions: a key that is trusted, an address that is left."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

from desktop.core.errors import HostKeyChanged
from desktop.core.events import PhaseChanged, TaskChanged
from desktop.core.phases import Phase
from desktop.core.saved import SavedHost
from desktop.core.session.dial import Dial
from desktop.core.session.session import Session
from desktop.core.session.wishes import Wishes
from desktop.core.ssh.destination import Destination
from desktop.ui.host import Host, Works
from desktop.ui.intents import HostKey
from tests.helpers.screens import FINGERPRINT

LINE = "root@box.example.com"
WISHES = Wishes(Destination("box.example.com", user="root", text=LINE))
FAILED = PhaseChanged(Phase.FAILED, HostKeyChanged("host-key-changed"))


@dataclass
class FakeWorks:
    """What a host does, in order; `demanded` are the keys that its ways to the host demand."""

    done: list[str] = field(default_factory=list)
    demanded: list[str] = field(default_factory=list)

    def dial(self, wishes: Wishes) -> Dial:
        self.demanded.append(wishes.host_key)
        return cast("Dial", None)

    def session(self, _wishes: Wishes, _dial: Dial) -> Session:
        self.done.append("new")
        return cast("Session", self)

    def dismiss(self) -> None:
        self.done.append("dismiss")

    def start(self) -> None:
        self.done.append("start")

    def move(self, _wishes: Wishes, _dial: Dial) -> None:
        self.done.append("move")

    def close(self) -> None:
        self.done.append("close")


def host() -> tuple[Host, FakeWorks]:
    """Return a host whose key has changed, and what it did since."""
    works = FakeWorks()
    found = Host(
        HostKey("box"),
        SavedHost(LINE),
        Works(
            questions=cast("Any", works),
            wished=lambda line, _model: Wishes(Destination("new.example.com", text=line)),
            dial=works.dial,
            session=works.session,
            chosen=lambda _saved: None,
        ),
        WISHES,
    )
    found.begin()
    found.apply([FAILED])
    works.done.clear()
    works.demanded.clear()
    return found, works


def test_the_key_that_was_compared_is_demanded_at_the_next_start_and_by_nothing_after_it() -> None:
    box, works = host()
    box.trust(FINGERPRINT)
    assert works.done == ["close", "new", "start"]
    assert works.demanded == [FINGERPRINT]
    box.apply([PhaseChanged(Phase.CONNECTING), TaskChanged("connect", "running")])
    assert box.wishes is not None
    assert box.wishes.host_key == FINGERPRINT
    box.apply([TaskChanged("connect", "done")])
    assert box.wishes == WISHES


def test_a_host_that_shows_yet_another_key_is_up_for_another_comparison() -> None:
    box, works = host()
    box.trust(FINGERPRINT)
    box.apply([PhaseChanged(Phase.FAILED, HostKeyChanged("host-key-mismatch"))])
    assert box.wishes == WISHES
    box.retry()
    assert works.demanded == [FINGERPRINT, ""]
    assert works.done == ["close", "new", "start", "close", "new", "start"]


def test_a_question_about_the_old_address_is_taken_back_once_the_session_has_left_it() -> None:
    """The other way round its answer, which is none, would count as the session's failure."""
    box, works = host()
    box.move("root@new.example.com")
    assert works.done == ["move", "dismiss"]
