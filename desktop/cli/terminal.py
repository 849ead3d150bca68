"""A person's view of a session in a terminal: what is done, how far it is, what comes next.

On a real terminal the rows of the graph stay in place with their bars; in a pipe or a log each
change is one plain line. Replies go to stdout, everything else to stderr.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from typing import Any

from rich.cells import cell_len
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from desktop.cli.plain import plain, prose
from desktop.cli.saved import host_text
from desktop.core.account import account
from desktop.core.amounts import duration, size, size_of
from desktop.core.errors import AppError
from desktop.core.events import (
    Delta,
    Ended,
    Event,
    Fact,
    PhaseChanged,
    Progress,
    Ready,
    Reasoning,
    ReplyBroken,
    ReplyDone,
    Restarting,
    Retrying,
    Sample,
    TaskChanged,
    Trimmed,
)
from desktop.core.explain import Language, explain
from desktop.core.phases import Phase
from desktop.core.texts import Texts
from remote import wire

ROWS = ("connect", "deploy", *wire.TASKS)
_MARKS = {
    wire.WAITING: ("·", "dim"),
    wire.RUNNING: ("▸", "cyan"),
    wire.DONE: ("✓", "green"),
    wire.SKIPPED: ("✓", "dim"),
    wire.FAILED: ("✗", "red"),
    wire.CANCELLED: ("–", "dim"),
}
_PLAIN_EVERY_S = 5.0
_BAR = 12  # columns; with it names and amounts fit into 80, in both languages
_WIDE = 100
_LABEL = 24  # columns of the name of a fact


@dataclass(slots=True)
class _Row:
    """One task as it stands."""

    state: str = wire.WAITING
    progress: Progress | None = None
    began: float = 0.0
    took: float | None = None


class Terminal:
    """Shows events to a person. Not for threads: called from the command's own."""

    def __init__(self, language: Language) -> None:
        self._language = language
        self._texts = Texts(language)
        self._console = Console(stderr=True, highlight=False)
        self._rows: dict[str, _Row] = {name: _Row() for name in ROWS}
        self._facts: dict[str, object] = {}
        self._live: Live | None = None
        self._said_plain: dict[str, float] = {}

    def event(self, event: Event) -> None:
        """Show one event."""
        match event:
            case TaskChanged(task=task, state=state):
                self._task(task, state)
            case Progress(task=task):
                self._rows.setdefault(task, _Row(wire.RUNNING)).progress = event
                self._plain_progress(task)
            case PhaseChanged(phase=phase):
                self._phase(phase)
            case Retrying():
                self._retrying(event)
            case Ready(endpoint=endpoint):
                self._hide()
                self.say("ready", model=plain(endpoint.model))
            case Trimmed() | Delta() | Reasoning() | ReplyDone() | ReplyBroken():
                self._reply(event)
            case Restarting(error=error):
                cause = explain(error, self._language, in_terminal=True).title
                self.note(self._texts("now.restarting", cause=cause))
            case Ended(because=because):
                self._ended(because)
            case Fact(name=name, value=value):
                self._facts[name] = value
                return
            case Sample():
                return
        self._refresh()

    def _reply(self, event: Trimmed | Delta | Reasoning | ReplyDone | ReplyBroken) -> None:
        match event:
            case Trimmed(turns=turns):
                self._hide()
                self.note(self._texts("cli.trimmed", turns=turns), style="dim")
            case Delta(text=text):
                self._hide()
                # A pipe gets what the model said, to the byte; a terminal obeys what it reads.
                self._write(prose(text) if sys.stdout.isatty() else text)
            case ReplyDone() | ReplyBroken():
                self._write("\n")
            case Reasoning(text=text):
                shown = prose(text) if self._console.is_terminal else text
                self._console.out(shown, style="dim", end="")

    def error(self, error: AppError) -> None:
        """Show title, detail and hint, and the host's last lines where there are any."""
        self._hide()
        texts = explain(error, self._language, in_terminal=True)
        for mark, text, style in (
            ("✗", texts.title, "bold red"),
            (" ", texts.detail, ""),
            ("→", texts.hint, "cyan"),
        ):
            self._hanging(mark, text, style)
        lines = error.facts.get("last_lines")
        for line in lines[-12:] if isinstance(lines, list) else []:
            self._console.print(Text(f"    {plain(line)}", style="dim"))

    def _ended(self, because: str) -> None:
        """Say why the host stopped by itself, where it did."""
        if why := self._texts.word("ended", because):
            self.note(self._texts("ended.and-bill", why=why))

    def _hanging(self, mark: str, text: str, style: str) -> None:
        """Print a mark and its text; on a terminal long text hangs below its own beginning."""
        if not self._console.is_terminal:
            return self.note(f"{mark} {text}".rstrip())
        grid = Table.grid(padding=(0, 1))
        grid.add_column()
        grid.add_column(overflow="fold")  # Chinese text has no spaces to break at
        grid.add_row(Text(mark, style=style), Text(text, style=style))
        return self._console.print(grid)

    def record(self, kind: str, **fields: Any) -> None:
        """Print a fact, a log line or a saved host on stdout; the others are said with `say`."""
        if kind == "log":
            self._write(f"{plain(fields['line'])}\n")  # flushed: somebody may follow in a pipe
        elif kind == "fact":
            self._fact(str(fields["name"]), fields["value"])
        elif kind == "host":
            self._write(host_text(fields, self._texts))

    def _retrying(self, event: Retrying) -> None:
        """Say when the host is tried again: one that stood before, or one that may be starting."""
        if event.left_s is None:
            self.say("retrying", seconds=round(event.wait_s))
        else:
            why = (
                explain(event.error, self._language, in_terminal=True).title if event.error else ""
            )
            left = duration(event.left_s, self._texts)
            self.say("starting", why=why, seconds=round(event.wait_s), left=left)

    def _fact(self, name: str, value: object) -> None:
        """Print a fact of the host's status in people's words, where there are some."""
        group, _, task = name.partition(".")
        label = self._texts.word(*((group, task) if task else ("status", name)))
        said = self._texts.word("row" if task else name, str(value))
        padding = " " * (_LABEL - cell_len(label or plain(name)))
        self._write(f"{label or plain(name)}{padding} {said or plain(value)}\n")

    def account(self) -> None:
        """Print what the facts so far amount to on stdout, as the command's result; begin anew."""
        for line in self._account():
            self._write(f"{line}\n")
        self._facts.clear()

    def _account(self) -> list[str]:
        lines = account(self._facts, self._texts)
        widest = max((cell_len(label) for label, _ in lines), default=0)
        return [
            f"{label}{' ' * (widest - cell_len(label))}  {plain(said)}" for label, said in lines
        ]

    def say(self, key: str, **facts: object) -> None:
        """Print the text `cli.KEY`."""
        self.note(self._texts(f"cli.{key}", **facts))

    def note(self, line: str, style: str = "") -> None:
        """Print one line for people; in a pipe or a log it stays one line."""
        self._console.print(Text(line, style=style), soft_wrap=not self._console.is_terminal)

    @staticmethod
    def _write(text: str) -> None:
        sys.stdout.write(text)
        sys.stdout.flush()

    def make_way(self) -> None:
        """Take the rows away; they come back with the next phase."""
        self._hide(erase=True)

    def close(self) -> None:
        """Stop redrawing."""
        self._hide()

    # -- the rows --------------------------------------------------------------------------

    def _task(self, task: str, state: str) -> None:
        row = self._rows[task]
        if state == row.state:
            return
        now = time.monotonic()
        if state == wire.RUNNING:
            row.began = now
        elif row.began:
            row.took = now - row.began
        row.state = state
        if task == wire.PREFLIGHT and state in (wire.DONE, wire.FAILED):
            for line in self._account():
                self.note(f"  {line}", style="dim")
        if not self._console.is_terminal and state not in (wire.WAITING, wire.RUNNING):
            self._note_row(task)

    def _phase(self, phase: Phase) -> None:
        if phase is Phase.CONNECTING:
            self._rows = {name: _Row() for name in ROWS}
        if phase in (Phase.OFF, Phase.READY, Phase.FAILED):
            self._hide()
        elif self._console.is_terminal:
            if self._live is None:
                self._live = Live(
                    console=self._console, refresh_per_second=8, redirect_stdout=False
                )
                self._live.start()
        else:
            self.note(f"… {self._texts[f'phase.{phase.value}']}")

    def _hide(self, *, erase: bool = False) -> None:
        if self._live is not None:
            self._live.transient = erase
            self._live.update(self._drawing(), refresh=True)
            self._live.stop()
            self._live = None

    def _refresh(self) -> None:
        if self._live is not None:
            self._live.update(self._drawing())

    def _plain_progress(self, task: str) -> None:
        if self._live is not None:
            return
        now = time.monotonic()
        if now - self._said_plain.get(task, 0.0) >= _PLAIN_EVERY_S:
            self._said_plain[task] = now
            self._note_row(task)

    def _note_row(self, task: str) -> None:
        self.note(self._line(task).plain.rstrip())

    def _drawing(self) -> RenderableType:
        table = Table.grid(padding=(0, 2))
        table.add_column(no_wrap=True)
        table.add_column(width=_BAR if self._console.width < _WIDE else 2 * _BAR)
        table.add_column(no_wrap=True)
        for name, row in self._rows.items():
            table.add_row(self._name(name), self._bar(row), self._amount(row))
        return Group(table, self._next())

    def _name(self, task: str) -> Text:
        mark, style = _MARKS[self._rows[task].state]
        return Text(f"{mark} {self._texts[f'task.{task}']}", style=style)

    def _bar(self, row: _Row) -> RenderableType:
        progress = row.progress
        if row.state != wire.RUNNING:
            return Text("")
        if progress is None or not progress.total:
            return ProgressBar(total=None, pulse=True)
        return ProgressBar(total=progress.total, completed=progress.done)

    def _amount(self, row: _Row) -> Text:
        if row.state == wire.SKIPPED:
            return Text(self._texts["cli.already"], style="dim")
        if row.state == wire.DONE and row.took is not None and row.took >= 1:
            return Text(duration(row.took, self._texts), style="dim")
        return Text(self._measure(row.progress) if row.state == wire.RUNNING else "")

    def _measure(self, progress: Progress | None) -> str:
        """Return the step, or how much of it is done where that is known."""
        if progress is None:
            return ""
        parts = []
        if progress.unit != "bytes" or not progress.done:
            parts.append(self._texts.word("step", progress.step) or plain(progress.step))
        else:
            parts.append(size_of(progress.done, progress.total))
            parts.append(f"{size(progress.rate)}/s" if progress.rate else "")
        if progress.eta_s is not None:
            parts.append(self._texts("cli.left", time=duration(progress.eta_s, self._texts)))
        return "  ".join(part for part in parts if part)

    def _line(self, task: str) -> Text:
        row = self._rows[task]
        return Text.assemble(self._name(task), "  ", self._amount(row))

    def _next(self) -> Text:
        waiting = [name for name, row in self._rows.items() if row.state == wire.WAITING]
        if not waiting:
            return Text("")
        following = self._texts[f"task.{waiting[0]}"]
        return Text(self._texts("cli.next", task=following), style="dim")
