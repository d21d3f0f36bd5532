"""Orders come from a basket, a proposal, a replenishment suggestion or an accepted award."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts import queries as accounts
from marketplace.accounts.service import assignments
from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import Forbidden, Invalid
from marketplace.kernel.facts import Facts
from marketplace.kernel.ids import new_id
from marketplace.kernel.money import Amount, Money, exponent_of, split_minor
from marketplace.kernel.scope import as_house
from marketplace.kernel.workflow import Mover, house
from marketplace.orders import queries, rules
from marketplace.orders.life import moved_by
from marketplace.orders.listed import ListPrice, ListPrices
from marketplace.orders.models import Line, Order, Reference
from marketplace.orders.schemas import (
    NewOrder,
    PartyView,
    Suggestion,
    SuggestionPage,
)
from marketplace.orders.service.lines import asked_lines, at_list_prices, priced_lines
from marketplace.orders.service.moving import step

REFERENCE_LOOKS_BACK = timedelta(days=365)
REGULAR_LOOKS_BACK = timedelta(days=730)
REGULAR_TIMES = 3
SUGGESTIONS_MAX = 200
DUE_WITHIN = timedelta(days=14)
SELLING = frozenset(["supplies", "resells"])


class DealItem(msgspec.Struct, frozen=True, kw_only=True):
    """A line of a deal that was made elsewhere. All lines have a `value`, or none."""

    name: str
    quantity: Decimal
    unit: str
    item_id: UUID | None = None
    value: Money | None = None


class Deal(msgspec.Struct, frozen=True, kw_only=True):
    """An award that was accepted. `author_id` signed for the buyer; who worked for the supplier on
    the tender works on the order too. `reference`: what the whole would have cost elsewhere, where
    that is known.
    """

    award_id: UUID
    tender_id: UUID
    buyer_id: UUID
    supplier_id: UUID
    author_id: UUID
    title: str
    value: Money
    items: Sequence[DealItem]
    delivery: dict[str, str]
    reference: Money | None = None
    note: str = ""


async def create_from_award(session: AsyncSession, facts: Facts, deal: Deal, now: datetime) -> UUID:
    """The order that follows from an award, once: a repeated call gives the same one. Both sides
    have agreed already, so the supplier has only to confirm the date. Works in any scope.
    """
    async with as_house(session):
        known = await queries.order_of_origin(session, "award", deal.award_id)
        if known is not None:
            return known.id
        order = await _order(session, deal.buyer_id, deal.supplier_id, deal.author_id, now)
        order.origin, order.origin_id = "award", deal.award_id
        order.title, order.currency = deal.title, deal.value.currency
        order.delivery, order.note = deal.delivery, deal.note
        values = _values(deal)
        # Nothing can be compared with a gift.
        reference = (deal.reference.minor if deal.reference else 0) or None
        if not values:
            order.lump_minor, order.lump_reference_minor = deal.value.minor, reference
        session.add(order)
        await session.flush()
        for position, item in enumerate(deal.items):
            session.add(_dealt_line(order, position, item, values[position] if values else None))
        if values and reference is not None:
            for position, minor in enumerate(split_minor(reference, [v.minor for v in values])):
                if minor > 0:
                    session.add(_reference(order, position, _major(minor, order.currency)))
        await session.flush()
        await assignments.hand_on(session, deal.supplier_id, deal.tender_id, "order", order.id, now)
        await step(session, facts, order, "request", house(now))
        return order.id


def _major(minor: int, currency: str) -> Decimal:
    return Decimal(minor).scaleb(-exponent_of(currency))


def _values(deal: Deal) -> list[Money]:
    """What each line costs; empty under a lump price."""
    if len(deal.items) == 1:
        return [deal.value]
    return [item.value for item in deal.items if item.value is not None]


def _dealt_line(order: Order, position: int, item: DealItem, value: Money | None) -> Line:
    return Line(
        order_id=order.id,
        position=position,
        item_id=item.item_id,
        sku=None,
        name=item.name,
        quantity=item.quantity,
        unit=item.unit,
        price=None if value is None else _major(value.minor, value.currency),
        price_unit=item.quantity,
        value_minor=0 if value is None else value.minor,
        delivered=Decimal(0),
    )


async def create(
    session: AsyncSession,
    facts: Facts,
    list_prices: ListPrices,
    actor: Actor,
    new: NewOrder,
    now: datetime,
) -> UUID:
    """A buyer orders, a supplier proposes. Raises Forbidden, Conflict, Invalid."""
    buyer_id, supplier_id = _sides(actor, new)
    asked = asked_lines(new, await queries.listed_units(session, {ln.unit for ln in new.lines}))
    await _check_sides(session, buyer_id, supplier_id)
    listed: list[ListPrice | None] = [None] * len(asked)
    if buyer_id == actor.organisation_id:
        listed = await list_prices.find(session, supplier_id, new.currency, asked, now.date())
    lines = priced_lines(new, listed)
    await _check_people(session, actor, new)
    order = await _order(session, buyer_id, supplier_id, actor.user_id, now)
    asks = new.origin == "basket" and not at_list_prices(lines)
    order.origin = "request" if asks else new.origin
    order.title, order.currency = new.title, new.currency
    order.approver_id, order.responsible_id = new.approver_id, new.responsible_id
    order.due_at, order.note = _due(new, now), new.note
    order.delivery = {
        name: value for name, value in msgspec.structs.asdict(new.delivery).items() if value
    }
    session.add(order)
    await session.flush()
    for line in lines:
        line.order_id = order.id
    session.add_all(lines)
    await session.flush()
    by = moved_by(actor, now, order)
    own_people = [actor.user_id, *([new.responsible_id] if new.responsible_id else [])]
    await assignments.assign(session, actor, "order", order.id, own_people, now)
    await _freeze_references(session, order, lines, now)
    await step(session, facts, order, "request", _capable(by))
    return order.id


def _capable(by: Mover) -> Mover:
    if not by.capacities:
        raise Forbidden("role_missing", "Your roles do not allow to order.")
    return by


def _sides(actor: Actor, new: NewOrder) -> tuple[UUID, UUID]:
    """(buyer, supplier). Raises Forbidden, Invalid."""
    if (new.supplier_id is None) == (new.buyer_id is None):
        raise Invalid.field("supplier_id", "one_side", "Name the supplier, or as one the buyer.")
    if new.supplier_id is not None:
        actor.require_capability("buys")
        actor.require_role("procurement_officer")
        return actor.organisation_id, new.supplier_id
    assert new.buyer_id is not None, "one of the two is named"
    if SELLING.isdisjoint(actor.capabilities):
        raise Forbidden("capability_missing", "Your organisation does not sell.")
    if new.approver_id is not None:
        raise Invalid.field("approver_id", "not_yours", "The buyer decides who releases.")
    return new.buyer_id, actor.organisation_id


async def _check_sides(session: AsyncSession, buyer_id: UUID, supplier_id: UUID) -> None:
    found = await accounts.public_organisations(session, [buyer_id, supplier_id])
    supplier, buyer = found.get(supplier_id), found.get(buyer_id)
    if supplier is None or SELLING.isdisjoint(supplier.capabilities) or supplier.state != "active":
        raise Invalid.field("supplier_id", "unknown_supplier", "There is no such active supplier.")
    if buyer is None or "buys" not in buyer.capabilities or buyer.state != "active":
        raise Invalid.field("buyer_id", "unknown_buyer", "There is no such active buyer.")
    if buyer_id == supplier_id:
        raise Invalid.field("supplier_id", "own_organisation", "Nobody orders from itself.")


async def _check_people(session: AsyncSession, actor: Actor, new: NewOrder) -> None:
    for field, user_id in (
        ("approver_id", new.approver_id),
        ("responsible_id", new.responsible_id),
    ):
        if user_id is None:
            continue
        user = await accounts.user(session, user_id)
        if user is None or user.organisation_id != actor.organisation_id or user.disabled_at:
            raise Invalid.field(field, "unknown_colleague", "A colleague of your organisation.")
    if new.approver_id is not None:
        roles = await accounts.roles(session, new.approver_id, actor.organisation_id)
        if "approver" not in roles:
            raise Invalid.field(
                "approver_id", "not_an_approver", "That colleague approves nothing."
            )
        if new.approver_id == actor.user_id:
            raise Invalid.field("approver_id", "own_work", "Somebody other than the author.")
        if actor.user_id in await accounts.sponsors(session, new.approver_id, ["approver"]):
            message = "A colleague whom you neither invited nor made an approver."
            raise Invalid.field("approver_id", "not_independent", message)


def _due(new: NewOrder, now: datetime) -> datetime | None:
    if new.due_at is not None and (new.due_at.tzinfo is None or new.due_at <= now):
        raise Invalid.field("due_at", "in_the_past", "The delivery lies in the future.")
    return new.due_at


async def _order(
    session: AsyncSession, buyer_id: UUID, supplier_id: UUID, author_id: UUID, now: datetime
) -> Order:
    async with as_house(session):
        number = await queries.next_number(session, buyer_id)
    return Order(
        id=new_id(),
        number=number,
        buyer_id=buyer_id,
        supplier_id=supplier_id,
        author_id=author_id,
        state="draft",
        delivery={},
        note="",
        created_at=now,
        updated_at=now,
    )


async def _freeze_references(
    session: AsyncSession, order: Order, lines: Sequence[Line], now: datetime
) -> None:
    """What the buyer usually pays others for the same item, the supplier's own price left out."""
    async with as_house(session):
        for line in lines:
            if line.item_id is None:
                continue
            paid = await queries.usually_paid(
                session,
                order.buyer_id,
                order.supplier_id,
                line.item_id,
                line.unit,
                order.currency,
                now - REFERENCE_LOOKS_BACK,
            )
            exact = Fraction(paid or 0) * Fraction(line.price_unit)
            reference = rules.to_places(exact, rules.PRICE_PLACES)
            if reference > 0:
                session.add(_reference(order, line.position, reference))


