"""The hosts of the app: what goes to which of them, and what is remembered."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from desktop.core.errors import AppError
from desktop.core.events import Endpoint, Event, Fact, PhaseChanged, Ready, Surveyed
from desktop.core.local_ports import LocalPorts
from desktop.core.paths import paths
from desktop.core.phases import Phase
from desktop.core.saved import SavedHost
from desktop.core.session.wishes import Wishes, from_settings
from desktop.core.settings import Settings, load, save
from desktop.core.ssh.destination import resolve
from desktop.system.keyring import Keyring
from desktop.ui.bridge import Bridge, Item
from desktop.ui.controller import Controller
from desktop.ui.intents import Chosen, FromHost, HostKey, Target
from tests.helpers.memory_keyring import MemoryKeyring
from tests.helpers.screens import ENDPOINT

BOX, LAB = HostKey("box"), HostKey("lab")
TWO = Settings(
    host="lab",
    hosts={
        "box": SavedHost("ssh -p 2201 root@box.example.com", model="a/box"),
        "lab": SavedHost("root@lab.example.com", model="a/lab", rate=2.5, currency="CNY"),
    },
)
CHOSEN = Chosen("a/box", "8192", "fp8")
MOVED = "ssh -p 4711 root@box.example.com"


@dataclass
class FakeSession:
    """A session of which only what is asked of it is looked at."""

    wishes: Wishes
    told: list[str] = field(default_factory=list)

    def start(self) -> None:
        self.told.append("start")

    def stop(self, *, power_off: bool = False) -> None:
        self.told.append("power off" if power_off else "stop")

    def retry_now(self) -> None:
        self.told.append("retry now")

    def look_again(self) -> None:
        self.told.append("look again")

    def move(self, wishes: Wishes, dial: object) -> None:
        self.wishes = wishes
        self.told.append("move")

    def close(self) -> None:
        self.told.append("close")


class FakeQuestions:
    """Questions of which only taking them back is looked at."""

    def __init__(self) -> None:
        self.dismissed = 0

    def dismiss(self) -> None:
        self.dismissed += 1


@dataclass
class Played:
    """A controller whose sessions are not real."""

    controller: Controller
    keyring: MemoryKeyring
    sessions: list[FakeSession] = field(default_factory=list)
    shown: list[tuple[HostKey, Target]] = field(default_factory=list)

    def hear(self, *items: Item) -> None:
        for key, events in self.controller.by_host(list(items)).items():
            self.controller.host(key).apply(events)

    def ready(self, key: HostKey, endpoint: Endpoint = ENDPOINT) -> None:
        self.hear(FromHost(key, PhaseChanged(Phase.READY)), FromHost(key, Ready(endpoint)))

    def start(self, key: HostKey) -> FakeSession:
        host = self.controller.host(key)
        target = host.target()
        assert host.start(target.host_text, Chosen(target.model)) is None
        return self.sessions[-1]


Make = Callable[..., Played]


@pytest.fixture
def make(qapp: object, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    made: list[Played] = []

    def play(
        settings: Settings = TWO, wishes: Wishes | None = None, hub_token: Callable[[], str] = str
    ) -> Played:
        save(settings, paths().ensure().settings)
        shown: list[tuple[HostKey, Target]] = []
        keyring = MemoryKeyring()
        controller = Controller(
            wishes,
            settings,
            paths(),
            Bridge(lambda _: None),
            FakeQuestions,  # type: ignore[arg-type]
            Keyring(keyring),
            hub_token,
            on_target=lambda key, target: shown.append((key, target)),
            on_removed=lambda _: None,
            on_quit=lambda: None,
        )
        played = Played(controller, keyring, shown=shown)

        def session(_key: HostKey, *parts: Any) -> FakeSession:
            *_rental, wishes, _dial = parts
            played.sessions.append(FakeSession(wishes))
            return played.sessions[-1]

        for host in controller.hosts.values():
            host._works = replace(host._works, session=_bound(session, host.key))
        monkeypatch.setattr(controller, "_session", session)
        monkeypatch.setattr(controller, "_survey", session)  # what is asked of both is the same
        made.append(played)
        return played

    yield play
    for each in made:
        each.controller.close()


def _bound(
    session: Callable[[HostKey, Wishes, object], FakeSession], key: HostKey
) -> Callable[..., Any]:
    return lambda wishes, dial: session(key, wishes, dial)


# -- several hosts -------------------------------------------------------------------------------


def test_each_host_hears_only_what_its_own_session_says(make: Make) -> None:
    played = make()
    played.ready(BOX)
    played.ready(LAB, replace(ENDPOINT, base_url="http://127.0.0.1:8001/v1"))
    box, lab = played.controller.host(BOX), played.controller.host(LAB)
    played.hear(FromHost(LAB, PhaseChanged(Phase.RECONNECTING)))
    assert (lab.endpoint, box.endpoint) == (None, ENDPOINT)


def test_the_price_of_a_reply_is_its_hosts(make: Make) -> None:
    rented = replace(TWO.hosts["box"], rate=3.6, currency="CNY")
    played = make(replace(TWO, hosts={**TWO.hosts, "box": rented}))
    other = replace(ENDPOINT, base_url="http://127.0.0.1:8001/v1")
    played.ready(BOX)
    played.ready(LAB, other)
    assert played.controller.price(ENDPOINT, 10.0) == (0.01, "CNY")
    assert played.controller.price(other, 1440.0) == (1.0, "CNY")
    assert played.controller.price(replace(ENDPOINT, run="of yesterday"), 10.0) is None


def test_stopping_one_host_touches_no_other(make: Make) -> None:
    played = make()
    box, lab = played.start(BOX), played.start(LAB)
    played.controller.host(BOX).stop()
    assert (box.told, lab.told) == (["start", "stop"], ["start"])
    asking = [played.controller.host(key).questions for key in (BOX, LAB)]
    assert [each.dismissed for each in asking] == [1, 0]  # type: ignore[attr-defined]


def test_after_a_sleep_every_session_looks_again(make: Make) -> None:
    played = make()
    played.controller.look_again()  # before the first start: nobody to ask
    box, lab = played.start(BOX), played.start(LAB)
    played.controller.look_again()
    assert box.told == lab.told == ["start", "look again"]


def test_quitting_closes_every_session(make: Make) -> None:
    played = make()
    box, lab = played.start(BOX), played.start(LAB)
    played.controller.close()
    assert box.told == lab.told == ["start", "close"]


def test_the_host_that_was_used_last_comes_first(make: Make) -> None:
    assert make().controller.first() == LAB
    by_line = replace(TWO, host=TWO.hosts["box"].line)
    assert make(by_line).controller.first() == BOX
    assert make(Settings()).controller.first() is None


def test_a_default_host_that_was_never_named_is_listed_under_a_short_name(make: Make) -> None:
    played = make(Settings(host="ssh -p 12345 root@connect.westb.seetacloud.com", model="a/b"))
    assert list(played.controller.hosts) == ["westb-12345"]
    assert played.controller.first() == "westb-12345"


def test_the_host_of_the_command_line_is_listed_first_and_never_saved(make: Make) -> None:
    given = from_settings(Settings(), resolve("root@127.0.0.1:2201"))
    played = make(TWO, given)
    first = played.controller.first()
    assert first == "127.0.0.1-2201"
    played.controller.host(first).begin()
    assert played.sessions[-1].told == ["start"]
    assert load(paths().settings)[0] == TWO


def test_hosts_are_added_once_and_remembered_with_their_model(make: Make) -> None:
    played = make(Settings(model="a/default"))
    line = "ssh -p 12345 root@connect.westb.seetacloud.com"
    key = played.controller.add(line, Chosen("a/b"))
    assert key == "westb-12345"
    assert played.controller.add(line, Chosen("a/b")) == key
    assert len(played.controller.hosts) == 1
    saved = load(paths().settings)[0]
    assert (saved.host, saved.model) == (key, "a/b")
    assert saved.hosts == {key: SavedHost(line, model="a/b")}


def test_what_cannot_be_understood_is_no_host(make: Make) -> None:
    played = make(Settings())
    problem = played.controller.add("root@host:99999999", Chosen("a/b"))
    assert isinstance(problem, AppError)
    assert problem.code == "destination-bad-port"
    assert played.controller.hosts == {}


def test_a_host_that_is_forgotten_is_gone_from_the_settings_with_its_port(make: Make) -> None:
    played = make()
    ports = LocalPorts(paths().local_ports)
    ports.keep("box", 8004)
    session = played.start(BOX)
    played.controller.remove(BOX)
    assert session.told == ["start", "close"]
    assert list(load(paths().settings)[0].hosts) == ["lab"]
    assert ports.of("box") == 0
    played.hear(FromHost(BOX, PhaseChanged(Phase.READY)))  # was on its way
    assert list(played.controller.hosts) == ["lab"]


def test_a_host_that_is_forgotten_leaves_no_secret_of_its_own(make: Make) -> None:
    played = make()
    keyring = Keyring(played.keyring)
    keyring.keep("root@box.example.com:2201", "of the host")
    keyring.keep("root@other:22", "of another one")
    key = played.controller._api_keys.of("box")
    assert key in played.keyring.kept.values()
    played.controller.remove(BOX)
    played.controller.close()
    assert list(played.keyring.kept.values()) == ["of another one"]


def test_what_another_program_saved_meanwhile_is_kept(make: Make) -> None:
    played = make()
    other = SavedHost("root@third.example.com")
    save(replace(TWO, hosts={**TWO.hosts, "third": other}), paths().settings)
    played.start(BOX)
    assert load(paths().settings)[0].hosts["third"] == other


def test_the_wishes_of_a_saved_host_are_its_own(make: Make) -> None:
    hosts = {"box": replace(TWO.hosts["box"], local_port=9000, data_dir="/disk")}
    played = make(replace(TWO, hosts=hosts, data_dir="/all", local_port=8100))
    wishes = played.start(BOX).wishes
    assert (wishes.name, wishes.model) == ("box", "a/box")
    assert (wishes.local_port, wishes.data_dir) == (9000, "/disk")


def test_the_ports_begin_where_the_user_wants_them(make: Make) -> None:
    played = make(replace(TWO, local_port=9100))
    LocalPorts(paths().local_ports, 9100).keep("lab", 9100)
    wishes = played.start(BOX).wishes
    assert (wishes.local_port, wishes.usual_ports[0]) == (0, 9101), "the first is another host's"
    played.controller.change(lambda now: replace(now, local_port=0))
    played.controller.take_settings()
    assert played.controller.host(BOX).wishes.usual_ports[0] == 8000


# -- another address -----------------------------------------------------------------------------


def test_a_new_line_goes_on_with_the_same_session(make: Make) -> None:
    played = make()
    session = played.start(BOX)
    before = session.wishes
    assert played.controller.host(BOX).move(MOVED) is None
    assert (session.told, len(played.sessions)) == (["start", "move"], 1)
    assert session.wishes.destination.port == 4711
    assert replace(session.wishes, destination=before.destination) == before
    assert load(paths().settings)[0].hosts["box"] == SavedHost(MOVED, model="a/box")
    assert played.shown[-1][1].host == "root@box.example.com:4711"


def test_a_new_password_goes_no_further_than_memory(make: Make) -> None:
    played = make()
    session = played.start(BOX)
    assert played.controller.host(BOX).move(f"{MOVED}\ns3cret-0f-mine") is None
    assert session.wishes.destination.password == "s3cret-0f-mine"
    assert "s3cret" not in paths().settings.read_text(encoding="utf-8")
    assert "s3cret" not in repr(played.shown)


@pytest.mark.parametrize("text", ["s3cret-0f-mine", "", "root@box.example.com:99999"])
def test_what_names_no_login_moves_nothing(make: Make, text: str) -> None:
    played = make()
    session = played.start(BOX)
    assert played.controller.host(BOX).move(text) is not None
    assert session.told == ["start"]
    assert load(paths().settings)[0].hosts["box"].line == TWO.hosts["box"].line


def test_a_password_that_was_pasted_under_the_line_is_saved_nowhere(make: Make) -> None:
    played = make(Settings())
    key = played.controller.add("ssh -p 2201 root@kite.example.com\ns3cret-0f-mine", Chosen("a/b"))
    assert not isinstance(key, AppError)
    assert played.sessions[-1].wishes.destination.password == "s3cret-0f-mine"
    saved = paths().settings.read_text(encoding="utf-8")
    assert "ssh -p 2201 root@kite.example.com" in saved
    assert "s3cret" not in saved
    assert "s3cret" not in repr(played.controller.host(key).target())


@pytest.mark.parametrize(
    ("phase", "told"),
    [(Phase.RECONNECTING, "retry now"), (Phase.CONNECTING, "retry now"), (Phase.FAILED, "start")],
)
def test_trying_again_is_now_or_from_the_start(make: Make, phase: Phase, told: str) -> None:
    played = make()
    session = played.start(BOX)
    events: list[Event] = [PhaseChanged(phase)]
    played.hear(*(FromHost(BOX, event) for event in events))
    played.controller.host(BOX).retry()
    assert session.told == ["start", told]


# -- a look --------------------------------------------------------------------------------------


def test_a_host_that_is_looked_at_is_listed_and_saved_with_its_price(make: Make) -> None:
    played = make(Settings())
    line = "ssh -p 12345 root@connect.westb.seetacloud.com"
    chosen = Chosen("a/b", rate=1.98, currency="CNY")
    key = played.controller.add(line, chosen, survey=True)
    assert key == "westb-12345"
    assert played.sessions[-1].told == ["start"]
    saved = load(paths().settings)[0].hosts["westb-12345"]
    assert saved == SavedHost(line, model="a/b", rate=1.98, currency="CNY")


def test_what_was_chosen_for_a_host_is_asked_for_and_saved(make: Make) -> None:
    played = make()
    assert played.controller.host(BOX).start(TWO.hosts["box"].line, CHOSEN) is None
    wishes = played.sessions[-1].wishes
    assert (wishes.max_model_len, wishes.kv_cache_dtype) == ("8192", "fp8")
    saved = load(paths().settings)[0].hosts["box"]
    assert (saved.max_model_len, saved.kv_cache_dtype) == ("8192", "fp8")
    target = played.shown[-1][1]
    assert (target.max_model_len, target.kv_cache_dtype) == ("8192", "fp8")


def test_what_a_look_found_out_is_there_the_next_day_and_goes_with_its_host(make: Make) -> None:
    played = make()
    hear = played.controller._emit(BOX)
    for event in (Fact("gpu.count", 1), Surveyed({"gpu.count": 1})):
        hear(event)
    again = make().controller
    check = again.host(BOX).last_check()
    assert check is not None
    assert check.facts == {"gpu.count": 1}
    assert again.host(LAB).last_check() is None
    again.remove(BOX)
    assert make().controller.host(LAB).last_check() is None
    assert not list(paths().last_checks.iterdir())


def test_what_was_mended_in_the_settings_is_asked_for_at_the_next_try(make: Make) -> None:
    given = [""]
    played = make(hub_token=lambda: given[0])
    box, lab = played.controller.host(BOX), played.controller.host(LAB)
    played.start(LAB)
    assert (
        box.start("root@box.example.com\nthe-password", Chosen("o/m", max_model_len="4096")) is None
    )
    played.hear(FromHost(BOX, PhaseChanged(Phase.FAILED, AppError("model.access-denied"))))
    given[0] = "ms-token"
    played.controller.change(
        lambda settings: replace(settings, data_dir="/root/autodl-tmp", proxy="socks5://p:1080")
    )
    played.controller.take_settings()
    assert played.sessions[-1].told[-1] == "start"
    box.retry()
    wishes = played.sessions[-1].wishes
    assert (wishes.hub_token, wishes.data_dir) == ("ms-token", "/root/autodl-tmp")
    assert wishes.destination.proxy == "socks5://p:1080"
    assert (wishes.destination.password, wishes.max_model_len) == ("the-password", "4096")
    assert "close" not in played.sessions[0].told, "what works is left alone"
    count = len(played.sessions)
    played.hear(FromHost(BOX, PhaseChanged(Phase.FAILED, AppError("engine.crashed"))))
    box.retry()
    assert len(played.sessions) == count, "nothing else was changed"
    assert lab.wishes is not None
    assert lab.wishes.hub_token == "ms-token"  # for its next start


def test_what_the_command_line_asked_for_is_nobodys_setting(make: Make) -> None:
    wishes = Wishes(resolve("root@mine.example.com"), data_dir="/data")
    played = make(wishes=wishes)
    played.controller.change(lambda settings: replace(settings, data_dir="/elsewhere"))
    played.controller.take_settings()
    assert played.controller.hosts[next(iter(played.controller.hosts))].wishes == wishes
