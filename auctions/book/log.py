"""The log in Redis: order, time stamps, back-pressure and tags. The only module that speaks its
keys and scripts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
from redis.exceptions import NoScriptError, RedisError, ResponseError

from marketplace.kernel.redis import AnyRedis, Redis, batches

BATCH_MAX = 512
PENDING_MAX = 4_096
KEEP_MAX = 20_000
"""Durable entries kept in Redis for nodes that lag; older ones are read from PostgreSQL."""

KEYS_MAX = 4_096
_HEAD = ("epoch", "seq", "last_ts", "durable", "tag")
GENESIS_TAG = "0" * 40


class Entry(msgspec.Struct, frozen=True, gc=False):
    """One command in order. `ts` in µs; `tag` is SHA-1 over the tag before, seq, ts and body.

    Whoever makes an Entry has computed `tag` from `before`: to follow the log it is enough that
    `before` is where one stands.
    """

    epoch: int
    seq: int
    ts: int
    before: str
    tag: str
    raw: bytes


class Head(msgspec.Struct, frozen=True):
    """Where the log stands: last seq and tag, and how far PostgreSQL has committed."""

    epoch: int
    seq: int
    last_ts: int
    durable: int
    tag: str


class NoBookError(Exception):
    """Redis does not know this auction: it was wiped, or the auction was never loaded."""


class BusyError(Exception):
    """More commands wait for PostgreSQL than the auction may hold."""


class ForkError(Exception):
    """What Redis holds does not continue what we know."""


class _Script:
    def __init__(self, name: str) -> None:
        self.text = (Path(__file__).parent / name).read_text()
        self.sha = hashlib.sha1(self.text.encode(), usedforsecurity=False).hexdigest()


_Call = tuple[_Script, tuple[str, ...], tuple[bytes | str | int, ...]]

# By way of a key: on a cluster each master has its own clock.
_TIME = "return redis.call('TIME')"
_ADMIT, _DURABLE, _LOAD = _Script("admit.lua"), _Script("durable.lua"), _Script("load.lua")


def tag_after(tag: str, seq: int, ts: int, raw: bytes) -> str:
    """The tag of an entry, as admit.lua computes it."""
    return hashlib.sha1(
        b"%s:%d:%d:%s" % (tag.encode(), seq, ts, raw), usedforsecurity=False
    ).hexdigest()


@lru_cache(maxsize=KEYS_MAX)
def _keys(auction_id: UUID) -> tuple[str, str, str]:
    # One hash tag an auction, so all its keys share a slot in a cluster.
    return f"{{a:{auction_id}}}:head", f"{{a:{auction_id}}}:log", f"{{a:{auction_id}}}:wake"


def head_key(auction_id: UUID) -> str:
    return _keys(auction_id)[0]


def wake_channel(auction_id: UUID) -> str:
    return _keys(auction_id)[2]


class Log:
    """Calls on the logs of many auctions. Every method raises RedisError when Redis does not
    answer.
    """

    def __init__(self, redis: AnyRedis, *, pending_max: int = PENDING_MAX) -> None:
        self.redis = redis
        self.alone = False
        """Whether at the last look nobody else listened to what becomes durable here."""
        self._pending_max = pending_max
        self._batches = batches(redis)
        # Not the same: a look at thousands of heads must not hold up bids.
        self._looks = batches(redis)

    async def tell(
        self,
        batches: Mapping[UUID, Sequence[bytes]],
        durable: Mapping[UUID, tuple[int, int, str]] | None = None,
    ) -> tuple[dict[UUID, list[Entry] | Exception], dict[UUID, Exception]]:
        """Append each auction's bodies, at most BATCH_MAX each, and say how far PostgreSQL has
        committed: (epoch, seq, tag) by auction. All in one round trip; one call at a time.

        Answers the entries, fewer than asked for where back-pressure set in, or NoBookError,
        BusyError or the error of that auction alone; and the auctions whose `durable` failed. That
        one is only a hint: a lost one heals by polling.
        """
        marks = durable or {}
        calls: list[_Call] = [
            (_DURABLE, _keys(key), (*head, KEEP_MAX)) for key, head in marks.items()
        ]
        # One argument with a body a line: redis-py spends more on each argument than Redis on the
        # entry.
        calls += [
            (_ADMIT, _keys(key)[:2], (b"\n".join(bodies),)) for key, bodies in batches.items()
        ]
        replies = await self._run(calls)
        if marks:
            self.alone = all(reply == 1 for reply in replies[: len(marks)])
        failed = {
            key: reply
            for key, reply in zip(marks, replies, strict=False)
            if isinstance(reply, Exception)
        }
        answers = {
            auction: _entries(reply, bodies)
            for (auction, bodies), reply in zip(batches.items(), replies[len(marks) :], strict=True)
        }
        return answers, failed

    async def read(
        self, auction_id: UUID, epoch: int, first: int, last: int, before: str
    ) -> list[Entry]:
        """Entries `first` to `last` inclusive, as far as they are there; at most BATCH_MAX.

        `before` is the tag of the entry before `first`; none when that is gone already. Raises
        ForkError when the tags do not link.
        """
        rows: Any = await self.redis.xrange(
            _keys(auction_id)[1], f"{first}-0", f"{last}-0", count=BATCH_MAX
        )
        entries: list[Entry] = []
        if not rows or int(rows[0][0].split(b"-")[0]) != first:
            return entries
        for id_, fields in rows:
            seq, ts, raw = int(id_.split(b"-")[0]), int(fields[b"t"]), fields[b"b"]
            tag = tag_after(before, seq, ts, raw)
            if tag != fields[b"g"].decode():
                raise ForkError(f"tag of {seq}")
            entries.append(Entry(epoch, seq, ts, before, tag, raw))
            before = tag
        return entries

    async def heads(self, auction_ids: Sequence[UUID]) -> list[Head | None]:
        """Heads of many auctions in one round trip; None where Redis knows no book."""
        heads: list[Head | None] = []
        for head in await self.look(auction_ids):
            if isinstance(head, Exception):
                raise head
            heads.append(head)
        return heads

    async def look(self, auction_ids: Sequence[UUID]) -> list[Head | Exception | None]:
        """As `heads`, with the error of each auction whose server alone does not answer."""
        rows: Sequence[Any]
        if isinstance(self.redis, Redis):
            pipe = self.redis.pipeline(transaction=False)
            for auction_id in auction_ids:
                pipe.hmget(_keys(auction_id)[0], list(_HEAD))
            rows = await pipe.execute()
        else:
            rows = await self._looks.ask([("HMGET", _keys(id_)[0], *_HEAD) for id_ in auction_ids])
        return [row if isinstance(row, Exception) else _head(row) for row in rows]

    async def time_us(self, auction_id: UUID) -> int:
        """The clock that stamps the commands of this auction."""
        reply: Any = await self.redis.eval(_TIME, 1, head_key(auction_id))
        return int(reply[0]) * 1_000_000 + int(reply[1])

    async def load(self, auction_id: UUID, epoch: int, seq: int, last_ts: int, tag: str) -> int:
        """Start `epoch` at PostgreSQL's position. Answers the epoch in force, a newer one if there
        is one.
        """
        keys = _keys(auction_id)[:2]
        arguments = (*keys, str(epoch), str(seq), str(last_ts), tag, str(self._pending_max))
        try:
            reply = await self.redis.evalsha(_LOAD.sha, len(keys), *arguments)
        except NoScriptError:
            reply = await self.redis.eval(_LOAD.text, len(keys), *arguments)
        return int(reply)

    async def forget(self, auction_id: UUID) -> None:
        """Remove head and log."""
        await self.redis.unlink(*_keys(auction_id)[:2])

    async def close(self) -> None:
        await self._batches.close()
        await self._looks.close()

    async def _run(self, calls: Sequence[_Call]) -> list[object]:
        """Scripts in one round trip. NOSCRIPT means it did not run, so it is safe to send the text
        then.
        """
        replies = await self._batches.ask(
            [
                ("EVALSHA", script.sha, len(keys), *keys, *arguments)
                for script, keys, arguments in calls
            ]
        )
        for index, reply in enumerate(replies):
            if isinstance(reply, NoScriptError):
                script, keys, arguments = calls[index]
                replies[index] = await self.redis.eval(script.text, len(keys), *keys, *arguments)
        return replies


def _head(row: Any) -> Head | None:
    if not row[0]:
        return None
    return Head(int(row[0]), int(row[1]), int(row[2]), int(row[3]), row[4].decode())


def _entries(reply: object, bodies: Sequence[bytes]) -> list[Entry] | Exception:
    if isinstance(reply, ResponseError) and "XADD" in str(reply):
        # The id was refused: the stream is ahead of its head, so one of them is not what we wrote.
        return ForkError(str(reply))
    if isinstance(reply, Exception):
        return reply
    assert isinstance(reply, list)
    if reply[0] == b"NOBOOK":
        return NoBookError()
    if reply[0] == b"BUSY":
        return BusyError()
    epoch, seq, ts, tag = int(reply[0]), int(reply[1]), int(reply[2]), reply[3].decode()
    entries = []
    for raw in bodies[: int(reply[5])]:
        before, tag = tag, tag_after(tag, seq, ts, raw)
        entries.append(Entry(epoch, seq, ts, before, tag, raw))
        seq += 1
        ts += 1
    if tag != reply[4].decode():
        return ForkError("tags differ")
    return entries


__all__ = [
    "BATCH_MAX",
    "GENESIS_TAG",
    "PENDING_MAX",
    "BusyError",
    "Entry",
    "ForkError",
    "Head",
    "Log",
    "NoBookError",
    "RedisError",
    "head_key",
    "tag_after",
    "wake_channel",
]
