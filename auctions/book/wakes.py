"""Hearing that another node has committed: pub/sub as a hint, a poll that heals lost hints."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from uuid import UUID

from redis.asyncio.client import PubSub

from auctions.book.book import Book, ServerErrors
from auctions.book.log import Head, Log, wake_channel
from marketplace.kernel.outage_log import OUTAGES
from marketplace.kernel.redis import AnyRedis

POLL_S = 0.25
RECONNECT_S = 0.2


class Wakes:
    """`follow` an auction before loading its book; `listen` and `poll` run for the life of the
    node.
    """

    def __init__(self, redis: AnyRedis, log: Log, books: Mapping[UUID, Book]) -> None:
        self._redis, self._log, self._books = redis, log, books
        self._channels: dict[str, UUID] = {}
        self._pubsub: PubSub | None = None
        self._changed = asyncio.Event()
        self._stale: dict[UUID, int] = {}

    async def follow(self, auction_id: UUID) -> None:
        channel = wake_channel(auction_id)
        self._channels[channel] = auction_id
        self._changed.set()
        # Without Redis the poll and the next connection make up for it.
        with contextlib.suppress(*ServerErrors):
            if self._pubsub is not None:
                await self._subscribe(self._pubsub, channel)

    async def unfollow(self, auction_id: UUID) -> None:
        channel = wake_channel(auction_id)
        self._channels.pop(channel, None)
        with contextlib.suppress(*ServerErrors):
            if self._pubsub is not None:
                await (
                    self._pubsub.sunsubscribe(channel)
                    if self._log.sharded
                    else self._pubsub.unsubscribe(channel)
                )

    async def listen(self) -> None:
        """One connection for all wakes; a lost one is made anew with all subscriptions."""
        while True:
            try:
                await self._listen_once()
            except ServerErrors as error:
                OUTAGES.failed(error, where="waking")
                await asyncio.sleep(RECONNECT_S)
            finally:
                self._pubsub = None

    async def _listen_once(self) -> None:
        while not self._channels:
            self._changed.clear()
            await self._changed.wait()
        async with self._redis.pubsub() as pubsub:
            for channel in tuple(self._channels):
                await self._subscribe(pubsub, channel)
            self._pubsub = pubsub
            while True:
                message = await pubsub.get_message(ignore_subscribe_messages=True, timeout=5.0)
                if message is not None and isinstance(message["data"], bytes):
                    self._woken(message["channel"].decode(), message["data"])

    async def _subscribe(self, pubsub: PubSub, channel: str) -> None:
        await (pubsub.ssubscribe(channel) if self._log.sharded else pubsub.subscribe(channel))

    def _woken(self, channel: str, data: bytes) -> None:
        book = self._books.get(self._channels.get(channel, UUID(int=0)))
        if book is not None:
            epoch, seq, tag = data.decode().split(":")
            book.woken(int(epoch), int(seq), tag)

    async def poll(self) -> None:
        """Every POLL_S look at all heads in one round trip: lost wakes, lost books, commands of
        dead nodes.
        """
        while True:
            await asyncio.sleep(POLL_S)
            # As it was before the question: the answer knows nothing of what comes meanwhile.
            followed = [(b, b.epoch, b.published_seq) for b in self._books.values()]
            if not followed:
                continue
            try:
                heads = await self._log.heads([book.auction_id for book, _, _ in followed])
            except ServerErrors as error:
                OUTAGES.failed(error, where="looking at heads")
                continue
            for (book, epoch, seq), head in zip(followed, heads, strict=True):
                if book.epoch == epoch:
                    self._compare(book, seq, head)

    def _compare(self, book: Book, known_seq: int, head: Head | None) -> None:
        auction_id = book.auction_id
        if head is None or head.epoch != book.epoch:
            book.distrust()
            return
        if head.seq < known_seq:
            book.distrust(force_epoch=True)
            return
        if head.durable > book.published_seq:
            book.woken(head.epoch, head.durable, "")
        # Still undecided since the last look: whoever put it there may be dead, so anyone decides
        # it.
        if head.seq > book.published_seq and self._stale.get(auction_id, head.seq + 1) <= head.seq:
            book.aim(self._stale[auction_id])
        self._stale[auction_id] = head.seq if head.seq > book.published_seq else head.seq + 1
