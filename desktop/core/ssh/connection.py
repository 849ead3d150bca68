"""One SSH connection: dialled, trusted, let in, used, watched and closed.

The order is what keeps secrets safe: TCP, greeting, key exchange, **the verdict on the host key**,
and only then authentication.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from weakref import WeakSet

from desktop.core.errors import (
    AppError,
    AuthenticationFailed,
    ConnectionFailed,
    ConnectionLost,
)
from desktop.core.ssh import upload
from desktop.core.ssh.attempt import Abandon
from desktop.core.ssh.authentication import Authentication, Redial
from desktop.core.ssh.channel import SafeChannel
from desktop.core.ssh.credentials import Credentials
from desktop.core.ssh.destination import Destination
from desktop.core.ssh.failures import (
    converted,
    lost,
    of_entering,
    of_greeting,
    of_tunnel,
    of_use,
    says_booting,
)
from desktop.core.ssh.known_hosts import HostKey, KnownHosts, lookup_name
from desktop.core.ssh.liveness import Liveness, Silence
from desktop.core.ssh.process import Completed, Process
from desktop.core.ssh.prompts import Prompts
from desktop.core.ssh.routes import Tunnel, open_route
from desktop.core.ssh.transport import SafeTransport
from desktop.core.ssh.trust import verify

__all__ = ["Completed", "Connection", "Credentials", "Process", "Timeouts", "connect"]

_MAX_DIALS = 6  # three mistyped passwords at a host that hangs up after each, and some keys
_RUN_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds to wait for each step.

    Attributes:
        connect: for the name and the TCP connection.
        greeting: for the SSH version line; a host that is just starting takes its time.
        handshake: for the key exchange after it.
        channel: for a channel to open or a request to be answered.
    """

    connect: float = 10.0
    greeting: float = 30.0
    handshake: float = 20.0
    channel: float = 10.0


# For a connection that stood before. TCP asks at 0, 1, 3 and 7 s (RFC 6298): who hangs up after
# the third and begins anew asks every two seconds or so, and is back as soon after the network is.
QUICK = Timeouts(connect=4.0, greeting=10.0)


def connect(
    destination: Destination,
    credentials: Credentials,
    prompts: Prompts,
    known_hosts: KnownHosts,
    timeouts: Timeouts = Timeouts(),
    abandon: Abandon | None = None,
) -> Connection:
    """Return a connection that is trusted and let in. May ask the person; nothing is left behind.

    `abandon`, fired on another thread, ends it within a fraction of a second, unless it is asking
    the person or an agent just then: those have to be dismissed beside.

    Each jump host on the way is a connection of its own, with its own key to be trusted and its own
    way in: neither the password nor the demanded fingerprint of the destination is used for it.

    Raises:
        HostUnreachable: `host-not-found`, `host-refused`, `host-unreachable`, `host-silent`,
            `host-fake-ip`, `host-booting`, `greeting-silent`, `greeting-closed`, `not-ssh`,
            `ssh-incompatible`, `handshake-failed`, `jump-prohibited`, `jump-failed`,
            `proxy-unreachable`, `proxy-refused`, `proxy-command-failed`.
        HostKeyUnknown, HostKeyChanged: see `trust.verify`.
        AuthenticationFailed: `authentication-failed`, `password-needed`, `password-expired`,
            `key-unusable`.
        ConnectionLost: it broke while authenticating, or the jump host did.
        DestinationError: `destination-bad-proxy`.
        StorageError: the host key could not be pinned.
        Cancelled: it was given up.
    """
    abandon = abandon or Abandon()
    dial = partial(_connect, destination, credentials, prompts, known_hosts, timeouts)
    if destination.via is None:
        return dial(abandon)
    theirs = replace(destination.via, proxy=destination.proxy)
    hop = connect(theirs, credentials.for_jump_host(), prompts, known_hosts, timeouts, abandon)
    try:
        with abandon.by(hop.cut):
            hop.send_promptly()
            connection = dial(abandon, hop.open_tunnel)
    except BaseException:
        hop.close()
        raise
    connection.when_ended(hop.close)
    return connection


def _connect(
    where: Destination,
    credentials: Credentials,
    prompts: Prompts,
    known_hosts: KnownHosts,
    timeouts: Timeouts,
    abandon: Abandon,
    tunnel: Tunnel | None = None,
) -> Connection:
    known_hosts = known_hosts.with_files(where.known_hosts_files)
    authentication = Authentication(where, credentials, prompts)
    name = lookup_name(where.host, where.port, where.host_key_alias)
    for _ in range(_MAX_DIALS):
        kinds = known_hosts.kinds(name)
        transport = _greet(where, kinds, timeouts, tunnel, abandon)
        try:
            with abandon.by(transport.close):
                key = _host_key(transport)
                asked = verify(key, where, credentials, prompts, known_hosts)
                if transport.is_active() or not asked:  # else the host did not wait that long
                    with converted(partial(of_entering, where, transport)):
                        authentication.run(transport)
                    return Connection(transport, where, timeouts)
            transport.finish()
        except Redial as error:
            transport.finish()
            if says_booting(transport):
                raise of_entering(where, transport, error) from error
        except BaseException:
            transport.finish()
            raise
    raise AuthenticationFailed(
        "authentication-failed", user=where.user, host=where.host, port=where.port
    )


