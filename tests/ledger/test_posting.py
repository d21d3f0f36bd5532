"""The one writer of the ledger: sums, exactly once, floors under concurrency, who reads what."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError

from marketplace.kernel.actor import Actor
from marketplace.kernel.db import SYSTEM, Database
from marketplace.kernel.errors import Conflict
from marketplace.kernel.ids import new_id
from marketplace.ledger.posting import Account, Entry, Transfer, post, post_all
from tests.ledger.partners import RULE, new_organisation, order

NO_SHRINKING = [Phase.explicit, Phase.generate]
"""Every example takes a database; a shrinker would run for minutes."""
NOW = datetime(2026, 6, 1, tzinfo=UTC)
AT_ONCE = 50


def entry(partner: Actor, *transfers: Transfer, once: str | None = None) -> Entry:
    return Entry(
        at=NOW,
        source=order(),
        rule=RULE,
        once=once or f"test {new_id()}",
        parties=[partner.organisation_id],
        transfers=transfers,
    )


def purse(partner: Actor, ref: str = "") -> Account:
    return Account(partner.organisation_id, "fund_available", "EUR", ref)


OPERATOR = Account(None, "expense", "EUR")


async def balance_of(database: Database, account: Account) -> tuple[int, int | None]:
    """(sum of the postings, running balance)."""
    async with database.transaction(SYSTEM) as session:
        row = (
            await session.execute(
                text(
                    "SELECT coalesce(sum(p.amount), 0), a.balance FROM ledger_accounts a"
                    " LEFT JOIN ledger_postings p ON p.account_id = a.id WHERE a.id = :id"
                    " GROUP BY a.balance"
                ),
                {"id": account.id},
            )
        ).one()
    return int(row[0]), row[1]


@pytest.fixture
async def partner(database: Database) -> Actor:
    return await new_organisation(database)


async def test_an_entry_is_written_once(database: Database, partner: Actor) -> None:
    first = entry(partner, Transfer(OPERATOR, purse(partner), 500), once=f"once {new_id()}")
    again = entry(partner, Transfer(OPERATOR, purse(partner), 500), once=first.once)
    for attempt, written in ((first, True), (again, False), (first, False)):
        async with database.transaction(SYSTEM) as session:
            assert await post(session, attempt) is written
    assert await balance_of(database, purse(partner)) == (500, 500)


async def test_the_same_entry_from_many_connections_is_written_once(
    database: Database, partner: Actor
) -> None:
    once = f"once {new_id()}"

    async def attempt() -> bool:
        async with database.transaction(SYSTEM) as session:
            return await post(
                session, entry(partner, Transfer(OPERATOR, purse(partner), 7), once=once)
            )

    written = await asyncio.gather(*(attempt() for _ in range(20)))
    assert sorted(written) == [False] * 19 + [True]
    assert await balance_of(database, purse(partner)) == (7, 7)


async def test_fifty_requests_at_once_never_overdraw(database: Database, partner: Actor) -> None:
    reserved = Account(partner.organisation_id, "fund_reserved", "EUR")
    async with database.transaction(SYSTEM) as session:
        await post(session, entry(partner, Transfer(OPERATOR, purse(partner), 1_000)))

    async def ask(amount: int) -> int:
        try:
            async with database.transaction(SYSTEM) as session:
                await post(session, entry(partner, Transfer(purse(partner), reserved, amount)))
        except Conflict:
            return 0
        return amount

    taken = await asyncio.gather(*(ask(30 + number % 7) for number in range(AT_ONCE)))
    left, running = await balance_of(database, purse(partner))
    assert left == running == 1_000 - sum(taken)
    # What is left would not have been enough for any of those that were refused.
    assert 0 <= left < 37
    assert (await balance_of(database, reserved))[0] == sum(taken)


async def test_a_refused_entry_leaves_nothing_in_its_transaction(
    database: Database, partner: Actor
) -> None:
    spent = Account(partner.organisation_id, "fund_spent", "EUR")
    refused = entry(partner, Transfer(purse(partner), spent, 1))
    async with database.transaction(SYSTEM) as session:
        with pytest.raises(Conflict) as refusal:
            await post(session, refused)
        assert refusal.value.code == "insufficient_funds"
        assert await post(session, entry(partner, Transfer(OPERATOR, purse(partner), 3)))
    async with database.transaction(SYSTEM) as session:
        rows = await session.execute(
            text("SELECT count(*) FROM ledger_entries WHERE id = :id"), {"id": refused.id}
        )
        assert rows.scalar_one() == 0
    assert await balance_of(database, purse(partner)) == (3, 3)


async def test_a_forced_entry_makes_a_debt(database: Database, partner: Actor) -> None:
    forced = entry(partner, Transfer(purse(partner), OPERATOR, 40))
    async with database.transaction(SYSTEM) as session:
        await post(session, forced.__class__(**{**_fields(forced), "forced": True}))
    assert await balance_of(database, purse(partner)) == (-40, -40)


def _fields(of: Entry) -> dict[str, object]:
    return {name: getattr(of, name) for name in of.__struct_fields__}


async def test_postings_that_do_not_sum_to_zero_are_refused_by_the_database(
    database: Database, partner: Actor
) -> None:
    whole = entry(partner, Transfer(OPERATOR, purse(partner), 10))
    async with database.transaction(SYSTEM) as session:
        await post(session, whole)
    with pytest.raises(IntegrityError, match="does not sum to zero"):
        async with database.transaction(SYSTEM) as session:
            await session.execute(
                text(
                    "INSERT INTO ledger_postings (entry_id, position, account_id, asset, amount)"
                    " VALUES (:entry, 9, :account, 'EUR', 1)"
                ),
                {"entry": whole.id, "account": OPERATOR.id},
            )


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger_entries SET rule_text = 'another' WHERE id = :id",
        "UPDATE ledger_postings SET amount = amount * 2 WHERE entry_id = :id",
        "DELETE FROM ledger_postings WHERE entry_id = :id",
        "DELETE FROM ledger_entries WHERE id = :id",
        "DELETE FROM ledger_accounts",
        "DELETE FROM accruals",
    ],
)
async def test_nobody_changes_or_deletes_what_was_posted(
    database: Database, partner: Actor, statement: str
) -> None:
    whole = entry(partner, Transfer(OPERATOR, purse(partner), 10))
    async with database.transaction(SYSTEM) as session:
        await post(session, whole)
    async with database.transaction(SYSTEM) as session:
        result = await session.execute(text(statement), {"id": whole.id})
        assert result.rowcount == 0  # type: ignore[attr-defined]


async def test_two_partners_of_one_operator_see_nothing_of_each_other(database: Database) -> None:
    ours, theirs = await new_organisation(database), await new_organisation(database)
    mine = entry(ours, Transfer(OPERATOR, purse(ours), 10))
    foreign = entry(theirs, Transfer(OPERATOR, purse(theirs), 20))
    async with database.transaction(SYSTEM) as session:
        await post(session, mine)
        await post(session, foreign)
    async with database.transaction(ours) as session:
        entries = (await session.execute(text("SELECT id FROM ledger_entries"))).scalars().all()
        assert entries == [mine.id]
        posted = await session.execute(text("SELECT entry_id, amount FROM ledger_postings"))
        assert sorted(posted.all()) == [(mine.id, -10), (mine.id, 10)]
        owners = await session.execute(text("SELECT DISTINCT owner_id FROM ledger_accounts"))
        assert set(owners.scalars()) <= {None, ours.organisation_id}
    with pytest.raises(DBAPIError, match="row-level security"):
        async with database.transaction(ours) as session:
            await session.execute(
                text(
                    "INSERT INTO ledger_accounts (id, owner_id, kind, asset)"
                    " VALUES (:id, :owner, 'payable', 'EUR')"
                ),
                {"id": new_id(), "owner": ours.organisation_id},
            )


AMOUNTS = st.lists(st.integers(min_value=1, max_value=10**12), min_size=1, max_size=4)


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    phases=NO_SHRINKING,
)
@given(batches=st.lists(AMOUNTS, min_size=1, max_size=5), assets=st.data())
async def test_every_entry_sums_to_zero_in_each_asset(
    database: Database, partner: Actor, batches: list[list[int]], assets: st.DataObject
) -> None:
    entries = []
    for amounts in batches:
        transfers = []
        for amount in amounts:
            asset = assets.draw(st.sampled_from(["EUR", "PLN"]))
            payable = Account(partner.organisation_id, "payable", asset)
            expense = Account(None, "expense", asset)
            transfers.append(Transfer.signed(expense, payable, amount))
        entries.append(entry(partner, *transfers))
    async with database.transaction(SYSTEM) as session:
        assert await post_all(session, entries) == {one.id for one in entries}
        assert await post_all(session, entries) == frozenset()
    async with database.transaction(SYSTEM) as session:
        off = await session.execute(
            text(
                "SELECT entry_id, asset FROM ledger_postings GROUP BY entry_id, asset"
                " HAVING sum(amount) <> 0"
            )
        )
        assert off.all() == []
