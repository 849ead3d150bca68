"""The environment that the loopback host gives a command: nearly empty, as a real sshd's is.

What must reach it all the same is the way to the package index: HOME is another folder there, so
the settings that pip and uv would read from this user's home are named in variables.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from desktop.rehearsal.package_index import config_files

# sshd's own default (its `_PATH_STDPATH`), without the folders of root.
_PATH = ("/usr/local/bin", "/usr/bin", "/bin")
_PASSED = ("TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE")
_PASSED_PREFIXES = ("PIP_", "UV_")
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
_LOOPBACK = "127.0.0.1,localhost"
# Where uv itself is told what to do with the environment that Paperkite runs in.
_OURS = ("UV_PROJECT_ENVIRONMENT", "UV_PYTHON", "PIP_REQUIRE_VIRTUALENV", "PIP_PREFIX", "PIP_USER")


def command_environment(home: Path, user: str) -> dict[str, str]:
    """Return the whole environment of a command on the loopback host."""
    return _environment(os.environ, home, user, Path.home(), Path(sys.base_prefix))


def _environment(
    ours: Mapping[str, str], home: Path, user: str, own_home: Path, python: Path
) -> dict[str, str]:
    passed = {name: value for name, value in ours.items() if _is_passed(name)}
    # The interpreter that runs us comes last: on some computers it is the only one.
    path = os.pathsep.join([*_PATH, str(python / "bin")])
    return {
        **passed,
        **_user_settings(ours, own_home),
        **_without_loopback(passed),
        "HOME": str(home),
        "USER": user,
        "LOGNAME": user,
        "SHELL": "/bin/sh",
        "LANG": "C.UTF-8",
        "PATH": path,
    }


def _is_passed(name: str) -> bool:
    if name in _OURS:
        return False
    is_named = name in _PASSED or name.upper() in _PROXIES
    return is_named or name.startswith(_PASSED_PREFIXES)


def _user_settings(ours: Mapping[str, str], own_home: Path) -> dict[str, str]:
    """Return variables that name this user's own settings files of pip and uv."""
    found: dict[str, str] = {}
    files = [path for path in config_files(ours, own_home, Path(sys.prefix)) if path != _GLOBAL]
    if files:
        found["PIP_CONFIG_FILE"] = str(files[-1])
    uv_settings = own_home / ".config" / "uv" / "uv.toml"
    if "UV_CONFIG_FILE" not in ours and uv_settings.is_file():
        found["UV_CONFIG_FILE"] = str(uv_settings)
    return found


_GLOBAL = Path("/etc/pip.conf")  # read wherever HOME is


def _without_loopback(passed: Mapping[str, str]) -> dict[str, str]:
    """Keep a proxy away from the hub, which is on loopback; both spellings are in use."""
    proxied = [name for name in passed if name.upper() in _PROXIES[:3]]
    if not proxied:
        return {}
    kept = passed.get("NO_PROXY") or passed.get("no_proxy") or ""
    value = f"{kept},{_LOOPBACK}".lstrip(",")
    return {"NO_PROXY": value, "no_proxy": value}
