"""Where Paperkite keeps its own files on the laptop; `PAPERKITE_HOME` moves all of them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from desktop.core.errors import StorageError


@dataclass(frozen=True, slots=True)
class Paths:
    """The folders and files of one installation."""

    config: Path
    state: Path
    cache: Path

    @property
    def settings(self) -> Path:
        """The user's choices."""
        return self.config / "settings.toml"

    @property
    def known_hosts(self) -> Path:
        """Host keys that the user confirmed here; OpenSSH's own files are only read."""
        return self.config / "known_hosts"

    @property
    def local_ports(self) -> Path:
        """The local port of each saved host."""
        return self.state / "local-ports"

    @property
    def last_checks(self) -> Path:
        """What was last found out about each saved host."""
        return self.state / "last-checks"

    @property
    def database(self) -> Path:
        """The conversations; SQLite keeps files of its own beside it."""
        return self.state / "conversations.db"

    @property
    def diary(self) -> Path:
        """What each session has cost; SQLite keeps files of its own beside it."""
        return self.state / "diary.db"

    @property
    def rehearsal(self) -> Path:
        """The loopback host's folder and the converted model."""
        return self.cache / "rehearsal"

    def ensure(self) -> Paths:
        """Make the folders, private to this user; raises StorageError when that cannot be."""
        try:
            for folder in (self.config, self.state, self.cache):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(
                "storage-not-writable", path=str(error.filename), reason=str(error.strerror)
            ) from error
        return self


def paths() -> Paths:
    """Return this user's paths; nothing is created.

    Raises:
        StorageError: `PAPERKITE_HOME` names the home of a user that does not exist.
    """
    home = os.environ.get("PAPERKITE_HOME")
    if home:
        try:
            root = Path(home).expanduser().absolute()
        except RuntimeError as error:
            raise StorageError("storage-not-writable", path=home, reason=str(error)) from error
        return Paths(config=root, state=root / "state", cache=root / "cache")
    dirs = platformdirs.PlatformDirs("paperkite", appauthor=False)
    return Paths(
        config=Path(dirs.user_config_dir),
        state=Path(dirs.user_state_dir),
        cache=Path(dirs.user_cache_dir),
    )
