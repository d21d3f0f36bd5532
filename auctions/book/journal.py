"""The truth in PostgreSQL: heads, commands with their outcomes, snapshots. Raw asyncpg, one round
trip a batch.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TypeAlias
from uuid import UUID

import asyncpg
import msgspec

from auctions.book.committer import Batch, Committer
from auctions.book.envelope import Envelope
from marketplace.kernel.pools import is_lost

PACKING = 1
_PACKED = b"\x78"

ROWS_MAX = 2_000
COMMAND_TIMEOUT_S = 4.0
"""Without an answer for so long, a frozen server is left early enough for bids to go on 6 s after
another one took over.
"""
LEASES_MAX, POOL_FOR_A_LEASE = 2, 4

Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"
PoolConnection: TypeAlias = "asyncpg.pool.PoolConnectionProxy[asyncpg.Record]"


class Record(msgspec.Struct, frozen=True, gc=False):
    """One decided command. `chain` is the chain hash after it; `bidder` and `cid` may be empty.

    `kept_body` and `kept_outcome` are canonical JSON, or envelopes around it.
    """

    seq: int
    ts: int
    bidder: str
    cid: str
    kept_body: bytes
    kept_outcome: bytes
    chain: bytes
    tag: str


class JournalHead(msgspec.Struct, frozen=True):
    """Where PostgreSQL stands for one auction."""

    auction_id: UUID
    epoch: int
    seq: int
    ts: int
    tag: str
    chain: bytes
    terms: bytes
    salt_key: bytes
    status: str
    close_at: int | None


class Snapshot(msgspec.Struct, frozen=True):
    """`state` is plain; `sealed`, it may hold unopened bids and is encrypted where it is kept."""

    seq: int
    tag: str
    chain: bytes
    state: bytes
    sealed: bool = False


# The conditional update is the fence: it takes the head's row lock, and it does nothing unless
# this batch continues exactly what is there. One statement, so one round trip and no lock held
# while a node thinks or is frozen. Each column travels as one text or one run of bytes: asyncpg
# looks at each element of an array through abstract base classes, which costs more than all the
# rest of it. Bodies and outcomes have no line ends (canonical JSON or an envelope), a cid may.
_RECORD = """
WITH head AS (
    UPDATE auction_head SET seq = $2, ts = $3, tag = $4, chain = $5, status = $6, close_at = $7
    WHERE auction_id = $1 AND epoch = $8 AND seq = $9 AND tag = $10 RETURNING 1
)
INSERT INTO auction_commands (auction_id, seq, ts, bidder, cid, body, outcome, chain)
SELECT $1, $9 + c.n, c.ts, c.bidder, c.cid, convert_to(c.body, 'UTF8'),
    convert_to(c.outcome, 'UTF8'), substr($16::bytea, 1 + 32 * (c.n::int - 1), 32)
FROM ROWS FROM (unnest(string_to_array($11, ',')::bigint[]), json_array_elements_text($12::json),
    json_array_elements_text($13::json), unnest(string_to_array($14, E'\n')),
    unnest(string_to_array($15, E'\n'))) WITH ORDINALITY AS c (ts, bidder, cid, body, outcome, n)
