"""A stand-in for the supervisor's context: facts in a dict, progress in a list, real children."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from remote.spec import Spec
from remote.task import Child, Context


class Progress(NamedTuple):
    done: float
    total: float | None
    unit: str
    step: str
    rate: float | None
    eta_s: float | None


class StandIn(Context):
    """Everything a task says is kept in lists; children are real."""

    def __init__(self, folder: Path, **fields: Any) -> None:
        fields.setdefault("model", "kite/tiny")
        fields.setdefault("api_key", "secret-key")
        fields.setdefault("data_dir", str(folder))
        self.spec = Spec(**fields)
        self.facts = {}
        self.cancelled = threading.Event()
        self.public: dict[str, Any] = {}
        self.reports: list[Progress] = []
        self.lines: list[str] = []
        self.commands: list[list[str]] = []
        self.children: list[RealChild] = []
        self.child: subprocess.Popen[bytes] | None = None  # the one that `run` waits for
        self._folder = folder

    def fact(self, name: str, value: Any, private: bool = False) -> None:
        self.facts[name] = value
        if not private:
            self.public[name] = value

    def progress(
        self,
        done: float,
        total: float | None,
        unit: str,
        step: str = "",
        rate: float | None = None,
        eta_s: float | None = None,
    ) -> None:
        self.reports.append(Progress(done, total, unit, step, rate, eta_s))

    def log(self, line: str) -> None:
        self.lines.append(line)

    @property
    def steps(self) -> list[str]:
        """The steps that were reported, each once, in order."""
        return list(dict.fromkeys(report.step for report in self.reports))

    def run(
        self,
        argv: Sequence[str],
        env: dict[str, str] | None = None,
        on_line: Callable[[str], None] | None = None,
        stdin: str | None = None,
        cwd: str | None = None,
    ) -> tuple[int, list[str]]:
        self.commands.append(list(argv))
        last: list[str] = []
        with subprocess.Popen(
            list(argv),
            stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=dict(os.environ, **(env or {})),
            cwd=cwd,
        ) as self.child:
            if stdin is not None and self.child.stdin is not None:
                self.child.stdin.write(stdin.encode())
                self.child.stdin.close()
            for raw in self.child.stdout or ():
                line = raw.decode("utf-8", "replace").rstrip()
                self.log(line)
                last = [*last, line][-40:]
                if on_line is not None:
                    on_line(line)
        status = self.child.returncode
        self.child = None
        return status, last

    def spawn(self, argv: Sequence[str], env: dict[str, str], log_path: str) -> RealChild:
        self.commands.append(list(argv))
        child = RealChild(argv, env, self._folder / log_path)
        self.children.append(child)
        return child


class RealChild(Child):
    """A process group with its output in a file."""

    def __init__(self, argv: Sequence[str], env: dict[str, str], log: Path) -> None:
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                list(argv),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=dict(os.environ, **env),
                start_new_session=True,
            )
        self.pid = self._process.pid
        self.log_path = str(log)

    def poll(self) -> int | None:
        return self._process.poll()

    def end(self, grace: float = 10.0) -> None:
        if self._process.poll() is None:
            os.killpg(self.pid, signal.SIGTERM if grace else signal.SIGKILL)
            try:
                self._process.wait(grace or 10.0)
            except subprocess.TimeoutExpired:
                os.killpg(self.pid, signal.SIGKILL)
                self._process.wait()
