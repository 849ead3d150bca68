"""A real OpenSSH server on loopback, in a temporary folder, for as long as a test needs it."""

from __future__ import annotations

import base64
import getpass
import os
import signal
import socket
import subprocess
import threading
from contextlib import suppress
from pathlib import Path

from desktop.core.ssh.connection import Credentials
from desktop.core.ssh.destination import Destination
from desktop.core.ssh.known_hosts import HostKey, KnownHosts

_SECONDS = 20.0

# Of several lines with one keyword sshd takes the first, so `extra` comes before ours.
_CONFIG = """\
ListenAddress 127.0.0.1
Port {port}
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/authorized_keys
PidFile none
{extra}
UsePAM no
StrictModes no
PermitRootLogin yes
PasswordAuthentication yes
KbdInteractiveAuthentication no
AllowTcpForwarding {forwarding}
MaxStartups 200
MaxSessions 200
PrintMotd no
LogLevel VERBOSE
"""


class Sshd:
    """`/usr/sbin/sshd` with its own host key, config and authorized key.

    Attributes:
        port: of 127.0.0.1, the same after a restart.
        identity: a private key that it accepts.
        log: its lines on stderr so far.
    """

    def __init__(self, folder: Path, *, forwarding: bool = True, extra: str = "") -> None:
        self._folder = folder / "sshd"
        self._folder.mkdir()
        self._forwarding = forwarding
        # A home of its own: a shell that is killed in this user's start-up files may leave locks.
        self._home = self._folder / "home"
        self._home.mkdir()
        self._extra = extra if "SetEnv" in extra else f"SetEnv HOME={self._home}\n{extra}"
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None
        self.log: list[str] = []
        self._logged = threading.Condition()
        self.port = _free_port()
        self.identity = self._folder / "identity"
        _keygen(self.identity)
        self._authorized().write_text(self.identity.with_suffix(".pub").read_text())
        self.rotate_host_key()

    def __enter__(self) -> Sshd:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def destination(self) -> Destination:
        """Where it is, as this user."""
        return Destination("127.0.0.1", self.port, getpass.getuser(), text="the test's sshd")

    @property
    def credentials(self) -> Credentials:
        """What it accepts, from somebody who trusts it."""
        return Credentials(identity=self.identity, accept_new_host_key=True)

    def known_hosts(self) -> KnownHosts:
        """An own file beside it, and none of this machine's."""
        return KnownHosts(self._folder / "known_hosts", ())

    @property
    def host_fingerprint(self) -> str:
        """`SHA256:…` of its host key, as ssh-keygen says it."""
        shown = subprocess.check_output(
            ["ssh-keygen", "-lf", str(self._folder / "host_key.pub")], text=True
        )
        return shown.split()[1]

    @property
    def host_key(self) -> HostKey:
        """What it shows."""
        kind, blob, *_ = (self._folder / "host_key.pub").read_text().split()
        return HostKey(kind, base64.b64decode(blob))

    def rotate_host_key(self) -> None:
        """Make another host key; a running server takes it when it is started again."""
        for name in ("host_key", "host_key.pub"):
            (self._folder / name).unlink(missing_ok=True)
        _keygen(self._folder / "host_key")

    def start(self) -> None:
        """Start it and return once it listens, at each of its addresses."""
        Path("/run/sshd").mkdir(exist_ok=True) if os.geteuid() == 0 else None
        config = self._folder / "config"
        config.write_text(
            _CONFIG.format(
                port=self.port,
                folder=self._folder,
                forwarding="yes" if self._forwarding else "no",
                extra=self._extra,
            )
        )
        begin = len(self.log)
        self._process = subprocess.Popen(
            ["/usr/sbin/sshd", "-D", "-e", "-f", str(config)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,  # a Ctrl-C is for `stop`, which ends its connections too
        )
        self._reader = threading.Thread(target=self._read, args=(self._process,))
        self._reader.start()
        addresses = config.read_text().count("ListenAddress")
        self.wait_for_log("Server listening on", begin, addresses)

    def wait_for_log(self, words: str, begin: int = 0, times: int = 1) -> None:
        """Return once these words are in so many lines of the log, counted from line `begin`."""
        with self._logged:
            found = self._logged.wait_for(
                lambda: sum(words in line for line in self.log[begin:]) >= times, _SECONDS
            )
        assert found, f"{words!r} is not in sshd's log: {self.log}"

    def cut(self) -> None:
        """Kill its connections; the server itself goes on."""
        self._signal_connections(signal.SIGKILL)

    def freeze(self) -> None:
        """Stop its connections: the kernel still answers TCP, nobody answers SSH."""
        self._signal_connections(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let frozen connections go on."""
        self._signal_connections(signal.SIGCONT)

    def stop(self) -> None:
        """End it and everything it started."""
        process, reader = self._process, self._reader
        if process is None or reader is None:
            return
        family = _descendants(process.pid)
        process.kill()
        for pid in family:
            _send(pid, signal.SIGKILL)
        process.wait(_SECONDS)
        reader.join(_SECONDS)
        self._process = None

    def _authorized(self) -> Path:
        return self._folder / "authorized_keys"

    def _signal_connections(self, number: signal.Signals) -> None:
        assert self._process is not None
        for pid in _descendants(self._process.pid):
            if _name(pid).startswith("sshd"):
                _send(pid, number)

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stderr is not None
        with process.stderr as lines:
            for line in lines:
                with self._logged:
                    self.log.append(line.rstrip())
                    self._logged.notify_all()


def _descendants(pid: int) -> list[int]:
    found: list[int] = []
    with suppress(OSError):  # it ended meanwhile
        for task in Path(f"/proc/{pid}/task").glob("*/children"):
            for child in map(int, task.read_text().split()):
                found += [child, *_descendants(child)]
    return found


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text()
    except OSError:
        return ""  # it ended meanwhile


def _send(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _keygen(path: Path) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)
