"""A synchronous standby that is away: commits are cut off, visible, and not durable."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest

from auctions.book import journal
from auctions.book.journal import COMMAND_TIMEOUT_S
from marketplace.kernel.embedded import Servers
from marketplace.kernel.errors import Unavailable
from tests.auctions.book.nodes import Node
from tests.auctions.book.test_book import same_everywhere

pytestmark = pytest.mark.xdist_group("book")

CUT_OFF_S = 0.3
MANY_CUT_OFFS_S = 3.0
PATIENCE_S = 30
_COMMIT = "SELECT pg_logical_emit_message(true, 'test', '')"
_SEEN = "SELECT seq FROM auction_commands WHERE auction_id = $1 AND cid = $2"


@asynccontextmanager
async def standby_away(servers: Servers) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    """Inside, every commit waits for a standby that is not there."""
    connection = await asyncpg.connect(servers.database_url)
    try:
        await connection.execute("ALTER SYSTEM SET synchronous_standby_names = 'absent'")
        await connection.execute("SELECT pg_reload_conf()")
        async with asyncio.timeout(PATIENCE_S):
            # The server takes it up by and by; only a commit that waits proves it.
            while True:
                try:
                    await connection.execute(_COMMIT, timeout=1.0)
                except TimeoutError:
                    break
        yield connection
    finally:
        await connection.execute("ALTER SYSTEM RESET synchronous_standby_names")
        await connection.execute("SELECT pg_reload_conf()")
        await connection.close()


async def place_in_doubt(
    servers: Servers, node: Node, other: Node, monkeypatch: pytest.MonkeyPatch
) -> bool:
    """Whether a bid is acknowledged, here or by another node, while its commit is visible and in
    doubt. Afterwards it must be.
    """
    auction_id = await node.new_auction("a")
    await other.books.open(auction_id)
    async with standby_away(servers) as connection:
        monkeypatch.setattr(journal, "COMMAND_TIMEOUT_S", CUT_OFF_S)
        bids = [
            asyncio.create_task(who.bid(auction_id, "a", "doubt", 9_000)) for who in (node, other)
        ]
        seq = None
        async with asyncio.timeout(PATIENCE_S):
            while seq is None:
                seq = await connection.fetchval(_SEEN, auction_id, "doubt")
        done, _ = await asyncio.wait(
            bids, timeout=MANY_CUT_OFFS_S, return_when=asyncio.FIRST_COMPLETED
        )
        monkeypatch.setattr(journal, "COMMAND_TIMEOUT_S", COMMAND_TIMEOUT_S)
    async with asyncio.timeout(PATIENCE_S):
        kept = await asyncio.gather(*bids)
    assert {durable.seq for durable in kept} == {seq}
    await same_everywhere(auction_id, node, other)
    return bool(done)


async def test_a_commit_in_doubt_is_not_acknowledged_though_the_head_shows_it(
    own_servers: Servers, node: Node, other: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not await place_in_doubt(own_servers, node, other, monkeypatch)


async def test_acknowledging_what_the_head_shows_would_be_noticed(
    own_servers: Servers, node: Node, other: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mutant: it takes the visible head for durable."""
    visible = (
        "SELECT auction_id, epoch, seq, ts, tag, chain, terms, salt_key, status, close_at, NULL "
        "FROM auction_head WHERE auction_id = $1"
    )
    monkeypatch.setattr(journal, "_HEAD", visible)
    assert await place_in_doubt(own_servers, node, other, monkeypatch)


async def test_a_node_that_starts_meanwhile_shows_nothing_in_doubt(
    own_servers: Servers, node: Node
) -> None:
    auction_id = await node.new_auction("a")
    async with standby_away(own_servers), Node(own_servers) as late:
        # With the usual time for a command: nothing but the standby may be what it waits for.
        with pytest.raises(Unavailable):
            await late.books.open(auction_id)
    assert (await node.bid(auction_id, "a", "after", 9_000)).outcome.accepted
