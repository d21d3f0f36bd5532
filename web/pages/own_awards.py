"""What was awarded to the reader's organisation, and the notes that lists put beside it."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from auctions.tenders import service
from auctions.tenders.queries import AWARDS
from auctions.tenders.schemas.awards import AwardView
from marketplace.kernel.actor import Actor

AWARDS_MAX = 100
WON = frozenset(["offered", "accepted"])


async def own_awards(session: AsyncSession, actor: Actor) -> dict[UUID, AwardView]:
    """What stands or waits for an answer, by lot; the newest first."""
    found = await service.list_awards(session, actor, page=AWARDS.page(AWARDS_MAX))
    own: dict[UUID, AwardView] = {}
    for award in found.items:
        if award.organisation.id == actor.organisation_id and award.state in WON:
            own.setdefault(award.lot_id, award)
    return own


def notes_of(_: Callable[[str], str]) -> dict[str, str]:
    """What a supplier should do, by the state of its invitation or of its award."""
    return {
        "accept": _("Accept the terms"),
        "offered": _("Awarded to you: answer now"),
        "accepted": _("You won"),
        "declined": _("You declined"),
    }
