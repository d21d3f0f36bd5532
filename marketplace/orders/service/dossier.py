"""What stands around an order: documents, timeline, the customer's link, survey, watchers."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts import queries as accounts
from marketplace.accounts.schemas import AssigneePage
from marketplace.accounts.service import assignments
from marketplace.documents import queries as document_queries
from marketplace.documents import service as documents
from marketplace.documents.models import Document
from marketplace.documents.service import Upload
from marketplace.kernel.actor import Actor
from marketplace.kernel.db import SYSTEM, set_scope
from marketplace.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from marketplace.kernel.facts import Facts
from marketplace.kernel.ids import new_token, token_hash
from marketplace.kernel.scope import as_house
from marketplace.kernel.workflow import WorkflowStep, history
from marketplace.orders import queries, rules
from marketplace.orders.facts import SurveyAnswered
from marketplace.orders.models import Order, Survey, Watcher
from marketplace.orders.schemas import (
    NewSurvey,
    OrderDocument,
    OrderDocumentPage,
    PublicStatus,
    StatusDelivery,
    StatusLine,
    StatusLink,
    StatusStep,
    SurveyView,
    Timeline,
    TimelineEntry,
    WatcherPage,
)
from marketplace.orders.service import views

DOCUMENTS_MAX = 200
WATCHERS_MAX = 50
TOKEN_CHARS_MAX = 100
_WRITERS = ("procurement_officer", "partner_manager", "partner_employee")
# Words for the customer: nothing of approvals, reasons or money.
_PUBLIC = {
    "placed": "Ordered",
    "confirmed": "Confirmed",
    "partly_delivered": "Partly delivered",
    "delivered": "Delivered",
    "accepted": "Completed",
    "declined": "Not possible",
    "cancelled": "Cancelled",
}


async def add_document(
    session: AsyncSession,
    actor: Actor,
    order_id: UUID,
    upload: Upload,
    now: datetime,
    *,
    internal: bool,
    claim_id: UUID | None,
) -> OrderDocument:
    """A new version of the caller's file of that name; evidence where a claim is named. Raises
    NotFound, Forbidden, Conflict, Invalid, TooLarge.
    """
    order = await views.visible(session, actor, order_id, lock=True)
    if views.side(actor, order) == "operator":
        raise Forbidden("not_a_party", "Documents are those of the two sides.")
    actor.require_role(*_WRITERS)
    claims = {claim.id for claim in await queries.claims(session, order_id)}
    if claim_id is not None and claim_id not in claims:
        raise NotFound("claim")
    row = await documents.add(
        session,
        actor,
        "order",
        order_id,
        upload,
        now,
        versions_max=DOCUMENTS_MAX,
        internal=internal,
        part_id=claim_id,
    )
    return _document(row)


async def list_documents(session: AsyncSession, actor: Actor, order_id: UUID) -> OrderDocumentPage:
    """Every version the caller may see. Raises NotFound."""
    await views.visible(session, actor, order_id)
    rows = await document_queries.documents(session, "order", order_id)
    return OrderDocumentPage([_document(row) for row in rows])


async def get_document(
    session: AsyncSession, actor: Actor, order_id: UUID, document_id: UUID
) -> OrderDocument:
    """Raises NotFound."""
    await views.visible(session, actor, order_id)
    return _document(await documents.get(session, order_id, document_id))


async def stamp_document(
    session: AsyncSession, actor: Actor, order_id: UUID, document_id: UUID, now: datetime
) -> OrderDocument:
    """The other side accepts this version, once. Raises NotFound, Forbidden, Conflict."""
    order = await views.visible(session, actor, order_id, lock=True)
    row = await documents.get(session, order_id, document_id)
    if views.side(actor, order) == "operator" or row.organisation_id == actor.organisation_id:
        raise Forbidden("own_work", "The other side accepts a document.")
    actor.require_role("procurement_officer", "partner_manager")
    if row.accepted_at is not None:
        raise Conflict("already_accepted", "This version has its stamp.")
    row.accepted_by, row.accepted_at = actor.user_id, now
    await session.flush()
    return _document(row)


def _document(row: Document) -> OrderDocument:
    return OrderDocument(
        **msgspec.structs.asdict(documents.view(row)),
        claim_id=row.part_id,
        organisation_id=row.organisation_id,
        accepted_at=row.accepted_at,
    )


async def timeline(session: AsyncSession, actor: Actor, order_id: UUID, now: datetime) -> Timeline:
    """Everything that happened, newest first, and what comes next. Raises NotFound."""
    order = await views.visible(session, actor, order_id)
    names = await views.parties(session, [order])
    own = {party.id: party.name for party in names.values()}
    entries = await _steps(session, actor, order, own)
    for delivery in await queries.deliveries(session, order_id):
        text = f"Delivery {delivery.number}: {len(delivery.lines)} lines {delivery.tracking}"
        entries.append(
            TimelineEntry(
                at=delivery.shipped_at,
                kind="delivery",
                text=text.strip(),
                by=own[order.supplier_id],
                subject_id=delivery.id,
            )
        )
    for row in await document_queries.documents(session, "order", order_id):
        entries.append(
            TimelineEntry(
                at=row.created_at,
                kind="document",
                text=f"{row.name}, version {row.version}",
                by=own.get(row.organisation_id),
                subject_id=row.id,
            )
        )
    entries.sort(key=lambda entry: entry.at, reverse=True)
    return Timeline(next=await views.next_action(session, actor, order, now), items=entries)


async def _steps(
    session: AsyncSession, actor: Actor, order: Order, names: dict[UUID, str]
) -> list[TimelineEntry]:
    """The history of the order and its claims, as far as the caller's side may read it."""
    claims = await queries.claims(session, order.id)
    async with contextlib.AsyncExitStack() as stack:
        if views.side(actor, order) == "operator":
            await stack.enter_async_context(as_house(session))
        entries = [_step("order", row, names) for row in await history(session, "order", order.id)]
        for claim in claims:
            steps = await history(session, "claim", claim.id)
            entries += [_step(f"claim {claim.number}", row, names) for row in steps]
    return entries


