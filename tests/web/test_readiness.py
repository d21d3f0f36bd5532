"""`/readyz` on servers that are up and yet cannot take a bid: it names what fails, in a second."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import httpx
import msgspec
import pytest

from auctions.book import trial
from marketplace.kernel import embedded
from marketplace.kernel.redis import AnyRedis, connect
from marketplace.kernel.settings import Settings
from marketplace.migrations.run import migrate
from tests.auctions.book.nodes import Node
from tests.conftest import serve
from web import readiness
from web.app import create_app

HIDDEN = "a-password"


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[embedded.Servers]:
    with embedded.start(tmp_path_factory.mktemp("own"), postgres_options=("fsync=off",)) as servers:
        yield servers


@pytest.fixture(scope="module")
async def own_settings(own: embedded.Servers, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    await migrate(own.database_url)
    return Settings(
        database_url=own.database_url,
        redis_url=own.redis_url,
        secret="a secret of the tests",
        data_dir=tmp_path_factory.mktemp("data"),
    )


@pytest.fixture
async def admin(own: embedded.Servers, own_settings: Settings) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(own.database_url)
    yield connection
    await connection.close()


@pytest.fixture
async def order(own: embedded.Servers) -> AsyncIterator[AnyRedis]:
    redis = connect(own.redis_url)
    yield redis
    await redis.aclose()


@pytest.fixture
async def node(own_settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    async with running(own_settings) as client:
        yield client


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    async with serve(create_app(settings)) as url, httpx.AsyncClient(base_url=url) as client:
        yield client


def as_redis_user(settings: Settings, user: str) -> Settings:
    url = settings.redis_url.replace("unix://", f"unix://{user}:{HIDDEN}@")
    return msgspec.structs.replace(settings, redis_url=url)


async def failing(client: httpx.AsyncClient) -> dict[str, str]:
    """Reasons by check, answered as a problem within a second; nothing if it is ready."""
    # Callers share a try that is under way, also one of the outage log's that began before the
    # test changed something; the next begins after that.
    await client.get("/readyz", timeout=5)
    began = time.monotonic()
    answer = await client.get("/readyz", timeout=5)
    assert time.monotonic() - began < 1.0
    assert (answer.status_code == 200) == all(each["ok"] for each in answer.json()["checks"])
    assert HIDDEN not in answer.text
    reasons = {c["name"]: c["reason"] for c in answer.json()["checks"] if not c["ok"]}
    if reasons:
        assert answer.status_code == 503
        assert answer.headers["content-type"] == "application/problem+json"
        assert all(reason in answer.json()["detail"] for reason in reasons.values())
    return reasons


async def test_a_ready_node_leaves_nothing_behind(
    node: httpx.AsyncClient, admin: Any, order: AnyRedis
) -> None:
    assert await failing(node) == {}
    assert await order.keys("*") == []
    for table in trial.TABLES:
        assert await admin.fetchval(f"SELECT count(*) FROM {table}") == 0


async def test_a_read_only_database_is_named(node: httpx.AsyncClient, admin: Any) -> None:
    assert await failing(node) == {}
    await admin.execute("ALTER DATABASE postgres SET default_transaction_read_only = on")
    await admin.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE application_name = 'marketplace'"
    )
    try:
        # The first try may still find the connection that has just been closed.
        await failing(node)
        assert await failing(node) == {"PostgreSQL": "it is read-only"}
    finally:
        await admin.execute("SET default_transaction_read_only = off")
        await admin.execute("ALTER DATABASE postgres RESET default_transaction_read_only")
        await admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'marketplace'"
        )
    await failing(node)
    assert await failing(node) == {}


@pytest.mark.parametrize("table", trial.TABLES)
async def test_a_locked_table_is_named(node: httpx.AsyncClient, admin: Any, table: str) -> None:
    async with admin.transaction():
        await admin.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        assert await failing(node) == {"PostgreSQL": f"the table {table} is locked"}
    assert await failing(node) == {}


async def test_a_missing_permission_is_named(node: httpx.AsyncClient, admin: Any) -> None:
    await admin.execute("REVOKE INSERT ON auction_commands FROM marketplace_app")
    try:
        reason = "a permission is missing for auction_commands"
        assert await failing(node) == {"PostgreSQL": reason}
    finally:
        await admin.execute("GRANT INSERT ON auction_commands TO marketplace_app")


async def test_a_database_that_was_never_migrated_is_named(
    own_settings: Settings, admin: Any
) -> None:
    await admin.execute("CREATE DATABASE empty")
    url = own_settings.database_url.replace("/postgres?", "/empty?")
    async with running(msgspec.structs.replace(own_settings, database_url=url)) as client:
        reason = "its tables are missing; run marketplace migrate"
        assert await failing(client) == {"PostgreSQL": reason}


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("/postgres?", "/nowhere?", "there is no database of that name"),
        ("//postgres@", "//nobody@", "it refuses the user or the password"),
        ("host=", "host=/nonexistent", "it cannot be reached"),
    ],
)
async def test_a_wrong_database_url_is_named(
    own_settings: Settings, old: str, new: str, reason: str
) -> None:
    url = own_settings.database_url.replace(old, new)
    async with running(msgspec.structs.replace(own_settings, database_url=url)) as client:
        assert await failing(client) == {"PostgreSQL": reason}


@pytest.mark.parametrize(
    "command",
    ["xadd", "hset", "evalsha", "xrange", "hmget", "publish", "spublish", "ssubscribe", "unlink"],
)
async def test_a_missing_right_in_redis_is_named(
    own_settings: Settings, order: AnyRedis, command: str
) -> None:
    rules = ["on", f">{HIDDEN}", "~*", "&*", "+@all", f"-{command}"]
    await order.execute_command("ACL", "SETUSER", f"without-{command}", *rules)
    async with running(as_redis_user(own_settings, f"without-{command}")) as client:
        reasons = await failing(client)
    expected = {"Redis": f"its user may not run {command}"}
    # A lone server is asked by one of the two ways to publish.
    assert reasons == ({} if command == "publish" else expected)
    await order.flushdb()


async def test_a_wrong_password_of_redis_is_named(own_settings: Settings) -> None:
    async with running(as_redis_user(own_settings, "nobody")) as client:
        assert await failing(client) == {"Redis": "it refuses the user or the password"}


async def test_a_full_redis_is_named(node: httpx.AsyncClient, order: AnyRedis) -> None:
    await order.config_set("maxmemory", "1")
    try:
        assert await failing(node) == {"Redis": "its memory is full"}
    finally:
        await order.config_set("maxmemory", "0")
    assert await failing(node) == {}


async def test_a_replica_is_named(node: httpx.AsyncClient, order: AnyRedis) -> None:
    await order.execute_command("REPLICAOF", "127.0.0.1", "1")
    try:
        assert await failing(node) == {"Redis": "it is read-only, a replica"}
    finally:
        await order.execute_command("REPLICAOF", "NO", "ONE")
    assert await failing(node) == {}


async def test_frozen_servers_are_named_in_time_again_and_again(
    node: httpx.AsyncClient, own: embedded.Servers
) -> None:
    assert await failing(node) == {}
    late = f"it does not answer within {readiness.READY_TIMEOUT_S} s"
    own.postgres.freeze()
    own.redis.freeze()
    try:
        for _ in range(3):
            assert await failing(node) == {"PostgreSQL": late, "Redis": late}
    finally:
        own.postgres.thaw()
        own.redis.thaw()
    async with _until_ready(node):
        pass


@asynccontextmanager
async def _until_ready(client: httpx.AsyncClient) -> AsyncIterator[None]:
    deadline = time.monotonic() + 20
    while (await client.get("/readyz")).status_code != 200:
        assert time.monotonic() < deadline
    yield


async def test_a_full_node_is_not_ready_and_says_before_that_it_fills_up(
    own: embedded.Servers, own_settings: Settings
) -> None:
    app = create_app(msgspec.structs.replace(own_settings, auctions_max=5))
    async with Node(own) as maker:
        made = [await maker.new_auction("a") for _ in range(5)]
    async with serve(app) as url, httpx.AsyncClient(base_url=url) as node:
        books = app.litestar.state.living.books
        for auction_id in made[:4]:
            (await books.open(auction_id)).listeners.append(lambda _: None)
        checks = (await node.get("/readyz")).json()["checks"]
        assert {"name": "auctions", "ok": True, "reason": "it follows 4 of at most 5"} in checks
        metrics = (await node.get("/metrics")).text
        assert "marketplace_auctions_followed 4.0" in metrics
        assert "marketplace_auctions_max 5.0" in metrics
        (await books.open(made[4])).listeners.append(lambda _: None)
        assert await failing(node) == {"auctions": "it follows its maximum of 5"}


async def test_many_who_ask_at_once_share_one_try(node: httpx.AsyncClient, admin: Any) -> None:
    """Each try writes and commits, and anybody may ask."""
    async with admin.transaction():
        await admin.execute("LOCK TABLE auction_head IN ACCESS EXCLUSIVE MODE")
        async with contextlib.AsyncExitStack() as stack:
            group = await stack.enter_async_context(asyncio.TaskGroup())
            asked = [group.create_task(node.get("/readyz")) for _ in range(20)]
            await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
    assert {task.result().status_code for task in asked} == {503}
