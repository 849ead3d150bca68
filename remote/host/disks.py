"""Which disks the host has, and how much each still takes; network file systems are told apart.

A model of 20 GB on a network disk loads for minutes and its cap on files is low, so such a disk is
never chosen, only taken when a person or a provider says so.
"""

import contextlib
import os
import re
from pathlib import Path
from typing import List, NamedTuple, Optional, Sequence, Tuple

from remote.host import kernel_files

_MOUNTS = Path("/proc/self/mountinfo")

# Kinds of file systems that hold data on a disk of this machine; overlay is a container's own.
_LOCAL = frozenset(
    (
        "ext2",
        "ext3",
        "ext4",
        "xfs",
        "btrfs",
        "zfs",
        "f2fs",
        "overlay",
        "bcachefs",
        "jfs",
        "reiserfs",
    )
)
# A disk is mounted there for the system's own use.
_SYSTEM = (
    "/tmp",  # noqa: S108 - named to be left out
    "/boot",
    "/dev",
    "/etc",
    "/proc",
    "/run",
    "/snap",
    "/sys",
    "/usr",
    "/var/lib",
)


class Mount(NamedTuple):
    """One line of /proc/self/mountinfo."""

    point: Path
    kind: str
    writable: bool


class Room(NamedTuple):
    """What a disk still takes; `inodes` None where its file system has no limit on files."""

    free: int
    inodes: Optional[int]


class Disk(NamedTuple):
    """A writable disk of this machine."""

    point: Path
    room: Room


def room(path: Path) -> Room:
    """Return what a user may still write on the disk that will hold `path`."""
    disk = os.statvfs(str(existing_parent(path)))
    return Room(disk.f_bavail * disk.f_frsize, disk.f_favail if disk.f_files else None)


def existing_parent(path: Path) -> Path:
    """Return the path itself or the nearest folder above it that exists, as far as we may see.

    Not with pathlib: its questions end in PermissionError below a folder that is closed to us, as
    /root is to everybody else.
    """
    parents = (path, *path.parents)
    return next(one for one in parents if os.path.exists(str(one)))  # noqa: PTH110 - see above


def is_writable_folder(folder: Path) -> bool:
    """Tell whether the folder is there and may be written to; writes nothing to find out."""
    return is_folder(folder) and os.access(str(folder), os.W_OK | os.X_OK)


def is_folder(path: Path) -> bool:
    """Tell whether a folder is there, as far as we may see; see `existing_parent`."""
    return os.path.isdir(str(path))  # noqa: PTH112 - pathlib raises PermissionError


def is_local(path: Path, mounts: Path = _MOUNTS) -> bool:
    """Tell whether a path lies on a disk of this machine; also where nothing tells."""
    kinds = {mount.point: mount.kind for mount in parse_mounts(kernel_files.text(mounts))}
    path = Path(os.path.realpath(str(path)))
    kind = next((kinds[parent] for parent in (path, *path.parents) if parent in kinds), None)
    return kind is None or kind in _LOCAL


def look(mounts: Path = _MOUNTS) -> Tuple[Disk, ...]:
    """Return the local disks that may be written to, the one with most room first."""
    found: List[Disk] = []
    for mount in usable(parse_mounts(kernel_files.text(mounts))):
        if is_writable_folder(mount.point):
            with contextlib.suppress(OSError):
                found.append(Disk(mount.point, room(mount.point)))
    return tuple(sorted(found, key=lambda disk: -disk.room.free))


def usable(mounts: Sequence[Mount]) -> List[Mount]:
    """Return the mounts that could hold our data: writable, local, not the system's own."""
    return [
        mount
        for mount in mounts
        if mount.writable and mount.kind in _LOCAL and not _is_systems(str(mount.point))
    ]


def parse_mounts(text: str) -> List[Mount]:
    r"""Return the mounts in the text of /proc/self/mountinfo (proc(5)); later ones hide earlier.

    "36 35 98:0 /root /mnt\040two rw,noatime master:1 - ext4 /dev/sda rw": optional fields end at
    the dash, and a space in a path is written \040.
    """
    found = {}
    for line in text.splitlines():
        before, _, after = line.partition(" - ")
        fields, rest = before.split(), after.split()
        if len(fields) < 6 or len(rest) < 3:
            continue
        options = fields[5].split(",") + rest[2].split(",")
        point = Path(re.sub(r"\\([0-7]{3})", lambda code: chr(int(code.group(1), 8)), fields[4]))
        found[point] = Mount(point, rest[0], "ro" not in options)
    return list(found.values())


def _is_systems(point: str) -> bool:
    return any(point == folder or point.startswith(folder + "/") for folder in _SYSTEM)
