"""What of an auction is folded here, what of that is durable, and who is told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import asyncpg

from auctions.book.fold import Durable, Fold
from auctions.book.journal import JournalHead, Snapshot
from auctions.book.log import Entry
from auctions.rules.core.commands import Tick

SNAPSHOT_EVERY, SNAPSHOT_EVERY_MAX = 2_000, 20_000
"""Commands between two snapshots. One costs as much as a hundred bids all at once, so it waits for
a moment of quiet, up to as many commands as are folded again in a second.
"""

SNAPSHOT_LAST_MIN = 200
"""Commands that are worth a snapshot when a book is left: it costs as much as half of them."""

QUIET_MAX = 20
"""Commands between two heartbeats in such a moment."""

RECENT_MAX = 2_048

Listener = Callable[[Sequence[Durable]], None]
"""Called with commands that are durable now; the state may be ahead of them again."""


class Preparer(Protocol):
    """Somebody who words or draws the state as it is right after a command."""

    def folded(self, durables: Sequence[Durable]) -> None:
        """`Book.fold` is exactly what these made of it. Nothing of it may be shown before they are
        published.
        """

    def lost(self) -> None:
        """What was folded and not published may never have been: forget what was prepared."""


class Ledger:
    """Commands come in by `decide` or `replay`, each is `prepare`d while the state is exactly the
    one after it, and leaves by `publish` and `tell` once it is durable; `pending` are those in
    between.
    """

    def __init__(self) -> None:
        self.listeners: list[Listener] = []
        self.preparers: list[Preparer] = []
        self.published_seq, self.published_tag = 0, ""
        self.pending: list[Durable] = []
        self._recent: list[Durable] = []
        """The newest published ones in order, without gaps."""
        self._prepared_seq = 0
        self._seen: set[int] = set()
        self._snapshot_seq = self._tick_seq = 0
        self._snapshot: Snapshot | None = None
        self.loaded = False
        self.fold: Fold
        """There from the first `begin` on; a book is loaded before it is handed out."""

    def is_settled(self, seq: int) -> bool:
        """Whether all that was folded is published, and that goes as far as `seq`."""
        return self.published_seq >= seq and not self.pending

    def begin(self, fold: Fold) -> None:
        """Start from a fold of PostgreSQL's: what was folded beyond it may never have been."""
        self.pending, self._snapshot, self._prepared_seq = [], None, self.published_seq
        self.fold, self._snapshot_seq, self.loaded = fold, fold.seq, True
        for preparer in tuple(self.preparers):
            preparer.lost()

    def opened(self, head: JournalHead) -> None:
        """First load: nobody here waits for what happened before."""
        self.pending, self.published_seq, self._prepared_seq = [], head.seq, head.seq

    # -- folding --------------------------------------------------------------------------------

    def decide(self, entries: Sequence[Entry], *, is_kept: bool) -> None:
        """Fold the next entries of the log. Of what another node made durable (`is_kept`) that node
        takes the snapshots.
        """
        durables, fold = self.fold.decide(entries), self.fold
        self._take(durables)
        ticks = [durable.seq for durable in durables if isinstance(durable.command.body, Tick)]
        if not is_kept and self._is_snapshot_due(ticks):
            # Of this very moment; it is kept once the journal is as far.
            self._snapshot_seq, self._snapshot = fold.seq, fold.snapshot()
        if ticks:
            self._tick_seq = ticks[-1]

    def _is_snapshot_due(self, ticks: Sequence[int]) -> bool:
        since = self.fold.seq - self._snapshot_seq
        if since < SNAPSHOT_EVERY:
            return False
        is_over = self.fold.state.status in {"closed", "cancelled"}
        is_quiet = is_over or (bool(ticks) and ticks[-1] - self._tick_seq <= QUIET_MAX)
        return is_quiet or since >= SNAPSHOT_EVERY_MAX

    def replay(self, row: asyncpg.Record) -> None:
        """Fold the next row of the journal. Raises DivergedError."""
        self._take([self.fold.replay(row)])

    def _take(self, durables: Sequence[Durable]) -> None:
        self._seen.update([hash((durable.bidder, durable.cid)) for durable in durables])
        published_seq = self.published_seq
        self.pending += [durable for durable in durables if durable.seq > published_seq]

    def saw(self, bidder: str, cid: str) -> None:
        """A command with this cid was folded."""
        self._seen.add(hash((bidder, cid)))

    def may_be_kept(self, bidder: str, cid: str) -> bool:
        """Whether this cid may be in PostgreSQL already (no false negatives): then ask it."""
        return bool(cid) and hash((bidder, cid)) in self._seen

    # -- telling --------------------------------------------------------------------------------

    def prepare(self) -> None:
        """The state is exactly the one after all that is pending: who draws it does so now."""
        fresh, self._prepared_seq = self.fold.seq - self._prepared_seq, self.fold.seq
        if fresh > 0 and self.preparers:
            durables = self.pending[-fresh:]
            for preparer in tuple(self.preparers):
                preparer.folded(durables)

    def publish(self, seq: int, tag: str) -> Sequence[Durable]:
        """All up to `seq` is durable; what is new among it, for `tell`."""
        self.prepare()
        count = seq - self.published_seq
        durables, self.pending = self.pending[:count], self.pending[count:]
        self.published_seq, self.published_tag = seq, tag
        if len(durables) < count:
            # The fold began anew from a snapshot beyond what was published here: a gap.
            self._recent = []
        self._recent += durables
        if len(self._recent) > 2 * RECENT_MAX:
            del self._recent[:-RECENT_MAX]
        return durables

    def tell(self, durables: Sequence[Durable]) -> None:
        """Tell the listeners what was published."""
        if durables:
            for listener in tuple(self.listeners):
                listener(durables)

    def recent(self, seq: int) -> Durable | None:
        """A published command that is still in memory."""
        index = seq - self.published_seq - 1
        return self._recent[index] if -len(self._recent) <= index < 0 else None

    def last_snapshot(self) -> Snapshot | None:
        """Of what is durable now, if folding from the last one takes longer than to keep this."""
        if self.pending or self.fold.seq - self._snapshot_seq < SNAPSHOT_LAST_MIN:
            return None
        self._snapshot_seq = self.fold.seq
        return self.fold.snapshot()

    def snapshot_due(self) -> Snapshot | None:
        """One that was taken and is durable by now; each is handed out once."""
        snapshot = self._snapshot
        if snapshot is None or snapshot.seq > self.published_seq:
            return None
        self._snapshot = None
        return snapshot
