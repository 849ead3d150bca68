"""A report of what went wrong that can be given to strangers: what a mistake is found by, no more.

In English, whatever the language of the window: it is read by those who mend Paperkite.
"""

from __future__ import annotations

import platform
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields

from desktop import __version__
from desktop.core.errors import AppError, DestinationError
from desktop.core.explain import explain
from desktop.core.plain_text import plain_text
from desktop.core.redaction import redact
from desktop.core.session.wishes import Wishes
from desktop.core.ssh.destination import Destination
from desktop.core.ssh.proxying import parse_proxy

MOST_BYTES = 20_000  # what an issue takes without folding
_MOST_FACTS = 80
_MOST_STEPS = 20
_MOST_LINES = 400
_CHARS = 500  # of a value or a line
_READ_CHARS = 2000  # of those that are looked at: what is cut first could be half a secret
_TITLE = "Paperkite report (secrets, names and addresses were taken out)"
_NOT_SAID = ("holders",)  # programs and people on the host
# Of the wishes: who and where is never said, the rest where it is not as it comes.
_PRIVATE_WISHES = frozenset(
    {"destination", "name", "hub_token", "host_key", "identity", "head_address", "local_port"}
)


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the start: its name, its state, and the seconds that it took so far."""

    name: str
    state: str
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Story:
    """What there is to report.

    Attributes:
        phase: the session's, as a word.
        error: why it failed, or None.
        steps: of the start.
        facts: what was found out about the host.
        lines: of the log, the newest last; those of the error are added.
        versions: more than what is known here, such as Qt's.
    """

    phase: str
    error: AppError | None = None
    steps: Sequence[Step] = ()
    facts: Mapping[str, object] = field(default_factory=dict)
    lines: Sequence[str] = ()
    versions: Mapping[str, str] = field(default_factory=dict)


def report(
    story: Story,
    wishes: Wishes | None = None,
    secrets: Collection[str] = (),
    names: Collection[str] = (),
) -> str:
    """Return the report, at most 20 KB of UTF-8; of the log, the newest lines.

    Args:
        story: what there is to report.
        wishes: what the host was asked for.
        secrets: known ones beside those in the wishes.
        names: known users and hosts beside those in the wishes.
    """
    head = "\n".join((_TITLE, "", *_versions(story), *_state(story), *_wishes(wishes)))
    tail = "\n".join(_raw(line) for line in _lines(story)[-_MOST_LINES:])
    said = [_bounded(line) for line in redacted(head, wishes, secrets, names).splitlines()]
    ends = redacted(tail, wishes, secrets, names).splitlines()
    return _fitted(said, [_bounded(f"  {line}") for line in ends])


def redacted(
    text: str,
    wishes: Wishes | None,
    secrets: Collection[str] = (),
    names: Collection[str] = (),
) -> str:
    """Return a text without what is private, and without what is known from these wishes."""
    if wishes is None:
        return redact(text, secrets, names)
    return redact(text, {*secrets, *secrets_of(wishes)}, {*names, *names_of(wishes)})


def secrets_of(wishes: Wishes) -> set[str]:
    """Return the secrets in wishes."""
    found = {wishes.hub_token, wishes.host_key}
    for where in _way(wishes.destination):
        found |= {where.password or "", where.proxy_command, _password_of(where.proxy)}
    return found - {""}


def _password_of(proxy: str) -> str:
    try:
        return parse_proxy(proxy).password
    except DestinationError:
        return ""


def names_of(wishes: Wishes) -> set[str]:
    """Return the names and addresses in wishes: of the host, its user, and those on the way."""
    found = {wishes.name, wishes.head_address}
    for where in _way(wishes.destination):
        found |= {where.host, where.user, where.proxy, where.host_key_alias}
    return found - {""}


def _way(where: Destination | None) -> Iterator[Destination]:
    while where is not None:
        yield where
        where = where.via


def _versions(story: Story) -> list[str]:
    known = {
        "paperkite": __version__,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
    }
    return [f"{name}: {_raw(text)}" for name, text in {**known, **story.versions}.items()]


def _state(story: Story) -> list[str]:
    said = [f"phase: {story.phase}"]
    if story.error is not None:
        title = explain(story.error, "en").title
        said.append(f"error: {story.error.code} ({title})")
        said += _pairs(story.error.facts)
    if story.steps:
        said += ["", "steps:"]
        said += [_step(step) for step in story.steps[:_MOST_STEPS]]
    if story.facts:
        said += ["", "host:", *_pairs(story.facts)]
    return said


def _step(step: Step) -> str:
    took = "" if step.seconds is None else f" {step.seconds:.0f} s"
    return f"  {step.name}: {step.state}{took}"


def _pairs(facts: Mapping[str, object]) -> list[str]:
    shown = [
        (str(name), value)
        for name, value in facts.items()
        if name != "last_lines" and not str(name).endswith(_NOT_SAID)
    ]
    return [f"  {_raw(name)}: {_raw(str(value))}" for name, value in shown[:_MOST_FACTS]]


def _wishes(wishes: Wishes | None) -> list[str]:
    """Return what was chosen, the rest is as it comes."""
    if wishes is None:
        return []
    usual = Wishes(wishes.destination)
    chosen = {
        each.name: getattr(wishes, each.name)
        for each in fields(wishes)
        if each.name not in _PRIVATE_WISHES
        and getattr(wishes, each.name) != getattr(usual, each.name)
    }
    return ["", "settings:", f"  model: {_raw(wishes.model)}", *_pairs_but_model(chosen)]


def _pairs_but_model(chosen: Mapping[str, object]) -> list[str]:
    return _pairs({name: value for name, value in chosen.items() if name != "model"})


def _lines(story: Story) -> list[str]:
    last = story.error.facts.get("last_lines") if story.error is not None else None
    of_error = [str(line) for line in last] if isinstance(last, list | tuple) else []
    return [*story.lines, *of_error]


def _raw(text: str) -> str:
    return plain_text(text[:_READ_CHARS])


def _bounded(line: str) -> str:
    return line if len(line) <= _CHARS else f"{line[: _CHARS - 1]}…"


def _fitted(said: list[str], lines: list[str]) -> str:
    """Return the head, and as many of the newest lines as there is room for."""
    room = MOST_BYTES - 40  # for the heading of the log
    while said and _size(said) > room:
        said.pop()
    room -= _size(said)
    kept: list[str] = []
    for line in reversed(lines):
        room -= _size([line])
        if room < 0:
            break
        kept.insert(0, line)
    return "\n".join([*said, *(["", "log:", *kept] if kept else []), ""])


def _size(lines: list[str]) -> int:
    return sum(len(line.encode("utf-8", "replace")) + 1 for line in lines)
