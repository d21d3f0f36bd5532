"""Who gets a lot: the sheet, the proposal, its approval, the supplier's answer, and who is next."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from auctions.book.books import Books
from auctions.tenders import itemising, queries, rules, weighing
from auctions.tenders import models as tables
from auctions.tenders.life import ANSWER_AWARD_WITHIN, AWARD
from auctions.tenders.models import Award, Lot, Tender
from auctions.tenders.rules import AwardState, TenderState
from auctions.tenders.schemas.awards import (
    AwardPage,
    AwardSheet,
    AwardView,
    LineAmount,
    NewAwards,
    Ranked,
    SheetRow,
)
from auctions.tenders.service.ending import is_over, note_ended
from auctions.tenders.service.lot_terms import lot_terms
from auctions.tenders.service.ranking import ranking
from auctions.tenders.service.views import decimal_text, money, own_tender, parties
from marketplace.accounts.service.separation import barred_authors, with_sponsors
from marketplace.exchange.announcing import announce
from marketplace.kernel.actor import Actor
from marketplace.kernel.clock import rfc3339, to_micros
from marketplace.kernel.errors import Conflict, FieldError, Invalid, NotFound
from marketplace.kernel.ids import new_id
from marketplace.kernel.money import Money, round_half_even
from marketplace.kernel.workflow import Mover, move, mover
from marketplace.orders.queries import orders_of_origins

DECIDING = (TenderState.AWARDING, TenderState.AWARDED)
ACTIVE = frozenset(
    [
        AwardState.PROPOSED,
        AwardState.AWAITING_APPROVAL,
        AwardState.OFFERED,
        AwardState.ACCEPTED,
    ]
)
SPOKEN = ACTIVE | {AwardState.DECLINED}
"""States in which a supplier is not offered the same lot again."""


async def show_sheet(
    session: AsyncSession,
    actor: Actor,
    lot_id: UUID,
    books: Books,
    now: datetime,
    *,
    weight_price: int,
    weight_rating: int,
) -> AwardSheet:
    """The ranked sheet for the buyer; the weights only try out. Raises NotFound, Conflict, Invalid,
    Unavailable.
    """
    if min(weight_price, weight_rating) < 0 or weight_price + weight_rating != 10_000:
        message = "Weights are basis points that add up to 10,000."
        raise Invalid.field("weight_price", "bad_weights", message)
    tender, lot = await _over(session, actor, lot_id, now)
    rows = await ranking(session, books, tender, lot, now)
    frozen = await queries.award_sheet(session, lot_id)
    weights = {"price": weight_price, "rating": weight_rating}
    awards = await queries.awards_of_lots(session, [lot_id])
    return AwardSheet(
        lot_id=lot_id,
        lot_title=lot.title,
        tender_id=tender.id,
        tender_state=tender.state if tender.state in DECIDING else TenderState.AWARDING,
        left_percent=decimal_text(weighing.WHOLE - _held(awards)),
        ceiling=money(lot.ceiling_minor, tender.currency),
        frozen_at=frozen.frozen_at if frozen else None,
        weights=weights,
        rows=await _sheet_rows(session, tender, lot, rows, weights),
        awards=await views(session, actor, tender.currency, awards),
    )


async def _over(
    session: AsyncSession, actor: Actor, lot_id: UUID, now: datetime
) -> tuple[Tender, Lot]:
    """The lot whose bidding is over, only to look at: nothing is locked, nothing noted."""
    lot = await queries.lot(session, lot_id)
    if lot is None:
        raise NotFound("lot")
    tender = await own_tender(session, actor, lot.tender_id)
    if tender.state not in DECIDING and not await is_over(session, tender):
        raise Conflict("not_awarding", "The bidding for this tender is not over yet.")
    return tender, lot


async def _decidable(
    session: AsyncSession, actor: Actor, lot_id: UUID, now: datetime, *roles: str
) -> tuple[Tender, Lot]:
    """The lot whose bidding is over, for one of `roles` where any is named."""
    lot = await queries.lot(session, lot_id)
    if lot is None:
        raise NotFound("lot")
    tender = await own_tender(session, actor, lot.tender_id, lock=True)
    if roles:
        actor.require_role(*roles)
    await note_ended(session, tender, now)
    if tender.state not in DECIDING:
        raise Conflict("not_awarding", "The bidding for this tender is not over yet.")
    return tender, lot


async def _sheet_rows(
    session: AsyncSession,
    tender: Tender,
    lot: Lot,
    rows: Sequence[Ranked],
    weights: dict[str, int],
) -> list[SheetRow]:
    points = weighing.scores(rows, weights["price"], weights["rating"])
    places = weighing.places(points)
    names = await parties(session, [row.organisation_id for row in rows])
    return [
        SheetRow(
            rank=row.rank,
            organisation=names[row.organisation_id],
            alias=row.alias,
            price=Money(row.price_minor, tender.currency).wire(),
            coefficient=row.coefficient,
            evaluated=Money(round_half_even(Fraction(row.evaluated)), tender.currency).wire(),
            rating=row.rating,
            saving_percent=_saving(lot.ceiling_minor, row.price_minor),
            what_if_score=weighing.one_decimal(score),
            what_if_rank=place,
            abnormally_low=list(row.abnormally_low),
            lines=_lines(tender, lot, row),
        )
        for row, score, place in zip(rows, points, places, strict=True)
    ]


def _lines(tender: Tender, lot: Lot, row: Ranked) -> list[LineAmount]:
    if not row.lines:
        return []
    return [
        LineAmount(line.id, line.title, Money(row.lines[line.id], tender.currency).wire())
        for line in itemising.named(lot_terms(tender, lot, lot.id, None).lines, row.lines)
    ]


def _saving(ceiling_minor: int | None, price_minor: int) -> str | None:
    if ceiling_minor is None:
        return None
    return weighing.one_decimal(Fraction((ceiling_minor - price_minor) * 100, ceiling_minor))


async def propose(
    session: AsyncSession, actor: Actor, lot_id: UUID, new: NewAwards, books: Books, now: datetime
) -> AwardPage:
    """Award a lot or shares of it. All that is left to the best that is left is offered at once;
    anything else needs a reason and an approver. Raises NotFound, Forbidden, Conflict, Invalid.
    """
    tender, lot = await _decidable(session, actor, lot_id, now, "procurement_officer")
    by = mover(actor, now, new.reason, buyer=tender.buyer_id)
    rules.require_state(tender.state, TenderState.AWARDING, doing="awarded")
    rows = await ranking(session, books, tender, lot, now)
    before = await queries.awards_of_lots(session, [lot_id])
    held = _held(before)
    taken = {row.organisation_id for row in before if row.state in SPOKEN}
    chosen = _read_shares(new, rows, taken, held)
    plain = weighing.is_plain(rows, [(row.organisation_id, s) for row, s in chosen], taken, held)
    if not plain and not new.reason:
        message = "Another choice than the best for all that is left needs a reason."
        raise Invalid.field("reason", "reason_missing", message)
    await _freeze(session, tender, lot, rows, now)
    for row, share in chosen:
        award = make_award(tender, lot.id, row, share, actor.user_id, now)
        award.needs_approval, award.reason = not plain, new.reason
        await offer_award(session, award, by)
    awards = await queries.awards_of_lots(session, [lot_id])
    return AwardPage(await views(session, actor, tender.currency, awards))


def _held(awards: Sequence[Award]) -> Decimal:
    return sum((award.share_percent for award in awards if award.state in ACTIVE), Decimal(0))


def _read_shares(
    new: NewAwards, rows: Sequence[Ranked], taken: set[UUID], held: Decimal
) -> list[tuple[Ranked, Decimal]]:
    by_organisation = {row.organisation_id: row for row in rows}
    errors: list[FieldError] = []
    chosen: list[tuple[Ranked, Decimal]] = []
    seen = set(taken)
    for index, wish in enumerate(new.awards):
        path = f"awards[{index}]"
        row, share = by_organisation.get(wish.organisation_id), weighing.read_share(wish.percent)
        if row is None:
            message = "This organisation has no bid that stands."
            errors.append(FieldError(f"{path}.organisation_id", "no_bid", message))
        elif wish.organisation_id in seen:
            message = "This organisation has its award, or declined it."
            errors.append(FieldError(f"{path}.organisation_id", "already_awarded", message))
        if share is None:
            message = "A percent above 0 and up to 100, at most four places."
            errors.append(FieldError(f"{path}.percent", "out_of_range", message))
        seen.add(wish.organisation_id)
        if row is not None and share is not None:
            chosen.append((row, share))
    if held + sum((share for _, share in chosen), Decimal(0)) > weighing.WHOLE:
        errors.append(FieldError("awards", "over_100", "All shares add up to more than 100 %."))
    rules.raise_if(errors)
    return chosen


async def _freeze(
    session: AsyncSession, tender: Tender, lot: Lot, rows: Sequence[Ranked], now: datetime
) -> None:
    """From the first proposal on everybody decides on the same sheet."""
    if await queries.award_sheet(session, lot.id) is not None:
        return
    session.add(
        tables.AwardSheet(
            lot_id=lot.id,
            tender_id=tender.id,
            buyer_id=tender.buyer_id,
            rows=msgspec.to_builtins(list(rows)),
            frozen_at=now,
        )
    )
    await session.flush()


def make_award(
    tender: Tender, lot_id: UUID, row: Ranked, share: Decimal, author_id: UUID, now: datetime
) -> Award:
    return Award(
        id=new_id(),
        lot_id=lot_id,
        tender_id=tender.id,
        buyer_id=tender.buyer_id,
        organisation_id=row.organisation_id,
        author_id=author_id,
        state=AwardState.PROPOSED,
        rank=row.rank,
        needs_approval=False,
        share_percent=share,
        price_minor=row.price_minor,
        value_minor=weighing.part_minor(row.price_minor, share),
        evaluated=row.evaluated,
        created_at=now,
    )


async def offer_award(session: AsyncSession, award: Award, by: Mover) -> None:
    """To the supplier, or to an approver first."""
    session.add(award)
    await session.flush()
    await move(session, AWARD, award, "offer", by, parties=[award.buyer_id])
    await _tell_if_offered(session, award, by.now)


async def _tell_if_offered(session: AsyncSession, award: Award, now: datetime) -> None:
    """The winner hears of it at once, with the last day for the answer."""
    if award.state != AwardState.OFFERED:
        return
    titles = await queries.lot_titles(session, {award.lot_id})
    data = {
        "award_id": str(award.id),
        "tender_id": str(award.tender_id),
        "lot_id": str(award.lot_id),
        "title": titles[award.lot_id],
        "share_percent": decimal_text(award.share_percent),
        "answer_by": rfc3339(to_micros(now + ANSWER_AWARD_WITHIN)),
    }
    once = f"offer of award {award.id}"
    await announce(session, award.organisation_id, "award.offered", data, once, now)


async def decide(
    session: AsyncSession,
    actor: Actor,
    award_id: UUID,
    event: str,
    reason: str | None,
    now: datetime,
) -> AwardView:
    """The buyer's side: `approve`, `refuse` or `withdraw`. Raises NotFound, Forbidden, Conflict."""
    award = await queries.award(session, award_id, lock=True)
    if award is None or award.buyer_id != actor.organisation_id:
        raise NotFound("award")
    tender = await own_tender(session, actor, award.tender_id)
    by = mover(actor, now, reason, buyer=award.buyer_id)
    by = await with_sponsors(session, by, "approver")
    AWARD.choose(award, event, by)
    rules.require_state(tender.state, TenderState.AWARDING, doing="awarded")
    await move(session, AWARD, award, event, by, parties=[award.buyer_id])
    await _tell_if_offered(session, award, now)
    award.decided_at = now
    await session.flush()
    return (await views(session, actor, tender.currency, [award]))[0]


