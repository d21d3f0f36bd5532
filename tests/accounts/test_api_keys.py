"""API keys: scopes, expiry, revocation, and never more than their maker."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest

from marketplace.kernel.clock import Clock
from marketplace.kernel.db import Database
from tests.people import NewPerson


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
