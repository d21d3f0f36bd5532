"""One auction on one node: follow the log, fold it with the rules, make it durable, tell those who
listen.

The fold is ahead of PostgreSQL only inside `_advance`, which holds `_lock`; everybody else sees it
through `settled`, so nothing is ever shown that is not durable.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from uuid import UUID

import asyncpg
import structlog

from auctions.book.epoch import begin_epoch, redis_differs
from auctions.book.fold import DivergedError, Durable, Fold
from auctions.book.journal import Journal, JournalHead, Pool
from auctions.book.log import BATCH_MAX, Entry, ForkError, Log, RedisError
from auctions.book.waiting import Waiting
from marketplace.kernel.errors import NotFound, Unavailable

SNAPSHOT_EVERY = 5_000
RECENT_MAX = 4_096
SETTLED_TIMEOUT_S = 5.0
BACKOFF_S = (0.02, 0.05, 0.1, 0.25, 0.5)

ServerErrors = (RedisError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError)
_log = structlog.get_logger(__name__)


Listener = Callable[[Sequence[Durable]], None]


class Book:
    """Made by `Books.open`; commands enter through `Books.submit`, which batches over all books of
    the node.
    """

    def __init__(self, auction_id: UUID, log: Log, journal: Journal, pool: Pool) -> None:
        self.auction_id = auction_id
        self.listeners: list[Listener] = []
        self.on_durable: Callable[[Book], None] = lambda _: None
        self.published_seq = 0
        self.recorded_here = 0
        self.epoch = 0
        self.used_at = 0.0
        self.lag_s = 0.0
        """So long it may stay behind other nodes while nobody here waits for a command."""
        self._log, self._journal, self._pool = log, journal, pool
        self._lock = asyncio.Lock()
        self._wake = asyncio.Event()
        self._inbox: dict[int, Entry] = {}
        self._waiting: dict[int, Waiting] = {}
        self._target = 0
        self._pending: list[Durable] = []
        self._recorded: tuple[int, str] = (0, "")
        self._hint: tuple[int, str] = (0, "")
        self._recent: OrderedDict[int, Durable] = OrderedDict()
        self._snapshot_seq = 0
        self._seen: set[int] = set()
        self._reload_due, self._force_epoch, self._restore_due = True, False, False
        self._began = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._rising: asyncio.TimerHandle | None = None
        self._fold: Fold | None = None

    # -- what others read -----------------------------------------------------------------------

    @property
    def fold(self) -> Fold:
        """Exactly the published state, but only for listeners while they are called; else
        `settled`.
        """
        assert self._fold is not None, "a book is loaded before it is handed out"
        return self._fold

    @property
    def loaded(self) -> bool:
        return self._fold is not None

    @property
    def published_tag(self) -> str:
        return self._recorded[1]

    @property
    def interrupted(self) -> bool:
        """Whether commands wait for a server that does not answer."""
        return self._reload_due

    @asynccontextmanager
    async def settled(self) -> AsyncIterator[Fold]:
        """The state exactly as PostgreSQL has it. Raises Unavailable while that is unknown."""
        try:
            async with asyncio.timeout(SETTLED_TIMEOUT_S):
                await self._lock.acquire()
        except TimeoutError:
            raise _interrupted() from None
        try:
            if self._pending or self._reload_due or self._fold is None:
                raise _interrupted()
            yield self._fold
        finally:
            self._lock.release()

    def may_be_kept(self, bidder: str, cid: str) -> bool:
        """Whether this cid may be in PostgreSQL already (no false negatives): then ask it."""
        return hash((bidder, cid)) in self._seen

    async def durable_at(self, seq: int) -> Durable:
        """A published command, from memory or PostgreSQL."""
        return self._recent.get(seq) or self.fold.durable(await self._row(seq))

    async def _row(self, seq: int) -> asyncpg.Record:
        row = await self._journal.by_seq(self.auction_id, seq)
        assert row is not None, "published commands are kept"
        return row

    def give_up(self, now: float) -> None:
        """Callers do not wait for ever; their commands stay where they are."""
        for own in self._waiting.values():
            own.give_up(now)

    # -- what the log tells ---------------------------------------------------------------------

    def admitted(self, entries: Sequence[Entry], waiting: Sequence[Waiting]) -> None:
        """Own commands got their places."""
        for entry, own in zip(entries, waiting, strict=True):
            own.epoch, own.tag = entry.epoch, entry.tag
            former = self._waiting.pop(entry.seq, None)
            if former is not None:
                # Of an epoch that is over: the log was lost before that command was durable.
                former.answer(None)
            if entry.seq <= self.published_seq:
                # Another node committed and woke us before our own reply arrived.
                own.answer(self._recent.get(entry.seq))
                continue
            self._waiting[entry.seq] = own
            self._inbox[entry.seq] = entry
        self.aim(entries[-1].seq)

    def aim(self, seq: int) -> None:
        """There is something to fold up to `seq`."""
        self._target = max(self._target, seq)
        if self._pending or self._target > self.published_seq:
            self._wake.set()

    def woken(self, epoch: int, seq: int, tag: str) -> None:
        """Another node says it has committed up to `seq`."""
        if epoch != self.epoch:
            self.distrust()
        elif seq > self.published_seq:
            self._hint = (seq, tag)
            if self.lag_s and not self._waiting and not self._inbox:
                self._target = max(self._target, seq)
                if self._rising is None:
                    self._rising = asyncio.get_running_loop().call_later(self.lag_s, self._rise)
            else:
                self.aim(seq)

    def _rise(self) -> None:
        self._rising = None
        self.aim(self._target)

    def distrust(self, *, force_epoch: bool = False) -> None:
        """Redis lost or changed the log: look at PostgreSQL again before anything else."""
        self._reload_due = True
        self._force_epoch |= force_epoch
        self._wake.set()

    # -- the loop -------------------------------------------------------------------------------

    async def load(self) -> None:
        """First load. Raises NotFound, or one of ServerErrors when a server is away."""
        async with self._lock:
            await self._reload()

    async def run(self) -> None:
        """Until cancelled. Failing servers are waited out; the work goes on where it stood.

        Called again after an error nobody expected, it begins with a fresh look at PostgreSQL.
        """
        failures = 0
        if self._began:
            self._restore_due = True
            self.distrust()
        self._began = True
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                async with self._lock:
                    await self._advance()
                failures = 0
                continue
            except ForkError as error:
                _log.warning("log_forked", auction=str(self.auction_id), reason=str(error))
                self.distrust(force_epoch=True)
            except DivergedError as error:
                # Nothing here can mend that; an operator must look, and nothing is shown meanwhile.
                _log.error("journal_diverged", auction=str(self.auction_id), reason=str(error))
                self._wake.set()
            except ServerErrors as error:
                _log.warning("server_away", auction=str(self.auction_id), error=repr(error)[:200])
                self._wake.set()
            failures += 1
            await asyncio.sleep(BACKOFF_S[min(failures, len(BACKOFF_S)) - 1])

    async def _advance(self) -> None:
        if self._reload_due:
            await self._reload()
        await self._fold_next()
        if self._pending:
            await self._commit()
        if self._target > self.published_seq or self._pending or self._reload_due:
            self._wake.set()

    async def _fold_next(self) -> None:
        """Fold the next entries of the log, at most BATCH_MAX."""
        fold, entries = self.fold, list[Entry]()
        while len(entries) < BATCH_MAX:
            entry = self._inbox.pop(fold.seq + 1 + len(entries), None)
            if entry is None:
                break
            entries.append(entry)
        if not entries and self._target > fold.seq:
            entries = await self._log.read(
                self.auction_id, self.epoch, fold.seq + 1, self._target, fold.tag
            )
            if not entries:
                # Trimmed or wiped: PostgreSQL knows all that is durable.
                self._target = fold.seq
                self.distrust()
                return
        for entry in entries:
            if entry.epoch != self.epoch or entry.seq != fold.seq + 1:
                raise ForkError(f"{entry.seq} of epoch {entry.epoch} after {fold.seq}")
            if entry.before != fold.tag:
                raise ForkError(f"tag of {entry.seq}")
            self._inbox.pop(entry.seq, None)
            self._pending.append(
                self._decided(fold.decide(entry.seq, entry.ts, entry.raw, entry.tag))
            )

    def _decided(self, durable: Durable) -> Durable:
        if durable.record.cid:
            self._seen.add(hash((durable.record.bidder, durable.record.cid)))
        return durable

    # -- durable --------------------------------------------------------------------------------

    async def _commit(self) -> None:
        """Make what is folded durable, or find out that another node already did; then publish."""
        fold = self.fold
        fresh = [d.record for d in self._pending if d.seq > self._recorded[0]]
        if not fresh or self._hint == (fold.seq, fold.tag):
            self._publish()
            return
        if self._hint[0] >= fold.seq:
            await self._settle()
            return
        try:
            kept = await self._journal.record(
                self.auction_id,
                epoch=self.epoch,
                after_seq=self._recorded[0],
                after_tag=self._recorded[1],
                records=fresh,
                status=fold.state.status,
                close_at=fold.state.close_at,
            )
        except BaseException:
            # Kept or not: the head will tell, and until then these commands stay pending.
            self._reload_due = True
            raise
        if not kept:
            await self._settle()
            return
        self.recorded_here += len(fresh)
        self._publish()
        self.on_durable(self)

    async def _settle(self) -> None:
        """Another node committed first: see how far."""
        fold, head = self.fold, await self._journal.head(self.auction_id)
        if head is None or head.epoch != self.epoch:
            self.distrust()
        elif head.seq >= fold.seq:
            ours = head.chain if head.seq == fold.seq else (await self._row(fold.seq))["chain"]
            if ours != fold.chain:
                raise ForkError(f"chain of {fold.seq}")
            self._publish()
            self.aim(head.seq)
        elif head.seq > self._recorded[0]:
            known = {d.seq: d.record for d in self._pending}.get(head.seq)
            if known is None or known.chain != head.chain:
                raise ForkError(f"chain of {head.seq}")
            self._recorded = (head.seq, head.tag)

    def _publish(self) -> None:
        """All that is folded is durable: answer own commands, tell the listeners."""
        durables, self._pending = self._pending, []
        self._recorded = (self.fold.seq, self.fold.tag)
        self.published_seq = self.fold.seq
        for durable in durables:
            self._recent[durable.seq] = durable
            own = self._waiting.pop(durable.seq, None)
            if own is not None:
                own.answer(durable)
        while len(self._recent) > RECENT_MAX:
            self._recent.popitem(last=False)
        if durables:
            for listener in tuple(self.listeners):
                listener(durables)
        if self.fold.seq - self._snapshot_seq >= SNAPSHOT_EVERY:
            self._snapshot_seq = self.fold.seq
            task = asyncio.create_task(self._keep_snapshot())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _keep_snapshot(self) -> None:
        snapshot = self.fold.snapshot()
        # A missing snapshot only makes the next load longer.
        with contextlib.suppress(*ServerErrors):
            await self._journal.keep_snapshot(self.auction_id, snapshot)

    # -- rebuild --------------------------------------------------------------------------------

    async def _reload(self) -> None:
        """Bring the fold to PostgreSQL's head and make sure Redis continues from there."""
        head = await self._journal.head(self.auction_id)
        if head is None:
            raise NotFound("auction")
        first = self._fold is None
        if self._fold is None or self._pending or self._restore_due:
            await self._restore(head)
        await self._replay(head)
        if first:
            self._pending, self.published_seq = [], head.seq
        if self._force_epoch or await redis_differs(self._log, head):
            self.epoch = await begin_epoch(self._pool, self._log, self.auction_id, self.epoch)
        else:
            self.epoch = head.epoch
        self._reload_due = self._force_epoch = self._restore_due = False
        self._publish()
        self._drop_strangers()

    async def _restore(self, head: JournalHead) -> None:
        """From the newest snapshot: what was folded beyond PostgreSQL may never have been."""
        snapshot = await self._journal.snapshot(self.auction_id)
        if self._fold is None and snapshot is not None:
            async for bidder, cid in self._journal.cids_until(self.auction_id, snapshot.seq):
                self._seen.add(hash((bidder, cid)))
        self._pending = []
        self._fold = Fold(head, snapshot, self._journal.envelope)
        self._snapshot_seq = self._fold.seq

    async def _replay(self, head: JournalHead) -> None:
        """Fold PostgreSQL's rows up to its head; they must fold to the very same chain."""
        async for row in self._journal.commands(self.auction_id, self.fold.seq, head.seq):
            durable = self._decided(self.fold.replay(row))
            if durable.seq > self.published_seq:
                self._pending.append(durable)
        if (self.fold.seq, self.fold.tag) != (head.seq, head.tag):
            raise DivergedError(f"journal ends at {head.seq}, replay at {self.fold.seq}")

    def _drop_strangers(self) -> None:
        """Own commands of another epoch that are not in the journal have no place any more."""
        seq = self.fold.seq
        self._inbox = {s: e for s, e in self._inbox.items() if e.epoch == self.epoch and s > seq}
        for place, own in list(self._waiting.items()):
            if own.epoch != self.epoch:
                del self._waiting[place]
                own.answer(None)
        self._target = max([seq, *self._inbox, *self._waiting])
        self._hint = (0, "")


def _interrupted() -> Unavailable:
    return Unavailable("auction_interrupted", "The auction is interrupted; it resumes by itself.")
