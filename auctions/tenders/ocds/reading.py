"""An OCDS 1.1 tender as a draft of ours: what we cannot know is left for the buyer to fill in.

What does not fit is rounded or left out, and the lot or item says so in its description.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

import msgspec

from auctions.rules.formats import DEFAULT
from auctions.tenders import rules
from auctions.tenders.schemas import tender as drafts
from marketplace.kernel.decimals import PLACES_MAX, WHOLE_DIGITS_MAX
from marketplace.kernel.errors import Invalid
from marketplace.kernel.money import MINOR_MAX, Amount, exponent_of
from marketplace.kernel.times import is_usable

DEFAULT_UNIT = "C62"
UNIT_SCHEMES = frozenset(["UNCEFACT", "UNECE"])
"""Code lists of units, in capital letters without punctuation, that are ours: UN/ECE
Recommendation 20. OCDS names it UNCEFACT.
"""

PROCESSES_NAMED_MAX = 20
_OLDEST = datetime.min.replace(tzinfo=UTC)


class Foreign(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Base of what others wrote: unknown fields are theirs, any of ours may be missing."""


class Value(Foreign, frozen=True, kw_only=True):
    """An amount.

    amount    a number, as OCDS has it, e.g. `1234.5`
    currency  ISO 4217; null: the one passed along, e.g. `EUR`
    """

    amount: Decimal | None = None
    currency: str | None = None


class Period(Foreign, frozen=True, kw_only=True):
    """A period of time.

    start_date  RFC 3339, e.g. `2026-12-01T10:00:00Z`
    end_date    RFC 3339, e.g. `2026-12-15T10:00:00Z`
    """

    start_date: str | None = None
    end_date: str | None = None


class Classification(Foreign, frozen=True, kw_only=True):
    """A code of a public list.

    id           the code, e.g. `42122000-0`
    description  what the code means, e.g. `Pumps`
    """

    scheme: str | None = None
    id: str | int | None = None
    description: str | None = None


class Unit(Foreign, frozen=True, kw_only=True):
    """A unit of measure.

    scheme  `UNCEFACT` says that `id` is one of ours, e.g. `UNCEFACT`
    id      the code, e.g. `C62`
    name    in words, e.g. `piece`
    """

    scheme: str | None = None
    id: str | None = None
    name: str | None = None


class Item(Foreign, frozen=True, kw_only=True):
    """What is bought.

    description  becomes the name, e.g. `Circulation pump`
    quantity     a number, as OCDS has it, e.g. `400`
    unit         `C62` where it is none of ours
    related_lot  the id of its lot; null: the first one, e.g. `lot-1`
    """

    description: str | None = None
    quantity: Decimal | None = None
    unit: Unit | None = None
    classification: Classification | None = None
    related_lot: str | None = None


class Lot(Foreign, frozen=True, kw_only=True):
    """A part of the tender.

    id              what items name it by, e.g. `lot-1`
    title           as bidders will read it, e.g. `400 pumps`
    description     what it is about, e.g. `For the heating of plant 3`
    value           becomes the ceiling
    auction_period  its begin becomes the start of the auction
    """

    id: str
    title: str | None = None
    description: str | None = None
    value: Value | None = None
    auction_period: Period | None = None


class Tender(Foreign, frozen=True, kw_only=True):
    """The process as the buyer published it.

    title               as bidders will read it, e.g. `Pumps`
    description         what it is about, e.g. `Replacement of all pumps in plant 3`
    value               becomes the ceiling of a single lot
    items               what is bought
    lots                what is awarded; none: all items are one lot
    procurement_method  `open` becomes an open tender, anything else an invited one, e.g. `open`
    tender_period       its end begins the auctions, where no other time is named
    award_period        its start begins the auctions of lots without a period
    """

    title: str | None = None
    description: str | None = None
    value: Value | None = None
    items: list[Item] = []
    lots: list[Lot] = []
    procurement_method: str | None = None
    tender_period: Period | None = None
    award_period: Period | None = None


class Release(Foreign, frozen=True, kw_only=True):
    """What was published of a process at one time.

    ocid    names the process: several releases of one process tell its history, e.g.
            `ocds-213czf-000-00001`
    date    the newest one counts, e.g. `2026-12-01T10:00:00Z`
    tender  releases without one are passed over
    """

    ocid: str | None = None
    date: str | None = None
    tender: Tender | None = None


class Document(Release, frozen=True, kw_only=True):
    """A release package, or a single release.

    releases  of a package; empty: the document is the release
    """

    releases: list[Release] = []


def draft(document: Document, currency: str | None, ocid: str | None = None) -> drafts.NewTender:
    """`currency` is used where the document names none; `ocid` chooses one process of several.
    Raises Invalid.
    """
    tender = _newest(_of_one_process([document, *document.releases], ocid))
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


def _of_one_process(releases: Sequence[Release], ocid: str | None) -> list[Release]:
    """Releases with a tender, of one process. Raises Invalid where that is not clear."""
    found = [release for release in releases if release.tender is not None]
    if ocid is not None:
        found = [release for release in found if release.ocid == ocid]
    if not found:
        raise Invalid.field("releases", "no_tender", "No release in it has a tender.")
    titles = {release.ocid: release.tender.title or "" for release in found if release.tender}
    if len(titles) > 1:
        named = [f"{ocid} ({title})" for ocid, title in titles.items()][:PROCESSES_NAMED_MAX]
        raise Invalid.field(
            "releases",
            "several_processes",
            f"The package holds {len(titles)} processes: {', '.join(named)}.",
            "Import them one at a time: name one with ?ocid=.",
        )
    return found


