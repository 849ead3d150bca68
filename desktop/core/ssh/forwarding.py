"""Whether a host forwards TCP at all: asked before anything is installed there.

The only certain answer is the host's own: a channel is opened to a port of its loopback where
nobody listens. "Connect failed" (RFC 4254 §5.1, code 2) comes from the host's network, so
forwarding is allowed; "administratively prohibited" (code 1) comes from sshd's configuration
(`AllowTcpForwarding`, `PermitOpen`), and gateways that know no such channel answer with code 3.
"""

from __future__ import annotations

from desktop.core.errors import ForwardFailed
from desktop.core.ssh.forward import LOOPBACK, Tunnels

_NOBODYS_PORT = 1  # tcpmux: in no service's use for decades; were it, forwarding works as well


def check_forwarding(connection: Tunnels) -> None:
    """Return where the host forwards TCP to its own loopback.

    Raises:
        ForwardFailed: `forward-prohibited` or `forward-failed`, with the host's reason.
        ConnectionLost: the connection is gone.
    """
    try:
        connection.open_tunnel(LOOPBACK, _NOBODYS_PORT).close()
    except ForwardFailed as error:
        if error.code != "forward-refused":
            raise


def forwarding_allowed(connection: Tunnels) -> bool:
    """Return whether the host forwards TCP; raises ConnectionLost."""
    try:
        check_forwarding(connection)
    except ForwardFailed:
        return False
    return True
