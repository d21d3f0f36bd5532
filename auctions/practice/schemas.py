"""Practice auctions on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from auctions.rules.parts.documented import LotRules

Currency = Annotated[str, Meta(pattern="^[A-Z]{3}$")]
Title = Annotated[str, Meta(min_length=1, max_length=200)]


class NewPractice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A practice auction with bots: either of a lot, whose rules are taken, or of rules of one's
    own. It starts at once.

    lot_id    the lot to practise for; null: `rules` say what
    rules     as those of a lot; the start is ours, null: those of the lot
    currency  ISO 4217, with `rules`, e.g. `EUR`
    ceiling   with `rules`: the highest price, a decimal text; null: none, e.g. `5000.00`
    title     what the page shows, e.g. `Practice`
    """

    lot_id: UUID | None = None
    rules: LotRules | None = None
    currency: Currency = "EUR"
    ceiling: Annotated[str, Meta(max_length=32)] | None = None
    title: Title = "Practice"


class PracticeView(msgspec.Struct, frozen=True, kw_only=True):
    """A practice auction, open now or in a moment.

    role       what the caller is in it, `bidder` or `buyer`, e.g. `bidder`
    alias      the caller's pseudonym; null: the caller is the buyer, e.g. `Amber Heron`
    title      what the page shows, e.g. `Practice`
    starts_at  when bidding opens
    url        the page of the auction, e.g. `/auctions/0198c3f2-5a1e-7d3b-9c42-1f0e6a7b8c9d`
    """

    auction_id: UUID
    role: str
    alias: str | None
    title: str
    starts_at: datetime
    url: str
