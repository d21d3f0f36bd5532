"""The plug is pulled at every stage of an import: the old version stays, and the import goes on."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest

from marketplace.kernel import embedded
from marketplace.kernel.actor import Actor
from marketplace.kernel.clock import Clock, Micros
from marketplace.kernel.db import Database
from marketplace.kernel.ids import OrganisationId, UserId
from marketplace.migrations.run import migrate
from pricing.imports import service
from pricing.imports.lease import LEASE
from pricing.imports.run import work_imports
from pricing.imports.schemas import CommitPriceImport, NewPriceImport
from pricing.imports.upload import receive as uploads
from pricing.lists import service as lists
from pricing.lists.queries import LINES
from pricing.lists.schemas import NewPriceList

ROWS = 30_000
WORKER = """
import asyncio, sys
from marketplace.kernel.clock import Clock
from marketplace.kernel.db import Database
from pricing.imports.run import work_imports
asyncio.run(work_imports(Database(sys.argv[1]), Clock()))
"""
SUPPLIER = Actor(
    user_id=UserId(UUID(int=1)),
    organisation_id=OrganisationId(UUID(int=1)),
    roles=frozenset(["partner_manager"]),
    capabilities=frozenset(["supplies"]),
)


class LaterClock(Clock):
    """After the lease of a dead worker has run out."""

    def now_us(self) -> Micros:
        return Micros(super().now_us() + to_micros_of(LEASE + timedelta(seconds=1)))


def to_micros_of(span: timedelta) -> int:
    return span // timedelta(microseconds=1)


def csv_of(price: int) -> bytes:
    rows = (f"S{n:06d},C62,EUR,{price}.{n % 100:02d},Name {n}\n" for n in range(ROWS))
    return ("sku,unit,currency,price,name\n" + "".join(rows)).encode()


async def pieces(content: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(content), 100_000):
        yield content[start : start + 100_000]


class Place:
    """Servers of this test's own, with one supplier and one list at version 1."""

    def __init__(self, servers: embedded.Servers) -> None:
        self.servers = servers
        self.database = Database(servers.database_url)
        self.list_id = UUID(int=0)

    async def begin(self, content: bytes, *, mode: str = "replace") -> UUID:
        async with self.database.transaction(SUPPLIER) as session:
            data = NewPriceImport(price_list_id=self.list_id, mode=mode)  # type: ignore[arg-type]
            made = await service.begin(session, SUPPLIER, data, Clock().now())
        await uploads.receive(
            self.database, SUPPLIER, Clock(), made.id, pieces(content), len(content)
        )
        return made.id

    async def row(self, import_id: UUID) -> tuple[str, int]:
        """(state, version of the list) as everybody sees them."""
        async with self.database.transaction(SUPPLIER) as session:
            view = await service.show(session, SUPPLIER, import_id)
            shown = await lists.show_list(session, self.list_id)
            return view.state, shown.version

    async def prices(self) -> set[int]:
        """Whole prices of the first page of the current version."""
        async with self.database.transaction(SUPPLIER) as session:
            shown = await lists.show_list(session, self.list_id)
            page = await lists.lines(session, self.list_id, shown.version, page=LINES.page(200))
        return {int(line.price.amount.partition(".")[0]) for line in page.items}

    async def open_lines(self) -> int:
        pool = await self.database.pool()
        return await pool.fetchval("SELECT count(*) FROM price_lines WHERE until IS NULL")

    def worker(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "-c", WORKER, self.servers.database_url])

    async def until(self, import_id: UUID, state: str) -> str:
        """Wait until the import is in `state`, or past it."""
        order = ["reading", "validating", "publishing", "published"]
        async with asyncio.timeout(120):
            while True:
                now, _ = await self.row(import_id)
                if order.index(now) >= order.index(state):
                    return now
                await asyncio.sleep(0.002)


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    with embedded.start(tmp_path / "servers") as servers:
        await migrate(servers.database_url)
        connection = await asyncpg.connect(servers.database_url)
        await connection.execute("SET app.scope = 'system'")
        await connection.execute(
            "INSERT INTO organisations (id, name, country, tax_id, tax_id_normal, capabilities,"
            " state, created_at) VALUES ($1, 'S', 'DE', '1', '1', '{supplies}', 'active', now())",
            SUPPLIER.organisation_id,
        )
        await connection.close()
        place = Place(servers)
        async with place.database.transaction(SUPPLIER) as session:
            made = await lists.create_list(session, SUPPLIER, NewPriceList(name="L"), Clock().now())
        place.list_id = made.id
        await place.begin(csv_of(10))
        await work_imports(place.database, Clock())
        assert await place.prices() == {10}
        yield place
        await place.database.close()


