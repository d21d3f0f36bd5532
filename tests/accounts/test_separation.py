"""Two-person rules: an own second account is no second person, however it came by its role."""

from __future__ import annotations

import pytest
from httpx import Response

from marketplace.kernel.db import Database
from tests.answers import ok, refused
from tests.auctions.tenders.tendering import (
    URL,
    act,
    draft,
    invite,
    overdue,
)
from tests.auctions.tenders.test_awards import answer, offered, propose
from tests.auctions.tenders.test_dossier import POLICY
from tests.auctions.tenders.test_offers import sealed
from tests.orders.ordering import basket
from tests.people import Connect, NewPerson, Person, colleague, peer, since_yesterday

OPENERS = ["procurement_officer", "approver"]


async def roles(by: Person, of: Person, *names: str) -> Response:
    return await by.client.put(f"/api/v1/members/{of.user_id}/roles", json={"roles": list(names)})


async def due(buyer: Person, supplier: Person, database: Database) -> str:
    """A tender whose sealed offers wait for two people."""
    done = await sealed(buyer, supplier, two_person=True)
    await overdue(database, done["id"])
    return str(done["id"])


@pytest.mark.parametrize("second_first", [False, True])
async def test_an_own_second_account_opens_nothing(
    new_buyer: NewPerson,
    new_supplier: NewPerson,
    database: Database,
    connect_client: Connect,
    second_first: bool,
) -> None:
    buyer, supplier = await new_buyer(), await new_supplier()
    second = await colleague(connect_client, buyer, "approver")
    await since_yesterday(database, second)
    tender = await due(buyer, supplier, database)
    one, other = (second, buyer) if second_first else (buyer, second)
    assert ok(await act(one, tender, "open"))["released"] == 1
    refused(await act(other, tender, "open"), 403, "not_independent")
    assert ok(await buyer.client.get(f"{URL}/{tender}"))["state"] == "published"


async def test_two_whom_a_third_invited_open_together(
    new_buyer: NewPerson, new_supplier: NewPerson, database: Database, connect_client: Connect
) -> None:
    buyer, supplier = await new_buyer(), await new_supplier()
    pair = [await colleague(connect_client, buyer, role) for role in OPENERS]
    tender = await due(buyer, supplier, database)
    for person in pair:
        await since_yesterday(database, person)
    ok(await act(pair[0], tender, "open"))
    assert ok(await act(pair[1], tender, "open"))["state"] == "opened"


async def test_a_role_from_the_first_person_is_worth_no_more_than_its_invitation(
    new_buyer: NewPerson, new_supplier: NewPerson, database: Database, connect_client: Connect
) -> None:
    buyer, supplier = await new_buyer(), await new_supplier()
    second = await peer(connect_client, buyer, "observer")
    ok(await roles(buyer, second, "observer", "approver"))
    await since_yesterday(database, second)
    tender = await due(buyer, supplier, database)
    ok(await act(second, tender, "open"))
    # Taking the role away again does not hide who had given it.
    ok(await roles(buyer, second, "observer"))
    refused(await act(buyer, tender, "open"), 403, "not_independent")


async def test_a_role_given_after_the_offers_were_due_opens_nothing(
    new_buyer: NewPerson, new_supplier: NewPerson, database: Database, connect_client: Connect
) -> None:
    buyer, supplier = await new_buyer(), await new_supplier()
    admin = await colleague(connect_client, buyer, "admin")
    late = await colleague(connect_client, admin, "observer")
    held = await colleague(connect_client, admin, "approver")
    for person in (late, held):
        await since_yesterday(database, person)
    tender = await due(buyer, supplier, database)
    ok(await act(buyer, tender, "open"))
    ok(await roles(admin, late, "approver"))
    refused(await act(late, tender, "open"), 403, "role_too_new")
    # A role that was taken away and given again begins anew; one that was left alone does not.
    ok(await roles(admin, held, "observer", "approver"))
    ok(await roles(admin, held, "observer"))
    ok(await roles(admin, held, "approver"))
    refused(await act(held, tender, "open"), 403, "role_too_new")
    await since_yesterday(database, held)
    assert ok(await act(held, tender, "open"))["state"] == "opened"


