"""Writing and changing a draft, with its lots and items."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from msgspec import UNSET
from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from auctions.tenders import queries, rules
from auctions.tenders.item_files import read_items
from auctions.tenders.models import Lot, LotItem, Tender
from auctions.tenders.rules import Access, TenderState
from auctions.tenders.schemas.tender import NewItem, NewLot, NewTender, TenderChange
from auctions.tenders.service.inviting import add_invitations
from auctions.tenders.service.views import own_tender
from marketplace.kernel.actor import Actor
from marketplace.kernel.codes import currency_errors
from marketplace.kernel.decimals import parse_quantity
from marketplace.kernel.errors import FieldError, NotFound
from marketplace.kernel.ids import TenderId, new_id
from marketplace.kernel.units import code_of
from pricing.catalogue.codes import Named, code_errors

AUTHORS = ("procurement_officer",)


def require_author(actor: Actor) -> None:
    """Raises Forbidden unless the caller writes tenders for an active buying organisation."""
    actor.require_capability("buys")
    actor.require_role(*AUTHORS)


async def create(session: AsyncSession, actor: Actor, new: NewTender, now: datetime) -> TenderId:
    """A draft with its lots and invitations. Raises Forbidden, or Invalid for all fields."""
    require_author(actor)
    ceilings = _checked(new.currency, new.lots, set())
    tender = Tender(
        id=new_id(),
        buyer_id=actor.organisation_id,
        author_id=actor.user_id,
        title=new.title,
        description=new.description,
        currency=new.currency,
        access=Access.OPEN if new.open else Access(new.access),
        state=TenderState.DRAFT,
        terms={"delivery": msgspec.to_builtins(new.delivery)},
        offers_due_at=new.offers.due_at if new.offers else None,
        two_person=new.offers is not None and new.offers.two_person,
        created_at=now,
        updated_at=now,
    )
    session.add(tender)
    await session.flush()
    await _add_lots(session, tender, new.lots, ceilings)
    if new.invitations:
        await add_invitations(session, actor, tender, new.invitations, {}, now, "invitations")
    return TenderId(tender.id)


async def change(
    session: AsyncSession, actor: Actor, tender_id: UUID, change: TenderChange, now: datetime
) -> None:
    """Only a draft changes; afterwards there are addenda. Raises NotFound, Forbidden, Conflict,
    Invalid.
    """
    tender = await own_tender(session, actor, tender_id, lock=True)
    require_author(actor)
    rules.require_state(tender.state, TenderState.DRAFT, doing="changed")
    for name in ("title", "description", "access"):
        value = getattr(change, name)
        if value is not UNSET:
            setattr(tender, name, value)
    if change.delivery is not UNSET:
        tender.terms = tender.terms | {"delivery": msgspec.to_builtins(change.delivery)}
    if change.offers is not UNSET:
        tender.offers_due_at = change.offers.due_at if change.offers else None
        tender.two_person = change.offers is not None and change.offers.two_person
    await _change_lots(session, tender, change)
    tender.updated_at = now
    await session.flush()


async def _change_lots(session: AsyncSession, tender: Tender, change: TenderChange) -> None:
    currency = tender.currency if change.currency is UNSET else change.currency
    if change.lots is UNSET:
        if currency != tender.currency:
            rules.raise_if(_currency_alone())
        return
    old = {lot.id for lot in await queries.lots(session, tender.id)}
    ceilings = _checked(currency, change.lots, old)
    tender.currency = currency
    await session.execute(delete(LotItem).where(LotItem.tender_id == tender.id))
    await session.execute(delete(Lot).where(Lot.tender_id == tender.id))
    await _add_lots(session, tender, change.lots, ceilings)


async def fill_lot(
    session: AsyncSession,
    actor: Actor,
    tender_id: UUID,
    lot_id: UUID,
    content: bytes,
    now: datetime,
) -> None:
    """The items of a draft's lot from a file, in place of those it had. Raises NotFound, Forbidden,
    Conflict, Invalid with every wrong cell.
    """
    tender = await own_tender(session, actor, tender_id, lock=True)
    require_author(actor)
    rules.require_state(tender.state, TenderState.DRAFT, doing="changed")
    lot = await queries.lot(session, lot_id)
    if lot is None or lot.tender_id != tender_id:
        raise NotFound("lot")
    items = read_items(content)
    await _check_codes(session, [("items", items)])
    await session.execute(delete(LotItem).where(LotItem.lot_id == lot_id))
    session.add_all(_items(tender, lot_id, items))
    tender.updated_at = now
    await session.flush()


def _currency_alone() -> list[FieldError]:
    message = "Another currency needs the lots again: their ceilings and rules are written in it."
    return [FieldError("currency", "lots_missing", message)]


def _checked(currency: str, lots: list[NewLot], known: set[UUID]) -> list[int | None]:
    """The ceilings in minor units, lot by lot. Raises Invalid with every wrong field."""
    errors = currency_errors("currency", currency)
    rules.raise_if(errors)
    ceilings: list[int | None] = []
    for index, lot in enumerate(lots):
        path = f"lots[{index}]"
        minor, wrong = rules.ceiling_minor(f"{path}.ceiling", lot.ceiling, currency)
        ceilings.append(minor)
        errors += wrong
        if lot.id is not None and lot.id not in known:
            errors.append(FieldError(f"{path}.id", "unknown_lot", "This tender has no such lot."))
        if len(msgspec.json.encode(lot.rules)) > rules.RULES_BYTES_MAX:
            errors.append(FieldError(f"{path}.rules", "too_large", "The rules are too long."))
        for number, item in enumerate(lot.items):
            errors += rules.item_errors(f"{path}.items[{number}]", item.quantity, item.unit)
    rules.raise_if(errors)
    return ceilings


async def _add_lots(
    session: AsyncSession, tender: Tender, lots: list[NewLot], ceilings: list[int | None]
) -> None:
    paths = [(f"lots[{index}].items", lot.items) for index, lot in enumerate(lots)]
    await _check_codes(session, paths)
    for position, (lot, ceiling) in enumerate(zip(lots, ceilings, strict=True)):
        lot_id = lot.id or new_id()
        session.add(
            Lot(
                id=lot_id,
                tender_id=tender.id,
                buyer_id=tender.buyer_id,
                position=position,
                title=lot.title,
                description=lot.description,
                ceiling_minor=ceiling,
                rules=lot.rules,
            )
        )
        session.add_all(_items(tender, lot_id, lot.items))
    await session.flush()


async def _check_codes(
    session: AsyncSession, paths: Sequence[tuple[str, Sequence[NewItem]]]
) -> None:
    """Raises Invalid for every classification code that its list does not have."""
    named = [
        (f"{path}[{number}].classification.code", Named(code.scheme, code.version, code.code))
        for path, items in paths
        for number, item in enumerate(items)
        if (code := item.classification) is not None
    ]
    rules.raise_if(await code_errors(session, named))


def _items(tender: Tender, lot_id: UUID, items: Sequence[NewItem]) -> list[LotItem]:
    return [
        LotItem(
            lot_id=lot_id,
            position=number,
            tender_id=tender.id,
            buyer_id=tender.buyer_id,
            item_id=item.item_id,
            name=item.name,
            description=item.description,
            quantity=parse_quantity(item.quantity),
            unit=code_of(item.unit) or item.unit,
            classification=msgspec.to_builtins(item.classification),
        )
        for number, item in enumerate(items)
    ]