def _reference(order: Order, position: int, reference: Decimal) -> Reference:
    return Reference(
        order_id=order.id, position=position, buyer_id=order.buyer_id, reference=reference
    )


async def suggestions(session: AsyncSession, actor: Actor, now: datetime) -> SuggestionPage:
    """What was ordered at regular intervals and falls due within two weeks, the most urgent first;
    ordered as any basket, with origin `replenishment`. Raises Forbidden.
    """
    actor.require_capability("buys")
    rows = await queries.regular(
        session, actor.organisation_id, now - REGULAR_LOOKS_BACK, REGULAR_TIMES, SUGGESTIONS_MAX
    )
    due = [row for row in rows if row.last_ordered_at + row.every <= now + DUE_WITHIN]
    found = await accounts.public_organisations(session, {row.supplier_id for row in due})
    return SuggestionPage(
        [
            Suggestion(
                supplier=PartyView(row.supplier_id, found[row.supplier_id].name),
                item_id=row.item_id,
                sku=row.sku,
                name=row.name,
                quantity=rules.plain(row.quantity),
                unit=row.unit,
                price=Amount(rules.price_text(row.price, exponent_of(row.currency)), row.currency),
                price_unit=rules.plain(row.price_unit),
                every_days=max(1, round(row.every / timedelta(days=1))),
                last_ordered_at=row.last_ordered_at,
                due_at=row.last_ordered_at + row.every,
            )
            for row in due
        ]
    )
