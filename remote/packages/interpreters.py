"""Which Pythons the host has, and which of them an environment is made from.

Downloading a Python needs the internet at large, which a host behind a package mirror has not; one
that is there (conda's, pyenv's, the system's) is nearly always good enough.
"""

import os
import sys
from pathlib import Path
from typing import Dict, Iterable, List, Mapping, NamedTuple, Optional, Tuple

from remote.packages.programs import PLAIN_PYTHON, ask

Minor = Tuple[int, int]

# vLLM and its dependencies are tried most on 3.12 and 3.11; the newest Python comes last, because
# its wheels are the last to be built.
PREFERENCE: Tuple[Minor, ...] = ((3, 12), (3, 11), (3, 13), (3, 10), (3, 14), (3, 9))
NAMES = (*("python%d.%d" % version for version in PREFERENCE), "python3", "python")

FOLDERS = ("/root/miniconda3/bin", "/opt/conda/bin", "/usr/local/bin", "/usr/bin")
HOME_FOLDERS = ("miniconda3/bin", "anaconda3/bin", "miniforge3/bin")
HOME_PATTERNS = (".pyenv/versions/*/bin", ".local/share/uv/python/*/bin")

# Prints "3.11 1": the version, and whether Python.h is there (Triton compiles against it).
_QUESTION = (
    "import os, sys, sysconfig;"
    "header = os.path.join(sysconfig.get_paths()['include'], 'Python.h');"
    "print('%d.%d %d' % (sys.version_info[0], sys.version_info[1], os.path.exists(header)))"
)


class Interpreter(NamedTuple):
    """A Python that runs."""

    path: str
    version: Minor
    has_headers: bool = False


def find(environ: Mapping[str, str], own: str = sys.executable) -> List[Interpreter]:
    """Return every Python 3 on the host that answers, each asked once."""
    found = (inspect(path) for path in candidates(environ, own))
    return [one for one in found if one is not None and one.version >= (3, 0)]


def candidates(environ: Mapping[str, str], own: str) -> List[str]:
    """Return the paths of programs that are called python, one for each file behind them."""
    home = Path(environ.get("HOME", "/"))
    folders = [Path(folder) for folder in environ.get("PATH", "").split(os.pathsep) if folder]
    folders += [*map(Path, FOLDERS), *(home / folder for folder in HOME_FOLDERS)]
    for pattern in HOME_PATTERNS:
        folders += sorted(home.glob(pattern), reverse=True)
    return _distinct([*(folder / name for folder in folders for name in NAMES), Path(own)])


def inspect(path: str) -> Optional[Interpreter]:
    """Return what a Python says about itself, or None when it does not run (a shim of nothing)."""
    answer = ask([path, "-E", "-s", "-c", _QUESTION], env=PLAIN_PYTHON) or ""
    version, _, headers = answer.strip().partition(" ")
    major, _, minor = version.partition(".")
    if not (major.isdigit() and minor.isdigit()):
        return None
    return Interpreter(path, (int(major), int(minor)), headers == "1")


def fitting(found: Iterable[Interpreter], oldest: Minor, too_new: Minor) -> List[Interpreter]:
    """Return one Python of each version in `oldest <= version < too_new`, the best one first.

    One with headers goes before one without, then the preferred version.
    """
    ranked = sorted((one for one in found if oldest <= one.version < too_new), key=_rank)
    best: Dict[Minor, Interpreter] = {}
    for one in ranked:
        best.setdefault(one.version, one)
    return list(best.values())


def _rank(interpreter: Interpreter) -> Tuple[bool, int]:
    version = interpreter.version
    place = PREFERENCE.index(version) if version in PREFERENCE else len(PREFERENCE)
    return not interpreter.has_headers, place


def _distinct(paths: Iterable[Path]) -> List[str]:
    """Keep the first name of every program; pyenv's shims are one file, told apart by name."""
    kept: Dict[Path, str] = {}
    for path in paths:
        if path.name and os.access(str(path), os.X_OK):
            real = path.resolve()
            kept.setdefault(real if real.name.startswith("python") else path, str(path))
    return list(kept.values())
