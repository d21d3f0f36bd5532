"""All auctions this node follows: batched admission, waking, heartbeats, opening and closing of
books.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from uuid import UUID

import msgspec
import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from auctions.book import chain as chains
from auctions.book.book import Book, ServerErrors
from auctions.book.envelope import Envelope, is_sealing
from auctions.book.fold import Durable
from auctions.book.heart import Heart
from auctions.book.journal import Journal, Pool
from auctions.book.log import (
    BATCH_MAX,
    GENESIS_TAG,
    PENDING_MAX,
    BusyError,
    Entry,
    ForkError,
    Log,
    NoBookError,
)
from auctions.book.logtime import LogTimes
from auctions.book.marks import Marks
from auctions.book.waiting import RetryError, Waiting
from auctions.book.wakes import Wakes
from auctions.rules.core import commands
from auctions.rules.core.commands import AnyBody, Bid
from auctions.rules.core.parameters import Terms
from auctions.rules.core.state import CID_WINDOW
from marketplace.kernel.clock import Clock
from marketplace.kernel.db import Database
from marketplace.kernel.errors import Conflict, Invalid, NotFound, Unavailable
from marketplace.kernel.keepalive import forever
from marketplace.kernel.outage_log import OUTAGES
from marketplace.kernel.outages import is_outage
from marketplace.kernel.redis import AnyRedis

SUBMIT_TIMEOUT_S = 10.0
WHOLE_MAX, WHOLE_IDLE_MAX = 96, 16
"""So many commands of an auction go to Redis in one call; of more only half go, and are decided
here while the others get their places. Where nothing is on its way yet that pays sooner: all in
step would leave this node, Redis and PostgreSQL waiting for one another.
"""
BOOKS_WHOLE_MAX = 64
"""With more auctions ready than this, half go now and the rest with the next call."""
BUSY_PAUSE_S, RETRY_PAUSE_S = 0.02, 0.05
AUCTIONS_MAX = 1_000
"""Heartbeats alone of so many take one core (0.9 ms a second each), and their states 60 MB."""
NEARLY_FULL, ROOM_AGAIN = 0.8, 0.7
TOO_MANY = "too_many_auctions"
CANCEL_AGAIN_S = 0.2
GIVE_UP_STEP_S = 0.5
IDLE_S = 60.0
"""A book nobody listens to or opens again is left after this time."""

IDLE_FULL_S = 5.0
"""The same where another one needs its place; jobs look again within a second."""

# A cid that left the rules' window must be durable already, or nobody would notice its repetition.
assert CID_WINDOW >= 2 * PENDING_MAX
_LONG = CID_WINDOW - PENDING_MAX
_NO_AUCTION = UUID(int=0)

_log = structlog.get_logger(__name__)


class Books:
    """One per process. `start` and `stop` it; everything else may be called in between."""

    def __init__(
        self,
        database: Database,
        redis: AnyRedis,
        clock: Clock,
        *,
        pending_max: int = PENDING_MAX,
        secret: str | None = None,
        listens: bool = True,
        limit: int = AUCTIONS_MAX,
    ) -> None:
        """With the master `secret` bids of sealed phases are encrypted wherever they are kept. At
        most `limit` auctions are followed at once.

        A process without watchers need not listen: it sees at the next poll what others have
        committed, in few large pieces.
        """
        self.envelope = Envelope(secret)
        self._database, self._redis = database, redis
        self.times = LogTimes(clock)
        self._pending_max, self._listens = pending_max, listens
        self.limit, self._is_nearly_full = limit, False
        self._server_time = self.times.of_a_log()
        self._books: dict[UUID, Book] = {}
        self._opening: dict[UUID, asyncio.Future[Book]] = {}
        self._runs: dict[UUID, asyncio.Task[None]] = {}
        self._gathered: dict[Book, list[Waiting]] = {}
        self._full: set[Book] = set()
        self._gathering = asyncio.Event()
        self._marks = Marks(self._gathering.set)
        self._tasks: list[asyncio.Task[None]] = []
        self._now = 0.0
        """Of the event loop, as of the last sweep: asking for each bid costs more than its hash."""

    async def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._now = self._loop.time()
        self._pool: Pool = await self._database.pool(steady=True)
        self._journal = Journal(self._pool, self.envelope)
        self._log = Log(self._redis, pending_max=self._pending_max)
        self._wakes = Wakes(self._redis, self._log, self._books)
        self.heart = Heart(self)
        loops: dict[str, Callable[[], Awaitable[None]]] = {
            "tell": self._tell_loop,
            "give_up": self._give_up_loop,
            "heart": self.heart.beat,
            "wakes": self._wakes.listen,
            "poll": self._wakes.poll,
        }
        self._tasks = [asyncio.create_task(forever(name, loop)) for name, loop in loops.items()]

    async def stop(self) -> None:
        """Stop following. Commands on their way stay in the log; another node or the next start
        decides them.
        """
        await _end({*self._tasks, *self._runs.values()})
        await self._journal.stop()
        await self._log.close()
        self._books.clear()
        self._runs.clear()

    @property
    def followed(self) -> Sequence[Book]:
        return tuple(self._books.values())

    @property
    def in_use(self) -> int:
        """How many are followed, without those that make room as soon as it is needed."""
        return len(self._books) - sum(map(self._is_unused, self._books.values()))

    async def create(self, session: AsyncSession, auction_id: UUID, terms: Terms) -> None:
        """The book of a new auction, in the caller's transaction. `terms.auction` must be this
        id's text.
        """
        assert terms.auction == str(auction_id)
        kept = msgspec.json.encode(terms)
        await session.execute(
            text(
                "INSERT INTO auction_head (auction_id, tag, chain, terms, salt_key, status) "
                "VALUES (:id, :tag, :chain, :terms, :salt_key, 'scheduled')"
            ),
            {
                "id": auction_id,
                "tag": GENESIS_TAG,
                "chain": chains.genesis(str(auction_id), kept),
                "terms": kept,
                "salt_key": os.urandom(32),
            },
        )

    async def open(self, auction_id: UUID) -> Book:
        """The followed book, loaded on first use. Raises NotFound or Unavailable."""
        book = self._books.get(auction_id)
        if book is not None:
            book.used_at = self._now
            return book
        opening = self._opening.get(auction_id)
        if opening is None:
            opening = asyncio.ensure_future(self._open(auction_id))
            self._opening[auction_id] = opening
            opening.add_done_callback(lambda _: self._opening.pop(auction_id, None))
        # Shielded: one caller that goes away must not cancel it for the others.
        return await asyncio.shield(opening)

    async def _open(self, auction_id: UUID) -> Book:
        await self._make_room()
        time = self.times.of_a_log()
        book = Book(auction_id, self._log, self._journal, self._pool, time)
        book.on_durable = self._mark_dirty
        try:
            # Subscribe first, then load: a commit in between must not be missed.
            if self._listens:
                await self._wakes.follow(auction_id)
            asked_at_us = self.times.monotonic_us()
            time.answered(await self._log.time_us(auction_id), asked_at_us)
            await book.load()
        except ServerErrors as error:
            raise Unavailable(
                "auction_interrupted", "A server behind the auction is away."
            ) from error
        book.used_at = self._now
        self._books[auction_id] = book
        self._runs[auction_id] = asyncio.create_task(forever(f"book {auction_id}", book.run))
        return book

    @contextlib.asynccontextmanager
    async def newest(self, auction_id: UUID) -> AsyncIterator[Book]:
        """The book held still, with all in it that any node had made durable before the call: who
        was answered there finds it here. Raises NotFound or Unavailable.
        """
        book = await self.open(auction_id)
        try:
            place = await self._journal.place(auction_id)
        except ServerErrors as error:
            raise Unavailable(
                "auction_interrupted", "A server behind the auction is away."
            ) from error
        if place is None:
            raise NotFound("auction")
        epoch, seq, _ = place
        # Without the tag: what is visible may be in doubt, so the book asks for the durable head.
        book.woken(epoch, seq, "")
        async with book.settled(at_least=seq):
            yield book

    async def ask_time(self) -> None:
        """What Redis takes for now; without an answer what is known goes on."""
        asked_at_us = self.times.monotonic_us()
        with contextlib.suppress(*ServerErrors):
            time_us = await self._log.time_us(_NO_AUCTION)
            self._server_time.answered(time_us, asked_at_us)

    async def _make_room(self) -> None:
        """Leave the books that were not used for the longest time. Raises Unavailable when all are
        in use.
        """
        while len(self._books) + len(self._opening) > self.limit:
            unused = filter(self._is_unused, self._books.values())
            book = min(unused, key=lambda book: book.used_at, default=None)
            if book is None:
                raise Unavailable(TOO_MANY, "This node follows its maximum of auctions.")
            await self.close(book.auction_id)

    def _is_unused(self, book: Book) -> bool:
        is_busy = book.listeners or book in self._gathered or not book.is_idle
        return not is_busy and self._now - book.used_at > IDLE_FULL_S

    async def close(self, auction_id: UUID) -> None:
        """Stop following one auction. What would take long to fold again is kept for the next who
        opens it.
        """
        book = self._books.get(auction_id)
        if book is not None:
            await book.keep_last()
        await self._close(auction_id)

    async def _close(self, auction_id: UUID) -> None:
        book, run = self._books.pop(auction_id, None), self._runs.pop(auction_id, None)
        if book is None or run is None:
            return
        await _end({run})
        book.turn_away()
        # Opened again meanwhile, it needs its wakes.
        if auction_id not in self._books and auction_id not in self._opening:
            await self._wakes.unfollow(auction_id)

    async def forget(self, auction_id: UUID) -> None:
        """Drop what Redis keeps of an auction whose rows are gone; it cannot be opened again."""
        await self._close(auction_id)
        # What stays behind in Redis answers nobody; the next auction has another id.
        with contextlib.suppress(*ServerErrors):
            await self._log.forget(auction_id)

    async def submit(self, auction_id: UUID, body: AnyBody) -> Durable:
        """Put a command into the order and wait until it is durable.

        The same `cid` of the same bidder gives the first one's result. Raises NotFound, Conflict
        (`cid_reused`, for a very old cid), Invalid or Unavailable, after which the same call may
        be repeated.
        """
        book = self._books.get(auction_id) or await self.open(auction_id)
        ledger, book.used_at = book.ledger, self._now
        raw, bidder = commands.encode(body), getattr(body, "bidder", None) or ""
        if "\0" in body.cid or "\0" in bidder:
            # PostgreSQL would refuse the whole batch, for ever.
            raise Invalid("malformed", "A cid or bidder has no NUL in it.")
        try:
            if ledger.published_seq > _LONG and ledger.may_be_kept(bidder, body.cid):
                kept = await self._kept_before(book, bidder, body.cid, raw)
                if kept is not None:
                    return kept
            if isinstance(body, Bid) and is_sealing(ledger.fold.state):
                raw = self.envelope.seal(auction_id, raw)
            give_up_at = self._now + SUBMIT_TIMEOUT_S
            try:
                durable = await self._gather(book, raw, give_up_at)
            except RetryError:
                durable = await self._gather_again(book, raw, give_up_at)
            if durable.outcome.repeat_of is not None:
                durable = await book.durable_at(durable.outcome.repeat_of)
        except ServerErrors as error:
            raise Unavailable(
                "auction_interrupted",
                "It is not known yet whether this arrived; send it again with the same cid.",
            ) from error
        return durable

    def _gather(self, book: Book, raw: bytes, give_up_at: float) -> asyncio.Future[Durable]:
        """The command goes with the next call to Redis."""
        future: asyncio.Future[Durable] = self._loop.create_future()
        waiting, others = Waiting(raw, future, give_up_at), self._gathered.get(book)
        if others is None:
            self._gathered[book] = [waiting]
            self._gathering.set()
        else:
            others.append(waiting)
        return future

    async def _gather_again(self, book: Book, raw: bytes, give_up_at: float) -> Durable:
        while self._now <= give_up_at:
            await asyncio.sleep(RETRY_PAUSE_S)
            with contextlib.suppress(RetryError):
                return await self._gather(await self.open(book.auction_id), raw, give_up_at)
        raise TimeoutError

    async def _give_up_loop(self) -> None:
        """One sweep for all waiting commands is cheaper than a timer for each."""
        while True:
            await asyncio.sleep(GIVE_UP_STEP_S)
            self._now = now = self._loop.time()
            self.times.watch()
            self._watch_room()
            for batch in self._gathered.values():
                for waiting in batch:
                    waiting.give_up(now)
            for book in self.followed:
                book.give_up(now)
                if not book.listeners and now - book.used_at > IDLE_S:
                    await self.close(book.auction_id)

    def _watch_room(self) -> None:
        """One line when a node fills up, one when it has room again. Workers follow as much as they
        may on purpose.
        """
        share = self.in_use / self.limit if self._listens else 0.0
        if not self._is_nearly_full and share >= NEARLY_FULL:
            self._is_nearly_full = True
            _log.warning("auctions_nearly_full", followed=self.in_use, limit=self.limit)
        elif self._is_nearly_full and share <= ROOM_AGAIN:
            self._is_nearly_full = False
            _log.warning("auctions_room_again", followed=self.in_use, limit=self.limit)

    async def _kept_before(self, book: Book, bidder: str, cid: str, raw: bytes) -> Durable | None:
        """The result of a cid so old that the rules have forgotten it."""
        row = await self._journal.by_cid(book.auction_id, bidder, cid)
        if row is None or row["seq"] > book.published_seq - _LONG:
            return None
        if self.envelope.open(book.auction_id, row["body"]) != raw:
            raise Conflict("cid_reused", "This cid was used for another command.")
        return book.fold.durable(row)

    # -- what Redis is told ---------------------------------------------------------------------

    def _mark_dirty(self, book: Book) -> None:
        self._marks.add(book, alone=self._log.alone)

    async def _tell_loop(self) -> None:
        """New commands, and how far PostgreSQL is, gather while the last call is in flight: never
        one call a bid, never a timer.
        """
        while True:
            await self._gathering.wait()
            self._gathering.clear()
            ready = [book for book in self._gathered if book not in self._full]
            if len(ready) > BOOKS_WHOLE_MAX:
                ready = ready[: (len(ready) + 1) // 2]
                self._gathering.set()
            batches = {book: batch for book in ready if (batch := self._next_batch(book))}
            dirty = self._marks.take()
            if batches or dirty:
                await self._tell(batches, dirty)

    def _next_batch(self, book: Book) -> list[Waiting]:
        waiting = self._gathered.pop(book)
        count = len(waiting)
        if count > (WHOLE_IDLE_MAX if book.is_idle else WHOLE_MAX):
            count = min((count + 1) // 2, BATCH_MAX)
            self._gathered[book] = waiting[count:]
            self._gathering.set()
        # Callers that gave up meanwhile must not take a place in the order.
        return [own for own in waiting[:count] if not own.future.done()]

    async def _tell(self, batches: dict[Book, list[Waiting]], dirty: dict[UUID, Book]) -> None:
        marks = {k: (b.epoch, b.published_seq, b.ledger.published_tag) for k, b in dirty.items()}
        asked_at_us = self.times.monotonic_us()
        try:
            replies, failed = await self._log.tell(
                {k.auction_id: [w.raw for w in b] for k, b in batches.items()}, marks
            )
        except ServerErrors as error:
            OUTAGES.failed(error, where="placing bids")
            # It is unknown whether they entered the log; the cid makes a second entry harmless.
            for batch in batches.values():
                _retry(batch)
            self._marks.again(dirty)
            return
        self._marks.again({key: dirty[key] for key in failed})
        for book, batch in batches.items():
            self._placed(book, batch, replies[book.auction_id], asked_at_us)

    def _placed(
        self,
        book: Book,
        batch: list[Waiting],
        reply: list[Entry] | Exception,
        asked_at_us: int,
    ) -> None:
        if self._books.get(book.auction_id) is not book:
            _retry(batch)
        elif isinstance(reply, list):
            book.time.answered(reply[0].ts, asked_at_us)
            book.admitted(reply, batch[: len(reply)])
            self._later(book, batch[len(reply) :])
        elif isinstance(reply, BusyError):
            self._later(book, batch)
        else:
            if isinstance(reply, NoBookError | ForkError):
                book.distrust(force_epoch=isinstance(reply, ForkError))
            elif is_outage(reply):
                # Of the one server of a cluster that has this auction.
                OUTAGES.failed(reply, where="placing bids")
            else:
                _log.error("admission_failed", error=repr(reply)[:200])
            _retry(batch)

    def _later(self, book: Book, batch: list[Waiting]) -> None:
        """The auction holds as many undecided commands as it may: these wait outside, in order,
        and who comes meanwhile behind them.
        """
        if batch:
            self._gathered[book] = batch + self._gathered.get(book, [])
            self._full.add(book)
            self._loop.call_later(BUSY_PAUSE_S, self._again, book)

    def _again(self, book: Book) -> None:
        self._full.discard(book)
        self._gathering.set()


def _retry(batch: Sequence[Waiting]) -> None:
    for waiting in batch:
        if not waiting.future.done():
            waiting.future.set_exception(RetryError())


async def _end(tasks: set[asyncio.Task[None]]) -> None:
    """Cancel until they are done: a client library may turn one cancellation into a connection
    error.
    """
    while tasks:
        for task in tasks:
            task.cancel()
        _, tasks = await asyncio.wait(tasks, timeout=CANCEL_AGAIN_S)