def _step(subject: str, row: WorkflowStep, names: dict[UUID, str]) -> TimelineEntry:
    event = row.event.replace("_", " ")
    return TimelineEntry(
        at=row.at,
        kind=subject.partition(" ")[0],
        text=f"{subject.capitalize()}: {event}, now {row.target.replace('_', ' ')}",
        by=names.get(row.organisation_id) if row.organisation_id else None,
        reason=row.reason,
        subject_id=row.subject_id,
    )


async def make_link(session: AsyncSession, actor: Actor, order_id: UUID, origin: str) -> StatusLink:
    """A new link; the former one ends. Raises NotFound, Forbidden."""
    order = await _own(session, actor, order_id)
    token = new_token()
    order.status_token_hash = token_hash(token)
    await session.flush()
    return StatusLink(f"{origin}/order_status/{token}", token)


async def end_link(session: AsyncSession, actor: Actor, order_id: UUID) -> None:
    """Raises NotFound, Forbidden."""
    order = await _own(session, actor, order_id)
    order.status_token_hash = None
    await session.flush()


async def _own(session: AsyncSession, actor: Actor, order_id: UUID) -> Order:
    order = await views.visible(session, actor, order_id, lock=True)
    if views.side(actor, order) == "operator":
        raise Forbidden("not_a_party", "The link is that of the two sides.")
    actor.require_role(*_WRITERS)
    return order


