"""Every declared event is sent by something, and suppliers hear what concerns them."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import text

from auctions.tenders import notice_jobs
from marketplace.exchange.catalogue import EVENTS
from marketplace.kernel.clock import Clock
from marketplace.kernel.db import SYSTEM, Database
from tests.answers import ok, refused
from tests.auctions.tenders.tendering import (
    URL,
    act,
    draft,
    english,
    in_seconds,
    invite,
    join,
    lot,
    published,
)
from tests.auctions.tenders.test_awards import Changes
from tests.people import NewPerson, Person
from web.app import Application


async def mails(database: Database, person: Person, kind: str) -> list[str]:
    """Subjects of the mails of one kind to an organisation, oldest first."""
    async with database.transaction(SYSTEM) as session:
        rows = await session.execute(
            text(
                "SELECT subject FROM exchange_mails"
                " WHERE organisation_id = :id AND kind = :kind ORDER BY id"
            ),
            {"id": person.organisation_id, "kind": kind},
        )
        return [str(row[0]) for row in rows]


async def events(database: Database, person: Person, kind: str) -> list[Any]:
    async with database.transaction(SYSTEM) as session:
        rows = await session.execute(
            text(
                "SELECT body FROM exchange_messages"
                " WHERE organisation_id = :id AND kind = :kind ORDER BY id"
            ),
            {"id": person.organisation_id, "kind": kind},
        )
        return [row[0] for row in rows]


async def listen(person: Person, *kinds: str) -> None:
    """An endpoint that nothing is ever sent to: no worker runs in these tests."""
    body = {"url": "https://hooks.example.com/x", "events": list(kinds)}
    assert (await person.client.post("/api/v1/endpoints", json=body)).status_code == 201


def test_every_declared_event_has_a_sender(repository: Path) -> None:
    sources = [
        path.read_text()
        for folder in ("marketplace", "auctions", "suppliers", "ratings", "pricing", "web")
        for path in (repository / folder).rglob("*.py")
        if path.name != "catalogue.py"
    ]
    silent = [kind for kind in EVENTS if not any(re.search(f'"{kind}"', s) for s in sources)]
    assert silent == []


async def test_an_invitation_is_mailed_when_it_is_sent_and_only_once(
    new_buyer: NewPerson, new_supplier: NewPerson, database: Database
) -> None:
    buyer, early, late = await new_buyer(), await new_supplier(), await new_supplier()
    done = await published(buyer, early)
    assert await mails(database, early, "invitation.received") == [f"Invitation: {done['title']}"]
    for _ in range(2):
        ok(await invite(buyer, done["id"], late, early), 201)
    for person in (early, late):
        assert len(await mails(database, person, "invitation.received")) == 1


async def test_a_draft_tells_nobody(
    new_buyer: NewPerson, new_supplier: NewPerson, database: Database
) -> None:
    buyer, supplier = await new_buyer(), await new_supplier()
    made = await draft(buyer)
    ok(await invite(buyer, made["id"], supplier), 201)
    assert await mails(database, supplier, "invitation.received") == []


async def test_the_buyer_hears_once_that_an_invitation_was_declined(
    new_buyer: NewPerson, new_supplier: NewPerson, database: Database
) -> None:
    buyer, supplier = await new_buyer(), await new_supplier()
    done = await published(buyer, supplier)
    for reason in ("No crane", "No lorry"):
        ok(await act(supplier, done["id"], "decline", reason=reason), 204)
    assert await mails(database, buyer, "invitation.declined") == [f"Declined: {done['title']}"]


async def test_an_addendum_is_mailed_to_everybody_who_did_not_decline(
    new_buyer: NewPerson, new_supplier: NewPerson, database: Database
) -> None:
    buyer, invited, gone = await new_buyer(), await new_supplier(), await new_supplier()
    done = await published(buyer, invited, gone)
    ok(await act(gone, done["id"], "decline", reason="No crane"), 204)
    ok(await act(buyer, done["id"], "addenda", text="The gate moved."), 201)
    subject = f"Addendum 1: {done['title']}"
    assert await mails(database, invited, "addendum.published") == [subject]
    assert await mails(database, gone, "addendum.published") == []


async def test_an_answer_reaches_the_invited_and_who_asked(
    new_buyer: NewPerson, new_supplier: NewPerson, database: Database
) -> None:
    buyer, invited, asking, other = (
        await new_buyer(),
        await new_supplier(),
        await new_supplier(),
        await new_supplier(),
    )
    done = await published(buyer, invited, open=True)
    question = ok(await act(asking, done["id"], "questions", text="Which seal?"), 201)
    path = f"questions/{question['id']}/answer"
    ok(await act(buyer, done["id"], path, answer="Viton"), 201)
    heard = {
        name: len(await mails(database, person, "question.answered"))
        for name, person in {"invited": invited, "asking": asking, "other": other}.items()
    }
    assert heard == {"invited": 1, "asking": 1, "other": 0}


async def test_a_start_is_announced_once_to_who_takes_part(
    new_buyer: NewPerson, new_supplier: NewPerson, database: Database
) -> None:
    buyer, taking_part, only_invited = await new_buyer(), await new_supplier(), await new_supplier()
    rules = english(starts_in_s=600)
    done = await published(buyer, taking_part, only_invited, lots=[lot("Pumps", rules=rules)])
    await join(taking_part, done["id"])
    for _ in range(2):
        await notice_jobs.announce_starts(database, Clock())
    assert await mails(database, taking_part, "auction.starts") == ["Auction starts: Pumps"]
    assert await mails(database, buyer, "auction.starts") == ["Auction starts: Pumps"]
    assert await mails(database, only_invited, "auction.starts") == []


async def test_a_start_far_away_is_not_announced_yet(
    new_buyer: NewPerson, new_supplier: NewPerson, database: Database
) -> None:
    buyer, supplier = await new_buyer(), await new_supplier()
    done = await published(buyer, supplier, lots=[lot(rules=english(starts_in_s=3_600))])
    await join(supplier, done["id"])
    await notice_jobs.announce_starts(database, Clock())
    assert await mails(database, supplier, "auction.starts") == []


async def bid(person: Person, auction_id: str, price: str) -> int:
    body = {"cid": f"c{price}", "price": price}
    answer = await person.client.post(f"/api/v1/auctions/{auction_id}/bids", json=body)
    assert answer.status_code == 201, answer.text
    return int(answer.json()["seq"])


async def running(buyer: Person, *bidders: Person, **rules: Any) -> str:
    """An auction that is open, with these bidders let in."""
    lots = [lot(rules=english(starts_in_s=0.5, typo_guard_percent="90", **rules))]
    done = await published(buyer, *bidders, lots=lots)
    for person in bidders:
        await join(person, done["id"])
    auction_id: str = done["lots"][0]["auction_id"]
    return auction_id


async def test_who_led_hears_that_somebody_bid_better(
    new_buyer: NewPerson, new_supplier: NewPerson, database: Database, app: Application
) -> None:
    buyer, one, two = await new_buyer(), await new_supplier(), await new_supplier()
    for person in (one, two):
        await listen(person, "auction.outbid")
    books = app.litestar.state.living.books
    auction_id = await running(buyer, one, two)
    await opened(app, auction_id)
    await bid(one, auction_id, "400000.00")
    seq = await bid(two, auction_id, "390000.00")
    for _ in range(2):
        await notice_jobs.announce_outbid(database, books, Clock())
    [event] = await events(database, one, "auction.outbid")
    assert f'"seq":{seq}' in event
    assert "390000" not in event
    assert await events(database, two, "auction.outbid") == []
    await bid(one, auction_id, "380000.00")
    await notice_jobs.announce_outbid(database, books, Clock())
    assert len(await events(database, two, "auction.outbid")) == 1


async def test_a_blind_auction_tells_nobody_that_it_was_outbid(
    new_buyer: NewPerson, new_supplier: NewPerson, database: Database, app: Application
) -> None:
    buyer, one, two = await new_buyer(), await new_supplier(), await new_supplier()
    await listen(one, "auction.outbid")
    auction_id = await running(buyer, one, two, visibility="blind")
    await opened(app, auction_id)
    await bid(one, auction_id, "400000.00")
    await bid(two, auction_id, "390000.00")
    await notice_jobs.announce_outbid(database, app.litestar.state.living.books, Clock())
    assert await events(database, one, "auction.outbid") == []


async def opened(app: Application, auction_id: str) -> None:
    """Until the log has the command that opens it."""
    books = app.litestar.state.living.books
    book, changes = await books.open(UUID(auction_id)), Changes()
    book.listeners.append(changes.heard)
    await changes.until(lambda: book.fold.state.status == "open")
    book.listeners.remove(changes.heard)


async def test_an_invitation_is_declined_with_a_reason_that_the_buyer_reads(
    new_buyer: NewPerson, new_supplier: NewPerson
) -> None:
    buyer, supplier, stranger = await new_buyer(), await new_supplier(), await new_supplier()
    done = await published(buyer, supplier)
    refused(await act(supplier, done["id"], "decline"), 422, "invalid")
    answer = await act(supplier, done["id"], "decline", reason="No capacity")
    assert answer.status_code == 204, answer.text
    assert (await act(stranger, done["id"], "decline", reason="x")).status_code == 404
    [invitation] = ok(await buyer.client.get(f"{URL}/{done['id']}"))["invitations"]
    assert invitation["decline_reason"] == "No capacity"
    assert invitation["declined_at"] is not None
    await join(supplier, done["id"])
    [invitation] = ok(await buyer.client.get(f"{URL}/{done['id']}"))["invitations"]
    assert invitation["decline_reason"] is None
    refused(await act(supplier, done["id"], "decline", reason="x"), 409, "takes_part")


async def test_an_addendum_merges_what_it_names(
    new_buyer: NewPerson, new_supplier: NewPerson
) -> None:
    buyer, supplier = await new_buyer(), await new_supplier()
    delivery = {"incoterm": "DAP", "place": "Bremen"}
    done = await published(buyer, supplier, delivery=delivery)
    ok(await act(buyer, done["id"], "addenda", text="Other place", delivery={"place": "Kiel"}), 201)
    shown = ok(await supplier.client.get(f"{URL}/{done['id']}"))["delivery"]
    assert (shown["incoterm"], shown["place"]) == ("DAP", "Kiel")
    [addendum] = ok(await supplier.client.get(f"{URL}/{done['id']}/addenda"))["items"]
    assert addendum["changes"] == [
        {
            "field": "delivery",
            "before": delivery,
            "after": {"incoterm": "DAP", "place": "Kiel"},
        }
    ]


async def test_an_addendum_moves_the_start_of_an_auction(
    new_buyer: NewPerson, new_supplier: NewPerson
) -> None:
    buyer, supplier = await new_buyer(), await new_supplier()
    done = await published(buyer, supplier)
    await join(supplier, done["id"])
    [lot_view] = done["lots"]
    path = f"/api/v1/auctions/{lot_view['auction_id']}"
    before = ok(await supplier.client.get(path))["terms"]["rules"]["starts_at"]
    later = in_seconds(7_200)
    moved = [{"id": lot_view["id"], "starts_at": later}]
    ok(await act(buyer, done["id"], "addenda", text="Samples are late", lots=moved), 201)
    after = ok(await supplier.client.get(path))["terms"]["rules"]["starts_at"]
    assert datetime.fromisoformat(after) == datetime.fromisoformat(later)
    [addendum] = ok(await supplier.client.get(f"{URL}/{done['id']}/addenda"))["items"]
    [change] = addendum["changes"]
    assert (change["field"], change["lot"]) == ("starts_at", lot_view["title"])
    assert datetime.fromisoformat(change["before"]) == datetime.fromisoformat(before)


async def test_a_start_moves_only_later_and_only_of_the_own_lots(
    new_buyer: NewPerson, new_supplier: NewPerson
) -> None:
    buyer, supplier = await new_buyer(), await new_supplier()
    done = await published(buyer, supplier)
    lot_id = done["lots"][0]["id"]
    for moved, code in (
        ([{"id": lot_id, "starts_at": in_seconds(600)}], "not_later"),
        ([{"id": done["id"], "starts_at": in_seconds(7_200)}], "unknown_lot"),
    ):
        answer = await act(buyer, done["id"], "addenda", text="x", lots=moved)
        assert answer.status_code == 422, answer.text
        assert answer.json()["errors"][0]["code"] == code
    assert ok(await supplier.client.get(f"{URL}/{done['id']}/addenda"))["items"] == []
