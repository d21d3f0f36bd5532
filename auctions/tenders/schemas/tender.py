"""Tenders on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

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
    """A code and its list: `{"scheme": "CPV", "version": "2008", "code": "42122000-0"}`."""

    scheme: Annotated[str, Meta(min_length=1, max_length=32)]
    code: Annotated[str, Meta(min_length=1, max_length=64)]
    version: Annotated[str, Meta(max_length=32)] = ""
    title: Annotated[str, Meta(max_length=TITLE_CHARS_MAX)] = ""


class Delivery(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """`incoterm` as in Incoterms 2020, such as DAP; `until` the last day of delivery."""

    incoterm: Annotated[str, Meta(max_length=3)] = ""
    place: Annotated[str, Meta(max_length=TITLE_CHARS_MAX)] = ""
    until: Annotated[str, Meta(pattern=r"^(\d{4}-\d{2}-\d{2})?$")] = ""
    payment: Annotated[str, Meta(max_length=TITLE_CHARS_MAX)] = ""
    remarks: Annotated[str, Meta(max_length=TEXT_CHARS_MAX)] = ""


class DeliveryChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """As `Delivery`; what is left out stays, an empty text removes."""

    incoterm: Annotated[str, Meta(max_length=3)] | UnsetType = UNSET
    place: Annotated[str, Meta(max_length=TITLE_CHARS_MAX)] | UnsetType = UNSET
    until: Annotated[str, Meta(pattern=r"^(\d{4}-\d{2}-\d{2})?$")] | UnsetType = UNSET
    payment: Annotated[str, Meta(max_length=TITLE_CHARS_MAX)] | UnsetType = UNSET
    remarks: Annotated[str, Meta(max_length=TEXT_CHARS_MAX)] | UnsetType = UNSET


class NewItem(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`item_id` names an item of the catalogue; the tender keeps its own name and unit."""

    name: Title
    quantity: Annotated[str, Meta(max_length=24)]
    unit: Annotated[str, Meta(min_length=1, max_length=UNIT_CHARS_MAX)]
    description: Text = ""
    item_id: UUID | None = None
    classification: Classification | None = None


class NewLot(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`id` keeps an existing lot when a draft's lots are replaced. `rules` as in the lot rules
    schema.
    """

    title: Title
    items: Annotated[list[NewItem], Meta(min_length=1, max_length=ITEMS_MAX)]
    rules: dict[str, Any]
    ceiling: Amount | None = None
    description: Text = ""
    id: UUID | None = None


Lots = Annotated[list[NewLot], Meta(min_length=1, max_length=LOTS_MAX)]
Organisations = Annotated[list[UUID], Meta(max_length=INVITATIONS_MAX)]


class OffersStage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Sealed offers before the auction: until when, and whether opening them takes two people."""

    due_at: datetime
    two_person: bool = False


class NewTender(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`open: true` is the short form of `access: "open"`."""

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
    """What is left out stays. `lots` replaces all lots; a lot given with its `id` keeps it."""

    title: Title | UnsetType = UNSET
    currency: Annotated[str, Meta(min_length=3, max_length=3)] | UnsetType = UNSET
    access: AccessWord | UnsetType = UNSET
    description: Text | UnsetType = UNSET
    delivery: Delivery | UnsetType = UNSET
    lots: Lots | UnsetType = UNSET
    offers: OffersStage | UnsetType | None = UNSET


class Adjustment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A supplier-specific bonus: percent and amount off its price; a malus is negative."""

    percent: Annotated[str, Meta(max_length=12)] = "0"
    amount: Amount | None = None


class NewInvitations(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`adjustments` is keyed by organisation id."""

    organisations: Annotated[list[UUID], Meta(min_length=1, max_length=INVITATIONS_MAX)]
    adjustments: dict[UUID, Adjustment] = {}


class PolicyView(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Above `approval_limit` an approver who is not the author releases a tender; null: never."""

    approval_limit: Amount | None


class StepView(msgspec.Struct, frozen=True):
    """One step of the tender's history."""

    event: str
    source: str
    target: str
    at: datetime
    user_id: UUID | None
    reason: str | None


class History(msgspec.Struct, frozen=True):
    items: list[StepView]
    next_cursor: str | None = None


class AcceptTerms(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    accept_terms: bool


class WithReason(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    reason: Reason


class Party(msgspec.Struct, frozen=True):
    id: UUID
    name: str


class ItemView(msgspec.Struct, frozen=True):
    name: str
    description: str
    quantity: str
    unit: str
    item_id: UUID | None
    classification: Classification | None


class LotView(msgspec.Struct, frozen=True):
    """`alias` is the caller's own pseudonym in the lot's auction, once it takes part."""

    id: UUID
    title: str
    description: str
    items: list[ItemView]
    ceiling: Amount | None
    rules: dict[str, Any]
    auction_id: UUID | None
    starts_at: datetime | None
    alias: str | None = None


class InvitationView(msgspec.Struct, frozen=True):
    organisation: Party
    invited_at: datetime
    accepted_at: datetime | None
    declined_at: datetime | None = None
    decline_reason: str | None = None
    adjustment: Adjustment | None = None


class TenderView(msgspec.Struct, frozen=True):
    """`invitations` is for the buyer only. For a supplier: `accepted_at` says when it accepted the
    terms, `invited_at` and `declined_at` when it was invited and declined.
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
    """A tender in a list. `mine` says the caller's organisation is its buyer."""

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
    items: list[TenderLine]
    next_cursor: str | None


class InvitationPage(msgspec.Struct, frozen=True):
    items: list[InvitationView]


class Participation(msgspec.Struct, frozen=True):
    """`aliases` is keyed by auction id. `excluded` names the auctions that go on without the caller
    all the same, because its organisation was suspended meanwhile.
    """

    tender_id: UUID
    accepted_at: datetime
    aliases: dict[UUID, str]
    excluded: list[UUID] = []
