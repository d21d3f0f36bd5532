"""A tender with its bids and awards as an OCDS release package. Pure: rows in, shapes out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

import msgspec

from auctions.rules.core.outcomes import AnyEvent, BidPlaced, BidWithdrawn
from auctions.tenders import models as rows
from auctions.tenders.ocds import shapes
from auctions.tenders.rules import Access, AwardState, OfferState, TenderState
from marketplace.documents.models import Document
from marketplace.kernel.clock import from_micros
from marketplace.kernel.money import exponent_of

OCID_PREFIX = "ocds-unregistered"
"""A publisher registers a prefix of its own with the Open Contracting Partnership."""

_STATUS = {
    TenderState.DRAFT: "planning",
    TenderState.AWAITING_APPROVAL: "planned",
    TenderState.CANCELLED: "cancelled",
    TenderState.UNSUCCESSFUL: "unsuccessful",
    TenderState.AWARDED: "complete",
}
_AWARD_STATUS = {
    AwardState.ACCEPTED: "active",
    AwardState.DECLINED: "unsuccessful",
    AwardState.REFUSED: "cancelled",
    AwardState.WITHDRAWN: "cancelled",
}
_OFFER_STATUS = {
    OfferState.OPENED: "pending",
    OfferState.ACCEPTED: "valid",
    OfferState.REJECTED: "disqualified",
}


class Placed(msgspec.Struct, frozen=True):
    """What happened in an auction at one place of its log; `number` counts the events of a place,
    for automatic bids answer within it.
    """

    auction_id: UUID
    lot_id: UUID
    seq: int
    number: int
    ts: int
    event: AnyEvent

    @property
    def bid_id(self) -> str:
        last = f".{self.number}" if self.number else ""
        return f"{self.auction_id}-{self.seq}{last}"


class Dossier(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a release tells of; `names` by organisation, `bidders` by auction and alias."""

    origin: str
    tender: rows.Tender
    lots: Sequence[rows.Lot]
    items: Mapping[UUID, Sequence[rows.LotItem]]
    auctions: Mapping[UUID, rows.Auction]
    documents: Sequence[Document]
    addenda: Sequence[rows.TenderAddendum]
    questions_count: int
    participants: Sequence[UUID]
    offers: Sequence[rows.Offer]
    awards: Sequence[rows.Award]
    history: Sequence[Placed]
    bidders: Mapping[tuple[UUID, str], UUID]
    names: Mapping[UUID, str]


def package(dossier: Dossier, now: datetime) -> shapes.Package:
    tender = dossier.tender
    uri = f"{dossier.origin}/api/v1/ocds/releases/{tender.id}"
    return shapes.Package(
        uri=uri,
        version=shapes.VERSION,
        extensions=shapes.EXTENSIONS,
        published_date=now,
        publisher=shapes.Publisher(name=dossier.names[tender.buyer_id], uri=dossier.origin),
        releases=[_release(dossier)],
    )


def _release(dossier: Dossier) -> shapes.Release:
    tender = dossier.tender
    ocid = f"{OCID_PREFIX}-{tender.id}"
    changed = [tender.updated_at, *(row.decided_at or row.created_at for row in dossier.awards)]
    changed += [row.ended_at for row in dossier.auctions.values() if row.ended_at]
    date = max(changed)
    bids = _bids(dossier)
    return shapes.Release(
        ocid=ocid,
        id=f"{ocid}-{date:%Y%m%dT%H%M%S%f}",
        date=date,
        tag=_tags(dossier),
        initiation_type="tender",
        parties=_parties(dossier),
        buyer=_reference(dossier, tender.buyer_id),
        tender=_tender(dossier),
        bids=bids if bids.details else None,
        awards=[_award(dossier, row) for row in dossier.awards],
        language="en",
    )


def _tags(dossier: Dossier) -> list[str]:
    state = dossier.tender.state
    if state in (TenderState.DRAFT, TenderState.AWAITING_APPROVAL):
        return ["planning"]
    if state == TenderState.CANCELLED:
        return ["tenderCancellation"]
    return ["tender", "award"] if dossier.awards else ["tender"]


