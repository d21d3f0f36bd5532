"""What it costs to begin a transaction, and that no connection carries a scope to its next
borrower, whatever became of the last one.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

import asyncpg
import msgspec
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.kernel.actor import Actor
from marketplace.kernel.db import SYSTEM, Database, set_scope
from marketplace.kernel.errors import NotFound
from marketplace.kernel.ids import OrganisationId, UserId
from marketplace.kernel.outages import is_outage
from marketplace.kernel.scope import as_house
from marketplace.kernel.statements import Source, Statement
from tests.people import NewPerson, Person
from tests.servers import Place

_SCOPE = Statement("SELECT coalesce(current_setting('app.scope', true), '') AS scope")
_SEEN = Statement("SELECT id FROM organisations")
_PREPARED = text("SELECT statement FROM pg_prepared_statements")
_SLOW = Statement("SELECT pg_sleep(:seconds)")


@pytest.fixture
async def narrow(servers: Place) -> AsyncIterator[Database]:
    """One connection of each kind, so that the next borrower gets the last one's."""
    database = Database(servers.database_url, pool_size=1)
    yield database
    await database.close()


def actor_of(person: Person) -> Actor:
    return Actor(
        user_id=UserId(person.user_id),
        organisation_id=OrganisationId(person.organisation_id),
        roles=frozenset(),
        capabilities=frozenset(),
    )


async def scope_of(source: Source) -> str:
    row = await _SCOPE.row(source)
    assert row is not None
    return str(row["scope"])


async def driver_of(session: AsyncSession) -> asyncpg.Connection:
    raw = await (await session.connection()).get_raw_connection()
    assert raw.driver_connection is not None
    return raw.driver_connection


async def test_a_transaction_costs_two_messages_beside_its_own(narrow: Database) -> None:
    sent: list[str] = []
    async with narrow.transaction(SYSTEM) as session:
        driver = await driver_of(session)
    with driver.query_logger(lambda query: sent.append(query.query)):
        async with narrow.transaction(SYSTEM) as session:
            assert await scope_of(session) == "system"
            prepared = await session.scalars(_PREPARED)
    # The logger is not told of prepared statements; PostgreSQL knows them.
    assert [query.partition(";")[0] for query in sent] == ["BEGIN", "COMMIT"]
    assert "app.scope" in sent[0]
    assert not any("set_config" in statement for statement in prepared)


async def test_a_transaction_that_asks_nothing_sends_nothing(narrow: Database) -> None:
    sent: list[str] = []
    async with narrow.transaction(SYSTEM) as session:
        driver = await driver_of(session)
    with driver.query_logger(lambda query: sent.append(query.query)):
        async with narrow.transaction(SYSTEM):
            pass
    assert sent == []


async def test_a_reading_costs_two_messages_beside_its_own(narrow: Database) -> None:
    sent: list[str] = []
    async with narrow.reading(SYSTEM) as reader:
        reader.add_query_logger(lambda query: sent.append(query.query))
        assert await scope_of(reader) == "system"
    assert len(sent) == 2, "the statement and the end"
    assert sent[-1] == "ROLLBACK"


async def test_each_transaction_of_a_session_says_its_scope_again(
    narrow: Database, new_buyer: NewPerson
) -> None:
    buyer = await new_buyer()
    async with narrow.session(actor_of(buyer)) as session:
        assert [row["id"] for row in await _SEEN.rows(session)] == [buyer.organisation_id]
        await set_scope(session, SYSTEM)
        await session.rollback()
        assert await scope_of(session) == "tenant"
        async with session.begin_nested():
            assert await scope_of(session) == "tenant"


async def test_a_savepoint_first_is_in_the_scope_too(narrow: Database) -> None:
    async with narrow.transaction(SYSTEM) as session, session.begin_nested():
        assert await scope_of(session) == "system"


async def test_what_was_meant_and_never_begun_is_not_left_to_the_next(narrow: Database) -> None:
    async with narrow.session(SYSTEM) as session:
        await session.connection()
    async with narrow.engine.connect() as connection:
        assert not await connection.scalar(text("SELECT current_setting('app.scope', true)"))


async def test_an_error_leaves_no_scope_behind(narrow: Database) -> None:
    with pytest.raises(DBAPIError):
        await _fail(narrow)
    async with narrow.engine.connect() as connection:
        assert not await connection.scalar(text("SELECT current_setting('app.scope', true)"))


async def _fail(database: Database) -> None:
    async with database.transaction(SYSTEM) as session:
        await session.execute(text("SELECT 1 / 0"))


async def test_a_beginning_that_fails_costs_the_connection(narrow: Database) -> None:
    async with narrow.session(SYSTEM) as session:
        driver = await driver_of(session)
        driver.opening = "SELECT 1 / 0"
        with pytest.raises(DBAPIError):
            await scope_of(session)
        assert driver.is_closed()
    async with narrow.transaction(SYSTEM) as session:
        assert await driver_of(session) is not driver
        assert await scope_of(session) == "system"


async def test_nothing_but_ids_gets_into_the_beginning(narrow: Database) -> None:
    actor = Actor(
        user_id=UserId(UUID(int=1)),
        organisation_id=OrganisationId(UUID(int=2)),
        roles=frozenset(),
        capabilities=frozenset(),
    )
    sly = msgspec.structs.replace(actor, user_id="', true); RESET ROLE; --")
    with pytest.raises(ValueError, match="hexadecimal"):
        async with narrow.reading(sly):
            pass
    with pytest.raises(ValueError, match="hexadecimal"):
        async with narrow.transaction(sly) as session:
            await scope_of(session)
    async with narrow.reading(actor) as reader:
        assert await scope_of(reader) == "tenant"


