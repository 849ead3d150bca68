"""Getting one package's files from the user's own package index, without its dependencies.

pip is asked where there is one, with all of its settings; in an environment that uv made there is
none, and uv is asked. uv does not read pip's settings, so they are handed on.
"""

from __future__ import annotations

import configparser
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from desktop.core.errors import AppError

_TIMEOUT_S = 1800  # 90 MB on a slow line
_SHOWN_LINES = 5  # as many as an error shows

# pip's settings that decide where packages come from, and uv's variables for the same.
_UV_NAMES = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "trusted-host": "UV_INSECURE_HOST",
    "cert": "SSL_CERT_FILE",
}


def fetch(requirement: str, folder: Path) -> None:
    """Put the files of `requirement` below `folder`: a wheel, or what was in it.

    Raises:
        AppError: `rehearsal-model-unfetched`, with the installer's last lines.
    """
    argv, environment = _command(requirement, folder)
    try:
        done = subprocess.run(
            argv,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise _unfetched(requirement, str(error)) from error
    if done.returncode != 0:
        raise _unfetched(requirement, done.stdout.decode(errors="replace"))


def _unfetched(requirement: str, output: str) -> AppError:
    lines = output.splitlines()[-_SHOWN_LINES:]
    return AppError("rehearsal-model-unfetched", package=requirement, last_lines=lines)


def _command(requirement: str, folder: Path) -> tuple[list[str], dict[str, str]]:
    """Return the installer's argv and environment; raises AppError when there is no installer."""
    environment = dict(os.environ)
    if importlib.util.find_spec("pip"):
        pip = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:"]
        return [*pip, "--dest", str(folder), requirement], environment
    uv = shutil.which("uv") or shutil.which("uv", path=str(Path(sys.executable).parent))
    if uv is None:
        raise AppError("rehearsal-no-installer")
    pip_settings = settings(config_files(environment, Path.home(), Path(sys.prefix)), environment)
    install = [uv, "pip", "install", "--no-deps", "--only-binary", ":all:", "--target", str(folder)]
    # uv's own variables win over what pip's settings say.
    return [*install, "--python", sys.executable, requirement], uv_names(pip_settings) | environment


def config_files(environment: Mapping[str, str], home: Path, prefix: Path) -> list[Path]:
    """Return pip's configuration files that exist, the weakest first.

    The order is pip's own: https://pip.pypa.io/en/stable/topics/configuration/ ("Location").
    """
    named = environment.get("PIP_CONFIG_FILE")
    candidates = [
        Path("/etc/pip.conf"),
        home / ".pip" / "pip.conf",
        home / ".config" / "pip" / "pip.conf",
        prefix / "pip.conf",
        *([Path(named)] if named else []),
    ]
    return [path for path in candidates if path.is_file()]


def settings(files: Iterable[Path], environment: Mapping[str, str]) -> dict[str, str]:
    """Return pip's settings of where packages come from; a PIP_* variable wins over any file."""
    found: dict[str, str] = {}
    for path in files:
        parser = configparser.RawConfigParser()
        try:
            parser.read(path, encoding="utf-8")
        except (configparser.Error, UnicodeDecodeError):
            continue  # pip itself would refuse it; uv's own settings may still do
        if parser.has_section("global"):
            found |= dict(parser.items("global"))
    for name in _UV_NAMES:
        if value := environment.get(f"PIP_{name.upper().replace('-', '_')}"):
            found[name] = value
    return {name: found[name] for name in _UV_NAMES if found.get(name)}


def uv_names(pip_settings: Mapping[str, str]) -> dict[str, str]:
    """Return pip's settings as uv's environment variables; lists are separated by spaces."""
    return {_UV_NAMES[name]: " ".join(value.split()) for name, value in pip_settings.items()}
