"""What must be true afterwards: nothing lost, doubled, contradicted or late."""

from __future__ import annotations

import collections
from base64 import b64decode
from collections.abc import Iterable, Sequence
from uuid import UUID

import asyncpg
import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from auctions.book.fold import DivergedError, Fold
from auctions.book.journal import Journal
from auctions.book.receipts import Receipt, signed_bytes
from auctions.rules.core import commands, outcomes
from auctions.rules.core.commands import Bid, Tick
from auctions.rules.core.outcomes import Closed, Opened, Outcome, Resumed
from tests.faults.crowd import Promise

RESUMED_US_MIN = 120_000_000
"""What an outage leaves the bidders at least."""


class Verdict(msgspec.Struct):
    """`problems` are broken promises, a line each; `outages` how often it was interrupted."""

    problems: list[str]
    closed: bool = False
    outages: int = 0


async def judge(
    pool: asyncpg.Pool[asyncpg.Record],
    auction_id: UUID,
    promises: Sequence[Promise],
    heads: Iterable[tuple[int, str]] = (),
) -> Verdict:
    verdict = Verdict([])
    try:
        rows = await _replayed(Journal(pool), auction_id, verdict)
    except DivergedError as error:
        verdict.problems.append(f"the journal does not replay: {error}")
        return verdict
    keys = {
        r["key_id"]: r["public"]
        for r in await pool.fetch("SELECT key_id, public FROM signing_keys")
    }
    for promise in promises:
        verdict.problems += _broken(promise, rows.get(promise.ack.seq), keys)
    verdict.problems += [
        f"contradicted: {seq} was shown with another history"
        for seq, chain in heads
        if seq not in rows or rows[seq]["chain"].hex() != chain
    ]
    return verdict


async def _replayed(
    journal: Journal, auction_id: UUID, verdict: Verdict
) -> dict[int, asyncpg.Record]:
    """The rows by seq. Raises DivergedError."""
    head = await journal.head(auction_id)
    assert head is not None
    fold, closing = Fold(head, None), Closing(verdict)
    rows: dict[int, asyncpg.Record] = {}
    accepted: collections.Counter[tuple[str, str]] = collections.Counter()
    async for row in journal.commands(auction_id, 0, head.seq):
        rows[row["seq"]] = row
        closing.before(fold, row)
        durable = fold.replay(row)
        body, outcome = durable.command.body, durable.outcome
        closing.after(body, outcome)
        if isinstance(body, Bid) and outcome.accepted and outcome.repeat_of is None:
            accepted[body.bidder, body.cid] += 1
    if (fold.seq, fold.chain) != (head.seq, head.chain):
        verdict.problems.append("the replayed journal is not the book")
    verdict.problems += [f"doubled: {key}" for key, count in accepted.items() if count > 1]
    return rows


class Closing:
    """Whether an auction closed no sooner than its bidders were promised, and never while blind."""

    def __init__(self, verdict: Verdict) -> None:
        self._verdict = verdict
        self._seq = self._ts = self._last_tick = self._close_at = self._promised = 0
        self._was_blind = False

    def before(self, fold: Fold, row: asyncpg.Record) -> None:
        self._seq, self._ts = row["seq"], row["ts"]
        self._close_at = fold.state.close_at
        self._was_blind = _is_silent(fold, self._last_tick, self._ts)

    def after(self, body: object, outcome: Outcome) -> None:
        if isinstance(body, Bid) and outcome.accepted and outcome.repeat_of is None:
            self._check(self._ts >= self._close_at, "a bid was accepted at or after the close")
        for event in outcome.events:
            if isinstance(event, Opened):
                self._promised = event.close_at
            elif isinstance(event, Resumed) and event.outage:
                self._resumed(event)
            elif isinstance(event, Closed):
                self._verdict.closed = True
                self._check(self._was_blind, "closed after a silence")
                self._check(self._ts < self._promised, "closed before its time")
        if isinstance(body, Tick):
            self._last_tick = self._ts

    def _resumed(self, event: Resumed) -> None:
        self._verdict.outages += 1
        self._promised = self._ts + max(RESUMED_US_MIN, self._close_at - self._last_tick)
        self._check(event.close_at < self._promised, "resumed with too little time")

    def _check(self, is_wrong: bool, what: str) -> None:
        if is_wrong:
            self._verdict.problems.append(f"blind: at {self._seq} {what}")


def _is_silent(fold: Fold, last_tick: int, ts: int) -> bool:
    """More than 6 s without a heartbeat, or more than 2 s in the last two minutes of a stage."""
    near_from = fold.state.stage.ends_at - 120_000_000
    is_near = fold.state.status == "open" and ts - max(last_tick, near_from) > 2_000_000
    return is_near or ts - last_tick > 6_000_000


def _broken(promise: Promise, row: asyncpg.Record | None, keys: dict[str, bytes]) -> list[str]:
    """An acknowledged bid must be in the journal with the very outcome that was acknowledged."""
    ack = promise.ack
    if row is None:
        return [f"lost: {promise.cid} was acknowledged as {ack.seq}"]
    body, outcome = commands.decode(row["body"]), outcomes.decode(row["outcome"])
    if not isinstance(body, Bid) or (body.cid, body.price) != (promise.cid, promise.price):
        return [f"lost: {ack.seq} is not {promise.cid}"]
    if outcome.accepted != ack.accepted:
        return [f"contradicted: {promise.cid} was acknowledged as {ack.outcome}"]
    receipt = Receipt(**ack.receipt)
    try:
        key = Ed25519PublicKey.from_public_bytes(keys[receipt.key_id])
        key.verify(b64decode(receipt.signature), signed_bytes(receipt))
    except (KeyError, InvalidSignature):
        return [f"receipt of {promise.cid} does not verify"]
    if receipt.chain != row["chain"].hex():
        return [f"contradicted: the receipt of {promise.cid} is of another history"]
    return []