def _parties(dossier: Dossier) -> list[shapes.Organisation]:
    roles: dict[UUID, list[str]] = {dossier.tender.buyer_id: ["buyer", "procuringEntity"]}
    for organisation_id in dossier.participants:
        roles.setdefault(organisation_id, []).append("tenderer")
    for award in dossier.awards:
        held = roles.setdefault(award.organisation_id, [])
        if award.state == AwardState.ACCEPTED and "supplier" not in held:
            held.append("supplier")
    return [
        shapes.Organisation(id=str(key), name=dossier.names[key], roles=held)
        for key, held in roles.items()
    ]


def _reference(dossier: Dossier, organisation_id: UUID) -> shapes.Reference:
    return shapes.Reference(id=str(organisation_id), name=dossier.names[organisation_id])


def _value(minor: int | None, currency: str) -> shapes.Value | None:
    if minor is None:
        return None
    return shapes.Value(amount=Decimal(minor).scaleb(-exponent_of(currency)), currency=currency)


def _tender(dossier: Dossier) -> shapes.Tender:
    tender = dossier.tender
    ceilings = [lot.ceiling_minor for lot in dossier.lots]
    known = [minor for minor in ceilings if minor is not None]
    total = sum(known) if known and len(known) == len(ceilings) else None
    kinds = {lot.rules.get("scoring", {}).get("kind", "price") for lot in dossier.lots}
    return shapes.Tender(
        id=str(tender.id),
        title=tender.title,
        description=tender.description or None,
        status=_STATUS.get(TenderState(tender.state), "active"),
        procuring_entity=_reference(dossier, tender.buyer_id),
        items=[item for lot in dossier.lots for item in _items(dossier, lot.id)],
        lots=[_lot(dossier, lot) for lot in dossier.lots],
        value=_value(total, tender.currency),
        procurement_method="open" if tender.access == Access.OPEN else "selective",
        submission_method=_methods(dossier),
        award_criteria="priceOnly" if kinds == {"price"} else "ratedCriteria",
        tender_period=_tender_period(dossier),
        has_enquiries=dossier.questions_count > 0,
        number_of_tenderers=len(dossier.participants),
        tenderers=[_reference(dossier, key) for key in dossier.participants],
        documents=[_document(dossier, row) for row in dossier.documents if not row.internal],
        amendments=[
            shapes.Amendment(id=str(row.number), date=row.created_at, description=row.text)
            for row in dossier.addenda
        ],
    )


def _methods(dossier: Dossier) -> list[str]:
    found = ["electronicSubmission"] if dossier.tender.offers_due_at else []
    return [*found, "electronicAuction"] if dossier.auctions or not found else found


def _tender_period(dossier: Dossier) -> shapes.Period | None:
    tender = dossier.tender
    if tender.published_at is None:
        return None
    starts = [auction.starts_at for auction in dossier.auctions.values()]
    end = tender.offers_due_at or min(starts, default=None)
    return shapes.Period(start_date=tender.published_at, end_date=end)


def _lot(dossier: Dossier, lot: rows.Lot) -> shapes.Lot:
    auction = dossier.auctions.get(lot.id)
    accepted = any(
        award.lot_id == lot.id and award.state == AwardState.ACCEPTED for award in dossier.awards
    )
    status = _STATUS.get(TenderState(dossier.tender.state), "active")
    return shapes.Lot(
        id=str(lot.id),
        title=lot.title,
        description=lot.description or None,
        status="complete" if accepted else "unsuccessful" if status == "complete" else status,
        value=_value(lot.ceiling_minor, dossier.tender.currency),
        auction_period=shapes.Period(start_date=auction.starts_at, end_date=auction.ended_at)
        if auction
        else None,
    )


def _items(dossier: Dossier, lot_id: UUID) -> list[shapes.Item]:
    return [
        shapes.Item(
            id=f"{lot_id}-{row.position}",
            description=row.name,
            quantity=row.quantity,
            unit=shapes.Unit(scheme="UNCEFACT", id=row.unit),
            classification=_classification(row),
            related_lot=str(lot_id),
        )
        for row in dossier.items.get(lot_id, ())
    ]


def _classification(row: rows.LotItem) -> shapes.Classification | None:
    if row.classification is None:
        return None
    return shapes.Classification(
        scheme=row.classification["scheme"],
        id=row.classification["code"],
        description=row.classification.get("title") or None,
    )