WHERE EXISTS (SELECT FROM head)
"""
# The same for many auctions, each with its own fence. Heads that are locked are skipped rather than
# waited for: one locked auction must not delay the others, and two nodes must not deadlock.
_RECORD_MANY = """
WITH asked AS MATERIALIZED (
    SELECT * FROM ROWS FROM (unnest(string_to_array($1, ',')::uuid[]),
        unnest(string_to_array($2, ',')::bigint[]), unnest(string_to_array($3, ',')::bigint[]),
        unnest(string_to_array($4, ',')), unnest(string_to_array($5, ',')::bigint[]),
        unnest(string_to_array($6, ',')::bigint[]), unnest(string_to_array($7, ',')),
        unnest(string_to_array($8, ',')), unnest(string_to_array($9, ',', '')::bigint[])
    ) WITH ORDINALITY
    AS a (auction_id, epoch, after_seq, after_tag, seq, ts, tag, status, close_at, n)
), held AS MATERIALIZED (
    SELECT a.n FROM asked a JOIN auction_head h ON h.auction_id = a.auction_id
        AND h.epoch = a.epoch AND h.seq = a.after_seq AND h.tag = a.after_tag
    FOR NO KEY UPDATE OF h SKIP LOCKED
), moved AS (
    UPDATE auction_head h SET seq = a.seq, ts = a.ts, tag = a.tag,
        chain = substr($10::bytea, 1 + 32 * (a.n::int - 1), 32), status = a.status,
        close_at = a.close_at
    FROM asked a JOIN held USING (n)
    WHERE h.auction_id = a.auction_id AND h.epoch = a.epoch AND h.seq = a.after_seq
        AND h.tag = a.after_tag
    RETURNING a.n, a.auction_id
), kept AS (
    INSERT INTO auction_commands (auction_id, seq, ts, bidder, cid, body, outcome, chain)
    SELECT m.auction_id, c.seq, c.ts, c.bidder, c.cid, convert_to(c.body, 'UTF8'),
        convert_to(c.outcome, 'UTF8'), substr($18::bytea, 1 + 32 * (c.n::int - 1), 32)
    FROM ROWS FROM (unnest(string_to_array($11, ',')::bigint[]),
        unnest(string_to_array($12, ',')::bigint[]), unnest(string_to_array($13, ',')::bigint[]),
        json_array_elements_text($14::json), json_array_elements_text($15::json),
        unnest(string_to_array($16, E'\n')), unnest(string_to_array($17, E'\n'))
    ) WITH ORDINALITY AS c (a, seq, ts, bidder, cid, body, outcome, n)
    JOIN moved m ON m.n = c.a
)
SELECT n FROM moved
"""
# A commit whose wait for the synchronous standby was cut off is visible although the standby may
# never get it, so what a head shows is no proof. With a standby this statement therefore commits a
# record of its own, behind all that it read, and answers only when the standby has both.
_HEAD = """SELECT auction_id, epoch, seq, ts, tag, chain, terms, salt_key, status, close_at,
    CASE WHEN current_setting('synchronous_standby_names') <> ''
        THEN pg_logical_emit_message(true, 'auction_head', '') END AS committed_behind
