"""One host of the app and its sessions: a key that is trusted, an address that is left."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, cast

from desktop.core.errors import HostKeyChanged
from desktop.core.events import Ended, Fact, PhaseChanged, TaskChanged
from desktop.core.phases import Phase
from desktop.core.saved import SavedHost
from desktop.core.session.dial import Dial
from desktop.core.session.session import Session
from desktop.core.session.survey import Survey
from desktop.core.session.wishes import Wishes
from desktop.core.ssh.destination import Destination
from desktop.ui.host import Host, Works
from desktop.ui.intents import Chosen, HostKey
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

    def survey(self, _wishes: Wishes, _dial: Dial) -> Survey:
        self.done.append("look")
        return cast("Survey", self)

    def cancel(self) -> None:
        self.done.append("cancel")

    def retry_now(self) -> None:
        self.done.append("retry now")

    def dismiss(self) -> None:
        self.done.append("dismiss")

    def start(self) -> None:
        self.done.append("start")

    def stop(self, *, power_off: bool) -> None:
        self.done.append("power off" if power_off else "stop")

    def change_terms(self, wishes: Wishes) -> None:
        self.done.append(f"limit {wishes.spending_seconds}")

    def move(self, _wishes: Wishes, _dial: Dial) -> None:
        self.done.append("move")

    def close(self) -> None:
        self.done.append("close")


def parts(works: FakeWorks) -> Works:
    """Return what a host needs, most of it played by one."""
    return Works(
        questions=cast("Any", works),
        wished=lambda line, _model: Wishes(Destination("new.example.com", text=line)),
        dial=works.dial,
        session=works.session,
        survey=works.survey,
        last_check=lambda: None,
        chosen=lambda _saved: None,
    )


def host() -> tuple[Host, FakeWorks]:
    """Return a host whose key has changed, and what it did since."""
    works = FakeWorks()
    found = Host(HostKey("box"), SavedHost(LINE), parts(works), WISHES)
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


def test_a_stop_asks_its_session_and_takes_open_questions_back() -> None:
    box, works = host()
    box.stop()
    box.stop(power_off=True)
    assert works.done == ["stop", "dismiss", "power off", "dismiss"]


def test_a_saved_host_that_was_never_started_can_be_powered_off() -> None:
    works = FakeWorks()
    box = Host(
        HostKey("box"), SavedHost("ssh -p 1 root@connect.seetacloud.com"), parts(works), None
    )
    assert box.standing().address == "connect.seetacloud.com"
    box.stop()
    assert works.done == ["dismiss"]
    box.stop(power_off=True)
    assert works.done[1:] == ["new", "power off", "dismiss"]


def test_new_terms_go_to_what_runs_and_to_what_is_started_next() -> None:
    box, works = host()
    box.change_terms(replace(WISHES, spending_seconds=60, model="an/other"))
    assert works.done == ["limit 60"]
    assert box.wishes == replace(WISHES, spending_seconds=60)


def test_how_a_host_stands_has_its_price_and_what_was_seen_of_it() -> None:
    box, _ = host()
    box.saved = replace(box.saved, rate=1.98, currency="CNY")
    box.apply([TaskChanged("connect", "done"), Fact("provider", "autodl")])
    box.apply([PhaseChanged(Phase.READY)])
    standing = box.standing(replying=True)
    assert (standing.name, standing.phase, standing.is_on) == ("box", Phase.READY, True)
    assert (standing.rate, standing.currency, standing.replying) == (1.98, "CNY", True)
    assert (standing.address, standing.provider) == ("box.example.com", "autodl")
    box.apply([Ended("stopped", "asked", powered_off=True), PhaseChanged(Phase.OFF)])
    assert not box.standing().is_on


# -- a look --------------------------------------------------------------------------------------


def looked_at() -> tuple[Host, FakeWorks]:
    """Return a host that is being looked at, and what it did since."""
    box, works = host()
    assert box.survey(LINE, Chosen("a/b", rate=2.0, currency="CNY")) is None
    box.apply([PhaseChanged(Phase.CONNECTING)])
    return box, works


def test_a_look_leaves_the_session_and_starts_none() -> None:
    box, works = looked_at()
    assert works.done == ["close", "look", "start"]
    assert (box.saved.rate, box.saved.currency) == (2.0, "CNY")
    assert box.target().model == "a/b"


def test_stop_gives_a_look_up_and_takes_its_question_back() -> None:
    box, works = looked_at()
    works.done.clear()
    box.stop()
    assert works.done == ["cancel", "dismiss"]


def test_trying_again_after_a_look_looks_again() -> None:
    box, works = looked_at()
    works.done.clear()
    box.retry()
    assert works.done == ["retry now"]
    box.apply([PhaseChanged(Phase.FAILED)])
    works.done.clear()
    box.retry()
    assert works.done == ["close", "look", "start"]


def test_a_new_line_during_a_look_is_looked_at() -> None:
    box, works = looked_at()
    works.done.clear()
    box.move("root@new.example.com")
    assert works.done == ["close", "look", "start", "dismiss"]
    assert box.target().host == "new.example.com:22"


def test_a_start_after_a_look_begins_a_session_with_what_was_chosen() -> None:
    box, works = looked_at()
    box.apply([PhaseChanged(Phase.OFF)])
    works.done.clear()
    assert box.start(LINE, Chosen("a/c", "8192", "fp8")) is None
    assert works.done == ["close", "new", "start"]
    assert box.wishes is not None
    assert (box.wishes.model, box.wishes.max_model_len) == ("a/c", "8192")
    assert (box.saved.max_model_len, box.saved.kv_cache_dtype) == ("8192", "fp8")
    assert box.saved.rate == 2.0, "what was not chosen stays"


def test_a_length_belongs_to_its_model_and_stays_where_nothing_is_chosen() -> None:
    box, _works = looked_at()
    box.start(LINE, Chosen("a/c", "8192"))
    box.start(LINE, Chosen("a/c"))
    assert box.target().max_model_len == "8192"
    box.start(LINE, Chosen("a/d"))
    assert box.target().max_model_len == ""
    assert box.saved.max_model_len == ""


def test_while_a_session_works_there_is_no_look() -> None:
    box, works = host()
    box.apply([PhaseChanged(Phase.LOADING)])
    assert box.survey(LINE, Chosen("a/b")) is None
    assert works.done == []
