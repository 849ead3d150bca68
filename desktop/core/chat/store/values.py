"""Our dataclasses as JSON values, and back from JSON that nobody has checked.

The same form stands in columns of the store and in exported files. Reading is forgiving where a
field has a default: an unknown key is left out, and a value that is no good is the default.
"""

from __future__ import annotations

import math
import types
from collections.abc import Callable, Hashable, Mapping
from dataclasses import MISSING, Field, asdict, fields, is_dataclass
from functools import cache
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

Made = TypeVar("Made")
Reader = Callable[[object], Any]


class Unreadable(ValueError):
    """A value that is none of ours."""


def plain(data: Any) -> dict[str, Any]:
    """Return a dataclass as a JSON object, with every text well-formed."""
    values: dict[str, Any] = _cleaned(asdict(data))
    return values


def read(kind: type[Made], value: object) -> Made:
    """Return the dataclass that a JSON value stands for.

    Raises:
        Unreadable: it is no object, or lacks a field that has no default.
    """
    made: Made = _reader(cast(Hashable, kind))(value)
    return made


def well_formed(text: str) -> str:
    """Return the text as UTF-8 can hold it.

    Two halves of a surrogate pair become the character that they are, half of one U+FFFD.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def _cleaned(value: Any) -> Any:
    match value:
        case str():
            return well_formed(value)
        case dict():
            return {name: _cleaned(each) for name, each in value.items()}
        case list() | tuple():
            return [_cleaned(each) for each in value]
    return value


@cache
def _reader(kind: Any) -> Reader:
    if kind in _BARE:
        return _BARE[kind]
    if is_dataclass(kind):
        return _reader_of_fields(kind)
    origin, inner = get_origin(kind), get_args(kind)
    if origin is Literal:
        return _reader_of_choices(inner)
    if origin is tuple:
        return _reader_of_items(_reader(inner[0]))
    if origin in (Union, types.UnionType):
        return _reader_of_optional(_reader(next(each for each in inner if each is not type(None))))
    raise TypeError(f"nothing of ours has fields of type {kind}")


def _reader_of_fields(kind: Any) -> Reader:
    hints = get_type_hints(kind)
    parts = [(each, _reader(hints[each.name])) for each in fields(kind)]

    def take(value: object) -> Any:
        if not isinstance(value, Mapping):
            raise Unreadable("not an object")
        return kind(**{each.name: _field(value, each, reader) for each, reader in parts})

    return take


def _field(value: Mapping[str, object], wanted: Field[Any], reader: Reader) -> Any:
    try:
        return reader(value[wanted.name])
    except (KeyError, Unreadable) as error:
        if wanted.default is not MISSING:
            return wanted.default
        if wanted.default_factory is not MISSING:
            return wanted.default_factory()
        raise Unreadable(f"{wanted.name} is missing or no good") from error


def _reader_of_choices(choices: tuple[object, ...]) -> Reader:
    def take(value: object) -> Any:
        if not isinstance(value, str) or value not in choices:
            raise Unreadable("not one of the choices")
        return value

    return take


def _reader_of_items(item: Reader) -> Reader:
    def take(value: object) -> Any:
        if not isinstance(value, list):
            raise Unreadable("not a list")
        return tuple(item(each) for each in value)

    return take


def _reader_of_optional(inner: Reader) -> Reader:
    return lambda value: None if value is None else inner(value)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise Unreadable("not a text")
    return well_formed(value)


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise Unreadable("not true or false")
    return value


def _whole(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise Unreadable("not a whole number")
    return value


def _number(value: object) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise Unreadable("not a number")
    try:
        number = float(value)
    except OverflowError as error:
        raise Unreadable("too large") from error
    if not math.isfinite(number):
        raise Unreadable("not a finite number")
    return number


_BARE: dict[Any, Reader] = {str: _text, bool: _flag, int: _whole, float: _number}
