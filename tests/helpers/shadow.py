"""Another password for root, for programs that are started here only, and only in their eyes."""

from __future__ import annotations

import ctypes
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

_CLONE_NEWNS = 0x00020000  # linux/sched.h

# `openssl passwd -6 -salt paperkite WORD`
HASHES = {
    "before": (
        "$6$paperkite$iY/5wrZGywtV0ZcFtcTiWCu4quSRsEzy1DARuaZ6lTfOEQWi8ewtyJoAkp0rSfjNPg8cXMSQn5KW"
        "Hsih4ELby."
    ),
    "after": (
        "$6$paperkite$1xVUsOEg0lQvl1kTaJEVvOakTSwSk0BiA5WpkVznVVDzaLHxpKExyWVCpnLMJpvzwWxSdb8zomZ6"
        "DSykBi/ww/"
    ),
}


class Shadow:
    """A thread with mounts of its own, in which /etc/shadow is a file of the test's."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "shadow"
        self._file.touch(0o600)
        self._thread = ThreadPoolExecutor(1, "shadow", initializer=self._mount)

    def __enter__(self) -> Shadow:
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.shutdown()

    def set_password(self, word: str) -> None:
        """Have root log in with one of the words in `HASHES`."""
        self._file.write_text(f"root:{HASHES[word]}:20000:0:99999:7:::\n", encoding="utf-8")

    def run(self, work: Callable[[], None]) -> None:
        """Call this there; the programs that it starts see that file."""
        self._thread.submit(work).result()

    def _mount(self) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.unshare(_CLONE_NEWNS):
            raise OSError(ctypes.get_errno(), "unshare")
        subprocess.run(["mount", "--make-rprivate", "/"], check=True)
        subprocess.run(["mount", "--bind", self._file, "/etc/shadow"], check=True)
