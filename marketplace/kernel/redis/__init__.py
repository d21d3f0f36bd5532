"""The one way to Redis, whether it is a single server, behind Sentinel, or a Cluster.

`connect` gives a client of a URL. Clients never retry by themselves: a call fails once and the
caller, whose commands are idempotent, decides. A connection that is opened anew goes to the master
of that moment. `batches` sends many commands in one round trip, `Channels` hears what is published.
"""

from redis.asyncio import Redis

from marketplace.kernel.redis.channels import Channels, try_channel
from marketplace.kernel.redis.cluster import Cluster
from marketplace.kernel.redis.line import Line
from marketplace.kernel.redis.opening import AnyRedis, Batches, batches, connect

__all__ = [
    "AnyRedis",
    "Batches",
    "Channels",
    "Cluster",
    "Line",
    "Redis",
    "batches",
    "connect",
    "try_channel",
]
