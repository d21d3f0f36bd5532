"""Finding the master by asking Sentinels, for each new connection."""

from __future__ import annotations

import asyncio
import builtins
from collections.abc import Sequence
from typing import Any

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.sentinel import MasterNotFoundError, Sentinel, SentinelConnectionPool
from redis.exceptions import AuthenticationError, NoPermissionError, RedisError, TimeoutError

ASK_TIMEOUT_S = 1.0
"""Half of a call's time; it is waited for only where most of them do not answer."""


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
        """The newest configuration among the answers of most of them: a failover needs most of them
        too, so one that knows of it is among these. Raises ConnectionError, TimeoutError.
        """
        reached, errors = await self._ask()
        if not reached:
            raise _worth_telling(errors)
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

    async def _ask(self) -> tuple[list[dict[str, Any]], list[BaseException]]:
        """Answers until more than half have answered, and errors until then."""
        reached: list[dict[str, Any]] = []
        errors: list[BaseException] = []
        asking = [asyncio.create_task(self._states(client)) for client in self.sentinels]
        try:
            for answer in asyncio.as_completed(asking):
                try:
                    reached.append(await answer)
                except (RedisError, OSError, builtins.TimeoutError) as error:
                    errors.append(error)
                if 2 * len(reached) > len(asking):
                    break
        finally:
            for task in asking:
                task.cancel()
            await asyncio.gather(*asking, return_exceptions=True)
        return reached, errors

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
