import errno
import socket
import threading
from contextlib import closing
from dataclasses import replace
from typing import Any, cast

import pytest

from desktop.core.agent.answers import Stopped
from desktop.core.agent.client import Agent
from desktop.core.errors import AppError, Cancelled, ConnectionLost
from desktop.core.session.power import Port, await_silence, look, of_error, power_off
from desktop.core.ssh.destination import Destination

HOST = Destination("gpu", 2222)
NEVER = threading.Event()
SPEAKS, SILENT, UNKNOWN = Port.SPEAKS, Port.SILENT, Port.UNKNOWN


class FakeAgent:
    """Answers the stop as it was told to."""

    def __init__(self, answer: Stopped | Exception) -> None:
        self._answer = answer

    def stop(self, *, power_off: bool) -> Stopped:
        assert power_off
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer


def agent(power_off: str, provider: str = "autodl") -> Agent:
    return cast("Agent", FakeAgent(Stopped(True, power_off, provider)))


class Probes:
    """What the port shows, one look after the other; the last one goes on."""

    def __init__(self, *shown: Port) -> None:
        self._shown = list(shown)
        self.looks = 0

    def __call__(self, _: Destination) -> Port:
        self.looks += 1
        return self._shown.pop(0) if len(self._shown) > 1 else self._shown[0]


def test_silence_several_times_in_a_row_is_the_proof() -> None:
    probes = Probes(SPEAKS, SILENT, SILENT, SPEAKS, SILENT, UNKNOWN, SILENT)
    await_silence(HOST, NEVER, probes, between_s=0)
    assert probes.looks == 9


@pytest.mark.parametrize("shown", [SPEAKS, UNKNOWN])
def test_a_port_that_still_speaks_or_cannot_be_looked_at_is_no_proof(shown: Port) -> None:
    with pytest.raises(AppError) as caught:
        await_silence(HOST, NEVER, Probes(shown), seconds=0.05, between_s=0.001)
    assert caught.value.code == "power-off-not-confirmed"
    assert caught.value.facts == {"host": "gpu", "port": 2222, "seconds": 0}


def test_the_wait_for_the_proof_can_be_given_up() -> None:
    cancelled = threading.Event()
    cancelled.set()
    with pytest.raises(Cancelled):
        await_silence(HOST, cancelled, Probes(SPEAKS))


@pytest.mark.parametrize(
    ("told", "code"),
    [("not-known-safe", "power-off-not-known"), ("failed", "power-off-failed")],
)
def test_a_power_off_that_was_not_begun_is_not_waited_for(told: str, code: str) -> None:
    probes = Probes(SILENT)
    with pytest.raises(AppError) as caught:
        power_off(agent(told, "runpod"), HOST, NEVER, probes)
    assert caught.value.code == code
    assert caught.value.facts == {"host": "gpu", "provider": "runpod"}
    assert probes.looks == 0


def test_an_answer_that_did_not_come_proves_nothing() -> None:
    lost = cast("Agent", FakeAgent(ConnectionLost("connection-lost")))
    with pytest.raises(ConnectionLost):
        power_off(lost, HOST, NEVER, Probes(SILENT))


def test_a_server_that_greets_speaks_and_one_that_only_accepts_does_not() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        where = Destination("127.0.0.1", server.getsockname()[1])
        for greeting, shown in ((b"SSH-2.0-x\r\n", SPEAKS), (b"", SILENT)):
            thread = threading.Thread(target=greet, args=(server, greeting))
            thread.start()
            assert look(where) is shown
            thread.join()
    assert look(where) is SILENT


def greet(server: socket.socket, greeting: bytes) -> None:
    connection, _ = server.accept()
    with connection:
        connection.sendall(greeting)


@pytest.mark.parametrize(
    ("error", "shown"),
    [
        (ConnectionRefusedError(errno.ECONNREFUSED, "refused"), SILENT),
        (TimeoutError("no answer"), SILENT),
        (ConnectionResetError(errno.ECONNRESET, "reset"), SILENT),
        (OSError(errno.EHOSTUNREACH, "no route"), SILENT),
        (OSError(errno.ENETUNREACH, "our Wi-Fi is off"), UNKNOWN),
        (socket.gaierror(socket.EAI_AGAIN, "no name server"), UNKNOWN),
    ],
)
def test_our_own_network_proves_nothing(error: OSError, shown: Port) -> None:
    assert of_error(error) is shown


@pytest.mark.parametrize(
    "way", [{"via": HOST}, {"proxy_command": "nc h 22"}, {"proxy": "socks5://127.0.0.1:1080"}]
)
def test_a_host_behind_another_is_never_taken_for_silent(way: dict[str, Any]) -> None:
    with closing(socket.socket()) as nobody:  # bound, and does not listen: refused
        nobody.bind(("127.0.0.1", 0))
        where = Destination("127.0.0.1", nobody.getsockname()[1], "root")
        assert look(where) is Port.SILENT
        assert look(replace(where, **way)) is Port.UNKNOWN
