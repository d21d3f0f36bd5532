"""Servers of their own: these tests freeze, kill and wipe them."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from marketplace.kernel import embedded
from marketplace.kernel.embedded import Servers
from marketplace.migrations.run import migrate
from tests.auctions.book.nodes import Node


@pytest.fixture(scope="package")
def own_servers() -> Iterator[Servers]:
    with tempfile.TemporaryDirectory(prefix="marketplace-book-") as folder:
        servers = embedded.start(Path(folder))
        try:
            asyncio.run(migrate(servers.database_url))
            yield servers
        finally:
            servers.stop()


@pytest.fixture
async def node(own_servers: Servers) -> AsyncIterator[Node]:
    async with Node(own_servers) as node:
        yield node


@pytest.fixture
async def other(own_servers: Servers) -> AsyncIterator[Node]:
    """A second node on the same servers."""
    async with Node(own_servers) as node:
        yield node
