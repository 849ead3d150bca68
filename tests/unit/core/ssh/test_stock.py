"""paramiko still has the private parts that we replace: the first to fail on a new release."""

import inspect

import paramiko
import pytest
from paramiko.packet import Packetizer

from desktop.core.ssh.channel import SafeChannel
from desktop.core.ssh.transport import SafeTransport

_TRANSPORT = [
    "_channel_handler_table",
    "_preferred_keys",
    "_log",
    "_next_channel",
    "_unlink_channel",
    "_send_user_message",
    "_parse_channel_open_success",
    "_parse_channel_open_failure",
]
_CHANNEL = [
    "_wait_for_send_window",
    "_check_add_window",
    "_wait_for_event",
    "_set_closed",
    "_set_window",
    "_set_transport",
    "_set_remote_channel",
    "_handle_request",
    "_handle_close",
    "_request_failed",
    "_feed_extended",
    "_feed",
    "_handle_eof",
    "_unlink",
]
_PACKETIZER = [
    "REKEY_BYTES",
    "REKEY_PACKETS",
    "complete_handshake",
    "_trigger_rekey",
    "set_inbound_cipher",
    "set_outbound_cipher",
    "read_all",
    "readline",
    "read_message",
    "send_message",
]


@pytest.mark.parametrize(
    ("owner", "name"),
    [(paramiko.Transport, name) for name in _TRANSPORT]
    + [(paramiko.Channel, name) for name in _CHANNEL]
    + [(Packetizer, name) for name in _PACKETIZER]
    + [(paramiko.agent, "get_agent_connection")],
)
def test_paramiko_has_it(owner: object, name: str) -> None:
    assert hasattr(owner, name)


@pytest.mark.parametrize("name", [name for name in _CHANNEL if name in vars(SafeChannel)])
def test_what_we_replace_still_takes_the_same_arguments(name: str) -> None:
    def names(owner: type) -> list[str]:
        return list(inspect.signature(getattr(owner, name)).parameters)

    assert names(SafeChannel) == names(paramiko.Channel)


def test_the_transport_calls_our_handlers_and_not_the_stock_ones() -> None:
    ours = SafeTransport._channel_handler_table
    stock = paramiko.Transport._channel_handler_table  # type: ignore[attr-defined]
    for number, handler in stock.items():
        replaced = getattr(SafeChannel, handler.__name__)
        assert ours[number] is replaced, handler.__name__


def test_only_modern_algorithms_are_offered() -> None:
    offered = [
        *SafeTransport._preferred_kex,
        *SafeTransport._preferred_ciphers,
        *SafeTransport._preferred_macs,
        *SafeTransport._preferred_keys,
    ]
    assert not [name for name in offered if "cbc" in name or "md5" in name or "sha1" in name]
    assert "ssh-rsa" not in offered
    assert "gcm" in SafeTransport._preferred_ciphers[0]
