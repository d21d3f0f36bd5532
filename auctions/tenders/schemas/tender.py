"""Tenders on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from auctions.rules.parts.documented import DraftRules, LotRules
from auctions.tenders.rules import (
    INVITATIONS_MAX,
    ITEMS_MAX,
    LOTS_MAX,
    TEXT_CHARS_MAX,
    TITLE_CHARS_MAX,
    UNIT_CHARS_MAX,
)
from marketplace.kernel.money import Amount

Title = Annotated[str, Meta(min_length=1, max_length=TITLE_CHARS_MAX)]
Text = Annotated[str, Meta(max_length=TEXT_CHARS_MAX)]
REASON_CHARS_MAX = 500
Reason = Annotated[str, Meta(min_length=1, max_length=REASON_CHARS_MAX)]
AccessWord = Literal["invited", "open"]


class Classification(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A code and its list: `{"scheme": "CPV", "version": "2008", "code": "42122000-0"}`.

    code     as that edition of the list writes it, e.g. `42122000-0`
    version  the edition of the list; empty: not stated, e.g. `2008`
    title    what the code means; empty: not stated, e.g. `Pumps`
    """

    scheme: Annotated[str, Meta(min_length=1, max_length=32)]
    code: Annotated[str, Meta(min_length=1, max_length=64)]
    version: Annotated[str, Meta(max_length=32)] = ""
    title: Annotated[str, Meta(max_length=TITLE_CHARS_MAX)] = ""


