"""A Redis Cluster: three masters with a replica each."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from urllib.parse import quote

from redis.crc import REDIS_CLUSTER_HASH_SLOTS, key_slot

from marketplace.kernel.embedded.server import Server
from tests.topology import base
from tests.topology.processes import (
    ADMIN_PASSWORD,
    HOST,
    PASSWORD,
    SERVER_LINES,
    USER,
    RedisProcess,
    free_port,
    start_all,
    stop_all,
    until,
)

MASTERS = 3
_NODE_TIMEOUT_MS = 1_000


class ClusterTopology:
    """`servers[:3]` are the first masters, `servers[3:]` their replicas in the same order."""

    def __init__(self, database_url: str, postgres: Sequence[Server], place: Path) -> None:
        self.database_url, self.postgres = database_url, postgres
        self._bus_ports = [free_port() for _ in range(2 * MASTERS)]
        self.servers = [
            RedisProcess(f"server-{number}", place, (*SERVER_LINES, *_lines(number, port)))
            for number, port in enumerate(self._bus_ports)
        ]
        hosts = ",".join(f"{HOST}:{server.port}" for server in self.servers[:MASTERS])
        self.redis_url = f"redis+cluster://{USER}:{quote(PASSWORD, safe='')}@{hosts}"

    async def form(self) -> None:
        """Make one cluster of servers that do not know each other yet."""
        first = self.servers[0]
        bounds = [REDIS_CLUSTER_HASH_SLOTS * n // MASTERS for n in range(MASTERS + 1)]
        for number, server in enumerate(self.servers):
            await server.ask("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
            if number < MASTERS:
                slots = (bounds[number], bounds[number + 1] - 1)
                await server.ask("CLUSTER", "ADDSLOTSRANGE", *slots)
            if number > 0:
                await first.ask(
                    "CLUSTER", "MEET", HOST, server.port, self._bus_ports[number]
                )  # fmt: skip
        await until(self._all_met, "all nodes know each other")
        for master, replica in zip(self.servers[:MASTERS], self.servers[MASTERS:], strict=True):
            await replica.ask("CLUSTER", "REPLICATE", await master.ask("CLUSTER", "MYID"))
        await self.healed()

    async def master_of(self, key: str) -> RedisProcess:
        """The server that most masters say has the slot of `key`. Raises RedisError."""
        slot = key_slot(key.encode())
        votes: dict[int, int] = {}
        for server in self.servers:
            with contextlib.suppress(Exception):
                for start, end, master, *_ in await server.ask("CLUSTER", "SLOTS"):
                    if start <= slot <= end:
                        votes[int(master[1])] = votes.get(int(master[1]), 0) + 1
        port = max(votes, key=lambda port: votes[port])
        return next(server for server in self.servers if server.port == port)

    async def failed_over(self, key: str, old: RedisProcess) -> RedisProcess:
        """Wait until another server than `old` is master for the slot of `key`; answers it."""

        async def is_over() -> bool:
            master = await self.master_of(key)
            if master is old:
                return False
            state = (await master.ask("CLUSTER", "INFO")).decode()
            is_master = (await master.info("replication"))["role"] == "master"
            return is_master and "cluster_state:ok" in state

        await until(is_over, "another master has the slot")
        return await self.master_of(key)

    async def move_slot(self, key: str) -> None:
        """Give the slot of `key` to another master, key by key, as an operator does."""
        slot = key_slot(key.encode())
        source = await self.master_of(key)
        masters = [s for s in self.servers if (await s.info("replication"))["role"] == "master"]
        target = next(server for server in masters if server is not source)
        ids = {s.port: await s.ask("CLUSTER", "MYID") for s in masters}
        await target.ask("CLUSTER", "SETSLOT", slot, "IMPORTING", ids[source.port])
        await source.ask("CLUSTER", "SETSLOT", slot, "MIGRATING", ids[target.port])
        while keys := await source.ask("CLUSTER", "GETKEYSINSLOT", slot, 1):
            move = ("MIGRATE", HOST, target.port, "", 0, 5_000, "AUTH", ADMIN_PASSWORD, "KEYS")
            await source.ask(*move, *keys)
        for server in [target, source, *masters]:
            await server.ask("CLUSTER", "SETSLOT", slot, "NODE", ids[target.port])

    async def healed(self) -> None:
        """Wait until every node sees all slots served and every master has its replica in step."""
        await until(self._is_healed, "the cluster is complete")

    async def _all_met(self) -> bool:
        for server in self.servers:
            lines = (await server.ask("CLUSTER", "NODES")).decode().splitlines()
            if len(lines) != len(self.servers) or any("handshake" in line for line in lines):
                return False
        return True

    async def _is_healed(self) -> bool:
        masters = 0
        for server in self.servers:
            state = (await server.ask("CLUSTER", "INFO")).decode()
            nodes = (await server.ask("CLUSTER", "NODES")).decode()
            if "cluster_state:ok" not in state or "fail" in nodes:
                return False
            facts = await server.info("replication")
            if facts["role"] == "master":
                masters += 1
                if facts["connected_slaves"] != "1":
                    return False
            elif facts["master_link_status"] != "up":
                return False
        return masters == MASTERS


def _lines(number: int, bus_port: int) -> Sequence[str]:
    return (
        "cluster-enabled yes",
        f"cluster-config-file nodes-{number}.conf",
        f"cluster-port {bus_port}",
        f"cluster-node-timeout {_NODE_TIMEOUT_MS}",
        # A replica that lags a little is still better than none: PostgreSQL is the truth.
        "cluster-replica-validity-factor 0",
    )


@contextlib.asynccontextmanager
async def cluster(
    *, database_url: str | None = None, postgres_options: Sequence[str] = ()
) -> AsyncIterator[ClusterTopology]:
    """See the package."""
    with base.folder() as place:
        async with base.database(place, database_url, postgres_options) as (url, postgres):
            topology = ClusterTopology(url, postgres, place)
            try:
                await start_all(topology.servers)
                await topology.form()
                yield topology
            finally:
                await stop_all(topology.servers)
