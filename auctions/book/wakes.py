"""Hearing that another node has committed: pub/sub as a hint, a poll that heals lost hints."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from uuid import UUID

from auctions.book.book import Book, ServerErrors
from auctions.book.log import Head, Log, wake_channel
from marketplace.kernel.outage_log import OUTAGES
from marketplace.kernel.redis import AnyRedis, Channels

POLL_S = 0.25


class Wakes:
    """`follow` an auction before loading its book; `listen` and `poll` run for the life of the
    node.
    """

    def __init__(self, redis: AnyRedis, log: Log, books: Mapping[UUID, Book]) -> None:
        self._log, self._books = log, books
        self._channels = Channels(redis, self._woken, where="waking", sharded=True)
        self._auctions: dict[str, UUID] = {}
        self._stale: dict[UUID, int] = {}

    async def follow(self, auction_id: UUID) -> None:
        channel = wake_channel(auction_id)
        self._auctions[channel] = auction_id
        # Without Redis the poll and the next connection make up for it.
        await self._channels.add(channel)

    async def unfollow(self, auction_id: UUID) -> None:
        channel = wake_channel(auction_id)
        self._auctions.pop(channel, None)
        await self._channels.remove(channel)

    async def listen(self) -> None:
        """A lost connection is made anew with all channels."""
        await self._channels.listen()

    def _woken(self, channel: str, data: bytes) -> None:
        book = self._books.get(self._auctions.get(channel, UUID(int=0)))
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
                heads = await self._log.look([book.auction_id for book, _, _ in followed])
            except ServerErrors as error:
                OUTAGES.failed(error, where="looking at heads")
                continue
            for (book, epoch, seq), head in zip(followed, heads, strict=True):
                if isinstance(head, Exception):
                    OUTAGES.failed(head, where="looking at heads")
                elif book.epoch == epoch:
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
