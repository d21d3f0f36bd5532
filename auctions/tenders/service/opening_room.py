"""What the buyer sees of the opening: how many offers are sealed, who has released a share, and
what this caller may do next. Nothing of an offer's content comes through here.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from auctions.tenders import queries
from auctions.tenders.life import BUYER, TENDER
from auctions.tenders.models import Offer, Tender, TenderKeyShare
from auctions.tenders.service.opening import (
    openers,
    require_all_decided,
    require_other_person,
    require_qualifiable,
)
from auctions.tenders.service.views import own_tender
from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import Conflict, Forbidden
from marketplace.kernel.scope import as_house
from marketplace.kernel.workflow import Mover, Refusal, mover

_QUALIFYING = ("accept", "reject")


class Share(msgspec.Struct, frozen=True):
    """One person's part of the key. `released_by` is None while it waits."""

    number: int
    released_by: UUID | None
    released_at: datetime | None


class OpeningRoom(msgspec.Struct, frozen=True, kw_only=True):
    """
    shares   in order; empty where the tender is not published or asks for no sealed offers
    sealed   how many offers wait for the opening, by lot
    refusals why the caller cannot `open`, `start` or `skip_auction` now; what is not in it, it can
    openers  roles of which an opening takes one
    partners who could open together with the caller where two people must
    steps    by offer: `accept`, `reject` or both, as far as the caller can now
    """

    shares: list[Share]
    sealed: dict[UUID, int]
    refusals: dict[str, Refusal]
    openers: frozenset[str]
    partners: frozenset[UUID]
    steps: dict[UUID, list[str]]


async def show_opening(
    session: AsyncSession, actor: Actor, tender_id: UUID, now: datetime
) -> OpeningRoom:
    """Raises NotFound."""
    tender = await own_tender(session, actor, tender_id)
    # A reason comes with the press of the button, so here one is as good as given.
    by = mover(actor, now, "-", buyer=tender.buyer_id)
    # Shares and sealed offers belong to the house; the caller's right was settled above.
    async with as_house(session):
        shares = list(await queries.key_shares(session, tender_id))
        sealed = await queries.sealed_counts(session, tender_id)
    offers = await queries.offers(session, tender_id)
    return OpeningRoom(
        shares=[Share(each.number, each.released_by, each.released_at) for each in shares],
        sealed=sealed,
        refusals=await _refusals(session, actor, tender, shares, by),
        openers=frozenset(
            role.removeprefix(BUYER)
            for row in TENDER.transitions
            if row.event == "open"
            for role in row.roles
        ),
        partners=await _partners(session, actor, tender, shares),
        steps={offer.id: _steps(tender, offer, by) for offer in offers},
    )


async def _partners(
    session: AsyncSession, actor: Actor, tender: Tender, shares: list[TenderKeyShare]
) -> frozenset[UUID]:
    if len(shares) < 2:
        return frozenset()
    return (await openers(session, tender)).partners(actor.user_id)


async def _refusals(
    session: AsyncSession,
    actor: Actor,
    tender: Tender,
    shares: list[TenderKeyShare],
    by: Mover,
) -> dict[str, Refusal]:
    """Asked of the same rules that the steps themselves go by."""
    found: dict[str, Refusal] = {}
    for event in ("open", "start", "skip_auction"):
        try:
            TENDER.choose(tender, event, by)
            if event == "open":
                await require_other_person(session, tender, shares, actor)
            else:
                await require_all_decided(session, tender.id)
        except (Forbidden, Conflict) as problem:
            found[event] = Refusal(problem.code, problem.detail)
    return found


def _steps(tender: Tender, offer: Offer, by: Mover) -> list[str]:
    found = []
    for event in _QUALIFYING:
        try:
            require_qualifiable(tender, offer, event, by)
        except (Forbidden, Conflict):
            continue
        found.append(event)
    return found
