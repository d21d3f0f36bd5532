"""The receipts of one bidder, made again from the journal: on any device, also years later."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from auctions.book.fold import Durable
from auctions.book.journal import Journal
from auctions.book.receipts import Signer
from auctions.live.hub import Hub
from auctions.live.schemas import OwnReceipt, ReceiptPage
from auctions.rules.core.commands import Accept, Auto, Bid
from auctions.tenders.queries import AuctionAccess
from marketplace.kernel.db import Database
from marketplace.kernel.errors import Forbidden, Invalid

SEQ_MAX = 2**53


async def show(
    live: Hub, database: Database, access: AuctionAccess, cursor: str | None, limit: int
) -> ReceiptPage:
    """Bids that the buyer entered for the bidder are among them. Raises Forbidden, Invalid,
    Unavailable.
    """
    if access.alias is None:
        raise Forbidden("not_admitted", "Only who bids has receipts.")
    before = _read_cursor(cursor)
    envelope, signer = live.books.envelope, await live.signer()
    journal = Journal(await database.pool(), envelope)
    rows = await journal.of_bidder(access.auction_id, access.alias, before, limit + 1)
    async with live.books.newest(access.auction_id) as book:
        decided = [book.fold.durable(row) for row in rows[:limit]]
    items = list(_own(decided, signer, access.auction_id))
    return ReceiptPage(items, str(decided[-1].seq) if len(rows) > limit else None)


def _own(decided: list[Durable], signer: Signer, auction_id: UUID) -> Iterator[OwnReceipt]:
    for durable in decided:
        body = durable.command.body
        # Admission names the bidder too, but is the buyer's act.
        if not isinstance(body, Bid | Accept | Auto):
            continue
        yield OwnReceipt(
            kind=type(body).__name__.lower(),
            price=body.limit if isinstance(body, Auto) else body.price,
            step=body.step if isinstance(body, Accept) else None,
            code=durable.outcome.code,
            receipt=signer.receipt(auction_id, durable),
        )


def _read_cursor(cursor: str | None) -> int:
    """Raises Invalid."""
    if cursor is None:
        return SEQ_MAX
    if not (cursor.isascii() and cursor.isdigit() and int(cursor[:17]) < SEQ_MAX):
        raise Invalid.field("cursor", "bad_cursor", "Pass next_cursor as it was given.")
    return int(cursor[:17])
