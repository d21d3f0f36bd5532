"""The receipts of one bidder, made again from the journal: on any device, also years later."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from sqlalchemy import BigInteger, column

from auctions.book.fold import Durable
from auctions.book.journal import Journal
from auctions.book.receipts import Signer
from auctions.live.hub import Hub
from auctions.live.schemas import OwnReceipt, ReceiptPage
from auctions.rules.core.commands import Accept, Auto, Bid
from auctions.tenders.queries import AuctionAccess
from marketplace.kernel.db import Database
from marketplace.kernel.errors import Forbidden
from marketplace.kernel.pages import Page, Sorting

_SEQ = column("seq", BigInteger)
RECEIPTS = Sorting(_SEQ, default="-seq", seq=_SEQ)


async def show(live: Hub, database: Database, access: AuctionAccess, page: Page) -> ReceiptPage:
    """Bids that the buyer entered for the bidder are among them. Raises Forbidden, Unavailable."""
    if access.alias is None:
        raise Forbidden("not_admitted", "Only who bids has receipts.")
    envelope, signer = live.books.envelope, await live.signer()
    journal = Journal(await database.pool(), envelope)
    rows = await journal.of_bidder(
        access.auction_id,
        access.alias,
        None if page.after is None else page.after[0],
        page.limit + 1,
        newest_first=page.descending,
    )
    shown, next_cursor = page.cut(rows)
    async with live.books.newest(access.auction_id) as book:
        decided = [book.fold.durable(row) for row in shown]
    items = list(_own(decided, signer, access.auction_id))
    return ReceiptPage(items, next_cursor)


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
