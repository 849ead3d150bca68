"""A look at a host over a real sshd, with the real agent: first in the core, then in the window."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from desktop.core.events import Event, Fact, PhaseChanged, Surveyed, TaskChanged
from desktop.core.last_checks import RUNNING_MODEL, LastChecks
from desktop.core.phases import Phase
from desktop.core.planner.machine import machine_of
from desktop.core.session.dial import dialler
from desktop.core.session.survey import Survey
from desktop.core.session.wishes import Wishes
from tests.e2e.conftest import Box
from tests.helpers.nvidia_smi import RTX_4090, GpuHost, install
from tests.helpers.person import Person
from tests.helpers.sshd import Sshd

SECONDS = 30


class Looked:
    """One look at a host: what was said, and when it was over."""

    def __init__(self, sshd: Sshd, person: Person, tmp_path: Path, **wished: object) -> None:
        self.events: list[Event] = []
        self.over = threading.Event()
        self.heard = threading.Condition()
        self.person = person
        known_hosts = sshd.known_hosts()
        wishes = Wishes(sshd.destination, identity=sshd.credentials.identity)
        wishes = replace(wishes, **wished)  # type: ignore[arg-type]
        dial = dialler(wishes, person, known_hosts, forwarding=True)
        checks = LastChecks(tmp_path / "last-checks")
        self.checks = checks
        self.survey = Survey(wishes, checks.keeping("box", self._hear), dial)

    def _hear(self, event: Event) -> None:
        with self.heard:
            self.events.append(event)
            self.heard.notify_all()
        if isinstance(event, PhaseChanged) and event.phase in (Phase.OFF, Phase.FAILED):
            self.over.set()

    def to_the_end(self) -> Surveyed:
        self.survey.start()
        assert self.over.wait(SECONDS), self.events
        self.survey.close()
        (surveyed,) = [event for event in self.events if isinstance(event, Surveyed)]
        return surveyed

    @property
    def phases(self) -> list[Phase]:
        return [event.phase for event in self.events if isinstance(event, PhaseChanged)]


@pytest.fixture
def rented(tmp_path: Path) -> Iterator[Sshd]:
    """A host with a 4090, as its driver describes it."""
    home, programs = tmp_path / "home", tmp_path / "bin"
    home.mkdir()
    install(programs, GpuHost("580.65.06", "13.0", (RTX_4090,)))
    path = f"{programs}:/usr/local/bin:/usr/bin:/bin"
    with Sshd(tmp_path, extra=f"SetEnv HOME={home} PATH={path}") as server:
        yield server


def test_a_host_is_looked_at_and_nothing_is_started_on_it(rented: Sshd, tmp_path: Path) -> None:
    looked = Looked(rented, Person(), tmp_path, hub="http://127.0.0.1:1")
    surveyed = looked.to_the_end()
    assert surveyed.error is None
    assert looked.phases == [Phase.CONNECTING, Phase.CHECKING, Phase.OFF]
    assert TaskChanged("preflight", "done") in looked.events
    machine = machine_of(surveyed.facts)
    assert machine is not None
    assert [card.short_name for card in machine.cards] == ["RTX 4090"]
    kept = looked.checks.of("box")
    assert kept is not None
    assert kept.facts["gpu.0.memory_total"] == 24564 << 20
    assert [path.name for path in (tmp_path / "home" / ".paperkite").iterdir()] == ["agent"]


def test_an_unknown_key_that_a_person_refuses_ends_the_look(rented: Sshd, tmp_path: Path) -> None:
    person = Person(accepts=False)
    where = replace(rented.destination, host="localhost")
    looked = Looked(rented, person, tmp_path, destination=where)
    surveyed = looked.to_the_end()
    assert surveyed.error is not None
    assert surveyed.facts == {}
    assert looked.phases[-1] is Phase.FAILED
    assert len(person.asked) == 1
    assert not (tmp_path / "home" / ".paperkite").exists()


def test_a_look_is_given_up_while_the_host_examines_itself(tmp_path: Path) -> None:
    home, programs = tmp_path / "home", tmp_path / "bin"
    home.mkdir()
    install(programs, GpuHost(hangs=True))
    path = f"{programs}:/usr/local/bin:/usr/bin:/bin"
    with Sshd(tmp_path, extra=f"SetEnv HOME={home} PATH={path}") as server:
        looked = Looked(server, Person(), tmp_path, hub="http://127.0.0.1:1")
        looked.survey.start()
        with looked.heard:
            begun = TaskChanged("preflight", "running")
            assert looked.heard.wait_for(lambda: begun in looked.events, SECONDS), looked.events
        looked.survey.cancel()
        assert looked.over.wait(5), looked.events
        looked.survey.close()
    assert looked.phases[-1] is Phase.OFF
    assert not [event for event in looked.events if isinstance(event, Surveyed)]


@pytest.mark.usefixtures("no_keys_of_this_machine")
def test_what_runs_on_the_host_is_seen_by_a_look(box: Box, tmp_path: Path) -> None:
    assert box.up().status == 0
    looked = Looked(
        box.sshd, Person(), tmp_path, model=box.model, hub=box.hub.url,
        data_dir=str(box.data), engine_env=str(box.engine),
    )  # fmt: skip
    surveyed = looked.to_the_end()
    assert surveyed.facts[RUNNING_MODEL] == box.model
    assert Fact(RUNNING_MODEL, box.model) in looked.events
    assert "ready" in str(box.run("status").of("fact"))
