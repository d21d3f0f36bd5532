"""The supplier's answer to an award: accepted it is a deal, declined it goes to the next."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from auctions.tenders import itemising, queries, weighing
from auctions.tenders.life import AWARD, TENDER
from auctions.tenders.models import Award, Lot, LotItem, Tender
from auctions.tenders.rules import AwardState, TenderState
from auctions.tenders.schemas.awards import AwardPage, AwardView, Ranked
from auctions.tenders.service import notices
from auctions.tenders.service.awards import SPOKEN, make_award, offer_award, views
from auctions.tenders.service.lot_terms import lot_terms
from auctions.tenders.service.views import own_tender
from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import Conflict, NotFound
from marketplace.kernel.facts import Facts
from marketplace.kernel.money import Money, split_minor
from marketplace.kernel.pages import Page
from marketplace.kernel.scope import as_house
from marketplace.kernel.workflow import house, move, mover
from marketplace.orders.service.creating import Deal, DealItem, create_from_award

ONE = "C62"
"""The unit of a line that is no item of the lot: one of it, as UN/ECE Recommendation 20 has it."""

NOTE_CHARS_MAX = 5_000
"""As long as a note to an order may be."""


async def accept(
    session: AsyncSession, actor: Actor, award_id: UUID, facts: Facts, now: datetime
) -> AwardView:
    """The deal stands, and its order is made: the answer names it. Raises NotFound, Forbidden,
    Conflict.
    """
    award = await _answer(session, actor, award_id, "accept", None, now)
    # The tender and what follows are the house's to write, not the supplier's.
    async with as_house(session):
        tender = await queries.tender(session, award.tender_id, lock=True)
        assert tender is not None, "an award never outlives its tender"
        lot = await queries.lot(session, award.lot_id)
        assert lot is not None, "an award never outlives its lot"
        deal = await _deal(session, tender, lot, award)
        order_id = await create_from_award(session, facts, deal, now)
        await notices.award_won(session, award, lot, now)
        await _finish_if_complete(session, tender, now)
    [view] = await views(session, actor, tender.currency, [award])
    return msgspec.structs.replace(view, order_id=order_id)


async def decline(
    session: AsyncSession, actor: Actor, award_id: UUID, reason: str, now: datetime
) -> AwardView:
    """No deal; the share goes to the next. Raises NotFound, Forbidden, Conflict."""
    award = await _answer(session, actor, award_id, "decline", reason, now)
    async with as_house(session):
        tender = await queries.tender(session, award.tender_id, lock=True)
        assert tender is not None, "an award never outlives its tender"
        await _offer_next(session, tender, award, now)
    return (await views(session, actor, tender.currency, [award]))[0]


async def fire_award(session: AsyncSession, award_id: UUID, event: str, now: datetime) -> None:
    """No answer in time counts as declined (system scope). Raises Conflict."""
    award = await queries.award(session, award_id, lock=True)
    assert award is not None, "awards are never deleted"
    parties = [award.buyer_id, award.organisation_id]
    await move(session, AWARD, award, event, house(now, "No answer in time"), parties=parties)
    award.decided_at = now
    tender = await queries.tender(session, award.tender_id, lock=True)
    assert tender is not None, "an award never outlives its tender"
    await _offer_next(session, tender, award, now)


async def _answer(
    session: AsyncSession,
    actor: Actor,
    award_id: UUID,
    event: str,
    reason: str | None,
    now: datetime,
) -> Award:
    award = await queries.award(session, award_id, lock=True)
    if award is None or award.organisation_id != actor.organisation_id:
        raise NotFound("award")
    by = mover(actor, now, reason, supplier=award.organisation_id)
    parties = [award.organisation_id, award.buyer_id]
    await move(session, AWARD, award, event, by, parties=parties)
    award.decided_at = now
    await session.flush()
    return award


async def _deal(session: AsyncSession, tender: Tender, lot: Lot, award: Award) -> Deal:
    """What was agreed, as the order takes it: the lot's items, and what the others had asked."""
    items = (await queries.items(session, tender.id)).get(lot.id, [])
    sheet = await queries.award_sheet(session, lot.id)
    rows = msgspec.convert(sheet.rows, list[Ranked]) if sheet else []
    dealt, note = _itemised(tender, lot, award, items, rows)
    reference = weighing.reference_minor(rows, award.organisation_id, award.share_percent)
    return Deal(
        award_id=award.id,
        tender_id=tender.id,
        buyer_id=award.buyer_id,
        supplier_id=award.organisation_id,
        author_id=award.author_id,
        title=lot.title,
        value=Money(award.value_minor, tender.currency),
        items=dealt,
        delivery=tender.terms.get("delivery", {}),
        reference=None if reference is None else Money(reference, tender.currency),
        note=note,
    )


