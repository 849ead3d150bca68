"""What the user's SSH config says about a host: asked of `ssh -G`, which alone knows all of it.

paramiko's own reader does not know Include and takes unknown Match criteria as always true; it is
the fall-back for laptops without an ssh binary.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

from desktop.core.errors import DestinationError
from desktop.core.ssh.destination import Typed

_SECONDS = 10.0  # a `Match exec` of the user may run a program
_MAX_BYTES = 1 << 20
_KEYS = (
    "hostname",
    "port",
    "user",
    "identityfile",
    "identitiesonly",
    "hostkeyalias",
    "proxyjump",
    "proxycommand",
)
# What `ssh -G` prints as identityfile when the config names none (OpenSSH 7 to 10).
_DEFAULT_KEYS = frozenset(
    f"id_{kind}" for kind in ("rsa", "ecdsa", "ecdsa_sk", "ed25519", "ed25519_sk", "xmss", "dsa")
)


def look_up(typed: Typed, config: Path | None = None) -> dict[str, str]:
    """Return the settings for a host by ssh's own lower-case names; lists as lines.

    Raises:
        DestinationError: `destination-config`, with ssh's own words in `detail`.
    """
    ssh = shutil.which("ssh")
    return _ask_ssh(ssh, typed, config) if ssh else _read_file(typed, config)


def parse_answer(output: str) -> dict[str, str]:
    """Return the settings in the output of `ssh -G`."""
    found: dict[str, str] = {}
    for line in output.splitlines():
        key, _, value = line.partition(" ")
        if key == "identityfile" and _is_default(value):
            continue
        if key in _KEYS:
            found[key] = f"{found[key]}\n{value}" if key in found else value
    return found


def _ask_ssh(ssh: str, typed: Typed, config: Path | None) -> dict[str, str]:
    argv = [ssh, "-G"]
    argv += ["-F", str(config)] if config else []
    argv += ["-p", str(typed.port)] if typed.port else []
    argv += ["-l", typed.user] if typed.user else []
    argv += ["-o", f"ProxyJump={typed.proxy_jump}"] if typed.proxy_jump else []
    try:
        done = subprocess.run(
            [*argv, "--", typed.host],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise DestinationError("destination-config", detail=type(error).__name__) from error
    if done.returncode != 0:
        detail = done.stderr[-300:].decode("utf-8", "replace").strip()
        raise DestinationError("destination-config", detail=detail)
    return parse_answer(done.stdout[:_MAX_BYTES].decode("utf-8", "replace"))


def _read_file(typed: Typed, config: Path | None) -> dict[str, str]:
    import paramiko  # noqa: PLC0415 - 240 ms that only laptops without ssh pay

    path = config or Path.home() / ".ssh" / "config"
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        text = ""
    try:
        known: dict[str, Any] = paramiko.SSHConfig.from_text(text).lookup(typed.host)
    except (paramiko.SSHException, ValueError) as error:
        raise DestinationError("destination-config", detail=str(error)[:300]) from error
    found = {
        key: "\n".join(value) if isinstance(value, list) else str(value)
        for key, value in known.items()
        if key in _KEYS and value is not None
    }
    found |= {"port": str(typed.port)} if typed.port else {}
    found |= {"user": typed.user} if typed.user else {}
    found |= {"proxyjump": typed.proxy_jump} if typed.proxy_jump else {}
    return found


def _is_default(path: str) -> bool:
    place = Path(path)
    return place.parent.name == ".ssh" and place.name in _DEFAULT_KEYS
