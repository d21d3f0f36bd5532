"""What must be true afterwards: nothing lost, doubled, contradicted or late."""

from __future__ import annotations

import collections
from base64 import b64decode
from collections.abc import Iterable, Sequence
from uuid import UUID

import asyncpg
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from auctions.book.fold import DivergedError, Fold
from auctions.book.journal import Journal
from auctions.book.receipts import Receipt, signed_bytes
from auctions.rules.core import commands, outcomes
from auctions.rules.core.commands import Bid, Tick
from auctions.rules.core.outcomes import Closed
from tests.faults.crowd import Promise


async def problems(
    pool: asyncpg.Pool[asyncpg.Record],
    auction_id: UUID,
    promises: Sequence[Promise],
    heads: Iterable[tuple[int, str]] = (),
) -> list[str]:
    """Every broken promise as one line; empty when all is well."""
    journal = Journal(pool)
    head = await journal.head(auction_id)
    assert head is not None
    found: list[str] = []
    fold = Fold(head, None)
    rows: dict[int, asyncpg.Record] = {}
    last_tick = 0
    accepted: collections.Counter[tuple[str, str]] = collections.Counter()
    async for row in journal.commands(auction_id, 0, head.seq):
        rows[row["seq"]] = row
        close_before = fold.state.close_at
        was_blind = _is_silent(fold, last_tick, row["ts"])
        try:
            durable = fold.replay(row)
        except DivergedError as error:
            return [*found, f"the journal does not replay: {error}"]
        body, outcome = durable.command.body, durable.outcome
        if isinstance(body, Bid) and outcome.accepted and outcome.repeat_of is None:
            accepted[body.bidder, body.cid] += 1
            if row["ts"] >= close_before:
                found.append(f"bid {row['seq']} was accepted at or after the close")
        closed = any(isinstance(event, Closed) for event in outcome.events)
        if closed and was_blind:
            found.append(f"closed while blind at {row['seq']}")
        if isinstance(body, Tick):
            last_tick = row["ts"]
    if (fold.seq, fold.chain) != (head.seq, head.chain):
        found.append("the replayed journal is not the book")
    found += [f"doubled: {key}" for key, count in accepted.items() if count > 1]
    keys = {
        r["key_id"]: r["public"]
        for r in await pool.fetch("SELECT key_id, public FROM signing_keys")
    }
    for promise in promises:
        found += _broken(promise, rows.get(promise.ack.seq), keys)
    return found + [
        f"contradicted: {seq} was shown with another history"
        for seq, chain in heads
        if seq not in rows or rows[seq]["chain"].hex() != chain
    ]


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