async def test_who_was_removed_and_brought_back_holds_the_role_anew(
    new_buyer: NewPerson, new_supplier: NewPerson, database: Database, connect_client: Connect
) -> None:
    buyer, supplier = await new_buyer(), await new_supplier()
    second = await peer(connect_client, buyer, "approver")
    await since_yesterday(database, second)
    tender = await due(buyer, supplier, database)
    assert (await buyer.client.delete(f"/api/v1/members/{second.user_id}")).status_code == 204
    path = f"/team/members/{second.user_id}/restore"
    body = {"csrf_token": buyer.client.cookies["csrf_token"]}
    assert (await buyer.client.post(path, data=body)).status_code == 303
    again = {"email": second.email, "password": second.password}
    login = await second.client.post("/api/v1/sessions", json=again)
    second.client.headers["X-CSRF-Token"] = second.client.cookies["csrf_token"]
    assert login.status_code == 201
    ok(await act(buyer, tender, "open"))
    refused(await act(second, tender, "open"), 403, "role_too_new")
    await since_yesterday(database, second)
    refused(await act(second, tender, "open"), 403, "not_independent")


async def test_an_own_second_account_approves_no_tender_award_or_order(
    new_buyer: NewPerson, new_supplier: NewPerson, database: Database, connect_client: Connect
) -> None:
    buyer, dear, cheap = await new_buyer(), await new_supplier(), await new_supplier()
    own = await colleague(connect_client, buyer, "approver")
    done = await offered(database, buyer, {"250000.00": dear, "200000.00": cheap})
    made = await propose(buyer, done["lots"][0]["id"], (dear, "100"), reason="Quality")
    [award] = ok(made, 201)["items"]
    refused(await answer(own, award, "approve"), 403, "not_independent")
    refused(await answer(own, award, "refuse", reason="x"), 403, "not_independent")
    [seen] = ok(await own.client.get(f"/api/v1/lots/{award['lot_id']}/award_sheet"))["awards"]
    assert "approve" not in seen["events"]

    order = basket(dear, approver_id=str(own.user_id))
    refused(await buyer.client.post("/api/v1/orders", json=order), 422, "not_independent")

    limit = {"approval_limit": {"amount": "1.00", "currency": "EUR"}}
    ok(await buyer.client.put(POLICY, json=limit))
    waiting = await draft(buyer)
    ok(await invite(buyer, waiting["id"], cheap), 201)
    assert ok(await act(buyer, waiting["id"], "publish"))["state"] == "awaiting_approval"
    refused(await act(own, waiting["id"], "approve"), 403, "not_independent")
    assert ok(await own.client.get(f"{URL}/{waiting['id']}"))["events"] == ["send_back"]


async def test_who_hands_in_the_tender_of_another_does_not_release_it(
    new_buyer: NewPerson, new_supplier: NewPerson, connect_client: Connect
) -> None:
    buyer, supplier = await new_buyer(), await new_supplier()
    writer = await colleague(connect_client, buyer, "procurement_officer")
    limit = {"approval_limit": {"amount": "1.00", "currency": "EUR"}}
    ok(await buyer.client.put(POLICY, json=limit))
    made = await draft(writer)
    ok(await invite(writer, made["id"], supplier), 201)
    ok(await act(buyer, made["id"], "publish"))
    assert ok(await buyer.client.get(f"{URL}/{made['id']}"))["events"] == ["send_back", "cancel"]
    refused(await act(buyer, made["id"], "approve"), 403, "own_work")


async def test_nobody_gives_a_role_to_itself(new_buyer: NewPerson, connect_client: Connect) -> None:
    buyer = await new_buyer()
    admin = await colleague(connect_client, buyer, "admin")
    for names in (["admin", "procurement_officer"], ["approver", "admin"]):
        refused(await roles(admin, admin, *names), 403, "own_roles")
    key = {"Authorization": f"Bearer {await admin.api_key()}"}
    path = f"/api/v1/members/{admin.user_id}/roles"
    asked = await connect_client().put(path, json={"roles": ["admin", "approver"]}, headers=key)
    refused(asked, 403, "own_roles")
    assert ok(await roles(buyer, admin, "admin", "approver"))["roles"] == ["admin", "approver"]
    assert ok(await roles(admin, admin, "admin"))["roles"] == ["admin"]


async def test_a_changed_approval_limit_is_on_record(new_buyer: NewPerson) -> None:
    buyer = await new_buyer()
    for amount in ("1.00", None):
        limit = amount and {"amount": amount, "currency": "EUR"}
        ok(await buyer.client.put(POLICY, json={"approval_limit": limit}))
    log = ok(await buyer.client.get("/api/v1/audit_log"))["items"]
    changes = [each for each in log if each["what"] == "approval_limit_changed"]
    assert [each["reason"] for each in changes] == ["no limit", "1.00 EUR"]
    assert {each["actor_user_id"] for each in changes} == {str(buyer.user_id)}
