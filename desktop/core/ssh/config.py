"""What the user's SSH config says about a host: asked of `ssh -G`, which alone knows all of it.

Laptops without an ssh binary get our own reading (`config_file.py`). Either way, what Paperkite
does not do is named in `unsupported`: nobody has to wonder why ssh gets there and we do not.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from desktop.core.errors import DestinationError
from desktop.core.ssh.config_file import Reading
from desktop.core.ssh.typed import Typed

_SECONDS = 10.0  # a `Match exec` of the user may run a program
_MAX_BYTES = 1 << 20
_KEYS = frozenset(
    {
        "hostname",
        "port",
        "user",
        "identityfile",
        "identitiesonly",
        "identityagent",
        "certificatefile",
        "hostkeyalias",
        "userknownhostsfile",
        "globalknownhostsfile",
        "proxyjump",
        "proxycommand",
    }
)
# Settings that decide whether ssh gets there, or whom it trusts, and that we do not follow.
_UNSUPPORTED = frozenset(
    {
        "bindaddress",
        "bindinterface",
        "knownhostscommand",
        "pkcs11provider",
        "proxyusefdpass",
        "revokedhostkeys",
    }
)
_OFF = frozenset({"", "none", "no", "false"})
# What `ssh -G` prints as identityfile when the config names none (OpenSSH 7 to 10).
_DEFAULT_KEYS = frozenset(
    f"id_{kind}" for kind in ("rsa", "ecdsa", "ecdsa_sk", "ed25519", "ed25519_sk", "xmss", "dsa")
)
_SPACED = frozenset({"userknownhostsfile", "globalknownhostsfile"})


def look_up(typed: Typed, config: Path | None = None) -> dict[str, str]:
    """Return the settings for a host by ssh's own lower-case names; lists as lines.

    One name is ours: `unsupported`, the lines that neither we nor our reading can follow.

    Raises:
        DestinationError: `destination-config`, with ssh's own words in `detail`.
    """
    ssh = shutil.which("ssh")
    return _ask_ssh(ssh, typed, config) if ssh else _read_files(typed, config)


def parse_answer(output: str) -> dict[str, str]:
    """Return the settings in the output of `ssh -G`."""
    found: dict[str, str] = {}
    for line in output.split("\n"):
        key, _, value = line.rstrip("\r").partition(" ")
        if key == "identityfile" and _is_default(value):
            continue
        if key in _UNSUPPORTED and value not in _OFF:
            key, value = "unsupported", line[:200]
        elif key in _SPACED:
            value = value.replace(" ", "\n")
        elif key not in _KEYS:
            continue
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


def _read_files(typed: Typed, config: Path | None) -> dict[str, str]:
    reading = Reading(typed.host, typed.user)
    user = Path.home() / ".ssh"
    if config is None:
        reading.read(user / "config", user)
        reading.read(_system_config(), _system_config().parent)
    else:
        reading.read(config, user)
    found = {key: value for key, value in reading.found.items() if key in _KEYS}
    name = found.get("hostname", "%h")
    found["hostname"] = "%".join(part.replace("%h", typed.host) for part in name.split("%%"))
    notes = [
        f"{key} {value}"[:200]
        for key, value in reading.found.items()
        if key in _UNSUPPORTED and value.lower() not in _OFF
    ]
    found |= {"port": str(typed.port)} if typed.port else {}
    found |= {"user": typed.user} if typed.user else {}
    # Of ProxyJump and ProxyCommand the first one counts, and what was typed comes first.
    if typed.proxy_jump:
        found = {"proxyjump": typed.proxy_jump} | found | {"proxyjump": typed.proxy_jump}
    for key in [key for key in found if key in ("proxyjump", "proxycommand")][1:]:
        del found[key]
    unsupported = "\n".join([*reading.notes, *notes])
    return found | ({"unsupported": unsupported} if unsupported else {})


def _system_config() -> Path:
    if sys.platform == "win32":
        return Path(os.environ.get("PROGRAMDATA", "C:\\ProgramData")) / "ssh" / "ssh_config"
    return Path("/etc/ssh/ssh_config")


def _is_default(path: str) -> bool:
    place = Path(path)
    return place.parent.name == ".ssh" and place.name in _DEFAULT_KEYS
