"""Answers to a bidder's own commands, worded while the state is exactly the one after them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from auctions.book.book import Book
from auctions.book.books import Books
from auctions.book.fold import Durable
from auctions.book.receipts import Signer
from auctions.live import messages
from auctions.rules.core.commands import Accept, Auto, Bid
from auctions.rules.core.outcomes import Outcome
from auctions.rules.core.state import State
from auctions.rules.views.visibility import ack_view
from marketplace.kernel.clock import rfc3339

AnyOrder = Bid | Accept | Auto
Fields = dict[str, Any]


class Asked(msgspec.Struct):
    """A bidder's commands on their way, and the wording of those that were folded."""

    count: int = 0
    worded: dict[int, Fields] = {}


class Acks:
    """One per room. Computing "what may I bid next" needs the state, which by the time of the
    commit may be ahead of it again; so it is done in the book's own call at the fold, for those
    who asked.
    """

    def __init__(self, book: Book, signer: Signer) -> None:
        self._book, self._signer = book, signer
        self._asked: dict[str, Asked] = {}

    def folded(self, state: State, durables: Sequence[Durable]) -> None:
        """`state` is the one after all of them. The wording waits for the commit; that of a command
        lost before is replaced by that of whatever takes its place.
        """
        now_us = self._book.now_us()
        for durable in durables:
            asked = self._asked.get(durable.bidder)
            if asked is not None:
                seq = durable.outcome.repeat_of or durable.seq
                asked.worded[seq] = worded(state, durable.bidder, durable.outcome, now_us)

    async def order(self, books: Books, body: AnyOrder) -> bytes:
        """The encoded `ack` of a command, once it is durable.

        The same cid gives the same ack; only `next` is as of now. Raises what `Books.submit` does.
        """
        alias = body.bidder
        asked = self._asked.setdefault(alias, Asked())
        asked.count += 1
        try:
            durable = await books.submit(self._book.auction_id, body)
            fields = asked.worded.pop(durable.seq, None)
            if fields is None:
                fields = await self.worded_now(alias, durable)
        finally:
            asked.count -= 1
            if asked.count == 0:
                del self._asked[alias]
        return messages.encode(self.frame(body.cid, durable, fields))

    async def worded_now(self, alias: str, durable: Durable) -> Fields:
        """Raises Unavailable."""
        async with self._book.settled() as fold:
            return worded(fold.state, alias, durable.outcome, self._book.now_us())

    def frame(self, cid: str, durable: Durable, fields: Fields) -> Fields:
        receipt = self._signer.receipt(self._book.auction_id, durable)
        place = {"type": "ack", "cid": cid, "seq": durable.seq, "ts": rfc3339(durable.ts)}
        return place | fields | {"receipt": msgspec.structs.asdict(receipt)}


def worded(state: State, alias: str, outcome: Outcome, now_us: int) -> Fields:
    """`outcome`, `next`, and as far as there are such: code, detail, token, rank, evaluated."""
    fields = ack_view(state, alias, outcome, now_us)
    if "confirm" in fields:
        # A bid says `confirm`; what it confirms with is the token.
        fields["token"] = fields.pop("confirm")
    return fields
