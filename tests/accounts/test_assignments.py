"""A partner employee sees own and assigned records; the partner manager the whole organisation."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from marketplace.exchange.models import Mail
from marketplace.kernel.db import SYSTEM, Database
from tests.answers import ok, refused
from tests.auctions.tenders.tendering import join, published
from tests.auctions.tenders.test_awards import answer, offered, propose
from tests.orders.ordering import PNG, act, basket, claimed, confirm, deliver, ordered
from tests.people import Connect, NewPerson, Person, colleague

API = "/api/v1"


async def order_ids(person: Person) -> list[str]:
    return [row["id"] for row in ok(await person.client.get(f"{API}/orders"))["items"]]


async def tender_ids(person: Person) -> list[str]:
    return [row["id"] for row in ok(await person.client.get(f"{API}/tenders"))["items"]]


async def assign(manager: Person, kind: str, subject_id: str, *people: Person) -> Any:
    body = {"users": [str(person.user_id) for person in people]}
    return await manager.client.put(f"{API}/{kind}/{subject_id}/assignees", json=body)


async def test_an_order_is_seen_by_who_is_assigned_and_as_long(
    new_buyer: NewPerson, new_supplier: NewPerson, connect_client: Connect
) -> None:
    buyer, manager = await new_buyer(), await new_supplier()
    employee = await colleague(connect_client, manager, "partner_employee")
    order = await ordered(buyer, manager)
    path = f"{API}/orders/{order['id']}"
    assert await order_ids(employee) == []
    assert (await employee.client.get(path)).status_code == 404
    assert (await confirm_raw(employee, order)).status_code == 404
    shown = ok(await assign(manager, "orders", order["id"], employee))
    assert [one["id"] for one in shown["items"]] == [str(employee.user_id)]
    assert await order_ids(employee) == [order["id"]]
    ok(await confirm_raw(employee, order))
    ok(await assign(manager, "orders", order["id"]))
    assert await order_ids(employee) == []
    assert (await employee.client.get(path)).status_code == 404


async def confirm_raw(person: Person, order: dict[str, Any]) -> Any:
    return await person.client.post(f"{API}/orders/{order['id']}/confirm")


async def test_what_hangs_on_an_order_follows_it(
    new_buyer: NewPerson, new_supplier: NewPerson, connect_client: Connect
) -> None:
    """Documents, claims, timeline, pages."""
    buyer, manager = await new_buyer(), await new_supplier()
    employee = await colleague(connect_client, manager, "partner_employee")
    order = await ordered(buyer, manager)
    await confirm(manager, order)
    ok(await deliver(manager, order, *(each["quantity"] for each in order["lines"])), 201)
    claim = await claimed(buyer, order)
    document = ok(
        await buyer.client.post(
            f"{API}/orders/{order['id']}/documents",
            params={"name": "a.png"},
            content=PNG,
            headers={"Content-Type": "image/png"},
        ),
        201,
    )
    paths = [
        f"{API}/orders/{order['id']}/documents",
        f"{API}/orders/{order['id']}/documents/{document['id']}",
        f"{API}/orders/{order['id']}/timeline",
        f"{API}/claims/{claim['id']}",
        f"/orders/{order['id']}",
    ]
    for path in paths:
        assert (await employee.client.get(path)).status_code == 404, path
    assert ok(await employee.client.get(f"{API}/claims"))["items"] == []
    assert order["title"] not in (await employee.client.get("/orders")).text
    ok(await assign(manager, "orders", order["id"], employee))
    for path in paths:
        assert (await employee.client.get(path)).status_code == 200, path
    claims = ok(await employee.client.get(f"{API}/claims"))["items"]
    assert [one["id"] for one in claims] == [claim["id"]]


async def test_an_employees_own_proposal_is_its_own_and_no_colleagues(
    new_buyer: NewPerson, new_supplier: NewPerson, connect_client: Connect
) -> None:
    buyer, manager = await new_buyer(), await new_supplier()
    author = await colleague(connect_client, manager, "partner_employee")
    other = await colleague(connect_client, manager, "partner_employee")
    body = basket(manager) | {"buyer_id": str(buyer.organisation_id)}
    del body["supplier_id"]
    made = ok(await author.client.post(f"{API}/orders", json=body), 201)
    assert await order_ids(author) == [made["id"]]
    assert await order_ids(other) == []
    assert await order_ids(manager) == [made["id"]]
    assert (await act(other, made, "withdraw")).status_code == 404
    ok(await act(author, made, "withdraw"))


@pytest.mark.parametrize("more", ["partner_manager", "observer", "admin"])
async def test_another_role_sees_the_whole_organisation(
    new_buyer: NewPerson, new_supplier: NewPerson, connect_client: Connect, more: str
) -> None:
    buyer, manager = await new_buyer(), await new_supplier()
    person = await colleague(connect_client, manager, "partner_employee", more)
    order = await ordered(buyer, manager)
    assert await order_ids(person) == [order["id"]]


async def test_only_managers_assign_and_only_colleagues(
    new_buyer: NewPerson, new_supplier: NewPerson, connect_client: Connect
) -> None:
    buyer, manager = await new_buyer(), await new_supplier()
    employee = await colleague(connect_client, manager, "partner_employee")
    order = await ordered(buyer, manager)
    refused(await assign(manager, "orders", order["id"], buyer), 422, "unknown_colleague")
    ok(await assign(manager, "orders", order["id"], employee))
    refused(await assign(employee, "orders", order["id"], employee), 403, "role_missing")
    # The other side sees nobody of ours.
    path = f"{API}/orders/{order['id']}/assignees"
    assert str(employee.user_id) not in (await buyer.client.get(path)).text


async def test_an_invitation_is_seen_by_who_is_assigned_and_its_order_too(
    new_buyer: NewPerson, new_supplier: NewPerson, connect_client: Connect, database: Database
) -> None:
    buyer, manager, second = await new_buyer(), await new_supplier(), await new_supplier()
    employee = await colleague(connect_client, manager, "partner_employee")
    done = await offered(database, buyer, {"200.00": manager, "210.00": second})
    lot_id = done["lots"][0]["id"]
    path = f"{API}/tenders/{done['id']}"
    for call in (path, f"{path}/offers", f"{path}/documents", f"/tenders/{done['id']}"):
        assert (await employee.client.get(call)).status_code == 404, call
    assert await tender_ids(employee) == []
    award = ok(await propose(buyer, lot_id, (manager, "100")), 201)["items"][0]
    assert (await employee.client.get(f"{API}/awards/{award['id']}")).status_code == 404
    assert ok(await employee.client.get(f"{API}/awards"))["items"] == []
    ok(await assign(manager, "tenders", done["id"], employee))
    assert await tender_ids(employee) == [done["id"]]
    assert len(ok(await employee.client.get(f"{path}/offers"))["items"]) == 1
    assert (await employee.client.get(f"{API}/awards/{award['id']}")).status_code == 200
    ok(await answer(manager, award, "accept"))
    assert await order_ids(employee) == await order_ids(manager)
    assert len(await order_ids(employee)) == 1


async def test_an_open_tender_is_joined_by_one_employee_and_is_not_the_others(
    new_buyer: NewPerson, new_supplier: NewPerson, connect_client: Connect
) -> None:
    buyer, manager = await new_buyer(), await new_supplier()
    first = await colleague(connect_client, manager, "partner_employee")
    other = await colleague(connect_client, manager, "partner_employee")
    tender = await published(buyer, access="open")
    joined = await join(first, tender["id"])
    assert joined["aliases"]
    lots = ok(await first.client.get(f"{API}/tenders/{tender['id']}"))["lots"]
    assert lots[0]["alias"]
    seen = ok(await other.client.get(f"{API}/tenders/{tender['id']}"))
    assert seen["accepted_at"] is None
    assert seen["lots"][0]["alias"] is None
    body = {"accept_terms": True}
    path = f"{API}/tenders/{tender['id']}/participation"
    refused(await other.client.post(path, json=body), 409, "colleague_takes_part")
    auction = f"{API}/auctions/{tender['lots'][0]['auction_id']}"
    alias = lots[0]["alias"]
    assert alias in (await first.client.get(auction)).text
    assert alias not in (await other.client.get(auction)).text
    # The manager sees everything.
    assert ok(await manager.client.get(f"{API}/tenders/{tender['id']}"))["accepted_at"]


async def test_mail_about_an_order_goes_to_who_may_see_it(
    new_buyer: NewPerson, new_supplier: NewPerson, connect_client: Connect, database: Database
) -> None:
    buyer, manager = await new_buyer(), await new_supplier()
    assigned = await colleague(connect_client, manager, "partner_employee")
    other = await colleague(connect_client, manager, "partner_employee")
    order = await ordered(buyer, manager)
    ok(await assign(manager, "orders", order["id"], assigned))
    ok(await act(buyer, order, "cancel", reason="Not needed"))
    async with database.transaction(SYSTEM) as session:
        rows = await session.execute(
            select(Mail.user_id, Mail.kind).where(Mail.organisation_id == manager.organisation_id)
        )
    told = {(user_id, kind) for user_id, kind in rows}
    assert (manager.user_id, "order.placed") in told
    assert (assigned.user_id, "order.updated") in told
    assert (assigned.user_id, "order.placed") not in told
    assert other.user_id not in {user_id for user_id, _ in told}


async def test_a_key_of_an_employee_reaches_no_further(
    new_buyer: NewPerson, new_supplier: NewPerson, connect_client: Connect
) -> None:
    buyer, manager = await new_buyer(), await new_supplier()
    employee = await colleague(connect_client, manager, "partner_employee")
    order = await ordered(buyer, manager)
    client = connect_client()
    client.headers["Authorization"] = f"Bearer {await employee.api_key()}"
    assert (await client.get(f"{API}/orders")).json()["items"] == []
    assert (await client.get(f"{API}/orders/{order['id']}")).status_code == 404


async def test_a_manager_assigns_on_a_page(
    new_buyer: NewPerson, new_supplier: NewPerson, connect_client: Connect
) -> None:
    buyer, manager = await new_buyer(), await new_supplier()
    employee = await colleague(connect_client, manager, "partner_employee")
    order = await ordered(buyer, manager)
    tender = await published(buyer, manager)
    for path in (f"/orders/{order['id']}", f"/tenders/{tender['id']}"):
        assert f"{path}/assignees" in (await manager.client.get(path)).text
        assert (await employee.client.get(f"{path}/assignees")).status_code == 404
        shown = await manager.client.get(f"{path}/assignees")
        assert str(employee.user_id) in shown.text
        form = {
            "csrf_token": manager.client.cookies["csrf_token"],
            "users": str(employee.user_id),
        }
        saved = await manager.client.post(f"{path}/assignees", data=form)
        assert saved.status_code == 303, saved.text
        assert (await employee.client.get(path)).status_code == 200
        seen = await employee.client.get(f"{path}/assignees")
        assert "checkbox" not in seen.text
        form["csrf_token"] = employee.client.cookies["csrf_token"]
        refused_answer = await employee.client.post(f"{path}/assignees", data=form)
        assert refused_answer.status_code == 403
