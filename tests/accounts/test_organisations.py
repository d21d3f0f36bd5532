"""Approval, suspension and reinstatement by the operator; what others may see."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import httpx

from tests.people import Connect, NewPerson, Person


async def test_an_approved_supplier_may_work(new_supplier: NewPerson, operator: Person) -> None:
    supplier = await new_supplier(approved=False)
    refused = await supplier.client.post(
        "/api/v1/invitations", json={"email": "colleague@example.com", "roles": ["observer"]}
    )
    assert (refused.status_code, refused.json()["code"]) == (403, "organisation_not_active")
    approved = await operator.client.post(
        f"/api/v1/organisations/{supplier.organisation_id}/approve", json={"reason": "Known."}
    )
    assert approved.json()["state"] == "active"
    invited = await supplier.client.post(
        "/api/v1/invitations", json={"email": "colleague@example.com", "roles": ["observer"]}
    )
    assert invited.status_code == 201


async def test_of_two_approvals_at_once_one_is_in_the_wrong_state(
    new_supplier: NewPerson, operator: Person
) -> None:
    supplier = await new_supplier(approved=False)
    path = f"/api/v1/organisations/{supplier.organisation_id}/approve"
    answers = await asyncio.gather(*(operator.client.post(path) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]


async def test_a_suspended_organisation_is_locked_out_until_reinstated(
    new_supplier: NewPerson, operator: Person, client: httpx.AsyncClient
) -> None:
    supplier = await new_supplier()
    key = {"Authorization": f"Bearer {await supplier.api_key()}"}
    place = f"/api/v1/organisations/{supplier.organisation_id}"
    without = await operator.client.post(f"{place}/suspend", json={"reason": " "})
    assert (without.status_code, without.json()["errors"][0]["field"]) == (422, "reason")
    done = await operator.client.post(f"{place}/suspend", json={"reason": "Unpaid fees."})
    assert done.json()["state"] == "suspended"
    assert (await supplier.client.get("/api/v1/me")).json()["code"] == "organisation_suspended"
    assert (await client.get("/api/v1/me", headers=key)).status_code == 403
    login = {"email": supplier.email, "password": supplier.password}
    assert (await client.post("/api/v1/sessions", json=login)).status_code == 403
    await operator.client.post(f"{place}/reinstate", json={"reason": "Paid."})
    assert (await supplier.client.get("/api/v1/me")).status_code == 200


async def test_every_step_is_in_the_audit_log_with_its_reason(
    new_supplier: NewPerson, operator: Person
) -> None:
    supplier = await new_supplier()
    place = f"/api/v1/organisations/{supplier.organisation_id}"
    await operator.client.post(f"{place}/suspend", json={"reason": "Unpaid fees."})
    await operator.client.post(f"{place}/reinstate", json={"reason": "Paid."})
    own = (await supplier.client.get("/api/v1/audit_log")).json()["items"]
    assert [(entry["what"], entry["reason"]) for entry in own] == [
        ("organisation_reinstate", "Paid."),
        ("organisation_suspend", "Unpaid fees."),
        ("organisation_approve", None),
        ("organisation_registered", None),
    ]
    assert own[0]["actor_user_id"] == str(operator.user_id)


async def test_only_the_operator_approves_and_others_do_not_exist(
    new_supplier: NewPerson, new_buyer: NewPerson
) -> None:
    supplier, buyer = await new_supplier(approved=False), await new_buyer()
    own = f"/api/v1/organisations/{supplier.organisation_id}"
    assert (await supplier.client.post(f"{own}/approve")).status_code == 403
    assert (await buyer.client.post(f"{own}/approve")).status_code == 404
    assert (await buyer.client.get(own)).status_code == 404
    unknown = await buyer.client.get(f"/api/v1/organisations/{uuid4()}")
    assert unknown.status_code == 404


async def test_the_operator_lists_all_by_state_and_pages_by_cursor(
    new_supplier: NewPerson, operator: Person
) -> None:
    waiting = {str((await new_supplier(approved=False)).organisation_id) for _ in range(3)}
    found: set[str] = set()
    cursor: str | None = None
    while not waiting <= found:
        params = {"state": "prospect", "limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = (await operator.client.get("/api/v1/organisations", params=params)).json()
        assert all(each["state"] == "prospect" for each in page["items"])
        found |= {each["id"] for each in page["items"]}
        cursor = page["next_cursor"]
    wrong = await operator.client.get("/api/v1/organisations", params={"state": "asleep"})
    assert wrong.status_code == 422


async def test_everybody_else_lists_only_the_own_one(new_buyer: NewPerson) -> None:
    buyer = await new_buyer()
    page = (await buyer.client.get("/api/v1/organisations")).json()
    assert [each["id"] for each in page["items"]] == [str(buyer.organisation_id)]


async def test_an_administrator_renames_the_own_organisation(new_supplier: NewPerson) -> None:
    supplier, rival = await new_supplier(), await new_supplier()
    path = f"/api/v1/organisations/{supplier.organisation_id}"
    answer = await supplier.client.patch(path, json={"name": "New Name"})
    assert answer.status_code == 200, answer.text
    assert (await supplier.client.get(path)).json()["name"] == "New Name"
    assert (await rival.client.patch(path, json={"name": "Mine"})).status_code == 404
    refused = await supplier.client.patch(path, json={"tax_id": "DE999"})
    assert (refused.status_code, refused.json()["code"]) == (403, "operator_only")
    wrong = await supplier.client.patch(path, json={"name": " "})
    assert [error["field"] for error in wrong.json()["errors"]] == ["name"]


async def test_the_operator_corrects_a_tax_number_but_not_to_a_taken_one(
    new_supplier: NewPerson, operator: Person
) -> None:
    one, other = await new_supplier(), await new_supplier()
    paths = [f"/api/v1/organisations/{each.organisation_id}" for each in (one, other)]
    taken = (await operator.client.get(paths[1])).json()["tax_id"]
    clash = await operator.client.patch(paths[0], json={"tax_id": taken})
    assert (clash.status_code, clash.json()["code"]) == (409, "organisation_exists")
    right = await operator.client.patch(paths[0], json={"tax_id": f"{taken}7"})
    assert right.json()["tax_id"] == f"{taken}7"


async def test_a_retired_organisation_can_do_nothing_until_it_is_reinstated(
    new_buyer: NewPerson, operator: Person
) -> None:
    buyer = await new_buyer()
    path = f"/api/v1/organisations/{buyer.organisation_id}"
    reason = {"reason": "We close."}
    assert (await buyer.client.post(f"{path}/retire", json={})).status_code == 422
    retired = await buyer.client.post(f"{path}/retire", json=reason)
    assert retired.json()["state"] == "retired"
    assert (await buyer.client.get("/api/v1/orders")).status_code == 403
    again = await operator.client.post(f"{path}/retire", json=reason)
    assert (again.status_code, again.json()["code"]) == (409, "wrong_state")
    assert (await operator.client.post(f"{path}/reinstate", json=reason)).status_code == 200
    assert (await buyer.client.get("/api/v1/orders")).status_code == 200


async def test_a_narrow_key_does_not_retire_its_organisation(
    new_buyer: NewPerson, connect_client: Connect
) -> None:
    buyer, program = await new_buyer(), connect_client()
    path, reason = f"/api/v1/organisations/{buyer.organisation_id}/retire", {"reason": "Closing"}
    program.headers["Authorization"] = f"Bearer {await buyer.api_key('accounts:write')}"
    refused = await program.post(path, json=reason)
    assert (refused.status_code, refused.json()["code"]) == (403, "scope_missing")
