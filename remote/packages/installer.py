"""What installs packages on this host: uv where it can be had (16 s), else pip (112 s, measured).

In order: a uv that is there, uv through any Python with pip, uv's wheel straight from the index,
and at last a plain venv with its own pip.
"""

import os
import re
import shutil
import threading
import zipfile
from pathlib import Path
from typing import Dict, List, Mapping, NamedTuple, Optional, Sequence

from remote.packages import proxies, wheel_of_uv
from remote.packages.interpreters import Interpreter
from remote.packages.pip_settings import PipSettings, uv_variables
from remote.packages.places import Places
from remote.packages.programs import PLAIN_PYTHON, ask
from remote.task import Context

OLDEST_UV = (0, 6)  # the first with --torch-backend
CORES_THAT_COMPILE = 4

# Two environments are made side by side; only one of them fetches uv.
_fetching = threading.Lock()


class Installer(NamedTuple):
    """An installer and the environment it runs in.

    Attributes:
        uv: the program, "" where pip has to do.
        variables: of its environment.
        no_index: whether uv is to ask no package index; pip knows from its own settings.
    """

    uv: str
    variables: Dict[str, str]
    no_index: bool = False

    def create(self, python: str, folder: Path) -> List[str]:
        """Return the command that makes an empty environment."""
        if self.uv:
            return [self.uv, "venv", "--python", python, str(folder)]
        return [python, "-m", "venv", str(folder)]

    def install(self, folder: Path, requirements: Sequence[str]) -> List[str]:
        """Return the command that installs into an environment.

        The first requirement comes as a wheel or not at all: where none fits the host (an old
        glibc), an engine's sources would be built for an hour, and fail.
        """
        python, name = python_of(folder), re.match(r"[A-Za-z0-9][\w.-]*", requirements[0])
        options = [*(["--only-binary", name.group()] if name else []), *requirements]
        if self.uv:
            # uv has no variable for it (0.13.9).
            local = ["--no-index"] if self.no_index else []
            return [self.uv, "pip", "install", "--python", python, *local, *options]
        return [python, "-m", "pip", "install", "--progress-bar", "off", *options]

    def uninstall(self, folder: Path, names: Sequence[str]) -> List[str]:
        """Return the command that removes packages from an environment."""
        python = python_of(folder)
        if self.uv:
            return [self.uv, "pip", "uninstall", "--python", python, *names]
        return [python, "-m", "pip", "uninstall", "--yes", *names]


def python_of(folder: Path) -> str:
    """Return the path of an environment's Python."""
    return str(folder / "bin" / "python")


def find(
    ctx: Context, pythons: Sequence[Interpreter], settings: PipSettings, places: Places
) -> Installer:
    """Return the best installer this host can have, fetching uv where it has none."""
    variables = dict(PLAIN_PYTHON)
    variables.update(proxies.without_turbo(os.environ))
    variables.update(uv_variables(settings, os.environ))
    variables.update(cache_variables(places, os.cpu_count() or 1))
    with _fetching:
        uv = (
            _uv_on_host(places, os.environ)
            or _uv_by_pip(ctx, pythons, places)
            or _uv_by_wheel(ctx, settings, places)
        )
    return Installer(uv, variables, settings.no_index)


def cache_variables(places: Places, cores: int) -> Dict[str, str]:
    """Return the variables that keep uv's and pip's files on the data disk.

    Compiling the engine's 21,000 modules takes 43 s on two cores and saves each of vLLM's three
    processes 5 s (measured): worth it where cores are many. On few, what vLLM imports is compiled
    by the check, which imports it first.
    """
    variables = {
        "UV_CACHE_DIR": str(places.cache("uv")),
        "UV_PYTHON_DOWNLOADS": "never",
        "UV_NO_PROGRESS": "1",
        "PIP_CACHE_DIR": str(places.cache("pip")),
        "PIP_NO_INPUT": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "TMPDIR": str(places.cache("tmp")),
    }
    if cores >= CORES_THAT_COMPILE:
        variables["UV_COMPILE_BYTECODE"] = "1"
    return variables


def is_recent(version_line: Optional[str]) -> bool:
    """Tell whether `uv --version` names a uv that knows every option used here."""
    found = re.match(r"uv (\d+)\.(\d+)", version_line or "")
    return found is not None and (int(found.group(1)), int(found.group(2))) >= OLDEST_UV


def _uv_on_host(places: Places, environ: Mapping[str, str]) -> str:
    home = Path(environ.get("HOME", "/"))
    on_path = shutil.which("uv", path=environ.get("PATH", ""))
    known = [Path(on_path)] if on_path else []
    known += [home / ".local/bin/uv", home / ".cargo/bin/uv", places.uv / "bin/uv"]
    return next((str(uv) for uv in known if _is_usable(uv)), "")


def _uv_by_pip(ctx: Context, pythons: Sequence[Interpreter], places: Places) -> str:
    """Let the newest Python that has pip install uv; `--target` passes PEP 668's barrier."""
    for python in sorted(pythons, key=lambda one: one.version, reverse=True):
        if ask([python.path, "-m", "pip", "--version"], 30.0, PLAIN_PYTHON) is None:
            continue
        argv = [python.path, "-m", "pip", "install", "--quiet", "--upgrade"]
        variables = dict(PLAIN_PYTHON, **cache_variables(places, 1))
        variables.update(proxies.without_turbo(os.environ))
        places.cache("tmp").mkdir(parents=True, exist_ok=True)
        ctx.run([*argv, "--target", str(places.uv), "uv"], variables)
        uv = places.uv / "bin" / "uv"
        return str(uv) if _is_usable(uv) else ""
    return ""


def _uv_by_wheel(ctx: Context, settings: PipSettings, places: Places) -> str:
    try:
        uv = wheel_of_uv.install(settings, places.uv)
    except (wheel_of_uv.WheelRefused, zipfile.BadZipFile, *wheel_of_uv.FAILURES) as error:
        ctx.log("uv could not be fetched: %s" % type(error).__name__)
        return ""
    return str(uv) if _is_usable(uv) else ""


def _is_usable(uv: Path) -> bool:
    return is_recent(ask([str(uv), "--version"]))