async def test_a_killed_worker_is_replaced_at_every_stage(place: Place) -> None:
    price = 10
    for stage in ("reading", "validating", "publishing"):
        price += 1
        _, version = await place.row(import_id := await place.begin(csv_of(price)))
        worker = place.worker()
        await place.until(import_id, stage)
        worker.send_signal(signal.SIGKILL)
        worker.wait()
        state, now = await place.row(import_id)
        if state != "published":
            assert now == version
            assert await place.prices() == {price - 1}
        # Nobody touches it before the lease runs out; then the next worker goes on.
        await work_imports(place.database, LaterClock())
        assert await place.row(import_id) == ("published", version + 1)
        assert await place.prices() == {price}
        assert await place.open_lines() == ROWS


async def test_a_killed_postgresql_keeps_the_old_version(place: Place) -> None:
    price = 20
    for stage in ("reading", "validating", "publishing"):
        price += 1
        # A confirmed upload: the prices of this loop double those of the fixture.
        import_id = await place.begin(csv_of(price))
        async with place.database.transaction(SUPPLIER) as session:
            version = (await lists.show_list(session, place.list_id)).version
            before = await place.prices()
        worker = place.worker()
        await place.until(import_id, stage)
        place.servers.postgres.kill()
        worker.wait()
        place.servers.postgres.start()
        await place.database.close()
        place.database = Database(place.servers.database_url)
        state, now = await place.row(import_id)
        if state != "published":
            assert now == version
            assert await place.prices() == before
        await work_imports(place.database, LaterClock())
        state, _ = await place.row(import_id)
        assert state == "published"
        assert await place.open_lines() == ROWS
        async with place.database.transaction(SUPPLIER) as session:
            view = await service.show(session, SUPPLIER, import_id)
            if view.rows.held:
                await service.commit(
                    session,
                    SUPPLIER,
                    import_id,
                    CommitPriceImport(confirm_held=view.rows.held),
                    Clock().now(),
                )
        await work_imports(place.database, LaterClock())
        assert await place.prices() == {price}
        assert await place.open_lines() == ROWS


async def test_postgresql_killed_while_a_file_comes_in_waits_for_the_file_again(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = csv_of(11)
    monkeypatch.setattr(uploads, "CHUNK_BYTES", 100_000)

    async def cut_off() -> AsyncIterator[bytes]:
        sent = 0
        async for piece in pieces(content):
            yield piece
            sent += 1
            if sent == 3:
                # The second and the third are stored while this goes on, the first is.
                place.servers.postgres.kill()

    async with place.database.transaction(SUPPLIER) as session:
        data = NewPriceImport(price_list_id=place.list_id, mode="replace")
        made = await service.begin(session, SUPPLIER, data, Clock().now())
    with pytest.raises((OSError, asyncpg.PostgresError, asyncpg.InterfaceError)):
        await uploads.receive(place.database, SUPPLIER, Clock(), made.id, cut_off(), None)
    place.servers.postgres.start()
    await place.database.close()
    place.database = Database(place.servers.database_url)
    assert await place.row(made.id) == ("awaiting_upload", 1)
    assert await place.prices() == {10}
    await uploads.receive(place.database, SUPPLIER, Clock(), made.id, pieces(content), None)
    await work_imports(place.database, Clock())
    assert await place.row(made.id) == ("published", 2)
    assert await place.prices() == {11}
    assert await place.open_lines() == ROWS


@pytest.mark.parametrize("what", ["all rows are new", "all rows are known and one is gone"])
async def test_a_crash_empties_staging_and_a_commit_reads_again(place: Place, what: str) -> None:
    price, rows = (11, ROWS) if what == "all rows are new" else (10, ROWS - 1)
    content = b"".join(csv_of(price).splitlines(keepends=True)[: rows + 1])
    async with place.database.transaction(SUPPLIER) as session:
        data = NewPriceImport(price_list_id=place.list_id, mode="replace", dry_run=True)
        made = await service.begin(session, SUPPLIER, data, Clock().now())
    await uploads.receive(place.database, SUPPLIER, Clock(), made.id, pieces(content), None)
    await work_imports(place.database, Clock())
    assert (await place.row(made.id))[0] == "ready"
    place.servers.postgres.kill()
    place.servers.postgres.start()
    await place.database.close()
    place.database = Database(place.servers.database_url)
    async with place.database.transaction(SUPPLIER) as session:
        await service.commit(session, SUPPLIER, made.id, CommitPriceImport(), Clock().now())
    await work_imports(place.database, Clock())
    assert (await place.row(made.id))[0] == "published"
    assert await place.prices() == {price}
    assert await place.open_lines() == rows
