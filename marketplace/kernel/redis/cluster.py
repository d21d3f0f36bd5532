"""Commands and batches to whichever masters of a cluster have their slots at this moment."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import defaultdict
from collections.abc import Sequence
from typing import Any, NoReturn

from redis.asyncio import ConnectionPool, Redis, RedisCluster
from redis.asyncio.cluster import ClusterNode, PipelineCommand
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import (
    AskError,
    ClusterDownError,
    MovedError,
    RedisClusterException,
    RedisError,
    ResponseError,
    SlotNotCoveredError,
    TryAgainError,
)
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from marketplace.kernel.redis.line import Command, Line
from marketplace.kernel.server_urls import Host

LOOK_EVERY_S = 0.2
"""A failover takes seconds and is noticed this much later; every look opens connections anew."""

PROBE_EVERY_S = 0.2
REDIRECTIONS_MAX = 3
"""One where the slot has moved, one more where it moves right now."""

_NO_ANSWER = (RedisError, OSError, TimeoutError)


class NoMasterError(RedisConnectionError):
    """The slot of a key has no master that is known."""

    reason = "some slots of the cluster have no master"


class FrozenError(RedisConnectionError):
    """The master of a key did not answer in time and has not answered since."""

    reason = "it does not answer in time"


class NotAClusterError(RedisConnectionError):
    """A server that was named as a seed has no cluster mode."""

    reason = "it is not a cluster"


class Cluster(RedisCluster):
    """The map of slots, the connections and the commands are redis-py's; how errors are met is
    not. redis-py looks for a new map only after some of them, closes the connections of all masters
    and sleeps when one is away, forgets the configured seeds, and some of what it raises is no
    RedisError.

    Here every error that may mean another map starts a look in the background, and calls go on with
    the map there is. A master that did not answer in time is not asked again before it answers a
    PING, so that one that is frozen does not hold up the others.
    """

    def __init__(
        self, seeds: Sequence[Host], options: dict[str, Any], connections_max: int
    ) -> None:
        super().__init__(
            startup_nodes=[ClusterNode(seed.name, seed.port) for seed in seeds],
            # The auctions on the other masters can go on.
            require_full_coverage=False,
            max_connections=2 * connections_max,
            **options,
        )
        self._seeds = dict(self.nodes_manager.startup_nodes)
        # One call too many at once waits its turn instead of failing.
        self._permits: defaultdict[str, asyncio.Semaphore] = defaultdict(
            lambda: asyncio.Semaphore(connections_max)
        )
        self._learning: asyncio.Task[None] | None = None
        self._looking: asyncio.Task[None] | None = None
        self._probes: dict[str, asyncio.Task[None]] = {}
        self._looked_at = 0.0

    # -- commands -------------------------------------------------------------------------------

    async def execute_command(self, *args: Any, **kwargs: Any) -> Any:
        """On the master of the command's key. Raises RedisError."""
        await self.known()
        for _ in range(REDIRECTIONS_MAX):
            node = self.master_of(args)
            try:
                async with self._permits[node.name]:
                    return await node.execute_command(*args, **kwargs)
            except MovedError as error:
                await self.moved(error)
            except AskError as error:
                return await self._ask_there(error, args, kwargs)
            except _NO_ANSWER as error:
                self.failed(node, error)
                raise
        raise TryAgainError("the slot moves too often")

    async def _ask_there(self, error: AskError, args: Any, kwargs: dict[str, Any]) -> Any:
        """This key has moved already, while others of its slot have not."""
        await self.moved(error, for_good=False)
        node = self.nodes_manager.get_node(host=error.host, port=error.port)
        if node is None:
            raise NoMasterError("the slot moves to an unknown node")
        commands = [PipelineCommand(0, "ASKING"), PipelineCommand(1, *args, **kwargs)]
        async with self._permits[node.name]:
            await node.execute_pipeline(commands)
        reply = commands[1].result
        if isinstance(reply, Exception):
            raise reply
        return reply

    async def delete(self, *names: Any) -> int:
        """Of one slot: redis-py sorts keys by slots and sends them by a way of its own."""
        return int(await self.execute_command("DEL", *names))

    async def unlink(self, *names: Any) -> int:
        """As `delete`."""
        return int(await self.execute_command("UNLINK", *names))

    def pipeline(self, *_: Any, **__: Any) -> NoReturn:
        """Not here: redis-py's would meet errors in its own way."""
        raise NotImplementedError("use `batches`")

    async def aclose(self) -> None:
        tasks = [t for t in (self._learning, self._looking, *self._probes.values()) if t]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        manager = self.nodes_manager
        nodes = [*manager.nodes_cache.values(), *manager.startup_nodes.values()]
        for node in {id(n): n for n in [*nodes, *self._seeds.values()]}.values():
            with contextlib.suppress(*_NO_ANSWER):
                await node.disconnect()

    # -- the map of slots -----------------------------------------------------------------------

    def master_of(self, command: Sequence[Any]) -> ClusterNode:
        """Of the key of a command: the third argument of a script, the first of all others. Raises
        NoMasterError, FrozenError.
        """
        place = 3 if command[0] in {"EVAL", "EVALSHA"} else 1
        if len(command) <= place:
            return random.choice(self.get_primaries())  # noqa: S311  # any is as good
        try:
            node = self.nodes_manager.get_node_from_slot(self.keyslot(command[place]))
        except (SlotNotCoveredError, KeyError):
            self.look_again()
            raise NoMasterError("a slot has no master") from None
        if node.name in self._probes:
            self.look_again()
            raise FrozenError("it did not answer")
        return node

    async def known(self) -> None:
        """Wait for the map if there is none. Raises RedisError."""
        if not self.nodes_manager.slots_cache:
            await self._learn()

    def look_again(self) -> None:
        """The map may be out of date."""
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())

    def failed(self, node: ClusterNode, error: BaseException) -> None:
        """What a node answered, or that it did not."""
        if isinstance(error, RedisTimeoutError | TimeoutError) and node.name not in self._probes:
            probe = asyncio.create_task(self._probe(node))
            self._probes[node.name] = probe
            probe.add_done_callback(lambda _: self._probes.pop(node.name, None))
        is_answer = isinstance(error, ResponseError) and not isinstance(error, ClusterDownError)
        if not is_answer or isinstance(error, TryAgainError):
            self.look_again()

    async def moved(self, error: AskError, *, for_good: bool = True) -> None:
        """A node says that a slot is elsewhere."""
        if for_good and error.slot_id in self.nodes_manager.slots_cache:
            await self.nodes_manager.move_slot(error)
            self.look_again()
        else:
            await self._learn()

    async def _look(self) -> None:
        now = asyncio.get_running_loop().time()
        await asyncio.sleep(max(0.0, self._looked_at + LOOK_EVERY_S - now))
        self._looked_at = asyncio.get_running_loop().time()
        # Whoever needs the map finds out by himself that it is not better now.
        with contextlib.suppress(*_NO_ANSWER):
            await self._learn()

    async def _learn(self) -> None:
        if self._learning is None or self._learning.done():
            self._learning = asyncio.create_task(self._ask_nodes())
            self._learning.add_done_callback(_taken)
        # Shielded: one caller that goes away must not cancel it for the others.
        await asyncio.shield(self._learning)

    async def _ask_nodes(self) -> None:
        manager = self.nodes_manager
        # All nodes may have got new addresses behind the names that are configured.
        manager.startup_nodes = self._seeds | manager.startup_nodes
        try:
            await manager.initialize(last_failed_node_name=next(iter(self._probes), None))
        except RedisClusterException as error:
            raise _reason_of(error) from error
        except IndexError:
            raise NoMasterError("no node has a slot") from None

    async def _probe(self, node: ClusterNode) -> None:
        """Until a node that was silent answers, or has no place in the cluster any more."""
        while self.nodes_manager.get_node(node_name=node.name) is not None:
            with contextlib.suppress(*_NO_ANSWER):
                await node.execute_command("PING")
                return
            await asyncio.sleep(PROBE_EVERY_S)

    # -- connections of their own ---------------------------------------------------------------

    def line_to(self, name: str) -> Line:
        """A connection to the node of that name."""
        return Line(lambda: self._connection_to(name))

    def client_of(self, name: str) -> Redis:
        """A client of one node alone, to be closed by the caller. Raises NoMasterError."""
        node = self._node(name)
        pool: ConnectionPool = ConnectionPool(
            connection_class=node.connection_class, retry=self.retry, **node.connection_kwargs
        )
        return Redis.from_pool(pool)

    def _connection_to(self, name: str) -> AbstractConnection:
        node = self._node(name)
        return node.connection_class(retry=self.retry, **node.connection_kwargs)

    def _node(self, name: str) -> ClusterNode:
        node = self.nodes_manager.get_node(node_name=name)
        if node is None:
            raise NoMasterError("the node has left the cluster")
        return node


