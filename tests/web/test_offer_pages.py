"""The buyer's page of sealed offers: what it shows when, to whom, and what it refuses."""

from __future__ import annotations

import re

from marketplace.kernel.db import Database
from tests.answers import ok
from tests.auctions.tenders.tendering import (
    URL,
    act,
    in_seconds,
    overdue,
    published,
)
from tests.auctions.tenders.test_offers import offer, sealed
from tests.people import Connect, NewPerson, Person, colleague, peer, since_yesterday

HTML = {"Accept": "text/html"}


async def shown(person: Person, tender_id: str) -> str:
    answer = await person.client.get(f"/tenders/{tender_id}/offers", headers=HTML)
    assert answer.status_code == 200, answer.text
    return answer.text


async def press(person: Person, path: str, **form: str) -> tuple[int, str]:
    answer = await person.client.post(path, data=form or {"x": ""}, headers=HTML)
    return answer.status_code, answer.text


def disabled(page: str, name: str) -> bool:
    [attributes] = re.findall(rf"<button([^>]*)>(?:<svg.*?</svg>)?{name}", page)
    return "disabled" in attributes


async def test_before_the_opening_only_how_many_is_known(
    new_buyer: NewPerson, new_supplier: NewPerson, database: Database
) -> None:
    buyer, one, two = await new_buyer(), await new_supplier(), await new_supplier()
    done = await sealed(buyer, one, two)
    lot_id = done["lots"][0]["id"]
    assert '<b class="num">0</b>' in await shown(buyer, done["id"])
    ok(await offer(one, lot_id, "271828.18", note="Zanzibar delivery"), 201)
    ok(await offer(two, lot_id, "314159.26"), 201)
    page = await shown(buyer, done["id"])
    assert '<b class="num">2</b>' in page
    assert disabled(page, "Open the offers")
    assert "before the last minute is over" in page
    secrets = ("271828", "271,828", "314159", "314,159", "Zanzibar", one.name, two.name)
    assert not [word for word in secrets if word in page]
    status, page = await press(buyer, f"/tenders/{done['id']}/offers/open")
    assert status == 409
    assert not [word for word in secrets if word in page]
    await overdue(database, done["id"])
    assert not disabled(await shown(buyer, done["id"]), "Open the offers")


async def test_strangers_rivals_and_bidders_find_no_such_page(
    new_buyer: NewPerson, new_supplier: NewPerson, database: Database
) -> None:
    buyer, supplier = await new_buyer(), await new_supplier()
    done = await sealed(buyer, supplier)
    ok(await offer(supplier, done["lots"][0]["id"], "100.00"), 201)
    await overdue(database, done["id"])
    [mine] = ok(await supplier.client.get(f"{URL}/{done['id']}/offers"))["items"]
    for person in (supplier, await new_buyer(), await new_supplier()):
        seen = await person.client.get(f"/tenders/{done['id']}/offers", headers=HTML)
        assert seen.status_code == 404
        for step in ("open", "start", "skip_auction", "fail"):
            assert (await press(person, f"/tenders/{done['id']}/offers/{step}"))[0] == 404
        for step in ("accept", "reject"):
            assert (await press(person, f"/offers/{mine['id']}/{step}", reason="x"))[0] == 404
    # Not even its buyer qualifies what is still sealed.
    assert (await press(buyer, f"/offers/{mine['id']}/accept"))[0] == 404


async def test_two_people_open_and_each_learns_what_is_missing(
    new_buyer: NewPerson, new_supplier: NewPerson, database: Database, connect_client: Connect
) -> None:
    buyer, supplier = await new_buyer(), await new_supplier()
    invited = await colleague(connect_client, buyer, "approver")
    done = await sealed(buyer, supplier, two_person=True)
    path = f"/tenders/{done['id']}/offers/open"
    ok(await offer(supplier, done["lots"][0]["id"], "123.45"), 201)
    await overdue(database, done["id"])
    assert (await press(buyer, path))[0] == 303
    page = await shown(buyer, done["id"])
    assert "Nobody here can give it yet." in page
    assert "Nobody could open together with you." in page
    assert disabled(page, "Open the offers")
    assert "Your approval is on record." in page
    assert (await press(buyer, path))[0] == 409

    observer = await colleague(connect_client, buyer, "observer")
    page = await shown(observer, done["id"])
    assert "Opening takes one of these roles: Procurement officer, Approver." in page
    assert (await press(observer, path))[0] == 403
    page = await shown(invited, done["id"])
    assert "One of you two invited the other or gave the role." in page
    assert disabled(page, "Open the offers")
    assert (await press(invited, path))[0] == 403
    second = await peer(connect_client, buyer, "approver")
    page = await shown(second, done["id"])
    assert "Your role for it began after the offers were due." in page
    assert (await press(second, path))[0] == 403
    await since_yesterday(database, second)
    assert "can be given by Colleague" in await shown(buyer, done["id"])
    page = await shown(second, done["id"])
    assert not disabled(page, "Open the offers")
    assert "123.45" not in page
    assert (await press(second, path))[0] == 303
    assert "€123.45" in await shown(second, done["id"])
    status, page = await press(buyer, path)
    assert (status, "Somebody was faster" in page) == (409, True)


