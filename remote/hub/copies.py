"""A copy of the model that the host has already: adopted, not downloaded again.

People who followed the usual blog post have it in modelscope's old layout, newer clients in the new
one. Files that are right are linked into our folder; the others are fetched.
"""

import hashlib
import os
from pathlib import Path
from typing import Callable, Iterable, List, Optional

from remote.host.disks import is_folder
from remote.hub.files import HubFile

BLOCK = 8 * 1024 * 1024


def candidates(model: str, revision: str, roots: Iterable[Path]) -> List[Path]:
    """Return the folders below `roots` where modelscope would have put the model, that exist.

    The new layout (from 1.38 on) is models/OWNER--NAME/snapshots/REVISION, the old one OWNER/NAME
    with "___" in place of dots; both also occur below `hub` and `models`.
    """
    owner, _, name = model.partition("/")
    spellings = (name.replace(".", "___"), name)
    layouts = [Path("models", owner + "--" + name, "snapshots", revision)]
    layouts += [Path(top, owner, spelled) for top in (".", "models") for spelled in spellings]
    bases = [base for root in roots for base in (root, root / "hub")]
    found = [base / layout for base in bases for layout in layouts]
    return [folder for folder in dict.fromkeys(found) if is_folder(folder)]


def of_right_size(folder: Path, file: HubFile) -> Optional[Path]:
    """Return the path of a copy of the right size, or None."""
    path = folder / file.path
    try:
        return path if path.is_file() and path.stat().st_size == file.size else None
    except OSError:
        return None


def sha256(path: Path, on_bytes: Callable[[int], None]) -> str:
    """Return a file's SHA-256; `on_bytes` hears of every block, and may raise to stop."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while True:
            block = file.read(BLOCK)
            if not block:
                return digest.hexdigest()
            digest.update(block)
            on_bytes(len(block))


def link(source: Path, target: Path) -> None:
    """Make `target` the same file as `source`: a hard link, across disks a symbolic one."""
    discard(target)
    source = source.resolve()
    try:
        os.link(str(source), str(target))  # pathlib has it from Python 3.10 on
    except OSError:
        target.symlink_to(source)


def discard(path: Path) -> None:
    """Remove a file, where there is one."""
    if path.exists() or path.is_symlink():
        path.unlink()
