"""The page of one tender, for its buyer and for suppliers; also after a form on it went wrong."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from litestar.response import Template
from sqlalchemy.ext.asyncio import AsyncSession

from auctions.practice.queries import ROLES
from auctions.tenders import service
from auctions.tenders.queries import AWARDS, BIDDER_ROLES
from auctions.tenders.schemas.tender import InvitationView, ItemView, LotView, TenderView
from marketplace.kernel.actor import Actor
from web.pages.dossier import dossier
from web.pages.terms import explained, lot_terms
from web.pages.visit import UNTRIED, Attempt, Visit
from web.translate import Language
from web.units import unit_words

AWARDS_MAX = 100
BEFORE_THE_END = frozenset(["published", "opened", "in_auction"])
DECIDED_ON = frozenset(["awarding", "awarded"])
ADDENDA_IN = BEFORE_THE_END | {"awarding"}
JOINED_NO_MORE = frozenset(["cancelled", "awarded", "unsuccessful"])


async def tender_page(
    visit: Visit,
    tender_id: UUID,
    attempt: Attempt = UNTRIED,
    *,
    form: Mapping[str, object] | None = None,
) -> Template:
    """`form` is what was typed, by the ids of its fields where they differ from their names.
    Raises NotFound.
    """
    session, actor, fmt = visit.session, visit.actor, visit.fmt
    tender = await service.show(session, actor, tender_id)
    mine = tender.buyer.id == actor.organisation_id
    awards = await service.list_awards(
        session, actor, page=AWARDS.page(AWARDS_MAX), tender_id=tender_id
    )
    shown = {
        "id": tender.id,
        "title": tender.title,
        "state": tender.state,
        "buyer_name": None if mine else tender.buyer.name,
        "participates": tender.accepted_at is not None,
        "ahead": tender.state in BEFORE_THE_END,
        "may_accept": _may_accept(tender, actor, mine),
        "may_decline": _may_decline(tender, actor, mine),
        "declined_at": tender.declined_at,
        "decline_reason": tender.decline_reason,
        "may_practise": _may_practise(actor, mine),
        "may_publish": mine and tender.state == "draft",
        "may_ask": not mine and tender.state in BEFORE_THE_END and actor.has_role(*BIDDER_ROLES),
        "may_answer": mine and actor.has_role("procurement_officer"),
        "addendum_href": _addendum_href(tender, actor, mine),
        "addenda_count": tender.addenda_count,
        "offers": tender.offers,
        "offers_href": f"/tenders/{tender.id}/offers" if mine else None,
        "own_offer_href": _own_offer_href(tender, mine),
        "handed_in": await _handed_in(session, actor, tender, visit.now),
        "opened_at": tender.opened_at,
        "invited": _invited(tender),
        "lots": [_lot(lot, tender, mine, fmt) for lot in tender.lots],
        # The buyer finds them on the sheets.
        "awards": [] if mine else awards.items,
    }
    return await visit.page(
        "tender.html",
        attempt,
        area="tenders",
        tender=shown,
        dossier=await dossier(session, actor, tender, fmt),
        form=form or attempt.typed,
    )


async def _handed_in(
    session: AsyncSession, actor: Actor, tender: TenderView, now: datetime
) -> int | None:
    """For how many lots the viewer's own offer is there, None where none can be."""
    if not _own_offer_href(tender, tender.buyer.id == actor.organisation_id):
        return None
    own = await service.show_own_offers(session, actor, tender.id, now)
    return sum(offer.sha256 is not None for offer in own.offers.values())


def _may_accept(tender: TenderView, actor: Actor, mine: bool) -> bool:
    ready = tender.state not in JOINED_NO_MORE and not mine
    return ready and tender.accepted_at is None and actor.state == "active"


def _may_decline(tender: TenderView, actor: Actor, mine: bool) -> bool:
    """As long as the invitation can be accepted, by those who could accept it."""
    joinable = tender.state == "published" or (
        tender.state == "in_auction" and tender.offers is None
    )
    waits = tender.invited_at is not None and tender.accepted_at is None and joinable
    return waits and not mine and actor.state == "active" and actor.has_role(*BIDDER_ROLES)


def _addendum_href(tender: TenderView, actor: Actor, mine: bool) -> str | None:
    may = mine and tender.state in ADDENDA_IN and actor.has_role("procurement_officer")
    return f"/tenders/{tender.id}/addendum" if may else None


def _own_offer_href(tender: TenderView, mine: bool) -> str | None:
    takes_part = not mine and tender.accepted_at is not None
    return f"/tenders/{tender.id}/offer" if takes_part and tender.offers else None


def _may_practise(actor: Actor, mine: bool) -> bool:
    return actor.state == "active" and actor.has_role(*ROLES[mine])


def _invited(tender: TenderView) -> list[dict[str, Any]] | None:
    if tender.invitations is None:
        return None
    return [
        {
            "name": each.organisation.name,
            "answer": _answer(each),
            "declined_at": each.declined_at,
            "reason": each.decline_reason,
        }
        for each in tender.invitations
    ]


def _answer(invitation: InvitationView) -> str:
    if invitation.accepted_at is not None:
        return "accepted"
    return "invited" if invitation.declined_at is None else "declined"


def _lot(lot: LotView, tender: TenderView, mine: bool, fmt: Language) -> dict[str, Any]:
    joined = mine or lot.alias is not None
    return {
        "id": lot.id,
        "title": lot.title,
        "explained": explained(lot, tender.currency, fmt),
        "description": lot.description,
        "positions": [_position(item, fmt) for item in lot.items],
        "terms": lot_terms(lot, tender.currency, fmt),
        "award_href": f"/lots/{lot.id}/award" if mine and tender.state in DECIDED_ON else None,
        "auction_href": f"/auctions/{lot.auction_id}" if lot.auction_id and joined else None,
    }


def _position(item: ItemView, fmt: Language) -> dict[str, Any]:
    coded = item.classification
    return {
        "name": item.name,
        "description": item.description,
        "quantity": item.quantity,
        "unit": unit_words(item.unit, fmt.gettext),
        "classification": coded and f"{coded.scheme} {coded.code} {coded.title}".strip(),
    }
