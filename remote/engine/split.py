"""How a model can be shared out over cards: vLLM's divisibility rules, and what we prefer.

Tensor parallelism goes first: every card reads only its part of the weights for each token, and
reading them is what one person's reply waits for, so it is used even where one card would do.
Pipeline parallelism adds room but no speed (the cards work one after the other): it is tried where
it uses cards that tensor parallelism cannot.
"""

from typing import List, NamedTuple

from remote.engine.shape import Shape


class Split(NamedTuple):
    """One way to share a model out.

    Attributes:
        tensor: cards that share each layer.
        pipeline: groups of cards that share the layers out, over all hosts.
        cards: cards used on this host.
    """

    tensor: int
    pipeline: int
    cards: int

    @property
    def world(self) -> int:
        """All cards together, those of the other hosts among them."""
        return self.tensor * self.pipeline


def splits(shape: Shape, count: int, hosts: int = 1) -> List[Split]:
    """Return the ways that use up to `count` equal cards of each host, the preferred one first.

    A way that uses no more cards than an earlier one is left out. Hosts are joined by pipeline
    parallelism: it sends the least over their network. There is always one way.
    """
    found: List[Split] = []
    for tensor in range(count, 0, -1):
        if not divides(shape, tensor):
            continue
        for groups in sorted({1, count // tensor}):
            used = tensor * groups
            if groups * hosts <= shape.layers and all(used > one.cards for one in found):
                found.append(Split(tensor, groups * hosts, used))
    return found or [Split(1, hosts, 1)]


def divides(shape: Shape, tensor: int) -> bool:
    """Tell whether vLLM can share each layer over so many cards.

    Heads are shared out evenly, KV heads too or each to several cards; no group of quantized
    weights may be cut (`layers/linear.py`, `marlin_utils.check_marlin_supports_layer`, 0.33).
    """
    heads, kv_heads, group = shape.heads, shape.kv_heads, shape.group_size
    if heads % tensor or (kv_heads % tensor and tensor % kv_heads):
        return False
    return all(width % tensor == 0 and _keeps_groups(width // tensor, group) for width in shape.cut)


def _keeps_groups(width: int, group: int) -> bool:
    return not group or width % group == 0
