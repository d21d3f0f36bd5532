"""A rating with its explanation, past and supposed; for the buyer whose it is, and for the supplier
it is about.
"""

from __future__ import annotations

import contextlib
import math
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from uuid import UUID

import msgspec
from sqlalchemy import Integer, String, Uuid, column
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts import queries as accounts
from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import Invalid, NotFound
from marketplace.kernel.pages import PAGE_MAX, Page, Sorting
from marketplace.kernel.scope import as_house
from marketplace.kernel.statements import Source
from ratings import queries, rules
from ratings.accumulators import Evidence
from ratings.models import RatingTrust
from ratings.policy import EARLIEST, Policy
from ratings.schemas import (
    HistoryPage,
    HistoryPoint,
    PartyView,
    PublicView,
    RatingPage,
    RatingRow,
    RatingView,
    ReceivedPage,
    ReceivedRow,
    WhatIfView,
)
from ratings.service import public, reading, views

HISTORY_POINTS_MAX = 36
SUPPOSED_ORDERS_MAX = 1_000
VERSION_MAX = 1_000_000
SELLING = frozenset(["supplies", "resells"])


class Side(msgspec.Struct, frozen=True):
    """Whose rating of whom is asked for. `mine`: the caller is that buyer."""

    buyer: PartyView
    supplier: PartyView
    mine: bool


async def side(source: Source, actor: Actor, supplier_id: UUID, buyer_id: UUID | None) -> Side:
    """The own rating of a supplier; a supplier names the buyer whose rating of itself it reads.

    Raises NotFound for every other rating.
    """
    whose = buyer_id or actor.organisation_id
    mine = whose == actor.organisation_id
    if not mine and supplier_id != actor.organisation_id:
        raise NotFound("rating")
    found = await accounts.public_organisations(source, [supplier_id, whose])
    supplier, buyer = found.get(supplier_id), found.get(whose)
    if supplier is None or buyer is None or SELLING.isdisjoint(supplier.capabilities):
        raise NotFound("supplier")
    if "buys" not in buyer.capabilities:
        raise NotFound("rating")
    return Side(PartyView(buyer.id, buyer.name), PartyView(supplier.id, supplier.name), mine)


async def show(
    source: Source,
    actor: Actor,
    supplier_id: UUID,
    now: datetime,
    *,
    buyer_id: UUID | None = None,
) -> RatingView:
    """The rating with its explanation, now. Raises NotFound."""
    asked = await side(source, actor, supplier_id, buyer_id)
    async with _allowed(source, asked):
        found = await _known(source, asked, now)
    known = found.evidence or reading.NOTHING
    return _view(asked, found, found.policy, known, found.trust, now)


async def show_past(
    session: AsyncSession,
    actor: Actor,
    supplier_id: UUID,
    now: datetime,
    *,
    buyer_id: UUID | None,
    as_of: datetime | None,
    policy_version: int | None,
) -> RatingView:
    """The same as of a past date, under the policy that was in force then or under any other
    version. Raises NotFound, Invalid.
    """
    asked = await side(session, actor, supplier_id, buyer_id)
    when = _past(as_of, now)
    async with _allowed(session, asked):
        found = await _known(session, asked, now)
        policy = await _policy(session, asked.buyer.id, when, policy_version)
        known = await _evidence(session, asked, policy, now, as_of)
        given = await queries.trust(session, asked.buyer.id, supplier_id, when)
    return _view(asked, found, policy, known, given, when)


def _allowed(source: Source, asked: Side) -> AbstractAsyncContextManager[None]:
    """What a supplier may read of its buyer's, no policy of the tables knows."""
    return contextlib.nullcontext() if asked.mine else as_house(source)


def _view(
    asked: Side,
    found: queries.Dossier,
    policy: Policy,
    known: Evidence,
    given: RatingTrust | queries.GivenTrust | None,
    when: datetime,
) -> RatingView:
    credit = reading.credit(given)
    rated = rules.rate(known, credit, when, policy)
    missing = max(0.0, policy.parameters.orders_min - known.sums.orders)
    told = None if rated is None else rules.changes(known, credit, when, policy)
    return RatingView(
        supplier=asked.supplier,
        buyer=asked.buyer,
        state=views.state(rated),
        score=views.points(rated),
        cautious_score=None if rated is None else views.one_decimal(rated.cautious),
        confidence=None if rated is None else views.share(rated.confidence),
        explanation=views.explanation(rated, known, policy),
        what_would_change_it=None if told is None else views.changes(told),
        orders_missing=math.ceil(missing) if rated is None else None,
        policy=views.reference(policy),
        as_of=when,
        trust=views.trust(given, when, mine=asked.mine),
        block=views.block(found.block),
        survey=views.survey(found.survey),
    )


