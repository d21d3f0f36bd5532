"""One auction on one node: follow the log, fold it with the rules, make it durable, tell the
listeners. README.md has a drawing.

While a batch is on its way to PostgreSQL the next one is folded already. So the fold is ahead of
what is durable, but only inside `_advance`; everybody else sees it in a turn of its own through
`settled`, or prepares at the fold what it shows once that is published.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from uuid import UUID

import asyncpg
import structlog

from auctions.book.committer import Batch
from auctions.book.epoch import begin_epoch, redis_differs
from auctions.book.fold import DivergedError, Durable, Fold
from auctions.book.journal import Journal, JournalHead, Pool, Snapshot
from auctions.book.ledger import Ledger
from auctions.book.log import BATCH_MAX, Entry, ForkError, Log, RedisError
from auctions.book.logtime import LogTime
from auctions.book.turns import Turns, breathe
from auctions.book.waiting import Commit, Waiting, answer
from marketplace.kernel.errors import NotFound, Unavailable
from marketplace.kernel.outage_log import OUTAGES

FOLD_MAX = 128
"""So many commands are folded before the loop looks whether the last commit is through."""

AHEAD_MAX = 1_024
SETTLED_TIMEOUT_S = 5.0
BACKOFF_S = (0.02, 0.05, 0.1, 0.25, 0.5)

ServerErrors = (RedisError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError)
_log = structlog.get_logger(__name__)


class Book:
    """Made by `Books.open`; commands enter through `Books.submit`, which batches over all books of
    the node.
    """

    def __init__(
        self, auction_id: UUID, log: Log, journal: Journal, pool: Pool, time: LogTime
    ) -> None:
        self.auction_id, self.time = auction_id, time
        self.ledger = Ledger()
        self.listeners, self.preparers = self.ledger.listeners, self.ledger.preparers
        self.on_durable: Callable[[Book], None] = lambda _: None
        self.recorded_here = self.epoch = 0
        self.used_at = 0.0
        self._log, self._journal, self._pool = log, journal, pool
        self._turns = Turns(lambda seq: not self._reload_due and self.ledger.is_settled(seq))
        self._wake = asyncio.Event()
        self._inbox: dict[int, Entry] = {}
        self._waiting: dict[int, Waiting] = {}
        self._target = 0
        self._commit: Commit | None = None
        self._hint: tuple[int, str] = (0, "")
        self._reload_due, self._force_epoch, self._restore_due = True, False, False
        self._began = self._idle = False
        self._tasks: set[asyncio.Task[None]] = set()

    # -- what others read -----------------------------------------------------------------------

    @property
    def fold(self) -> Fold:
        """Exactly what the newest commands made of it, but only for preparers while they are
        called; else `settled`.
        """
        return self.ledger.fold

    @property
    def loaded(self) -> bool:
        return self.ledger.loaded

    @property
    def published_seq(self) -> int:
        """So far all is durable and told."""
        return self.ledger.published_seq

    @property
    def is_idle(self) -> bool:
        """Whether no command is on its way that is known here."""
        return self._target <= self.ledger.published_seq

    def now_us(self) -> int:
        """The time by the stamps of the log: what is shown, and what is due, goes by this one."""
        return self.time.now_us(self.ledger.fold.state.ts)

    @property
    def interrupted(self) -> bool:
        """Whether commands wait for a server that does not answer."""
        return self._reload_due

    @asynccontextmanager
    async def settled(self, at_least: int = 0) -> AsyncIterator[Fold]:
        """The state PostgreSQL has, as far as known here. Raises Unavailable when that fails."""
        async with AsyncExitStack() as turn:
            try:
                await turn.enter_async_context(self._turns.reading(SETTLED_TIMEOUT_S, at_least))
            except TimeoutError:
                raise Unavailable(
                    "auction_interrupted", "The auction is interrupted; it resumes by itself."
                ) from None
            yield self.fold

    async def durable_at(self, seq: int) -> Durable:
        """A published command, from memory or PostgreSQL."""
        return self.ledger.recent(seq) or self.fold.durable(await self._row(seq))

    async def _row(self, seq: int) -> asyncpg.Record:
        row = await self._journal.by_seq(self.auction_id, seq)
        assert row is not None, "published commands are kept"
        return row

    def give_up(self, now: float) -> None:
        """Callers do not wait for ever; their commands stay where they are."""
        for own in self._waiting.values():
            own.give_up(now)

    def turn_away(self) -> None:
        """It is left: who still waits here sends again, to the book that is opened next."""
        for own in self._waiting.values():
            own.answer(None)
        self._waiting.clear()

    # -- what the log tells ---------------------------------------------------------------------

    def admitted(self, entries: Sequence[Entry], waiting: Sequence[Waiting]) -> None:
        """Own commands got their places."""
        published_seq, folded_seq = self.ledger.published_seq, self.ledger.fold.seq
        for entry, own in zip(entries, waiting, strict=True):
            seq, own.entry = entry.seq, entry
            if seq in self._waiting:
                # Of an epoch that is over: the log was lost before that command was durable.
                self._waiting.pop(seq).answer(None)
            if seq <= published_seq:
                # Another node committed and woke us before our own reply arrived.
                own.answer(self.ledger.recent(seq))
            else:
                self._waiting[seq] = own
                if seq > folded_seq:
                    self._inbox[seq] = entry
        self._target = max(self._target, entries[-1].seq)
        self._step()

    def aim(self, seq: int) -> None:
        """There is something to fold up to `seq`."""
        self._target = max(self._target, seq)
        if self.ledger.pending or self._target > self.published_seq:
            self._wake.set()

    def woken(self, epoch: int, seq: int, tag: str) -> None:
        """Another node says it has committed up to `seq`."""
        if epoch > self.epoch:
            self.distrust()
        elif epoch == self.epoch and seq > self.published_seq:
            self._hint = (seq, tag)
            self.aim(seq)

    def distrust(self, *, force_epoch: bool = False) -> None:
        """Redis lost or changed the log: look at PostgreSQL again before anything else."""
        self._reload_due = True
        self._force_epoch |= force_epoch
        self._wake.set()

    # -- the loop -------------------------------------------------------------------------------

    async def load(self) -> None:
        """First load. Raises NotFound, or one of ServerErrors when a server is away."""
        async with self._turns.moving():
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
            self._idle = True
            await self._wake.wait()
            self._idle = False
            self._wake.clear()
            try:
                async with self._turns.moving():
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
                OUTAGES.failed(error, where="deciding bids")
                self._wake.set()
            failures += 1
            await asyncio.sleep(BACKOFF_S[min(failures, len(BACKOFF_S)) - 1])

    async def _advance(self) -> None:
        """Fold and commit side by side until all is published and nothing is left; or until all
        that was folded is published, when somebody waits for the state.
        """
        try:
            if self._commit is not None:
                # Started by `_step`.
                self.ledger.prepare()
                await self._next_turn()
            if self._reload_due:
                await self._reload()
            await self._fold_next()
            while await self._commit_next():
                if self.preparers or self._may_fold():
                    await breathe()
                    self.ledger.prepare()
                await self._next_turn()
        except BaseException as error:
            await self._leave_commit(error)
            raise
        if self._target > self.published_seq or self.ledger.pending or self._reload_due:
            self._wake.set()

    async def _next_turn(self) -> None:
        """Fold on if there is something to fold and nobody waits; else wait for the commit."""
        commit = self._commit
        assert commit is not None, "a turn has a commit in flight"
        while not commit.kept.done():
            if self._may_fold():
                await self._fold_next()
                self.ledger.prepare()
                await breathe()
            else:
                await self._wake.wait()
                self._wake.clear()
        await self._committed(commit)

    def _may_fold(self) -> bool:
        return (
            self._target > self.fold.seq
            and not (self._turns.wanted or self._reload_due)
            and len(self.ledger.pending) < AHEAD_MAX
        )

    async def _fold_next(self) -> None:
        """Fold the next entries of the log: few of those this node decides, as many as come of
        those that are durable already.
        """
        fold = self.fold
        if self._target > fold.seq and fold.seq + 1 not in self._inbox:
            read = await self._log.read(
                self.auction_id, self.epoch, fold.seq + 1, self._target, fold.tag
            )
            if not read:
                # Trimmed or wiped: PostgreSQL knows all that is durable.
                self._target = fold.seq
                self.distrust()
                return
            self._inbox |= {entry.seq: entry for entry in read}
        self._fold_inbox()

    def _fold_inbox(self) -> None:
        fold = self.fold
        is_kept = self._hint[0] > fold.seq
        seq, tag, entries = fold.seq, fold.tag, []
        for _ in range(BATCH_MAX if is_kept else FOLD_MAX):
            entry = self._inbox.pop(seq + 1, None)
            if entry is None:
                break
            if entry.epoch != self.epoch:
                raise ForkError(f"{entry.seq} of epoch {entry.epoch} after {seq}")
            if entry.before != tag:
                raise ForkError(f"tag of {entry.seq}")
            entries.append(entry)
            seq, tag = entry.seq, entry.tag
        if entries:
            self.ledger.decide(entries, is_kept=is_kept)

    # -- without waking `run` -------------------------------------------------------------------

    def _step(self) -> None:
        """Fold the inbox and start its commit right here if `run` is idle and nothing else is due;
        else wake `run`. With many auctions, waking a task per batch costs more than the bids.
        """
        if self._target <= self.published_seq and not self.ledger.pending:
            return
        if not self._can_step():
            self._wake.set()
            return
        try:
            self._fold_inbox()
        except ForkError as error:
            _log.warning("log_forked", auction=str(self.auction_id), reason=str(error))
            self.distrust(force_epoch=True)
            return
        except Exception:  # noqa: BLE001  # must not stop the other auctions
            self._restart("fold_failed")
            return
        if self.ledger.pending:
            self._commit = self._send()
            if self.preparers:
                asyncio.get_running_loop().call_soon(self._prepare)
        else:
            self._wake.set()

    def _can_step(self) -> bool:
        seq = self.fold.seq
        return (
            self._idle
            and self._commit is None
            and not (self._wake.is_set() or self._reload_due or self.ledger.pending)
            and self._turns.is_free
            and self._hint[0] <= seq
            and seq + 1 in self._inbox
        )

    def _prepare(self) -> None:
        try:
            self.ledger.prepare()
        except Exception:  # noqa: BLE001  # must not stop the other auctions
            self._restart("preparing_failed")

    def _landed(self) -> None:
        """Called when PostgreSQL has answered the commit in flight."""
        commit = self._commit
        if commit is None or not self._idle or self._wake.is_set() or not _is_kept(commit):
            self._wake.set()
            return
        self._commit = None
        self.recorded_here += commit.count
        try:
            answers = self._published(commit.seq, commit.tag)
        except Exception:  # noqa: BLE001  # must not stop the other auctions
            self._restart("publishing_failed")
            return
        self.on_durable(self)
        self._turns.moved()
        self._step()
        answer(answers)

    def _restart(self, event: str) -> None:
        """After an unexpected error, as when `run` itself ends by one."""
        _log.exception(event, auction=str(self.auction_id))
        self._restore_due = True
        self.distrust()

    # -- durable --------------------------------------------------------------------------------

    async def _commit_next(self) -> bool:
        """Send all that is pending to PostgreSQL, or find that another node did. False when
        nothing is left to send, or only a reload can tell.
        """
        while self.ledger.pending and not self._reload_due:
            fold = self.fold
            if self._hint == (fold.seq, fold.tag):
                self._publish(fold.seq, fold.tag)
            elif self._hint[0] >= fold.seq:
                await self._settle()
            else:
                self._commit = self._send()
                return True
        return False

    def _send(self) -> Commit:
        fold, records = self.fold, self.ledger.pending[:]
        batch = Batch(
            self.auction_id,
            self.epoch,
            self.published_seq,
            self.ledger.published_tag,
            records,
            fold.state.status,
            fold.state.close_at,
        )
        kept = self._journal.record(batch, self._landed)
        return Commit(kept, len(records), fold.seq, fold.tag)

    async def _committed(self, commit: Commit) -> None:
        self._commit = None
        try:
            kept = commit.kept.result()
        except BaseException:
            # Kept or not: the head will tell, and until then these commands stay pending.
            self._reload_due = True
            raise
        if not kept:
            await self._settle()
            return
        self.recorded_here += commit.count
        self._publish(commit.seq, commit.tag)
        self.on_durable(self)

    async def _leave_commit(self, error: BaseException) -> None:
        """Whose turn is next must know how far a commit came that is still in flight."""
        commit, self._commit = self._commit, None
        if commit is not None:
            self._reload_due = True
            if isinstance(error, asyncio.CancelledError):
                commit.kept.cancel()
            await asyncio.wait({commit.kept})

    async def _settle(self) -> None:
        """Another node committed first: see how far."""
        fold, head = self.fold, await self._journal.head(self.auction_id)
        if head is None or head.epoch != self.epoch:
            self.distrust()
        elif head.seq >= fold.seq:
            ours = head.chain if head.seq == fold.seq else (await self._row(fold.seq))["chain"]
            if ours != fold.chain:
                raise ForkError(f"chain of {fold.seq}")
            self._publish(fold.seq, fold.tag)
            self.aim(head.seq)
        elif head.seq > self.published_seq:
            known = self.ledger.pending[head.seq - self.published_seq - 1]
            if known.chain != head.chain:
                raise ForkError(f"chain of {head.seq}")
            self._publish(head.seq, head.tag)

    def _publish(self, seq: int, tag: str) -> None:
        """All up to `seq` is durable: tell the listeners, answer own commands."""
        # Not at once: who is answered asks again, and the next commit shall leave before that.
        asyncio.get_running_loop().call_soon(answer, self._published(seq, tag))

    def _published(self, seq: int, tag: str) -> list[tuple[Waiting | None, Durable]]:
        pop, durables = self._waiting.pop, self.ledger.publish(seq, tag)
        answers = [(pop(durable.seq, None), durable) for durable in durables]
        try:
            self.ledger.tell(durables)
        except Exception:
            # A failing listener must not cost the bidders their answers: the bids are durable.
            answer(answers)
            raise
        snapshot = self.ledger.snapshot_due()
        if snapshot is not None:
            task = asyncio.create_task(self._keep(snapshot))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return answers

    async def keep_last(self) -> None:
        """Before it is left: a snapshot, if there is much that its next reader would fold again."""
        snapshot = self.ledger.last_snapshot()
        if snapshot is not None:
            await self._keep(snapshot)

    async def _keep(self, snapshot: Snapshot) -> None:
        # A missing snapshot only makes the next load longer.
        with suppress(*ServerErrors):
            await self._journal.keep_snapshot(self.auction_id, snapshot)

    # -- rebuild --------------------------------------------------------------------------------

    async def _reload(self) -> None:
        """Bring the fold to PostgreSQL's head and make sure Redis continues from there."""
        head = await self._journal.head(self.auction_id)
        if head is None:
            raise NotFound("auction")
        first = not self.loaded
        if first or self.ledger.pending or self._restore_due:
            await self._restore(head, first=first)
        await self._replay(head)
        if first:
            self.ledger.opened(head)
        if self._force_epoch or await redis_differs(self._log, head):
            self.epoch = await begin_epoch(self._pool, self._log, self.auction_id, self.epoch)
        else:
            self.epoch = head.epoch
        self._reload_due = self._force_epoch = self._restore_due = False
        self._publish(head.seq, head.tag)
        self._drop_strangers()

    async def _restore(self, head: JournalHead, *, first: bool) -> None:
        """From the newest snapshot: what was folded beyond PostgreSQL may never have been."""
        snapshot = await self._journal.snapshot(self.auction_id, head.seq)
        if first and snapshot is not None:
            async for bidder, cid in self._journal.cids_until(self.auction_id, snapshot.seq):
                self.ledger.saw(bidder, cid)
        self.ledger.begin(Fold(head, snapshot, self._journal.envelope))

    async def _replay(self, head: JournalHead) -> None:
        """Fold PostgreSQL's rows up to its head; they must fold to the very same chain."""
        async for row in self._journal.commands(self.auction_id, self.fold.seq, head.seq):
            self.ledger.replay(row)
        if (self.fold.seq, self.fold.tag) != (head.seq, head.tag):
            raise DivergedError(f"journal ends at {head.seq}, replay at {self.fold.seq}")

    def _drop_strangers(self) -> None:
        """Own commands of another epoch that are not in the journal have no place any more."""
        seq = self.published_seq
        self._inbox = {s: e for s, e in self._inbox.items() if e.epoch == self.epoch and s > seq}
        for place, own in list(self._waiting.items()):
            if own.entry is None or own.entry.epoch != self.epoch:
                del self._waiting[place]
                own.answer(None)
        self._target = max([seq, *self._inbox, *self._waiting])
        self._hint = (0, "")


def _is_kept(commit: Commit) -> bool:
    kept = commit.kept
    return kept.done() and not kept.cancelled() and kept.exception() is None and kept.result()
