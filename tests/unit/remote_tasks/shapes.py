"""Models and cards for the tests of the planner: the numbers of real config.json files."""

from __future__ import annotations

from typing import Any

from remote.engine.memory import MIB
from remote.engine.shape import Shape, read
from remote.host.gpus import Gpu, Holder

AWQ = {"quant_method": "awq", "bits": 4, "group_size": 128, "version": "gemm", "zero_point": True}


def config(**fields: Any) -> dict[str, Any]:
    """Return a config.json of Yi-34B-Chat-4bits, with some fields changed; None takes one out."""
    whole = {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_size": 7168,
        "intermediate_size": 20480,
        "num_hidden_layers": 60,
        "num_attention_heads": 56,
        "num_key_value_heads": 8,
        "max_position_embeddings": 4096,
        "vocab_size": 64000,
        "torch_dtype": "float16",
        "quantization_config": AWQ,
        **fields,
    }
    return {name: value for name, value in whole.items() if value is not None}


def _model(sizes: tuple[int, ...], weight_bytes: float, **more: Any) -> Shape:
    names = (
        "num_hidden_layers",
        "num_attention_heads",
        "num_key_value_heads",
        "hidden_size",
        "intermediate_size",
        "vocab_size",
        "max_position_embeddings",
    )
    numbers = {name: sizes[index] for index, name in enumerate(names)}
    shape = read(config(**numbers, **more), int(weight_bytes))
    assert shape is not None
    return shape


YI_34B = _model((60, 56, 8, 7168, 20480, 64000, 4096), 19.23e9)
QWEN25_7B = _model((28, 28, 4, 3584, 18944, 152064, 32768), 5.57e9)
QWEN25_14B = _model((48, 40, 8, 5120, 13824, 152064, 32768), 9.98e9)
QWEN3_14B = _model((40, 40, 8, 5120, 17408, 151936, 40960), 9.98e9, head_dim=128)
QWEN25_32B = _model((64, 40, 8, 5120, 27648, 152064, 32768), 19.33e9)
QWEN3_32B = _model((64, 64, 8, 5120, 25600, 151936, 40960), 19.33e9, head_dim=128)
R1_32B = _model((64, 40, 8, 5120, 27648, 152064, 131072), 19.33e9)
QWEN25_72B = _model((80, 64, 8, 8192, 29696, 152064, 32768), 41.6e9)
LLAMA_8B_FP16 = _model((32, 32, 8, 4096, 14336, 128256, 131072), 16.06e9, quantization_config=None)
# Every fourth layer keeps keys and values, the others a state of fixed size.
LINEAR: dict[str, Any] = {
    "layer_types": ["linear_attention", "linear_attention", "linear_attention", "full_attention"],
    "linear_num_key_heads": 16,
    "linear_num_value_heads": 48,
    "linear_key_head_dim": 128,
    "linear_value_head_dim": 128,
    "linear_conv_kernel_dim": 4,
}
QWEN36_27B = _model(
    (64, 24, 4, 5120, 17408, 248320, 262144),
    22.5e9,
    head_dim=256,
    **{**LINEAR, "layer_types": 16 * LINEAR["layer_types"]},
)
ALL = (
    QWEN36_27B,
    YI_34B,
    QWEN25_7B,
    QWEN25_14B,
    QWEN3_14B,
    QWEN25_32B,
    QWEN3_32B,
    R1_32B,
    QWEN25_72B,
    LLAMA_8B_FP16,
)


def card(
    name: str,
    total_mib: int,
    capability: tuple[int, int] | None,
    *,
    held_mib: int = 0,
    driver: str = "580.65.06",
) -> Gpu:
    """Return a card as nvidia-smi tells of it, some of its memory held by somebody else."""
    free = (total_mib - 482 - held_mib) * MIB
    holders = (Holder(4711, "python3", held_mib * MIB),) if held_mib else ()
    return Gpu(name, total_mib * MIB, free, driver, capability, holders)


RTX_4090 = card("NVIDIA GeForce RTX 4090", 24564, (8, 9))
RTX_3090 = card("NVIDIA GeForce RTX 3090", 24576, (8, 6))
RTX_3060 = card("NVIDIA GeForce RTX 3060", 12288, (8, 6))
RTX_2080_TI = card("NVIDIA GeForce RTX 2080 Ti", 11264, (7, 5))
V100 = card("Tesla V100-SXM2-32GB", 32768, (7, 0))
A100 = card("NVIDIA A100-SXM4-80GB", 81920, (8, 0))
H100 = card("NVIDIA H100 80GB HBM3", 81559, (9, 0))
H200 = card("NVIDIA H200", 143771, (9, 0))
BUSY_4090 = card("NVIDIA GeForce RTX 4090", 24564, (8, 9), held_mib=20480)
