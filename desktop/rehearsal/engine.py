"""Installs the scripted engine as an engine environment that the agent adopts (`engine_env`)."""

from __future__ import annotations

import json
import shlex
import sys
import zipfile
from pathlib import Path

from desktop.rehearsal.scripted_engine import VERSION

_PACKAGE = "desktop/rehearsal/scripted_engine"
_ENTRY = """
import runpy
runpy.run_module("desktop.rehearsal.scripted_engine", run_name="__main__")
"""


def install_scripted_engine(folder: Path, *arguments: str) -> Path:
    """Write an engine environment whose `bin/vllm` is the scripted engine, and return its folder.

    It needs nothing of this installation but the interpreter.

    Args:
        folder: where it goes; made when it is not there.
        arguments: `--scripted-…` options that every start gets.
    """
    (folder / "bin").mkdir(parents=True, exist_ok=True)
    archive = folder / "engine.pyz"
    _write_archive(archive)
    program = folder / "bin" / "vllm"
    command = shlex.join([sys.executable, str(archive.absolute())])
    program.write_text(f'#!/bin/sh\nexec {command} "$@" {shlex.join(arguments)}\n')
    program.chmod(0o755)
    record = {"argv": ["bin/vllm", "serve"], "version": VERSION}
    (folder / "environment.json").write_text(json.dumps(record) + "\n")
    return folder


def _write_archive(path: Path) -> None:
    """Pack the package under its own name; the packages around it are left empty."""
    sources = Path(__file__).parent / "scripted_engine"
    part = path.with_suffix(".part")
    with zipfile.ZipFile(part, "w") as archive:
        archive.writestr("__main__.py", _ENTRY)
        archive.writestr("desktop/__init__.py", "")
        archive.writestr("desktop/rehearsal/__init__.py", "")
        for source in sorted(sources.glob("*.py")):
            archive.write(source, f"{_PACKAGE}/{source.name}")
    part.replace(path)  # one that is running keeps the file that it began with
