"""Sealed offers on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from auctions.rules.core.parameters import LINES_MAX
from auctions.tenders.schemas.tender import Party
from marketplace.kernel.money import Amount

Word = Annotated[str, Meta(max_length=64)]


class NewOffer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A sealed offer. Nobody can read it before the opening.

    price  for the whole lot
    lines  the totals of the lot's lines by their id, decimal texts, e.g. `{"1": "4850.00"}`
    note   for the buyer, read after the opening, e.g. `Delivery from stock.`
    """

    price: Amount
    attributes: dict[Word, Word] = {}
    lines: Annotated[dict[Word, Word], Meta(max_length=LINES_MAX)] = {}
    note: Annotated[str, Meta(max_length=5_000)] = ""


class OfferReceipt(msgspec.Struct, frozen=True):
    """Proof of what was handed in, and when.

    state         `sealed` until the opening, e.g. `sealed`
    revision      how often it was handed in, e.g. `1`
    submitted_at  when this revision was handed in
    sha256        of the sealed bytes as they are stored, 64 hexadecimal digits, e.g.
                  `9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08`
    """

    id: UUID
    lot_id: UUID
    state: str
    revision: int
    submitted_at: datetime
    sha256: str


class OfferView(msgspec.Struct, frozen=True):
    """An offer. Before the opening its own organisation sees all but the content.

    organisation  who made it
    state         `sealed`, `opened`, then `accepted` or `rejected`; `withdrawn`, e.g. `opened`
    revision      how often it was handed in, e.g. `1`
    submitted_at  when this revision was handed in
    opened_at     null: it is sealed
    price         for the whole lot; null: it is sealed
    note          null: it is sealed, e.g. `Delivery from stock.`
    reason        why it was rejected; null: it was not, e.g. `Another model`
    lines         the totals of the lot's lines; null: it is sealed, or there are none, e.g. `{"1":
                  "4850.00"}`
    """

    id: UUID
    lot_id: UUID
    organisation: Party
    state: str
    revision: int
    submitted_at: datetime
    opened_at: datetime | None
    price: Amount | None
    attributes: dict[str, str] | None
    note: str | None
    evaluated: Amount | None
    coefficient: str | None
    reason: str | None
    lines: dict[str, str] | None = None


class OfferPage(msgspec.Struct, frozen=True):
    """Offers of a tender."""

    items: list[OfferView]
    next_cursor: str | None = None


class Opening(msgspec.Struct, frozen=True):
    """How far the opening is.

    state         of the tender: `published` until everybody needed has released a share, then
                  `opened`, e.g. `published`
    released      shares of the key that were released, e.g. `1`
    needed        people it takes, 1 or 2, e.g. `2`
    offers_count  how many were opened; null: they are still sealed, e.g. `5`
    """

    state: str
    released: int
    needed: int
    offers_count: int | None


class StartAuctions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Begins the auctions of the qualified offers.

    starts_at  replaces the start in every lot's rules; null: as they say
    """

    starts_at: datetime | None = None
