"""Inviting colleagues, their roles, and their leaving."""

from __future__ import annotations

from uuid import UUID

import httpx
import pytest

from marketplace.kernel.db import Database
from tests.people import (
    PASSWORD,
    Connect,
    NewPerson,
    Person,
    colleague,
    invitation_token,
    invite,
    log_in,
    unique,
)


async def accept_path(connect: Connect, inviter: Person, *roles: str) -> str:
    """Where somebody who was invited by mail joins."""
    token = await invitation_token(connect, await invite(inviter, *roles))
    return f"/api/v1/invitations/{token}/accept"


async def test_the_answer_to_an_invitation_lets_nobody_in(
    new_buyer: NewPerson, connect_client: Connect, client: httpx.AsyncClient
) -> None:
    buyer = await new_buyer()
    email = f"{unique('link')}@example.com"
    body = {"email": email, "roles": ["admin"]}
    key = {"Authorization": f"Bearer {await buyer.api_key()}", "Idempotency-Key": email}
    answers = [
        await client.post("/api/v1/invitations", json=body, headers=key),
        await client.post("/api/v1/invitations", json=body, headers=key),
        await buyer.client.post("/api/v1/invitations", json=body),
        await buyer.client.get("/api/v1/invitations"),
    ]
    token = await invitation_token(connect_client, email)
    for answer in answers:
        assert answer.status_code in {200, 201}
        assert "token" not in answer.text
        assert "/invitations/" not in answer.text
        assert token not in answer.text


async def test_a_colleague_joins_with_the_invited_roles(
    new_supplier: NewPerson, connect_client: Connect
) -> None:
    supplier = await new_supplier()
    member = await colleague(connect_client, supplier, "partner_employee")
    me = (await member.client.get("/api/v1/me")).json()
    assert me["organisation"]["id"] == str(supplier.organisation_id)
    assert me["roles"] == ["partner_employee"]


async def test_a_link_works_once(
    new_buyer: NewPerson, connect_client: Connect, client: httpx.AsyncClient
) -> None:
    path = await accept_path(connect_client, await new_buyer(), "approver")
    body = {"name": "Colleague", "password": PASSWORD}
    assert (await client.post(path, json=body)).status_code == 201
    again = await client.post(path, json=body)
    assert (again.status_code, again.json()["code"]) == (410, "invitation_used")


async def test_a_link_expires_after_72_hours(
    new_buyer: NewPerson, connect_client: Connect, client: httpx.AsyncClient, database: Database
) -> None:
    email = await invite(await new_buyer(), "approver")
    token = await invitation_token(connect_client, email)
    pool = await database.pool()
    await pool.execute(
        "UPDATE colleague_invitations SET created_at = created_at - interval '72 hours',"
        " expires_at = expires_at - interval '72 hours' WHERE email = $1",
        email,
    )
    answer = await client.post(
        f"/api/v1/invitations/{token}/accept",
        json={"name": "Colleague", "password": PASSWORD},
    )
    assert (answer.status_code, answer.json()["code"]) == (410, "invitation_expired")


async def test_an_unknown_link_does_not_exist(client: httpx.AsyncClient) -> None:
    answer = await client.post(
        "/api/v1/invitations/made-up/accept", json={"name": "Nobody", "password": PASSWORD}
    )
    assert answer.status_code == 404


async def test_a_partner_manager_gives_no_higher_role_than_its_own(
    new_supplier: NewPerson, connect_client: Connect
) -> None:
    manager = await colleague(connect_client, await new_supplier(), "partner_manager")
    body = {"email": f"{unique('x')}@example.com", "roles": ["partner_employee", "admin"]}
    refused = await manager.client.post("/api/v1/invitations", json=body)
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["field"] == "roles[1]"
    body["roles"] = ["partner_employee", "partner_manager"]
    assert (await manager.client.post("/api/v1/invitations", json=body)).status_code == 201


@pytest.mark.parametrize("role", ["partner_employee", "observer"])
async def test_others_invite_nobody(
    new_supplier: NewPerson, connect_client: Connect, role: str
) -> None:
    member = await colleague(connect_client, await new_supplier(), role)
    body = {"email": f"{unique('x')}@example.com", "roles": ["observer"]}
    assert (await member.client.post("/api/v1/invitations", json=body)).status_code == 403


async def test_an_invitation_is_void_when_its_inviter_lost_the_right(
    new_supplier: NewPerson, connect_client: Connect, client: httpx.AsyncClient
) -> None:
    supplier = await new_supplier()
    manager = await colleague(connect_client, supplier, "partner_manager")
    path = await accept_path(connect_client, manager, "partner_manager")
    changed = await supplier.client.put(
        f"/api/v1/members/{manager.user_id}/roles", json={"roles": ["observer"]}
    )
    assert changed.status_code == 200
    answer = await client.post(path, json={"name": "Colleague", "password": PASSWORD})
    assert (answer.status_code, answer.json()["code"]) == (410, "invitation_void")


