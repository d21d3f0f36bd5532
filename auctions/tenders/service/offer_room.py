"""What a supplier sees of its own sealed offers: what was received, and what it may still do.
Nothing of another supplier's offer comes through here.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from auctions.tenders import queries
from auctions.tenders.life import OFFER
from auctions.tenders.schemas.offers import OfferView
from auctions.tenders.service.offers import list_offers, receipt_hash, require_offers_open
from auctions.tenders.service.views import visible_tender
from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import Conflict, Forbidden, NotFound
from marketplace.kernel.workflow import Refusal, mover


class OwnOffer(msgspec.Struct, frozen=True):
    """`sha256` as the receipt has it, None once the offer was taken back."""

    view: OfferView
    sha256: str | None
    may_withdraw: bool


class OwnOffers(msgspec.Struct, frozen=True):
    """`offers` by lot; `refusal` why the caller can hand in nothing now, None where it can."""

    offers: dict[UUID, OwnOffer]
    refusal: Refusal | None


async def show_own_offers(
    session: AsyncSession, actor: Actor, tender_id: UUID, now: datetime
) -> OwnOffers:
    """Raises NotFound, to the tender's buyer too."""
    tender = await visible_tender(session, actor, tender_id)
    if tender.buyer_id == actor.organisation_id:
        raise NotFound("tender")
    refusal = None
    try:
        await require_offers_open(session, actor, tender, now)
    except (Forbidden, Conflict) as problem:
        refusal = Refusal(problem.code, problem.detail)
    views = {view.id: view for view in (await list_offers(session, actor, tender_id)).items}
    by = mover(actor, now, supplier=actor.organisation_id)
    # The policy of the table says whose they are; asking again keeps a mistake there from showing.
    rows = [
        row
        for row in await queries.offers(session, tender_id)
        if row.organisation_id == actor.organisation_id
    ]
    return OwnOffers(
        {
            row.lot_id: OwnOffer(
                views[row.id],
                receipt_hash(row.sealed) if row.sealed is not None else None,
                refusal is None and "withdraw" in OFFER.events(row.state, by.capacities),
            )
            for row in rows
        },
        refusal,
    )
