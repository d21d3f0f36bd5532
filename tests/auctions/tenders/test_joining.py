"""Invitations, participation, pseudonyms, and who sees what."""

from __future__ import annotations

import asyncio
from uuid import UUID

from sqlalchemy import text

from auctions.book.books import Books
from auctions.tenders import queries, rules, sending
from marketplace.kernel.actor import Actor
from marketplace.kernel.clock import Clock
from marketplace.kernel.db import SYSTEM, Database
from marketplace.kernel.ids import OrganisationId, UserId, new_id
from tests.answers import ok, refused
from tests.auctions.tenders.tendering import (
    URL,
    act,
    draft,
    invite,
    join,
    lot,
    published,
)
from tests.people import NewPerson, Person
from web.app import Application


def books_of(app: Application) -> Books:
    books = app.litestar.state.living.books
    assert isinstance(books, Books)
    return books


def actor_of(person: Person, *capabilities: str) -> Actor:
    return Actor(
        user_id=UserId(person.user_id),
        organisation_id=OrganisationId(person.organisation_id),
        roles=frozenset(["partner_manager"]),
        capabilities=frozenset(capabilities),
    )


async def test_only_active_suppliers_are_invited_and_nobody_learns_why_not(
    new_buyer: NewPerson, new_supplier: NewPerson
) -> None:
    buyer, other = await new_buyer(), await new_buyer()
    good, waiting = await new_supplier(), await new_supplier(approved=False)
    made = await draft(buyer)
    answer = await invite(buyer, made["id"], good, waiting, other, new_id())
    problem = refused(answer, 422, "invalid_tender")
    assert {error["code"] for error in problem["errors"]} == {"unknown_supplier"}
    assert [error["field"] for error in problem["errors"]] == [
        "organisations[1]",
        "organisations[2]",
        "organisations[3]",
    ]
    assert ok(await buyer.client.get(f"{URL}/{made['id']}"))["invitations"] == []


async def test_an_invitation_repeated_stays_one(
    new_buyer: NewPerson, new_supplier: NewPerson
) -> None:
    buyer, supplier = await new_buyer(), await new_supplier()
    made = await draft(buyer)
    first = ok(await invite(buyer, made["id"], supplier), 201)
    assert ok(await invite(buyer, made["id"], supplier, supplier), 201) == first
    assert [row["organisation"]["id"] for row in first["items"]] == [str(supplier.organisation_id)]
    path = f"{URL}/{made['id']}/invitations/{supplier.organisation_id}"
    ok(await buyer.client.delete(path), 204)
    assert (await buyer.client.delete(path)).status_code == 404


async def test_a_tender_is_hidden_until_published_and_then_seen_by_the_invited_only(
    new_buyer: NewPerson, new_supplier: NewPerson
) -> None:
    buyer, supplier, stranger = await new_buyer(), await new_supplier(), await new_supplier()
    made = await draft(buyer)
    ok(await invite(buyer, made["id"], supplier), 201)
    path = f"{URL}/{made['id']}"
    assert (await supplier.client.get(path)).status_code == 404
    assert made["id"] not in [row["id"] for row in ok(await supplier.client.get(URL))["items"]]
    ok(await act(buyer, made["id"], "publish"))
    seen = ok(await supplier.client.get(path))
    assert seen["invitations"] is None
    assert seen["lots"][0]["auction_id"] is not None
    assert made["id"] in [row["id"] for row in ok(await supplier.client.get(URL))["items"]]
    for nobody in (stranger, await new_buyer()):
        assert (await nobody.client.get(path)).status_code == 404
        assert made["id"] not in [row["id"] for row in ok(await nobody.client.get(URL))["items"]]
        for event in ("publish", "cancel", "participation", "invitations", "approve"):
            body = {
                "cancel": {"reason": "x"},
                "participation": {"accept_terms": True},
                "invitations": {"organisations": [str(stranger.organisation_id)]},
            }.get(event, {})
            assert (await act(nobody, made["id"], event, **body)).status_code == 404


