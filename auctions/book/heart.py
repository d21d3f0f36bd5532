"""The heartbeat: while an auction runs, a Tick every few seconds and one at each boundary of time.

A Tick goes out only after the last one became durable, so a silent log tells that Redis or
PostgreSQL was away; the
rules then resume the auction instead of closing it blind. Several nodes may beat for the same
auction: a Tick that
changes nothing is folded away, and a node stays quiet while it sees the others' Ticks.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from uuid import UUID

import structlog

from auctions.book.book import Book
from auctions.rules.core.commands import Tick
from auctions.rules.core.state import State
from auctions.rules.core.timeline import heartbeat_us
from marketplace.kernel.errors import Problem

if TYPE_CHECKING:
    from auctions.book.books import Books

LEAD_US = 10_000_000
"""Beats begin this long before the start, so the auction is not blind when it opens."""

STEP_S = 0.1
_ENDED = ("closed", "cancelled")
_log = structlog.get_logger(__name__)


class Heart:
    """Beats for all followed books of this node."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._beating: dict[UUID, asyncio.Task[None]] = {}

    async def beat(self) -> None:
        """Until cancelled."""
        try:
            while True:
                for book in self._books.followed:
                    if book.auction_id not in self._beating and is_due(book, book.now_us()):
                        self._beating[book.auction_id] = asyncio.create_task(
                            self._tick(book.auction_id)
                        )
                await asyncio.sleep(STEP_S)
        finally:
            for task in tuple(self._beating.values()):
                task.cancel()

    async def _tick(self, auction_id: UUID) -> None:
        try:
            await self._books.submit(auction_id, Tick())
        except Problem as problem:
            _log.info("tick_failed", auction=str(auction_id), code=problem.code)
        finally:
            self._beating.pop(auction_id, None)


def is_due(book: Book, now_us: int) -> bool:
    """Whether a Tick would be news at `now_us`, a time of the log: early ones are repeated."""
    if book.interrupted or not book.loaded:
        # A Tick would wait anyway; the silence is what the rules must see.
        return False
    state: State = book.fold.state
    if state.status in _ENDED or now_us < state.terms.starts_at_us - LEAD_US:
        return False
    if now_us - state.last_tick_us >= heartbeat_us(state, now_us):
        return True
    return (
        state.status != "paused"
        and state.last_tick_us < min(state.stage.ends_at, state.close_at) <= now_us
    )