def _newest(releases: Sequence[Release]) -> Tender:
    """By `date`; of two with one date the later in the file."""
    dated = [(_date(release), place, release) for place, release in enumerate(releases)]
    newest = max(dated, key=lambda row: row[:2])[2].tender
    assert newest is not None, "only releases with a tender get here"
    return newest


def _date(release: Release) -> datetime:
    try:
        read = datetime.fromisoformat(release.date or "")
    except ValueError:
        return _OLDEST
    return read if read.tzinfo else read.replace(tzinfo=UTC)


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
    ceiling, note = _ceiling(lot.value, currency)
    return drafts.NewLot(
        title=_cut(title, rules.TITLE_CHARS_MAX),
        description=_with_notes(lot.description or "", note),
        items=[_item(item) for item in chosen],
        ceiling=ceiling,
        rules=_rules(tender, lot),
    )


def _item(item: Item) -> drafts.NewItem:
    unit, unit_note = _unit(item.unit)
    quantity, quantity_note = _quantity(item.quantity)
    return drafts.NewItem(
        name=_cut(item.description or "Item", rules.TITLE_CHARS_MAX),
        description=_with_notes("", unit_note, quantity_note),
        quantity=quantity,
        unit=unit,
        classification=_classification(item.classification),
    )


def _unit(given: Unit | None) -> tuple[str, str]:
    """Our code, or the default one and the unit in the document's own words. The shape of a code
    says nothing: `19` is a kilometre in one national list and something else in another.
    """
    if given is None or not (given.id or given.name):
        return DEFAULT_UNIT, ""
    code, scheme = given.id or "", given.scheme
    ours = scheme is None or "".join(filter(str.isalnum, scheme.upper())) in UNIT_SCHEMES
    if code and ours and not list(rules.item_errors("", "1", code)):
        return code, ""
    return DEFAULT_UNIT, f"Unit: {given.name or code}"


def _quantity(given: Decimal | None) -> tuple[str, str]:
    """Above zero, with the decimals that a tender takes; 1 where the document gives none."""
    if given is None or not given.is_finite() or given <= 0:
        return "1", ""
    if given >= 10**WHOLE_DIGITS_MAX:
        return "1", f"Imported quantity {given} is too large."
    rounded = given.quantize(Decimal(1).scaleb(-PLACES_MAX), ROUND_HALF_EVEN)
    if rounded == 0:
        return "1", f"Imported quantity {given} is too small."
    note = "" if rounded == given else f"Imported quantity {given} is rounded."
    return format(rounded.normalize(), "f"), note


def _classification(given: Classification | None) -> drafts.Classification | None:
    if given is None or not given.scheme or given.id is None:
        return None
    title = _cut(given.description or "", rules.TITLE_CHARS_MAX)
    return drafts.Classification(_cut(given.scheme, 32), _cut(str(given.id), 64), title=title)


def without_code(item: drafts.NewItem, code: drafts.Classification) -> drafts.NewItem:
    """The item with the classification in words only."""
    note = f"Classification: {code.scheme} {code.code} {code.title}".rstrip()
    description = _with_notes(item.description, note)
    return msgspec.structs.replace(item, classification=None, description=description)


def _ceiling(value: Value | None, currency: str) -> tuple[Amount | None, str]:
    if value is None or value.amount is None or not value.amount.is_finite() or value.amount <= 0:
        return None, ""
    given = f"{value.amount} {value.currency or currency}"
    if value.currency not in (None, currency):
        return None, f"Imported value {given} is in another currency."
    places = exponent_of(currency)
    if value.amount > Decimal(MINOR_MAX).scaleb(-places):
        return None, f"Imported value {given} is too large for a ceiling."
    rounded = value.amount.quantize(Decimal(1).scaleb(-places), ROUND_HALF_EVEN)
    if rounded == 0:
        return None, f"Imported value {given} is too small for a ceiling."
    note = "" if rounded == value.amount else f"Imported value {given} is rounded."
    return Amount(format(rounded, "f"), currency), note


def _rules(tender: Tender, lot: Lot) -> dict[str, Any]:
    """English bidding from the first time the document tells; the buyer decides on the rest."""
    periods = (lot.auction_period, tender.award_period)
    starts = [period.start_date for period in periods if period and period.start_date]
    if not starts and tender.tender_period and tender.tender_period.end_date:
        starts = [tender.tender_period.end_date]
    found: dict[str, Any] = {"format": DEFAULT.name, "duration_s": 1_200}
    return found | ({"starts_at": starts[0]} if starts and is_usable(starts[0]) else {})


def _cut(text: str, chars_max: int) -> str:
    return text[:chars_max]


def _with_notes(text: str, *notes: str) -> str:
    """The notes stand behind the text and are never cut off."""
    added = "\n".join(note for note in notes if note)
    if not added:
        return _cut(text, rules.TEXT_CHARS_MAX)
    kept = _cut(text, rules.TEXT_CHARS_MAX - len(added) - 1)
    return f"{kept}\n{added}" if kept else added