class Delivery(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How the goods are to be delivered and paid.

    incoterm  of Incoterms 2020, three letters; empty: not stated, e.g. `DAP`
    place     a city or an address; empty: not stated, e.g. `Lyon`
    until     the last day of delivery; empty: not stated, e.g. `2027-02-28`
    payment   how and when one pays; empty: not stated, e.g. `30 days net`
    remarks   anything else; empty: nothing, e.g. `Unloading by crane`
    """

    incoterm: Annotated[str, Meta(max_length=3)] = ""
    place: Annotated[str, Meta(max_length=TITLE_CHARS_MAX)] = ""
    until: Annotated[str, Meta(pattern=r"^(\d{4}-\d{2}-\d{2})?$")] = ""
    payment: Annotated[str, Meta(max_length=TITLE_CHARS_MAX)] = ""
    remarks: Annotated[str, Meta(max_length=TEXT_CHARS_MAX)] = ""


class DeliveryChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """As `Delivery`; what is left out stays, an empty text removes.

    incoterm  of Incoterms 2020, three letters, e.g. `DAP`
    place     a city or an address, e.g. `Lyon`
    until     the last day of delivery, e.g. `2027-02-28`
    payment   how and when one pays, e.g. `30 days net`
    remarks   anything else, e.g. `Unloading by crane`
    """

    incoterm: Annotated[str, Meta(max_length=3)] | UnsetType = UNSET
    place: Annotated[str, Meta(max_length=TITLE_CHARS_MAX)] | UnsetType = UNSET
    until: Annotated[str, Meta(pattern=r"^(\d{4}-\d{2}-\d{2})?$")] | UnsetType = UNSET
    payment: Annotated[str, Meta(max_length=TITLE_CHARS_MAX)] | UnsetType = UNSET
    remarks: Annotated[str, Meta(max_length=TEXT_CHARS_MAX)] | UnsetType = UNSET


class NewItem(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is bought.

    name         as bidders read it; the tender keeps it, whatever becomes of the catalogue, e.g.
                 `Circulation pump`
    quantity     more than 0, a decimal text in units of `unit`, e.g. `400`
    description  empty: the name says all, e.g. `Wet rotor, 180 mm`
    """

    name: Title
    quantity: Annotated[str, Meta(max_length=24)]
    unit: Annotated[str, Meta(min_length=1, max_length=UNIT_CHARS_MAX)]
    description: Text = ""
    item_id: UUID | None = None
    classification: Classification | None = None


class NewLot(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A part of the tender that is awarded alone.

    title        as bidders read it, e.g. `400 pumps`
    items        at least one
    rules        how its auction goes
    description  empty: the title says all, e.g. `For the heating of plant 3`
    id           of a lot that stays, when the lots of a draft are replaced; null: a new one
    """

    title: Title
    items: Annotated[list[NewItem], Meta(min_length=1, max_length=ITEMS_MAX)]
    rules: LotRules
    ceiling: Amount | None = None
    description: Text = ""
    id: UUID | None = None


Lots = Annotated[list[NewLot], Meta(min_length=1, max_length=LOTS_MAX)]
Organisations = Annotated[list[UUID], Meta(max_length=INVITATIONS_MAX)]


class OffersStage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Sealed offers before the auction.

    due_at      the last moment for an offer; then they can be opened
    two_person  true: opening takes an officer and an approver
    """

    due_at: datetime
    two_person: bool = False


class NewTender(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A draft.

    title        as bidders read it, e.g. `Pumps`
    currency     ISO 4217, of every price in it, e.g. `EUR`
    lots         at least one
    access       `invited`: who was invited takes part; `open`: any active supplier
    open         true is short for `access: "open"`
    invitations  ids of suppliers; they hear of it at the publication
    description  empty: the title says all, e.g. `Replacement of all pumps in plant 3`
    delivery     how the goods are to be delivered and paid
    offers       null: no sealed offers, the auction comes first
    """

    title: Title
    currency: Annotated[str, Meta(min_length=3, max_length=3)]
    lots: Lots
    access: AccessWord = "invited"
    open: bool = False
    invitations: Organisations = []
    description: Text = ""
    delivery: Delivery = Delivery()
    offers: OffersStage | None = None


class TenderChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is left out stays. `lots` replaces all lots; a lot given with its `id` keeps it.

    title        as bidders read it, e.g. `Pumps`
    currency     ISO 4217, of every price in it, e.g. `EUR`
    access       `invited`: who was invited takes part; `open`: any active supplier
    description  replaces the text, e.g. `Replacement of all pumps in plant 3`
    delivery     replaces all of it
    lots         replaces all lots; one given with its `id` stays the same lot
    offers       null: no sealed offers
    """

    title: Title | UnsetType = UNSET
    currency: Annotated[str, Meta(min_length=3, max_length=3)] | UnsetType = UNSET
    access: AccessWord | UnsetType = UNSET
    description: Text | UnsetType = UNSET
    delivery: Delivery | UnsetType = UNSET
    lots: Lots | UnsetType = UNSET
    offers: OffersStage | UnsetType | None = UNSET


class Adjustment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A supplier-specific bonus: percent and amount off its price; a malus is negative.

    percent  off its price before offers are compared; a malus is negative, e.g. `2.5`
    amount   off its price as well; null: none
    """

    percent: Annotated[str, Meta(max_length=12)] = "0"
    amount: Amount | None = None


class NewInvitations(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Suppliers to invite.

    organisations  ids of active suppliers; those invited already stay
    adjustments    by id of the supplier: its bonus or malus
    """

    organisations: Annotated[list[UUID], Meta(min_length=1, max_length=INVITATIONS_MAX)]
    adjustments: dict[UUID, Adjustment] = {}


class PolicyView(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When a tender needs somebody else's release.

    approval_limit  a tender worth more is released by an approver who is not its author; null:
                    never
    """

    approval_limit: Amount | None


class StepView(msgspec.Struct, frozen=True):
    """One step of the tender's history.

    event    what was done, e.g. `publish`
    source   the state before, e.g. `draft`
    target   the state after, e.g. `published`
    at       when
    user_id  who did it; null: the marketplace, by the clock
    reason   the words given with it; null: none, e.g. `The budget was cut`
    """

    event: str
    source: str
    target: str
    at: datetime
    user_id: UUID | None
    reason: str | None


class History(msgspec.Struct, frozen=True):
    """What happened to the tender, in its order.

    items  each step
    """

    items: list[StepView]
    next_cursor: str | None = None


class AcceptTerms(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a supplier agrees to before it takes part.

    accept_terms  must be true
    """

    accept_terms: bool


class WithReason(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why.

    reason  the other side reads it, e.g. `The budget was cut`
    """

    reason: Reason


class Party(msgspec.Struct, frozen=True):
    """An organisation.

    name  the legal name, e.g. `Pumps Ltd`
    """

    id: UUID
    name: str


class ItemView(msgspec.Struct, frozen=True):
    """What is bought.

    name         as bidders read it, e.g. `Circulation pump`
    description  empty: the name says all, e.g. `Wet rotor, 180 mm`
    """

    name: str
    description: str
    quantity: str
    unit: str
    item_id: UUID | None
    classification: Classification | None


class LotView(msgspec.Struct, frozen=True):
    """A part of the tender that is awarded alone.

    title        as bidders read it, e.g. `400 pumps`
    description  empty: the title says all, e.g. `For the heating of plant 3`
    items        what is bought
    rules        how its auction goes
    auction_id   null: the tender is not published, or its offers are not opened
    starts_at    when its auction begins; null: there is none yet
    alias        the caller's own pseudonym in it, once it takes part; null: it does not, e.g.
                 `Amber Heron`
    """

    id: UUID
    title: str
    description: str
    items: list[ItemView]
    ceiling: Amount | None
    rules: DraftRules
    auction_id: UUID | None
    starts_at: datetime | None
    alias: str | None = None


class InvitationView(msgspec.Struct, frozen=True):
    """An invited supplier.

    organisation  the supplier
    invited_at    when it was asked
    accepted_at   when it accepted the terms; null: not yet
    adjustment    its bonus or malus; null: none
    """

    organisation: Party
    invited_at: datetime
    accepted_at: datetime | None
    declined_at: datetime | None = None
    decline_reason: str | None = None
    adjustment: Adjustment | None = None


class TenderView(msgspec.Struct, frozen=True):
    """A tender, as far as the caller may see it.

    state          `draft`, `awaiting_approval`, `published`, `opened`, `in_auction`, `awarding`;
                   then `awarded`, `unsuccessful` or `cancelled`, e.g. `published`
    title          as bidders read it, e.g. `Pumps`
    description    empty: the title says all, e.g. `Replacement of all pumps in plant 3`
    access         `invited` or `open`, e.g. `invited`
    delivery       how the goods are to be delivered and paid
    reason         why it was sent back, failed or cancelled; null: it was not, e.g. `The budget was
                   cut`
    lots           what is awarded, each alone
    offers         sealed offers before the auction; null: none
    opened_at      when the offers were opened; null: they are sealed, or there are none
    addenda_count  changes since the publication, e.g. `1`
    invitations    for the buyer only; null for a supplier
    accepted_at    for a supplier: when it accepted the terms; null: not yet
    invited_at     for a supplier: when it was invited; null: it was not
    """

    id: UUID
    state: str
    title: str
    description: str
    currency: str
    access: str
    buyer: Party
    delivery: Delivery
    reason: str | None
    created_at: datetime
    published_at: datetime | None
    lots: list[LotView]
    offers: OffersStage | None = None
    opened_at: datetime | None = None
    addenda_count: int = 0
    invitations: list[InvitationView] | None = None
    accepted_at: datetime | None = None
    invited_at: datetime | None = None
    declined_at: datetime | None = None
    decline_reason: str | None = None
    events: list[str] = []


class TenderLine(msgspec.Struct, frozen=True):
    """A tender in a list.

    state        as in the tender, e.g. `published`
    title        as bidders read it, e.g. `Pumps`
    access       `invited` or `open`, e.g. `invited`
    mine         whether the caller's organisation is its buyer
    lots_count   how many lots it has, e.g. `3`
    starts_at    when its first auction begins; null: there is none yet
    accepted_at  for a supplier: when it accepted the terms; null: not yet
    """

    id: UUID
    state: str
    title: str
    currency: str
    access: str
    buyer: Party
    mine: bool
    lots_count: int
    created_at: datetime
    published_at: datetime | None
    starts_at: datetime | None
    accepted_at: datetime | None
    declined_at: datetime | None = None


class TenderPage(msgspec.Struct, frozen=True):
    """Tenders, the newest first."""

    items: list[TenderLine]
    next_cursor: str | None


class InvitationPage(msgspec.Struct, frozen=True):
    """Who is invited.

    items  every invited supplier
    """

    items: list[InvitationView]


class Participation(msgspec.Struct, frozen=True):
    """The supplier takes part.

    accepted_at  when it accepted the terms
    aliases      its pseudonyms by auction id, e.g. `{"0198c3f2-5a1e-7d3b-9c42-1f0e6a7b8c9d": "Amber
                 Heron"}`
    excluded     auctions that go on without it all the same, because it was suspended meanwhile
    """

    tender_id: UUID
    accepted_at: datetime
    aliases: dict[UUID, str]
    excluded: list[UUID] = []
