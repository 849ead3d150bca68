"""Where our things lie on the host's data disk: one folder, so that one `rm -r` takes it all back.

PROTOCOL.md, "Files on the host", documents the layout for people.
"""

import os
from pathlib import Path
from typing import Callable, Dict, List, Mapping, NamedTuple, Sequence

# The disks with room of the providers we know: AutoDL, gpushare, RunPod, Featurize.
KNOWN_DATA_DIRS = ("/root/autodl-tmp", "/hy-tmp", "/workspace", "/home/featurize/work")


class Places(NamedTuple):
    """The folders below DATA_DIR/paperkite; none is made by asking for its name."""

    data_dir: Path

    @property
    def home(self) -> Path:
        """The one folder that is ours."""
        return self.data_dir / "paperkite"

    @property
    def hub(self) -> Path:
        """The ModelScope client's environment."""
        return self.home / "hub"

    @property
    def uv(self) -> Path:
        """Our own copy of uv, where the host has none."""
        return self.home / "uv"

    def engine(self, name: str) -> Path:
        """Return one engine's environment."""
        return self.home / "engines" / name

    def model(self, model: str, revision: str) -> Path:
        """Return the folder of one revision's files."""
        return self.home / "models" / model.replace("/", "--") / revision

    def cache(self, name: str) -> Path:
        """Return the cache folder of one program."""
        return self.home / "cache" / name


def choose_data_dir(
    wanted: str,
    home: Path,
    usable: Callable[[Path], bool],
    known: Sequence[str] = KNOWN_DATA_DIRS,
) -> Path:
    """Return the wanted folder, else the first known data disk that is usable, else the home."""
    if wanted:
        return absolute(wanted)
    return next((Path(folder) for folder in known if usable(Path(folder))), home)


def absolute(path: str) -> Path:
    """Return the full path of what a person wrote, with `~` understood."""
    return Path.cwd() / Path(path).expanduser()


def is_writable_folder(folder: Path) -> bool:
    """Tell whether the folder is there and may be written to; writes nothing to find out."""
    return folder.is_dir() and os.access(str(folder), os.W_OK | os.X_OK)


def existing_parent(path: Path) -> Path:
    """Return the path itself or the nearest folder above it that exists."""
    return next(parent for parent in (path, *path.parents) if parent.exists())


def free_bytes(path: Path) -> int:
    """Return the bytes a user may still write on the disk that will hold `path`."""
    disk = os.statvfs(str(existing_parent(path)))
    return disk.f_bavail * disk.f_frsize


def engine_caches(places: Places) -> Dict[str, str]:
    """Return the variables that keep an engine's caches on the data disk, not in the small home.

    vLLM puts its torch.compile, Inductor and Triton caches below VLLM_CACHE_ROOT; FlashInfer and
    the rest follow XDG_CACHE_HOME. TMPDIR stays: vLLM's sockets lie there, and the path of a
    socket has 107 characters at most.
    """
    return {
        "VLLM_CACHE_ROOT": str(places.cache("vllm")),
        "TRITON_CACHE_DIR": str(places.cache("triton")),
        "XDG_CACHE_HOME": str(places.cache("xdg")),
    }


def folders_with_models(data_dir: Path, home: Path, environ: Mapping[str, str]) -> List[Path]:
    """Return the folders where an earlier ModelScope download may lie, most likely first."""
    cache = environ.get("MODELSCOPE_CACHE")
    folders = [Path(cache)] if cache else []
    folders += [data_dir, *map(Path, KNOWN_DATA_DIRS), home / ".cache" / "modelscope"]
    return list(dict.fromkeys(folders))
