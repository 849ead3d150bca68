"""Our own Markdown, read back: one branch, with what that layout can say (see `markdown.py`).

It is read line by line, so that other threads get their turn. A file that was edited since is read
as far as it keeps to the layout; where it does not, nothing is guessed and nothing is taken.
"""

from __future__ import annotations

import codecs
import io
import re

from desktop.core.chat.conversation import (
    Attachment,
    Conversation,
    Message,
    Outcome,
    Role,
    Setup,
)
from desktop.core.chat.exports.markdown import APART, FILE, HEADING, REASONING
from desktop.core.chat.exports.whole import Whole
from desktop.core.chat.ids import new_id

_ROLES: dict[str, Role] = {
    "User": "user", "Assistant": "assistant", "System": "system",
    "用户": "user", "助手": "assistant", "系统": "system",
}  # fmt: skip
_SYSTEM = re.compile(r"\*\*(?:System|系统)\*\*\n\n((?:>.*\n)+)")


def may_be_ours(content: bytes) -> bool:
    """Return whether a file begins as our Markdown does."""
    return content[:64].removeprefix(codecs.BOM_UTF8).lstrip(b"\r\n").startswith(b"# ")


def conversation_of(content: bytes, when: float) -> Whole | None:
    """Return the conversation in a file, or None where it is other Markdown.

    Args:
        content: of the file.
        when: Unix seconds; Markdown does not tell when something was said.

    Raises:
        ValueError: it is not UTF-8.
    """
    text = content.decode("utf-8-sig")
    if text.count("\n") == text.count("\r\n"):  # a program has changed all ends of lines
        text = text.replace("\r\n", "\n")
    title, _, rest = text.lstrip("\n").partition("\n")
    head, sections = _sections(rest)
    system = _system(head)
    if not title.startswith("# ") or system is None:
        return None
    name = new_id()
    messages: list[Message] = []
    for heading, body in sections:
        parent = messages[-1].id if messages else ""
        messages.append(_message(heading, body, (name, parent, when)))
    leaf = messages[-1].id if messages else ""
    conversation = Conversation(name, title[2:].strip(), when, when, leaf, Setup(system=system))
    return Whole(conversation, tuple(messages))


def _sections(text: str) -> tuple[str, list[tuple[re.Match[str], str]]]:
    """Return what stands before the first message, and each message under its heading."""
    lines: list[str] = []
    found: list[tuple[re.Match[str] | None, list[str]]] = [(None, lines)]
    for line in io.StringIO(text, newline="\n"):
        heading = HEADING.match(line) if line[0] in "\\#" else None
        if heading is None:
            lines.append(line)
        elif heading[1]:  # a line that somebody said
            lines.append(line[1:])
        else:
            lines = []
            found.append((heading, lines))
    lines.append("\n")  # as before a heading
    bodies = [(heading, "".join(lines)) for heading, lines in found]
    return bodies[0][1], [(heading, _inside(body)) for heading, body in bodies if heading]


def _inside(body: str) -> str:
    """Return what stands between the empty lines at both ends, which are the layout's."""
    body = body.removeprefix("\n")
    return body.removesuffix("\n\n" if body.endswith("\n\n") else "\n")


def _system(head: str) -> str | None:
    """Return the system prompt, or None where something else stands under the title."""
    head = head.strip("\n")
    found = _SYSTEM.fullmatch(head + "\n")
    if found is None:
        return None if head else ""
    return _unquoted(found[1])


def _message(heading: re.Match[str], body: str, place: tuple[str, str, float]) -> Message:
    role = _ROLES[heading[2]]
    conversation, parent, when = place
    reasoning, files, at = "", [], 0
    if role == "assistant":
        if found := REASONING.match(body):
            reasoning, at = _unquoted(found[1]), found.end()
    else:
        while found := FILE.match(body, at):
            files.append(Attachment(found[1], found[3]))
            at = found.end()
    return Message(
        new_id(),
        conversation,
        parent,
        role,
        body[at:].removeprefix(APART),
        when,
        reasoning=reasoning,
        attachments=tuple(files),
        model=(heading[3] or "").strip(),
        outcome=Outcome("stop") if role == "assistant" else None,
    )


def _unquoted(text: str) -> str:
    lines = text.removesuffix("\n").split("\n")
    return "\n".join(line[1:].removeprefix(" ") for line in lines)
