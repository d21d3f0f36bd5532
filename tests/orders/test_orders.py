"""The life of an order over HTTP: who may do what when, deliveries in parts, and who sees it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from marketplace.kernel.clock import Clock, Micros
from marketplace.kernel.db import SYSTEM, Database
from marketplace.kernel.diagrams import mermaid
from marketplace.kernel.ids import new_id
from marketplace.kernel.money import Money
from marketplace.kernel.workflow import fire_due
from marketplace.orders.life import WORKFLOWS
from marketplace.orders.service import moving
from marketplace.orders.service.creating import Deal, DealItem, create_from_award
from tests.answers import ok, refused
from tests.orders.ordering import (
    URL,
    accepted,
    act,
    basket,
    confirm,
    deliver,
    line,
    ordered,
)
from tests.people import NewPerson
from web.wiring import subscribed


class Later(Clock):
    """The wall clock, some time ahead."""

    def __init__(self, ahead: timedelta) -> None:
        self._ahead = ahead // timedelta(microseconds=1)

    def now_us(self) -> Micros:
        return Micros(super().now_us() + self._ahead)


async def test_from_basket_to_acceptance_in_two_deliveries(
    new_buyer: NewPerson, new_supplier: NewPerson
) -> None:
    buyer, supplier = await new_buyer(), await new_supplier()
    made = await ordered(buyer, supplier)
    assert (made["state"], made["number"], made["origin"]) == ("placed", 1, "request")
    assert made["total"] == {"amount": "30.00", "currency": "EUR"}
    assert made["next"]["whose"] == "supplier"
    assert made["next"]["events"] == ["cancel"]
    seen = ok(await supplier.client.get(f"{URL}/{made['id']}"))
    assert seen["next"]["events"] == ["confirm", "decline"]
    await confirm(supplier, made)
    part = ok(await deliver(supplier, made, "5", "3"), 201)
    assert part["state"] == "partly_delivered"
    refused(await act(buyer, made, "accept"), 409, "reason_missing")
    too_many = refused(await deliver(supplier, made, "8", "0"), 422, "invalid_delivery")
    assert too_many["errors"][0]["message"] == "Only 7 are still to come."
    rest = ok(await deliver(supplier, made, "7", "0"), 201)
    assert rest["state"] == "delivered"
    assert [row["number"] for row in rest["deliveries"]] == [1, 2]
    done = ok(await act(buyer, made, "accept"))
    assert (done["state"], done["next"]) == ("accepted", None)
    refused(await act(buyer, made, "accept"), 409, "undefined_transition")
    assert (await ordered(buyer, supplier))["number"] == 2


async def test_each_move_belongs_to_one_side(new_buyer: NewPerson, new_supplier: NewPerson) -> None:
    buyer, supplier = await new_buyer(), await new_supplier()
    made = await ordered(buyer, supplier)
    refused(await buyer.client.post(f"{URL}/{made['id']}/confirm"), 403, "role_missing")
    refused(await act(supplier, made, "cancel", reason="x"), 403, "role_missing")
    refused(await act(supplier, made, "decline"), 409, "reason_missing")
    refused(await deliver(supplier, made, "1", "1"), 409, "undefined_transition")
    assert (await act(buyer, made, "unknown")).status_code in (404, 422)
    gone = ok(await act(supplier, made, "decline", reason="Sold out"))
    assert (gone["state"], gone["reason"]) == ("declined", "Sold out")


async def test_a_stranger_finds_nothing(
    new_buyer: NewPerson, new_supplier: NewPerson, database: Database
) -> None:
    buyer, supplier = await new_buyer(), await new_supplier()
    made = await accepted(buyer, supplier)
    for stranger in (await new_buyer(), await new_supplier()):
        for path in ("", "/timeline", "/documents"):
            answer = await stranger.client.get(f"{URL}/{made['id']}{path}")
            assert answer.status_code == 404, path
        for path, body in [
            ("/moves/cancel", {"reason": "x"}),
            ("/confirm", None),
            ("/deliveries", {"lines": [{"position": 0, "quantity": "1"}]}),
            ("/status_link", None),
            ("/watchers", {"user_id": str(stranger.user_id)}),
            ("/claims", {"kind": "quality", "severity_bp": 1, "description": "x"}),
        ]:
            answer = await stranger.client.post(f"{URL}/{made['id']}{path}", json=body)
            assert answer.status_code == 404, path
        assert ok(await stranger.client.get(URL))["items"] == []


async def test_a_named_approver_releases_and_the_supplier_sees_nothing_before(
    new_buyer: NewPerson, new_supplier: NewPerson, new_peer: NewPerson
) -> None:
    buyer, supplier = await new_buyer(), await new_supplier()
    own = basket(supplier, approver_id=str(buyer.user_id))
    refused(await buyer.client.post(URL, json=own), 422, "own_work")
    colleague = await new_peer(buyer, "approver")
    made = await ordered(buyer, supplier, approver_id=str(colleague.user_id))
    assert made["state"] == "awaiting_approval"
    assert (await supplier.client.get(f"{URL}/{made['id']}")).status_code == 404
    refused(await act(buyer, made, "approve"), 409, "other_approver")
    released = ok(await act(colleague, made, "approve"))
    assert released["state"] == "placed"
    assert ok(await supplier.client.get(f"{URL}/{made['id']}"))["state"] == "placed"
    other = await ordered(buyer, supplier, approver_id=str(colleague.user_id))
    ok(await act(colleague, other, "reject", reason="Too dear"))
    assert (await supplier.client.get(f"{URL}/{other['id']}")).status_code == 404
    steps = ok(await supplier.client.get(f"{URL}/{made['id']}/timeline"))["items"]
    assert [entry["text"] for entry in steps] == ["Order: approve, now placed"]


async def test_a_supplier_proposes_and_the_buyer_places(
    new_buyer: NewPerson, new_supplier: NewPerson
) -> None:
    buyer, supplier = await new_buyer(), await new_supplier()
    proposal = basket(supplier) | {"buyer_id": str(buyer.organisation_id)}
    refused(await supplier.client.post(URL, json=proposal), 422, "one_side")
    del proposal["supplier_id"]
    made = ok(await supplier.client.post(URL, json=proposal), 201)
    assert made["state"] == "proposed"
    assert ok(await buyer.client.get(f"{URL}/{made['id']}"))["next"]["events"] == [
        "place",
        "reject",
    ]
    assert ok(await act(buyer, made, "place"))["state"] == "placed"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"lines": [line(quantity="0")]}, "lines[0].quantity"),
        ({"lines": [line(quantity="1e3x")]}, "lines[0].quantity"),
        ({"lines": [line(price_unit="NaN")]}, "lines[0].price_unit"),
        ({"lines": [line(price={"amount": "1", "currency": "USD"})]}, "lines[0].price.currency"),
        ({"lines": [line(price={"amount": "-1", "currency": "EUR"})]}, "lines[0].price.amount"),
        ({"due_at": "2020-01-01T00:00:00Z"}, "due_at"),
        ({"supplier_id": "00000000-0000-7000-8000-000000000000"}, "supplier_id"),
    ],
)
async def test_wrong_baskets_name_the_field(
    new_buyer: NewPerson, new_supplier: NewPerson, change: dict[str, Any], field: str
) -> None:
    buyer, supplier = await new_buyer(), await new_supplier()
    answer = await buyer.client.post(URL, json=basket(supplier, **change))
    assert answer.status_code == 422, answer.text
    assert [error["field"] for error in answer.json()["errors"]] == [field]


async def test_an_award_becomes_one_order(
    new_buyer: NewPerson, new_supplier: NewPerson, database: Database
) -> None:
    buyer, supplier = await new_buyer(), await new_supplier()
    items = [DealItem(name=name, quantity=6, unit="C62") for name in ("Pump", "Motor")]  # type: ignore[arg-type]
    deal = Deal(
        award_id=new_id(),
        tender_id=new_id(),
        buyer_id=buyer.organisation_id,
        supplier_id=supplier.organisation_id,
        author_id=supplier.user_id,
        title="Pumps and motors",
        value=Money(120_000, "EUR"),
        items=items,
        delivery={"place": "Bremen"},
    )
    made = []
    for _ in range(2):
        async with database.transaction(SYSTEM) as session:
            made.append(await create_from_award(session, subscribed(), deal, Clock().now()))
    assert made[0] == made[1]
    order = ok(await buyer.client.get(f"{URL}/{made[0]}"))
    assert (order["origin"], order["origin_id"]) == ("award", str(deal.award_id))
    assert order["total"]["amount"] == "1200.00"
    assert order["lines"][0]["price"] is None
    await confirm(supplier, order)
    ok(await deliver(supplier, order, "6", "3"), 201)
    ok(await act(buyer, order, "accept", reason="That will do"))
    async with database.transaction(SYSTEM) as session:
        counted = await session.scalar(
            text("SELECT value_minor FROM rating_lines WHERE order_id = :id"), {"id": made[0]}
        )
    assert counted == 90_000


async def test_references_are_frozen_without_the_suppliers_own_prices(
    new_buyer: NewPerson, new_supplier: NewPerson
) -> None:
    buyer, one, other = await new_buyer(), await new_supplier(), await new_supplier()
    item = str(new_id())
    price = {"amount": "8.00", "currency": "EUR"}
    await ordered(buyer, one, lines=[line(item_id=item, price=price)])
    alone = await ordered(buyer, one, lines=[line(item_id=item)])
    assert alone["lines"][0]["reference"] is None
    made = await ordered(buyer, other, lines=[line(item_id=item, price_unit="10")])
    assert made["lines"][0]["reference"] == {"amount": "18.00", "currency": "EUR"}
    theirs = ok(await other.client.get(f"{URL}/{made['id']}"))
    assert theirs["lines"][0]["reference"] is None


async def test_what_is_late_escalates_again_and_again(
    new_buyer: NewPerson, new_supplier: NewPerson, database: Database
) -> None:
    buyer, supplier = await new_buyer(), await new_supplier()
    made = await ordered(buyer, supplier)
    facts = subscribed()

    async def fire(session: Any, subject: Any, event: str, now: Any) -> None:
        await moving.fire(facts, session, subject, event, now)

    for days in (4, 8):
        await fire_due(database, Later(timedelta(days=days)), {"order": fire})
    view = ok(await buyer.client.get(f"{URL}/{made['id']}"))
    assert view["escalated_at"] is not None
    assert view["state"] == "placed"
    steps = ok(await buyer.client.get(f"{URL}/{made['id']}/timeline"))["items"]
    assert [step["text"] for step in steps].count("Order: escalate, now placed") == 2
    assert steps[0]["reason"] == "Nothing happened in time"


async def test_the_list_turns_pages_and_filters(
    new_buyer: NewPerson, new_supplier: NewPerson
) -> None:
    buyer, supplier = await new_buyer(), await new_supplier()
    made = [(await ordered(buyer, supplier))["id"] for _ in range(3)]
    first = ok(await buyer.client.get(URL, params={"limit": 2}))
    rest = ok(await buyer.client.get(URL, params={"limit": 2, "cursor": first["next_cursor"]}))
    assert [row["id"] for row in first["items"] + rest["items"]] == made[::-1]
    assert ok(await supplier.client.get(URL, params={"role": "buyer"}))["items"] == []
    assert len(ok(await supplier.client.get(URL, params={"state": "placed"}))["items"]) == 3
    refused(await buyer.client.get(URL, params={"cursor": "x"}), 422, "bad_cursor")


async def test_regular_orders_are_suggested_again(
    new_buyer: NewPerson, new_supplier: NewPerson, database: Database
) -> None:
    buyer, supplier = await new_buyer(), await new_supplier()
    url = "/api/v1/replenishment_suggestions"
    for age in (90, 60, 30):
        made = await ordered(buyer, supplier, lines=[line(sku="P-1", quantity="40")])
        async with database.transaction(SYSTEM) as session:
            await session.execute(
                text(
                    "UPDATE orders SET ordered_at = now() - :age * interval '1 day' WHERE id = :id"
                ),
                {"age": age, "id": made["id"]},
            )
    await ordered(buyer, supplier, lines=[line(sku="Once")])
    [row] = ok(await buyer.client.get(url))["items"]
    assert (row["sku"], row["quantity"], row["every_days"]) == ("P-1", "40", 30)
    again = line(name=row["name"], sku=row["sku"], quantity=row["quantity"])
    done = await ordered(buyer, supplier, origin="replenishment", lines=[again])
    assert done["origin"] == "replenishment"
    assert ok(await buyer.client.get(url))["items"] == []
    assert (await supplier.client.get(url)).status_code == 403


async def test_the_customers_link_shows_no_prices(
    new_buyer: NewPerson, new_supplier: NewPerson, client: Any
) -> None:
    buyer, supplier = await new_buyer(), await new_supplier()
    made = await ordered(buyer, supplier)
    link = ok(await buyer.client.post(f"{URL}/{made['id']}/status_link"), 201)
    await confirm(supplier, made)
    ok(await deliver(supplier, made, "5", "3"), 201)
    public = f"/api/v1/order_status/{link['token']}"
    answer = await client.get(public)
    seen = ok(answer)
    assert (seen["state"], seen["lines"][0]["delivered"]) == ("Partly delivered", "5")
    assert [step["text"] for step in seen["steps"]] == ["Ordered", "Confirmed", "Partly delivered"]
    for secret in ("price", "EUR", "30.00", buyer.name, supplier.name):
        assert secret not in answer.text
    assert (await client.get(public[:-1])).status_code == 404
    newer = ok(await buyer.client.post(f"{URL}/{made['id']}/status_link"), 201)
    assert (await client.get(public)).status_code == 404
    ok(await buyer.client.delete(f"{URL}/{made['id']}/status_link"), 204)
    assert (await client.get(f"/api/v1/order_status/{newer['token']}")).status_code == 404


async def test_colleagues_may_watch(
    new_buyer: NewPerson, new_supplier: NewPerson, new_colleague: NewPerson
) -> None:
    buyer, supplier = await new_buyer(), await new_supplier()
    made = await ordered(buyer, supplier)
    url = f"{URL}/{made['id']}/watchers"
    colleague = await new_colleague(buyer, "observer")
    added = ok(await buyer.client.post(url, json={"user_id": str(colleague.user_id)}), 201)
    assert added["items"] == [str(colleague.user_id)]
    refused(
        await buyer.client.post(url, json={"user_id": str(supplier.user_id)}),
        422,
        "unknown_colleague",
    )
    refused(await act(colleague, made, "cancel", reason="x"), 403, "role_missing")
    assert ok(await colleague.client.get(f"{URL}/{made['id']}"))["next"]["events"] == []


def test_every_table_can_be_drawn() -> None:
    for workflow in WORKFLOWS:
        assert mermaid(workflow).startswith("stateDiagram-v2")
