"""The loopback host's SFTP: this user's files; relative paths and `~` are the host's home."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import paramiko
from paramiko import SFTPAttributes, SFTPHandle, SFTPServer
from paramiko.sftp import SFTP_FAILURE, SFTP_OK


class HomeFiles(paramiko.SFTPServerInterface):
    """paramiko asks it for every operation; an OSError becomes the protocol's status."""

    def __init__(self, server: paramiko.ServerInterface, home: Path) -> None:
        super().__init__(server)
        self._home = str(home)

    def canonicalize(self, path: str) -> str:
        """Return the absolute path on this computer."""
        return os.path.normpath(self._local(path))

    def open(self, path: str, flags: int, attr: SFTPAttributes) -> SFTPHandle | int:
        """Open a file, made private to its owner unless the client says otherwise."""
        mode = 0o600 if attr.st_mode is None else attr.st_mode & 0o777
        try:
            descriptor = os.open(self._local(path), flags, mode)
        except OSError as error:
            return _status(error)
        return _handle(descriptor, flags)

    def list_folder(self, path: str) -> list[SFTPAttributes] | int:
        """Return the entries of a folder."""
        try:
            with os.scandir(self._local(path)) as entries:
                return [
                    SFTPAttributes.from_stat(entry.stat(follow_symlinks=False), entry.name)
                    for entry in entries
                ]
        except OSError as error:
            return _status(error)

    def stat(self, path: str) -> SFTPAttributes | int:
        """Return what is known of a file, links followed."""
        return _attributes(os.stat, self._local(path))

    def lstat(self, path: str) -> SFTPAttributes | int:
        """Return what is known of a file or of the link itself."""
        return _attributes(os.lstat, self._local(path))

    def remove(self, path: str) -> int:
        """Remove a file."""
        return _done(os.unlink, self._local(path))

    def rename(self, oldpath: str, newpath: str) -> int:
        """Rename; the protocol's plain rename does not replace."""
        if os.path.lexists(self._local(newpath)):
            return SFTP_FAILURE
        return _done(os.rename, self._local(oldpath), self._local(newpath))

    def posix_rename(self, oldpath: str, newpath: str) -> int:
        """Rename and replace."""
        return _done(os.replace, self._local(oldpath), self._local(newpath))

    def mkdir(self, path: str, attr: SFTPAttributes) -> int:
        """Make a folder."""
        mode = 0o700 if attr.st_mode is None else attr.st_mode & 0o777
        return _done(os.mkdir, self._local(path), mode)

    def rmdir(self, path: str) -> int:
        """Remove an empty folder."""
        return _done(os.rmdir, self._local(path))

    def chattr(self, path: str, attr: SFTPAttributes) -> int:
        """Change size, mode or times, as far as they are given."""
        return _done(SFTPServer.set_file_attr, self._local(path), attr)

    def _local(self, path: str) -> str:
        inside = path[2:] if path.startswith("~/") else "" if path == "~" else path
        return os.path.join(self._home, inside)  # noqa: PTH118 - an absolute path wins, as it must


class _File(SFTPHandle):
    """An open file: paramiko reads from one of its file objects and writes to the other."""

    readfile: IO[bytes]
    writefile: IO[bytes]


def _handle(descriptor: int, flags: int) -> _File:
    handle = _File(flags)
    access = flags & (os.O_RDONLY | os.O_WRONLY | os.O_RDWR)
    if access != os.O_WRONLY:
        handle.readfile = os.fdopen(descriptor, "rb")
    if access != os.O_RDONLY:
        same = os.dup(descriptor) if access == os.O_RDWR else descriptor
        handle.writefile = os.fdopen(same, "wb")
    return handle


def _attributes(look: Callable[[str], os.stat_result], path: str) -> SFTPAttributes | int:
    try:
        return SFTPAttributes.from_stat(look(path))
    except OSError as error:
        return _status(error)


def _done(operation: Callable[..., object], *arguments: Any) -> int:
    try:
        operation(*arguments)
    except OSError as error:
        return _status(error)
    return SFTP_OK


def _status(error: OSError) -> int:
    return int(SFTPServer.convert_errno(error.errno or 0))