class Connection:
    """A connection that stands. All calls are safe from any thread and have a deadline.

    Attributes:
        destination: where it leads.
    """

    def __init__(
        self,
        transport: SafeTransport,
        destination: Destination,
        timeouts: Timeouts = Timeouts(),
        silence: Silence | None = None,
    ) -> None:
        self.destination = destination
        self._transport = transport
        self._timeouts = timeouts
        self._closed = threading.Event()
        self._lost = partial(of_use, destination)
        self._lock = threading.Lock()
        self._tunnels: WeakSet[SafeChannel] = WeakSet()
        self._liveness = Liveness(
            lambda: transport.last_inbound,
            transport.probe,
            transport.close,
            silence,
            is_busy=self._has_tunnels,
        )
        transport.when_ended(self._liveness.stop)

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def exec(self, command: str, stdin: bytes | None = None) -> Process:
        """Start a command under the login shell and return it running.

        The first one also has sshd switch Nagle's algorithm off, without which streamed replies
        stutter by 40 ms (sshd before 10.1 does so only when a session starts).

        Args:
            command: one line for the shell.
            stdin: all of its input; None leaves stdin open.

        Raises:
            ConnectionLost: the connection is gone.
            ConnectionFailed: `session-refused`: the host opens no more sessions.
        """
        with converted(self._lost):
            channel = self._transport.open_channel("session", timeout=self._timeouts.channel)
            channel.settimeout(self._timeouts.channel)
            try:
                channel.exec_command(command)
            except BaseException:
                channel.close()
                raise
        process = Process(channel, self.destination)
        if stdin is not None:
            process.write(stdin)
            process.close_stdin()
        return process

    def send_promptly(self) -> None:
        """Have sshd switch Nagle's algorithm off, for what is tunnelled; see `exec`.

        A host that opens no session is none the worse for it. Raises ConnectionLost.
        """
        try:
            self.exec("true").close()
        except ConnectionFailed:
            if not self.alive:
                raise

    def run(self, command: str, stdin: bytes = b"", timeout: float = _RUN_SECONDS) -> Completed:
        """Run a command to its end and return what came of it; at most 16 MiB of output.

        Raises:
            ConnectionLost: the connection is gone, or `host-stalled` after `timeout` seconds.
        """
        process = self.exec(command, stdin)
        try:
            stdout = process.read_all(timeout)
            status = process.exit_status
            assert status is not None  # read_all confirmed it
            return Completed(status, stdout, process.stderr)
        finally:
            process.close()

    def put(self, data: bytes, remote_path: str) -> None:
        """Write a file on the host, whole or not at all, readable by its owner only.

        Raises:
            DeployFailed: `deploy-disk-full` or `deploy-failed`, with the host's words in `detail`.
            ConnectionLost: the connection is gone; a half file is not left under `remote_path`.
        """
        done = self.run(upload.command(len(data), remote_path), stdin=data)
        upload.check(done, remote_path)

    def open_tunnel(self, host: str, port: int) -> SafeChannel:
        """Return a channel to a TCP port as the host sees it.

        Raises:
            ForwardFailed: `forward-prohibited` (the host's sshd forbids it), `forward-refused`
                (nothing listens there), `forward-failed`.
            ConnectionLost: the connection is gone.
        """
        with converted(partial(of_tunnel, self.destination, port)):
            channel = self._transport.open_channel(
                "direct-tcpip", (host, port), ("127.0.0.1", 0), timeout=self._timeouts.channel
            )
        with self._lock:
            self._tunnels.add(channel)
        return channel

    def _has_tunnels(self) -> bool:
        """Tell whether somebody may be waiting for what the host sends."""
        with self._lock:
            return any(not channel.closed for channel in self._tunnels)

    @property
    def alive(self) -> bool:
        """Whether it still stands, as far as is known."""
        return self._transport.is_active()

    def poke(self) -> None:
        """Find out now: without an answer within five seconds the connection is given up."""
        self._liveness.poke()

    @property
    def last_heard(self) -> float:
        """`time.monotonic()` when the host was last heard."""
        return self._transport.last_inbound

    def when_stalled(self, action: Callable[[], None]) -> None:
        """Run this, on some thread, each time the host begins to be late; it returns at once."""
        self._liveness.when_stalled(action)

    def wait_closed(self, timeout: float | None = None) -> bool:
        """Wait until it has ended, for whatever reason; return whether it has."""
        return self._transport.ended.wait(timeout)

    def when_ended(self, action: Callable[[], None]) -> None:
        """Have this called once, on some thread, when it has ended, for whatever reason."""
        self._transport.when_ended(action)

    def on_lost(self, callback: Callable[[ConnectionLost], None]) -> None:
        """Have this called once, on some thread, if it ends other than by `close`."""

        def tell() -> None:
            if not self._closed.is_set():
                error = self._transport.failure or EOFError("no sign of life")
                callback(lost(self.destination, error))

        self._transport.when_ended(tell)

    def cut(self) -> None:
        """End it without waiting for its threads; who waits on it wakes up."""
        self._transport.close()

    def close(self) -> None:
        """End it and everything on it; safe from any thread and more than once."""
        self._closed.set()
        self._liveness.stop()
        self._transport.finish()
        self._liveness.join(2.0)


def _greet(
    where: Destination,
    kinds: tuple[str, ...],
    timeouts: Timeouts,
    tunnel: Tunnel | None,
    abandon: Abandon,
) -> SafeTransport:
    """Return a transport after its key exchange; nothing secret has been sent."""
    abandon.check()
    route = open_route(where, timeouts.connect, tunnel, abandon)
    transport = SafeTransport(route.sock)
    transport.prefer_host_keys(kinds)

    def failure(error: Exception) -> AppError:
        said = None if abandon.is_fired else route.why()
        return said or of_greeting(where, route.address, transport.greeting, error)

    try:
        with abandon.by(transport.close), converted(failure):
            transport.shake_hands(timeouts.greeting, timeouts.handshake)
    except BaseException:
        transport.finish()
        route.close()
        raise
    transport.when_ended(route.close)
    return transport


def _host_key(transport: SafeTransport) -> HostKey:
    key = transport.get_remote_server_key()
    return HostKey(key.get_name(), key.asbytes())
