"""Practice auctions on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Meta

Currency = Annotated[str, Meta(pattern="^[A-Z]{3}$")]
Title = Annotated[str, Meta(min_length=1, max_length=200)]


class NewPractice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Either a lot, whose rules are taken, or `rules` in the form of a lot's with `currency` and,
    if wanted, `ceiling` as decimal text. The start is ours.
    """

    lot_id: UUID | None = None
    rules: dict[str, Any] | None = None
    currency: Currency = "EUR"
    ceiling: Annotated[str, Meta(max_length=32)] | None = None
    title: Title = "Practice"


class PracticeView(msgspec.Struct, frozen=True, kw_only=True):
    """`role` is `bidder` or `buyer`. `url` is the page of the auction."""

    auction_id: UUID
    role: str
    alias: str | None
    title: str
    starts_at: datetime
    url: str
