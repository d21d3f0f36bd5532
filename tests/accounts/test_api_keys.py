"""API keys: scopes, expiry, revocation, and never more than their maker."""

from __future__ import annotations

from datetime import datetime, timedelta

import httpx
import pytest

from marketplace.kernel.clock import Clock
from marketplace.kernel.db import Database
from tests.people import PASSWORD, Connect, NewPerson, colleague, unique


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


async def test_a_key_acts_as_its_maker_without_origin_or_csrf(
    new_buyer: NewPerson, client: httpx.AsyncClient
) -> None:
    buyer = await new_buyer()
    key = await buyer.api_key()
    me = (await client.get("/api/v1/me", headers=bearer(key))).json()
    assert me["user"]["id"] == str(buyer.user_id)
    assert me["scopes"] == ["*"]
    made = await client.post(
        "/api/v1/api_keys",
        json={"name": "second", "scopes": ["tenders:read"]},
        headers=bearer(key),
    )
    assert made.status_code == 201


async def test_a_key_is_shown_once_and_stored_as_a_hash(
    new_buyer: NewPerson, database: Database
) -> None:
    buyer = await new_buyer()
    key = await buyer.api_key()
    prefix, _, secret = key.partition(".")
    listed = await buyer.client.get("/api/v1/api_keys")
    assert [each["prefix"] for each in listed.json()["items"]] == [prefix]
    assert secret not in listed.text
    pool = await database.pool()
    rows = await pool.fetch("SELECT * FROM api_keys WHERE prefix = $1", prefix)
    assert len(rows) == 1
    assert secret not in repr(rows)


async def test_a_key_does_only_what_its_scopes_say(
    new_buyer: NewPerson, client: httpx.AsyncClient
) -> None:
    key = await (await new_buyer()).api_key("tenders:read")
    answer = await client.get("/api/v1/me", headers=bearer(key))
    assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing")


async def test_a_narrow_key_makes_no_wider_one(
    new_buyer: NewPerson, client: httpx.AsyncClient
) -> None:
    key = await (await new_buyer()).api_key("accounts:write")
    body = {"name": "wider", "scopes": ["accounts:write", "*", "tenders:write"]}
    answer = await client.post("/api/v1/api_keys", json=body, headers=bearer(key))
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == ["scopes[1]", "scopes[2]"]


async def test_a_key_never_changes_the_password(
    new_buyer: NewPerson, client: httpx.AsyncClient
) -> None:
    key = await (await new_buyer()).api_key()
    body = {"current": "x", "new": "another good password"}
    answer = await client.post("/api/v1/me/password", json=body, headers=bearer(key))
    assert (answer.status_code, answer.json()["code"]) == (403, "session_only")


async def test_a_revoked_key_opens_nothing_at_once(
    new_buyer: NewPerson, client: httpx.AsyncClient
) -> None:
    buyer = await new_buyer()
    key = await buyer.api_key()
    assert (await client.get("/api/v1/me", headers=bearer(key))).status_code == 200
    listed = (await buyer.client.get("/api/v1/api_keys")).json()["items"]
    gone = await buyer.client.delete(f"/api/v1/api_keys/{listed[0]['id']}")
    assert gone.status_code == 204
    assert (await client.get("/api/v1/me", headers=bearer(key))).status_code == 401


async def test_an_expired_key_opens_nothing(
    new_buyer: NewPerson, client: httpx.AsyncClient, database: Database
) -> None:
    key = await (await new_buyer()).api_key()
    pool = await database.pool()
    await pool.execute(
        "UPDATE api_keys SET expires_at = now() - interval '1 second' WHERE prefix = $1",
        key.partition(".")[0],
    )
    assert (await client.get("/api/v1/me", headers=bearer(key))).status_code == 401


async def test_a_key_that_would_be_expired_already_is_refused(new_buyer: NewPerson) -> None:
    past = (Clock().now() - timedelta(hours=1)).isoformat()
    answer = await (await new_buyer()).client.post(
        "/api/v1/api_keys", json={"name": "old", "scopes": ["*"], "expires_at": past}
    )
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "in_the_past")


async def test_somebody_elses_key_does_not_exist(new_buyer: NewPerson) -> None:
    owner, stranger = await new_buyer(), await new_buyer()
    await owner.api_key()
    listed = (await owner.client.get("/api/v1/api_keys")).json()["items"]
    answer = await stranger.client.delete(f"/api/v1/api_keys/{listed[0]['id']}")
    assert answer.status_code == 404


@pytest.mark.parametrize("wrong", ["x", "x.y", ".", "a" * 4_000, "abc.def.ghi"])
async def test_a_malformed_key_is_nobody(client: httpx.AsyncClient, wrong: str) -> None:
    answer = await client.get("/api/v1/me", headers={"Authorization": f"Bearer {wrong}"})
    assert answer.status_code == 401


async def make(client: httpx.AsyncClient, maker: str, *scopes: str, **more: str) -> httpx.Response:
    body = {"name": "made", "scopes": list(scopes), **more}
    return await client.post("/api/v1/api_keys", json=body, headers=bearer(maker))


