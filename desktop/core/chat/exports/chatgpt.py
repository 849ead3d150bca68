"""ChatGPT's export (`conversations.json`): a list of conversations, each a tree of nodes.

    {"title": …, "create_time": …, "update_time": …, "current_node": id, "mapping":
     {id: {"id": …, "parent": id or null, "children": […], "message": null or
           {"author": {"role": …}, "create_time": …, "content": {"content_type": …, "parts": […]},
            "metadata": {"model_slug": …}}}}}

Nobody has documented it, so it is read by what exports hold. All branches are kept. Nodes that say
nothing to a person (tools, hidden system messages, pictures) are left out, and what hangs on them
moves up to the node before. So are the marks that its replies hold for its own page (`marks.py`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from desktop.core.chat.conversation import Conversation, Message, Outcome, Role
from desktop.core.chat.exports import marks
from desktop.core.chat.exports.whole import Whole
from desktop.core.chat.ids import new_id
from desktop.core.chat.store.values import well_formed

_ROLES: dict[str, Role] = {"user": "user", "assistant": "assistant"}
_MOST_THOUGHTS = 32  # nodes before one reply
_SAID = ("text", "multimodal_text", "code")
_TITLE = 200  # characters
_LATEST = 4_102_444_800.0  # the year 2100


def is_theirs(value: object) -> bool:
    """Return whether a JSON value looks like their list of conversations."""
    return isinstance(value, list) and any(_is_conversation(each) for each in value)


def conversations_of(value: list[object]) -> list[Whole]:
    """Return the conversations in a file's value; those in which nothing was said are left out."""
    found = [_whole(each) for each in value if isinstance(each, Mapping) and _is_conversation(each)]
    return [each for each in found if each.messages]


def _is_conversation(value: object) -> bool:
    return isinstance(value, Mapping) and isinstance(value.get("mapping"), Mapping)


def _whole(entry: Mapping[str, Any]) -> Whole:
    name = new_id()
    nodes = {key: node for key, node in entry["mapping"].items() if isinstance(node, Mapping)}
    order = list(_parents_first(nodes))
    ids = {key: new_id() for key in order if _said(nodes[key])}
    nearest = _nearest(nodes, order, ids)
    began = _time(entry.get("create_time"), 0.0)
    messages = tuple(_message(key, name, nodes, nearest, ids, began) for key in ids)
    leaf = ids.get(nearest.get(_text(entry.get("current_node")), ""), "")
    title = _text(entry.get("title"))[:_TITLE]
    conversation = Conversation(
        name,
        title,
        began,
        max(_time(entry.get("update_time"), began), began),
        leaf or (messages[-1].id if messages else ""),
        archived=entry.get("is_archived") is True,
    )
    return Whole(conversation, messages)


def _message(
    key: str,
    conversation: str,
    nodes: Mapping[str, Any],
    nearest: Mapping[str, str],
    ids: Mapping[str, str],
    began: float,
) -> Message:
    message = nodes[key]["message"]
    parent = _parent(nodes[key])
    role = _ROLES[_role(message)]
    is_reply = role == "assistant"
    return Message(
        ids[key],
        conversation,
        ids.get(nearest.get(parent, ""), ""),
        role,
        _said(nodes[key]),
        _time(message.get("create_time"), began),
        reasoning=_thoughts(parent, nodes, ids) if is_reply else "",
        model=_model(message) if is_reply else "",
        outcome=Outcome("stop") if is_reply else None,
    )


def _parents_first(nodes: Mapping[str, Any]) -> Iterator[str]:
    """Return each node's key once, after that of its parent; those of a ring not at all."""
    children: dict[str, list[str]] = {}
    for key, node in nodes.items():
        parent = _parent(node)
        children.setdefault(parent if parent in nodes else "", []).append(key)
    waiting = children.get("", [])[::-1]
    while waiting:
        key = waiting.pop()
        yield key
        if key:  # "" is where the first ones hang
            waiting += children.get(key, [])[::-1]


def _parent(node: Mapping[str, Any]) -> str:
    parent = node.get("parent")
    return parent if isinstance(parent, str) else ""


def _nearest(
    nodes: Mapping[str, Any], order: Iterable[str], ids: Mapping[str, str]
) -> dict[str, str]:
    """Return for each node itself if it is kept, else the nearest above it that is, or ""."""
    nearest: dict[str, str] = {}
    for key in order:
        nearest[key] = key if key in ids else nearest.get(_parent(nodes[key]), "")
    return nearest


def _thoughts(key: str, nodes: Mapping[str, Any], ids: Mapping[str, str]) -> str:
    """Return what stands in the nodes of thoughts between a reply and what was said before it."""
    found: list[str] = []
    for _ in range(_MOST_THOUGHTS):
        if key not in nodes or key in ids:
            break
        content = _content(nodes[key])
        if content.get("content_type") == "thoughts" and isinstance(content.get("thoughts"), list):
            thoughts = (each for each in content["thoughts"] if isinstance(each, Mapping))
            found.append("\n\n".join(_text(each.get("content")) for each in thoughts))
        key = _parent(nodes[key])
    return "\n\n".join(text for text in reversed(found) if text)


def _said(node: Mapping[str, Any]) -> str:
    """Return what a person or the model says in a node, or "" where that is nothing to keep."""
    message = node.get("message")
    if not isinstance(message, Mapping) or _role(message) not in _ROLES:
        return ""
    metadata = message.get("metadata")
    if isinstance(metadata, Mapping) and metadata.get("is_visually_hidden_from_conversation"):
        return ""
    to = message.get("recipient")
    content = _content(node)
    if to not in (None, "all") or content.get("content_type") not in _SAID:
        return ""  # said to a tool
    parts = content.get("parts")
    texts = parts if isinstance(parts, list) else [content.get("text")]
    said = "\n\n".join(text for each in texts if (text := _text(each)))
    return marks.without(said) if _role(message) == "assistant" else said


def _role(message: Mapping[str, Any]) -> str:
    author = message.get("author")
    return _text(author.get("role")) if isinstance(author, Mapping) else ""


def _content(node: Mapping[str, Any]) -> Mapping[str, Any]:
    message = node.get("message")
    content = message.get("content") if isinstance(message, Mapping) else None
    return content if isinstance(content, Mapping) else {}


def _model(message: Mapping[str, Any]) -> str:
    metadata = message.get("metadata")
    return _text(metadata.get("model_slug"))[:_TITLE] if isinstance(metadata, Mapping) else ""


def _text(value: object) -> str:
    return well_formed(value) if isinstance(value, str) else ""


def _time(value: object, otherwise: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return otherwise
    return float(value) if math.isfinite(value) and 0 <= value <= _LATEST else otherwise