async def test_an_open_tender_takes_any_active_supplier(
    new_buyer: NewPerson, new_supplier: NewPerson
) -> None:
    buyer, supplier = await new_buyer(), await new_supplier()
    waiting = await new_supplier(approved=False)
    done = await published(buyer, open=True)
    assert (await join(supplier, done["id"]))["tender_id"] == done["id"]
    assert (await act(waiting, done["id"], "participation", accept_terms=True)).status_code == 403
    own = await act(buyer, done["id"], "participation", accept_terms=True)
    refused(own, 403, "own_tender")


async def test_taking_part_needs_the_terms_accepted(
    new_buyer: NewPerson, new_supplier: NewPerson
) -> None:
    buyer, supplier = await new_buyer(), await new_supplier()
    done = await published(buyer, supplier)
    answer = await act(supplier, done["id"], "participation", accept_terms=False)
    refused(answer, 422, "terms_not_accepted")


async def test_each_participant_gets_a_pseudonym_of_its_own_in_every_auction(
    new_buyer: NewPerson, new_supplier: NewPerson
) -> None:
    buyer = await new_buyer()
    suppliers = [await new_supplier() for _ in range(3)]
    done = await published(buyer, *suppliers, lots=[lot(), lot("Spares")])
    auctions = {row["auction_id"] for row in done["lots"]}
    joined = [await join(supplier, done["id"]) for supplier in suppliers]
    for row in joined:
        assert set(row["aliases"]) == auctions
    for auction in auctions:
        names = {row["aliases"][auction] for row in joined}
        assert len(names) == 3
        assert all(len(name.split()) == 2 for name in names)
    again = await join(suppliers[0], done["id"])
    assert again == joined[0]
    view = ok(await suppliers[0].client.get(f"{URL}/{done['id']}"))
    assert {row["auction_id"]: row["alias"] for row in view["lots"]} == joined[0]["aliases"]


async def test_two_colleagues_who_accept_at_once_get_one_pseudonym(
    new_buyer: NewPerson, new_supplier: NewPerson
) -> None:
    buyer, supplier = await new_buyer(), await new_supplier()
    done = await published(buyer, supplier)
    both = await asyncio.gather(join(supplier, done["id"]), join(supplier, done["id"]))
    assert both[0] == both[1]


async def test_participation_admits_the_bidder_to_the_auction(
    new_buyer: NewPerson, new_supplier: NewPerson, app: Application, database: Database
) -> None:
    buyer, supplier = await new_buyer(), await new_supplier()
    done = await published(buyer, supplier)
    auction_id = UUID(done["lots"][0]["auction_id"])
    alias = (await join(supplier, done["id"]))["aliases"][str(auction_id)]
    book = await books_of(app).open(auction_id)
    assert book.fold.state.bidders[alias].admitted
    async with database.transaction(SYSTEM) as session:
        assert await queries.participants(session, auction_id) == {alias: supplier.organisation_id}


async def test_an_admission_that_a_crash_left_behind_is_sent_once_more(
    new_buyer: NewPerson, new_supplier: NewPerson, app: Application, database: Database
) -> None:
    buyer, supplier = await new_buyer(), await new_supplier()
    done = await published(buyer, supplier)
    await join(supplier, done["id"])
    auction_id = UUID(done["lots"][0]["auction_id"])
    book = await books_of(app).open(auction_id)
    before = book.published_seq
    async with database.transaction(SYSTEM) as session:
        await session.execute(
            text(
                "UPDATE auction_participants SET admitted_at = NULL,"
                " created_at = created_at - interval '1 hour' WHERE auction_id = :id"
            ),
            {"id": auction_id},
        )
    desk = sending.Desk(database, books_of(app), Clock())
    assert await sending.readmit(desk) >= 1
    assert await sending.readmit(desk) == 0
    assert book.published_seq == before + 1
    assert len(book.fold.state.bidders) == 1


