"""Orders on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from marketplace.documents.schemas import DocumentView
from marketplace.kernel.money import Amount

Title = Annotated[str, Meta(min_length=1, max_length=200)]
Reason = Annotated[str, Meta(min_length=1, max_length=1_000)]
Quantity = Annotated[str, Meta(min_length=1, max_length=24)]
Short = Annotated[str, Meta(max_length=200)]
Long = Annotated[str, Meta(max_length=4_000)]


class Delivering(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where and how."""

    incoterm: Annotated[str, Meta(max_length=20)] = ""
    place: Short = ""
    remarks: Annotated[str, Meta(max_length=1_000)] = ""


class NewLine(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`price` is for `price_unit` units ("10.00 per 100"), with up to six decimals. Without it the
    supplier's lists say price and price unit, by `sku`, else by `item_id`.
    """

    name: Title
    quantity: Quantity
    unit: Annotated[str, Meta(min_length=1, max_length=20)]
    price: Amount | None = None
    price_unit: Quantity = "1"
    item_id: UUID | None = None
    sku: Annotated[str, Meta(min_length=1, max_length=100)] | None = None


class NewOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A buyer names the `supplier_id`, a supplier that proposes an order the `buyer_id`.
    `approver_id`: a colleague who must release it first. A basket takes its prices from
    the supplier's lists; with any other price its origin becomes `request`.
    """

    title: Title
    currency: Annotated[str, Meta(min_length=3, max_length=3)]
    lines: Annotated[list[NewLine], Meta(min_length=1, max_length=500)]
    supplier_id: UUID | None = None
    buyer_id: UUID | None = None
    origin: Literal["basket", "replenishment", "request"] = "basket"
    approver_id: UUID | None = None
    responsible_id: UUID | None = None
    due_at: datetime | None = None
    delivery: Delivering = Delivering()
    note: Long = ""


class PartyView(msgspec.Struct, frozen=True):
    id: UUID
    name: str


class LineView(msgspec.Struct, frozen=True, kw_only=True):
    """`list_price` is what the supplier's list asked for `price_unit` units when this was ordered;
    null: nothing that could be ordered so. `reference` is what others ask; the buyer alone sees it.
    """

    position: int
    item_id: UUID | None
    sku: str | None
    name: str
    quantity: str
    unit: str
    price: Amount | None
    price_unit: str
    value: Amount | None
    delivered: str
    list_price: Amount | None
    reference: Amount | None


class DeliveredLine(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    position: int
    quantity: Quantity


class NewDelivery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    lines: Annotated[list[DeliveredLine], Meta(min_length=1, max_length=500)]
    carrier: Short = ""
    tracking: Short = ""
    note: Annotated[str, Meta(max_length=1_000)] = ""


class DeliveryView(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    number: int
    carrier: str
    tracking: str
    note: str
    shipped_at: datetime
    lines: list[DeliveredLine]


class NextAction(msgspec.Struct, frozen=True, kw_only=True):
    """Whose turn it is, until when, and what the caller may do about it."""

    whose: str
    text: str
    due_at: datetime | None
    overdue: bool
    events: list[str]


class OrderRow(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    number: int
    title: str
    state: str
    buyer: PartyView
    supplier: PartyView
    total: Amount
    created_at: datetime
    due_at: datetime | None
    escalated: bool


class OrderPage(msgspec.Struct, frozen=True):
    items: list[OrderRow]
    next_cursor: str | None = None


class OrderView(msgspec.Struct, frozen=True, kw_only=True):
    """`next` stands on top: nothing is left to do when it is None."""

    id: UUID
    number: int
    title: str
    state: str
    origin: str
    origin_id: UUID | None
    buyer: PartyView
    supplier: PartyView
    currency: str
    total: Amount
    lines: list[LineView]
    deliveries: list[DeliveryView]
    delivery: dict[str, str]
    note: str
    reason: str | None
    approver_id: UUID | None
    responsible_id: UUID | None
    due_at: datetime | None
    created_at: datetime
    ordered_at: datetime | None
    accepted_at: datetime | None
    escalated_at: datetime | None
    next: NextAction | None
    claims: list[ClaimView]
    survey: SurveyView | None


class Move(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why; needed where the answer `reason_missing` says so."""

    reason: Reason | None = None


class Confirmation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The day the supplier promises, where it is another than asked for."""

    due_at: datetime | None = None


class TimelineEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened. `kind` is `order`, `delivery`, `claim`, `document` or `survey`."""

    at: datetime
    kind: str
    text: str
    by: str | None
    reason: str | None = None
    subject_id: UUID | None = None


class Timeline(msgspec.Struct, frozen=True, kw_only=True):
    """Newest first, under the next action."""

    next: NextAction | None
    items: list[TimelineEntry]
    next_cursor: str | None = None


class NewClaim(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`severity_bp` in basis points of a wholly bad order; `position` names a line."""

    kind: Literal["quality", "service"]
    severity_bp: Annotated[int, Meta(ge=1, le=10_000)]
    description: Annotated[str, Meta(min_length=1, max_length=4_000)]
    position: int | None = None


class Decision(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`severity_bp` is for the operator, who may uphold a claim in part."""

    reason: Reason | None = None
    severity_bp: Annotated[int, Meta(ge=1, le=10_000)] | None = None


class ClaimView(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    order_id: UUID
    number: int
    kind: str
    severity_bp: int
    description: str
    position: int | None
    state: str
    answer: str | None
    created_at: datetime
    decided_at: datetime | None
    events: list[str]


class ClaimPage(msgspec.Struct, frozen=True):
    items: list[ClaimView]
    next_cursor: str | None = None


class OrderDocument(DocumentView, frozen=True, kw_only=True):
    """`accepted_at`: the other side has put its stamp on this version."""

    claim_id: UUID | None
    organisation_id: UUID
    accepted_at: datetime | None


class OrderDocumentPage(msgspec.Struct, frozen=True):
    items: list[OrderDocument]
    next_cursor: str | None = None


class NewSurvey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Would you order there again? One to five stars."""

    stars: Annotated[int, Meta(ge=1, le=5)]


class SurveyView(msgspec.Struct, frozen=True, kw_only=True):
    """Open until `until`; the answer may be changed as long."""

    until: datetime
    stars: int | None


class StatusLink(msgspec.Struct, frozen=True):
    """For the customer at the end; whoever has it sees the state and no prices."""

    link: str
    token: str


class StatusStep(msgspec.Struct, frozen=True, kw_only=True):
    at: datetime
    text: str


class StatusLine(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    quantity: str
    unit: str
    delivered: str


class PublicStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What the customer sees."""

    number: int
    title: str
    state: str
    due_at: datetime | None
    lines: list[StatusLine]
    deliveries: list[StatusDelivery]
    steps: list[StatusStep]


class StatusDelivery(msgspec.Struct, frozen=True, kw_only=True):
    number: int
    shipped_at: datetime
    carrier: str
    tracking: str


class Suggestion(msgspec.Struct, frozen=True, kw_only=True):
    """What was ordered at regular intervals and is due again."""

    supplier: PartyView
    item_id: UUID | None
    sku: str | None
    name: str
    quantity: str
    unit: str
    price: Amount
    price_unit: str
    every_days: int
    last_ordered_at: datetime
    due_at: datetime


class SuggestionPage(msgspec.Struct, frozen=True):
    items: list[Suggestion]
    next_cursor: str | None = None


class NewWatcher(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    user_id: UUID


class WatcherPage(msgspec.Struct, frozen=True):
    items: list[UUID]
    next_cursor: str | None = None