async def _known(source: Source, asked: Side, now: datetime) -> queries.Dossier:
    """All that is known now; counted where no sums are kept yet."""
    buyer_id, supplier_id = asked.buyer.id, asked.supplier.id
    found = await queries.dossier(source, buyer_id, supplier_id, now)
    if found.kept:
        return found
    counted = await queries.recount(source, buyer_id, found.policy, now, supplier_id)
    return msgspec.structs.replace(found, evidence=counted.get(supplier_id))


def _past(as_of: datetime | None, now: datetime) -> datetime:
    if as_of is None:
        return now
    return check_past(as_of, now)


def check_past(as_of: datetime, now: datetime) -> datetime:
    """In UTC. Raises Invalid."""
    if as_of.tzinfo is None:
        raise Invalid.field("as_of", "malformed", "A time has a zone, such as Z.")
    if as_of > now:
        raise Invalid.field("as_of", "in_the_future", "Nothing is known of the future.")
    if as_of < EARLIEST:
        raise Invalid.field("as_of", "too_early", f"Nothing is known before {EARLIEST.year}.")
    return as_of.astimezone(UTC)


async def _policy(
    session: AsyncSession, buyer_id: UUID, when: datetime, version: int | None
) -> Policy:
    if version is None:
        return await queries.policy_at(session, buyer_id, when)
    policy = None
    if 0 <= version <= VERSION_MAX:
        policy = await queries.policy_of_version(session, buyer_id, version)
    if policy is None:
        raise NotFound("rating policy")
    return policy


async def _evidence(
    session: AsyncSession, asked: Side, policy: Policy, now: datetime, as_of: datetime | None
) -> Evidence:
    buyer_id, supplier_id = asked.buyer.id, asked.supplier.id
    if as_of is None:
        found = await reading.evidence(session, buyer_id, [supplier_id], policy, now)
    else:
        found = await queries.recount(session, buyer_id, policy, _past(as_of, now), supplier_id)
    return found.get(supplier_id, reading.NOTHING)


class _Rated(msgspec.Struct, frozen=True):
    """What a list of ratings can be sorted by; no `tenths`: not rated, or not needed."""

    supplier_id: UUID
    name: str
    tenths: int | None


_SUPPLIER_ID = column("supplier_id", Uuid)
RATINGS = Sorting(
    _SUPPLIER_ID,
    default="supplier_id",
    supplier_id=_SUPPLIER_ID,
    supplier=column("name", String),
    score=column("tenths", Integer),
    nullable=["score"],
)


async def listing(session: AsyncSession, actor: Actor, now: datetime, *, page: Page) -> RatingPage:
    """Every supplier the caller has completed an order with. Raises Forbidden."""
    actor.require_capability("buys")
    buyer_id = actor.organisation_id
    policy = await queries.policy_at(session, buyer_id, now)
    names = await views.parties(session, await queries.suppliers_of(session, buyer_id))
    rated: dict[UUID, rules.Rated | None] = {}
    if page.sort.removeprefix("-") == "score":
        rated = await reading.ratings(session, buyer_id, names, policy, now)
    found = page.of_rows(
        _Rated(supplier_id, party.name, _tenths(rated.get(supplier_id)))
        for supplier_id, party in names.items()
    )
    rows, next_cursor = page.cut(found)
    shown = [row.supplier_id for row in rows]
    rated = rated or await reading.ratings(session, buyer_id, shown, policy, now)
    blocks = await queries.blocks(session, buyer_id, shown)
    items = [
        RatingRow(
            supplier=names[supplier_id],
            state=views.state(rated[supplier_id]),
            score=views.points(rated[supplier_id]),
            cautious_score=_cautious(rated[supplier_id]),
            confidence=_confidence(rated[supplier_id]),
            block=views.block(blocks.get(supplier_id)),
        )
        for supplier_id in shown
    ]
    return RatingPage(items, next_cursor)


def _tenths(rated: rules.Rated | None) -> int | None:
    return None if rated is None else rated.tenths


def _cautious(rated: rules.Rated | None) -> str | None:
    return None if rated is None else views.one_decimal(rated.cautious)


def _confidence(rated: rules.Rated | None) -> str | None:
    return None if rated is None else views.share(rated.confidence)


