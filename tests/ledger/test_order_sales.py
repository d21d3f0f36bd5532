"""Orders as sales: exactly once, reversed cumulatively, the same when everything is told again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.kernel.actor import Actor
from marketplace.kernel.db import SYSTEM, Database
from marketplace.kernel.ids import new_id
from marketplace.ledger import order_sales, sales
from marketplace.ledger.posting import Rule
from marketplace.ledger.terms import OverRefund, Percent, Terms
from marketplace.orders.facts import (
    ClaimUpheld,
    ClaimWithdrawn,
    OrderCompleted,
    OrderReopened,
    PaidLine,
)
from tests.ledger.partners import RULE, new_organisation, order
from tests.servers import Place
from tests.vectors.world import World

NO_SHRINKING = [Phase.explicit, Phase.generate]
"""Every example takes a database; a shrinker would run for minutes."""
START = datetime(2026, 3, 1, tzinfo=UTC)
TERMS = Terms(
    rule=Rule("agreement", 1, "Gold: 10 % commission, 3 % fund, 2 points for a euro"),
    sale=Percent(1_000),
    fund_bp=300,
    points_per_major=Decimal(2),
    hold_days=30,
)
Fact = OrderCompleted | OrderReopened | ClaimUpheld | ClaimWithdrawn


async def terms_at(session: AsyncSession, partner_id: UUID, at: datetime) -> Terms | None:
    return TERMS if at >= START else None


async def tell(database: Database, *facts: Fact) -> None:
    handlers: dict[type, Callable[[AsyncSession, Any], Awaitable[None]]] = {
        OrderReopened: order_sales.order_reopened,
        ClaimUpheld: order_sales.claim_upheld,
        ClaimWithdrawn: order_sales.claim_withdrawn,
    }
    for fact in facts:
        async with database.transaction(SYSTEM) as session:
            if isinstance(fact, OrderCompleted):
                await order_sales.order_completed(terms_at, session, fact)
            else:
                await handlers[type(fact)](session, fact)


class Told:
    """Facts of one order, each a day after the last."""

    def __init__(self, supplier: Actor, buyer: Actor) -> None:
        self.order_id = new_id()
        self.supplier_id = supplier.organisation_id
        self._buyer_id = buyer.organisation_id
        self._at = START

    def _common(self) -> dict[str, Any]:
        self._at += timedelta(days=1)
        return {
            "order_id": self.order_id,
            "buyer_id": self._buyer_id,
            "supplier_id": self.supplier_id,
            "at": self._at,
        }

    def completed(self, *values: int, ordered_at: datetime = START) -> OrderCompleted:
        lines = tuple(PaidLine(value_minor=value, paid_minor=value) for value in values)
        return OrderCompleted(
            **self._common(), title="Pumps", ordered_at=ordered_at, currency="EUR", lines=lines
        )

    def reopened(self) -> OrderReopened:
        return OrderReopened(**self._common())

    def upheld(self, claim_id: UUID, severity_bp: int) -> ClaimUpheld:
        return ClaimUpheld(**self._common(), claim_id=claim_id, severity_bp=severity_bp)

    def withdrawn(self, claim_id: UUID) -> ClaimWithdrawn:
        return ClaimWithdrawn(**self._common(), claim_id=claim_id)


@pytest.fixture
async def told(database: Database) -> Told:
    return Told(await new_organisation(database), await new_organisation(database))


async def earned(database: Database, told: Told, kind: str = "commission") -> list[int]:
    """Amounts in the order of the ledger."""
    async with database.transaction(SYSTEM) as session:
        rows = await session.execute(
            text(
                "SELECT amount FROM accruals WHERE beneficiary_id = :id AND kind = :kind"
                " ORDER BY number"
            ),
            {"id": told.supplier_id, "kind": kind},
        )
        return list(rows.scalars())


async def balances(database: Database, told: Told) -> dict[str, int]:
    async with database.transaction(SYSTEM) as session:
        rows = await session.execute(
            text(
                "SELECT a.kind, sum(p.amount) FROM ledger_accounts a JOIN ledger_postings p"
                " ON p.account_id = a.id WHERE a.owner_id = :id GROUP BY a.kind"
            ),
            {"id": told.supplier_id},
        )
        return {kind: int(amount) for kind, amount in rows}


async def test_a_completed_order_earns_commission_fund_and_points(
    database: Database, told: Told
) -> None:
    await tell(database, told.completed(60_000, 40_050))
    assert await earned(database, told) == [10_005]
    # 3001.5 cents to even, 2001 points.
    assert await balances(database, told) == {
        "payable": 10_005,
        "fund_available": 3_002,
        "points_pending": 2_001,
    }


async def test_an_order_from_before_the_agreement_earns_nothing(
    database: Database, told: Told
) -> None:
    await tell(database, told.completed(100_000, ordered_at=START - timedelta(seconds=1)))
    assert await earned(database, told) == []


async def test_a_reopened_order_gives_everything_back_and_earns_again(
    database: Database, told: Told
) -> None:
    await tell(database, told.completed(100_000), told.reopened())
    assert await earned(database, told) == [10_000, -10_000]
    assert set((await balances(database, told)).values()) == {0}
    await tell(database, told.completed(50_000))
    assert await earned(database, told) == [10_000, -10_000, 5_000]


async def test_a_claim_takes_back_its_share_and_gives_it_again_when_withdrawn(
    database: Database, told: Told
) -> None:
    claim = new_id()
    await tell(database, told.completed(100_000), told.upheld(claim, 2_500))
    assert await earned(database, told) == [10_000, -2_500]
    await tell(database, told.upheld(claim, 1_000), told.withdrawn(claim))
    assert await earned(database, told) == [10_000, -2_500, 1_500, 1_000]


async def test_claims_together_take_back_no_more_than_the_whole(
    database: Database, told: Told
) -> None:
    await tell(
        database,
        told.completed(100_000),
        told.upheld(new_id(), 7_000),
        told.upheld(new_id(), 6_000),
        told.reopened(),
    )
    assert await earned(database, told) == [10_000, -7_000, -3_000]


async def test_a_claim_that_is_withdrawn_while_the_order_is_reopened_earns_nothing(
    database: Database, told: Told
) -> None:
    claim = new_id()
    await tell(
        database,
        told.completed(100_000),
        told.upheld(claim, 2_500),
        told.reopened(),
        told.withdrawn(claim),
    )
    assert sum(await earned(database, told)) == 0


async def test_a_claim_before_the_completion_waits_for_no_sale(
    database: Database, told: Told
) -> None:
    await tell(database, told.upheld(new_id(), 5_000), told.completed(100_000))
    # The claim's own row says it is upheld; this one has none.
    assert await earned(database, told) == [10_000]


async def test_refunding_more_than_was_sold_is_refused(database: Database, told: Told) -> None:
    new = sales.NewSale(
        once=f"shop {new_id()}",
        source=order(),
        partner_id=told.supplier_id,
        title="Pumps",
        currency="EUR",
        amount=1_000,
        at=START,
        completed_at=START,
    )
    async with database.transaction(SYSTEM) as session:
        sale_id = await sales.record(session, new, TERMS)
    assert sale_id is not None
    with pytest.raises(OverRefund):
        async with database.transaction(SYSTEM) as session:
            await sales.refund(session, sale_id, "r1", 1_001, "Returned", START)
    assert await earned(database, told) == [100]


@st.composite
def lives(draw: st.DrawFn) -> list[tuple[str, int]]:
    """What may happen to an order, in an order in which it can happen."""
    steps: list[tuple[str, int]] = [("completed", draw(st.integers(0, 10**9)))]
    complete = True
    for _ in range(draw(st.integers(0, 7))):
        words = ["upheld", "withdrawn", "reopened"] if complete else ["completed", "withdrawn"]
        word = draw(st.sampled_from(words))
        number = draw(st.integers(0, 10**7 if word == "completed" else 10_000))
        steps.append((word, number))
        complete = word == "completed" or (complete and word != "reopened")
    return steps


def facts_of(told: Told, life: list[tuple[str, int]]) -> list[Fact]:
    claims = [new_id(), new_id()]
    facts: list[Fact] = []
    for word, number in life:
        if word == "completed":
            facts.append(told.completed(number, 7))
        elif word == "reopened":
            facts.append(told.reopened())
        elif word == "upheld":
            facts.append(told.upheld(claims[number % 2], max(1, number)))
        else:
            facts.append(told.withdrawn(claims[number % 2]))
    return facts


PICTURE = text(
    "SELECT e.once, e.at, e.source_kind, e.source_id, p.position, a.kind, p.asset, p.amount"
    " FROM ledger_entries e JOIN ledger_postings p ON p.entry_id = e.id"
    " JOIN ledger_accounts a ON a.id = p.account_id WHERE :id = ANY (e.parties)"
    " ORDER BY e.number, p.position"
)


async def picture(database: Database, partner_id: UUID) -> list[tuple[Any, ...]]:
    """Every posting of a partner without the ids that differ from run to run."""
    async with database.transaction(SYSTEM) as session:
        rows = await session.execute(PICTURE, {"id": partner_id})
        return [("refund" if "refund" in row[0] else row[0], *row[1:]) for row in rows]


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    phases=NO_SHRINKING,
)
@given(life=lives())
async def test_telling_everything_twice_changes_nothing(
    database: Database, life: list[tuple[str, int]]
) -> None:
    told = Told(await new_organisation(database), await new_organisation(database))
    facts = facts_of(told, life)
    await tell(database, *facts)
    once = await picture(database, told.supplier_id)
    await tell(database, *facts)
    assert await picture(database, told.supplier_id) == once
    await check_what_is_left(database, told)


async def check_what_is_left(database: Database, told: Told) -> None:
    """What is left of each accrual is the share of what is left of its sale; accruals are the
    ledger.
    """
    async with database.transaction(SYSTEM) as session:
        left = await session.execute(
            text(
                "SELECT sum(CASE WHEN amount_minor = 0 THEN 0 ELSE"
                " amount_minor - refunded_minor END) FROM sales WHERE partner_id = :id"
            ),
            {"id": told.supplier_id},
        )
        rest = int(left.scalar_one() or 0)
        open_sales = await session.execute(
            text(
                "SELECT count(*) FROM sales WHERE partner_id = :id"
                " AND refunded_minor < amount_minor"
            ),
            {"id": told.supplier_id},
        )
        # At most one sale of an order is open, so its share is rounded at most twice.
        assert open_sales.scalar_one() <= 1
    found = await balances(database, told)
    assert abs(found.get("payable", 0) - rest / 10) <= 1
    assert sum(await earned(database, told)) == found.get("payable", 0)
    assert sum(await earned(database, told, "fund_credit")) == found.get("fund_available", 0)
    assert sum(await earned(database, told, "points")) == found.get("points_pending", 0)


async def test_a_ledger_rebuilt_from_the_facts_is_the_same(
    database: Database, servers: Place, told: Told
) -> None:
    claim = new_id()
    facts: list[Fact] = [
        told.completed(123_457),
        told.upheld(claim, 3_333),
        told.reopened(),
        told.completed(99_999),
        told.upheld(claim, 1_234),
        told.withdrawn(claim),
    ]
    await tell(database, *facts)
    async with World(lambda: servers).database() as fresh:
        async with database.transaction(SYSTEM) as session:
            row = (
                await session.execute(
                    text("SELECT id, name, tax_id FROM organisations WHERE id = :id"),
                    {"id": told.supplier_id},
                )
            ).one()
        async with fresh.transaction(SYSTEM) as session:
            await session.execute(
                text(
                    "INSERT INTO organisations (id, name, country, tax_id, tax_id_normal,"
                    " capabilities, state, operator, created_at)"
                    " VALUES (:id, :name, 'DE', :tax, :tax, '{supplies}', 'active', false, now())"
                ),
                {"id": row.id, "name": row.name, "tax": row.tax_id},
            )
        await tell(fresh, *facts)
        assert await picture(fresh, told.supplier_id) == await picture(database, told.supplier_id)


async def test_a_rule_is_readable_on_every_reversal(database: Database, told: Told) -> None:
    await tell(database, told.completed(100_000), told.reopened())
    async with database.transaction(SYSTEM) as session:
        texts = await session.execute(
            text(
                "SELECT DISTINCT rule_text FROM ledger_entries WHERE :id = ANY (parties)"
                " AND reverses IS NOT NULL"
            ),
            {"id": told.supplier_id},
        )
        assert texts.scalars().all() == [f"The order was reopened: {TERMS.rule.text}"]
    assert RULE.version == 3
