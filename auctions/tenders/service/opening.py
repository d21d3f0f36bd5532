"""Opening sealed offers, deciding which of them qualify, and starting the auctions with those."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from sqlalchemy.ext.asyncio import AsyncSession

from auctions.tenders import queries, rules, vault
from auctions.tenders.life import BUYER, OFFER, OPENERS, TENDER
from auctions.tenders.models import Offer, Tender, TenderKeyShare
from auctions.tenders.rules import OfferState, TenderState
from auctions.tenders.schemas.offers import NewOffer, Opening
from auctions.tenders.sending import Desk
from auctions.tenders.service.joining import give_alias
from auctions.tenders.service.publishing import create_auction
from auctions.tenders.service.views import own_tender
from marketplace.accounts.service.separation import Pairing, pairing
from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import Conflict, FieldError, Forbidden, Invalid, NotFound
from marketplace.kernel.money import exponent_of, parse_minor
from marketplace.kernel.scope import as_house
from marketplace.kernel.sealing import NotSealedHere
from marketplace.kernel.workflow import Mover, house, move, mover
from ratings.service.gates import standings


async def open_offers(
    session: AsyncSession, actor: Actor, tender_id: UUID, secret: str, now: datetime
) -> Opening:
    """Release one share of the key; when none is missing, every offer is opened at once. Two shares
    take two people who are independent of each other. Raises NotFound, Forbidden, Conflict.
    """
    tender = await own_tender(session, actor, tender_id, lock=True)
    by = mover(actor, now, buyer=tender.buyer_id)
    TENDER.choose(tender, "open", by)
    # Shares and sealed offers belong to the house; the caller's right was settled above.
    async with as_house(session):
        shares = await queries.key_shares(session, tender_id, lock=True)
        await require_other_person(session, tender, shares, actor)
        _release_one(shares, actor, now)
        released = sum(share.released_by is not None for share in shares)
        count = None
        if released == len(shares):
            await move(session, TENDER, tender, "open", by, parties=[tender.buyer_id])
            tender.opened_at = tender.updated_at = now
            private = vault.private_key(secret, tender_id, [share.sealed for share in shares])
            count = await _open_all(session, tender, private, now)
    return Opening(tender.state, released, len(shares), count)


async def require_other_person(
    session: AsyncSession, tender: Tender, shares: Sequence[TenderKeyShare], actor: Actor
) -> None:
    """That the caller may release one of `shares`: where there are two, beside an equal. Raises
    Conflict (`already_released`), Forbidden (`role_too_new`, `not_independent`).
    """
    others = {share.released_by for share in shares if share.released_by is not None}
    if actor.user_id in others:
        raise Conflict("already_released", "A second person must release the other share.")
    if len(shares) > 1:
        objection = (await openers(session, tender)).objection(actor.user_id, others)
        if objection is not None:
            raise Forbidden(objection.code, objection.detail)


async def openers(session: AsyncSession, tender: Tender) -> Pairing:
    """Who may open the sealed offers together."""
    assert tender.offers_due_at is not None, "only sealed offers have shares"
    roles = [role.removeprefix(BUYER) for role in OPENERS]
    return await pairing(session, tender.buyer_id, roles, tender.offers_due_at)


def _release_one(shares: Sequence[TenderKeyShare], actor: Actor, now: datetime) -> None:
    waiting = [share for share in shares if share.released_by is None]
    waiting[0].released_by, waiting[0].released_at = actor.user_id, now


async def _open_all(
    session: AsyncSession, tender: Tender, private: X25519PrivateKey, now: datetime
) -> int:
    offers = await queries.sealed_offers(session, tender.id)
    for offer in offers:
        parties = [tender.buyer_id, offer.organisation_id]
        offer.opened_at = now
        # One damaged row must not keep all the others closed.
        event = "open" if _read(offer, tender, private) else "discard"
        await move(session, OFFER, offer, event, house(now, offer.reason), parties=parties)
    return len(offers)


def _read(offer: Offer, tender: Tender, private: X25519PrivateKey) -> bool:
    assert offer.sealed is not None, "a sealed offer has its bytes"
    context = vault.offer_context(offer.lot_id, offer.organisation_id, offer.revision)
    try:
        plain = vault.open_offer(private, offer.sealed, context)
    except NotSealedHere:
        offer.reason = "The sealed offer was damaged and cannot be read."
        return False
    content = msgspec.json.decode(plain, type=NewOffer)
    offer.content = msgspec.to_builtins(content)
    offer.price_minor = parse_minor(content.price.amount, exponent_of(tender.currency))
    return True


async def qualify(
    session: AsyncSession,
    actor: Actor,
    offer_id: UUID,
    event: str,
    reason: str | None,
    now: datetime,
) -> UUID:
    """`accept` or `reject` (with a reason) an opened offer; its tender's id. Raises NotFound,
    Forbidden, Conflict.
    """
    offer = await _own_offer(session, actor, offer_id, lock=True)
    tender = await own_tender(session, actor, offer.tender_id, lock=True)
    by = mover(actor, now, reason, buyer=tender.buyer_id)
    require_qualifiable(tender, offer, event, by)
    await move(session, OFFER, offer, event, by, parties=[tender.buyer_id, offer.organisation_id])
    offer.reason = reason
    await session.flush()
    return tender.id


async def tender_of_offer(session: AsyncSession, actor: Actor, offer_id: UUID) -> UUID:
    """The own tender that an opened offer was made for. Raises NotFound."""
    return (await _own_offer(session, actor, offer_id)).tender_id


async def _own_offer(
    session: AsyncSession, actor: Actor, offer_id: UUID, *, lock: bool = False
) -> Offer:
    offer = await queries.offer(session, offer_id, lock=lock)
    if offer is None or offer.buyer_id != actor.organisation_id:
        raise NotFound("offer")
    return offer


def require_qualifiable(tender: Tender, offer: Offer, event: str, by: Mover) -> None:
    """Whether `event` may happen to this offer now. Raises Forbidden, Conflict."""
    OFFER.choose(offer, event, by)
    rules.require_state(tender.state, TenderState.OPENED, doing="qualified")
    if event == "accept" and offer.content is None:
        raise Conflict("offer_damaged", "This offer could not be read.")


async def start_auctions(
    session: AsyncSession,
    actor: Actor,
    tender_id: UUID,
    starts_at: datetime | None,
    desk: Desk,
    now: datetime,
) -> None:
    """An auction for every lot with a qualified offer; the qualified take part and their offers
    become their first bids. Raises NotFound, Forbidden, Conflict, Invalid.
    """
    tender = await own_tender(session, actor, tender_id, lock=True)
    by = mover(actor, now, buyer=tender.buyer_id)
    TENDER.choose(tender, "start", by)
    accepted = await require_all_decided(session, tender_id)
    if starts_at is not None and starts_at < now:
        raise Invalid.field("starts_at", "in_the_past", "The start lies in the past.")
    known = await standings(
        session,
        tender.buyer_id,
        [offer.organisation_id for row in accepted.values() for offer in row],
        now,
    )
    errors: list[FieldError] = []
    for index, lot in enumerate(await queries.lots(session, tender_id)):
        if lot.id not in accepted:
            continue
        try:
            auction = await create_auction(session, tender, lot, desk.books, now, starts_at)
        except Invalid as error:
            errors += [rules.below(f"lots[{index}].rules", field) for field in error.errors]
            continue
        if auction.starts_at < now:
            message = "This start has passed: give starts_at."
            errors.append(FieldError("starts_at", "in_the_past", message))
        for offer in accepted[lot.id]:
            score = known[offer.organisation_id].score
            await give_alias(session, auction, offer.organisation_id, score, now)
    rules.raise_if(errors)
    await move(session, TENDER, tender, "start", by, parties=[tender.buyer_id])
    tender.updated_at = now
    await session.flush()
    desk.admit_later(session, tender_id)


async def skip_auctions(
    session: AsyncSession, actor: Actor, tender_id: UUID, now: datetime
) -> None:
    """Award on the qualified offers alone. Raises NotFound, Forbidden, Conflict."""
    tender = await own_tender(session, actor, tender_id, lock=True)
    by = mover(actor, now, buyer=tender.buyer_id)
    TENDER.choose(tender, "skip_auction", by)
    await require_all_decided(session, tender_id)
    await move(session, TENDER, tender, "skip_auction", by, parties=[tender.buyer_id])
    tender.updated_at = now


async def require_all_decided(session: AsyncSession, tender_id: UUID) -> dict[UUID, list[Offer]]:
    """Qualified offers by lot. Raises Conflict while one is undecided or none qualified."""
    if any(offer.state == OfferState.OPENED for offer in await queries.offers(session, tender_id)):
        raise Conflict("offers_undecided", "Accept or reject every offer first.")
    accepted = await queries.accepted_offers(session, tender_id)
    if not accepted:
        raise Conflict("nobody_qualified", "No offer was accepted.")
    return accepted
