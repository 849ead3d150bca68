"""A rented box on loopback: a real sshd, a hub with a small model, and room for our data.

The engine is the scripted one (an engine environment that is adopted), so that a test of the
string takes seconds; `test_whole_string.py` goes all the way with the real one.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pytestqt.qtbot import QtBot

from desktop.core.ssh.connection import Connection, connect
from desktop.rehearsal.engine import install_scripted_engine
from desktop.rehearsal.faults import Faults
from desktop.rehearsal.hub import Hub
from desktop.rehearsal.repository import Repository
from desktop.rehearsal.scripted_engine.replies import Script
from tests.helpers.command import Outcome, Running, paperkite, started
from tests.helpers.person import Person
from tests.helpers.processes import processes_of_home
from tests.helpers.sshd import Sshd
from tests.helpers.waiting import until

if TYPE_CHECKING:
    from tests.helpers.laptop import Laptop

MODEL = "paperkite/tiny"
WEIGHTS = "model.safetensors"
WEIGHTS_BYTES = 8_000_000
_GONE_SECONDS = 10.0


@dataclass(frozen=True)
class Box:
    """One host as the command line names it.

    Attributes:
        sshd: the real server.
        home: HOME on the host.
        data: the data folder on the host.
        hub: the loopback hub.
        engine: the scripted engine's folder.
        model: id at the hub.
    """

    sshd: Sshd
    home: Path
    data: Path
    hub: Hub
    engine: Path
    model: str = MODEL

    @property
    def host(self) -> tuple[str, ...]:
        where = self.sshd.destination
        identity = str(self.sshd.credentials.identity)
        key = self.sshd.host_fingerprint
        return (
            f"{where.user}@{where.host}:{where.port}",
            "--identity",
            identity,
            "--host-key",
            key,
        )

    @property
    def work(self) -> tuple[str, ...]:
        return (
            *("--model", self.model, "--hub", self.hub.url),
            *("--data-dir", str(self.data), "--engine-env", str(self.engine)),
        )

    def line(self, host: str = "") -> str:
        """Return the SSH line as a console shows it, with the host's name where it has one."""
        where = self.sshd.destination
        return f"ssh -p {where.port} {where.user}@{host or where.host}"

    def written(self, question: str, tokens: int) -> str:
        """Return the whole reply that the scripted engine gives to a question."""
        script = Script(self.model, 2048, tokens, 0)
        fields = {"messages": [{"role": "user", "content": question}]}
        return "".join(script.reply(fields, is_chat=True).tokens)

    def up(self, *argv: str, seconds: float = 120) -> Outcome:
        return paperkite("up", *self.host, *self.work, "--json", *argv, seconds=seconds)

    @contextmanager
    def going_up(self, *argv: str) -> Iterator[Running]:
        with started("up", *self.host, *self.work, "--json", *argv) as running:
            yield running

    def ask(self, *argv: str) -> Outcome:
        return paperkite("chat", *self.host, "--json", *argv)

    def run(self, verb: str, *argv: str) -> Outcome:
        return paperkite(verb, *self.host, "--json", *argv)

    def down(self) -> Outcome:
        return self.run("down")

    @property
    def processes(self) -> list[int]:
        """The processes of ours that are alive on this host."""
        return processes_of_home(self.home)

    @property
    def journal(self) -> list[dict[str, object]]:
        """The newest run's events."""
        runs = sorted(path for path in (self.home / ".paperkite/runs").iterdir() if path.is_dir())
        text = (runs[-1] / "journal.jsonl").read_text(encoding="utf-8")
        return [json.loads(line) for line in text.splitlines()]


@pytest.fixture
def no_keys_of_this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide the keys, the agent and the SSH config of whoever runs the tests."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)


@pytest.fixture
def sshd_extra() -> str:
    """More lines for the config of `sshd`; a module that needs some says so in its own."""
    return ""


@pytest.fixture
def sshd(tmp_path: Path, sshd_extra: str) -> Iterator[Sshd]:
    with Sshd(tmp_path, extra=sshd_extra) as server:
        yield server


@pytest.fixture
def connection(sshd: Sshd) -> Iterator[Connection]:
    with connect(sshd.destination, sshd.credentials, Person(), sshd.known_hosts()) as connection:
        yield connection


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tiny-model")
    config = {"architectures": ["LlamaForCausalLM"], "max_position_embeddings": 2048}
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    (folder / "tokenizer.json").write_text("{}", encoding="utf-8")
    (folder / "tokenizer_config.json").write_text("{}", encoding="utf-8")
    (folder / WEIGHTS).write_bytes(os.urandom(WEIGHTS_BYTES))
    return folder


@pytest.fixture(scope="session")
def prepared_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder in which the first test that needs it leaves uv and the hub environment."""
    return tmp_path_factory.mktemp("prepared-data")


MakeBox = Callable[..., Box]


@pytest.fixture
def make_box(tmp_path: Path, tiny_model: Path, prepared_data: Path) -> Iterator[MakeBox]:
    """Make boxes; at the end each is taken down, and nothing of ours may be left on it."""
    with ExitStack() as stack:

        def make(
            *engine: str,
            name: str = "",
            faults: Faults | None = None,
            fresh: bool = False,
            sshd_extra: str = "",
            models: Mapping[str, Path | Repository] | None = None,
        ) -> Box:
            place = tmp_path / name  # a test with several boxes names the others
            home = place / "host-home"
            home.mkdir(parents=True)
            data = place / "data" if fresh else prepared_data
            served = {MODEL: tiny_model, **(models or {})}
            hub = stack.enter_context(Hub(served, faults=faults))
            extra = f"SetEnv HOME={home}\n{sshd_extra}"
            sshd = stack.enter_context(Sshd(place, extra=extra))
            box = Box(sshd, home, data, hub, install_scripted_engine(place / "engine", *engine))
            shutil.rmtree(data / "paperkite" / "models", ignore_errors=True)
            stack.callback(_leave_nothing, box)
            return box

        yield make


@pytest.fixture
def box(make_box: MakeBox) -> Box:
    return make_box()


@pytest.fixture
def laptop(qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Laptop]:
    """A person's own computer on the first day: no keys, no settings, no keyring."""
    from tests.helpers.laptop import Laptop  # Qt: only where there is a window

    home = tmp_path / "laptop-home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    with closing(Laptop(qtbot, home)) as made:
        yield made


def _leave_nothing(box: Box) -> None:
    if (box.home / ".paperkite").exists():
        # With room again, whatever the test filled up, and with the key that the host has now.
        replace(box).down()
    # A verb has said its last word before its process is gone, and a `watch` ends once sshd has
    # noticed that nobody listens any more.
    with suppress(AssertionError):
        until(lambda: box.processes == [], _GONE_SECONDS)
    left = box.processes
    for pid in left:  # a test that failed half-way leaves none to the machine
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    assert left == []
