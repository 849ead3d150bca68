"""How much memory a process may really take: a container's limit, not the machine's `free`.

The kernel ends what exceeds its cgroup with a bare "Killed" while /proc/meminfo still shows
hundreds of gigabytes. Files: Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/memory.rst.
"""

from pathlib import Path
from typing import List, NamedTuple, Optional, Tuple

from remote.host import kernel_files

_ROOT = Path("/")
# limit, usage, and the part of the usage that the kernel gives back when asked (page cache).
_V2 = ("memory.max", "memory.current", "inactive_file")
_V1 = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")


class Memory(NamedTuple):
    """Bytes; None where the host does not tell."""

    limit: Optional[int] = None
    available: Optional[int] = None


def look(root: Path = _ROOT) -> Memory:
    """Return the least of the machine's memory and every limit that this process is under."""
    meminfo = kernel_files.text(root / "proc/meminfo")
    limits = [parse_meminfo(meminfo, "MemTotal")]
    available = [parse_meminfo(meminfo, "MemAvailable")]
    for folder, names in groups(
        kernel_files.text(root / "proc/self/cgroup"), root / "sys/fs/cgroup"
    ):
        limit, usage = _number(folder / names[0]), _number(folder / names[1])
        limits.append(limit)
        if limit is not None and usage is not None:
            cache = parse_stat(kernel_files.text(folder / "memory.stat"), names[2])
            available.append(max(limit - max(usage - cache, 0), 0))
    return Memory(_least(limits), _least(available))


def groups(cgroup: str, mount: Path) -> List[Tuple[Path, Tuple[str, str, str]]]:
    """Return the folders whose limits bind a process, and what the files in them are called.

    A parent's limit binds too. In a container the path in /proc/self/cgroup is often the host's,
    while only the container's own group is mounted, so that folders may be missing.

    Args:
        cgroup: the text of /proc/self/cgroup: "0::/path" is version 2, "4:memory:/path" version 1.
        mount: where the groups are mounted.
    """
    found: List[Tuple[Path, Tuple[str, str, str]]] = []
    for line in cgroup.splitlines():
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        steps = Path(path.lstrip("/"))
        if ".." in steps.parts:
            steps = Path()
        if number == "0" and not controllers:
            found += [(mount / step, _V2) for step in (steps, *steps.parents)]
        elif "memory" in controllers.split(","):
            found += [(mount / "memory" / step, _V1) for step in (steps, *steps.parents)]
    return list(dict.fromkeys(found))


def parse_meminfo(text: str, name: str) -> Optional[int]:
    """Return the bytes of one line of /proc/meminfo ("MemTotal:  65780 kB"), or None."""
    for line in text.splitlines():
        key, _, value = line.partition(":")
        number = value.split()[0] if value.split() else ""
        if key == name and number.isdecimal():
            return int(number) * 1024
    return None


def parse_stat(text: str, name: str) -> int:
    """Return one number of a memory.stat, 0 where it is not there."""
    for line in text.splitlines():
        key, _, value = line.partition(" ")
        if key == name and value.strip().isdecimal():
            return int(value)
    return 0


def _number(path: Path) -> Optional[int]:
    """Return the number in a file; None for "max"."""
    text = kernel_files.text(path).strip()
    return int(text) if text.isdecimal() else None


def _least(numbers: List[Optional[int]]) -> Optional[int]:
    return min((number for number in numbers if number is not None), default=None)
