"""One URL for migrations, SQLAlchemy and the driver's pools, on real servers; and what is refused
by name before anything is contacted.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import quote

import asyncpg
import pytest
from sqlalchemy import text

from marketplace.kernel import embedded
from marketplace.kernel.database_url import DatabaseUrlError, NotWritableError, parse
from marketplace.kernel.db import SYSTEM, Database
from marketplace.kernel.server_urls import Host
from marketplace.kernel.settings import SettingsError, read_settings
from marketplace.migrations.run import migrate


class Pair:
    """A read-only server, as a standby is, and a writable one, each in a socket folder."""

    def __init__(self, folder: Path) -> None:
        self.read_only = embedded.start(
            folder / "standby",
            postgres_options=(
                "fsync=off",
                "cluster_name=standby",
                "default_transaction_read_only=on",
            ),
        )
        self.writable = embedded.start(
            folder / "primary", postgres_options=("fsync=off", "cluster_name=primary")
        )
        self.standby = self.read_only.database_url.partition("host=")[2]
        self.primary = self.writable.database_url.partition("host=")[2]

    def url(self, parameters: str = "", scheme: str = "postgresql") -> str:
        return f"{scheme}://postgres@/postgres?host={self.standby},{self.primary}{parameters}"

    def stop(self) -> None:
        self.read_only.stop()
        self.writable.stop()


@asynccontextmanager
async def tcp(folder: str) -> AsyncIterator[int]:
    """The port of a relay to the server's socket: the embedded servers themselves have no port."""

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            writer.write(data)
        writer.close()

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        up_reader, up_writer = await asyncio.open_unix_connection(f"{folder}/.s.PGSQL.5432")
        with contextlib.suppress(ConnectionError):
            await asyncio.gather(pump(reader, up_writer), pump(up_reader, writer))

    server = await asyncio.start_server(relay, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    pair = Pair(tmp_path_factory.mktemp("pair"))
    yield pair
    pair.stop()


WHERE = "SELECT current_setting('cluster_name')"


async def servers_of(database: Database) -> set[str]:
    """Which server SQLAlchemy and each of the driver's pools are connected to."""
    servers = set()
    async with database.transaction(SYSTEM) as session:
        servers.add(await session.scalar(text(WHERE)))
    for pool in (
        await database.pool(),
        await database.pool(steady=True),
        await database.readers(),
    ):
        servers.add(await pool.fetchval(WHERE))
    return servers


async def test_migrations_and_all_pools_find_the_writable_host(pair: Pair) -> None:
    url = pair.url("&sslmode=prefer&target_session_attrs=read-write", scheme="postgres")
    await migrate(url)
    database = Database(url, pool_size=1)
    try:
        assert await servers_of(database) == {"primary"}
    finally:
        await database.close()


async def test_several_hosts_mean_the_writable_one_unless_said_otherwise(pair: Pair) -> None:
    connection = await parse(pair.url()).connect(timeout=5)
    assert await connection.fetchval(WHERE) == "primary"
    await connection.close()
    anyone = await parse(pair.url("&target_session_attrs=any")).connect(timeout=5)
    assert await anyone.fetchval(WHERE) == "standby"
    await anyone.close()


async def test_a_frozen_host_leaves_time_for_the_next(pair: Pair) -> None:
    pair.read_only.postgres.freeze()
    try:
        async with asyncio.timeout(5):
            connection = await parse(pair.url()).connect(timeout=2)
        assert await connection.fetchval(WHERE) == "primary"
        await connection.close()
    finally:
        pair.read_only.postgres.thaw()


async def test_no_writable_host_is_an_outage_that_names_the_host(pair: Pair) -> None:
    url = f"postgresql://postgres@/postgres?host={pair.standby}&target_session_attrs=read-write"
    with pytest.raises(NotWritableError, match=f"{pair.standby} does not accept writes"):
        await parse(url).connect(timeout=5)


async def test_a_server_without_tls_is_refused_by_every_part_alike(pair: Pair) -> None:
    async with tcp(pair.primary) as port:
        url = f"postgresql://postgres@127.0.0.1:{port}/postgres?sslmode=require"
        with pytest.raises(ConnectionError, match="SSL"):
            await migrate(url)
        database = Database(url, pool_size=1)
        try:
            with pytest.raises(ConnectionError, match="SSL"):
                await servers_of(database)
            pool = await database.pool()
            with pytest.raises(ConnectionError, match="SSL"):
                await pool.fetchval("SELECT 1")
        finally:
            await database.close()


async def test_an_odd_password_is_read_the_same_by_every_part(pair: Pair) -> None:
    password = "p@ss:w/o?r#d%+ é"
    admin = await parse(pair.url()).connect(timeout=5)
    quoted = await admin.fetchval("SELECT quote_literal($1)", password)
    await admin.execute(f"CREATE ROLE odd LOGIN SUPERUSER PASSWORD {quoted}")
    await admin.close()
    async with tcp(pair.primary) as port:
        url = (
            f"postgresql://odd:{quote(password, safe='')}@127.0.0.1:{port}/postgres"
            "?sslmode=disable&options=-csearch_path%3Dpublic"
        )
        await migrate(url)
        database = Database(url, pool_size=1)
        try:
            assert await servers_of(database) == {"primary"}
        finally:
            await database.close()


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("mysql://u@h/d", "postgresql://"),
        ("postgresql+asyncpg://u@h/d", "postgresql://"),
        ("postgresql://u@h", "database"),
        ("postgresql://u@h/?sslmode=prefer", "database"),
        ("postgresql://u@h/d?dbname=e", "not both"),
        ("postgresql://u@h:0/d", "port"),
        ("postgresql://u@h:99999/d", "port"),
        ("postgresql://u@h:٣/d", "port"),
        ("postgresql://u@a,,b/d", "empty"),
        ("postgresql://u@::1/d", "brackets"),
        ("postgresql://u:hid@den@h/d", "%40"),
        ("postgresql://u:hid#den@h/d", "%23"),
        ("postgresql://u:hid%zz@h/d", "%25"),
        ("postgresql://u:hid den@h/d", "percent-encoded"),
        ("postgresql://u@h/d?sslmode=on", "sslmode"),
        ("postgresql://u@h/d?sslmode=", "sslmode"),
        ("postgresql://u@h/d?sslmode=require&sslmode=disable", "twice"),
        ("postgresql://u@h/d?channel_binding=require", "channel_binding"),
        ("postgresql://u@h/d?connect_timeout=3", "connect_timeout"),
        ("postgresql://u@h/d?application_name=x", "application_name"),
        ("postgresql://u@h/d?SSLMODE=require", "SSLMODE"),
        ("postgresql://u@h/d?target_session_attrs=standby", "target_session_attrs"),
        ("postgresql://u@h/d?sslrootcert=/nowhere/ca.pem", "sslrootcert"),
        ("postgresql://u@h/d?sslcert=/nowhere/me.pem", "sslcert"),
        ("postgresql://u@h/d?host=/tmp", "both"),
        ("postgresql://u@/d?host=a,b&port=1,2,3", "one for each host"),
        ("postgresql://u@h/d?password=hid+den", "%2B"),
        ("postgresql://u@h/d?nonsense", "name=value"),
        (f"postgresql://u@{','.join(['h'] * 17)}/d", "16"),
    ],
)
def test_what_one_part_cannot_take_is_refused_in_one_line(url: str, word: str) -> None:
    env = {"MARKETPLACE_DATABASE_URL": url, "MARKETPLACE_REDIS_URL": "redis://h"}
    with pytest.raises(SettingsError) as refused:
        read_settings(env | {"MARKETPLACE_SECRET": "kept"})
    line = str(refused.value)
    assert word in line
    assert line.startswith("MARKETPLACE_DATABASE_URL: ")
    assert "\n" not in line
    assert "hid" not in line, "no part of a password"
    with pytest.raises(DatabaseUrlError):
        Database(url)


@pytest.mark.parametrize(
    ("url", "hosts"),
    [
        ("postgresql://u@/d?host=/run/pg", [Host("/run/pg", 5432)]),
        ("postgresql://u@%2Frun%2Fpg/d", [Host("/run/pg", 5432)]),
        ("postgresql://u@[::1]:6000,b/d", [Host("::1", 6000), Host("b", 5432)]),
        ("postgres://u@/d?host=a,b&port=1", [Host("a", 1), Host("b", 1)]),
        ("postgres://u@/d?host=a,b&port=1,2", [Host("a", 1), Host("b", 2)]),
        ("postgresql:///d", []),
    ],
)
def test_hosts_are_read_as_libpq_reads_them(url: str, hosts: list[Host]) -> None:
    assert parse(url).hosts == tuple(hosts)


async def test_a_wrong_user_is_not_hidden_by_a_second_host(pair: Pair) -> None:
    """An answer of a server that is there says more than a refused connection of another."""
    url = f"postgresql://nobody@/postgres?host={pair.primary},/nonexistent"
    with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError, match="nobody"):
        await parse(url).connect(timeout=5)