async def test_cancelling_reaches_the_auctions(
    new_buyer: NewPerson, new_supplier: NewPerson, app: Application
) -> None:
    buyer, supplier = await new_buyer(), await new_supplier()
    done = await published(buyer, supplier)
    ok(await act(buyer, done["id"], "cancel", reason="No budget"))
    book = await books_of(app).open(UUID(done["lots"][0]["auction_id"]))
    assert book.fold.state.status == "cancelled"
    refused(await act(supplier, done["id"], "participation", accept_terms=True), 409, "wrong_state")


async def test_another_organisation_sees_nothing_even_by_a_wrong_query(
    new_buyer: NewPerson, new_supplier: NewPerson, database: Database
) -> None:
    buyer, supplier, stranger = await new_buyer(), await new_supplier(), await new_supplier()
    done = await published(buyer, supplier)
    await join(supplier, done["id"])
    tables = ["tenders", "lots", "lot_items", "tender_invitations", "tender_participations"]
    tables += ["auctions", "auction_participants"]
    seen = {}
    for person in (supplier, stranger):
        async with database.transaction(actor_of(person, "supplies")) as session:
            for table in tables:
                column = "id" if table == "tenders" else "tender_id"
                count = await session.execute(
                    text(f"SELECT count(*) FROM {table} WHERE {column} = :id"), {"id": done["id"]}
                )
                seen[person.name, table] = count.scalar_one()
    assert [seen[stranger.name, table] for table in tables] == [0] * 7
    assert [seen[supplier.name, table] for table in tables] == [1] * 7


async def test_what_a_caller_is_in_an_auction(
    new_buyer: NewPerson, new_supplier: NewPerson, database: Database
) -> None:
    buyer, supplier, late = await new_buyer(), await new_supplier(), await new_supplier()
    done = await published(buyer, supplier, late)
    await join(supplier, done["id"])
    auction_id = UUID(done["lots"][0]["auction_id"])
    roles = {}
    for person, capability in ((buyer, "buys"), (supplier, "supplies"), (late, "supplies")):
        actor = actor_of(person, capability)
        async with database.transaction(actor) as session:
            access = await queries.auction_for(session, actor, auction_id)
        assert access is not None
        roles[person.name] = (access.role, access.alias is not None, access.may_act)
    assert roles == {
        buyer.name: ("observer", False, False),
        supplier.name: ("bidder", True, True),
        late.name: ("invited", False, False),
    }
    stranger = actor_of(await new_supplier(), "supplies")
    async with database.transaction(stranger) as session:
        assert await queries.auction_for(session, stranger, auction_id) is None


async def block(buyer: Person, supplier: Person) -> None:
    path = f"/api/v1/ratings/{supplier.organisation_id}/block"
    ok(await buyer.client.post(path, json={"reason": "Never again"}))


async def test_who_is_blocked_is_neither_invited_nor_takes_part(
    new_buyer: NewPerson, new_supplier: NewPerson
) -> None:
    buyer, supplier = await new_buyer(), await new_supplier()
    done = await published(buyer, open=True)
    made = await draft(buyer)
    await block(buyer, supplier)
    problem = refused(await invite(buyer, made["id"], supplier), 422, "supplier_blocked")
    assert "Never again" in problem["errors"][0]["message"]
    joining = await act(supplier, done["id"], "participation", accept_terms=True)
    refused(joining, 409, "supplier_blocked")


def test_the_rating_gates_invitations_and_not_rated_is_not_low() -> None:
    def codes(*arguments: str | None) -> list[str]:
        return [error.code for error in rules.gate_errors("x", *arguments)]

    assert codes("59.9", None, "60") == ["rating_too_low"]
    assert codes("60.0", None, "60") == []
    assert codes("100.0", None, "60") == []
    assert codes(None, None, "60") == []
    assert codes("1.0", None, None) == []
    assert codes("99.0", "late twice", None) == ["supplier_blocked"]
