"""What was found out about a host, as people read it: one labelled line for each thing.

The facts are the preflight's (`paperkite doctor --json` has them as they are). The host sent them,
so that every one of them may be missing, null, or of another kind than it ought to be.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import count, groupby

from desktop.core import providers
from desktop.core.amounts import gibibytes, joined, mebibytes, size
from desktop.core.texts import Texts

Facts = Mapping[str, object]
Line = tuple[str, str]  # a label and what is to be said

_MOST_CARDS = 64
_SHOWN = 200  # characters of a text of the host's


def account(facts: Facts, texts: Texts) -> list[Line]:
    """Return the lines for these facts, those about which nothing is known left out."""
    told = (
        ("cards", _cards(facts, texts)),
        ("engine", _engine(facts, texts)),
        ("disk", _disk(facts, texts)),
        ("memory", _memory(facts, texts)),
        ("model", _model(facts, texts)),
        ("network", _network(facts, texts)),
        ("provider", _provider(facts, texts)),
    )
    return [(texts[f"account.{name}"], said) for name, said in told if said]


def _cards(facts: Facts, texts: Texts) -> str:
    if facts.get("no_gpu_boot") is True:
        return texts["account.no-gpu-boot"]
    if facts.get("gpu.count") == 0:
        on_cpu = texts["account.on-cpu"] if _text(facts, "engine.requirement") else ""
        return joined(texts["account.no-cards"], on_cpu)
    found = [_card(facts, index, texts) for index in _indexes(facts)]
    return "; ".join(
        said if (times := len(list(alike))) == 1 else f"{times} × {said}"
        for said, alike in groupby(found)
    )


def _indexes(facts: Facts) -> Iterator[int]:
    for index in count():
        if f"gpu.{index}.name" not in facts or index >= _MOST_CARDS:
            return
        yield index


def _card(facts: Facts, index: int, texts: Texts) -> str:
    total = _number(facts, f"gpu.{index}.memory_total")
    free = _number(facts, f"gpu.{index}.memory_free")
    memory = ""
    if total is not None and free is not None:
        memory = texts("account.card-memory", total=gibibytes(total), free=gibibytes(free))
    held = _text(facts, f"gpu.{index}.holders")
    return joined(
        _text(facts, f"gpu.{index}.name"),
        memory,
        texts("account.held", holders=held) if held else "",
    )


def _engine(facts: Facts, texts: Texts) -> str:
    driver, cuda = _text(facts, "driver.version"), _number(facts, "driver.cuda_major")
    requirement = _text(facts, "engine.requirement")
    told = texts("account.driver", driver=driver, cuda=cuda) if driver and cuda else ""
    if told and requirement:
        return f"{told} → {requirement}"
    return told or requirement


def _disk(facts: Facts, texts: Texts) -> str:
    folder, free = _text(facts, "data_dir"), _number(facts, "disk.free")
    if not folder or free is None:
        return folder
    return texts("account.free", folder=folder, free=size(free))


def _memory(facts: Facts, texts: Texts) -> str:
    free, limit = _number(facts, "memory.available"), _number(facts, "memory.limit")
    if free is None or limit is None:
        return ""
    return texts("account.card-memory", total=gibibytes(limit), free=gibibytes(free))


def _model(facts: Facts, texts: Texts) -> str:
    weights = _number(facts, "model.weights")
    if weights is None:
        return ""
    per_token = _number(facts, "model.kv_per_token")
    if per_token is None:
        return texts("account.weights", weights=gibibytes(weights))
    taken = texts(
        "account.weights-and-cache", weights=gibibytes(weights), cache=mebibytes(per_token)
    )
    length = _number(facts, "model.max_model_len")
    if facts.get("model.fits") is False:
        return f"{taken} → {texts['account.does-not-fit']}"
    if not length:
        return taken
    return f"{taken} → {texts('account.fits', tokens=f'{length:,.0f}')}"


def _network(facts: Facts, texts: Texts) -> str:
    """Return what does not work, or that all does, of what was tried."""
    tried = {
        name: facts.get(name)
        for name in ("forwarding", "hub.reachable", "index.reachable")
        if isinstance(facts.get(name), bool)
    }
    if not tried:
        return ""
    broken = [texts[f"account.no-{name.replace('.', '-')}"] for name in tried if not tried[name]]
    return joined(*broken) or texts["account.network-works"]


def _provider(facts: Facts, texts: Texts) -> str:
    provider = providers.find(facts.get("provider"))
    if provider is None:
        return ""
    return f"{provider.name[texts.language]}: {provider.trap[texts.language]}"


def _number(facts: Facts, name: str) -> float | None:
    value = facts.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        return None
    return value


def _text(facts: Facts, name: str) -> str:
    value = facts.get(name)
    return " ".join(value[:_SHOWN].split()) if isinstance(value, str) else ""
