"""A sealed offer: checked in memory, encrypted, and never seen again before the opening."""

from __future__ import annotations

import hashlib
from datetime import datetime
from fractions import Fraction
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from auctions.rules.core.guard import BadPrice, read_lines
from auctions.rules.core.scoring import Scale, WrongAnswer, evaluate, scale_of
from auctions.tenders import queries, vault
from auctions.tenders.life import OFFER
from auctions.tenders.models import Lot, Offer, Tender
from auctions.tenders.rules import OfferState, TenderState
from auctions.tenders.schemas.offers import NewOffer, OfferPage, OfferReceipt, OfferView
from auctions.tenders.schemas.tender import Party
from auctions.tenders.service.lot_terms import lot_terms
from auctions.tenders.service.views import money, parties, visible_tender
from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from marketplace.kernel.ids import new_id
from marketplace.kernel.money import NotAnAmount, exponent_of, parse_minor, round_half_even
from marketplace.kernel.workflow import move, mover

PPM = 1_000_000


async def submit(
    session: AsyncSession, actor: Actor, lot_id: UUID, new: NewOffer, now: datetime
) -> OfferReceipt:
    """Hand in an offer; it replaces the own former one. The content leaves this function encrypted
    or not at all. Raises NotFound, Forbidden, Conflict, Invalid.
    """
    lot, tender = await _open_for_offers(session, actor, lot_id, now)
    _check(tender, lot, new)
    key = await queries.tender_key(session, tender.id)
    assert key is not None, "a published tender with sealed offers has a key"
    offer = await queries.offer_of(session, lot_id, actor.organisation_id)
    if offer is None:
        offer = _blank(tender, lot, actor, now)
        session.add(offer)
    else:
        by = mover(actor, now, supplier=offer.organisation_id)
        await move(session, OFFER, offer, "replace", by, parties=[offer.organisation_id])
        offer.revision += 1
        offer.submitted_at, offer.author_id = now, actor.user_id
    context = vault.offer_context(lot_id, actor.organisation_id, offer.revision)
    offer.sealed = vault.seal_offer(key.public_key, msgspec.json.encode(new), context)
    await session.flush()
    return _receipt(offer)


async def withdraw_offer(
    session: AsyncSession, actor: Actor, lot_id: UUID, now: datetime
) -> OfferReceipt:
    """Take the own offer back before the last minute. Raises NotFound, Forbidden, Conflict."""
    await _open_for_offers(session, actor, lot_id, now)
    offer = await queries.offer_of(session, lot_id, actor.organisation_id)
    if offer is None:
        raise NotFound("offer")
    by = mover(actor, now, supplier=offer.organisation_id)
    await move(session, OFFER, offer, "withdraw", by, parties=[offer.organisation_id])
    receipt = _receipt(offer)
    offer.sealed = None
    await session.flush()
    return receipt


async def _open_for_offers(
    session: AsyncSession, actor: Actor, lot_id: UUID, now: datetime
) -> tuple[Lot, Tender]:
    lot = await queries.lot(session, lot_id)
    if lot is None:
        raise NotFound("lot")
    tender = await visible_tender(session, actor, lot.tender_id)
    await require_offers_open(session, actor, tender, now)
    return lot, tender


async def require_offers_open(
    session: AsyncSession, actor: Actor, tender: Tender, now: datetime
) -> None:
    """Whether the caller may hand in or take back an offer now. Raises Forbidden, Conflict."""
    if tender.buyer_id == actor.organisation_id:
        raise Forbidden("own_tender", "A buyer makes no offers in its own tender.")
    actor.require_capability("supplies")
    actor.require_role("partner_manager")
    if tender.offers_due_at is None:
        raise Conflict("no_offers_stage", "This tender asks for no sealed offers.")
    if tender.state != TenderState.PUBLISHED or now >= tender.offers_due_at:
        detail = f"Offers were due at {tender.offers_due_at.isoformat()}."
        raise Conflict("offers_closed", detail)
    if await queries.participation(session, tender.id, actor.organisation_id) is None:
        raise Conflict("terms_not_accepted", "Accept the terms of the tender first.")


