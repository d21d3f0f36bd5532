"""What is left behind is picked up, and one lost auction holds up no other."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import pytest
from sqlalchemy import text

from auctions.tenders import jobs, life, queries, sending
from auctions.tenders.models import AuctionParticipant, Award, Tender
from marketplace.kernel.clock import Clock
from marketplace.kernel.db import SYSTEM, Database
from marketplace.kernel.workflow import house
from tests.answers import ok
from tests.auctions.tenders.tendering import (
    URL,
    act,
    in_seconds,
    join,
    published,
)
from tests.people import NewPerson, Person
from web.app import Application


@pytest.fixture
def desk(app: Application, database: Database) -> sending.Desk:
    return sending.Desk(database, app.litestar.state.living.books, Clock())


async def forget_admissions(database: Database, *auction_ids: str) -> None:
    async with database.transaction(SYSTEM) as session:
        await session.execute(
            text(
                "UPDATE auction_participants SET admitted_at = NULL,"
                " created_at = created_at - interval '1 hour' WHERE auction_id = ANY(:ids)"
            ),
            {"ids": [UUID(key) for key in auction_ids]},
        )


async def test_a_lost_auction_holds_up_no_other(
    new_buyer: NewPerson, new_supplier: NewPerson, database: Database, desk: sending.Desk
) -> None:
    buyer, supplier = await new_buyer(), await new_supplier()
    lost, fine = await published(buyer, supplier), await published(buyer, supplier)
    ids = [done["lots"][0]["auction_id"] for done in (lost, fine)]
    for done in (lost, fine):
        await join(supplier, done["id"])
    await forget_admissions(database, *ids)
    await desk.books.close(UUID(ids[0]))
    async with database.transaction(SYSTEM) as session:
        head = await session.execute(
            text("DELETE FROM auction_head WHERE auction_id = :id RETURNING auction_id"),
            {"id": ids[0]},
        )
        assert head.first() is not None
    assert await sending.readmit(desk) >= 1
    async with database.transaction(SYSTEM) as session:
        waiting = await session.execute(
            text("SELECT auction_id FROM auction_participants WHERE admitted_at IS NULL")
        )
        assert [str(key) for key in waiting.scalars()] == [ids[0]]
        await session.execute(
            text("UPDATE auctions SET state = 'closed', ended_at = now() WHERE id = :id"),
            {"id": ids[0]},
        )


async def test_a_cancelling_that_a_crash_left_behind_is_sent_once_more(
    new_buyer: NewPerson, new_supplier: NewPerson, database: Database, desk: sending.Desk
) -> None:
    buyer, supplier = await new_buyer(), await new_supplier()
    done = await published(buyer, supplier)
    auction_id = UUID(done["lots"][0]["auction_id"])
    async with database.transaction(SYSTEM) as session:
        await session.execute(
            text("UPDATE auctions SET cancel_reason = 'No budget' WHERE id = :id"),
            {"id": auction_id},
        )
    assert await sending.send_cancels(desk) == 1
    assert await sending.send_cancels(desk) == 0
    book = await desk.books.open(auction_id)
    assert book.fold.state.status == "cancelled"


async def test_a_tender_whose_auctions_were_all_ended_goes_to_awarding(
    new_buyer: NewPerson, new_supplier: NewPerson, desk: sending.Desk
) -> None:
    buyer, supplier = await new_buyer(), await new_supplier()
    done = await published(buyer, supplier)
    auction_id = done["lots"][0]["auction_id"]
    path = f"/api/v1/auctions/{auction_id}/cancel"
    answer = await buyer.client.post(path, json={"cid": "1", "reason": "Wrong lot"})
    assert answer.status_code in (200, 201), answer.text
    assert await jobs.note_ended_auctions(desk) >= 1
    assert ok(await buyer.client.get(f"{URL}/{done['id']}"))["state"] == "awarding"
    sheet = await buyer.client.get(f"/api/v1/lots/{done['lots'][0]['id']}/award_sheet")
    assert ok(sheet)["rows"] == []
    ok(await act(buyer, done["id"], "fail", reason="Cancelled"))


async def test_a_suspended_supplier_leaves_every_running_auction(
    new_buyer: NewPerson,
    new_supplier: NewPerson,
    operator: Person,
    database: Database,
    desk: sending.Desk,
) -> None:
    buyer, supplier, other = await new_buyer(), await new_supplier(), await new_supplier()
    tenders = [await published(buyer, supplier, other) for _ in range(2)]
    for done in tenders:
        for person in (supplier, other):
            await join(person, done["id"])
    path = f"/api/v1/organisations/{supplier.organisation_id}"
    ok(await operator.client.post(f"{path}/suspend", json={"reason": "Fraud"}))

    async def waiting() -> list[AuctionParticipant]:
        async with database.transaction(SYSTEM) as session:
            rows = await queries.waiting_excludes(session, 1_000)
        return [row for row in rows if row.organisation_id == supplier.organisation_id]

    assert len(await waiting()) == 2
    await sending.exclude_suspended(desk)
    for done in tenders:
        auction_id = UUID(done["lots"][0]["auction_id"])
        book = await desk.books.open(auction_id)
        async with database.transaction(SYSTEM) as session:
            who = await queries.participants(session, auction_id)
        async with book.settled() as fold:
            admitted = {who[alias]: each.admitted for alias, each in fold.state.bidders.items()}
        assert admitted == {supplier.organisation_id: False, other.organisation_id: True}
    assert not await waiting()
    ok(await operator.client.post(f"{path}/reinstate", json={"reason": "A mistake"}))


def test_guards_say_why() -> None:
    now = datetime.fromisoformat(in_seconds(0).replace("Z", "+00:00"))
    by = house(now)
    plain = Tender(needs_approval=True, offers_due_at=None)
    refusal = life.offers_are_due(plain, by)
    assert refusal is not None
    assert refusal.code == "no_offers_stage"
    assert life.no_offers_stage(plain, by) is None
    assert life.within_the_limit(plain, by) is not None
    sealed = Tender(needs_approval=False, offers_due_at=now)
    assert life.offers_are_due(sealed, by) is None
    assert life.no_offers_stage(sealed, by) is not None
    assert life.needs_no_approval(Award(needs_approval=False), by) is None


async def test_ending_a_tender_on_its_page_tells_the_logs_as_the_api_does(
    new_buyer: NewPerson, new_supplier: NewPerson, database: Database, app: Application
) -> None:
    """The page forgot what the call registered beside its service."""
    buyer, supplier = await new_buyer(), await new_supplier()
    done = await published(buyer, supplier)
    path = f"/tenders/{done['id']}/offers/fail"
    form = {"reason": "No budget", "csrf_token": buyer.client.headers["X-CSRF-Token"]}
    answer = await buyer.client.post(path, data=form, follow_redirects=False)
    assert answer.status_code == 303, answer.text
    async with database.transaction(SYSTEM) as session:
        waiting = await queries.waiting_cancels(session, 1_000)
    assert done["lots"][0]["auction_id"] not in {str(auction.id) for auction in waiting}