async def received(session: AsyncSession, actor: Actor, now: datetime) -> ReceivedPage:
    """How the caller's own organisation is rated by each of its buyers."""
    if SELLING.isdisjoint(actor.capabilities):
        return ReceivedPage([])
    supplier_id = actor.organisation_id
    items = []
    async with as_house(session):
        buyers = sorted({row.buyer_id for row in await queries.spend(session, supplier_id, [])})
        names = await views.parties(session, buyers)
        for buyer_id in buyers[:PAGE_MAX]:
            policy = await queries.policy_at(session, buyer_id, now)
            rated = await reading.ratings(session, buyer_id, [supplier_id], policy, now)
            block = await queries.block(session, buyer_id, supplier_id)
            items.append(
                ReceivedRow(
                    buyer=names[buyer_id],
                    state=views.state(rated[supplier_id]),
                    score=views.points(rated[supplier_id]),
                    block=views.block(block),
                )
            )
    return ReceivedPage(items)


async def history(
    session: AsyncSession,
    actor: Actor,
    supplier_id: UUID,
    now: datetime,
    *,
    buyer_id: UUID | None,
    months: int,
    policy_version: int | None,
) -> HistoryPage:
    """A point a month: as it was shown then, or as one policy version would have seen it."""
    if not 1 <= months <= HISTORY_POINTS_MAX:
        message = f"1 to {HISTORY_POINTS_MAX} months."
        raise Invalid.field("months", "out_of_range", message)
    asked = await side(session, actor, supplier_id, buyer_id)
    items = []
    async with as_house(session):
        for at in queries.date_series(now, months):
            policy = await _policy(session, asked.buyer.id, at, policy_version)
            found = await queries.recount(session, asked.buyer.id, policy, at, supplier_id)
            given = await queries.trust(session, asked.buyer.id, supplier_id, at)
            known = found.get(supplier_id, reading.NOTHING)
            rated = rules.rate(known, reading.credit(given), at, policy)
            items.append(
                HistoryPoint(
                    at=at,
                    state=views.state(rated),
                    score=views.points(rated),
                    policy_version=policy.version,
                )
            )
    return HistoryPage(items)


async def what_if(
    session: AsyncSession,
    actor: Actor,
    supplier_id: UUID,
    now: datetime,
    *,
    buyer_id: UUID | None,
    clean_orders: int,
    claims: float,
    price_percent: float,
) -> WhatIfView:
    """After so many more clean orders of the usual size at so many percent above (or below) the
    reference price, and claims of so much severity together. Raises NotFound, Invalid.
    """
    _supposable(clean_orders, claims, price_percent)
    asked = await side(session, actor, supplier_id, buyer_id)
    async with as_house(session):
        policy = await queries.policy_at(session, asked.buyer.id, now)
        known = await _evidence(session, asked, policy, now, None)
        given = await queries.trust(session, asked.buyer.id, supplier_id, now)
    credit = reading.credit(given)
    limit = policy.parameters.price_limit
    ratio = max(-limit, min(limit, rules.log_percent(price_percent)))
    supposed = rules.with_claims(rules.with_orders(known, clean_orders, log_ratio=ratio), claims)
    before = rules.rate(known, credit, now, policy)
    after = rules.rate(supposed, credit, now, policy)
    return WhatIfView(
        before=views.points(before),
        after=views.points(after),
        difference=views.difference(before, after),
        explanation=views.explanation(after, supposed, policy),
    )


def _supposable(clean_orders: int, claims: float, price_percent: float) -> None:
    if not 0 <= clean_orders <= SUPPOSED_ORDERS_MAX:
        message = f"0 to {SUPPOSED_ORDERS_MAX} orders."
        raise Invalid.field("clean_orders", "out_of_range", message)
    if not 0 <= claims <= SUPPOSED_ORDERS_MAX:
        raise Invalid.field("claims", "out_of_range", f"0 to {SUPPOSED_ORDERS_MAX}.")
    if not -99 <= price_percent <= 1_000:
        raise Invalid.field("price_percent", "out_of_range", "-99 to 1000 percent.")


async def show_public(session: AsyncSession, supplier_id: UUID, now: datetime) -> PublicView:
    """What all buyers together think; of fewer than three independent ones no number. Raises
    NotFound.
    """
    found = await accounts.public_organisations(session, [supplier_id])
    supplier = found.get(supplier_id)
    if supplier is None or SELLING.isdisjoint(supplier.capabilities):
        raise NotFound("supplier")
    async with as_house(session):
        combined = await public.combined(session, supplier_id, now)
        survey = await queries.survey(session, supplier_id)
    return PublicView(
        supplier=PartyView(supplier.id, supplier.name),
        state=public.state(combined),
        score=public.shown(combined),
        buyers=combined.buyers,
        survey=views.survey(survey),
        as_of=now,
    )
