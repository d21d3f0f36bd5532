"""Whether receipts and transcripts are genuine, and whether the log here still says the same.

Anybody may ask: somebody who holds a valid signature of ours learns only that our log agrees with
it. What the log says instead is for those who may read that command anyway.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from uuid import UUID

import msgspec

from auctions.book.journal import Journal
from auctions.book.proofs import AnyProof, WrongProof, check_signature
from auctions.book.receipts import Receipt, public_keys
from auctions.book.transcript import LINE_BYTES_MAX
from auctions.book.verify import Verdict, Verifier
from auctions.live import desk
from auctions.live.hub import Hub
from auctions.rules.core.commands import Accept, Auto, Bid
from auctions.tenders.queries import AuctionAccess
from marketplace.kernel.actor import Actor
from marketplace.kernel.clock import Clock
from marketplace.kernel.db import Database
from marketplace.kernel.errors import Problem

SLICE_S = 0.002
"""So long a check works before bids get their turn; a bid's answer may come so much later."""
DIFFERENCES_MAX = 20
"""Of one file: each reads a command anew. Who changed more sees the first ones."""
_COMPARED = ("auction", "seq", "ts", "cid", "outcome", "body_hash", "chain")


class Difference(msgspec.Struct, frozen=True):
    """A field of a receipt as the file and as the log have it."""

    field: str
    shown: str
    logged: str


class Checked(msgspec.Struct, frozen=True):
    """`fault` is empty for a genuine proof, else a code of WrongProof, or:

    not_in_log     signed by us, but the log here has no such command
    other_history  signed by us, but the log here has something else in its place

    `differences` are there for a bidder's own command that was changed in the file.
    """

    proof: AnyProof
    fault: str = ""
    differences: list[Difference] = []


async def check_proofs(
    live: Hub, database: Database, visitor: Actor | None, proofs: Sequence[AnyProof]
) -> list[Checked]:
    """In the order of `proofs`. Raises Unavailable."""
    pool = await database.pool()
    await live.signer()
    keys = await public_keys(pool)
    journal, checked, compared = Journal(pool), [], 0
    for proof in proofs:
        fault = await _fault(journal, proof, keys)
        differences: list[Difference] = []
        if fault == "wrong_signature" and visitor is not None and compared < DIFFERENCES_MAX:
            compared += 1
            differences = await _differences(live, database, visitor, proof)
        checked.append(Checked(proof, fault, differences))
        await asyncio.sleep(0)
    return checked


async def _fault(journal: Journal, proof: AnyProof, keys: Mapping[str, str]) -> str:
    try:
        check_signature(proof, keys)
    except WrongProof as wrong:
        return wrong.fault
    return await in_log(journal, proof.auction, proof.seq, proof.chain)


async def in_log(journal: Journal, auction: str, seq: int, chain: str) -> str:
    """Empty where the log has this chain after `seq`, else a fault."""
    try:
        row = await journal.by_seq(UUID(auction), seq)
    except ValueError:
        return "not_in_log"
    if row is None:
        return "not_in_log"
    return "" if row["chain"].hex() == chain else "other_history"


async def _differences(
    live: Hub, database: Database, visitor: Actor, proof: AnyProof
) -> list[Difference]:
    """Empty where this is not the visitor's own command."""
    if not isinstance(proof, Receipt):
        return []
    try:
        access = await desk.access_to(database, visitor, UUID(proof.auction))
    except (ValueError, Problem):
        return []
    journal = Journal(await database.pool(), live.books.envelope)
    row = await journal.by_seq(access.auction_id, proof.seq)
    if row is None:
        return []
    async with live.books.newest(access.auction_id) as book:
        durable = book.fold.durable(row)
    if not _is_own(access, durable.command.body):
        return []
    logged = (await live.signer()).receipt(access.auction_id, durable)
    return [
        Difference(name, str(getattr(proof, name)), str(getattr(logged, name)))
        for name in _COMPARED
        if getattr(proof, name) != getattr(logged, name)
    ]


def _is_own(access: AuctionAccess, body: object) -> bool:
    """Somebody's own order, or the buyer's own command."""
    if isinstance(body, Bid | Accept | Auto):
        return access.alias is not None and body.bidder == access.alias
    return access.role == "buyer" and access.may_act


async def check_transcript(clock: Clock, content: bytes, keys: Mapping[str, str]) -> Verdict:
    """As `marketplace verify` does, in slices between other work. Raises WrongLine."""
    verifier, started = Verifier(keys), clock.monotonic()
    begin = 0
    while begin < len(content):
        end = content.find(b"\n", begin, begin + LINE_BYTES_MAX + 1)
        end = min(begin + LINE_BYTES_MAX + 1, len(content)) if end < 0 else end + 1
        verifier.take(content[begin:end])
        begin = end
        if clock.monotonic() - started > SLICE_S:
            await asyncio.sleep(0)
            started = clock.monotonic()
    return verifier.verdict()
