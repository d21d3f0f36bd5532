"""All rooms of a node: who may enter, when a room begins and ends, how the node is emptied."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Coroutine, Iterator
from typing import Any
from uuid import UUID

import msgspec
import structlog

from auctions.book.books import Books
from auctions.book.receipts import Signer, load_signer
from auctions.live.allowance import Allowances
from auctions.live.frames import Organisation
from auctions.live.member import Member
from auctions.live.metrics import LiveMetrics
from auctions.live.revocations import DRAINING, Watchman
from auctions.live.room import Room
from auctions.tenders import queries as tenders
from marketplace.kernel.clock import Clock
from marketplace.kernel.db import SYSTEM, Database
from marketplace.kernel.errors import Problem, TooFast, Unavailable
from marketplace.kernel.keepalive import forever
from marketplace.kernel.redis import AnyRedis
from marketplace.kernel.settings import Settings
from marketplace.kernel.throttle import Rate

LINGER_S = 30.0
"""An empty room stays this long, so that who comes back after a cut gets what was missed."""

ENTERING_MAX = 8
"""Handshakes that ask PostgreSQL at once: when all come back together the others wait in order,
instead of timing out at the connection pool and leaving none for bids.
"""

CANCEL_AGAIN_S = 0.2
_log = structlog.get_logger(__name__)


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """sockets_*     open at once on this node
    in_flight     commands of one socket that wait for their ack
    orders        bids of one bidder in one auction, over all sockets and nodes
    frames        anything one socket sends
    """

    sockets: int = 20_000
    sockets_an_auction: int = 10_000
    sockets_a_user: int = 50
    in_flight: int = 64
    orders: Rate = Rate(per_s=50, burst=200)
    frames: Rate = Rate(per_s=200, burst=1_000)


class Hub:
    """One per process. `start` after the books; `drain`, then `stop` before them."""

    def __init__(
        self,
        books: Books,
        database: Database,
        redis: AnyRedis,
        settings: Settings,
        clock: Clock,
        metrics: LiveMetrics,
        limits: Limits | None = None,
    ) -> None:
        self.books, self.clock, self.metrics = books, clock, metrics
        self.limits = limits or Limits()
        self.allowances = Allowances(redis, self.limits.orders, clock.monotonic)
        self._database, self._settings = database, settings
        self._watchman = Watchman(redis, database, clock, self.members)
        self._rooms: dict[UUID, Room] = {}
        self._opening: dict[UUID, asyncio.Lock] = {}
        self._runs: dict[UUID, asyncio.Task[None]] = {}
        self._lingering: dict[UUID, asyncio.TimerHandle] = {}
        self._users: Counter[UUID] = Counter()
        self._sockets = 0
        self.entering = asyncio.Semaphore(ENTERING_MAX)
        self._signer: Signer | None = None
        self._draining = False
        self._empty = asyncio.Event()
        self._empty.set()
        self._tasks: set[asyncio.Task[Any]] = set()

    async def start(self) -> None:
        self._spawn(forever("revocations", self._watchman.listen))
        self._spawn(forever("logins", self._watchman.ask))

    async def stop(self) -> None:
        for timer in self._lingering.values():
            timer.cancel()
        ending = {*self._tasks, *self._runs.values()}
        while ending:
            for task in ending:
                task.cancel()
            _, ending = await asyncio.wait(ending, timeout=CANCEL_AGAIN_S)
        for room in self._rooms.values():
            room.close()
        self._rooms.clear()

    async def drain(self, within_s: float = 5.0) -> None:
        """Send everybody to other nodes, spread over `within_s`; nobody enters any more. Returns
        when all have gone, at the latest a little later than that.
        """
        self._draining = True
        loop = asyncio.get_running_loop()
        for member in self.members():
            # Spread: a thousand clients must not knock at the next node in one moment.
            delay_s = random.uniform(0, within_s)  # noqa: S311
            loop.call_later(delay_s, member.leave, DRAINING, "the node is draining")
        try:
            async with asyncio.timeout(within_s + 2):
                await self._empty.wait()
        except TimeoutError:
            _log.warning("drain_incomplete", sockets=self._sockets)

    async def signer(self) -> Signer:
        """Loaded on first use: a node starts while PostgreSQL is down. Raises its errors."""
        if self._signer is None:
            pool = await self._database.pool()
            self._signer = await load_signer(pool, self._settings.secret)
        return self._signer

    # -- sockets --------------------------------------------------------------------------------

    def admit_socket(self, user_id: UUID) -> None:
        """Count one more socket. Raises Unavailable (the node is full or draining) or TooFast
        (the user has too many); every success needs its `release_socket`.
        """
        if self._draining:
            raise Unavailable("draining", "This node is about to stop; connect again.")
        if self._sockets >= self.limits.sockets:
            raise Unavailable("node_full", "This node has all the sockets it can carry.")
        if self._users[user_id] >= self.limits.sockets_a_user:
            raise TooFast(f"At most {self.limits.sockets_a_user} sockets a user.")
        self._users[user_id] += 1
        self._sockets += 1
        self._empty.clear()
        self.metrics.sockets.set(self._sockets)

    def release_socket(self, user_id: UUID) -> None:
        self._users[user_id] -= 1
        if self._users[user_id] <= 0:
            del self._users[user_id]
        self._sockets -= 1
        if self._sockets == 0:
            self._empty.set()
        self.metrics.sockets.set(self._sockets)

    def members(self) -> Iterator[Member]:
        for room in tuple(self._rooms.values()):
            yield from tuple(room.members)

    # -- rooms ----------------------------------------------------------------------------------

    async def room(self, auction_id: UUID) -> Room:
        """The room of an auction that exists, made when it is the first visit. Raises Unavailable.

        Join it before the next await: an empty room may end at any time.
        """
        async with self._opening.setdefault(auction_id, asyncio.Lock()):
            room = self._rooms.get(auction_id)
            if room is None:
                book = await self.books.open(auction_id)
                signer = await self.signer()
                names = await self.names(auction_id)
                room = Room(book, signer, self.clock, self.metrics, names)
                room.on_admitted = lambda: self._spawn(self._rename(auction_id))
                self._rooms[auction_id] = room
                self._runs[auction_id] = asyncio.create_task(forever("room", room.run))
                self.metrics.rooms.set(len(self._rooms))
        if len(room.members) >= self.limits.sockets_an_auction:
            raise Unavailable("auction_full", "This node has all the sockets for that auction.")
        timer = self._lingering.pop(auction_id, None)
        if timer is not None:
            timer.cancel()
        return room

    def leave(self, room: Room, member: Member) -> None:
        room.leave(member)
        auction_id = room.book.auction_id
        if not room.members and auction_id not in self._lingering:
            loop = asyncio.get_running_loop()
            self._lingering[auction_id] = loop.call_later(LINGER_S, self._end_room, auction_id)

    def _end_room(self, auction_id: UUID) -> None:
        self._lingering.pop(auction_id, None)
        if self._rooms[auction_id].members:
            return
        self._rooms.pop(auction_id).close()
        self._runs.pop(auction_id).cancel()
        self._opening.pop(auction_id, None)
        self.metrics.rooms.set(len(self._rooms))

    async def names(self, auction_id: UUID) -> dict[str, Organisation]:
        """The organisations by alias, for those who may see them."""
        async with self._database.transaction(SYSTEM) as session:
            participants = await tenders.participants(session, auction_id)
            known = await tenders.directory(session, participants.values())
        return {
            alias: Organisation(who, known[who].name)
            for alias, who in participants.items()
            if who in known
        }

    async def _rename(self, auction_id: UUID) -> None:
        room = self._rooms.get(auction_id)
        if room is None:
            return
        try:
            room.rename(await self.names(auction_id))
        except (Problem, OSError) as error:
            # The buyer sees the alias until the next admission or the next visit.
            _log.warning("names_unknown", auction=str(auction_id), error=type(error).__name__)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
