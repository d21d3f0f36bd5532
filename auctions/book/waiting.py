"""Commands of this node on their way through log, fold and commit."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec

from auctions.book.fold import Durable
from auctions.book.log import Entry


class RetryError(Exception):
    """The command has no place in the order, or it is unknown whether it has: send it again, same
    `cid`.
    """


class Waiting(msgspec.Struct):
    """A command of this node on its way; `entry` is its place, known once it is in the log.

    `give_up_at` is a time of the event loop: afterwards nobody waits for it any more.
    """

    raw: bytes
    future: asyncio.Future[Durable]
    give_up_at: float
    entry: Entry | None = None

    def give_up(self, now: float) -> None:
        if now > self.give_up_at and not self.future.done():
            self.future.set_exception(TimeoutError())

    def answer(self, durable: Durable | None) -> None:
        """What became of it; None, or another command in its place: send it again."""
        future, entry = self.future, self.entry
        if future.done():
            return
        if durable is not None and entry is not None and durable.tag == entry.tag:
            future.set_result(durable)
        else:
            future.set_exception(RetryError())


def answer(told: Sequence[tuple[Waiting | None, Durable]]) -> None:
    """Published commands, with who waits for them here."""
    for own, durable in told:
        if own is not None:
            own.answer(durable)


class Commit(msgspec.Struct, frozen=True):
    """A batch on its way to PostgreSQL: how many commands, and place and tag of the last."""

    kept: asyncio.Future[bool]
    count: int
    seq: int
    tag: str