async def test_offers_are_qualified_rejected_and_taken_to_the_award(
    new_buyer: NewPerson, new_supplier: NewPerson, database: Database, connect_client: Connect
) -> None:
    buyer, dear, cheap = await new_buyer(), await new_supplier(), await new_supplier()
    done = await sealed(buyer, dear, cheap)
    for supplier, amount in ((dear, "200.00"), (cheap, "100.00")):
        ok(await offer(supplier, done["lots"][0]["id"], amount, note=f"By {amount}"), 201)
    await overdue(database, done["id"])
    base = f"/tenders/{done['id']}/offers"
    assert (await press(buyer, f"{base}/open"))[0] == 303
    page = await shown(buyer, done["id"])
    assert page.index(cheap.name) < page.index(dear.name)
    assert "By 100.00" in page
    assert disabled(page, "Award without an auction")
    assert "Qualify or reject every offer first." in page
    assert (await press(buyer, f"{base}/skip_auction"))[0] == 409
    rows = ok(await buyer.client.get(f"{URL}/{done['id']}/offers"))["items"]
    best, second = (row["id"] for row in rows)
    approver = await colleague(connect_client, buyer, "approver")
    assert (await press(approver, f"/offers/{best}/accept"))[0] == 403
    assert (await press(buyer, f"/offers/{best}/accept"))[0] == 303
    status, page = await press(buyer, f"/offers/{second}/reject")
    assert (status, 'aria-invalid="true"' in page) == (409, True)
    assert (await press(buyer, f"/offers/{second}/reject", reason="No certificate"))[0] == 303
    assert "No certificate" in await shown(buyer, done["id"])
    assert (await press(buyer, f"/offers/{second}/nonsense"))[0] == 400

    past = {"starts_at": "2020-01-01T10:00", "offset_min": "0"}
    status, page = await press(buyer, f"{base}/start", **past)
    assert (status, "The start lies in the past." in page) == (422, True)
    assert (await press(buyer, f"{base}/skip_auction"))[0] == 303
    page = await shown(buyer, done["id"])
    assert f"/lots/{done['lots'][0]['id']}/award" in page
    assert "/reject" not in page
    assert (await press(buyer, f"/offers/{second}/accept"))[0] == 409


async def test_no_offer_ends_the_tender_with_a_reason(
    new_buyer: NewPerson, new_supplier: NewPerson, database: Database
) -> None:
    buyer, supplier = await new_buyer(), await new_supplier()
    done = await sealed(buyer, supplier)
    await overdue(database, done["id"])
    base = f"/tenders/{done['id']}/offers"
    assert (await press(buyer, f"{base}/open"))[0] == 303
    page = await shown(buyer, done["id"])
    assert "No offer came for this lot." in page
    assert "Start the auctions" not in page
    status, page = await press(buyer, f"{base}/fail")
    assert (status, "This needs a reason." in page) == (409, True)
    assert (await press(buyer, f"{base}/fail", reason="Nobody offered"))[0] == 303
    assert ok(await buyer.client.get(f"{URL}/{done['id']}"))["state"] == "unsuccessful"


async def test_a_tender_without_offers_or_not_yet_published_says_so(
    new_buyer: NewPerson, new_supplier: NewPerson
) -> None:
    buyer, supplier = await new_buyer(), await new_supplier()
    plain = await published(buyer, supplier)
    assert "No sealed offers here" in await shown(buyer, plain["id"])
    stage = {"due_at": in_seconds(600), "two_person": False}
    ended = await published(buyer, supplier, offers=stage)
    ok(await act(buyer, ended["id"], "cancel", reason="Not needed"))
    assert "Never opened" in await shown(buyer, ended["id"])
