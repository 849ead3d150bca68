"""The ways of bench_forward: a service, and the tunnels that lead to it, each a process."""

from __future__ import annotations

import contextlib
import os
import select
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

import paramiko

from desktop.core.ssh.connection import Connection, connect
from desktop.core.ssh.credentials import Credentials
from desktop.core.ssh.destination import Destination
from desktop.core.ssh.forward import LocalForward
from desktop.core.ssh.known_hosts import KnownHosts
from remote.engine.endpoint import free_port
from tests.helpers.person import Person
from tests.helpers.sshd import Sshd
from tests.helpers.waiting import until

BULK_BYTES = 256 << 20
PIECE = 256 << 10
EVENTS = 300
EVENTS_PER_S = 200
EVENT_BYTES = 250  # of one token as vLLM sends it
_BULK = frozenset({"down", "up", "cpu", "beside"})


@dataclass(frozen=True)
class Way:
    """One way to the service.

    Attributes:
        name: as the table has it.
        port: of 127.0.0.1.
        pid: of the tunnel; None where there is none.
        skips: what would say nothing about it, or take minutes.
    """

    name: str
    port: int
    pid: int | None = None
    skips: frozenset[str] = frozenset()

    def cpu_seconds(self) -> float:
        """Return the processor time that the tunnel has used so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        user, system = fields[11:13]  # proc(5): utime and stime, the 14th and 15th of all
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def ask(port: int, what: bytes) -> socket.socket:
    sock = socket.create_connection(("127.0.0.1", port), 30)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.sendall(what)
    return sock


# -- the service -----------------------------------------------------------------------------------


def serve() -> None:
    """Answer on the port that is printed until stdin ends, as asked in the first bytes."""
    with socket.create_server(("127.0.0.1", 0), backlog=16) as listener:
        print(listener.getsockname()[1], flush=True)
        threading.Thread(target=accept, args=(listener,), daemon=True).start()
        sys.stdin.read()


def accept(listener: socket.socket) -> None:
    while True:
        sock, _ = listener.accept()
        threading.Thread(target=answer, args=(sock,), daemon=True).start()


def answer(sock: socket.socket) -> None:
    services = {
        b"down": send_bulk,
        b"up": take_bulk,
        b"events": send_events,
        b"endless": send_without_end,
        b"echo": echo,
    }
    with sock, contextlib.suppress(ConnectionError):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        services.get(sock.recv(16).strip(), lambda _: None)(sock)


def send_bulk(sock: socket.socket) -> None:
    for _ in range(BULK_BYTES // PIECE):
        sock.sendall(bytes(PIECE))


def send_without_end(sock: socket.socket) -> None:
    while True:
        sock.sendall(bytes(PIECE))


def take_bulk(sock: socket.socket) -> None:
    sock.sendall(b".")
    left = BULK_BYTES
    while left:
        left -= len(sock.recv(PIECE))
    sock.sendall(b".")


def echo(sock: socket.socket) -> None:
    while data := sock.recv(4096):
        sock.sendall(data)


def send_events(sock: socket.socket) -> None:
    due = time.monotonic()
    for _ in range(EVENTS):
        due += 1 / EVENTS_PER_S
        time.sleep(max(0.0, due - time.monotonic()))
        # One clock for all processes of a computer, on Linux and macOS.
        sock.sendall(f"{time.monotonic():.7f}".encode().ljust(EVENT_BYTES - 1) + b"\n")


# -- the tunnels -----------------------------------------------------------------------------------


def forward(user: str, ssh_port: str, identity: str, known_hosts: str, port: str) -> None:
    """Hold our forward to `port` open until stdin ends; its own port is printed."""
    where = Destination("127.0.0.1", int(ssh_port), user, text="the benchmark's sshd")
    credentials = Credentials(identity=Path(identity), accept_new_host_key=True)
    trusted = KnownHosts(Path(known_hosts), ())

    def dial() -> Connection:
        return connect(where, credentials, Person(), trusted)

    with dial() as connection, LocalForward() as local:
        connection.exec("cat")
        local.attach(connection, int(port), more=dial)
        print(local.port, flush=True)
        sys.stdin.read()


def usual(user: str, ssh_port: str, identity: str, port: str) -> None:
    """Hold a forward as paramiko's own demo has it: `select`, 1 KiB at a time, its defaults."""
    client = paramiko.SSHClient()
    client.set_missing_host_key_policy(paramiko.AutoAddPolicy())
    client.connect("127.0.0.1", int(ssh_port), user, key_filename=identity)
    transport = client.get_transport()
    assert transport is not None
    transport.open_session().exec_command("cat")

    def carry(sock: socket.socket) -> None:
        channel = transport.open_channel("direct-tcpip", ("127.0.0.1", int(port)), ("", 0))
        ends: list[Any] = [sock, channel]
        with sock, channel, contextlib.suppress(OSError):
            while True:
                ready, _, _ = select.select(ends, [], [])
                for one, other in ((sock, channel), (channel, sock)):
                    if one in ready:
                        data = one.recv(1024)
                        if not data:
                            return
                        other.sendall(data)

    with client, socket.create_server(("127.0.0.1", 0), backlog=16) as listener:

        def accept_all() -> None:
            while True:
                sock, _ = listener.accept()
                threading.Thread(target=carry, args=(sock,), daemon=True).start()

        print(listener.getsockname()[1], flush=True)
        threading.Thread(target=accept_all, daemon=True).start()
        sys.stdin.read()


@contextmanager
def running(*argv: str) -> Iterator[subprocess.Popen[str]]:
    """Give a process that ends when its stdin does."""
    process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None
    try:
        yield process
    finally:
        process.stdin.close()
        process.wait(10)
        assert process.stdout is not None
        process.stdout.close()


def ways(stack: ExitStack, folder: Path) -> list[Way]:
    """Start everything; return the ways to the service."""

    def started(name: str, *argv: str, skips: frozenset[str] = frozenset()) -> Way:
        process = stack.enter_context(running(sys.executable, __file__, *argv))
        assert process.stdout is not None
        return Way(name, int(process.stdout.readline()), process.pid, skips)

    def openssh(name: str, *options: str) -> Way:
        port = free_port(18_000)
        process = stack.enter_context(
            running(
                *("ssh", "-F", "none", "-q", "-i", identity, "-p", str(sshd.port), *options),
                *("-o", "StrictHostKeyChecking=no", "-o", f"UserKnownHostsFile={folder}/ssh_hosts"),
                *("-o", "ExitOnForwardFailure=yes", "-L", f"127.0.0.1:{port}:127.0.0.1:{service}"),
                *(f"{user}@127.0.0.1", "cat"),
            )
        )
        until(lambda: answers(port))
        return Way(name, port, process.pid)

    direct = started("direct", "serve", skips=frozenset({"cpu"}))
    service = str(direct.port)
    sshd = stack.enter_context(Sshd(folder))
    user, identity = sshd.destination.user, str(sshd.identity)
    where = (user, str(sshd.port), identity)
    return [
        direct,
        started("ours", "forward", *where, str(folder / "known_hosts"), service),
        openssh("ssh -L"),
        openssh("ssh -L with AES-GCM", "-c", "aes128-gcm@openssh.com"),
        started("usual paramiko", "usual", *where, service, skips=_BULK),
    ]


def answers(port: int) -> bool:
    with contextlib.suppress(OSError), ask(port, b"nothing"):
        return True
    return False


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["serve"]:
            serve()
        case ["forward", *where]:
            forward(*where)
        case ["usual", *where]:
            usual(*where)
