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
    """The total of one line of the lot.

    id      of the line, as the rules name it, e.g. `1`
    title   what it is, e.g. `Pumps`
    amount  total of the line
    """

    id: str
    title: str
    amount: Amount


class SheetRow(msgspec.Struct, frozen=True):
    """One place of the ranking. `what_if_` says what other weights would make of it.

    rank            by the evaluated price, from 1, e.g. `1`
    organisation    who bid
    alias           the pseudonym in the auction; null: there was no auction, e.g. `Amber Heron`
    price           what would be paid
    saving_percent  below the ceiling; null: there is none, e.g. `12.5`
    what_if_score   in percent, by the weights asked for, e.g. `93.10`
    what_if_rank    by the weights asked for, e.g. `2`
    abnormally_low  `below_mean_of_initial` and `below_next_final` where they apply: 40 % below the
                    mean of the others' first bids, 30 % below the next last bid, e.g.
                    `["below_next_final"]`
    lines           the totals of its lines; empty: one price for the lot
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
    """The proposal to give a lot, or a share of it, to a supplier.

    organisation   the supplier
    state          `awaiting_approval` waits for an approver, `offered` for the supplier; then
                   `accepted`, `declined`, `refused` or `withdrawn`, e.g. `offered`
    rank           of the supplier in the frozen ranking; null: it has none, e.g. `1`
    share_percent  of the lot, a decimal text, e.g. `100`
    price          of the whole lot
    value          of the share
    reason         of the buyer, for another choice than rank 1; null for the supplier, e.g.
                   `Shorter delivery time`
    instead_of     the declined award it takes the place of; null: none
    decided_at     when it was answered; null: not yet
    order_id       the order of an accepted award; null: it is not accepted
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
    """The ranking of a lot, frozen when its auction closed. Other weights change nothing saved.

    tender_state  awards are made in `awarding`, e.g. `awarding`
    left_percent  what nobody holds an award of, e.g. `100`
    frozen_at     since when the ranking stands; null: it may still change
    weights       of price and rating, in basis points, together 10,000, e.g. `{"price": 8000,
                  "rating": 2000}`
    rows          the ranking, the best first
    awards        what was decided
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
    """What one supplier gets of the lot.

    organisation_id  the supplier
    percent          of the lot, more than 0 and at most 100, e.g. `60`
    """

    organisation_id: UUID
    percent: Annotated[str, Meta(max_length=12)] = "100"


class NewAwards(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All shares decided together. `reason` is needed unless rank 1 gets it all.

    awards  1 to 20 shares, at most 100 percent together
    reason  needed unless rank 1 gets it all; an approver reads it, e.g. `Shorter delivery time`
    """

    awards: Annotated[list[Share], Meta(min_length=1, max_length=20)]
    reason: Reason | None = None


class AwardPage(msgspec.Struct, frozen=True):
    """Awards, the newest first."""

    items: list[AwardView]
    next_cursor: str | None = None
