"""Award sheets and awards on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from auctions.tenders.schemas.tender import Party, Reason
from marketplace.kernel.money import Amount


class Ranked(msgspec.Struct, frozen=True):
    """One place of a lot's ranking as it is frozen: minor units, `evaluated` an exact fraction,
    `abnormally_low` the reasons why the bid is, `lines` the totals by the lines' ids.
    """

    rank: int
    organisation_id: UUID
    price_minor: int
    evaluated: str
    coefficient: str
    alias: str | None = None
    rating: str | None = None
    seq: int | None = None
    abnormally_low: tuple[str, ...] = ()
    lines: dict[str, int] = {}


class LineAmount(msgspec.Struct, frozen=True):
    """The total of one line of the lot."""

    id: str
    title: str
    amount: Amount


class SheetRow(msgspec.Struct, frozen=True):
    """`what_if_score` in percent and `what_if_rank` follow the weights asked for. `abnormally_low`
    holds `below_mean_of_initial` and `below_next_final` where they apply.
    """

    rank: int
    organisation: Party
    alias: str | None
    price: Amount
    coefficient: str
    evaluated: Amount
    rating: str | None
    saving_percent: str | None
    what_if_score: str
    what_if_rank: int
    abnormally_low: list[str] = []
    lines: list[LineAmount] = []


class AwardView(msgspec.Struct, frozen=True):
    """`reason` is the buyer's own and empty for the supplier. `events` is what the caller may do
    with it now. `order_id` is the order of an accepted award.
    """

    id: UUID
    lot_id: UUID
    lot_title: str
    tender_id: UUID
    organisation: Party
    state: str
    rank: int | None
    share_percent: str
    price: Amount
    value: Amount
    reason: str | None
    instead_of: UUID | None
    created_at: datetime
    decided_at: datetime | None
    events: list[str]
    order_id: UUID | None = None


class AwardSheet(msgspec.Struct, frozen=True):
    """`weights` in basis points, sum 10,000; trying others changes nothing saved. `left_percent` is
    what nobody holds an award of.
    """

    lot_id: UUID
    lot_title: str
    tender_id: UUID
    tender_state: str
    left_percent: str
    ceiling: Amount | None
    frozen_at: datetime | None
    weights: dict[str, int]
    rows: list[SheetRow]
    awards: list[AwardView]


class Share(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`percent` of the lot, as a decimal string."""

    organisation_id: UUID
    percent: Annotated[str, Meta(max_length=12)] = "100"


class NewAwards(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All shares decided together. `reason` is needed unless rank 1 gets it all."""

    awards: Annotated[list[Share], Meta(min_length=1, max_length=20)]
    reason: Reason | None = None


class AwardPage(msgspec.Struct, frozen=True):
    items: list[AwardView]
    next_cursor: str | None = None
