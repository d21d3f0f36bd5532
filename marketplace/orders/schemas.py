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
    """Where and how the goods are to be delivered.

    place    a city or an address, e.g. `Lyon`
    remarks  whatever the driver needs to know, at most 1,000 characters, e.g. `Gate 3, before noon`
    """

    incoterm: Annotated[str, Meta(max_length=20)] = ""
    place: Short = ""
    remarks: Annotated[str, Meta(max_length=1_000)] = ""


class NewLine(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One thing that is ordered. Without a price the supplier's lists say it, by `sku`, else by
    `item_id`.

    name      what it is, as both sides read it, e.g. `Circulation pump`
    quantity  more than 0, a decimal text in units of `unit`, e.g. `400`
    price     for `price_unit` units, with at most six decimals; null: as the supplier's lists say
    sku       the supplier's own number; it finds the price where none is given, e.g. `P-4711`
    """

    name: Title
    quantity: Quantity
    unit: Annotated[str, Meta(min_length=1, max_length=20)]
    price: Amount | None = None
    price_unit: Quantity = "1"
    item_id: UUID | None = None
    sku: Annotated[str, Meta(min_length=1, max_length=100)] | None = None


class NewOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A buyer names the supplier; a supplier that proposes an order names the buyer.

    title           what people call it, e.g. `Pumps for plant 3`
    currency        ISO 4217, of every price in it, e.g. `EUR`
    lines           1 to 500 of them
    supplier_id     who is asked; null where a supplier proposes
    buyer_id        who is offered it; null where a buyer orders
    origin          a `basket` takes the prices of the supplier's lists; with any other price it
                    becomes a `request`, which the supplier confirms
    responsible_id  the colleague who looks after it; null: its author
    due_at          when the goods are wanted; null: as soon as possible
    delivery        where and how
    note            for the other side, at most 4,000 characters, e.g. `As discussed with Ms Ode.`
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
    """An organisation.

    name  the legal name, e.g. `Pumps Ltd`
    """

    id: UUID
    name: str


class LineView(msgspec.Struct, frozen=True, kw_only=True):
    """One line of an order.

    sku         the supplier's own number; null: not from a list, e.g. `P-4711`
    name        what it is, e.g. `Circulation pump`
    price       for `price_unit` units; null: a lump price for the whole order
    value       quantity times price, rounded to the cent; null: a lump price
    list_price  what the supplier's list asked for `price_unit` units at that time; null: nothing
                that could be ordered so
    reference   what other suppliers ask; only the buyer reads it, null: unknown
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
    """How much of a line comes with a delivery.

    quantity  no more than is still to come, e.g. `150`
    """

    position: int
    quantity: Quantity


class NewDelivery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What leaves the supplier.

    lines     each line at most once; with what was left the order is `delivered`
    carrier   who brings it, e.g. `DHL`
    tracking  number of the parcel, e.g. `JD0146000038`
    note      for the buyer, at most 1,000 characters, e.g. `Two pallets`
    """

    lines: Annotated[list[DeliveredLine], Meta(min_length=1, max_length=500)]
    carrier: Short = ""
    tracking: Short = ""
    note: Annotated[str, Meta(max_length=1_000)] = ""


class DeliveryView(msgspec.Struct, frozen=True, kw_only=True):
    """What left the supplier.

    number      counted within the order, from 1, e.g. `1`
    carrier     who brings it; empty: not said, e.g. `DHL`
    tracking    number of the parcel; empty: not said, e.g. `JD0146000038`
    note        of the supplier; empty: nothing, e.g. `Two pallets`
    shipped_at  when the supplier entered it
    lines       what is in it
    """

    id: UUID
    number: int
    carrier: str
    tracking: str
    note: str
    shipped_at: datetime
    lines: list[DeliveredLine]


class NextAction(msgspec.Struct, frozen=True, kw_only=True):
    """Whose turn it is, until when, and what the caller may do about it.

    whose    `buyer`, `supplier` or `operator`, e.g. `supplier`
    text     what is to be done, for people, e.g. `Confirm or decline the order.`
    due_at   then it escalates; null: there is time
    overdue  whether that moment has passed
    """

    whose: str
    text: str
    due_at: datetime | None
    overdue: bool
    events: list[str]


class OrderRow(msgspec.Struct, frozen=True, kw_only=True):
    """An order in a list.

    number     counted by buyer, without gaps, e.g. `1042`
    title      what people call it, e.g. `Pumps for plant 3`
    state      `draft`, `proposed`, `awaiting_approval`, `placed`, `confirmed`, `partly_delivered`,
               `delivered`, `accepted`; `rejected`, `declined`, `cancelled`, e.g. `placed`
    total      the sum of its lines, or the lump price
    escalated  whether a deadline passed unused
    """

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
    """Orders of both sides."""

    items: list[OrderRow]
    next_cursor: str | None = None


class OrderView(msgspec.Struct, frozen=True, kw_only=True):
    """An order with everything in it.

    number          counted by buyer, without gaps, e.g. `1042`
    title           what people call it, e.g. `Pumps for plant 3`
    state           `draft`, `proposed`, `awaiting_approval`, `placed`, `confirmed`,
                    `partly_delivered`, `delivered`, `accepted`; `rejected`, `declined`,
                    `cancelled`, e.g. `placed`
    origin          `basket`, `replenishment`, `request` or `award`, e.g. `basket`
    origin_id       the award it comes from; null: not from an award
    total           the sum of its lines, or the lump price
    lines           what is ordered, by position
    deliveries      what left the supplier, the oldest first
    delivery        `incoterm`, `place` and `remarks`, as far as they were given, e.g. `{"incoterm":
                    "DAP", "place": "Lyon"}`
    note            for the other side; empty: nothing, e.g. `As discussed with Ms Ode.`
    reason          why it was rejected, declined or cancelled; null: it was not, e.g. `Out of
                    stock`
    responsible_id  the colleague of the buyer who looks after it; null: nobody
    due_at          the day the supplier promised, before that the day asked for; null: neither
    ordered_at      when it was placed with the supplier; null: not yet
    accepted_at     when the buyer accepted the goods; null: not yet
    escalated_at    when a deadline last passed unused; null: none did
    next            whose turn it is; null: nothing is left to do
    claims          complaints about it
    survey          the question after the acceptance; null: not asked yet
    """

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
    """Why; the answer `reason_missing` says where it is needed.

    reason  the other side reads it, at most 1,000 characters, e.g. `Out of stock`
    """

    reason: Reason | None = None


class Confirmation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The supplier's yes.

    due_at  the day the supplier promises; null: the day that was asked for
    """

    due_at: datetime | None = None


class TimelineEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened.

    at          when it happened
    kind        `order`, `delivery`, `claim`, `document` or `survey`, e.g. `order`
    text        what happened, for people, e.g. `The supplier confirmed the order.`
    by          name of the organisation; null: the marketplace itself, e.g. `Pumps Ltd`
    reason      the words given with it; null: none, e.g. `Out of stock`
    subject_id  the delivery, claim or document; null: the order itself
    """

    at: datetime
    kind: str
    text: str
    by: str | None
    reason: str | None = None
    subject_id: UUID | None = None


class Timeline(msgspec.Struct, frozen=True, kw_only=True):
    """Newest first, under the next action.

    next   whose turn it is; null: nothing is left to do
    items  what happened, the newest first
    """

    next: NextAction | None
    items: list[TimelineEntry]
    next_cursor: str | None = None


class NewClaim(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A complaint about delivered goods.

    kind         `quality` of the goods, or `service` around them
    severity_bp  how bad, in basis points of a wholly bad order: 2,500 is a quarter, e.g. `2500`
    description  what is wrong, e.g. `Twelve pumps leak at the flange.`
    position     the line it is about; null: the whole order, e.g. `1`
    """

    kind: Literal["quality", "service"]
    severity_bp: Annotated[int, Meta(ge=1, le=10_000)]
    description: Annotated[str, Meta(min_length=1, max_length=4_000)]
    position: int | None = None


class Decision(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An answer to a claim.

    reason       the other side reads it; needed to dispute, e.g. `The photos show another model.`
    severity_bp  for the operator, who may uphold a claim in part, e.g. `1000`
    """

    reason: Reason | None = None
    severity_bp: Annotated[int, Meta(ge=1, le=10_000)] | None = None


class ClaimView(msgspec.Struct, frozen=True, kw_only=True):
    """A complaint about an order.

    number       counted within the order, from 1, e.g. `1`
    kind         `quality` or `service`, e.g. `quality`
    severity_bp  how bad, in basis points of a wholly bad order, e.g. `2500`
    description  the buyer's words, e.g. `Twelve pumps leak at the flange.`
    position     the line it is about; null: the whole order, e.g. `1`
    state        `open`, `disputed`, `escalated`; then `upheld`, `dismissed` or `withdrawn`. Only
                 upheld ones touch the rating, e.g. `open`
    answer       what the supplier or the operator wrote; null: nothing yet, e.g. `We replace them.`
    """

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
    """Claims of both sides."""

    items: list[ClaimView]
    next_cursor: str | None = None


class OrderDocument(DocumentView, frozen=True, kw_only=True):
    """A file of an order.

    claim_id         the claim it is evidence of; null: it belongs to the order
    organisation_id  which side added it
    accepted_at      when the other side put its stamp on this version; null: it has not
    """

    claim_id: UUID | None
    organisation_id: UUID
    accepted_at: datetime | None


class OrderDocumentPage(msgspec.Struct, frozen=True):
    """Every version of every file of an order."""

    items: list[OrderDocument]
    next_cursor: str | None = None


class NewSurvey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Would you order there again?

    stars  from 1, never again, to 5, any time, e.g. `5`
    """

    stars: Annotated[int, Meta(ge=1, le=5)]


class SurveyView(msgspec.Struct, frozen=True, kw_only=True):
    """The question after an accepted order.

    until  the answer may be given and changed until then
    stars  1 to 5; null: not answered, e.g. `5`
    """

    until: datetime
    stars: int | None


class StatusLink(msgspec.Struct, frozen=True):
    """For the customer at the end: anybody who has it sees the state and no prices.

    link   a page for people, e.g. `https://marketplace.example/order_status/3Jt0xkQ`
    token  the same for programs, at `GET /api/v1/order_status/{token}`, e.g. `3Jt0xkQ`
    """

    link: str
    token: str


class StatusStep(msgspec.Struct, frozen=True, kw_only=True):
    """One step on the way.

    at    when it was reached
    text  in the customer's words, e.g. `On its way`
    """

    at: datetime
    text: str


class StatusLine(msgspec.Struct, frozen=True, kw_only=True):
    """What the customer gets.

    name  what it is, e.g. `Circulation pump`
    """

    name: str
    quantity: str
    unit: str
    delivered: str


class PublicStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What the customer sees.

    number      of the order, e.g. `1042`
    title       of the order, e.g. `Pumps for plant 3`
    state       as in the order, e.g. `partly_delivered`
    due_at      the promised day; null: none
    lines       what was ordered, without prices
    deliveries  what is on its way or there
    steps       the oldest first
    """

    number: int
    title: str
    state: str
    due_at: datetime | None
    lines: list[StatusLine]
    deliveries: list[StatusDelivery]
    steps: list[StatusStep]


class StatusDelivery(msgspec.Struct, frozen=True, kw_only=True):
    """One parcel or load.

    number      counted within the order, from 1, e.g. `1`
    shipped_at  when it left the supplier
    carrier     who brings it; empty: not said, e.g. `DHL`
    tracking    number of the parcel; empty: not said, e.g. `JD0146000038`
    """

    number: int
    shipped_at: datetime
    carrier: str
    tracking: str


class Suggestion(msgspec.Struct, frozen=True, kw_only=True):
    """Something that was ordered at regular intervals and is due again.

    sku              the supplier's own number; null: not from a list, e.g. `P-4711`
    name             what it is, e.g. `Circulation pump`
    quantity         what was ordered last, e.g. `400`
    price            of the last order, for `price_unit` units
    every_days       the usual interval, e.g. `30`
    last_ordered_at  when it was ordered last
    due_at           one interval later
    """

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
    """What is due within two weeks."""

    items: list[Suggestion]
    next_cursor: str | None = None


class NewWatcher(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A colleague who shall hear of everything about the order.

    user_id  a person of the caller's organisation
    """

    user_id: UUID


class WatcherPage(msgspec.Struct, frozen=True):
    """Who watches the order.

    items  ids of people of the caller's organisation
    """

    items: list[UUID]
    next_cursor: str | None = None