def _blank(tender: Tender, lot: Lot, actor: Actor, now: datetime) -> Offer:
    return Offer(
        id=new_id(),
        lot_id=lot.id,
        tender_id=tender.id,
        buyer_id=tender.buyer_id,
        organisation_id=actor.organisation_id,
        author_id=actor.user_id,
        revision=1,
        state=OfferState.SEALED,
        submitted_at=now,
    )


def _check(tender: Tender, lot: Lot, new: NewOffer) -> None:
    """Raises Invalid: a mistake must be told now, when nobody else can see the offer."""
    if new.price.currency != tender.currency:
        message = f"This tender is priced in {tender.currency}."
        raise Invalid.field("price.currency", "other_currency", message)
    try:
        minor = parse_minor(new.price.amount, exponent_of(tender.currency))
    except NotAnAmount as error:
        raise Invalid.field("price.amount", error.code, error.detail) from error
    if minor <= 0:
        raise Invalid.field("price.amount", "out_of_range", "A price is above zero.")
    if lot.ceiling_minor is not None and minor > lot.ceiling_minor:
        raise Invalid.field("price.amount", "above_ceiling", "The lot has a lower ceiling.")
    scale(tender, lot, new.attributes)
    try:
        read_lines(lot_terms(tender, lot, lot.id, None), new.lines, minor)
    except BadPrice as error:
        raise Invalid.field("lines", error.code, error.detail) from error


def scale(
    tender: Tender,
    lot: Lot,
    attributes: dict[str, str],
    *,
    bonus_percent: str = "0",
    bonus_minor: int = 0,
    rating: str | None = None,
) -> Scale:
    """How this lot weighs an offer with these answers. Raises Invalid."""
    keep_ppm = PPM - parse_minor(bonus_percent, 4)
    try:
        return scale_of(
            lot_terms(tender, lot, lot.id, None),
            attributes,
            keep_ppm=keep_ppm,
            bonus_minor=bonus_minor,
            rating=rating,
        )
    except WrongAnswer as error:
        field = f"attributes.{error.about}" if error.about else "attributes"
        raise Invalid.field(field, "wrong_answer", str(error)) from error


def _receipt(offer: Offer) -> OfferReceipt:
    assert offer.sealed is not None, "a receipt is of sealed bytes"
    return OfferReceipt(
        offer.id,
        offer.lot_id,
        offer.state,
        offer.revision,
        offer.submitted_at,
        receipt_hash(offer.sealed),
    )


def receipt_hash(sealed: bytes) -> str:
    return hashlib.sha256(sealed).hexdigest()


async def list_offers(session: AsyncSession, actor: Actor, tender_id: UUID) -> OfferPage:
    """The buyer: every opened offer, best price first. A supplier: its own. Raises NotFound."""
    tender = await visible_tender(session, actor, tender_id)
    lots = {lot.id: lot for lot in await queries.lots(session, tender_id)}
    rows = await queries.offers(session, tender_id)
    names = await parties(session, [row.organisation_id for row in rows])
    return OfferPage(
        [_view(tender, lots[row.lot_id], row, names[row.organisation_id]) for row in rows]
    )


def _view(tender: Tender, lot: Lot, row: Offer, organisation: Party) -> OfferView:
    content = row.content or {}
    weight = evaluated = None
    if row.content is not None and row.price_minor is not None:
        weight = scale(tender, lot, content["attributes"])
        evaluated = round_half_even(Fraction(evaluate(weight, row.price_minor)))
    return OfferView(
        id=row.id,
        lot_id=row.lot_id,
        organisation=organisation,
        state=row.state,
        revision=row.revision,
        submitted_at=row.submitted_at,
        opened_at=row.opened_at,
        price=money(row.price_minor, tender.currency),
        attributes=content.get("attributes"),
        note=content.get("note"),
        evaluated=money(evaluated, tender.currency),
        coefficient=str(weight.coefficient) if weight else None,
        reason=row.reason,
        lines=content.get("lines") or None,
    )
