"""PROTOCOL.md and the code tell the same: every verb, kind, state, code and exit status."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from remote import verbs, wire

ROOT = Path(__file__).parents[2]
REMOTE = ROOT / "remote"
PROTOCOL = (REMOTE / "PROTOCOL.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    """Return the text of one section, up to the next heading."""
    match = re.search(rf"^#+ {title}$(.*?)(?=^#|\Z)", PROTOCOL, re.M | re.S)
    assert match is not None, title
    return match.group(1)


def first_column(title: str) -> list[str]:
    return re.findall(r"^\| `([^`]+)`", section(title), re.M)


def rows(title: str) -> dict[str, list[str]]:
    """Return the table's rows by the first word of their first cell."""
    lines = [line for line in section(title).splitlines() if line.startswith("| `")]
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
    return {row[0].strip("`").split()[0]: row[1:] for row in cells}


def nodes(*globs: str) -> Iterator[ast.AST]:
    """Yield every node of the files of `remote` that match."""
    for glob in globs:
        for path in sorted(REMOTE.glob(glob)):
            yield from ast.walk(ast.parse(path.read_text(encoding="utf-8")))


def words(name: str, *globs: str) -> set[str]:
    """Return the first arguments, where plain strings, of the calls of one function or method."""
    found = set()
    for node in nodes(*globs):
        if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            called = node.func
            if name == (called.attr if isinstance(called, ast.Attribute) else ast.unparse(called)):
                found.add(str(node.args[0].value))
    assert found, f"nobody calls {name} any more: mend this test"
    return found


def test_every_verb_is_documented_with_its_options() -> None:
    documented = {}
    for cell in first_column("Verbs"):
        name, *rest = cell.split(" ", 1)
        documented[name] = set(re.findall(r"--([\w-]+)", " ".join(rest)))
    assert documented == {name: set(options) for name, options in verbs.OPTIONS.items()}


def test_every_verb_has_its_module_and_its_line_of_usage() -> None:
    modules = {path.stem for path in (REMOTE / "verbs").glob("*.py")} - {"__init__", "channel"}
    assert modules == set(verbs.OPTIONS)
    for name, options in verbs.OPTIONS.items():
        (line,) = re.findall(rf"^  {name}\b.*$", verbs.USAGE, re.M)
        assert set(re.findall(r"--([\w-]+)", line)) == set(options)


def test_every_line_that_a_verb_prints_is_documented() -> None:
    lines = section("Lines that are not journal events")
    documented = set(re.findall(r"^- `(\w+) \{", lines, re.M))
    assert words("say", "verbs/*.py") == documented


def test_every_journal_event_is_documented() -> None:
    written = words("append", "context.py", "supervisor.py") | words("Ending", "supervisor.py")
    assert written == set(rows("Journal events"))


def test_every_code_is_documented_and_no_other() -> None:
    documented = set(rows("Codes"))
    groups = "|".join({code.partition(".")[0] for code in documented if "." in code})
    form = re.compile(rf"(?:{groups})\.[a-z]+(?:-[a-z]+)*")
    strings = {str(node.value) for node in nodes("**/*.py") if isinstance(node, ast.Constant)}
    used = {text for text in strings if form.fullmatch(text)}
    assert words("TaskFailed", "**/*.py") | words("refuse", "verbs/*.py") <= documented
    assert documented - {"nothing-running"} <= used
    assert {code for code in used if "-" in code} <= documented


def test_the_states_of_tasks_and_runs_are_documented() -> None:
    states = rows("Journal events")["task"][1].split(", ")
    assert states == [
        wire.WAITING,
        wire.RUNNING,
        wire.DONE,
        wire.SKIPPED,
        wire.FAILED,
        wire.CANCELLED,
    ]
    status = re.search(r"`state`: (.*?)\. `tasks`", PROTOCOL, re.S)
    assert status is not None
    assert re.findall(r"`(\w+)`", status.group(1)) == [
        wire.RUN_WORKING,
        wire.RUN_READY,
        wire.RUN_STOPPED,
        wire.RUN_FAILED,
        wire.RUN_LOST,
    ]


def test_the_constants_of_the_wire_are_documented() -> None:
    assert f"version {wire.PROTOCOL}" in PROTOCOL
    assert f"`{wire.MARKER}`" in PROTOCOL
    assert f"{wire.MAX_LINE_BYTES // 1024} KiB" in PROTOCOL
    assert f"every {wire.KEEPALIVE_SECONDS:.0f} s" in PROTOCOL
    statuses = re.findall(r"\b(\d+) ", section("Exit statuses of the agent"))
    assert {int(status) for status in statuses} == {
        wire.EXIT_OK,
        wire.EXIT_USAGE,
        wire.EXIT_REFUSED,
        wire.EXIT_NOTHING_RUNNING,
        wire.EXIT_STORAGE,
    }