async def views(
    session: AsyncSession, actor: Actor, currency: str, awards: Sequence[Award]
) -> list[AwardView]:
    """Rank and reason are the buyer's own."""
    names = await parties(session, {award.organisation_id for award in awards})
    titles = await queries.lot_titles(session, {award.lot_id for award in awards})
    barred = await barred_authors(session, actor, "approver")
    orders = await orders_of_origins(session, "award", [award.id for award in awards])
    return [
        AwardView(
            id=award.id,
            lot_id=award.lot_id,
            lot_title=titles[award.lot_id],
            tender_id=award.tender_id,
            organisation=names[award.organisation_id],
            state=award.state,
            rank=award.rank if award.buyer_id == actor.organisation_id else None,
            share_percent=decimal_text(award.share_percent),
            price=Money(award.price_minor, currency).wire(),
            value=Money(award.value_minor, currency).wire(),
            reason=award.reason if award.buyer_id == actor.organisation_id else None,
            instead_of=award.instead_of if award.buyer_id == actor.organisation_id else None,
            created_at=award.created_at,
            decided_at=award.decided_at,
            events=_events(actor, award, barred),
            order_id=orders.get(award.id),
        )
        for award in awards
    ]


def _events(actor: Actor, award: Award, barred: Collection[UUID]) -> list[str]:
    """Nobody releases the own proposal, or that of a sponsor."""
    by = mover(actor, award.created_at, buyer=award.buyer_id, supplier=award.organisation_id)
    found = AWARD.events(award.state, by.capacities)
    bars = AWARD.not_by_author if award.author_id in barred else ()
    return [event for event in found if event not in bars]
