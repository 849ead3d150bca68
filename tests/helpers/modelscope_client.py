"""The real ModelScope client in an environment of its own, as a host has it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from desktop.rehearsal import package_index

# Those of pyproject's `host` extra that were tried.
_REQUIREMENTS = ("modelscope==1.40.2", "modelscope-hub==0.5.1")

_DOWNLOAD = """
import json, sys
from modelscope import snapshot_download
try:
    snapshot_download(sys.argv[1], local_dir=sys.argv[2])
    failure = {}
except Exception as error:
    files = sorted(getattr(error, "failed_files", None) or {})
    failure = {"error": type(error).__name__, "text": str(error), "files": files}
print(json.dumps(failure))
"""


@dataclass(frozen=True)
class ModelScopeClient:
    """A Python with modelscope in it."""

    python: Path
    home: Path

    def download(self, hub: str, model: str, folder: Path) -> dict[str, object]:
        """Download a model; returns {} or the failure's `error`, `text` and `files`."""
        done = subprocess.run(
            [str(self.python), "-c", _DOWNLOAD, model, str(folder)],
            env={"PATH": "/usr/bin:/bin", "HOME": str(self.home), "MODELSCOPE_ENDPOINT": hub},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        )
        answer: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
        return answer


def installed_client(folder: Path) -> ModelScopeClient:
    """Make the environment (a second with uv, half a minute with pip) and return its client."""
    environment, home = folder / "environment", folder / "home"
    home.mkdir()
    python = environment / "bin" / "python"
    uv = shutil.which("uv", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    if uv:
        steps = [
            [uv, "venv", "--quiet", "--python", sys.executable, str(environment)],
            [uv, "pip", "install", "--quiet", "--python", str(python), *_REQUIREMENTS],
        ]
    else:
        steps = [
            [sys.executable, "-m", "venv", str(environment)],
            [str(python), "-m", "pip", "install", "--quiet", *_REQUIREMENTS],
        ]
    for step in steps:
        subprocess.run(step, env=_environment(), check=True, stdin=subprocess.DEVNULL)
    return ModelScopeClient(python, home)


def _environment() -> dict[str, str]:
    """uv is told where packages come from, as pip knows it."""
    ours = dict(os.environ)
    files = package_index.config_files(ours, Path.home(), Path(sys.prefix))
    return package_index.uv_names(package_index.settings(files, ours)) | ours
