"""Facts reach their subscribers in order and inside the publisher's transaction."""

from __future__ import annotations

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.kernel.db import SYSTEM, Database
from marketplace.kernel.facts import Fact, Facts


class Happened(Fact, frozen=True, kw_only=True):
    what: str


class Unrelated(Fact, frozen=True, kw_only=True):
    pass


async def test_subscribers_hear_in_the_order_of_their_subscription(database: Database) -> None:
    facts, heard = Facts(), list[str]()

    async def first(_: AsyncSession, fact: Happened) -> None:
        heard.append(f"first {fact.what}")

    async def second(_: AsyncSession, fact: Happened) -> None:
        heard.append(f"second {fact.what}")

    facts.subscribe(Happened, first)
    facts.subscribe(Happened, second)
    async with database.transaction(SYSTEM) as session:
        await facts.publish(session, Happened(what="rain"))
        await facts.publish(session, Unrelated())
    assert heard == ["first rain", "second rain"]


async def test_a_subscriber_that_fails_ends_the_publishers_work(database: Database) -> None:
    facts = Facts()

    async def fails(_: AsyncSession, fact: Happened) -> None:
        raise ValueError(fact.what)

    facts.subscribe(Happened, fails)
    with pytest.raises(ValueError, match="rain"):
        await _publish(database, facts)


async def _publish(database: Database, facts: Facts) -> None:
    async with database.transaction(SYSTEM) as session:
        await facts.publish(session, Happened(what="rain"))