FROM auction_head WHERE auction_id = $1"""
_PLACE = "SELECT epoch, seq, tag FROM auction_head WHERE auction_id = $1"
_COMMANDS = """SELECT seq, ts, bidder, cid, body, outcome, chain FROM auction_commands
WHERE auction_id = $1 AND seq > $2 AND seq <= $3 ORDER BY seq LIMIT $4"""


class Journal:
    """Calls raise asyncpg's errors, OSError or TimeoutError when PostgreSQL does not answer."""

    def __init__(self, pool: Pool, envelope: Envelope | None = None) -> None:
        self._pool = pool
        self._leases: list[PoolConnection] = []
        # The other calls need connections too.
        self._leases_max = min(LEASES_MAX, pool.get_max_size() // POOL_FOR_A_LEASE)
        self.envelope = envelope or Envelope()
        self._committer = Committer(self)

    async def stop(self) -> None:
        await self._committer.stop()

    async def head(self, auction_id: UUID) -> JournalHead | None:
        """How far the journal is durable, on the synchronous standby too where there is one. Raises
        TimeoutError while that does not answer.
        """
        row = await self._pool.fetchrow(_HEAD, auction_id, timeout=COMMAND_TIMEOUT_S)
        return None if row is None else JournalHead(*tuple(row)[:-1])

    async def place(self, auction_id: UUID) -> tuple[int, int, str] | None:
        """Epoch, seq and tag of the head: how far any node has come. It may not be durable yet."""
        row = await self._pool.fetchrow(_PLACE, auction_id, timeout=COMMAND_TIMEOUT_S)
        return None if row is None else tuple(row)

    def record(self, batch: Batch, landed: Callable[[], None]) -> asyncio.Future[bool]:
        """Commit a batch, together with those of other auctions; False if the head is elsewhere.
        `landed` is called when the answer is there.

        After an error it is unknown whether the batch was kept; `head` tells.
        """
        records = batch.records
        assert records[-1].seq == batch.after_seq + len(records), "a batch has no gaps"
        return self._committer.commit(batch, landed)

    async def keep_one(self, batch: Batch) -> bool:
        records: Sequence[Record] = batch.records
        last = records[-1]
        async with self._lease() as connection:
            done: str = await connection.execute(
                _RECORD,
                batch.auction_id,
                last.seq,
                last.ts,
                last.tag,
                last.chain,
                batch.status,
                batch.close_at,
                batch.epoch,
                batch.after_seq,
                batch.after_tag,
                ",".join([str(r.ts) for r in records]),
                *_columns(records),
                timeout=COMMAND_TIMEOUT_S,
            )
        kept = int(done.rpartition(" ")[2])
        assert kept in {0, len(records)}, "a batch is kept whole or not at all"
        return kept > 0

    async def keep_many(self, batches: Sequence[Batch]) -> set[int]:
        async with self._lease() as connection:
            rows = await connection.fetch(
                _RECORD_MANY, *_heads(batches), *_rows(batches), timeout=COMMAND_TIMEOUT_S
            )
        return {row[0] - 1 for row in rows}

    @asynccontextmanager
    async def _lease(self) -> AsyncIterator[PoolConnection]:
        """A connection for commits. A few are kept: to borrow one of the pool and give it back
        costs a node more than to send the batch.
        """
        connection = self._leases.pop() if self._leases else None
        if connection is not None and is_lost(connection):
            await self._pool.release(connection)
            connection = None
        if connection is None:
            connection = await self._pool.acquire(timeout=COMMAND_TIMEOUT_S)
        is_kept = False
        try:
            yield connection
            is_kept = len(self._leases) < self._leases_max
        finally:
            if is_kept:
                self._leases.append(connection)
            else:
                await self._pool.release(connection)

    async def commands(
        self, auction_id: UUID, after: int, last: int
    ) -> AsyncIterator[asyncpg.Record]:
        """Rows (seq, ts, bidder, cid, body, outcome, chain) in order, ROWS_MAX at a time."""
        while after < last:
            rows = await self._pool.fetch(
                _COMMANDS, auction_id, after, last, ROWS_MAX, timeout=COMMAND_TIMEOUT_S * 2
            )
            if not rows:
                return
            for row in rows:
                yield row
            after = rows[-1]["seq"]

    async def by_cid(self, auction_id: UUID, bidder: str, cid: str) -> asyncpg.Record | None:
        """The first command of that sender with that cid: (seq, ts, body, outcome, chain)."""
        return await self._pool.fetchrow(
            "SELECT seq, ts, body, outcome, chain FROM auction_commands "
            "WHERE auction_id = $1 AND bidder = $2 AND cid = $3 ORDER BY seq LIMIT 1",
            auction_id,
            bidder,
            cid,
            timeout=COMMAND_TIMEOUT_S,
        )

    async def of_bidder(
        self, auction_id: UUID, bidder: str, after: int | None, limit: int, *, newest_first: bool
    ) -> list[asyncpg.Record]:
        """Its commands after seq `after` in this order: (seq, ts, body, outcome, chain)."""
        beyond, order = ("<", "DESC") if newest_first else (">", "ASC")
        rows: list[asyncpg.Record] = await self._pool.fetch(
            "SELECT seq, ts, body, outcome, chain FROM auction_commands "  # noqa: S608  # own words
            "WHERE auction_id = $1 AND bidder = $2 AND cid <> '' "
            f"AND ($3::bigint IS NULL OR seq {beyond} $3) ORDER BY seq {order} LIMIT $4",
            auction_id,
            bidder,
            after,
            limit,
            timeout=COMMAND_TIMEOUT_S,
        )
        return rows

    async def by_seq(self, auction_id: UUID, seq: int) -> asyncpg.Record | None:
        return await self._pool.fetchrow(
            "SELECT seq, ts, body, outcome, chain FROM auction_commands "
            "WHERE auction_id = $1 AND seq = $2",
            auction_id,
            seq,
            timeout=COMMAND_TIMEOUT_S,
        )

    async def cids_until(self, auction_id: UUID, seq: int) -> AsyncIterator[tuple[str, str]]:
        """(bidder, cid) of all commands up to `seq` that carry a cid, in pages."""
        after = 0
        while after < seq:
            rows = await self._pool.fetch(
                "SELECT seq, bidder, cid FROM auction_commands "
                "WHERE auction_id = $1 AND seq > $2 AND seq <= $3 ORDER BY seq LIMIT 20000",
                auction_id,
                after,
                seq,
                timeout=COMMAND_TIMEOUT_S * 2,
            )
            if not rows:
                return
            for row in rows:
                if row["cid"]:
                    yield row["bidder"], row["cid"]
            after = rows[-1]["seq"]

    async def snapshot(self, auction_id: UUID, until: int) -> Snapshot | None:
        """The newest one that is not beyond the command `until`."""
        row = await self._pool.fetchrow(
            "SELECT seq, tag, chain, state FROM auction_snapshots "
            "WHERE auction_id = $1 AND seq <= $2 ORDER BY seq DESC LIMIT 1",
            auction_id,
            until,
            timeout=COMMAND_TIMEOUT_S,
        )
        if row is None:
            return None
        state = await asyncio.to_thread(self._unpacked, auction_id, row["state"])
        return Snapshot(row["seq"], row["tag"], row["chain"], state)

    def _packed(self, auction_id: UUID, snapshot: Snapshot) -> bytes:
        """A third of the size: PostgreSQL's own way there takes longer than ten bids' commits."""
        if snapshot.sealed:
            return self.envelope.seal(auction_id, snapshot.state)
        return zlib.compress(snapshot.state, PACKING)

    def _unpacked(self, auction_id: UUID, kept: bytes) -> bytes:
        plain = self.envelope.open(auction_id, kept)
        # A state is a map, and no map of MessagePack begins like zlib's header (RFC 1950).
        return zlib.decompress(plain) if plain.startswith(_PACKED) else plain

    async def keep_snapshot(self, auction_id: UUID, snapshot: Snapshot) -> None:
        """Keep it and drop all but the one before it."""
        state = await asyncio.to_thread(self._packed, auction_id, snapshot)
        await self._pool.execute(
            """WITH kept AS (
                INSERT INTO auction_snapshots (auction_id, seq, tag, chain, state) VALUES ($1, $2,
                $3, $4, $5)
                ON CONFLICT DO NOTHING)
            DELETE FROM auction_snapshots WHERE auction_id = $1 AND seq < (
                SELECT max(seq) FROM auction_snapshots WHERE auction_id = $1 AND seq < $2)""",
            auction_id,
            snapshot.seq,
            snapshot.tag,
            snapshot.chain,
            state,
            timeout=COMMAND_TIMEOUT_S,
        )


async def try_record(connection: PoolConnection, auction_id: UUID) -> None:
    """Run the statements that record batches, for an auction that has no head: nothing is written,
    but all is needed that a bid needs. Raises what the driver raises.
    """
    done: str = await connection.execute(
        *(_RECORD, auction_id, 1, 1, "", b"", "", None, 0, 0, ""),
        *("1", _texts([""]), _texts([""]), "{}", "{}", bytes(32)),
        timeout=COMMAND_TIMEOUT_S,
    )
    assert done == "INSERT 0 0", "there is no such auction"
    nothing = Record(1, 1, "", "", b"{}", b"{}", bytes(32), "")
    batches = [Batch(auction_id, 0, 0, "", [nothing], "", None)] * 2
    rows = await connection.fetch(
        _RECORD_MANY, *_heads(batches), *_rows(batches), timeout=COMMAND_TIMEOUT_S
    )
    assert not rows, "there is no such auction"


def _heads(batches: Sequence[Batch]) -> tuple[str | bytes, ...]:
    """The fences of these batches and where they move their heads: $1 to $10."""
    lasts: list[Record] = [batch.records[-1] for batch in batches]
    return (
        ",".join([str(b.auction_id) for b in batches]),
        ",".join([str(b.epoch) for b in batches]),
        ",".join([str(b.after_seq) for b in batches]),
        ",".join([b.after_tag for b in batches]),
        ",".join([str(r.seq) for r in lasts]),
        ",".join([str(r.ts) for r in lasts]),
        ",".join([r.tag for r in lasts]),
        ",".join([b.status for b in batches]),
        ",".join(["" if b.close_at is None else str(b.close_at) for b in batches]),
        b"".join([r.chain for r in lasts]),
    )


def _rows(batches: Sequence[Batch]) -> tuple[str | bytes, ...]:
    """Their commands, each with the number of its batch: $11 to $18."""
    records: list[Record] = [record for batch in batches for record in batch.records]
    return (
        ",".join([str(n) for n, b in enumerate(batches, 1) for _ in b.records]),
        ",".join([str(r.seq) for r in records]),
        ",".join([str(r.ts) for r in records]),
        *_columns(records),
    )


def _columns(records: Sequence[Record]) -> tuple[str, str, str, str, bytes]:
    """Bidders, cids, bodies, outcomes and chain hashes as the statements take them."""
    return (
        _texts([r.bidder for r in records]),
        _texts([r.cid for r in records]),
        b"\n".join([r.kept_body for r in records]).decode(),
        b"\n".join([r.kept_outcome for r in records]).decode(),
        b"".join([r.chain for r in records]),
    )


def _texts(values: list[str]) -> str:
    return msgspec.json.encode(values).decode()
