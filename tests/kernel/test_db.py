"""Transactions, scopes and row-level security."""

from __future__ import annotations

import asyncio
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts import queries
from marketplace.kernel.actor import Actor
from marketplace.kernel.db import SYSTEM, Database, set_scope, to_the_end
from marketplace.kernel.ids import OrganisationId, UserId
from marketplace.kernel.settings import APP_ROLE
from tests.people import NewPerson, Person
from tests.servers import Place

_PROTECTED = text(
    "SELECT oid::regclass::text FROM pg_class WHERE relrowsecurity AND relkind = 'r' ORDER BY 1"
)


def actor_of(person: Person, *, operator: bool = False) -> Actor:
    return Actor(
        user_id=UserId(person.user_id),
        organisation_id=OrganisationId(person.organisation_id),
        roles=frozenset(),
        capabilities=frozenset(),
        operator=operator,
    )


async def test_without_a_scope_every_tenant_table_is_empty(
    database: Database, new_buyer: NewPerson
) -> None:
    await new_buyer()
    async with AsyncSession(database.engine) as session:
        tables = (await session.scalars(_PROTECTED)).all()
        assert {"organisations", "users", "sessions", "api_keys", "audit_log"} <= set(tables)
        for table in tables:
            count = await session.scalar(text(f"SELECT count(*) FROM {table}"))
            assert count == 0, table


async def test_a_tenant_sees_only_its_own_rows(database: Database, new_buyer: NewPerson) -> None:
    one, two = await new_buyer(), await new_buyer()
    async with database.transaction(actor_of(one)) as session:
        seen = await session.scalars(text("SELECT id FROM organisations"))
        assert seen.all() == [one.organisation_id]
        owners = await session.scalars(text("SELECT DISTINCT organisation_id FROM sessions"))
        assert owners.all() == [one.organisation_id]
        assert await queries.user(session, two.user_id) is None


async def test_a_tenant_cannot_write_for_another(database: Database, new_buyer: NewPerson) -> None:
    one, two = await new_buyer(), await new_buyer()
    async with database.transaction(actor_of(one)) as session:
        changed = await session.execute(
            text("UPDATE organisations SET name = 'taken' WHERE id = :id RETURNING id"),
            {"id": two.organisation_id},
        )
        assert changed.all() == []
    with pytest.raises(Exception, match="row-level security"):
        await _plant_session(database, actor_of(one), two)


async def _plant_session(database: Database, actor: Actor, victim: Person) -> None:
    async with database.transaction(actor) as session:
        await session.execute(
            text(
                "INSERT INTO sessions VALUES (gen_random_uuid(), :organisation, :user, 'x', now(),"
                " now(), now(), null)"
            ),
            {"organisation": victim.organisation_id, "user": victim.user_id},
        )


async def test_the_audit_log_is_never_changed_not_even_by_the_house(
    database: Database, new_buyer: NewPerson
) -> None:
    buyer = await new_buyer()
    own = {"id": buyer.organisation_id}
    async with database.transaction(SYSTEM) as session:
        for statement in (
            "UPDATE audit_log SET what = 'nothing' WHERE organisation_id = :id RETURNING id",
            "DELETE FROM audit_log WHERE organisation_id = :id RETURNING id",
        ):
            assert (await session.execute(text(statement), own)).all() == []
        kept = await session.scalar(
            text("SELECT count(*) FROM audit_log WHERE organisation_id = :id"), own
        )
        assert kept == 1


async def test_everybody_may_know_a_name_but_no_tax_number(
    database: Database, new_buyer: NewPerson
) -> None:
    one, two = await new_buyer(), await new_buyer()
    async with database.transaction(actor_of(one)) as session:
        found = await queries.public_organisations(session, [two.organisation_id, UUID(int=1)])
        assert {each.name for each in found.values()} == {two.name}
        # Asking for a name opens nothing for the rest of the transaction.
        assert await queries.organisation(session, two.organisation_id) is None


async def test_a_scope_lasts_for_its_transaction_only(
    database: Database, new_buyer: NewPerson
) -> None:
    buyer = await new_buyer()
    async with AsyncSession(database.engine) as session:
        await set_scope(session, actor_of(buyer))
        assert await queries.user(session, buyer.user_id) is not None
        await session.rollback()
        session.expunge_all()
        assert await queries.user(session, buyer.user_id) is None


async def test_work_that_must_end_ends_even_when_its_caller_is_cancelled() -> None:
    begun, allowed, ended = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def work() -> None:
        begun.set()
        await allowed.wait()
        ended.set()

    caller = asyncio.create_task(to_the_end(work()))
    await begun.wait()
    caller.cancel()
    allowed.set()
    with pytest.raises(asyncio.CancelledError):
        await caller
    assert ended.is_set()


async def test_a_connection_that_the_server_ended_is_replaced_unnoticed(servers: Place) -> None:
    database = Database(servers.database_url, pool_size=1)
    async with database.transaction(SYSTEM) as session:
        connection = await session.connection()
        driver = (await connection.get_raw_connection()).driver_connection
        assert driver is not None
        pid = await session.scalar(text("SELECT pg_backend_pid()"))
    admin = await asyncpg.connect(servers.database_url)
    await admin.execute("SELECT pg_terminate_backend($1)", pid)
    await admin.close()
    async with asyncio.timeout(10):
        while not driver.is_closed():  # noqa: ASYNC110  # the driver tells nobody
            await asyncio.sleep(0)
    async with database.transaction(SYSTEM) as session:
        assert await session.scalar(text("SELECT pg_backend_pid()")) != pid
    await database.close()


async def test_a_borrower_leaves_its_role_and_settings_to_nobody(servers: Place) -> None:
    """A connection that stayed its owner's made tables that nobody else could read."""
    database = Database(servers.database_url, pool_size=1)
    pool = await database.pool()
    async with pool.acquire() as connection:
        before = await connection.fetchrow("SELECT pg_backend_pid(), current_user")
        await connection.execute("SET ROLE NONE")
        await connection.execute("SET app.scope = 'tenant'")
    async with pool.acquire() as connection:
        assert await connection.fetchrow("SELECT pg_backend_pid(), current_user") == before
        assert before["current_user"] == APP_ROLE
        assert await connection.fetchval("SHOW app.scope") == "system"
    await database.close()
