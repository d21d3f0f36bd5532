"""The practice room over HTTP. The auction itself answers under `/api/v1/auctions/{id}`."""

from __future__ import annotations

from litestar import Controller, post
from sqlalchemy.ext.asyncio import AsyncSession

from auctions.book.books import Books
from auctions.practice import service
from auctions.practice.schemas import NewPractice, PracticeView
from marketplace.kernel.access import allow
from marketplace.kernel.actor import Actor
from marketplace.kernel.clock import Clock
from marketplace.kernel.db import Database

WRITE = "auctions:write"


class PracticeController(Controller):
    """Who is in it and when it ends is for the jobs; here it begins."""

    path = "/api/v1/practice_auctions"
    tags = ("auctions",)

    @post("/", opt=allow(scope=WRITE))
    async def begin_practice(
        self,
        session: AsyncSession,
        database: Database,
        actor: Actor,
        books: Books,
        clock: Clock,
        data: NewPractice,
    ) -> PracticeView:
        """A private auction against bots under a lot's rules or given ones, in minutes instead of
        hours. Nothing in it counts; it ends and disappears by itself.
        """
        await service.require_room(database)
        return await service.begin(session, actor, data, books, clock.now())


CONTROLLERS = [PracticeController]
