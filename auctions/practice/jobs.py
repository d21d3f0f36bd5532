"""What moves the practice room: bots that look once a second, an end for each auction, cleaning up.

A bot speaks through `Books.submit` like everybody and sees only its own snapshot. Nothing is kept
between two looks, so any worker may take the next one.

These looks are what practice has instead of `auctions.tenders.following`: they open the book on the
worker that looks, whose heart beats for it until a minute after its last look there. So workers
share practice auctions, and one that dies is not missed; but real auctions come first.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from random import Random
from uuid import UUID

import msgspec
import structlog
from sqlalchemy import delete, update

from auctions.book.books import Books
from auctions.practice import queries, rules
from auctions.practice.models import PracticeAuction
from auctions.practice.strategy import Move, Offer, next_move
from auctions.rules.core.commands import Accept, Admit, AnyBody, Bid, Cancel
from auctions.rules.core.state import State
from auctions.rules.views.visibility import bidder, snapshot
from marketplace.kernel.clock import Clock
from marketplace.kernel.db import SYSTEM, Database
from marketplace.kernel.errors import Problem
from marketplace.kernel.ids import new_id

LOOK_EVERY = timedelta(seconds=1)
AT_ONCE = 50
SHARE = 0.9
"""Of the limit of a process, as for real auctions: a fuller one opens no practice, and leaves those
it has as soon as a real one needs the place. Practice that nobody has room for is interrupted.
"""
LIFE_MAX = timedelta(minutes=30)
"""Pauses included; whoever forgets a practice does not keep it running."""

KEPT = timedelta(hours=24)
FORGET_MAX = 50
ENDED = ("closed", "cancelled")
_log = structlog.get_logger(__name__)


class Desk(msgspec.Struct, frozen=True):
    """What the jobs work with."""

    database: Database
    books: Books
    clock: Clock


async def play(desk: Desk) -> int:
    """One look of all bots whose turn it is to look; how many auctions. One that does not answer
    holds up no other. None while this process has little room.
    """
    if desk.books.in_use > desk.books.limit * SHARE:
        return 0
    now = desk.clock.now()
    async with desk.database.transaction(SYSTEM) as session:
        due = await queries.claim_due(session, now, LOOK_EVERY, AT_ONCE)
    async with asyncio.TaskGroup() as group:
        for practice in due:
            group.create_task(_look(desk, practice))
    return len(due)


async def _look(desk: Desk, practice: PracticeAuction) -> None:
    try:
        await look(desk, practice)
    except Problem as problem:
        _log.warning("practice_unreachable", auction=str(practice.id), code=problem.code)


async def look(desk: Desk, practice: PracticeAuction) -> None:
    """Admit who is missing, let each bot decide, note the end. Raises Unavailable."""
    book = await desk.books.open(practice.id)
    async with book.settled() as fold:
        status = fold.state.status
        bodies = list(_wanted(fold.state, practice, book.now_us()))
    if status in ENDED:
        await _note_end(desk, practice.id)
        return
    if desk.clock.now() - practice.created_at > LIFE_MAX:
        bodies = [Cancel(cid=f"end:{practice.id.hex}", reason="A practice lasts half an hour.")]
    for body in bodies:
        await _say(desk, practice.id, body)


def _wanted(state: State, practice: PracticeAuction, now_us: int) -> Iterator[AnyBody]:
    everybody = [*practice.bots, *([practice.alias] if practice.alias else [])]
    missing = [alias for alias in everybody if alias not in state.bidders]
    if missing:
        for alias in missing:
            yield Admit(cid=f"admit:{alias}", bidder=alias)
        return
    dice = Random()  # noqa: S311  # how bots bid is no secret
    for alias in practice.bots:
        view = snapshot(state, bidder(alias), now_us)
        move = next_move(view, rules.character(state.terms, alias), dice)
        if move is not None:
            yield _body(state, alias, move)


def _body(state: State, alias: str, move: Move) -> Bid | Accept:
    cid = f"bot:{new_id().hex}"
    if isinstance(move, Offer):
        lines = rules.lines_of(state.terms, move.price)
        return Bid(cid=cid, bidder=alias, price=move.price, attributes=move.answers, lines=lines)
    return Accept(cid=cid, bidder=alias, step=move.step)


async def _say(desk: Desk, auction_id: UUID, body: AnyBody) -> None:
    """A doubted price was meant: a bot confirms it."""
    durable = await desk.books.submit(auction_id, body)
    token = durable.outcome.token
    if token is not None and isinstance(body, Bid):
        cid = f"bot:{new_id().hex}"
        again = msgspec.structs.replace(body, cid=cid, confirm=token)
        await desk.books.submit(auction_id, again)


async def _note_end(desk: Desk, auction_id: UUID) -> None:
    async with desk.database.transaction(SYSTEM) as session:
        await session.execute(
            update(PracticeAuction)
            .where(PracticeAuction.id == auction_id, PracticeAuction.ended_at.is_(None))
            .values(ended_at=desk.clock.now())
        )


async def forget(desk: Desk) -> int:
    """Remove what ended a day ago, book and log included; how many."""
    before = desk.clock.now() - KEPT
    async with desk.database.transaction(SYSTEM) as session:
        old = await queries.forgettable(session, before, FORGET_MAX)
        await queries.delete_books(session, old)
        await session.execute(delete(PracticeAuction).where(PracticeAuction.id.in_(old)))
    for auction_id in old:
        await desk.books.forget(auction_id)
    return len(old)
