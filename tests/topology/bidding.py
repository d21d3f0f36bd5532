"""Bids on several nodes while servers die, each sent again under its cid until it is answered."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from uuid import UUID

from auctions.book.fold import Durable
from marketplace.kernel.errors import Unavailable
from tests.auctions.book.nodes import Node
from tests.auctions.book.test_book import same_everywhere
from tests.topology.processes import until

PAUSE_S = 0.02
AGAIN_S = 0.1
PATIENCE_S = 30.0
"""Until bids are accepted again after a failover; it takes a second or two on an idle machine."""

FIRST_CENTS = 100_000_000


class Bidding:
    """What was acknowledged, by cid."""

    def __init__(self, auction_id: UUID, nodes: Sequence[Node]) -> None:
        self.auction_id, self._nodes = auction_id, nodes
        self.acknowledged: dict[str, Durable] = {}
        self._sent = 0
        self._stopping = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._enough = asyncio.Event()
        self._wanted = self._counted_from = 0

    async def run(self) -> None:
        while not self._stopping:
            node = self._nodes[self._sent % len(self._nodes)]
            task = asyncio.create_task(self._bid(node, self._sent))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            self._sent += 1
            await asyncio.sleep(PAUSE_S)
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def _bid(self, node: Node, number: int) -> None:
        cid = f"bid{number}"
        while True:
            try:
                durable = await node.bid(self.auction_id, "a", cid, FIRST_CENTS - number)
            except Unavailable:
                await asyncio.sleep(AGAIN_S)
                continue
            self.acknowledged[cid] = durable
            if durable.outcome.accepted and number >= self._counted_from:
                self._wanted -= 1
                if self._wanted == 0:
                    self._enough.set()
            return

    def stop(self) -> None:
        self._stopping = True

    async def goes_on(self, count: int = 20) -> None:
        """Wait until so many bids that are sent from now on are accepted."""
        self._counted_from, self._wanted = self._sent, count
        self._enough.clear()
        async with asyncio.timeout(PATIENCE_S):
            await self._enough.wait()

    async def check(self) -> None:
        """Every acknowledgement is in the journal as it was given, once, and all nodes agree."""
        pool = await self._nodes[0].database.pool()
        rows = await pool.fetch(
            "SELECT seq, chain, cid FROM auction_commands WHERE auction_id = $1 AND bidder = 'a'",
            self.auction_id,
        )
        kept = {(row["cid"], row["seq"], bytes(row["chain"])) for row in rows}
        for cid, durable in self.acknowledged.items():
            # One that was overtaken by a later, lower one is refused, and that was acknowledged.
            assert (cid, durable.seq, bytes(durable.chain)) in kept
        assert len({durable.seq for durable in self.acknowledged.values()}) == self._sent
        await same_everywhere(self.auction_id, *self._nodes)


@asynccontextmanager
async def bidding(auction_id: UUID, *nodes: Node) -> AsyncIterator[Bidding]:
    """Bids are sent inside the block; at its end all are answered and checked."""
    bids = Bidding(auction_id, nodes)
    running = asyncio.create_task(bids.run())
    try:
        await bids.goes_on()
        yield bids
        bids.stop()
        async with asyncio.timeout(PATIENCE_S):
            await running
        await bids.check()
    finally:
        running.cancel()


async def closes(node: Node, auction_id: UUID) -> None:
    """Wait until the heart has closed an auction that nobody watches."""
    pool = await node.database.pool()

    async def is_closed() -> bool:
        status = "SELECT status FROM auction_head WHERE auction_id = $1"
        return bool(await pool.fetchval(status, auction_id) == "closed")

    await until(is_closed, "the auction is closed")
