"""The catalogue as a person chooses from it: each model with its plan, the best one first."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from desktop.core.catalogue import Model
from desktop.core.planner.machine import Machine
from desktop.core.planner.plan import Plan, Verdict, plan

_ABOUT_AS_LARGE = 1.15  # no more than so many times: then other things decide
_ENOUGH = 4096  # tokens of context for a chat; the larger model is better company then
_HARDLY = (Verdict.TOO_LONG, Verdict.BUSY)


@dataclass(frozen=True, slots=True)
class Offer:
    """A model, and what comes of it on a machine."""

    model: Model
    plan: Plan


def offers(
    models: Iterable[Model], machine: Machine | None, length: int = 0, kv_cache_dtype: str = ""
) -> list[Offer]:
    """Return every model with its plan, the best one first.

    Those that fit come first, those with enough context for a chat before the others, and the
    larger (the more able) before the smaller; of those about as large, the one that thinks when
    asked to. Where nothing is known the catalogue's own order stays.
    """
    made = [Offer(each, plan(each, machine, length, kv_cache_dtype)) for each in models]
    if all(one.plan.verdict is Verdict.UNKNOWN for one in made):
        return made
    return sorted(made, key=_rank)


def _rank(offer: Offer) -> tuple[float, ...]:
    model, found = offer.model, offer.plan
    size = round(math.log(max(model.weight_bytes, 1), _ABOUT_AS_LARGE))
    if found.fits:
        is_short = found.longest < _ENOUGH
        return (0, is_short, -size, _is_special(model), -found.longest)
    return (1 if found.verdict in _HARDLY else 2, 0, model.weight_bytes)


def _is_special(model: Model) -> int:
    """Return 0 for a model for everything that also thinks, more for others, most for one craft."""
    if "coder" in model.id.lower():
        return 3
    return {"switch": 0, "never": 1, "always": 2}[model.thinking]


def preselected(offered: Iterable[Offer], earlier: str = "", avoided: Collection[str] = ()) -> str:
    """Return the id of the model to begin with, "" where there is none.

    Args:
        offered: the best one first.
        earlier: the model that was used before: it is taken where it fits.
        avoided: models that have just been seen to fail.
    """
    listed = list(offered)
    fitting = [one.model.id for one in listed if one.plan.fits and one.model.id not in avoided]
    unknown = [
        one.model.id
        for one in listed
        if one.plan.verdict is Verdict.UNKNOWN and one.model.id not in avoided
    ]
    if earlier in fitting or (earlier and earlier in unknown):
        return earlier
    rest = [one.model.id for one in listed if one.model.id not in avoided]
    return next(iter([*fitting, *([] if earlier else unknown), *rest]), "")
