"""An OCDS 1.1 tender as a draft of ours: what we cannot know is left for the buyer to fill in."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import msgspec

from auctions.tenders import rules
from auctions.tenders.schemas import tender as drafts
from marketplace.kernel.errors import Invalid
from marketplace.kernel.money import Amount

DEFAULT_UNIT = "C62"
_UNIT = re.compile(r"[A-Z0-9]{1,3}", re.ASCII)


class Foreign(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Base of what others wrote: unknown fields are theirs, any of ours may be missing."""


class Value(Foreign, frozen=True, kw_only=True):
    amount: Decimal | None = None
    currency: str | None = None


class Period(Foreign, frozen=True, kw_only=True):
    start_date: str | None = None
    end_date: str | None = None


class Classification(Foreign, frozen=True, kw_only=True):
    scheme: str | None = None
    id: str | int | None = None
    description: str | None = None


class Unit(Foreign, frozen=True, kw_only=True):
    id: str | None = None
    name: str | None = None


class Item(Foreign, frozen=True, kw_only=True):
    description: str | None = None
    quantity: Decimal | None = None
    unit: Unit | None = None
    classification: Classification | None = None
    related_lot: str | None = None


class Lot(Foreign, frozen=True, kw_only=True):
    id: str
    title: str | None = None
    description: str | None = None
    value: Value | None = None
    auction_period: Period | None = None


class Tender(Foreign, frozen=True, kw_only=True):
    title: str | None = None
    description: str | None = None
    value: Value | None = None
    items: list[Item] = []
    lots: list[Lot] = []
    procurement_method: str | None = None
    tender_period: Period | None = None
    award_period: Period | None = None


class Release(Foreign, frozen=True, kw_only=True):
    tender: Tender | None = None


class Document(Foreign, frozen=True, kw_only=True):
    """A release package, or a single release."""

    releases: list[Release] = []
    tender: Tender | None = None


def draft(document: Document, currency: str | None) -> drafts.NewTender:
    """`currency` is used where the document names none. Raises Invalid."""
    found = [release.tender for release in document.releases if release.tender is not None]
    tender = document.tender or (found[-1] if found else None)
    if tender is None:
        raise Invalid.field("releases", "no_tender", "No release in it has a tender.")
    currency = _currency(tender) or currency
    if currency is None:
        message = "The document names no currency: pass it along."
        raise Invalid.field("currency", "required", message)
    return drafts.NewTender(
        title=_cut(tender.title or "Imported tender", rules.TITLE_CHARS_MAX),
        description=_cut(tender.description or "", rules.TEXT_CHARS_MAX),
        currency=currency,
        access="open" if tender.procurement_method == "open" else "invited",
        lots=_lots(tender, currency),
    )


def _currency(tender: Tender) -> str | None:
    values = [tender.value, *(lot.value for lot in tender.lots)]
    return next((value.currency for value in values if value and value.currency), None)


def _lots(tender: Tender, currency: str) -> list[drafts.NewLot]:
    lots = tender.lots or [
        Lot(id="", title=tender.title, description=tender.description, value=tender.value)
    ]
    known = {lot.id for lot in lots}
    # What belongs to no lot we know is asked for with the first one.
    homeless = [item for item in tender.items if item.related_lot not in known]
    made = []
    for index, lot in enumerate(lots[: rules.LOTS_MAX]):
        own = [item for item in tender.items if item.related_lot == lot.id]
        items = own if index or not homeless else homeless + own
        made.append(_lot(tender, lot, items, currency))
    return made


def _lot(tender: Tender, lot: Lot, items: Sequence[Item], currency: str) -> drafts.NewLot:
    title = lot.title or tender.title or "Lot"
    chosen = list(items[: rules.ITEMS_MAX]) or [Item(description=title)]
    return drafts.NewLot(
        title=_cut(title, rules.TITLE_CHARS_MAX),
        description=_cut(lot.description or "", rules.TEXT_CHARS_MAX),
        items=[_item(item) for item in chosen],
        ceiling=_ceiling(lot.value, currency),
        rules=_rules(tender, lot),
    )


def _item(item: Item) -> drafts.NewItem:
    unit = item.unit.id if item.unit and item.unit.id else DEFAULT_UNIT
    known = _UNIT.fullmatch(unit) is not None
    words = "" if known or item.unit is None else f"Unit: {item.unit.name or item.unit.id}"
    quantity = item.quantity if item.quantity and item.quantity > 0 else Decimal(1)
    return drafts.NewItem(
        name=_cut(item.description or "Item", rules.TITLE_CHARS_MAX),
        description=words,
        quantity=format(quantity.normalize(), "f"),
        unit=unit if known else DEFAULT_UNIT,
        classification=_classification(item.classification),
    )


def _classification(given: Classification | None) -> drafts.Classification | None:
    if given is None or not given.scheme or given.id is None:
        return None
    title = _cut(given.description or "", rules.TITLE_CHARS_MAX)
    return drafts.Classification(_cut(given.scheme, 32), _cut(str(given.id), 64), title=title)


def _ceiling(value: Value | None, currency: str) -> Amount | None:
    if value is None or value.amount is None or value.amount <= 0:
        return None
    if value.currency not in (None, currency):
        return None
    return Amount(format(value.amount, "f"), currency)


def _rules(tender: Tender, lot: Lot) -> dict[str, Any]:
    """English bidding from the first time the document tells; the buyer decides on the rest."""
    periods = (lot.auction_period, tender.award_period)
    starts = [period.start_date for period in periods if period and period.start_date]
    if not starts and tender.tender_period and tender.tender_period.end_date:
        starts = [tender.tender_period.end_date]
    found: dict[str, Any] = {"format": "english", "duration_s": 1_200}
    return found | ({"starts_at": starts[0]} if starts else {})


def _cut(text: str, chars_max: int) -> str:
    return text[:chars_max]