async def public_status(session: AsyncSession, token: str) -> PublicStatus:
    """For whoever has the link; no prices, no names, no reasons. Raises NotFound."""
    if len(token) > TOKEN_CHARS_MAX:
        raise NotFound("order")
    await set_scope(session, SYSTEM)
    order = await queries.order_by_token(session, token_hash(token))
    if order is None:
        raise NotFound("order")
    steps = [
        StatusStep(at=row.at, text=_PUBLIC[row.target])
        for row in await history(session, "order", order.id)
        if row.target in _PUBLIC and row.target != row.source
    ]
    return PublicStatus(
        number=order.number,
        title=order.title,
        state=_PUBLIC.get(order.state, "In preparation"),
        due_at=order.due_at,
        lines=[
            StatusLine(
                name=line.name,
                quantity=rules.plain(line.quantity),
                unit=line.unit,
                delivered=rules.plain(line.delivered),
            )
            for line in await queries.lines(session, order.id)
        ],
        deliveries=[
            StatusDelivery(
                number=row.number,
                shipped_at=row.shipped_at,
                carrier=row.carrier,
                tracking=row.tracking,
            )
            for row in await queries.deliveries(session, order.id)
        ],
        steps=steps,
    )


async def answer_survey(
    session: AsyncSession,
    facts: Facts,
    actor: Actor,
    order_id: UUID,
    new: NewSurvey,
    now: datetime,
) -> SurveyView:
    """One question about an accepted order, for 30 days; the last answer stands. Raises NotFound,
    Forbidden, Conflict.
    """
    order = await views.visible(session, actor, order_id, lock=True)
    if order.buyer_id != actor.organisation_id:
        raise Forbidden("not_the_buyer", "The question is the buyer's.")
    actor.require_role("procurement_officer")
    if order.state != "accepted" or order.accepted_at is None:
        raise Conflict("not_accepted", "The question comes with the acceptance.")
    if now >= order.accepted_at + timedelta(days=rules.SURVEY_DAYS):
        raise Conflict("survey_over", f"It could be answered for {rules.SURVEY_DAYS} days.")
    values = {"stars": new.stars, "answered_by": actor.user_id, "answered_at": now}
    statement = upsert(Survey).values(order_id=order_id, buyer_id=order.buyer_id, **values)
    await session.execute(statement.on_conflict_do_update(index_elements=["order_id"], set_=values))
    await facts.publish(
        session,
        SurveyAnswered(
            order_id=order_id,
            buyer_id=order.buyer_id,
            supplier_id=order.supplier_id,
            at=now,
            stars=new.stars,
        ),
    )
    until = order.accepted_at + timedelta(days=rules.SURVEY_DAYS)
    return SurveyView(until=until, stars=new.stars)


async def list_assignees(session: AsyncSession, actor: Actor, order_id: UUID) -> AssigneePage:
    """Raises NotFound."""
    await views.visible(session, actor, order_id)
    return await assignments.list_assignees(session, actor, order_id)


async def set_assignees(
    session: AsyncSession, actor: Actor, order_id: UUID, users: Sequence[UUID], now: datetime
) -> AssigneePage:
    """Who of the caller's side works on the order. Raises NotFound, Forbidden, Invalid."""
    order = await views.visible(session, actor, order_id, lock=True)
    if views.side(actor, order) == "operator":
        raise Forbidden("not_a_party", "The two sides say who works on the order.")
    return await assignments.set_assignees(session, actor, "order", order_id, users, now)


async def watch(
    session: AsyncSession, actor: Actor, order_id: UUID, user_id: UUID, now: datetime
) -> WatcherPage:
    """Let a colleague follow the order. Raises NotFound, Forbidden, Invalid, Conflict."""
    await views.visible(session, actor, order_id, lock=True)
    actor.require_role(*_WRITERS)
    user = await accounts.user(session, user_id)
    if user is None or user.organisation_id != actor.organisation_id:
        raise Invalid.field("user_id", "unknown_colleague", "A colleague of your organisation.")
    known = await queries.watchers(session, order_id)
    if len(known) >= WATCHERS_MAX:
        raise Conflict("too_many_watchers", f"At most {WATCHERS_MAX} people follow an order.")
    if user_id not in known:
        session.add(
            Watcher(order_id=order_id, user_id=user_id, organisation_id=actor.organisation_id)
        )
        await session.flush()
        # A partner employee could not follow what it does not see.
        await assignments.assign(session, actor, "order", order_id, [user_id], now)
    return WatcherPage(list(await queries.watchers(session, order_id)))
