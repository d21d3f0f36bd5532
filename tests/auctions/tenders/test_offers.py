"""Sealed offers: nobody reads them before the opening, and what follows it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from auctions.tenders import sending, vault
from marketplace.kernel.clock import Clock
from marketplace.kernel.db import SYSTEM, Database
from marketplace.kernel.ids import new_id
from marketplace.kernel.sealing import NotSealedHere
from marketplace.kernel.settings import Settings
from tests.answers import ok, refused
from tests.auctions.tenders.tendering import (
    URL,
    act,
    english,
    in_seconds,
    join,
    lot,
    overdue,
    published,
)
from tests.people import Connect, NewPerson, Person, peer, unique
from web.app import Application


async def offer(supplier: Person, lot_id: str, amount: str, **more: Any) -> Any:
    body = {"price": {"amount": amount, "currency": "EUR"}} | more
    headers = {"Idempotency-Key": unique("offer")}
    return await supplier.client.post(f"/api/v1/lots/{lot_id}/offers", json=body, headers=headers)


async def sealed(
    buyer: Person, *suppliers: Person, two_person: bool = False, **changes: Any
) -> dict[str, Any]:
    """A published tender with a stage of sealed offers, joined by all."""
    stage = {"due_at": in_seconds(600), "two_person": two_person}
    done = await published(buyer, *suppliers, offers=stage, **changes)
    for supplier in suppliers:
        assert (await join(supplier, done["id"]))["aliases"] == {}
    return done


async def test_an_offer_is_nowhere_to_be_read_before_the_opening(
    new_buyer: NewPerson, new_supplier: NewPerson, database: Database
) -> None:
    buyer, supplier = await new_buyer(), await new_supplier()
    done = await sealed(buyer, supplier)
    assert done["lots"][0]["auction_id"] is None
    lot_id = done["lots"][0]["id"]
    receipt = ok(await offer(supplier, lot_id, "299792.45", note="Xylophone delivery"), 201)
    assert receipt["revision"] == 1
    assert ok(await buyer.client.get(f"{URL}/{done['id']}/offers"))["items"] == []
    mine = ok(await supplier.client.get(f"{URL}/{done['id']}/offers"))["items"]
    assert [(row["state"], row["price"], row["note"]) for row in mine] == [("sealed", None, None)]
    refused(await act(buyer, done["id"], "open"), 409, "offers_not_due")
    # Long enough that no identifier holds it by chance, and of no other test.
    for word in ("299792.45", "29979245", "Xylophone"):
        assert await holding(database, word) == []
    # Not even a hash of it, which anybody could try prices against.
    async with database.transaction(SYSTEM) as session:
        kept = await session.execute(
            text("SELECT count(*) FROM idempotency_keys WHERE path LIKE '%/offers'")
        )
        assert kept.scalar_one() == 0


async def holding(database: Database, word: str) -> list[str]:
    """Tables with a row that holds `word` anywhere, as text or as bytes."""
    found = []
    async with database.transaction(SYSTEM) as session:
        tables = await session.execute(
            text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        )
        for name in tables.scalars().all():
            if name == "alembic_version":
                continue
            hit = await session.execute(
                text(
                    f"SELECT count(*) FROM {name} t WHERE t::text LIKE :plain"
                    " OR t::text LIKE :bytes"
                ),
                {"plain": f"%{word}%", "bytes": f"%{word.encode().hex()}%"},
            )
            if hit.scalar_one():
                found.append(name)
    return found


async def test_a_later_offer_replaces_the_former_and_may_be_withdrawn(
    new_buyer: NewPerson, new_supplier: NewPerson, database: Database
) -> None:
    buyer, supplier, other = await new_buyer(), await new_supplier(), await new_supplier()
    done = await sealed(buyer, supplier, other)
    lot_id = done["lots"][0]["id"]
    first = ok(await offer(supplier, lot_id, "300000.00"), 201)
    second = ok(await offer(supplier, lot_id, "290000.00"), 201)
    assert (second["id"], second["revision"]) == (first["id"], 2)
    assert second["sha256"] != first["sha256"]
    ok(await offer(other, lot_id, "280000.00"), 201)
    gone = ok(await other.client.delete(f"/api/v1/lots/{lot_id}/offers"))
    assert gone["state"] == "withdrawn"
    await overdue(database, done["id"])
    refused(await offer(supplier, lot_id, "1.00"), 409, "offers_closed")
    opened = ok(await act(buyer, done["id"], "open"))
    assert opened == {"state": "opened", "released": 1, "needed": 1, "offers_count": 1}
    shown = ok(await buyer.client.get(f"{URL}/{done['id']}/offers"))["items"]
    assert [row["price"]["amount"] for row in shown] == ["290000.00"]
    assert shown[0]["organisation"]["name"] == supplier.name


async def test_mistakes_in_an_offer_are_told_at_once(
    new_buyer: NewPerson, new_supplier: NewPerson
) -> None:
    buyer, supplier, late = await new_buyer(), await new_supplier(), await new_supplier()
    features = [
        {"id": "warranty", "max": "0.15", "options": [{"id": "5y", "value": "0.15"}]},
    ]
    rules = english(scoring={"kind": "meat", "features": features})
    done = await sealed(buyer, supplier, lots=[lot(rules=rules)])
    lot_id = done["lots"][0]["id"]
    refused(await offer(supplier, lot_id, "500000.01"), 422, "above_ceiling")
    refused(await offer(supplier, lot_id, "1,5"), 422, "malformed")
    refused(await offer(supplier, lot_id, "0"), 422, "out_of_range")
    refused(await offer(supplier, lot_id, "100.00"), 422, "wrong_answer")
    ok(await offer(supplier, lot_id, "100.00", attributes={"warranty": "5y"}), 201)
    assert (await offer(late, lot_id, "100.00")).status_code == 404
    assert (await offer(buyer, lot_id, "100.00")).status_code == 403


async def test_opening_takes_two_people_where_the_buyer_asked_for_it(
    new_buyer: NewPerson, new_supplier: NewPerson, database: Database, connect_client: Connect
) -> None:
    buyer, supplier = await new_buyer(), await new_supplier()
    second = await peer(connect_client, buyer, "approver")
    done = await sealed(buyer, supplier, two_person=True)
    ok(await offer(supplier, done["lots"][0]["id"], "123.45"), 201)
    await overdue(database, done["id"])
    half = ok(await act(buyer, done["id"], "open"))
    assert half == {"state": "published", "released": 1, "needed": 2, "offers_count": None}
    refused(await act(buyer, done["id"], "open"), 409, "already_released")
    assert ok(await buyer.client.get(f"{URL}/{done['id']}/offers"))["items"] == []
    whole = ok(await act(second, done["id"], "open"))
    assert whole == {"state": "opened", "released": 2, "needed": 2, "offers_count": 1}


async def test_only_qualified_offers_go_to_the_auction(
    new_buyer: NewPerson, new_supplier: NewPerson, database: Database
) -> None:
    buyer, good, bad = await new_buyer(), await new_supplier(), await new_supplier()
    done = await sealed(buyer, good, bad)
    lot_id = done["lots"][0]["id"]
    for supplier, amount in ((good, "200.00"), (bad, "100.00")):
        ok(await offer(supplier, lot_id, amount), 201)
    await overdue(database, done["id"])
    ok(await act(buyer, done["id"], "open"))
    rows = ok(await buyer.client.get(f"{URL}/{done['id']}/offers"))["items"]
    by_name = {row["organisation"]["name"]: row["id"] for row in rows}
    refused(await act(buyer, done["id"], "start"), 409, "offers_undecided")
    path = "/api/v1/offers/{}/{}"
    answer = await buyer.client.post(path.format(by_name[good.name], "accept"))
    assert ok(answer)["items"]
    reject = path.format(by_name[bad.name], "reject")
    assert (await buyer.client.post(reject, json={})).status_code == 422
    ok(await buyer.client.post(reject, json={"reason": "No certificate"}))
    assert (await good.client.post(path.format(by_name[bad.name], "accept"))).status_code == 404
    started = ok(await act(buyer, done["id"], "start", starts_at=in_seconds(3_600)))
    assert started["state"] == "in_auction"
    auction_id = started["lots"][0]["auction_id"]
    seen = ok(await good.client.get(f"{URL}/{done['id']}"))["lots"][0]
    assert (seen["auction_id"], seen["alias"] is not None) == (auction_id, True)
    assert ok(await bad.client.get(f"{URL}/{done['id']}"))["lots"][0]["alias"] is None
    told = ok(await bad.client.get(f"{URL}/{done['id']}/offers"))["items"]
    assert [row["reason"] for row in told] == ["No certificate"]


async def test_a_damaged_offer_does_not_keep_the_others_closed(
    new_buyer: NewPerson, new_supplier: NewPerson, database: Database
) -> None:
    buyer, one, two = await new_buyer(), await new_supplier(), await new_supplier()
    done = await sealed(buyer, one, two)
    lot_id = done["lots"][0]["id"]
    ok(await offer(one, lot_id, "200.00"), 201)
    broken = ok(await offer(two, lot_id, "100.00"), 201)["id"]
    async with database.transaction(SYSTEM) as session:
        await session.execute(
            text(
                "UPDATE offers SET sealed = set_byte(sealed, 60, 255 - get_byte(sealed, 60))"
                " WHERE id = :id"
            ),
            {"id": broken},
        )
    await overdue(database, done["id"])
    assert ok(await act(buyer, done["id"], "open"))["offers_count"] == 2
    rows = ok(await buyer.client.get(f"{URL}/{done['id']}/offers"))["items"]
    assert {row["id"] == broken: row["state"] for row in rows} == {
        True: "rejected",
        False: "opened",
    }


@pytest.mark.parametrize("two_person", [False, True])
def test_an_offer_opens_only_with_its_own_key_place_and_secret(
    settings: Settings, two_person: bool
) -> None:
    tender_id, context = new_id(), vault.offer_context(new_id(), new_id(), 1)
    public, shares = vault.new_key(settings.secret, tender_id, two_person=two_person)
    box = vault.seal_offer(public, b'{"price":"1"}', context)
    assert len(shares) == 1 + two_person
    private = vault.private_key(settings.secret, tender_id, shares)
    assert vault.open_offer(private, box, context) == b'{"price":"1"}'
    longer = vault.seal_offer(public, b'{"price":"1000000.00"}', context)
    assert len(longer) == len(box)
    with pytest.raises(NotSealedHere):
        vault.open_offer(private, box, vault.offer_context(new_id(), new_id(), 1))
    with pytest.raises(NotSealedHere):
        vault.private_key("another secret", tender_id, shares)
    with pytest.raises(NotSealedHere):
        vault.private_key(settings.secret, UUID(int=1), shares)
    if two_person:
        with pytest.raises(NotSealedHere):
            vault.private_key(settings.secret, tender_id, shares[::-1])


async def test_qualified_offers_become_the_first_bids(
    new_buyer: NewPerson, new_supplier: NewPerson, database: Database, app: Application
) -> None:
    buyer, one, two = await new_buyer(), await new_supplier(), await new_supplier()
    done = await sealed(buyer, one, two)
    lot_id = done["lots"][0]["id"]
    for supplier, amount in ((one, "300000.00"), (two, "100000.00")):
        ok(await offer(supplier, lot_id, amount), 201)
    await overdue(database, done["id"])
    ok(await act(buyer, done["id"], "open"))
    for row in ok(await buyer.client.get(f"{URL}/{done['id']}/offers"))["items"]:
        ok(await buyer.client.post(f"/api/v1/offers/{row['id']}/accept"))
    started = ok(await act(buyer, done["id"], "start", starts_at=in_seconds(600)))
    auction_id = UUID(started["lots"][0]["auction_id"])
    book = await app.litestar.state.living.books.open(auction_id)
    standing = book.fold.state
    assert [standing.bidders[alias].current.price for _, _, alias in standing.rows] == [
        10_000_000,
        30_000_000,
    ]
    assert (
        await sending.readmit(sending.Desk(database, app.litestar.state.living.books, Clock())) == 0
    )