def _itemised(
    tender: Tender, lot: Lot, award: Award, items: Sequence[LotItem], rows: Sequence[Ranked]
) -> tuple[list[DealItem], str]:
    """The items, each with its line's value where every item has a line of its own, and then the
    lines beside them; else the lines as a note.
    """
    share = award.share_percent / 100
    plain = [
        DealItem(item_id=i.item_id, name=i.name, quantity=i.quantity * share, unit=i.unit)
        for i in items
    ]
    own_lines = (row.lines for row in rows if row.organisation_id == award.organisation_id)
    totals: dict[str, int] = next(own_lines, {})
    if not totals:
        return plain, ""
    lines = itemising.named(lot_terms(tender, lot, lot.id, None).lines, totals)
    minors = split_minor(award.value_minor, [totals[line.id] for line in lines])
    values = [Money(minor, tender.currency) for minor in minors]
    priced = itemising.match(lines, [itemising.Wanted(i.name, i.item_id) for i in items])
    if priced is None:
        named = [f"{line.title} {v.wire().amount}" for line, v in zip(lines, values, strict=True)]
        return plain, f"Of the price, in {tender.currency}: {'; '.join(named)}."[:NOTE_CHARS_MAX]
    own = [
        msgspec.structs.replace(item, value=values[index])
        for item, index in zip(plain, priced, strict=True)
    ]
    beside = [
        DealItem(
            name=line.title,
            quantity=Decimal(line.quantity or 1) * share,
            unit=ONE,
            value=values[index],
        )
        for index, line in enumerate(lines)
        if index not in priced
    ]
    return [*own, *beside], ""


async def _finish_if_complete(session: AsyncSession, tender: Tender, now: datetime) -> None:
    """Awarded, when every lot is: by accepted shares of 100 %."""
    lots = await queries.lots(session, tender.id)
    shares = {lot.id: Decimal(0) for lot in lots}
    for award in await queries.awards_of_lots(session, shares):
        if award.state == AwardState.ACCEPTED:
            shares[award.lot_id] += award.share_percent
    if all(share == weighing.WHOLE for share in shares.values()):
        await move(session, TENDER, tender, "award", house(now), parties=[tender.buyer_id])


async def finish(session: AsyncSession, actor: Actor, tender_id: UUID, now: datetime) -> None:
    """The buyer awards no more: what was accepted stands. Raises NotFound, Forbidden, Conflict."""
    tender = await own_tender(session, actor, tender_id, lock=True)
    by = mover(actor, now, buyer=tender.buyer_id)
    TENDER.choose(tender, "award", by)
    lots = [lot.id for lot in await queries.lots(session, tender_id)]
    awards = await queries.awards_of_lots(session, lots)
    if any(award.state in (AwardState.OFFERED, AwardState.AWAITING_APPROVAL) for award in awards):
        raise Conflict("awards_open", "An award still waits for its answer.")
    if not any(award.state == AwardState.ACCEPTED for award in awards):
        raise Conflict("nothing_awarded", "Nothing was awarded: end the tender as unsuccessful.")
    await move(session, TENDER, tender, "award", by, parties=[tender.buyer_id])
    tender.updated_at = now


async def _offer_next(session: AsyncSession, tender: Tender, gone: Award, now: datetime) -> None:
    """The share of a declined award to the next on the sheet; where a better one was passed over
    before, an approver looks first.
    """
    sheet = await queries.award_sheet(session, gone.lot_id)
    assert sheet is not None, "an award was proposed on a frozen sheet"
    rows = msgspec.convert(sheet.rows, list[Ranked])
    before = await queries.awards_of_lots(session, [gone.lot_id])
    taken = {row.organisation_id for row in before if row.state in SPOKEN}
    row = weighing.following(rows, gone.rank, taken)
    if row is None or tender.state != TenderState.AWARDING:
        return
    award = make_award(tender, gone.lot_id, row, gone.share_percent, gone.author_id, now)
    award.instead_of = gone.id
    award.reason = f"Rank {gone.rank} declined."
    award.needs_approval = any(
        other.rank < row.rank and other.organisation_id not in taken for other in rows
    )
    await offer_award(session, award, house(now, award.reason))


async def list_awards(
    session: AsyncSession, actor: Actor, *, page: Page, tender_id: UUID | None = None
) -> AwardPage:
    """Own awards as buyer or supplier, newest first, of all tenders or one."""
    rows = await queries.award_page(session, actor, page=page, tender_id=tender_id)
    cut, next_cursor = page.cut(rows, lambda row: row[0])
    shown = [(await views(session, actor, currency, [award]))[0] for award, currency in cut]
    return AwardPage(shown, next_cursor)


async def show_award(session: AsyncSession, actor: Actor, award_id: UUID) -> AwardView:
    """Raises NotFound."""
    award = await queries.award(session, award_id)
    if award is None or actor.organisation_id not in (award.buyer_id, award.organisation_id):
        raise NotFound("award")
    tender = await queries.tender(session, award.tender_id)
    assert tender is not None, "who sees the award sees its tender"
    return (await views(session, actor, tender.currency, [award]))[0]
