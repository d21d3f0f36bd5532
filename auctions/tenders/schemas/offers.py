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
    """`price` for the whole lot; `attributes` answers the features and costs of its scoring,
    `lines` are the totals of the lot's lines as decimal strings by their id.
    """

    price: Amount
    attributes: dict[Word, Word] = {}
    lines: Annotated[dict[Word, Word], Meta(max_length=LINES_MAX)] = {}
    note: Annotated[str, Meta(max_length=5_000)] = ""


class OfferReceipt(msgspec.Struct, frozen=True):
    """`sha256` is of the sealed bytes as they are kept: proof of what was handed in, and when."""

    id: UUID
    lot_id: UUID
    state: str
    revision: int
    submitted_at: datetime
    sha256: str


class OfferView(msgspec.Struct, frozen=True):
    """After the opening everything; before it the own organisation sees all but the content."""

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
    items: list[OfferView]
    next_cursor: str | None = None


class Opening(msgspec.Struct, frozen=True):
    """`state` stays `published` until everybody needed has released a share."""

    state: str
    released: int
    needed: int
    offers_count: int | None


class StartAuctions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`starts_at` replaces the start in every lot's rules."""

    starts_at: datetime | None = None
