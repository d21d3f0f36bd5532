"""The fast wire is found on the real server; where it is not, `send` does the same."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from auctions.live.hub import Hub
from auctions.live.wire import SendWire, TransportWire, payloads_of, text_frame, wire_of
from tests.auctions.live.arena import Arena, peer

NewArena = Callable[..., Awaitable[Arena]]


async def test_the_server_still_lets_us_write_to_its_transport(arena: NewArena, hub: Hub) -> None:
    """Fails when uvicorn changes inside: then `wire_of` silently falls back, and is slow."""
    place = await arena(1)
    async with peer(place.live_url, place.keys[0]) as one:
        await one.type("snapshot")
        (member,) = [m for m in hub.members() if m.alias == place.aliases[0]]
        assert isinstance(member.wire, TransportWire)
        assert member.wire.waiting_bytes() == 0


async def test_nothing_follows_a_close_frame_and_nobody_minds_a_peer_that_has_gone(
    arena: NewArena, hub: Hub
) -> None:
    place = await arena(1)
    async with peer(place.live_url, place.keys[0]) as one:
        await one.type("snapshot")
        (member,) = [m for m in hub.members() if m.alias == place.aliases[0]]
        wire = member.wire
        await wire.close(1012, "bye")
        wire.write(text_frame(b'{"type":"late"}'))
        assert await one.closed() == 1012
    # By now the transport has closed, which would raise.
    assert wire.offer(text_frame(b"{}"), 0)
    assert wire.waiting_bytes() == 0


async def test_a_peer_that_does_not_read_is_offered_no_more(arena: NewArena, hub: Hub) -> None:
    place = await arena(1)
    async with peer(place.live_url, place.keys[0]) as one:
        await one.type("snapshot")
        (member,) = [m for m in hub.members() if m.alias == place.aliases[0]]
        frame = text_frame(b"x" * 60_000)
        # In one turn of the loop, in which nobody reads.
        while member.wire.offer(frame, 0):
            pass
        assert 0 < member.wire.waiting_bytes() <= len(frame)


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536])
def test_frames_are_as_the_protocol_says(size: int) -> None:
    payload = b"x" * size
    assert list(payloads_of(text_frame(payload) + text_frame(b"{}"))) == [payload, b"{}"]


async def test_without_a_known_server_frames_go_by_send() -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    wire = wire_of(send)
    assert isinstance(wire, SendWire)
    wire.write(text_frame(b'{"a":1}') + text_frame(b'{"b":2}'))
    await wire.close(1012, "bye")
    assert [message.get("text") for message in sent] == ['{"a":1}', '{"b":2}', None]
    assert sent[-1] == {"type": "websocket.close", "code": 1012, "reason": "bye"}
    assert wire.waiting_bytes() == 0
