"""Every running auction gets heartbeats from some process, watched or not.

A worker with room follows all of them, so that one that dies is not missed. With more auctions than
it has room for, it opens those whose log stands still (nobody beats for them) and leaves as many
others, which stand still then until some worker opens them. So the workers divide the auctions
without knowing of each other, and those without a place take turns.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable, Sequence
from datetime import timedelta
from uuid import UUID

import msgspec
import structlog

from auctions.book.book import Book
from auctions.book.books import TOO_MANY, Books
from auctions.rules.core.commands import Tick
from auctions.rules.core.timeline import heartbeat_us
from auctions.tenders import queries
from auctions.tenders.queries import RunningAuction
from marketplace.kernel.clock import Clock, from_micros
from marketplace.kernel.db import SYSTEM, Database
from marketplace.kernel.errors import Problem, Unavailable
from marketplace.kernel.outage_log import OUTAGES

AHEAD = timedelta(seconds=20)
"""Longer than the heart's lead, so that an auction is never blind when it starts."""

SHARE = 0.9
"""Of the limit: the rest is for those that take turns, and for other jobs that look at auctions."""

STILL_S, STILL_NEAR_S = 3.0, 1.0
"""No command for so long: nobody beats (every 2 s, near the close every 0.5 s). After twice that
time the rules take the silence for an outage.
"""

NEAR_US = 130_000_000
"""The last two minutes, and what it takes to be there in time."""

TURNS_MAX, AT_ONCE = 256, 8
"""Books opened in one look, and side by side: one takes some milliseconds, a look half a second."""

TURNS_TIMEOUT_S = 3.0
"""PostgreSQL ends a transaction that is idle for five."""

_log = structlog.get_logger(__name__)


class Seen(msgspec.Struct, frozen=True):
    """The last command of an auction, since when it is known, and whether there was one before."""

    seq: int
    since: float
    moves: bool


class Following:
    """One per worker; `look` twice a second."""

    def __init__(self, database: Database, books: Books, clock: Clock) -> None:
        self._database, self._books, self._clock = database, books, clock
        self._seen: dict[UUID, Seen] = {}
        self._opening = asyncio.Semaphore(AT_ONCE)
        self._has_room = True

    async def look(self) -> None:
        """Follow what shall be followed. Raises what the drivers raise."""
        running = await self._running()
        followed = {book.auction_id: book for book in self._books.followed}
        held = [followed[one.auction_id] for one in running if one.auction_id in followed]
        for book in held:
            await self._books.open(book.auction_id)
        others = [one for one in running if one.auction_id not in followed]
        room = self._room_for(len(running)) - len(held)
        still = [one.auction_id for one in others if self._stands_still(one)]
        turns = min(TURNS_MAX, max(room, self._books.limit - len(held)))
        opened = await self._take_turns(still[:turns])
        room -= len(opened)
        if room < 0:
            await self._leave(held, -room)
            return
        # Others beat for these; where not all have room, what nobody is known to beat for waits.
        moving = [one.auction_id for one in others if self._has_room or self._moves(one)]
        await self._open_all([one for one in moving if one not in set(still)][:room])

    async def _running(self) -> Sequence[RunningAuction]:
        """Those of now, by the clock of this node or of Redis: whichever is ahead."""
        await self._books.ask_time()
        now_us = max(self._clock.now_us(), self._books.times.now_us())
        async with self._database.transaction(SYSTEM) as session:
            running = await queries.running(session, from_micros(now_us) + AHEAD)
        now = self._clock.monotonic()
        for one in running:
            seen = self._seen.get(one.auction_id)
            if seen is None or seen.seq != one.seq:
                self._seen[one.auction_id] = Seen(one.seq, now, moves=seen is not None)
        for gone in self._seen.keys() - {one.auction_id for one in running}:
            del self._seen[gone]
        return running

    def _stands_still(self, one: RunningAuction) -> bool:
        is_near = one.close_at is not None and one.close_at - self._books.times.now_us() < NEAR_US
        since = self._clock.monotonic() - self._seen[one.auction_id].since
        return since > (STILL_NEAR_S if is_near else STILL_S)

    def _moves(self, one: RunningAuction) -> bool:
        return self._seen[one.auction_id].moves and not self._stands_still(one)

    def _room_for(self, count: int) -> int:
        room = int(self._books.limit * SHARE)
        if (count <= room) != self._has_room:
            self._has_room = count <= room
            event = "auctions_have_room_again" if self._has_room else "auctions_exceed_room"
            _log.warning(event, running=count, room=room)
        return room

    async def _take_turns(self, still: Sequence[UUID]) -> list[UUID]:
        """Follow these and give each a heartbeat, unless another worker does so just now."""
        if not still:
            return []
        async with self._database.transaction(SYSTEM) as session:
            return await self._open_all(await queries.claimed(session, still), beat=True)

    async def _open_all(self, ids: Sequence[UUID], *, beat: bool = False) -> list[UUID]:
        """Those that could be opened in time."""
        tasks = {asyncio.create_task(self._open(one, beat=beat)): one for one in ids}
        if not tasks:
            return []
        done, late = await asyncio.wait(tasks, timeout=TURNS_TIMEOUT_S)
        for task in late:
            task.cancel()
        return [tasks[task] for task in done if task.result()]

    async def _open(self, auction_id: UUID, *, beat: bool) -> bool:
        """One auction that cannot be opened does not hold up the others."""
        async with self._opening:
            try:
                await self._books.open(auction_id)
                if beat:
                    await self._books.submit(auction_id, Tick())
            except Problem as problem:
                _note(auction_id, problem)
                return False
        return True

    async def _leave(self, held: Iterable[Book], count: int) -> None:
        """So many, at random; last those that need a heartbeat twice a second."""
        if count <= 0:
            return
        idle = [book for book in held if book.is_idle and not book.listeners]
        random.shuffle(idle)
        idle.sort(key=_is_quick)
        for book in idle[:count]:
            await self._books.close(book.auction_id)


def _note(auction_id: UUID, problem: Problem) -> None:
    if problem.code == TOO_MANY:
        return  # There is a line about that already.
    if isinstance(problem, Unavailable):
        OUTAGES.failed(problem.__cause__ or problem, where="following auctions")
    else:
        _log.warning("not_followed", auction=str(auction_id), code=problem.code)


def _is_quick(book: Book) -> bool:
    state = book.fold.state
    return heartbeat_us(state, book.now_us()) <= state.terms.near_heartbeat_us
