"""The lines of a bid on their way: sealed offer, award sheet, order."""

from __future__ import annotations

from typing import Any

from marketplace.kernel.db import Database
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
from tests.people import NewPerson, Person

ITEMS = [
    {"name": "Pump", "quantity": "400", "unit": "C62"},
    {"name": "Seal", "quantity": "800", "unit": "C62"},
]
LINES = [
    {"id": "p", "title": "pump"},
    {"id": "t", "title": "Transport"},
    {"id": "s", "title": "Seal"},
]


def offer(*totals: int) -> dict[str, Any]:
    lines = {line["id"]: f"{total}.00" for line, total in zip(LINES, totals, strict=True)}
    return {"price": {"amount": f"{sum(totals)}.00", "currency": "EUR"}, "lines": lines}


async def awarding(
    database: Database, buyer: Person, suppliers: list[Person], offers: list[Any], **changes: Any
) -> dict[str, Any]:
    """A tender in awarding on these offers alone; what it is worth to the lot is in the lines."""
    lots = [lot(**({"items": ITEMS, "rules": english(lines=LINES)} | changes))]
    done = await published(buyer, *suppliers, lots=lots, offers={"due_at": in_seconds(600)})
    path = f"/api/v1/lots/{done['lots'][0]['id']}/offers"
    for supplier, body in zip(suppliers, offers, strict=True):
        await join(supplier, done["id"])
        wrong = await supplier.client.post(path, json=body | {"lines": {}})
        assert refused(wrong, 422, "malformed")["errors"][0]["field"] == "lines"
        ok(await supplier.client.post(path, json=body), 201)
    await overdue(database, done["id"])
    ok(await act(buyer, done["id"], "open"))
    for row in ok(await buyer.client.get(f"{URL}/{done['id']}/offers"))["items"]:
        assert row["lines"].keys() == {"p", "t", "s"}
        ok(await buyer.client.post(f"/api/v1/offers/{row['id']}/accept"))
    ready: dict[str, Any] = ok(await act(buyer, done["id"], "skip_auction"))
    return ready


async def ordered(buyer: Person, supplier: Person, lot_id: str, percent: str) -> Any:
    """The order that follows from the award of a share."""
    shares = [{"organisation_id": str(supplier.organisation_id), "percent": percent}]
    path = f"/api/v1/lots/{lot_id}/awards"
    awards = ok(await buyer.client.post(path, json={"awards": shares}), 201)["items"]
    ok(await supplier.client.post(f"/api/v1/awards/{awards[0]['id']}/accept"))
    orders = ok(await supplier.client.get("/api/v1/orders"))["items"]
    return ok(await supplier.client.get(f"/api/v1/orders/{orders[0]['id']}"))


async def test_the_lines_of_the_winner_are_the_lines_of_the_order(
    new_buyer: NewPerson, new_supplier: NewPerson, database: Database
) -> None:
    buyer, cheap, dear = await new_buyer(), await new_supplier(), await new_supplier()
    offers = [offer(120_000, 1_000, 79_000), offer(150_000, 0, 100_000)]
    done = await awarding(database, buyer, [cheap, dear], offers)
    lot_id = done["lots"][0]["id"]
    sheet = ok(await buyer.client.get(f"/api/v1/lots/{lot_id}/award_sheet"))
    assert [[(line["title"], line["amount"]["amount"]) for line in row["lines"]]
            for row in sheet["rows"]] == [
        [("pump", "120000.00"), ("Transport", "1000.00"), ("Seal", "79000.00")],
        [("pump", "150000.00"), ("Transport", "0.00"), ("Seal", "100000.00")],
    ]  # fmt: skip
    order = await ordered(buyer, cheap, lot_id, "100")
    assert [(line["name"], line["quantity"], line["value"]["amount"]) for line in order["lines"]] \
        == [("Pump", "400", "120000.00"), ("Seal", "800", "79000.00"),
            ("Transport", "1", "1000.00")]  # fmt: skip


async def test_lines_that_are_no_items_go_into_the_note_of_the_order(
    new_buyer: NewPerson, new_supplier: NewPerson, database: Database
) -> None:
    buyer, cheap = await new_buyer(), await new_supplier()
    items = [*ITEMS, {"name": "Valve", "quantity": "10", "unit": "C62"}]
    done = await awarding(database, buyer, [cheap], [offer(120_000, 1_000, 79_000)], items=items)
    order = await ordered(buyer, cheap, done["lots"][0]["id"], "100")
    assert [line["value"] for line in order["lines"]] == [None, None, None]
    assert order["note"] == (
        "Of the price, in EUR: pump 120000.00; Transport 1000.00; Seal 79000.00."
    )
