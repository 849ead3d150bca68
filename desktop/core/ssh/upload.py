"""A file put on the host, whole or not at all, through a shell that has only `cat`, `wc` and `mv`.

Not SFTP: some rented hosts have none, its errors do not tell a full disk from any other failure,
and a host that cannot run `sh` cannot run the agent either.
"""

from __future__ import annotations

import re
import secrets
import shlex

from desktop.core.errors import DeployFailed
from desktop.core.ssh.process import Completed

_DISK_FULL = re.compile(rb"no space left|disk quota exceeded|file too large", re.IGNORECASE)


def command(size: int, path: str) -> str:
    """Return the command that reads `size` bytes on stdin into `path`, readable by its owner only.

    A cut connection looks like the end of the input, so the size is checked before the rename. The
    bytes go to the disk before the name does, where `sync` knows files: a power cut would else
    leave an empty file. One line, so that any login shell can pass it on (csh takes no other).
    """
    target = shlex.quote(path)
    part = shlex.quote(f"{path}.part-{secrets.token_hex(4)}")
    script = (
        f"umask 077; LC_ALL=C; export LC_ALL; "
        f'if cat > {part} && [ "$(wc -c < {part})" -eq {size} ] && '
        f"{{ sync {part} 2>/dev/null; mv -f {part} {target}; }}; "
        f"then exit 0; else rm -f {part}; exit 1; fi"
    )
    return f"exec sh -c {shlex.quote(script)}"


def check(done: Completed, path: str) -> None:
    """Raise DeployFailed (`deploy-disk-full`, `deploy-failed`) unless the file is there."""
    if done.status == 0:
        return
    code = "deploy-disk-full" if _DISK_FULL.search(done.stderr) else "deploy-failed"
    detail = done.stderr[-500:].decode("utf-8", "replace").strip()
    raise DeployFailed(code, path=path, detail=detail)
