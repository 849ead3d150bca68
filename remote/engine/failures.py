"""Why the engine ended: the cause stands above the last line, which is mostly a useless wrapper.

vLLM ends with status 2 for a bad argument and with 1 for everything else; its last line is
"Engine core initialization failed. See root cause above." more often than not. Above it stand the
tracebacks of two or three processes, the innermost first: each repeats what it heard from the one
below. What a log means is `signatures`' business; this file finds the lines to look at.
"""

import errno
import re
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence

from remote.engine import signatures
from remote.engine.log_phases import STEPS
from remote.task import TaskFailed

LAST_LINES = 40
_NOT_READY = "engine.not-ready"
_ABOVE_THE_CAUSE = 12

KILLED = (-9, 137)  # by the kernel, mostly: the host's or the container's memory was used up

# What stands before a message: 0.19+ "(EngineCore pid=9) ERROR 05-12 15:40:20 [core.py:1] ", 0.8
# without the process, 0.6 "ERROR 05-12 15:40:20 engine.py:366] "; torch's "[rank0]: ".
_PREFIX = re.compile(
    r"(?:\((?P<process>[^)]{1,80})\) )?(?:\[rank\d{1,4}\]: ?)?"
    r"(?:(?P<level>[A-Z]{4,8})"
    r"(?: \d\d-\d\d [\d:]{8} (?:\[[^\]]{1,120}\]|[\w./]{1,120}:\d{1,6}\])|: {4,5})"
    r" ?)?(?:\[rank\d{1,4}\]: ?)?"
)
_HARMLESS = ("INFO", "WARNING", "DEBUG")
# Said of what another process said, or of every end: never the cause.
_WRAPPERS = re.compile(
    r"Engine core initialization failed|WorkerProc (?:initialization|failed)|EngineDeadError|"
    r"Worker failed with error|Engine process failed to start|Executor failed|resource_tracker|"
    r"leaked |^\s*warnings\.warn|^SystemExit|^KeyboardInterrupt|EngineCore encountered an issue|"
    r"cancelled|nanobind|^See https://nanobind|^ - (?:leaked|\.\.\. skipped)|EngineCore died"
)
_EXCEPTION = re.compile(
    r"[\s|+]{0,12}"
    r"(?:[\w.]{1,160}(?:[Ee]rror|Exception|Failure|Timeout)(?:: \S|:?\s*$)|Value error, )"
)
_DECORATION = re.compile(r"^Value error, |\s*\[type=[a-z_]{1,40}, input_value=.*$")
# pydantic tells of a bad value in three lines: this one, the field, what it should be.
_INVALID = re.compile(r"validation errors? for \w{1,60}$")
_FIELD = re.compile(r"[\w.]{1,80}")
# The server's word for an engine that vanished, when that is all it knows; told to stop, some
# versions say it too.
_DIED = re.compile(r"EngineDeadError: |EngineCore died")
_TOLD_TO_STOP = re.compile(r"shutdown triggered|received signal=SIGTERM")
_LOADED = re.compile(r"Model loading took|Loading model weights took")


class Ending(NamedTuple):
    """How an engine ended, and what may be tried about it.

    Attributes:
        exit_status: the engine's; negative for the signal that ended it.
        code: one of PROTOCOL.md's.
        cause: the line that tells most.
        remedy: what may help, one of `signatures`' names, "" for nothing.
        facts: what the line tells besides, for the code's texts.
        line: the cause's index in the log, None where there is none.
    """

    exit_status: int
    code: str
    cause: str
    remedy: str = ""
    facts: Mapping[str, Any] = {}
    line: Optional[int] = None


class _Line(NamedTuple):
    process: str
    level: str
    message: str


def ending(exit_status: int, lines: Sequence[str]) -> Ending:
    """Return what the first process' exit status and the log of its start, or its last part, say.

    An engine that was told to stop may say `EngineDeadError` too: it has died of nothing then.
    """
    parsed = [_parse(line) for line in lines]
    telling = _with_fields(["" if _is_mute(line) else line.message for line in parsed])
    found = signatures.find(telling)
    if found is None:
        return _unknown(exit_status, lines)
    remedy = found.remedy
    facts: Dict[str, Any] = dict(found.facts)
    if found.code == "engine.out-of-memory":
        facts["loaded"] = any(_LOADED.search(line.message) for line in parsed[: found.line])
        remedy = remedy if facts["loaded"] else ""
    words = _undecorated(telling[found.line])
    return Ending(exit_status, found.code, words, remedy, facts, found.line)


