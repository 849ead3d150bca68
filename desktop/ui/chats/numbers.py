"""The numbers of a conversation's settings: what they may be, and how they are typed. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Number:
    """One field of `Sampling`.

    Attributes:
        name: of the field.
        low: the least that vLLM takes.
        high: the most that makes sense.
        whole: whether it is an integer.
    """

    name: str
    low: float
    high: float
    whole: bool = False


# Bounds: vLLM's own checks in SamplingParams; the upper ones without a check are generous.
NUMBERS = (
    Number("temperature", 0.0, 2.0),
    Number("top_p", 0.0, 1.0),
    Number("top_k", -1, 1_000_000, whole=True),
    Number("min_p", 0.0, 1.0),
    Number("repetition_penalty", 0.01, 2.0),
    Number("max_tokens", 1, 10_000_000, whole=True),
    Number("seed", -(1 << 63), (1 << 63) - 1, whole=True),
)


def typed(number: Number, text: str) -> float | int | None:
    """Return what was typed, or None for nothing.

    Raises:
        ValueError: it is no number, or out of its bounds.
    """
    text = text.strip().replace("，", ".").replace(",", ".").replace("_", "")
    if not text:
        return None
    read: Callable[[str], float | int] = int if number.whole else float
    value = read(text)
    if not number.low <= value <= number.high:  # NaN is between nothing
        raise ValueError(text)
    return value


def shown(value: float | None) -> str:
    """Return a number as it is typed."""
    return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def stops(text: str) -> tuple[str, ...]:
    r"""Return the stop sequences, one a line; `\n` in a line is a line break."""
    lines = [line.replace("\\n", "\n") for line in text.split("\n")]
    return tuple(line for line in lines if line)


def stops_text(stop: tuple[str, ...]) -> str:
    """Return stop sequences as they are typed."""
    return "\n".join(each.replace("\n", "\\n") for each in stop)