class ClusterLines:
    """A `Line` to each master. What one master does not answer is an error in the place of its
    replies; the others' replies are not lost by that.
    """

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._lines: dict[str, Line] = {}
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def ask(self, commands: Sequence[Command]) -> list[object]:
        """As `Line.ask`, and several callers may ask. Raises RedisError, OSError or TimeoutError
        only when no map of the slots is known.
        """
        await self._cluster.known()
        replies: list[object] = [None] * len(commands)
        places: defaultdict[str, list[int]] = defaultdict(list)
        for place, command in enumerate(commands):
            try:
                places[self._cluster.master_of(command).name].append(place)
            except RedisConnectionError as error:
                replies[place] = error
        answers = await asyncio.gather(
            *(self._ask(name, [commands[p] for p in mine]) for name, mine in places.items())
        )
        for mine, answer in zip(places.values(), answers, strict=True):
            for place, reply in zip(mine, answer, strict=True):
                replies[place] = reply
        return replies

    async def close(self) -> None:
        for line in self._lines.values():
            await line.close()
        self._lines.clear()

    async def _ask(self, name: str, commands: Sequence[Command]) -> Sequence[object]:
        line = self._lines.get(name)
        if line is None:
            line = self._lines[name] = self._cluster.line_to(name)
        node = self._cluster.get_node(node_name=name)
        try:
            async with self._turns[name]:
                replies = await line.ask(commands)
        except _NO_ANSWER as error:
            if node is not None:
                self._cluster.failed(node, error)
            return [error] * len(commands)
        if not any(isinstance(reply, Exception) for reply in replies):
            return replies
        return await asyncio.gather(
            *(
                self._redirected(command, reply)
                for command, reply in zip(commands, replies, strict=True)
            )
        )

    async def _redirected(self, command: Command, reply: object) -> object:
        """A command that was refused because its slot is elsewhere was not run: send it there."""
        try:
            if isinstance(reply, MovedError):
                await self._cluster.moved(reply)
                return await self._cluster.execute_command(*command)
            if isinstance(reply, AskError):
                return await self._cluster.execute_command(*command)
        except _NO_ANSWER as error:
            return error
        if isinstance(reply, ClusterDownError | TryAgainError):
            self._cluster.look_again()
        return reply


def _taken(task: asyncio.Task[None]) -> None:
    """Nobody may be left who takes the error of a look."""
    if not task.cancelled():
        task.exception()


def _reason_of(error: RedisClusterException) -> RedisError:
    """redis-py hides why the last node could not tell the slots."""
    cause = error.__cause__
    if isinstance(cause, RedisClusterException):
        cause = cause.__context__
        if isinstance(cause, ResponseError) and "cluster support disabled" in str(cause):
            return NotAClusterError(str(cause))
    return cause if isinstance(cause, RedisError) else NoMasterError(str(error))
