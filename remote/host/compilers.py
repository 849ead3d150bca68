"""The compilers that the engine would call: Triton needs one for C, FlashInfer's kernels nvcc."""

import os
import shlex
import shutil
from typing import Mapping, Sequence

C_COMPILERS = ("gcc", "cc", "clang")
# Triton looks at the PATH alone; the toolkit's images have nvcc beside it.
CUDA_FOLDERS = ("/usr/local/cuda/bin", "/opt/cuda/bin")


def c_compiler(environ: Mapping[str, str]) -> str:
    """Return the path of the C compiler that Triton would take, or ""."""
    wished = environ.get("CC", "")
    try:
        words = shlex.split(wished)
    except ValueError:
        words = []
    return _first([*words[:1], *C_COMPILERS], environ.get("PATH", os.defpath))


def nvcc(environ: Mapping[str, str], folders: Sequence[str] = CUDA_FOLDERS) -> str:
    """Return the path of nvcc, or ""."""
    homes = [environ[name] for name in ("CUDA_HOME", "CUDA_PATH") if environ.get(name)]
    places = [*(os.path.join(home, "bin") for home in homes), *folders]  # noqa: PTH118 - a PATH
    return _first(["nvcc"], os.pathsep.join([environ.get("PATH", os.defpath), *places]))


def _first(names: Sequence[str], path: str) -> str:
    found = (shutil.which(name, path=path) for name in names)
    return next(filter(None, found), "")
