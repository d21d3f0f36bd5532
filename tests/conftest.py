"""Fixtures for tests against the real application on real servers.

The pytest process starts PostgreSQL and Valkey once; each xdist worker gets a database copied from
a migrated template and a Redis index of its own, and runs the application on a real uvicorn.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
import structlog
import uvicorn

from marketplace.accounts import passwords
from marketplace.accounts.guessing import LoginLimits
from marketplace.accounts.passwords import Passwords
from marketplace.accounts.schemas import NewUser
from marketplace.accounts.service import make_operator
from marketplace.exchange.mailing import link_sealer
from marketplace.kernel.clock import Clock
from marketplace.kernel.db import SYSTEM, Database
from marketplace.kernel.logs import exception_places
from marketplace.kernel.redis import AnyRedis, connect
from marketplace.kernel.sealing import Sealer
from marketplace.kernel.settings import Settings
from marketplace.kernel.throttle import Rate
from tests.people import PASSWORD, Connect, NewPerson, Person, log_in, register, unique
from tests.servers import Place, TestServers, own_place
from web.app import Application, create_app
from web.http_protocol import BoundedProtocol
from web.serve import KEEP_ALIVE_S

# Quick, and what a production log would say; not cached, so that `capture_logs` works.
structlog.configure(
    processors=[
        structlog.processors.add_log_level,
        exception_places,
        structlog.processors.JSONRenderer(),
    ]
)
_SERVERS = pytest.StashKey[TestServers]()
# Hundreds of people log in here; what a hash costs in production stands in its own test.
PASSWORD_COST = (passwords.MEMORY_KIB, passwords.PASSES, passwords.LANES)
passwords.MEMORY_KIB, passwords.PASSES = 64, 1
# One address registers hundreds of organisations here; the throttle has tests of its own.
LIMITS = LoginLimits(per_address=Rate(per_s=1_000, burst=100_000))
_OPERATOR_EMAIL = "operator@example.com"


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput") and not config.option.collectonly:
        config.stash[_SERVERS] = TestServers()


def pytest_make_parametrize_id(config: pytest.Config, val: object) -> str | None:
    """Packed bytes hold the time they were packed at: as names they would differ by worker."""
    return f"{len(val)}-bytes" if isinstance(val, bytes) else None


def pytest_unconfigure(config: pytest.Config) -> None:
    if servers := config.stash.get(_SERVERS, None):
        servers.stop()


class _Workers:
    """xdist's hook; a plugin of its own because plain pytest knows no such hook."""

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        worker = node.workerinput["workerid"]
        place = node.config.stash[_SERVERS].place(worker, int(worker.removeprefix("gw")) + 1)
        node.workerinput["database_url"] = place.database_url
        node.workerinput["redis_url"] = place.redis_url


def pytest_plugin_registered(plugin: object, manager: pytest.PytestPluginManager) -> None:
    if not manager.has_plugin("marketplace-workers"):
        manager.register(_Workers(), "marketplace-workers")


@pytest.fixture(scope="session")
def servers(request: pytest.FixtureRequest) -> Place:
    """Where this worker's own database and Redis index are."""
    given = getattr(request.config, "workerinput", None)
    if given is not None:
        return Place(given["database_url"], given["redis_url"])
    return request.config.stash[_SERVERS].place("main", 0)


