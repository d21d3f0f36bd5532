"""What a sealed bid says is nowhere to be read before the opening: not in PostgreSQL, not in Redis,
not in what the buyer may download; afterwards it is proven like everything else.
"""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import pytest

from auctions.book.envelope import Envelope
from auctions.book.fold import Fold
from auctions.book.journal import Journal
from auctions.book.verify import verify
from auctions.live.client import AuctionClient
from auctions.live.hub import Hub
from marketplace.kernel.db import Database
from marketplace.kernel.ids import new_id
from marketplace.kernel.redis import AnyRedis
from marketplace.kernel.sealing import NotSealedHere
from tests.auctions.live.arena import exact_arena
from tests.people import NewPerson

PRICE, EVALUATED = "417389.21", "41738921"
PATIENCE_S = 40
RULES: dict[str, Any] = {
    "format": "phases",
    "phases": [{"format": "sealed", "duration_s": 6}, {"format": "english", "duration_s": 1}],
}


async def kept(database: Database, redis: AnyRedis, auction_id: str) -> bytes:
    """Everything that both servers hold of the auction."""
    pool = await database.pool()
    rows = await pool.fetch(
        "SELECT body || outcome FROM auction_commands WHERE auction_id = $1", UUID(auction_id)
    )
    entries: Any = await redis.xrange(f"{{a:{auction_id}}}:log")
    return b"".join([row[0] for row in rows] + [b"".join(f.values()) for _, f in entries])


async def test_a_sealed_bid_is_ciphertext_until_it_is_opened(
    live_server: str,
    new_buyer: NewPerson,
    new_supplier: NewPerson,
    database: Database,
    redis: AnyRedis,
    hub: Hub,
) -> None:
    place = await exact_arena(live_server, new_buyer, new_supplier, RULES, suppliers=2)
    async with AuctionClient(place.url, place.keys[0], place.auction_id) as client:
        await client.until("open")
        ack = await client.bid(PRICE, cid="mine")
        assert ack.accepted
        held = await kept(database, redis, place.auction_id)
        assert PRICE.encode() not in held
        assert EVALUATED.encode() not in held
        buyers = await place.buyer.client.get(f"{place.path}/transcript")
        assert PRICE not in buyers.text
        again = await client.bid(PRICE, cid="mine")
        assert again.receipt == ack.receipt
        async with asyncio.timeout(PATIENCE_S):
            await client.until("closed")
    # Another node, or this one after a fall, folds the same from what is kept.
    pool = await database.pool()
    journal = Journal(pool)
    head = await journal.head(UUID(place.auction_id))
    assert head is not None
    fold = Fold(head, None, hub.books.envelope)
    async for row in journal.commands(head.auction_id, 0, head.seq):
        fold.replay(row)
    assert fold.chain == head.chain
    shown = (await place.buyer.client.get(place.path)).json()
    assert [row["price"] for row in shown["standing"]] == [PRICE]
    transcript = await place.buyer.client.get(f"{place.path}/transcript")
    assert PRICE in transcript.text
    verdict = verify(transcript.content.splitlines(keepends=True))
    assert [row["price"] for row in verdict.standing] == [PRICE]


def test_an_envelope_opens_only_where_it_was_sealed() -> None:
    envelope, auction, other = Envelope("secret"), new_id(), new_id()
    sealed = envelope.seal(auction, b'{"price":"1.00"}')
    assert b"\n" not in sealed
    assert envelope.open(auction, sealed) == b'{"price":"1.00"}'
    with pytest.raises(NotSealedHere):
        envelope.open(other, sealed)
    with pytest.raises(NotSealedHere):
        Envelope("another secret").open(auction, sealed)


def test_what_was_never_sealed_reads_as_it_is() -> None:
    assert Envelope("secret").open(new_id(), b'{"kind":"tick"}') == b'{"kind":"tick"}'
    assert Envelope().seal(new_id(), b"plain") == b"plain"
