"""A supplier's page of its own sealed offers: what it takes, what it refuses, and who finds it."""

from __future__ import annotations

from typing import Any

import pytest

from marketplace.kernel.db import Database
from tests.answers import ok
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
from tests.auctions.tenders.test_offers import holding, offer, sealed
from tests.people import Connect, NewPerson, Person, colleague, unique

HTML = {"Accept": "text/html"}


async def shown(person: Person, tender_id: str) -> str:
    answer = await person.client.get(f"/tenders/{tender_id}/offer", headers=HTML)
    assert answer.status_code == 200, answer.text
    return answer.text


async def told_of_it(person: Person, tender_id: str) -> str:
    """What the tender's own page says of the viewer's offer."""
    page = (await person.client.get(f"/tenders/{tender_id}", headers=HTML)).text
    return page.partition('id="handed-in">')[2].partition("<")[0]


async def hand_in(person: Person, done: dict[str, Any], number: int = 0, **form: str) -> Any:
    lot_id = done["lots"][number]["id"]
    path = f"/tenders/{done['id']}/offer/{lot_id}"
    return await person.client.post(path, data=form, headers=HTML)


async def take_back(person: Person, done: dict[str, Any]) -> Any:
    path = f"/tenders/{done['id']}/offer/{done['lots'][0]['id']}/withdraw"
    return await person.client.post(path, data={"x": ""}, headers=HTML)


async def own(person: Person, done: dict[str, Any]) -> list[tuple[str, int]]:
    rows = ok(await person.client.get(f"{URL}/{done['id']}/offers"))["items"]
    return [(row["state"], row["revision"]) for row in rows]


async def test_an_offer_is_handed_in_replaced_and_taken_back(
    new_buyer: NewPerson,
    new_supplier: NewPerson,
    database: Database,
    capsys: pytest.CaptureFixture[str],
) -> None:
    buyer, supplier, rival = await new_buyer(), await new_supplier(), await new_supplier()
    done = await sealed(buyer, supplier, rival)
    ok(await offer(rival, done["lots"][0]["id"], "200000.00"), 201)
    page = await shown(supplier, done["id"])
    assert "Hand in the offer" in page
    assert "Take the offer back" not in page
    assert rival.name not in page

    assert await told_of_it(supplier, done["id"]) == "not handed in yet"
    first = await hand_in(supplier, done, price="141421.35", note="Zeppelin\r\ndelivery")
    assert first.status_code == 303
    assert await own(supplier, done) == [("sealed", 1)]
    assert await told_of_it(supplier, done["id"]) == "handed in"
    assert await told_of_it(buyer, done["id"]) == ""
    page = await shown(supplier, done["id"])
    assert "Replace the offer" in page
    again = await hand_in(supplier, done, price="173205.08")
    assert again.status_code == 303
    later = await shown(supplier, done["id"])
    assert "<dt>Version</dt><dd>2</dd>" in later
    logged = capsys.readouterr()
    assert "/tenders/{tender_id}/offer/{lot_id}" in logged.out
    # Long enough that no identifier holds it by chance.
    for secret in ("141421.35", "14142135", "173205.08", "17320508", "Zeppelin"):
        assert secret not in page + later + logged.out + logged.err
        assert await holding(database, secret) == []

    assert (await take_back(supplier, done)).status_code == 303
    assert await own(supplier, done) == [("withdrawn", 2)]
    assert await told_of_it(supplier, done["id"]) == "not handed in yet"
    page = await shown(supplier, done["id"])
    assert "You took your offer back." in page
    assert "Take the offer back" not in page
    assert (await take_back(supplier, done)).status_code == 409
    assert (await hand_in(supplier, done, price="161803.39")).status_code == 303
    assert await own(supplier, done) == [("sealed", 3)]


async def test_the_receipt_is_that_of_the_api(
    new_buyer: NewPerson, new_supplier: NewPerson
) -> None:
    buyer, supplier = await new_buyer(), await new_supplier()
    done = await sealed(buyer, supplier)
    receipt = ok(await offer(supplier, done["lots"][0]["id"], "100.00"), 201)
    assert receipt["sha256"] in await shown(supplier, done["id"])


async def test_a_mistake_is_told_at_its_field_of_its_lot(
    new_buyer: NewPerson, new_supplier: NewPerson
) -> None:
    buyer, supplier = await new_buyer(), await new_supplier()
    scoring = {
        "kind": "mixed",
        "features": [
            {
                "id": "warranty",
                "title": "Warranty",
                "max": "0.15",
                "options": [{"id": "5y", "title": "Five years", "value": "0.15"}],
            }
        ],
        "costs": [{"id": "transport", "title": "Transport"}],
    }
    done = await sealed(buyer, supplier, lots=[lot(), lot(rules=english(scoring=scoring))])
    good = {"price": "100.00", "answer-warranty": "5y", "answer-transport": "20.00"}
    wrong = {
        "price-2-error": ({"price": "1;5"}, "An amount is written as digits"),
        "answer-2-1-error": ({"answer-warranty": ""}, "Choose one of these."),
        "answer-2-2-error": ({"answer-transport": "-1"}, "Write an amount such as 120.00."),
        "note-2-error": ({"note": "x" * 5_001}, "5000"),
    }
    for place, (changes, message) in wrong.items():
        answer = await hand_in(supplier, done, 1, **good | changes)
        assert (answer.status_code, f'id="{place}"' in answer.text) == (422, True), place
        assert message in answer.text
        assert answer.text.count('class="field-error"') == 1
    assert await own(supplier, done) == []
    above = await hand_in(supplier, done, 0, price="500000.01", note="Typed & kept")
    assert above.status_code == 422
    for text in ('value="500000.01"', "Typed &amp; kept", "The lot has a lower ceiling."):
        assert text in above.text
    long = await hand_in(supplier, done, 1, **good | {"answer-transport": "1" * 65})
    assert (long.status_code, "length" in long.text) == (422, True)
    assert (await hand_in(supplier, done, 1, **good)).status_code == 303
    assert await own(supplier, done) == [("sealed", 1)]