@pytest.fixture(scope="session")
def settings(servers: Place, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings(
        database_url=servers.database_url,
        redis_url=servers.redis_url,
        secret="a secret of the tests",
        data_dir=tmp_path_factory.mktemp("data"),
    )


@pytest.fixture(scope="session")
async def database(settings: Settings) -> AsyncIterator[Database]:
    database = Database(settings.database_url)
    yield database
    await database.close()


@pytest.fixture(scope="session")
async def redis(settings: Settings) -> AsyncIterator[AnyRedis]:
    redis = connect(settings.redis_url)
    yield redis
    await redis.aclose()


@pytest.fixture(scope="session")
def app(settings: Settings) -> Application:
    """The real application; `live_server` runs it."""
    return create_app(settings, limits=LIMITS)


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield  # Ctrl-C belongs to pytest


@pytest.fixture(scope="session")
async def live_server(app: Application) -> AsyncIterator[str]:
    """`http://127.0.0.1:PORT` of the application on a real uvicorn in this event loop."""
    async with serve(app) as url:
        yield url


@contextlib.asynccontextmanager
async def serve(
    app: Application, http: type[BoundedProtocol] = BoundedProtocol
) -> AsyncIterator[str]:
    """Run `app` on a free port; for tests that need a node of their own."""
    config = uvicorn.Config(
        app,
        host="127.0.0.1",
        port=0,
        http=http,
        ws="websockets-sansio",
        lifespan="on",
        log_config=None,
        access_log=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=2,
        ws_per_message_deflate=False,
    )
    server = _Server(config)
    config.load()
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    assert server.started, "the application did not start"
    port = server.servers[0].sockets[0].getsockname()[1]
    ticking = asyncio.create_task(server.main_loop())
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await ticking
        await server.shutdown()


class Clients:
    """Makes clients, and opens the mails that would be sent."""

    def __init__(self, url: str, database: Database, links: Sealer) -> None:
        self._url = url
        self._database = database
        self._links = links
        self._clients: list[httpx.AsyncClient] = []

    def __call__(self) -> httpx.AsyncClient:
        # Without `verify=False` each of them reads the certificates of the world.
        self._clients.append(httpx.AsyncClient(base_url=self._url, timeout=20, verify=False))
        return self._clients[-1]

    async def mailed_path(self, email: str) -> str:
        pool = await self._database.pool()
        row = await pool.fetchrow(
            "SELECT id, link_sealed, path FROM exchange_mails WHERE address = $1"
            " ORDER BY id DESC LIMIT 1",
            email,
        )
        assert row is not None, f"no mail waits for {email}"
        if row["link_sealed"] is None:
            return str(row["path"])
        return self._links.open(row["link_sealed"], row["id"].bytes).decode()

    async def close(self) -> None:
        for client in self._clients:
            await client.aclose()


@pytest.fixture(scope="session")
async def connect_client(
    live_server: str, database: Database, settings: Settings
) -> AsyncIterator[Connect]:
    """`connect_client()` is a client that knows nobody yet; all are closed at the end."""
    made = Clients(live_server, database, link_sealer(settings.secret))
    yield made
    await made.close()


@pytest.fixture
def client(connect_client: Connect) -> httpx.AsyncClient:
    """An HTTP client of the running application that is not logged in."""
    return connect_client()


@pytest.fixture(scope="session")
async def operator(database: Database, connect_client: Connect) -> Person:
    """The one operator of this database, logged in."""
    return await make_first_operator(database, connect_client)


async def make_first_operator(database: Database, connect: Connect) -> Person:
    """The operator of a database that has none yet, logged in."""
    user = NewUser(name="Operator", email=_OPERATOR_EMAIL, password=PASSWORD)
    async with database.transaction(SYSTEM) as session:
        made = await make_operator(session, Clock(), Passwords(), "The Operator", user)
    person = Person(
        client=connect(),
        organisation_id=made.organisation.id,
        user_id=made.user.id,
        email=_OPERATOR_EMAIL,
        name="The Operator",
    )
    await log_in(person)
    return person


@pytest.fixture(scope="session")
def new_operator(operator: Person) -> NewPerson:
    """`await new_operator()`: a marketplace has one, so it is the same person each time."""

    async def make() -> Person:
        return operator

    return make


@pytest.fixture(scope="session")
def new_buyer(connect_client: Connect) -> NewPerson:
    """`await new_buyer()`: a fresh buyer with every buyer's role, logged in by cookie."""
    return buyers(connect_client)


@pytest.fixture(scope="session")
def new_supplier(connect_client: Connect, operator: Person) -> NewPerson:
    """`await new_supplier()`: a fresh supplier, approved unless `approved=False`."""
    return suppliers(connect_client, operator)


def buyers(connect: Connect) -> NewPerson:
    async def make(name: str | None = None) -> Person:
        return await register(connect, name or unique("Buyer"), ["buys"])

    return make


def suppliers(connect: Connect, operator: Person) -> NewPerson:
    async def make(name: str | None = None, *, approved: bool = True) -> Person:
        supplier = await register(connect, name or unique("Supplier"), ["supplies"])
        if approved:
            answer = await operator.client.post(
                f"/api/v1/organisations/{supplier.organisation_id}/approve"
            )
            assert answer.status_code == 200, answer.text
        return supplier

    return make


class Marketplace(msgspec.Struct, frozen=True, kw_only=True):
    """A running marketplace with its people; the fields are what the fixtures of a run are."""

    app: Application
    url: str
    settings: Settings
    database: Database
    connect: Connect
    operator: Person
    new_buyer: NewPerson
    new_supplier: NewPerson


@pytest.fixture(scope="module")
async def own_marketplace(
    servers: Place, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Marketplace]:
    """An empty marketplace for one module: for tests that read all there is, and so would find
    what other tests wrote.
    """
    place = await own_place(servers)
    settings = Settings(
        database_url=place.database_url,
        redis_url=place.redis_url,
        secret="a secret of one module",
        data_dir=tmp_path_factory.mktemp("own"),
    )
    database = Database(settings.database_url)
    app = create_app(settings, limits=LIMITS)
    async with serve(app) as url:
        connect = Clients(url, database, link_sealer(settings.secret))
        operator = await make_first_operator(database, connect)
        yield Marketplace(
            app=app,
            url=url,
            settings=settings,
            database=database,
            connect=connect,
            operator=operator,
            new_buyer=buyers(connect),
            new_supplier=suppliers(connect, operator),
        )
        await connect.close()
    await database.close()


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the checkout."""
    return Path(__file__).parent.parent
