"""What the string costs on a host where everything is in place, beside plain `ssh` to that host.

A real sshd, the real agent, a verified model and the hub client's environment; the engine is the
scripted one, whose own start and first token are measured by themselves, without Paperkite.
"""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from desktop.rehearsal.engine import install_scripted_engine
from desktop.rehearsal.hub import Hub
from remote import wire
from remote.engine.endpoint import free_port
from tests.bench import model
from tests.bench.figures import Figure, median, show, times
from tests.helpers.command import Line, Outcome, paperkite, started
from tests.helpers.sshd import Sshd
from tests.helpers.waiting import until

ROUNDS = 5
STARTUP_S = 1.0
LONG_STARTUP_S = 600.0  # an engine that is still loading when one comes back
REPLY = ("--scripted-prefill-s=0", "--scripted-tokens-per-s=1000")


@dataclass(frozen=True)
class Box:
    """One host, as the command line names it. `engine` is the scripted engine's program."""

    host: tuple[str, ...]
    work: tuple[str, ...]
    ssh: tuple[str, ...]
    engine: Path

    def up(self, startup_s: float = STARTUP_S) -> Outcome:
        return done(paperkite("up", *self.host, *self._wish(startup_s)))

    def down(self) -> None:
        done(paperkite("down", *self.host, "--json"))

    def chat(self) -> Outcome:
        return done(paperkite("chat", *self.host, "--json", "Hello?"))

    def leave_loading(self) -> None:
        """Start a run whose engine will not be up soon, and go away."""
        with started("up", *self.host, *self._wish(LONG_STARTUP_S)) as running:
            running.wait_for(is_loading)
            running.interrupt()

    def seconds_until_attached(self) -> float:
        """Come back to that run and say when it was seen loading."""
        with started("up", *self.host, *self._wish(LONG_STARTUP_S)) as running:
            line = running.wait_for(is_loading)
            running.interrupt()
        return float(line["at"])

    def seconds_of_ssh(self) -> float:
        """Return how long OpenSSH needs to connect, run `true` and leave."""
        began = time.monotonic()
        subprocess.run(self.ssh, stdin=subprocess.DEVNULL, check=True)
        return time.monotonic() - began

    def _wish(self, startup_s: float) -> tuple[str, ...]:
        return (*self.work, f"--engine-arg=--scripted-startup-s={startup_s}", "--json")


def done(outcome: Outcome) -> Outcome:
    assert outcome.status == 0, (outcome.lines[-3:], outcome.stderr)
    return outcome


def is_loading(line: Line) -> bool:
    return line.get("name") == f"task.{wire.SERVE}" and line.get("value") == wire.RUNNING


@contextmanager
def box(folder: Path) -> Iterator[Box]:
    """Give a host in this folder; at the end nothing of ours runs on it."""
    home, files = folder / "host-home", model.write_model(folder / "model", 1_000_000)
    home.mkdir()
    engine = install_scripted_engine(folder / "engine", *REPLY)
    with Hub({model.NAME: files}) as hub, Sshd(folder, extra=f"SetEnv HOME={home}") as sshd:
        to = (f"{sshd.destination.user}@127.0.0.1", "-p", str(sshd.port))
        quiet = ("-o", "StrictHostKeyChecking=no", "-o", f"UserKnownHostsFile={folder}/hosts")
        made = Box(
            host=(
                f"{sshd.destination.user}@127.0.0.1:{sshd.port}",
                *("--identity", str(sshd.identity), "--host-key", sshd.host_fingerprint),
            ),
            work=(
                *("--model", model.NAME, "--hub", hub.url),
                *("--data-dir", str(folder / "data"), "--engine-env", str(engine)),
            ),
            ssh=("ssh", "-F", "none", "-q", "-i", str(sshd.identity), *quiet, *to, "true"),
            engine=engine / "bin" / "vllm",
        )
        try:
            yield made
        finally:
            stop_what_runs(home)


def stop_what_runs(home: Path) -> None:
    """End the run without SSH: after a Ctrl-C, which all of a terminal hears, sshd is gone."""
    for archive in (home / ".paperkite" / "agent").glob("*.pyz"):
        subprocess.run(
            [sys.executable, "-I", str(archive), "stop", "--grace", "1"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            env={**os.environ, "HOME": str(home)},
            check=False,
        )


def engine_alone(engine: Path) -> tuple[float, float]:
    """Start the engine by itself; return the seconds to its first answer and its TTFT."""
    port = free_port(18_000)
    argv = [str(engine), "serve", "--port", str(port), "--enforce-eager"]
    began = time.monotonic()
    process = subprocess.Popen(
        [*argv, "--served-model-name", model.NAME, f"--scripted-startup-s={STARTUP_S}"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        until(lambda: answers(port))
        return time.monotonic() - began, first_token(port)
    finally:
        process.terminate()
        process.wait()


def answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == 200
    except ConnectionRefusedError:
        return False
    finally:
        connection.close()


def first_token(port: int) -> float:
    """Return the seconds to the first token of a reply that streams."""
    fields = {
        "model": model.NAME,
        "stream": True,
        "messages": [{"role": "user", "content": "Hello?"}],
    }
    connection = http.client.HTTPConnection("127.0.0.1", port)
    began = time.monotonic()
    connection.request("POST", "/v1/chat/completions", json.dumps(fields))
    with connection.getresponse() as response:
        while not has_text(response.readline()):
            pass
        took = time.monotonic() - began
    connection.close()
    return took


def has_text(line: bytes) -> bool:
    return line.startswith(b"data: {") and bool(
        json.loads(line[6:])["choices"][0]["delta"].get("content")
    )


def seconds_up(host: Box) -> float:
    """Return the time from the command's start to `ready`, where nothing runs yet."""
    host.down()
    return float(host.up().only("ready")["at"])


def measure(host: Box) -> list[Figure]:
    host.up()  # puts everything in its place
    start_s, ttft_s = engine_alone(host.engine)
    ups = times(ROUNDS, lambda: seconds_up(host))
    joins = times(ROUNDS, lambda: float(host.up().only("ready")["at"]))
    chats = times(ROUNDS, lambda: float(host.chat().of("delta")[0]["at"]))
    host.down()
    host.leave_loading()
    loads = times(ROUNDS, host.seconds_until_attached)
    host.seconds_of_ssh()
    return [
        median("ssh: connect, true, leave", times(ROUNDS, host.seconds_of_ssh), "s"),
        Figure("engine alone: first answer", start_s, "s"),
        Figure("engine alone: first token", ttft_s, "s"),
        median("up, beyond the engine's own start", ups, "s", 3.0, less=start_s),
        median("up, back to an engine that loads", loads, "s", 3.0),
        median("up, back to an engine that is ready", joins, "s", 3.0),
        median("chat: first token, beyond the engine's", chats, "s", 1.5, less=ttft_s),
    ]


def bench() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["PAPERKITE_HOME"] = str(folder / "paperkite")
        with box(folder) as host:
            figures = measure(host)
    note = f"medians of {ROUNDS}, from the command's start; lowest and highest beside them"
    show("The string, everything in place on the host", figures, note)


if __name__ == "__main__":
    bench()
