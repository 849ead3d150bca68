"""`paperkite rehearse`: a host, a hub and a model on this computer, for the main job as it is.

Nothing that a user would meet is faked: the session deploys the same agent over SSH, and the agent
does on "the host" what it does on a rented one. Ports and keys stay the same from one rehearsal to
the next, so that the next one finds the run that the last one left, and joins it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from desktop.core.errors import AppError, StorageError
from desktop.core.session.wishes import Wishes
from desktop.rehearsal import model, suitability
from desktop.rehearsal.engine import install_scripted_engine
from desktop.rehearsal.host import LoopbackHost
from desktop.rehearsal.hub import Hub

_Bound = TypeVar("_Bound")


def _say_nothing(step: str, done: float, total: float | None) -> None:
    """Report to nobody."""


class Rehearsal:
    """The host and the hub answer, and the model is there, while it is entered.

    Attributes:
        scripted_reason: why the engine is the scripted stand-in (`no-cpu-build`, `cpu-too-old`),
            or "" where it is the real one.
    """

    def __init__(self, folder: Path, report: model.Report = _say_nothing) -> None:
        """Keep everything in `folder`; `report` hears how the model is getting on."""
        self._folder = folder
        self._report = report
        self._stack = ExitStack()
        self._host: LoopbackHost
        self._hub: Hub
        self.scripted_reason = suitability.scripted_reason(suitability.this_computer())

    def __enter__(self) -> Self:
        """Prepare the model, then begin to answer.

        Raises:
            AppError: `rehearsal-needs-posix`, `rehearsal-already-open`, or one of `model.prepare`.
            StorageError: `storage-not-writable`.
        """
        suitability.require_posix()
        with ExitStack() as stack:
            try:
                self._open(stack)
            except OSError as error:
                raise StorageError(
                    "storage-not-writable", path=str(self._folder), reason=str(error)
                ) from error
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def wishes(self) -> Wishes:
        """Return what a session needs to bring the loopback host to ready."""
        return Wishes(
            destination=self._host.destination,
            model=model.MODEL_ID,
            hub=self._hub.url,
            data_dir=str(self._host.home / "data"),
            engine_env=str(self._engine) if self.scripted_reason else "",
            host_key=self._host.host_key_fingerprint,
            identity=self._host.identity,
        )

    @property
    def _engine(self) -> Path:
        return self._folder / "scripted-engine"

    def _open(self, stack: ExitStack) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        stack.enter_context(_alone(self._folder / "lock"))
        models = {model.MODEL_ID: model.prepare(self._folder, self._report)}
        if self.scripted_reason:
            install_scripted_engine(self._engine)
        ports = _Ports(self._folder / "ports.json")
        hub = ports.bound("hub", lambda port: Hub(models, port=port))
        self._hub = stack.enter_context(hub)
        host = ports.bound("host", lambda port: LoopbackHost(self._folder, port=port))
        self._host = stack.enter_context(host)
        ports.keep({"hub": self._hub.port, "host": self._host.port})


class _Ports:
    """The ports of the last rehearsal, taken again where they are free."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._last = self._read()

    def bound(self, name: str, bind: Callable[[int], _Bound]) -> _Bound:
        """Return what `bind` makes of the last port, or of any that is free; raises OSError."""
        last = self._last.get(name, 0)
        if isinstance(last, int) and 0 < last < 65536:
            try:
                return bind(last)
            except OSError:
                pass  # somebody else has it now
        return bind(0)

    def keep(self, ports: dict[str, int]) -> None:
        """Remember them for the next time."""
        part = self._path.with_suffix(".part")
        part.write_text(json.dumps(ports) + "\n")
        part.replace(self._path)

    def _read(self) -> dict[str, object]:
        try:
            fields = json.loads(self._path.read_text())
        except (OSError, ValueError):
            return {}
        return fields if isinstance(fields, dict) else {}


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Hold the folder's lock; raises AppError (`rehearsal-already-open`) while another does."""
    import fcntl  # noqa: PLC0415 - there is none on Windows, where this file is imported too

    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise AppError("rehearsal-already-open", folder=str(path.parent)) from error
        yield
