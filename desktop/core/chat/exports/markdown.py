"""One conversation as Markdown that people read: the branch that is read, nothing measured.

    # title
    **System**  and the system prompt, quoted; where there is one
    ## User
    **name**  and a file, fenced; for each that was attached
    what was said
    ## Assistant · model
    <details> with the reasoning, quoted; where there is some
    what was said

`markdown_in.py` reads it back. What was said stands as it is, but for two things that would be read
as ours: a line that looks like a heading between messages gets a backslash, and before a beginning
that looks like a file or reasoning stands an empty comment.
"""

from __future__ import annotations

import re
import time
from collections.abc import Set

from desktop.core.chat import tree
from desktop.core.chat.conversation import Attachment, Conversation, Message, Role
from desktop.core.chat.exports.whole import Whole
from desktop.core.chat.store.values import well_formed

_NO_NAME = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*]+')  # of a file, on Windows
_LONGEST = 60  # characters of a file's name: 240 bytes, where a name may have 255
_FENCE = re.compile(r"^\s*(`{3,})", re.MULTILINE)
APART = "<!-- -->\n\n"  # ends what stands before the words
# One heading between messages; in words that a message holds there is a backslash more.
HEADING = re.compile(
    r"^(\\*)## (User|Assistant|System|用户|助手|系统)(?: · (.*)|[ \t]*)$", re.MULTILINE
)
REASONING = re.compile(
    r"<details>\n<summary>(?:Reasoning|思考过程)</summary>\n\n((?:>.*\n)+)\n</details>(?:\n\n|\Z)"
)
FILE = re.compile(r"\*\*([^\n]*)\*\*\n\n(`{3,})\n(.*?)\n\2(?:\n\n|\Z)", re.DOTALL)


def document(whole: Whole) -> str:
    """Return the conversation as one Markdown text."""
    conversation = whole.conversation
    title = " ".join(conversation.title.split()) or _day(conversation.created)
    parts = [f"# {title}"]
    if conversation.setup.system:
        parts.append(f"**System**\n\n{_quoted(conversation.setup.system)}")
    parts += [_message(each) for each in _path(whole)]
    return well_formed("\n\n".join(parts) + "\n")


def file_name(conversation: Conversation, taken: Set[str] = frozenset()) -> str:
    """Return a name for the file that every system takes, and that is none of those `taken`.

    Args:
        conversation: it begins with the day it was begun, so that files sort by time.
        taken: names in the folder, in lower case.
    """
    title = _NO_NAME.sub(" ", well_formed(conversation.title))
    title = " ".join(title.split())[:_LONGEST].strip(" .")
    stem = f"{_day(conversation.created)} {title}".strip()
    names = (f"{stem}{more}.md" for more in ("", *(f" ({n})" for n in range(2, len(taken) + 3))))
    return next(each for each in names if each.lower() not in taken)


def _path(whole: Whole) -> list[Message]:
    messages = {each.id: each for each in whole.messages}
    return tree.path(messages, tree.standing(messages, whole.conversation.leaf))


def _message(message: Message) -> str:
    who = {"user": "User", "assistant": "Assistant", "system": "System"}[message.role]
    model = " ".join(message.model.split())
    parts = []
    if message.reasoning:
        quoted = _quoted(message.reasoning)
        parts.append(f"<details>\n<summary>Reasoning</summary>\n\n{quoted}\n\n</details>")
    parts += [_attachment(each) for each in message.attachments]
    words = message.content
    if words:
        parts.append(APART + words if looks_like_ours(words, message.role) else words)
    body = HEADING.sub(r"\\\g<0>", "\n\n".join(parts))
    return f"## {who}" + (f" · {model}" if model else "") + (f"\n\n{body}" if body else "")


def looks_like_ours(words: str, role: Role) -> bool:
    """Tell whether what somebody said begins as what stands before it would."""
    first = REASONING if role == "assistant" else FILE
    return words.startswith(APART) or first.match(words) is not None


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}" if line else ">" for line in text.split("\n"))


def _attachment(attachment: Attachment) -> str:
    longest = max((len(each) for each in _FENCE.findall(attachment.text)), default=2)
    fence = "`" * (longest + 1)
    name = " ".join(attachment.name.split())
    text = attachment.text.removesuffix("\n")
    return f"**{name}**\n\n{fence}\n{text}\n{fence}"


def _day(seconds: float) -> str:
    try:
        return time.strftime("%Y-%m-%d", time.localtime(seconds))
    except (ValueError, OverflowError, OSError):  # a file may say any number
        return "undated"
