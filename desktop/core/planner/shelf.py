"""What is on offer for one host: the catalogue, any other model of the hub, and the host's word.

A model that the catalogue does not have is known by what the host found out about it when it was
last asked; where it was not asked about this one, nothing is said.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from desktop.core.catalogue import Model, models
from desktop.core.last_checks import ASKED_MODEL
from desktop.core.planner.machine import Facts, Machine, whole
from desktop.core.planner.offers import Offer, offers
from desktop.core.planner.plan import Plan, Verdict

_ID = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[\w.-]{1,95}", re.ASCII)


def hub_id(text: str) -> str:
    """Return the hub id in what was typed, "" where it is none."""
    found = _ID.fullmatch(text.strip())
    return found.group() if found else ""


@dataclass(frozen=True, slots=True)
class Shelf:
    """Models and how they are put on a machine.

    Attributes:
        machine: None where nothing is known of it.
        facts: what the host has told, by name.
        length: the context that is asked for, in tokens; 0 = the longest that fits.
        kv_cache_dtype: "auto", "fp8" or "".
        others: hub ids that are not in the catalogue.
    """

    machine: Machine | None = None
    facts: Facts = field(default_factory=dict)
    length: int = 0
    kv_cache_dtype: str = ""
    others: tuple[str, ...] = ()

    def offers(self) -> list[Offer]:
        """Return what is on offer, the best one first; those that nobody knows before all."""
        listed = offers(models().values(), self.machine, self.length, self.kv_cache_dtype)
        known = [self._with_the_hosts_word(one) for one in listed]
        unknown = sorted({name for name in self.others if name} - models().keys())
        return [*map(self._other, unknown), *known]

    def search(self, offered: Sequence[Offer], text: str) -> list[Offer]:
        """Return those of the offers whose name or description has all the words.

        A hub id that is not among them is offered too.
        """
        wanted = hub_id(text)
        found = [one for one in offered if _matches(one.model, text)]
        if not wanted or any(one.model.id == wanted for one in offered):
            return found
        return [self._other(wanted), *found]

    def _with_the_hosts_word(self, offer: Offer) -> Offer:
        """Return the offer; where the host itself has said no to it, that is what counts."""
        refused = self.facts.get("model.fits") is False and not self.facts.get(
            "model.max_model_len"
        )
        if not (offer.plan.fits and refused and self.facts.get(ASKED_MODEL) == offer.model.id):
            return offer
        return Offer(offer.model, replace(offer.plan, verdict=Verdict.TOO_LARGE))

    def _other(self, name: str) -> Offer:
        """Return a model of which only the host knows anything."""
        told = self.facts if self.facts.get(ASKED_MODEL) == name else {}
        weights = whole(told, "model.weights") or 0
        return Offer(_unknown(name, weights), _plan_of(told, self.machine))


def _matches(model: Model, search: str) -> bool:
    text = " ".join((model.id, *model.description.values())).lower()
    return all(word in text for word in search.lower().split())


def _unknown(name: str, weights: int) -> Model:
    return Model(
        id=name,
        description={},
        licence="",
        weight_bytes=weights,
        layers=0,
        heads=0,
        kv_heads=0,
        head_dim=0,
        hidden=0,
        intermediate=0,
        vocab=0,
        native_length=0,
        context=0,
        checked={},
    )


def _plan_of(told: Mapping[str, object], machine: Machine | None) -> Plan:
    """Return the plan that the host made."""
    fits, weights = told.get("model.fits"), whole(told, "model.weights") or 0
    if not isinstance(fits, bool) or machine is None:
        return Plan(Verdict.UNKNOWN, weights=weights)
    length = whole(told, "model.max_model_len") or 0
    cards = machine.cards[: max(1, whole(told, "engine.tensor_parallel") or 1)]
    refused = Verdict.TOO_LONG if length else Verdict.TOO_LARGE
    return Plan(
        verdict=Verdict.FITS if fits else refused,
        length=length,
        longest=length,
        kv_cache_dtype="fp8" if told.get("engine.kv_cache_dtype") == "fp8" else "auto",
        cards=len(cards),
        weights=weights,
        kv=length * (whole(told, "model.kv_per_token") or 0),
        held=sum(card.total - card.free for card in cards),
        total=sum(card.total for card in cards),
        needed=weights,
        room=sum(card.free for card in cards),
    )
