"""Which processes of ours are alive on a host that is really this computer."""

from __future__ import annotations

from pathlib import Path


def processes_of_home(home: Path) -> list[int]:
    """Return the pids whose environment carries a run of Paperkite and this HOME."""
    folders = (folder for folder in Path("/proc").iterdir() if folder.name.isdigit())
    return sorted(int(folder.name) for folder in folders if _belongs(folder, home))


def _belongs(process: Path, home: Path) -> bool:
    try:
        variables = (process / "environ").read_bytes().split(b"\0")
        command = (process / "cmdline").read_bytes()
    except OSError:
        return False
    if f"HOME={home}".encode() not in variables:
        return False
    ours = any(variable.startswith(b"PAPERKITE_RUN=") for variable in variables)
    return ours or b"/.paperkite/agent/" in command


def command_line(pid: int) -> bytes:
    """Return the argv of a process, joined by NUL; b"" for one that has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def command_lines() -> list[bytes]:
    """Return the argv of every process that may be looked at, joined by NUL."""
    pids = (folder.name for folder in Path("/proc").iterdir() if folder.name.isdigit())
    return [found for pid in pids if (found := command_line(int(pid)))]
