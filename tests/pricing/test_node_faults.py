"""A node dies while a file comes in: the list stands, and the same upload takes the file again."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import httpx
import pytest

from marketplace.kernel.db import Database
from marketplace.kernel.settings import Settings
from tests.faults.arena import NodeProcess
from tests.pricing.conftest import API, Shop

HEADER = "sku,unit,currency,price\n"
PIECE_ROWS = 100_000


@pytest.fixture
async def node(settings: Settings, tmp_path: Path) -> AsyncIterator[NodeProcess]:
    """A process of its own beside the tests' node."""
    environment = os.environ | {
        "MARKETPLACE_DATABASE_URL": settings.database_url,
        "MARKETPLACE_REDIS_URL": settings.redis_url,
        "MARKETPLACE_SECRET": settings.secret,
    }
    node = NodeProcess(["-m", "web.cli", "serve"], environment, tmp_path / "node.log")
    node.start()
    try:
        await node.ready()
        yield node
    finally:
        node.stop()


async def until_stored(database: Database, import_id: str) -> None:
    """Wait until a piece of the file is in PostgreSQL."""
    pool = await database.pool()
    told = "SELECT EXISTS (SELECT FROM price_import_chunks WHERE import_id = $1)"
    async with asyncio.timeout(30):
        while True:
            if await pool.fetchval(told, UUID(import_id)):
                return
            await asyncio.sleep(0.01)  # polling a foreign process


async def test_a_node_killed_while_a_file_comes_in_changes_nothing(
    shop: Shop, node: NodeProcess, database: Database
) -> None:
    old = await shop.upload(HEADER + "A,C62,EUR,10\n", mode="replace")
    assert old["state"] == "published"
    begun = await shop.begin(mode="replace")
    killed = asyncio.Event()
    piece = "".join(f"S{n:06d},C62,EUR,11\n" for n in range(PIECE_ROWS)).encode()

    async def half_a_file() -> AsyncIterator[bytes]:
        yield HEADER.encode() + piece
        await killed.wait()
        yield b"A,C62,EUR,12\n"

    headers = {"Authorization": f"Bearer {await shop.person.api_key('prices:write')}"}
    async with httpx.AsyncClient(base_url=node.url, headers=headers, timeout=60) as client:
        path = f"{API}/price_imports/{begun['id']}/content"
        sending = asyncio.create_task(client.put(path, content=half_a_file()))
        await until_stored(database, begun["id"])
        node.kill()
        killed.set()
        with pytest.raises(httpx.TransportError):
            await sending
    await shop.work()
    assert (await shop.show(begun["id"]))["state"] == "awaiting_upload"
    assert await shop.prices() == {"A": "10.00"}
    # Another node takes the whole file, and nothing of the first half stays.
    sent = await shop.send(begun["id"], f"{HEADER}A,C62,EUR,12\n".encode())
    assert sent.status_code == 200, sent.text
    await shop.work()
    done = await shop.show(begun["id"])
    assert (done["state"], done["rows"]["read"]) == ("published", 1), done
    assert await shop.prices() == {"A": "12.00"}
