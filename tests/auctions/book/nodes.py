"""Nodes without sockets, for tests of the bid book: several may follow the same auction in one
process.
"""

from __future__ import annotations

from typing import Any, Protocol
from uuid import UUID

from auctions.book.books import AUCTIONS_MAX, Books
from auctions.book.fold import Durable
from auctions.rules.core.commands import Admit, Bid, Tick
from auctions.rules.terms.read import read_terms
from marketplace.kernel.clock import Clock, rfc3339
from marketplace.kernel.db import SYSTEM, Database
from marketplace.kernel.ids import new_id
from marketplace.kernel.redis import connect


class Addresses(Protocol):
    """Of embedded servers, or of a topology of several."""

    database_url: str
    redis_url: str


class Node:
    """Books with connections of their own; use as an async context manager."""

    def __init__(
        self,
        servers: Addresses,
        *,
        pending_max: int = 4_096,
        listens: bool = True,
        clock: Clock | None = None,
        limit: int = AUCTIONS_MAX,
    ) -> None:
        self.database = Database(servers.database_url)
        self.redis = connect(servers.redis_url)
        self.books = Books(
            self.database,
            self.redis,
            clock or Clock(),
            pending_max=pending_max,
            listens=listens,
            limit=limit,
        )

    async def __aenter__(self) -> Node:
        await self.books.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.books.stop()
        await self.redis.aclose()
        await self.database.close()

    async def new_auction(self, *bidders: str, **rules: Any) -> UUID:
        """An open english auction with these bidders admitted; `rules` override the usual ones."""
        auction_id = new_id()
        given: dict[str, Any] = {
            "format": "english",
            "starts_at": rfc3339(Clock().now_us()),
            "duration_s": 3600,
            "step": {"against": "own", "kind": "amount", "value": "0.01"},
            "visibility": "rank_and_lead",
        }
        terms = read_terms(given | rules, auction=str(auction_id), currency="EUR", ceiling=None)
        async with self.database.transaction(SYSTEM) as session:
            await self.books.create(session, auction_id, terms)
        await self.books.submit(auction_id, Tick())
        for bidder in bidders:
            await self.books.submit(auction_id, Admit(cid=f"admit:{bidder}", bidder=bidder))
        return auction_id

    async def bid(self, auction_id: UUID, bidder: str, cid: str, cents: int) -> Durable:
        price = f"{cents // 100}.{cents % 100:02}"
        return await self.books.submit(auction_id, Bid(cid=cid, bidder=bidder, price=price))