def _with_fields(messages: List[str]) -> List[str]:
    """Return the messages, with what pydantic says of a field in one of them."""
    found = list(messages)
    for index in range(len(messages) - 2):
        field = messages[index + 1].strip()
        if _INVALID.search(messages[index]) and _FIELD.fullmatch(field):
            found[index] = "%s: %s" % (field, messages[index + 2].strip())
    return found


def _unknown(exit_status: int, lines: Sequence[str]) -> Ending:
    code = "engine.host-memory" if exit_status in KILLED else "engine.exited"
    return Ending(exit_status, code, cause(lines), line=_cause(lines))


def cause(lines: Sequence[str]) -> str:
    """Return the line that tells most, "" where none has words.

    An exception whose text begins on the next line is told with that one.
    """
    index = _cause(lines)
    if index is None:
        return ""
    words = _undecorated(_parse(lines[index]).message)
    if not words.endswith(":"):
        return words
    below = (_undecorated(_parse(line).message) for line in lines[index + 1 :])
    return ("%s %s" % (words, next(filter(None, below), ""))).strip()


def _cause(lines: Sequence[str]) -> Optional[int]:
    """Return the index of the last exception of the process that failed first, no wrapper's.

    Where there is none: of the one that says that the engine died without a word; of the last line
    with words.
    """
    parsed = [(index, _parse(line)) for index, line in enumerate(lines)]
    words = [
        (index, line)
        for index, line in parsed
        if line.message.strip() and not _WRAPPERS.search(line.message)
    ]
    raised = [
        (index, line)
        for index, line in words
        if line.level not in _HARMLESS and _EXCEPTION.match(line.message)
    ]
    if raised:
        first = raised[0][1].process
        return [index for index, line in raised if line.process == first][-1]
    told_to_stop = any(_TOLD_TO_STOP.search(line.message) for _, line in parsed)
    died = [index for index, line in parsed if _DIED.search(line.message) and not told_to_stop]
    return next(iter(died or [index for index, _ in words[-1:]]), None)


def not_ready(exit_status: int, lines: Sequence[str], step: str, seconds: float) -> Ending:
    """Return what became of an engine that stood still for so long in `step`, and was ended."""
    facts = {"seconds": int(seconds), "step": step}
    return Ending(exit_status, _NOT_READY, cause(lines), "", facts, _cause(lines))


def deaf(exit_status: int, lines: Sequence[str], port: int, seconds: float) -> Ending:
    """Return what became of an engine that said it had started, did not answer, and was ended.

    Where it says that its port was taken, that is the cause; mostly it does not know.
    """
    said = ending(exit_status, lines)
    if said.code == signatures.PORT_TAKEN:
        return said
    words = "it said that it had started, and nothing of it answered on port %d" % port
    facts = {"seconds": int(seconds), "step": STEPS[-1], "port": port}
    return Ending(exit_status, _NOT_READY, words, signatures.LISTEN_AGAIN, facts)


def failure(end: Ending, lines: Sequence[str]) -> TaskFailed:
    """Return the failure to raise; its `last_lines` show the cause too, where it is far above."""
    shown = _excerpt(lines, end.line)
    facts = dict(end.facts, exit_status=end.exit_status, last_lines=shown)
    return TaskFailed(end.code, end.cause, **facts)


def not_started(error: OSError) -> TaskFailed:
    """Return the failure of an engine that this host could not even start."""
    is_full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    code = "engine.disk-full" if is_full else "engine.exited"
    return TaskFailed(code, str(error), exit_status=127, last_lines=[])


def _excerpt(lines: Sequence[str], index: Optional[int]) -> List[str]:
    """Return at most LAST_LINES lines: those around the cause, and the last ones."""
    if index is None or index >= len(lines) - LAST_LINES:
        return list(lines[-LAST_LINES:])
    start = max(0, index - _ABOVE_THE_CAUSE)
    around = list(lines[start : index + 3])
    return [*around, "…", *lines[-(LAST_LINES - len(around) - 1) :]]


def _is_mute(line: _Line) -> bool:
    """Tell whether a line says nothing of a failure: mere news, or a traceback's source code."""
    return line.level in _HARMLESS or line.message.startswith(("    ", '  File "'))


def _parse(line: str) -> _Line:
    found = _PREFIX.match(line)
    if found is None:
        return _Line("", "", line)
    return _Line(found.group("process") or "", found.group("level") or "", line[found.end() :])


def _undecorated(message: str) -> str:
    """Return a message without pydantic's frame around it."""
    return _DECORATION.sub("", message.strip()).strip()[:500]