def _document(dossier: Dossier, row: Document) -> shapes.Document:
    return shapes.Document(
        id=str(row.id),
        title=f"{row.name} ({row.version})",
        url=f"{dossier.origin}/api/v1/tenders/{row.subject_id}/documents/{row.id}",
        date_published=row.created_at,
        format=row.media_type,
    )


def _bids(dossier: Dossier) -> shapes.Bids:
    details = [_offer(dossier, row) for row in dossier.offers if row.opened_at] + _placed(dossier)
    return shapes.Bids(statistics=_statistics(details), details=details)


def _offer(dossier: Dossier, row: rows.Offer) -> shapes.Bid:
    return shapes.Bid(
        id=f"offer-{row.id}",
        date=row.submitted_at,
        status=_OFFER_STATUS.get(OfferState(row.state), "withdrawn"),
        tenderers=[_reference(dossier, row.organisation_id)],
        value=_value(row.price_minor, dossier.tender.currency),
        related_lots=[str(row.lot_id)],
    )


def _placed(dossier: Dossier) -> list[shapes.Bid]:
    """Every bid that stood at some time, in the order of the log; struck out ones as withdrawn."""
    gone = {
        (row.auction_id, row.event.bid_seq, row.event.bidder)
        for row in dossier.history
        if isinstance(row.event, BidWithdrawn)
    }
    return [
        shapes.Bid(
            id=row.bid_id,
            date=from_micros(row.ts),
            status="withdrawn" if (row.auction_id, row.seq, row.event.bidder) in gone else "valid",
            tenderers=[_reference(dossier, dossier.bidders[row.auction_id, row.event.bidder])],
            value=_value(row.event.price, dossier.tender.currency),
            related_lots=[str(row.lot_id)],
        )
        for row in dossier.history
        if isinstance(row.event, BidPlaced)
    ]


def _statistics(details: Sequence[shapes.Bid]) -> list[shapes.Statistic]:
    """By lot, as in the codelist of the bids extension."""
    found: list[shapes.Statistic] = []
    for lot_id in dict.fromkeys(lot for bid in details for lot in bid.related_lots):
        of_lot = [bid for bid in details if lot_id in bid.related_lots]
        values = [bid.value for bid in of_lot if bid.status == "valid" and bid.value]
        counts = {"bids": len(of_lot), "validBids": len(values)}
        counts["bidders"] = len({bid.tenderers[0].id for bid in of_lot})
        found += [
            shapes.Statistic(
                id=f"{lot_id}-{name}", measure=name, value=Decimal(count), related_lot=lot_id
            )
            for name, count in counts.items()
        ]
        for name, choose in (("lowestValidBidValue", min), ("highestValidBidValue", max)):
            if values:
                best = choose(values, key=lambda value: value.amount)
                found.append(
                    shapes.Statistic(
                        id=f"{lot_id}-{name}",
                        measure=name,
                        value=best.amount,
                        currency=best.currency,
                        related_lot=lot_id,
                    )
                )
    return found


def _award(dossier: Dossier, row: rows.Award) -> shapes.Award:
    value = _value(row.value_minor, dossier.tender.currency)
    assert value is not None, "an award has a value"
    titles = {lot.id: lot.title for lot in dossier.lots}
    share = row.share_percent / 100
    items = [
        msgspec.structs.replace(item, quantity=item.quantity * share)
        for item in _items(dossier, row.lot_id)
    ]
    return shapes.Award(
        id=str(row.id),
        title=titles[row.lot_id],
        status=_AWARD_STATUS.get(AwardState(row.state), "pending"),
        date=row.decided_at or row.created_at,
        value=value,
        suppliers=[_reference(dossier, row.organisation_id)],
        related_lots=[str(row.lot_id)],
        items=items,
        related_bid=_related_bid(dossier, row),
    )


def _related_bid(dossier: Dossier, award: rows.Award) -> str | None:
    """The last bid of the awarded supplier in the lot's auction, else its offer."""
    for row in reversed(dossier.history):
        event = row.event
        if row.lot_id != award.lot_id or not isinstance(event, BidPlaced):
            continue
        mine = dossier.bidders[row.auction_id, event.bidder] == award.organisation_id
        if mine and event.price == award.price_minor:
            return row.bid_id
    for offer in dossier.offers:
        if (offer.lot_id, offer.organisation_id) == (award.lot_id, award.organisation_id):
            return f"offer-{offer.id}"
    return None
