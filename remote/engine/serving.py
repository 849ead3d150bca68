"""What one attempt to serve is made with: the first one, and those that a remedy makes of it."""

from pathlib import Path
from typing import Any, Mapping, NamedTuple, Optional, Sequence, Tuple

from remote.engine.budget import cuda_free
from remote.engine.choice import is_old, parse
from remote.engine.fit import Fit
from remote.engine.memory import MAX_NUM_SEQS
from remote.engine.versions import Version, numbers
from remote.host.gpus import Gpu
from remote.packages.places import Places


class Serving(NamedTuple):
    """What one attempt to serve is made with.

    Attributes:
        argv: the command that starts the engine (the fact `engine.argv`).
        env: the engine's environment folder, "" where there is none.
        version: of the engine; () is taken for a new one.
        model_path: the folder of the model's files.
        gpu_count: 0 makes it a CPU engine.
        port: where it will listen.
        places: where its caches go.
        fit: how the model is put on the cards, None where its shape is unknown.
        has_compiler: whether there is a C compiler, without which nothing can be compiled.
        has_nvcc: whether there is CUDA's.
        has_template: whether the model's tokenizer has a chat template.
        has_old_quantization: whether the model has a quant_config.json, and nothing about its
            quantization in config.json.
        cards: that are used.
        own_address: this host's on the private network of several, "" where it is not known.
        fitted_length: the longest context that the last attempt said would fit, 0 for none.
        remedies: names of those tried already.
        dropped: options of ours that its version does not know, by their long names.
        max_num_seqs: how many requests are answered at a time.
        dtype: of the computation; wins over the spec's, "" = as that says.
        eager: whether it is to start without compilation and CUDA graphs.
        utilization: of the cards' memory; wins over the fit's.
    """

    argv: Tuple[str, ...]
    env: str
    version: Version
    model_path: str
    gpu_count: int
    port: int
    places: Places
    fit: Optional[Fit] = None
    has_compiler: bool = True
    has_nvcc: bool = False
    has_template: bool = True
    has_old_quantization: bool = False
    cards: Tuple[Gpu, ...] = ()
    own_address: str = ""
    fitted_length: int = 0
    remedies: Tuple[str, ...] = ()
    dropped: Tuple[str, ...] = ()
    max_num_seqs: int = MAX_NUM_SEQS
    dtype: str = ""
    eager: bool = False
    utilization: Optional[float] = None

    @property
    def capability(self) -> Optional[Tuple[int, int]]:
        """The least compute capability of its cards, None where it is not known."""
        known = [card.capability for card in self.cards if card.capability is not None]
        return min(known, default=None)

    def is_since(self, first: Version) -> bool:
        """Tell whether its engine is of a version or newer; an unknown one is taken for new."""
        return not self.version or self.version >= first


def serving(
    facts: Mapping[str, Any], port: int, cards: Sequence[Gpu] = (), fit: Optional[Fit] = None
) -> Serving:
    """Return the first attempt's serving, from the facts that the earlier tasks left.

    Args:
        facts: those of preflight, engine-environment and model-files.
        port: a free one.
        cards: the host's, looked at just now.
        fit: planned with just these; without one the freest card that is not too old is used.
    """
    is_cpu = parse(facts.get("engine.requirement") or "").build == "cpu"
    if fit is not None:
        used = [cards[place] for place in fit.cards]
    else:
        used = sorted(cards, key=lambda card: (is_old(card), -cuda_free(card)))[:1]
    return Serving(
        argv=tuple(facts["engine.argv"]),
        env=facts.get("engine.env") or "",
        version=numbers(facts.get("engine.version") or ""),
        model_path=facts["model.path"],
        gpu_count=0 if is_cpu else len(cards) or facts.get("gpu.count") or 0,
        port=port,
        places=Places(Path(facts["data_dir"])),
        fit=fit,
        has_compiler=bool(facts.get("compiler", True)),
        has_nvcc=bool(facts.get("nvcc")),
        cards=() if is_cpu else tuple(used),
    )
