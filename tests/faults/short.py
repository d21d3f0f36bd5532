"""Short auctions that close in the middle of it all.

They are made before the first fault, with starts spread over the run: to publish one takes a dozen
calls, and while servers are broken some of them fail. One that meets an outage near its close gets
two minutes more each time, so most close after the last fault.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from auctions.live.rest_client import ApiProblem
from marketplace.kernel.clock import Clock, rfc3339
from marketplace.kernel.outages import is_outage
from tests.faults.crowd import Crowd
from web.demo.cast import Cast, Player

DURATION_S = 12
FAULT_S = 5.0
"""About how long a fault takes, with all that follows: starts are spread by it."""

AHEAD_S = (20, 40, 80, 160, 320)
"""The first starts so long after it was made; on a busy machine publishing alone takes long."""

BIDDERS = 2
BIDS_PER_SECOND = 1.0
EARLY_S = 2.0
POLL_S = 0.5
CLOSING_PATIENCE_S = 600.0
"""Two minutes are what the last outage gives; a busy machine brings outages of its own."""

_OPEN = "SELECT count(*) FROM auction_head WHERE auction_id = ANY($1) AND status <> 'closed'"


class Short(msgspec.Struct):
    starts_at_us: int
    crowd: Crowd


async def publish(
    cast: Cast, bidders: Sequence[Player], duration_s: int, starts_at_us: Sequence[int]
) -> list[str]:
    """One auction for each start, all of one tender. Raises ApiProblem, OSError."""
    lots = [_lot(number, start_us, duration_s) for number, start_us in enumerate(starts_at_us, 1)]
    draft = {"title": "Faults", "currency": "EUR", "access": "invited", "lots": lots}
    tender = await cast.buyer.rest.post("/api/v1/tenders", draft)
    path = f"/api/v1/tenders/{tender['id']}"
    invited = {"organisations": [bidder.organisation_id for bidder in bidders]}
    await cast.buyer.rest.post(f"{path}/invitations", invited)
    published = await cast.buyer.rest.post(f"{path}/publish")
    for bidder in bidders:
        await bidder.rest.post(f"{path}/participation", {"accept_terms": True})
    by_title = {lot["title"]: str(lot["auction_id"]) for lot in published["lots"]}
    return [by_title[lot["title"]] for lot in lots]


def _lot(number: int, starts_at_us: int, duration_s: int) -> dict[str, Any]:
    return {
        "title": f"Faults {number}",
        "items": [{"name": "Fault", "quantity": "1", "unit": "C62"}],
        "rules": {
            "format": "english", "starts_at": rfc3339(starts_at_us), "duration_s": duration_s,
            "visibility": "rank_and_lead", "typo_guard_percent": None,
            "step": {"against": "own", "kind": "amount", "value": "0.01"},
        },
    }  # fmt: skip


class ShortAuctions:
    """`make` them, `bid` in each that has begun, then wait until these are `closed`."""

    def __init__(self, urls: list[str]) -> None:
        self._urls = urls
        self._made: list[Short] = []
        self._bidding: set[asyncio.Task[None]] = set()
        self.crowds: list[Crowd] = []
        """Of those that have begun."""

    async def make(self, cast: Cast, count: int, over_s: float) -> None:
        """`count` of them, starting within the next `over_s` seconds. Raises ApiProblem."""
        if not count:
            return
        bidders = cast.bots[:BIDDERS]
        for ahead_s in AHEAD_S:
            now_us = Clock().now_us()
            starts = [
                now_us + round((ahead_s + over_s * number / count) * 1_000_000)
                for number in range(count)
            ]
            try:
                ids = await publish(cast, bidders, DURATION_S, starts)
            except ApiProblem:
                # The first start was over before all had joined.
                if ahead_s == AHEAD_S[-1]:
                    raise
                continue
            self._made = [
                Short(start, Crowd(auction_id, self._urls, bidders))
                for start, auction_id in zip(starts, ids, strict=True)
            ]
            return

    async def bid(self) -> None:
        """Until cancelled; bidding goes on until each has closed."""
        for short in self._made:
            await asyncio.sleep(_left_s(short) - EARLY_S)  # until its start
            self.crowds.append(short.crowd)
            self._bidding.add(asyncio.create_task(short.crowd.bid(BIDS_PER_SECOND)))

    async def begun(self, count: int) -> None:
        """Wait until at least so many have begun."""
        if self._made:
            last = self._made[min(count, len(self._made)) - 1]
            await asyncio.sleep(_left_s(last))  # until its start

    async def closed(self, database_url: str) -> None:
        """Wait until all that have begun are closed. Raises TimeoutError."""
        ids = [UUID(crowd.auction_id) for crowd in self.crowds]
        async with asyncio.timeout(CLOSING_PATIENCE_S):
            while True:
                try:
                    connection = await asyncpg.connect(database_url)
                    try:
                        if await connection.fetchval(_OPEN, ids) == 0:
                            return
                    finally:
                        await connection.close()
                except Exception as error:
                    if not is_outage(error):
                        raise
                await asyncio.sleep(POLL_S)  # polling foreign processes

    async def stop(self) -> None:
        """Raises what went wrong in a crowd."""
        for crowd in self.crowds:
            crowd.stop()
        await asyncio.gather(*self._bidding)


def _left_s(short: Short) -> float:
    return (short.starts_at_us - Clock().now_us()) / 1_000_000
