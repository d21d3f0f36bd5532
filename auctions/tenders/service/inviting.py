"""Who is asked to take part: only active suppliers, each once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from auctions.tenders import queries, rules
from auctions.tenders.models import Tender, TenderInvitation
from auctions.tenders.rules import HIDDEN, INVITATIONS_MAX, TenderState
from auctions.tenders.schemas.tender import Adjustment, InvitationPage, NewInvitations
from auctions.tenders.service import notices
from auctions.tenders.service.views import invitation_views, own_tender
from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import FieldError, Invalid, NotFound
from marketplace.kernel.money import NotAnAmount, exponent_of, parse_minor
from ratings.service.gates import standings

# Not while it waits: the approver releases what was written, and to whom.
INVITING = (TenderState.DRAFT, TenderState.PUBLISHED)


async def invite(
    session: AsyncSession, actor: Actor, tender_id: UUID, new: NewInvitations, now: datetime
) -> InvitationPage:
    """Add suppliers; those invited already stay as they are. Raises NotFound, Forbidden, Conflict,
    Invalid.
    """
    tender = await own_tender(session, actor, tender_id, lock=True)
    actor.require_role("procurement_officer")
    rules.require_state(tender.state, *INVITING, doing="joined by more suppliers")
    await add_invitations(
        session, actor, tender, new.organisations, new.adjustments, now, "organisations"
    )
    return InvitationPage(await invitation_views(session, tender))


async def withdraw(
    session: AsyncSession, actor: Actor, tender_id: UUID, organisation_id: UUID
) -> None:
    """Take an invitation back while nobody has read it. Raises NotFound, Forbidden, Conflict."""
    tender = await own_tender(session, actor, tender_id, lock=True)
    actor.require_role("procurement_officer")
    rules.require_state(tender.state, TenderState.DRAFT, doing="left by suppliers")
    if await queries.invitation(session, tender_id, organisation_id) is None:
        raise NotFound("invitation")
    await session.execute(
        delete(TenderInvitation).where(
            TenderInvitation.tender_id == tender_id,
            TenderInvitation.organisation_id == organisation_id,
        )
    )


async def add_invitations(
    session: AsyncSession,
    actor: Actor,
    tender: Tender,
    organisations: Sequence[UUID],
    adjustments: Mapping[UUID, Adjustment],
    now: datetime,
    field: str,
) -> None:
    """`field` is the path of the list in the request. An organisation that is unknown, inactive or
    no
    supplier reads the same in every case: nobody learns who exists. Raises Invalid."""
    active = await queries.active_suppliers(session, organisations)
    errors = [
        FieldError(f"{field}[{index}]", "unknown_supplier", "There is no such active supplier.")
        for index, organisation_id in enumerate(organisations)
        if organisation_id not in active or organisation_id == tender.buyer_id
    ]
    known = await standings(session, tender.buyer_id, active, now)
    lowest = await _lowest_rating(session, tender)
    for index, organisation_id in enumerate(organisations):
        if organisation_id in active:
            standing = known[organisation_id]
            path = f"{field}[{index}]"
            errors += rules.gate_errors(path, standing.score, standing.blocked, lowest)
    bonuses = {
        key: _bonus(key, value, tender.currency, errors) for key, value in adjustments.items()
    }
    rules.raise_if(errors)
    sent_at = None if tender.state in HIDDEN else now
    rows = [
        {
            "tender_id": tender.id,
            "organisation_id": organisation_id,
            "buyer_id": tender.buyer_id,
            "invited_by": actor.user_id,
            "created_at": now,
            "sent_at": sent_at,
            "bonus_percent": bonuses.get(organisation_id, ("0", 0))[0],
            "bonus_minor": bonuses.get(organisation_id, ("0", 0))[1],
        }
        for organisation_id in dict.fromkeys(organisations)
    ]
    added = await session.execute(
        insert(TenderInvitation)
        .values(rows)
        .on_conflict_do_nothing()
        .returning(TenderInvitation.organisation_id)
    )
    if sent_at is not None:
        await notices.invited(session, tender, added.scalars().all(), now)
    if len(await queries.invitations(session, tender.id)) > INVITATIONS_MAX:
        raise Invalid.field(field, "too_many", f"At most {INVITATIONS_MAX} invitations.")


async def _lowest_rating(session: AsyncSession, tender: Tender) -> str | None:
    """What every lot asks for at least; None when one of them takes everybody."""
    asked = [lot.rules.get("min_rating") for lot in await queries.lots(session, tender.id)]
    known = [text for text in asked if isinstance(text, str) and rules.is_rating(text)]
    return min(known, key=Decimal) if known and len(known) == len(asked) else None


def _bonus(
    organisation_id: UUID, adjustment: Adjustment, currency: str, errors: list[FieldError]
) -> tuple[str, int]:
    path = f"adjustments.{organisation_id}"
    wrong = list(rules.bonus_errors(f"{path}.percent", adjustment.percent))
    errors += wrong
    percent = "0" if wrong else adjustment.percent
    if adjustment.amount is None:
        return percent, 0
    if adjustment.amount.currency != currency:
        message = f"This tender is priced in {currency}."
        errors.append(FieldError(f"{path}.amount.currency", "other_currency", message))
        return percent, 0
    try:
        return percent, parse_minor(adjustment.amount.amount, exponent_of(currency))
    except NotAnAmount as error:
        errors.append(FieldError(f"{path}.amount.amount", error.code, error.detail))
        return percent, 0