async def opens(client: httpx.AsyncClient, key: str) -> int:
    return (await client.get("/api/v1/members", headers=bearer(key))).status_code


async def test_a_key_makes_none_that_lives_longer(
    new_buyer: NewPerson, client: httpx.AsyncClient
) -> None:
    buyer, now = await new_buyer(), Clock().now()
    end = (now + timedelta(days=1)).isoformat()
    body = {"name": "short", "scopes": ["accounts:write"], "expires_at": end}
    short = (await buyer.client.post("/api/v1/api_keys", json=body)).json()["key"]
    later = (now + timedelta(days=2)).isoformat()
    refused = await make(client, short, "accounts:write", expires_at=later)
    assert refused.status_code == 422
    [error] = refused.json()["errors"]
    assert (error["field"], error["code"]) == ("expires_at", "outlives_its_maker")
    heir = await make(client, short, "accounts:write")
    assert datetime.fromisoformat(heir.json()["expires_at"]) == datetime.fromisoformat(end)
    grandchild = await make(client, heir.json()["key"], "accounts:write", expires_at=later)
    assert grandchild.status_code == 422


@pytest.mark.parametrize("how", ["revoked", "expired"])
async def test_keys_end_with_the_key_that_made_them(
    new_buyer: NewPerson, client: httpx.AsyncClient, database: Database, how: str
) -> None:
    buyer = await new_buyer()
    parent, other = await buyer.api_key("accounts:write", "accounts:read"), await buyer.api_key()
    child = (await make(client, parent, "accounts:write", "accounts:read")).json()
    grandchild = (await make(client, child["key"], "accounts:read")).json()
    assert await opens(client, grandchild["key"]) == 200
    listed = (await buyer.client.get("/api/v1/api_keys")).json()["items"]
    by_prefix = {each["prefix"]: each for each in listed}
    assert by_prefix[grandchild["prefix"]]["made_with"] == child["id"]
    prefix = parent.partition(".")[0]
    if how == "revoked":
        path = f"/api/v1/api_keys/{by_prefix[prefix]['id']}"
        assert (await buyer.client.delete(path)).status_code == 204
        left = (await buyer.client.get("/api/v1/api_keys")).json()["items"]
        assert [each["prefix"] for each in left] == [other.partition(".")[0]]
    else:
        pool = await database.pool()
        await pool.execute(
            "UPDATE api_keys SET expires_at = now() - interval '1 second' WHERE prefix = $1", prefix
        )
        await buyer.client.delete(f"/api/v1/api_keys/{by_prefix[other.partition('.')[0]]['id']}")
    for key in (parent, child["key"], grandchild["key"]):
        assert await opens(client, key) == 401


async def test_a_narrow_key_gives_nobody_a_login_or_a_role(
    new_buyer: NewPerson, connect_client: Connect, client: httpx.AsyncClient
) -> None:
    buyer = await new_buyer()
    observer = await colleague(connect_client, buyer, "observer")
    narrow = bearer(await buyer.api_key("accounts:write", "accounts:read"))
    roles = f"/api/v1/members/{observer.user_id}/roles"
    invited = {"email": f"{unique('mine')}@example.com", "roles": ["admin"]}
    for answer in (
        await client.put(roles, json={"roles": ["admin"]}, headers=narrow),
        await client.post("/api/v1/invitations", json=invited, headers=narrow),
    ):
        assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing")
    wide = bearer(await buyer.api_key())
    changed = await client.put(roles, json={"roles": ["approver"]}, headers=wide)
    assert changed.status_code == 200
    assert (await client.post("/api/v1/invitations", json=invited, headers=wide)).is_success


async def test_a_key_is_not_given_the_stored_answer_of_another_login(
    new_buyer: NewPerson, client: httpx.AsyncClient
) -> None:
    buyer = await new_buyer()
    body = {"name": "wide", "scopes": ["accounts:write"]}
    again = {"Idempotency-Key": unique("once")}
    made = await buyer.client.post("/api/v1/api_keys", json=body, headers=again)
    repeated = await buyer.client.post("/api/v1/api_keys", json=body, headers=again)
    assert repeated.json() == made.json()
    narrow = await buyer.api_key("accounts:write")
    asked = await client.post("/api/v1/api_keys", json=body, headers=bearer(narrow) | again)
    assert asked.status_code == 201
    assert asked.json()["key"] != made.json()["key"]


@pytest.mark.parametrize("end_keys", [True, False])
async def test_a_changed_password_ends_the_keys_where_that_is_asked_for(
    new_buyer: NewPerson, client: httpx.AsyncClient, end_keys: bool
) -> None:
    buyer = await new_buyer()
    key = await buyer.api_key()
    change = {"current": PASSWORD, "new": "quite another sentence", "end_keys": end_keys}
    answer = await buyer.client.post("/api/v1/me/password", json=change)
    assert answer.status_code == 204
    assert await opens(client, key) == (401 if end_keys else 200)
