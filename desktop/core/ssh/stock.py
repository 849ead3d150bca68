"""The private names of paramiko 5.1 that SafeTransport and SafeChannel call or replace.

paramiko has no public way to order a channel's messages (issue #1115) or to keep its reading
thread from waiting for itself (#822). What is borrowed for that is declared here, in one place,
for mypy and for the test that meets each new release of paramiko.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import paramiko
from paramiko.packet import Packetizer

if TYPE_CHECKING:
    from paramiko.message import Message
    from paramiko.transport import ChannelMap

    class StockChannel(paramiko.Channel):
        """`paramiko.Channel` with the private methods that we use."""

        def _wait_for_send_window(self, size: int) -> int: ...
        def _check_add_window(self, n: int) -> int: ...
        def _wait_for_event(self) -> None: ...
        def _set_closed(self) -> None: ...
        def _set_window(self, window_size: int, max_packet_size: int) -> None: ...
        def _set_transport(self, transport: paramiko.Transport) -> None: ...
        def _set_remote_channel(self, chanid: int, window: int, max_packet: int) -> None: ...
        def _handle_request(self, m: Message) -> None: ...
        def _handle_close(self, m: Message) -> None: ...
        def _handle_eof(self, m: Message) -> None: ...
        def _feed(self, m: Message) -> None: ...
        def _unlink(self) -> None: ...
        def _request_failed(self, m: Message) -> None: ...
        def _feed_extended(self, m: Message) -> None: ...

    class StockTransport(paramiko.Transport):
        """`paramiko.Transport` with the private members that we use."""

        _channel_handler_table: dict[int, Callable[[Any, Message], None]]
        _channels: ChannelMap
        _expected_packet: tuple[int, ...]
        _preferred_keys: tuple[str, ...]
        server_extensions: dict[str, bytes]

        def _log(self, level: int, msg: str | list[str], *args: object) -> None: ...
        def _next_channel(self) -> int: ...
        def _unlink_channel(self, chanid: int) -> None: ...
        def _send_message(self, data: Message) -> None: ...
        def _send_user_message(self, data: Message) -> None: ...
        def _auth_trigger(self) -> None: ...
        def _parse_channel_open_success(self, m: Message) -> None: ...
        def _parse_channel_open_failure(self, m: Message) -> None: ...

    class StockPacketizer(Packetizer):
        """`paramiko.packet.Packetizer` with the private methods that we use."""

        REKEY_BYTES: int
        REKEY_PACKETS: int

        def set_inbound_cipher(self, *args: Any, **options: Any) -> None:
            """Take the keys of the way in."""

        def set_outbound_cipher(self, *args: Any, **options: Any) -> None:
            """Take the keys of the way out."""

        def complete_handshake(self) -> None:
            """Cancel the timer of the first key exchange."""

        def _trigger_rekey(self) -> None: ...

    class StockAgent(paramiko.Agent):
        """`paramiko.Agent` with the private method that we use."""

        def _connect(self, conn: object) -> None: ...

else:
    StockAgent = paramiko.Agent
    StockChannel = paramiko.Channel
    StockTransport = paramiko.Transport
    StockPacketizer = Packetizer
