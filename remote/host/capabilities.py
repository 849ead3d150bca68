"""Compute capabilities by a card's name, for drivers too old to tell (`compute_cap` came with 510).

Source: NVIDIA, "CUDA GPU Compute Capability" and its legacy list (developer.nvidia.com/cuda-gpus).
"""

import re
from typing import Optional, Tuple

Capability = Tuple[int, int]

# The first pattern that is found in the name decides, so the longer names stand above the shorter.
_BY_NAME: Tuple[Tuple[str, Capability], ...] = (
    (r"RTX PRO|RTX 50[5-9]0", (12, 0)),
    (r"\bGB10\b", (12, 1)),
    (r"\bG?B300\b", (10, 3)),
    (r"\bG?B200\b", (10, 0)),
    (r"\b(H100|H200|H800|H20|GH200)\b", (9, 0)),
    (r"RTX 40[5-9]0|RTX [2456]\d{3} Ada|\b(L4|L20|L40S?)\b", (8, 9)),
    (r"\b(A100|A800|A30)\b|PG509", (8, 0)),
    (r"RTX 30[5-9]0|RTX A\d{3,4}|\b(A10G?|A16|A40|A2)\b", (8, 6)),
    (r"RTX 20[5-8]0|TITAN RTX|Quadro RTX|GTX 16\d0|\bT4G?\b|\bT\d{3,4}\b", (7, 5)),
    (r"\bV100|TITAN V|Quadro GV100|PG50[0-3]", (7, 0)),
    (r"\bP100", (6, 0)),
    (r"GTX 10\d0|TITAN X[Pp]?\b|\bP(4|6|40)\b|Quadro P\d{3,4}", (6, 1)),
    (r"\bM(4|6|10|40|60)\b|GTX 9\d0", (5, 2)),
    (r"\bK80\b", (3, 7)),
)


def of_card(name: str) -> Optional[Capability]:
    """Return the capability of the card with this name, or None where it is not in the table."""
    return next((found for pattern, found in _BY_NAME if re.search(pattern, name)), None)
