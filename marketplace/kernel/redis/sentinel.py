"""Finding the master by asking Sentinels, for each new connection."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.sentinel import MasterNotFoundError, Sentinel, SentinelConnectionPool
from redis.exceptions import AuthenticationError, NoPermissionError, RedisError, TimeoutError

ASK_TIMEOUT_S = 0.5
"""All are asked at once, so a frozen one costs this much of a call's time and no more."""


class UnknownMasterError(MasterNotFoundError):
    """Sentinels answer, and none of them watches a master of that name."""

    reason = "Sentinel knows no master of that name"


class MasterAwayError(MasterNotFoundError):
    """Sentinels answer, and for them the master is down: a failover is coming or failed."""

    reason = "its master is away"


class Sentinels(Sentinel):
    """redis-py asks one Sentinel after the other and takes the first answer: a frozen one at the
    front would use up the time of every call, and one that was cut off would name a former master.
    """

    async def discover_master(self, service_name: str) -> tuple[str, int]:
        """Where most of them say by now, the newest configuration first. Raises ConnectionError."""
        answers = await asyncio.gather(
            *(self._states(client) for client in self.sentinels), return_exceptions=True
        )
        reached = [answer for answer in answers if isinstance(answer, dict)]
        if not reached:
            raise _worth_telling([a for a in answers if isinstance(a, BaseException)])
        states = [answer[service_name] for answer in reached if service_name in answer]
        if not states:
            raise UnknownMasterError("no Sentinel watches a master of that name")
        newest = max(state["config-epoch"] for state in states)
        usable = [
            state
            for state in states
            if state["config-epoch"] == newest and self.check_master_state(state, service_name)
        ]
        if not usable:
            raise MasterAwayError("the master is down")
        return usable[0]["ip"], usable[0]["port"]

    async def _states(self, client: Redis) -> dict[str, Any]:
        async with asyncio.timeout(ASK_TIMEOUT_S):
            return dict(await client.sentinel_masters())  # type: ignore[arg-type]


class MasterPool(SentinelConnectionPool, BlockingConnectionPool):
    """Connections to the master; one call too many at once waits its turn instead of failing."""

    async def disconnect(self, inuse_connections: bool = True) -> None:
        await super().disconnect(inuse_connections)
        if inuse_connections:
            # The client is being closed, and nobody else knows the Sentinels' connections.
            await self.sentinel_manager.aclose()


def _worth_telling(errors: Sequence[BaseException]) -> RedisError:
    """What a Sentinel that answers has to say is worth more than that another one is away."""
    found = [error for error in errors if isinstance(error, RedisError)]
    refused = [e for e in found if isinstance(e, AuthenticationError | NoPermissionError)]
    return (refused or found or [TimeoutError("no Sentinel answers in time")])[0]
