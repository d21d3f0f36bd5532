"""Writing, changing and listing tenders."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest

from auctions.tenders import service
from auctions.tenders.item_files import read_items
from marketplace.kernel.db import SYSTEM, Database
from marketplace.kernel.errors import Invalid
from tests.answers import ok, refused
from tests.auctions.tenders.tendering import (
    URL,
    act,
    draft,
    english,
    invite,
    lot,
    published,
    tender,
)
from tests.people import NewPerson


async def test_a_draft_holds_what_was_written(new_buyer: NewPerson) -> None:
    buyer = await new_buyer()
    items = [
        {
            "name": "Pump",
            "quantity": "12.50",
            "unit": "MTR",
            "classification": {"scheme": "CPV", "version": "2008", "code": "42122000-0"},
        }
    ]
    made = await draft(
        buyer, lots=[lot(items=items), lot("Spares", ceiling=None)], delivery={"incoterm": "DAP"}
    )
    assert made["state"] == "draft"
    assert made["buyer"] == {"id": str(buyer.organisation_id), "name": buyer.name}
    assert [row["title"] for row in made["lots"]] == ["400 pumps", "Spares"]
    assert made["lots"][0]["auction_id"] is None
    assert made["lots"][0]["items"][0]["quantity"] == "12.5"
    assert made["lots"][0]["ceiling"] == {"amount": "500000.00", "currency": "EUR"}
    assert made["lots"][1]["ceiling"] is None
    assert made["delivery"] == {"incoterm": "DAP"}
    assert ok(await buyer.client.get(f"{URL}/{made['id']}")) == made


async def test_every_wrong_field_of_a_draft_is_named_at_once(new_buyer: NewPerson) -> None:
    buyer = await new_buyer()
    bad = tender(
        lots=[
            lot(ceiling={"amount": "1", "currency": "USD"}),
            lot(items=[{"name": "Pump", "quantity": "-1", "unit": "furlongs"}]),
        ]
    )
    problem = refused(await buyer.client.post(URL, json=bad), 422, "invalid_tender")
    assert [error["field"] for error in problem["errors"]] == [
        "lots[0].ceiling.currency",
        "lots[1].items[0].quantity",
        "lots[1].items[0].unit",
    ]


async def test_an_unknown_field_is_a_mistake(new_buyer: NewPerson) -> None:
    buyer = await new_buyer()
    answer = await buyer.client.post(URL, json=tender(titel="Pumps"))
    assert answer.status_code == 422, answer.text


async def test_a_changed_draft_keeps_what_was_left_out(new_buyer: NewPerson) -> None:
    buyer = await new_buyer()
    made = await draft(buyer, description="As drawn")
    kept = made["lots"][0]["id"]
    change = {"title": "Better pumps", "lots": [lot("New"), lot("Old", id=kept)]}
    done = ok(await buyer.client.patch(f"{URL}/{made['id']}", json=change))
    assert (done["title"], done["description"]) == ("Better pumps", "As drawn")
    assert [row["title"] for row in done["lots"]] == ["New", "Old"]
    assert done["lots"][1]["id"] == kept
    stranger = {"lots": [lot(id=str(buyer.user_id))]}
    refused(await buyer.client.patch(f"{URL}/{made['id']}", json=stranger), 422, "unknown_lot")


async def test_a_published_tender_no_longer_changes(
    new_buyer: NewPerson, new_supplier: NewPerson
) -> None:
    buyer, supplier = await new_buyer(), await new_supplier()
    done = await published(buyer, supplier)
    change = await buyer.client.patch(f"{URL}/{done['id']}", json={"title": "Other"})
    refused(change, 409, "wrong_state")
    refused(await act(buyer, done["id"], "publish"), 409, "undefined_transition")


async def test_suppliers_write_no_tenders(new_supplier: NewPerson) -> None:
    supplier = await new_supplier()
    answer = await supplier.client.post(URL, json=tender())
    assert answer.status_code == 403, answer.text


async def test_the_list_turns_pages_newest_first(new_buyer: NewPerson) -> None:
    buyer = await new_buyer()
    made = [(await draft(buyer))["id"] for _ in range(3)]
    first = ok(await buyer.client.get(URL, params={"limit": 2}))
    assert [row["id"] for row in first["items"]] == made[:0:-1]
    rest = ok(await buyer.client.get(URL, params={"limit": 2, "cursor": first["next_cursor"]}))
    assert [row["id"] for row in rest["items"]] == made[:1]
    assert rest["next_cursor"] is None
    none = ok(await buyer.client.get(URL, params={"state": "published"}))
    assert none["items"] == []
    refused(await buyer.client.get(URL, params={"cursor": "x"}), 422, "bad_cursor")
    refused(await buyer.client.get(URL, params={"limit": 0}), 422, "out_of_range")


async def test_an_open_tender_is_listed_for_those_who_may_supply_alone(
    new_buyer: NewPerson, new_supplier: NewPerson
) -> None:
    done = await published(await new_buyer(), access="open")
    supplier, rival = await new_supplier(), await new_buyer()
    shown = {row["id"] for row in ok(await supplier.client.get(URL))["items"]}
    assert done["id"] in shown
    assert ok(await rival.client.get(URL))["items"] == []
    assert (await rival.client.get("/auctions")).status_code == 200


async def test_publishing_names_every_impossible_rule_of_every_lot(
    new_buyer: NewPerson,
) -> None:
    buyer = await new_buyer()
    step = {"against": "own", "kind": "amount", "value": "0.00"}
    made = await draft(
        buyer,
        lots=[lot(rules=english(step=step)), lot(rules=english(-7_200)), lot(rules={"x": 1})],
    )
    problem = refused(await act(buyer, made["id"], "publish"), 422, "invalid_tender")
    fields = [error["field"] for error in problem["errors"]]
    assert fields[:3] == ["invitations", "lots[0].rules.step.value", "lots[1].rules.starts_at"]
    assert all(field.startswith("lots[2].rules") for field in fields[3:])
    assert ok(await buyer.client.get(f"{URL}/{made['id']}"))["state"] == "draft"


async def test_a_cancelled_tender_says_why_and_stays_cancelled(
    new_buyer: NewPerson, new_supplier: NewPerson
) -> None:
    buyer, supplier = await new_buyer(), await new_supplier()
    done = await published(buyer, supplier)
    gone = ok(await act(buyer, done["id"], "cancel", reason="No budget"))
    assert (gone["state"], gone["reason"]) == ("cancelled", "No budget")
    assert ok(await act(buyer, done["id"], "cancel", reason="Again"))["reason"] == "No budget"
    refused(await act(buyer, done["id"], "publish"), 409, "undefined_transition")
    steps = ok(await buyer.client.get(f"{URL}/{done['id']}/history"))["items"]
    assert [step["event"] for step in steps] == ["publish", "cancel"]
    assert steps[1]["user_id"] == str(buyer.user_id)
    refused(await invite(buyer, done["id"], supplier), 409, "wrong_state")


async def test_the_items_of_a_lot_come_from_a_file(
    new_buyer: NewPerson, new_supplier: NewPerson
) -> None:
    buyer = await new_buyer()
    made = await draft(buyer)
    path = f"{URL}/{made['id']}/lots/{made['lots'][0]['id']}/items"
    text = (
        "\ufeffName;Quantity;Unit;Code\r\nPump;400;C62;42122000-0\r\n"
        ';;;\r\n"Seal; red";2.5;MTR;\r\n'
    )
    done = ok(await buyer.client.put(path, content=text.encode()))
    items = done["lots"][0]["items"]
    assert [(row["name"], row["quantity"], row["unit"]) for row in items] == [
        ("Pump", "400", "C62"),
        ("Seal; red", "2.5", "MTR"),
    ]
    assert items[0]["classification"]["scheme"] == "CPV"
    bad = "name,quantity,unit\nPump,0,C62\n,1,furlongs\n"
    problem = refused(await buyer.client.put(path, content=bad.encode()), 422, "invalid_tender")
    assert [error["field"] for error in problem["errors"]] == [
        "rows[1].quantity",
        "rows[2].unit",
        "rows[2].name",
    ]
    assert ok(await buyer.client.get(f"{URL}/{made['id']}"))["lots"][0]["items"] == items
    other = await (await new_supplier()).client.put(path, content=text.encode())
    assert other.status_code == 404


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "invalid_tender"),
        (b"name,quantity,unit\n", "empty"),
        (b"name,quantity,unit,colour\n", "unknown_column"),
        (b"name,quantity,unit,unit\n", "invalid_tender"),
        (b"name,quantity,unit\n\x00", "malformed"),
        (b'name,quantity,unit\n"a"b,1,C62', "malformed"),
        (b"\xff\xfe", "bad_encoding"),
        (b"x" * 1_000_001, "too_large"),
        (b"name,quantity,unit,item_id\na,1,C62,nothing\n", "invalid"),
        (b"name,quantity,unit\n" + b"a,1,C62\n" * 501, "too_many"),
    ],
)
def test_a_file_that_is_no_list_of_items_is_refused(content: bytes, code: str) -> None:
    with pytest.raises(Invalid) as told:
        read_items(content)
    assert told.value.code == code


@pytest.mark.parametrize(
    ("quantities", "read"),
    [
        (["1.000", "2.500"], ["ambiguous_number", "ambiguous_number"]),
        (["1,299"], ["ambiguous_number"]),
        (["1.000", "2,5"], ["grouped_number", "2.5"]),
        (["1.000", "2.5"], ["1.000", "2.5"]),
        (["1.250", "0.5", "1,250"], ["1.250", "0.5", "grouped_number"]),
        (["2,5", "2.5"], ["mixed_marks", "2.5"]),
        (["1 000", "1e3", "\uff11"], ["grouped_number", "exponent", "bad_quantity"]),
        (["1000", "12,5"], ["1000", "12.5"]),
    ],
)
def test_a_quantity_that_can_be_read_in_two_ways_is_asked_back(
    quantities: list[str], read: list[str]
) -> None:
    rows = "".join(f"Pump;{quantity};C62\n" for quantity in quantities)
    content = f"name;quantity;unit\n{rows}".encode()
    wrong = {f"rows[{n}].quantity": c for n, c in enumerate(read, 1) if not c[0].isdigit()}
    if not wrong:
        assert [item.quantity for item in read_items(content)] == read
        return
    with pytest.raises(Invalid) as refused_file:
        read_items(content)
    assert {each.field: each.code for each in refused_file.value.errors} == wrong
    assert all(each.hint for each in refused_file.value.errors)


async def test_a_supplier_specific_bonus_is_kept_with_the_invitation(
    new_buyer: NewPerson, new_supplier: NewPerson
) -> None:
    buyer, supplier = await new_buyer(), await new_supplier()
    made = await draft(buyer)
    body = {"organisations": [str(supplier.organisation_id)]}
    for adjustment, code in (
        ({"percent": "51"}, "out_of_range"),
        ({"amount": {"amount": "1", "currency": "USD"}}, "other_currency"),
        ({"amount": {"amount": "x", "currency": "EUR"}}, "malformed"),
    ):
        wrong = body | {"adjustments": {str(supplier.organisation_id): adjustment}}
        refused(await act(buyer, made["id"], "invitations", **wrong), 422, code)
    good = {"percent": "2.5", "amount": {"amount": "-100.00", "currency": "EUR"}}
    right = body | {"adjustments": {str(supplier.organisation_id): good}}
    done = ok(await act(buyer, made["id"], "invitations", **right), 201)
    assert done["items"][0]["adjustment"] == good


async def test_the_currency_changes_only_with_the_lots(new_buyer: NewPerson) -> None:
    buyer = await new_buyer()
    made = await draft(buyer)
    path = f"{URL}/{made['id']}"
    refused(await buyer.client.patch(path, json={"currency": "USD"}), 422, "lots_missing")
    lots = [lot(ceiling={"amount": "5", "currency": "USD"})]
    change = {"currency": "USD", "lots": lots, "offers": {"due_at": "2030-01-01T00:00:00Z"}}
    done = ok(await buyer.client.patch(path, json=change))
    assert (done["currency"], done["lots"][0]["ceiling"]["currency"]) == ("USD", "USD")
    assert done["offers"]["due_at"].startswith("2030-01-01")


async def test_a_tender_that_finds_nobody_ends_unsuccessful(
    new_buyer: NewPerson, new_supplier: NewPerson
) -> None:
    buyer, supplier = await new_buyer(), await new_supplier()
    done = await published(buyer, supplier)
    assert (await act(buyer, done["id"], "fail")).status_code == 422
    ended = ok(await act(buyer, done["id"], "fail", reason="No interest"))
    assert (ended["state"], ended["events"]) == ("unsuccessful", [])
    refused(await act(buyer, done["id"], "cancel", reason="x"), 409, "undefined_transition")


async def test_the_first_start_moves_the_tender_into_its_auctions(
    new_buyer: NewPerson, new_supplier: NewPerson, database: Database
) -> None:
    buyer, supplier = await new_buyer(), await new_supplier()
    done = await published(buyer, supplier)
    async with database.transaction(SYSTEM) as session:
        await service.fire(session, UUID(done["id"]), "begin", datetime.now(UTC))
    assert ok(await buyer.client.get(f"{URL}/{done['id']}"))["state"] == "in_auction"
