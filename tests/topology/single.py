"""One Redis and one PostgreSQL, as `marketplace serve` starts them."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Sequence

from marketplace.kernel import embedded
from marketplace.kernel.embedded.server import Server
from tests.topology import base


class SingleTopology:
    """See the package."""

    def __init__(self, servers: embedded.Servers) -> None:
        self.database_url, self.redis_url = servers.database_url, servers.redis_url
        self.servers: Sequence[Server] = [servers.redis]
        self.postgres: Sequence[Server] = [servers.postgres]

    async def healed(self) -> None:
        """A server that was started answers, and there is nothing else to wait for."""


@contextlib.asynccontextmanager
async def single(*, postgres_options: Sequence[str] = ()) -> AsyncIterator[SingleTopology]:
    """See the package."""
    with (
        base.folder() as place,
        embedded.start(place, postgres_options=postgres_options) as servers,
    ):
        yield SingleTopology(servers)
