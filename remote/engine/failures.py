"""Why the engine ended: the cause stands above the last line, which is mostly a useless wrapper.

vLLM ends with status 2 for a bad argument and with 1 for everything else; its last line is
"Engine core initialization failed. See root cause above." more often than not.
"""

import re
from typing import List, NamedTuple, Optional, Sequence

from remote.task import TaskFailed

LAST_LINES = 40
_ADDRESS_IN_USE = re.compile(r"\[Errno 98\]|[Aa]ddress already in use")
_FITTING = re.compile(r"estimated maximum model length is (\d+)")
_BAD_ARGUMENT = re.compile(r"error: (?:unrecognized arguments?: (.+)|argument ([^:]+):.*)")

_OUT_OF_MEMORY = re.compile(
    r"CUDA out of memory|torch\.OutOfMemoryError|not enough GPU memory|"
    r"No available memory for the cache blocks|less than desired GPU memory utilization|"
    r"KV cache is needed, which is larger than|Cannot auto-fit max_model_len|"
    r"[Cc]annot allocate memory|died unexpectedly \(exit code: -9\)"
)
KILLED = (-9, 137)  # by the kernel, mostly: the host's or the container's memory was used up
_WRAPPERS = re.compile(
    r"Engine core initialization failed|WorkerProc initialization failed|resource_tracker|"
    r"leaked (?:semaphore|shared_memory)|^\s*warnings\.warn"
)
_EXCEPTION = re.compile(
    r"(?:^|[\s\]])([A-Za-z_][\w.]*(?:Error|Exception|Interrupt)|Value error)[:,] \S"
)
_PREFIX = re.compile(r"^(?:\([^)]*\) )?(?:[A-Z]+ \d\d-\d\d [\d:]{8} \[[^\]]+\] )?")


class Ending(NamedTuple):
    """How an engine ended, and what may be tried about it.

    Attributes:
        exit_status: the engine's; negative for the signal that ended it.
        code: one of the `engine.*` codes.
        cause: the line that tells most.
        address_in_use: whether the port was taken meanwhile.
        fitting_length: the context length that it said would fit, or None.
        argument: the option that it did not understand, "" for none.
    """

    exit_status: int
    code: str
    cause: str
    address_in_use: bool = False
    fitting_length: Optional[int] = None
    argument: str = ""


def ending(exit_status: int, lines: Sequence[str]) -> Ending:
    """Return what an exit status and the last lines of the log say."""
    text = "\n".join(lines)
    bad = _BAD_ARGUMENT.search(text) if exit_status == 2 else None
    if bad:
        argument = (bad.group(1) or bad.group(2)).strip()
        return Ending(
            exit_status, "engine.bad-argument", _plain(bad.group()), argument=argument[:200]
        )
    fitting = _FITTING.search(text)
    starved = next((_plain(line) for line in lines if _OUT_OF_MEMORY.search(line)), "")
    if starved or exit_status in KILLED:
        length = int(fitting.group(1)) if fitting else None
        words = starved or cause(lines)
        return Ending(exit_status, "engine.out-of-memory", words, fitting_length=length)
    taken = bool(_ADDRESS_IN_USE.search(text))
    return Ending(exit_status, "engine.exited", cause(lines), address_in_use=taken)


def cause(lines: Sequence[str]) -> str:
    """Return the last exception that is no wrapper of another, else the last line with words."""
    telling = [line for line in lines if line.strip() and not _WRAPPERS.search(line)]
    raised = [line for line in telling if _EXCEPTION.search(line)]
    return _plain((raised or telling or [""])[-1])


def failure(end: Ending, lines: List[str]) -> TaskFailed:
    """Return the failure to raise."""
    facts = {"exit_status": end.exit_status, "last_lines": lines[-LAST_LINES:]}
    if end.argument:
        facts["argument"] = end.argument
    return TaskFailed(end.code, end.cause, **facts)


def _plain(line: str) -> str:
    return _PREFIX.sub("", line.strip(), count=1).strip()[:500]
