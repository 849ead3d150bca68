"""Several hosts that serve one model together: vLLM's own `--nnodes` mode, without Ray.

Every host starts the same command with its own rank; the head (rank 0) serves, the others have no
HTTP. Known from 0.14.1 on. The hosts have to reach each other on a private network: what runs
between them is neither encrypted nor authenticated.
"""

import socket
from typing import Dict, List

from remote.engine.options import Option
from remote.spec import Spec


def arguments(spec: Spec) -> List[Option]:
    """Return the options of one of several hosts, [] where there is only one."""
    if spec.node_count < 2:
        return []
    found: List[Option] = [
        ("--nnodes", str(spec.node_count)),
        ("--node-rank", str(spec.node_rank)),
        ("--master-addr", spec.head_address),
        ("--master-port", str(spec.head_port)),
    ]
    return [*found, ("--headless",)] if spec.node_rank else found


def variables(spec: Spec, own_address: str) -> Dict[str, str]:
    """Return what tells vLLM which of the host's addresses the others can reach."""
    if spec.node_count < 2 or not own_address:
        return {}
    return {"VLLM_HOST_IP": own_address}


def own_address(spec: Spec) -> str:
    """Return the address that this host has on the way to the head, "" where there is no way.

    Nothing is sent: connecting a datagram socket only chooses the way.
    """
    if spec.node_count < 2:
        return ""
    try:
        kind, _, _, _, address = socket.getaddrinfo(
            spec.head_address, spec.head_port, type=socket.SOCK_DGRAM
        )[0]
        with socket.socket(kind, socket.SOCK_DGRAM) as way:
            way.connect(address)
            return str(way.getsockname()[0])
    except OSError:
        return ""