async def test_strangers_and_the_buyer_find_no_such_page(
    new_buyer: NewPerson, new_supplier: NewPerson
) -> None:
    buyer, supplier, stranger = await new_buyer(), await new_supplier(), await new_supplier()
    done = await sealed(buyer, supplier)
    for person in (buyer, stranger, await new_buyer()):
        seen = await person.client.get(f"/tenders/{done['id']}/offer", headers=HTML)
        assert seen.status_code == 404
        assert (await take_back(person, done)).status_code == 404
        assert (await hand_in(person, done, price="100.00")).status_code == 404
    # A lot of another tender, though it is one's own.
    other = await sealed(buyer, supplier)
    mixed = {"id": done["id"], "lots": other["lots"]}
    assert (await hand_in(supplier, mixed, price="100.00")).status_code == 404
    assert (await take_back(supplier, mixed)).status_code == 404


async def test_who_may_not_hand_in_learns_why(
    new_buyer: NewPerson, new_supplier: NewPerson, connect_client: Connect
) -> None:
    buyer, supplier = await new_buyer(), await new_supplier()
    stage = {"due_at": in_seconds(600), "two_person": False}
    done = await published(buyer, supplier, offers=stage)
    assert "Accept the terms of the tender first." in await shown(supplier, done["id"])
    assert (await hand_in(supplier, done, price="100.00")).status_code == 409
    await join(supplier, done["id"])
    observer = await colleague(connect_client, supplier, "observer")
    page = await shown(observer, done["id"])
    assert "takes this role: Partner manager." in page
    assert "Hand in the offer" not in page
    assert (await hand_in(observer, done, price="100.00")).status_code == 403
    ok(await act(buyer, done["id"], "cancel", reason="Not needed"))
    assert "What was handed in stays sealed." in await shown(supplier, done["id"])
    plain = await published(buyer, supplier)
    assert "No sealed offers here" in await shown(supplier, plain["id"])


async def test_after_the_last_minute_nothing_changes_and_after_the_opening_the_own_is_shown(
    new_buyer: NewPerson, new_supplier: NewPerson, database: Database
) -> None:
    buyer, supplier = await new_buyer(), await new_supplier()
    rival = await new_supplier(unique("Rival"))
    done = await sealed(buyer, supplier, rival)
    assert (await hand_in(supplier, done, price="4321.00", note="By rail")).status_code == 303
    ok(await offer(rival, done["lots"][0]["id"], "1234.00"), 201)
    await overdue(database, done["id"])
    page = await shown(supplier, done["id"])
    assert "The buyer opens the offers next." in page
    assert "Replace the offer" not in page
    late = await hand_in(supplier, done, price="1.00")
    assert (late.status_code, "The last minute is over." in late.text) == (409, True)
    assert (await take_back(supplier, done)).status_code == 409
    ok(await act(buyer, done["id"], "open"))
    [row] = ok(await supplier.client.get(f"{URL}/{done['id']}/offers"))["items"]
    reason = {"reason": "No certificate"}
    ok(await buyer.client.post(f"/api/v1/offers/{row['id']}/reject", json=reason))
    page = await shown(supplier, done["id"])
    for text in ("€4,321.00", "By rail", "No certificate", "Rejected"):
        assert text in page
    for text in (rival.name, "1,234", "Replace the offer"):
        assert text not in page


async def test_a_buyer_asks_for_sealed_offers_in_the_form(
    new_buyer: NewPerson, new_supplier: NewPerson
) -> None:
    buyer, supplier = await new_buyer(), await new_supplier()
    form = {
        "title": unique("Pumps"),
        "item": "Pump",
        "quantity": "4",
        "currency": "EUR",
        "starts_at": in_seconds(7_200)[:16],
        "duration_min": "20",
        "step": "50.00",
        "step_kind": "amount",
        "step_against": "own",
        "visibility": "rank_and_lead",
        "overtime_window_s": "120",
        "overtime_extend_s": "120",
        "suppliers": str(supplier.organisation_id),
        "offers": "two",
        "then": "publish",
    }

    async def post(**changes: str) -> Any:
        return await buyer.client.post("/tenders/new", data=form | changes, headers=HTML)

    for due in ("", "2020-01-01T10:00"):
        answer = await post(offers_due_at=due)
        assert (answer.status_code, 'id="offers_due_at-error"' in answer.text) == (422, True)
    late = await post(offers_due_at=in_seconds(9_000)[:16])
    assert (late.status_code, 'id="starts_at-error"' in late.text) == (422, True)
    due_at = in_seconds(3_600)[:16]
    made = await post(offers_due_at=due_at)
    assert made.status_code == 303, made.text
    stage = ok(await buyer.client.get(f"{URL}/{made.headers['location'].rpartition('/')[2]}"))
    assert stage["state"] == "published"
    assert stage["offers"] == {"due_at": f"{due_at}:00Z", "two_person": True}
    drafted = await post(offers="none", offers_due_at="", then="draft")
    assert drafted.status_code == 303
    plain = ok(await buyer.client.get(f"{URL}/{drafted.headers['location'].rpartition('/')[2]}"))
    assert plain["offers"] is None