async def test_a_reader_sees_what_its_actor_may_and_writes_nothing(
    narrow: Database, new_buyer: NewPerson
) -> None:
    one, two = await new_buyer(), await new_buyer()
    async with narrow.reading(actor_of(one)) as reader:
        assert [row["id"] for row in await _SEEN.rows(reader)] == [one.organisation_id]
    async with narrow.reading(actor_of(two)) as reader:
        assert [row["id"] for row in await _SEEN.rows(reader)] == [two.organisation_id]
        with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
            await reader.execute("UPDATE organisations SET name = 'taken'")
    async with narrow.reading(None) as reader:
        assert await _SEEN.rows(reader) == []


async def test_a_reader_outside_its_transaction_is_nobody(narrow: Database) -> None:
    async with narrow.reading(SYSTEM) as reader:
        assert await scope_of(reader) == "system"
    pool = await narrow.readers()
    async with pool.acquire() as connection:
        assert await scope_of(connection) == ""
        assert await _SEEN.rows(connection) == []


async def test_the_house_acts_in_a_reader_for_its_block_only(
    narrow: Database, new_buyer: NewPerson
) -> None:
    buyer = await new_buyer()
    async with narrow.reading(actor_of(buyer)) as reader:
        async with as_house(reader):
            assert await scope_of(reader) == "system"
        assert await scope_of(reader) == "tenant"
        with pytest.raises(NotFound):
            async with as_house(reader):
                raise NotFound("anything")
        assert [row["id"] for row in await _SEEN.rows(reader)] == [buyer.organisation_id]


async def test_a_refusal_keeps_the_connection_and_no_scope(narrow: Database) -> None:
    before = await _pid(narrow)
    with pytest.raises(NotFound):
        async with narrow.reading(SYSTEM):
            raise NotFound("anything")
    with pytest.raises(asyncpg.DivisionByZeroError):
        async with narrow.reading(SYSTEM) as reader:
            await reader.execute("SELECT 1 / 0")
    assert await _pid(narrow) == before


async def test_a_cancelled_reader_is_replaced(narrow: Database) -> None:
    before, reading = await _pid(narrow), asyncio.Event()

    async def read() -> None:
        async with narrow.reading(SYSTEM) as reader:
            reading.set()
            await _SLOW.rows(reader, seconds=60.0)

    task = asyncio.create_task(read())
    await reading.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await _pid(narrow) != before


async def _pid(database: Database) -> int:
    """Of the only reader; it is nobody's."""
    async with database.reading(None) as reader:
        assert await scope_of(reader) == ""
        return int(await reader.fetchval("SELECT pg_backend_pid()"))


async def test_a_reader_whose_server_went_away_ends_without_a_word(
    narrow: Database, servers: Place
) -> None:
    async with narrow.reading(SYSTEM) as reader:
        pid = await reader.fetchval("SELECT pg_backend_pid()")
        admin = await asyncpg.connect(servers.database_url)
        await admin.execute("SELECT pg_terminate_backend($1)", pid)
        await admin.close()
        readers = await narrow.readers()
        async with asyncio.timeout(10):
            while readers.get_size():  # noqa: ASYNC110  # the driver tells nobody
                await asyncio.sleep(0)
    assert await _pid(narrow) != pid


async def test_no_server_at_all_is_an_outage() -> None:
    database = Database("postgresql://nobody@127.0.0.1:1/nothing", pool_size=1)
    with pytest.raises(ConnectionRefusedError) as away:
        async with database.reading(None):
            pass
    assert is_outage(away.value)
    await database.close()


@pytest.mark.parametrize(
    ("error", "away"),
    [
        (asyncpg.ConnectionDoesNotExistError("closed"), True),
        (asyncpg.InterfaceError("connection is closed"), True),
        (asyncpg.DeadlockDetectedError("again"), True),
        (asyncpg.TooManyConnectionsError("full"), True),
        (asyncpg.QueryCanceledError("slow"), True),
        (TimeoutError(), True),
        (asyncpg.DataError("invalid input"), False),
        (asyncpg.UniqueViolationError("twice"), False),
        (ValueError("wrong"), False),
    ],
)
def test_the_drivers_own_errors_are_told_apart(error: Exception, away: bool) -> None:
    assert is_outage(error) is away


async def test_a_statement_says_the_same_in_a_session_and_on_a_reader(narrow: Database) -> None:
    statement = Statement(
        "SELECT CAST(:word AS text) AS word, CAST(:number AS bigint) + :number AS twice,"
        " '{\"a\": [1]}'::jsonb AS object, ARRAY(SELECT CAST(:word AS text)) AS words"
    )
    values = {"word": "a:b", "number": 21}
    async with narrow.transaction(SYSTEM) as session, narrow.reading(SYSTEM) as reader:
        told = [await statement.row(source, **values) for source in (session, reader)]
    expected = {"word": "a:b", "twice": 42, "object": {"a": [1]}, "words": ["a:b"]}
    assert [dict(row or {}) for row in told] == [expected, expected]
