"""A supplier accepts the terms: it gets a random pseudonym in every auction and is let in by a
command.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from auctions.tenders import queries, rules
from auctions.tenders.aliases import draw_alias
from auctions.tenders.models import (
    Auction,
    AuctionParticipant,
    Tender,
    TenderInvitation,
    TenderParticipation,
)
from auctions.tenders.rules import AuctionState, TenderState
from auctions.tenders.schemas.tender import AcceptTerms, Participation
from auctions.tenders.sending import Desk
from auctions.tenders.service import notices
from auctions.tenders.service.views import visible_tender
from marketplace.accounts.service import assignments
from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import Conflict, Forbidden, Invalid
from marketplace.kernel.scope import as_house
from ratings.service.gates import standings

BIDDERS = queries.BIDDER_ROLES
ALIAS_DRAWS_MAX = 200


async def participate(
    session: AsyncSession,
    actor: Actor,
    tender_id: UUID,
    answer: AcceptTerms,
    desk: Desk,
    now: datetime,
) -> Participation:
    """Take part in every lot; once that is committed, a command admits. Repeating it changes
    nothing. Whether a bid counts, and until when one may still join, is for each auction's rules.
    Raises NotFound, Forbidden, Conflict, Invalid.
    """
    tender = await visible_tender(session, actor, tender_id)
    if tender.buyer_id == actor.organisation_id:
        raise Forbidden("own_tender", "A buyer does not take part in its own tender.")
    actor.require_capability("supplies")
    actor.require_role(*BIDDERS)
    if not answer.accept_terms:
        message = "Taking part needs the terms accepted."
        raise Invalid.field("accept_terms", "terms_not_accepted", message)
    done = await queries.participation(session, tender_id, actor.organisation_id)
    if done is None:
        await _require_no_colleague(session, actor, tender_id)
        _require_joinable(tender)
        found = await standings(session, tender.buyer_id, [actor.organisation_id], now)
        standing = found[actor.organisation_id]
        if standing.blocked is not None:
            raise Conflict("supplier_blocked", f"The buyer has blocked you: {standing.blocked}")
        done = await _join(session, actor, tender, standing.score, now)
    desk.admit_later(session, tender_id, actor.organisation_id)
    aliases = await queries.aliases_of(session, tender_id, actor.organisation_id)
    excluded = await queries.excluded_auctions(session, tender_id, actor.organisation_id)
    return Participation(tender_id, done.accepted_at, aliases, excluded)


async def decline(
    session: AsyncSession, actor: Actor, tender_id: UUID, reason: str, now: datetime
) -> None:
    """A supplier will not take part and says why; taking part later is still possible. Repeating it
    changes nothing but the reason. Raises NotFound, Forbidden, Conflict.
    """
    tender = await visible_tender(session, actor, tender_id)
    if tender.buyer_id == actor.organisation_id:
        raise Forbidden("own_tender", "A buyer is not invited to its own tender.")
    actor.require_role(*BIDDERS)
    if await queries.invitation(session, tender_id, actor.organisation_id) is None:
        raise Conflict("not_invited", "Nobody invited you: simply do not take part.")
    if await queries.participation(session, tender_id, actor.organisation_id) is not None:
        raise Conflict("takes_part", "You take part already; a participation is not taken back.")
    _require_joinable(tender)
    await _note_decline(session, tender_id, actor.organisation_id, now, reason)
    await notices.invitation_declined(session, tender, actor.organisation_id, reason, now)


async def _note_decline(
    session: AsyncSession,
    tender_id: UUID,
    organisation_id: UUID,
    at: datetime | None,
    reason: str | None,
) -> None:
    """The invitation is the buyer's row; the supplier writes nothing but its own answer."""
    async with as_house(session):
        await session.execute(
            update(TenderInvitation)
            .where(
                TenderInvitation.tender_id == tender_id,
                TenderInvitation.organisation_id == organisation_id,
            )
            .values(declined_at=at, decline_reason=reason)
        )


async def _require_no_colleague(session: AsyncSession, actor: Actor, tender_id: UUID) -> None:
    """A partner employee does not see that its organisation takes part already, and must not get to
    a colleague's tender by joining it. Raises Conflict.
    """
    if not actor.own_records_only:
        return
    async with as_house(session):
        done = await queries.participation(session, tender_id, actor.organisation_id)
    if done is not None:
        detail = "A colleague takes part already; a partner manager can assign you."
        raise Conflict("colleague_takes_part", detail)


def _require_joinable(tender: Tender) -> None:
    """Until the auctions are over; where sealed offers come first, only while they may come."""
    states = [TenderState.PUBLISHED]
    if tender.offers_due_at is None:
        states.append(TenderState.IN_AUCTION)
    rules.require_state(tender.state, *states, doing="joined")


async def _join(
    session: AsyncSession, actor: Actor, tender: Tender, rating: str | None, now: datetime
) -> TenderParticipation:
    row = {
        "tender_id": tender.id,
        "organisation_id": actor.organisation_id,
        "buyer_id": tender.buyer_id,
        "accepted_by": actor.user_id,
        "accepted_at": now,
    }
    await assignments.assign(session, actor, "tender", tender.id, [actor.user_id], now)
    # Two colleagues at once: the second waits here for the first, and then finds everything done.
    made = await session.execute(
        insert(TenderParticipation)
        .values(row)
        .on_conflict_do_nothing()
        .returning(TenderParticipation.tender_id)
    )
    if made.first() is not None:
        await _note_decline(session, tender.id, actor.organisation_id, None, None)
        for auction in (await queries.auctions(session, tender.id)).values():
            if auction.state == AuctionState.SCHEDULED:
                await give_alias(session, auction, actor.organisation_id, rating, now)
    done = await queries.participation(session, tender.id, actor.organisation_id)
    assert done is not None, "the row was inserted by us or by whom we waited for"
    return done


async def give_alias(
    session: AsyncSession,
    auction: Auction,
    organisation_id: UUID,
    rating: str | None,
    now: datetime,
) -> str:
    """A random pseudonym that is still free in this auction. Others' rows are invisible here, so
    the
    unique key, not a look-up, says what is free."""
    for _ in range(ALIAS_DRAWS_MAX):
        alias = draw_alias()
        drawn = await session.execute(
            insert(AuctionParticipant)
            .values(
                auction_id=auction.id,
                alias=alias,
                organisation_id=organisation_id,
                tender_id=auction.tender_id,
                buyer_id=auction.buyer_id,
                created_at=now,
                rating=rating,
            )
            .on_conflict_do_nothing(index_elements=["auction_id", "alias"])
            .returning(AuctionParticipant.alias)
        )
        if drawn.first() is not None:
            return alias
    raise Conflict("auction_full", "Every pseudonym of this auction is taken.")
