"""What a model takes on each card: a few formulas, each checked against an engine's own account.

Measured with vLLM 0.26 on an H200 and an H100 that were held to a smaller card's memory, AWQ models
with groups of 128 and 8 sequences, in GiB (`tests/data/engine-logs/vllm-0.26.0-h200-*.log`):

    shape        files  budget  batched   weights  activation  non-torch  graphs    cache
    Yi-34B       17.91   22.40    2,048     18.27        0.91       0.22    0.11     2.99
    Yi-34B       17.91   21.38    8,192     18.41        1.31       0.22    0.11     1.43
    Qwen2.5-32B  18.00   22.40    2,048     18.35        1.49       0.22    0.12     2.33
    Qwen2.5-7B    5.19   22.40    2,048      5.27        1.04       0.22    0.07    15.86

All is rounded up: a length that is a little too short serves, one too long costs a start.
"""

from typing import NamedTuple

from remote.engine.shape import Shape
from remote.engine.split import Split

MIB = 1 << 20
GIB = 1 << 30

# Quantized weights are kept with padding and workspaces: 1.015 to 1.020 of the files' bytes with
# expandable segments, as we start it on one card, 1.028 without.
LOADED_PER_FILE_BYTE = 1.024

# One person talks to it: few sequences make fewer CUDA graphs and leave more room for the cache.
MAX_NUM_SEQS = 8

BATCHED_TOKENS = 2048  # vLLM's default for one forward pass on a card below 70 GiB, ...
BATCHED_TOKENS_FROM = ((160 * GIB, 16384), (70 * GIB, 8192))  # ... and on larger ones (0.32)

# With many tokens the peak is in an MLP: gate and up, their product, the residual and its in- and
# output, 1.31 GiB for Yi-34B and 8,192 tokens. With few it is at the output layer, which is there
# twice for a moment: 0.91, 1.49 and 1.04 GiB for the three shapes and 2,048 tokens.
_INNER_WIDTHS = 3.0
_OUTER_WIDTHS = 3.4
# The sampler keeps a few copies of the logits in 32 bits: 0.58 GiB for 256 sequences of a Qwen
# (logs of 24 GB cards: 0.57 to 0.6 GiB), next to nothing for 8.
_LOGIT_BYTES = 4 * 4

NON_TORCH = 230 * MIB  # 0.22 GiB measured
# NCCL's buffers on each of several cards: with it 2 x 4090 leave what was estimated for them. Two
# H200s (NVLink) took 0.07 GiB.
BETWEEN_CARDS = 600 * MIB
GRAPHS = 115 * MIB  # 0.11 GiB measured for 8 sequences; 1.81 GiB for 256
PICTURES = 1536 * MIB  # for the encoder of a model that sees, in its largest pass; not measured
# Linear attention's state is kept in up to 32 bits. Room for all sequences is kept free: one with
# the longest context needs less, and the pages it comes in are rounded up. Not measured.
_STATE_BYTES = 4

UNPACKING_SINCE = (0, 27)


class Needs(NamedTuple):
    """What the fullest of the cards needs, in bytes.

    Attributes:
        weights: as the engine reports them when loaded.
        activation: at the peak of a forward pass.
        non_torch: what the engine's libraries take inside its budget.
        graphs: of CUDA.
        loading: passing need while the weights are unpacked, beside them.
        kv_per_token: of the cache, with 16 bits.
        states: of linear attention, for all sequences.
    """

    weights: int
    activation: int
    non_torch: int
    graphs: int
    loading: int
    kv_per_token: int
    states: int = 0

    @property
    def overhead(self) -> int:
        """Everything inside the budget but weights and cache."""
        return self.activation + self.non_torch + self.graphs + self.states


def needs(shape: Shape, split: Split, batched_tokens: int, sequences: int) -> Needs:
    """Return what each card needs where a model is shared out like this."""
    layers = -(-shape.attention_layers // split.pipeline)
    return Needs(
        weights=weights(shape, split),
        activation=activation(shape, split.tensor, batched_tokens, sequences),
        non_torch=NON_TORCH + (BETWEEN_CARDS if split.world > 1 else 0),
        graphs=GRAPHS,
        loading=loading(shape, split.tensor),
        kv_per_token=2 * layers * max(1, shape.kv_heads // split.tensor) * shape.head_dim * 2,
        states=sequences * shape.state * _STATE_BYTES // split.world,
    )


def kv_per_token(shape: Shape, kv_cache_dtype: str) -> int:
    """Return the bytes of one token in the cache, of the whole model: keys and values."""
    each = 1 if kv_cache_dtype == "fp8" else 2
    return 2 * shape.attention_layers * shape.kv_heads * shape.head_dim * each


def loaded(shape: Shape) -> int:
    """Return the bytes of all weights when loaded."""
    return round(shape.weight_bytes * (LOADED_PER_FILE_BYTE if shape.bits < 16 else 1.0))


def weights(shape: Shape, split: Split) -> int:
    """Return the bytes of weights on the fullest card.

    The layers are shared out as evenly as they can be; the embedding goes to the first group of
    cards and the output layer to the last.
    """
    total = loaded(shape)
    ends = min(total, 2 * shape.vocab * shape.hidden * 2)
    if split.pipeline > 1:
        groups_layers = -(-shape.layers // split.pipeline)
        return ((total - ends) * groups_layers // shape.layers + ends // 2) // split.tensor
    return total // split.tensor


def activation(shape: Shape, tensor: int, batched_tokens: int, sequences: int) -> int:
    """Return the peak of a forward pass: in an MLP, at the output layer or in the sampler."""
    widths = _INNER_WIDTHS * shape.intermediate / tensor + _OUTER_WIDTHS * shape.hidden
    mlp = batched_tokens * 2 * widths
    output = (shape.vocab / tensor + 2 * batched_tokens) * shape.hidden * 2
    sampler = sequences * shape.vocab * _LOGIT_BYTES
    return int(max(mlp, output, sampler)) + (PICTURES if shape.sees else 0)


def loading(shape: Shape, tensor: int) -> int:
    """Return what unpacking the largest quantized layer takes for a moment.

    `_convert_awq_to_standard_format` (0.27 and newer) holds gate and up twice as 32-bit numbers:
    2.2 GiB for Yi-34B. It happens before the cache is made, outside the budget.
    """
    return 2 * shape.hidden * 2 * shape.intermediate * 4 // tensor if shape.bits < 16 else 0


def batched_tokens(card_bytes: int, card_name: str) -> int:
    """Return vLLM's own number of tokens in one forward pass on a card (`arg_utils.py`, 0.32)."""
    for least, tokens in BATCHED_TOKENS_FROM:
        if card_bytes >= least and ("a100" not in card_name.lower() or least > 70 * GIB):
            return tokens
    return BATCHED_TOKENS