async def test_changed_roles_hold_from_the_next_request(
    new_buyer: NewPerson, connect_client: Connect
) -> None:
    buyer = await new_buyer()
    member = await colleague(connect_client, buyer, "procurement_officer")
    await buyer.client.put(f"/api/v1/members/{member.user_id}/roles", json={"roles": ["observer"]})
    assert (await member.client.get("/api/v1/me")).json()["roles"] == ["observer"]


async def test_who_leaves_is_out_at_once_with_all_keys(
    new_buyer: NewPerson, connect_client: Connect, client: httpx.AsyncClient
) -> None:
    buyer = await new_buyer()
    member = await colleague(connect_client, buyer, "approver")
    key = {"Authorization": f"Bearer {await member.api_key()}"}
    gone = await buyer.client.delete(f"/api/v1/members/{member.user_id}")
    assert gone.status_code == 204
    assert (await member.client.get("/api/v1/me")).status_code == 401
    assert (await client.get("/api/v1/me", headers=key)).status_code == 401
    login = {"email": member.email, "password": PASSWORD}
    assert (await client.post("/api/v1/sessions", json=login)).status_code == 401


async def restore(person: Person, user_id: UUID) -> int:
    answer = await person.client.post(f"/team/members/{user_id}/restore", data={"x": ""})
    return answer.status_code


async def test_who_comes_back_has_the_former_roles_and_no_former_key(
    new_buyer: NewPerson, connect_client: Connect, client: httpx.AsyncClient
) -> None:
    buyer = await new_buyer()
    member = await colleague(connect_client, buyer, "approver")
    key = {"Authorization": f"Bearer {await member.api_key()}"}
    former = member.client.cookies["session"]
    assert await restore(buyer, member.user_id) == 409
    await buyer.client.delete(f"/api/v1/members/{member.user_id}")
    assert await restore(buyer, member.user_id) == 303
    assert (await client.get("/api/v1/me", headers=key)).status_code == 401
    old = await client.get("/api/v1/me", headers={"Cookie": f"session={former}"})
    assert old.status_code == 401
    await log_in(member)
    assert (await member.client.get("/api/v1/me")).json()["roles"] == ["approver"]
    members = (await buyer.client.get("/api/v1/members")).json()["items"]
    [shown] = [each for each in members if each["id"] == str(member.user_id)]
    assert (shown["disabled"], shown["disabled_at"]) == (False, None)
    log = (await buyer.client.get("/api/v1/audit_log")).json()["items"]
    about = [each["what"] for each in log if each["subject_id"] == str(member.user_id)]
    assert about == ["user_enabled", "user_disabled", "invitation_accepted"]


async def test_only_an_administrator_of_the_same_organisation_brings_back(
    new_supplier: NewPerson, connect_client: Connect
) -> None:
    supplier = await new_supplier()
    manager = await colleague(connect_client, supplier, "partner_manager")
    gone = await colleague(connect_client, supplier, "observer")
    await supplier.client.delete(f"/api/v1/members/{gone.user_id}")
    assert await restore(manager, gone.user_id) == 403
    assert await restore(await new_supplier(), gone.user_id) == 404
    login = {"email": gone.email, "password": PASSWORD}
    assert (await gone.client.post("/api/v1/sessions", json=login)).status_code == 401


async def test_the_last_administrator_stays(new_buyer: NewPerson) -> None:
    buyer = await new_buyer()
    answer = await buyer.client.delete(f"/api/v1/members/{buyer.user_id}")
    assert (answer.status_code, answer.json()["code"]) == (409, "last_admin")
    answer = await buyer.client.put(
        f"/api/v1/members/{buyer.user_id}/roles", json={"roles": ["approver"]}
    )
    assert (answer.status_code, answer.json()["code"]) == (409, "last_admin")


async def test_a_foreign_colleague_does_not_exist(new_buyer: NewPerson) -> None:
    buyer, other = await new_buyer(), await new_buyer()
    path = f"/api/v1/members/{other.user_id}"
    assert (await buyer.client.delete(path)).status_code == 404
    answer = await buyer.client.put(f"{path}/roles", json={"roles": ["approver"]})
    assert answer.status_code == 404


async def test_a_withdrawn_invitation_does_not_exist(
    new_buyer: NewPerson, connect_client: Connect, client: httpx.AsyncClient
) -> None:
    buyer = await new_buyer()
    accepting = await accept_path(connect_client, buyer, "approver")
    [invitation] = (await buyer.client.get("/api/v1/invitations")).json()["items"]
    path = f"/api/v1/invitations/{invitation['id']}"
    assert (await (await new_buyer()).client.delete(path)).status_code == 404
    assert (await buyer.client.delete(path)).status_code == 204
    answer = await client.post(accepting, json={"name": "Late", "password": PASSWORD})
    assert answer.status_code == 404
