"""The transcript as this caller may have it, streamed from the journal.

While the auction runs nobody reads what is sealed or private in it: the buyer's file leaves out
automatic limits and, where bids are published later than they are made, bids. A bidder's file shows
the own commands and those of the clock and the buyer, as far as their outcome tells nothing of
others beyond the visibility; every other line is only its salted hash in the chain.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import UUID

import msgspec

from auctions.book.envelope import Envelope
from auctions.book.journal import Journal, JournalHead, Pool
from auctions.book.receipts import Signer, public_keys
from auctions.book.transcript import FULL, Writer
from auctions.rules.core import commands, outcomes
from auctions.rules.core.commands import Accept, Auto, Bid
from auctions.rules.core.outcomes import AnyEvent, BidPlaced, Closed, Outcome
from auctions.rules.core.parameters import Terms
from auctions.rules.versions import publishes_at_once
from auctions.rules.views.visibility import Viewer

_HIDDEN, _SHOWN = "hidden", "shown"
_ENDED = ("closed", "cancelled")


async def lines(
    pool: Pool, signer: Signer, envelope: Envelope, auction_id: UUID, viewer: Viewer
) -> AsyncIterator[bytes]:
    """JSON Lines up to the head of this moment. Raises asyncpg's errors when PostgreSQL is away."""
    journal = Journal(pool)
    head = await journal.head(auction_id)
    assert head is not None, "the caller has found the auction"
    reader = Reader(head, viewer)
    writer = Writer(
        head,
        signer,
        await public_keys(pool),
        audience=reader.audience,
        visible=lambda word: word == _SHOWN,
    )
    yield writer.header()
    async for row in journal.commands(auction_id, 0, head.seq):
        body = envelope.open(auction_id, row["body"])
        outcome = envelope.open(auction_id, row["outcome"])
        word = _SHOWN if reader.may_see(body, outcome) else _HIDDEN
        yield writer.command(row["seq"], row["ts"], word, body, outcome, row["chain"])
    yield writer.end()


class Reader:
    """What one viewer may read of one auction's log."""

    def __init__(self, head: JournalHead, viewer: Viewer) -> None:
        self._terms = msgspec.json.decode(head.terms, type=Terms)
        self._viewer = viewer
        self._ended = head.status in _ENDED
        is_full = viewer.role == "buyer" and self._ended
        self.audience = FULL if is_full else (viewer.alias or viewer.role)
        # Only a buyer's file needs the rules; others are readable under any version.
        self._shows_bids = viewer.role == "buyer" and publishes_at_once(self._terms)

    def may_see(self, body: bytes, outcome: bytes) -> bool:
        if self.audience == FULL:
            return True
        command = commands.decode(body)
        if self._viewer.role == "buyer":
            # A step confirmed on a clock may stand only when the step is over.
            return not isinstance(command, Auto | Bid | Accept) or (
                isinstance(command, Bid) and self._shows_bids
            )
        sender = getattr(command, "bidder", None)
        if sender is not None and sender != self._viewer.alias:
            return False
        return self._tells_nothing(outcomes.decode(outcome))

    def _tells_nothing(self, outcome: Outcome) -> bool:
        """Whether an outcome holds nothing that this bidder may not know."""
        if outcome.rank is not None and self._terms.visibility == "blind":
            return False
        return all(self._is_open(event) for event in outcome.events)

    def _is_open(self, event: AnyEvent) -> bool:
        if isinstance(event, Closed):
            seen = self._terms.visibility == "all"
            return seen or event.winner in {None, self._viewer.alias}
        if isinstance(event, BidPlaced) and self._terms.visibility == "blind":
            return False
        return getattr(event, "bidder", None) in {None, self._viewer.alias}
