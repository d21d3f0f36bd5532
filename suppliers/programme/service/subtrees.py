"""A part of the hierarchy with figures: each node's own one, and the total of all under it."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts import network_queries as network
from marketplace.accounts import queries as accounts
from marketplace.kernel.actor import Actor
from marketplace.kernel.codes import require_currency
from marketplace.kernel.errors import Invalid, NotFound
from marketplace.kernel.scope import as_house
from suppliers.programme import queries, rules
from suppliers.programme.measures import Asked, Measures
from suppliers.programme.schemas.reports import NodeView, SubtreeView
from suppliers.programme.service.standing import value_text

NODES_MAX = 2_000
ADDS_UP = frozenset(["money", "count"])


async def show(
    session: AsyncSession,
    measures: Measures,
    actor: Actor,
    organisation_id: UUID,
    *,
    measure: str,
    currency: str,
    begins: datetime | None,
    ends: datetime,
) -> SubtreeView:
    """The operator of any organisation, everybody of the own one: whoever stands above others is
    meant to know their figures. Raises NotFound, Invalid.
    """
    if organisation_id != actor.organisation_id and not actor.operator:
        raise NotFound("organisation")
    if errors := rules.measure_errors("measure", measure, measures.codes):
        raise Invalid("invalid", errors[0].message, errors=errors)
    require_currency("currency", currency)
    async with as_house(session):
        names = await accounts.public_organisations(session, [organisation_id])
        if organisation_id not in names:
            raise NotFound("organisation")
        nodes = await network.subtree(session, organisation_id, NODES_MAX + 1)
        if len(nodes) > NODES_MAX:
            raise Invalid.field("measure", "too_large", f"More than {NODES_MAX} organisations.")
        ids = [node.id for node in nodes]
        asked = Asked(
            partners=ids,
            operator_id=actor.organisation_id,
            currency=currency,
            begins=begins,
            ends=ends,
        )
        own = await measures[measure].read(session, asked)
        names = await accounts.public_organisations(session, ids)
        places = await queries.places(session, ids)
    whole = {each: own.get(each, Decimal(0)) for each in ids}
    totals = rules.totals_of([(node.id, node.parent_id) for node in nodes], whole)
    adds_up = measures[measure].unit in ADDS_UP
    return SubtreeView(
        measure=measure,
        items=[
            NodeView(
                id=node.id,
                name=names[node.id].name,
                parent_id=node.parent_id if node.depth else None,
                level=node.depth,
                region=places.get(node.id, (None, None))[0],
                segment=places.get(node.id, (None, None))[1],
                own=value_text(own.get(node.id)),
                total=rules.plain(totals[node.id]) if adds_up else None,
            )
            for node in nodes
        ],
    )
