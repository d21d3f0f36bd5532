"""Recovery codes: ten, each good once, in place of a code of the authenticator."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import httpx
import pyotp

from marketplace.accounts.service.second_factor import CODES
from marketplace.kernel.clock import Clock
from marketplace.kernel.db import Database
from tests.people import PASSWORD, NewPerson, Person

PATH = "/api/v1/me/totp/recovery_codes"


async def enable(person: Person) -> pyotp.TOTP:
    """Switches the second factor on; its authenticator."""
    authenticator = pyotp.TOTP((await person.client.post("/api/v1/me/totp")).json()["secret"])
    body = {"code": authenticator.at(Clock().now())}
    confirmed = await person.client.post("/api/v1/me/totp/confirm", json=body)
    assert confirmed.status_code == 200
    assert len(confirmed.json()["codes"]) == CODES, "they come with the second factor"
    return authenticator


async def make(person: Person) -> list[str]:
    answer = await person.client.post(PATH, json={"password": PASSWORD})
    assert answer.status_code == 201, answer.text
    codes: list[str] = answer.json()["codes"]
    return codes


async def left(person: Person) -> int:
    return int((await person.client.get(PATH)).json()["left"])


async def log_in(person: Person, code: str) -> httpx.Response:
    body: dict[str, Any] = {"email": person.email, "password": PASSWORD, "totp": code}
    return await person.client.post("/api/v1/sessions", json=body)


async def again(person: Person, code: str) -> None:
    """A login by this code, and what a browser remembers of it."""
    answer = await log_in(person, code)
    assert answer.status_code == 201, answer.text
    person.client.headers["X-CSRF-Token"] = person.client.cookies["csrf_token"]


async def test_each_recovery_code_opens_the_door_once(new_buyer: NewPerson) -> None:
    buyer = await new_buyer()
    await enable(buyer)
    assert await left(buyer) == CODES
    codes = await make(buyer)
    assert len(set(codes)) == CODES == 10
    assert all(re.fullmatch(r"[a-z2-7]{4}(-[a-z2-7]{4}){3}", code) for code in codes)
    await again(buyer, codes[0])
    spent = await log_in(buyer, codes[0])
    assert (spent.status_code, spent.json()["code"]) == (401, "totp_wrong")
    # As it is typed from paper: capitals, blanks, no dashes.
    await again(buyer, codes[1].upper().replace("-", " "))
    assert await left(buyer) == 8


async def test_only_hashes_are_stored_and_use_is_on_record(
    new_buyer: NewPerson, database: Database
) -> None:
    buyer = await new_buyer()
    await enable(buyer)
    codes = await make(buyer)
    await again(buyer, codes[0])
    pool = await database.pool()
    rows = await pool.fetch("SELECT * FROM recovery_codes WHERE user_id = $1", buyer.user_id)
    kept = repr([tuple(row.values()) for row in rows])
    assert not [code for code in codes if code in kept or code.replace("-", "") in kept]
    assert [row["used_at"] is not None for row in rows].count(True) == 1
    log = (await buyer.client.get("/api/v1/audit_log")).json()["items"]
    done = [entry["what"] for entry in log if "recovery" in entry["what"]]
    assert done == ["recovery_code_used", "recovery_codes_made", "recovery_codes_made"]


async def test_fresh_codes_replace_the_former_ones(new_buyer: NewPerson) -> None:
    buyer = await new_buyer()
    await enable(buyer)
    former = await make(buyer)
    wrong = await buyer.client.post(PATH, json={"password": "not this one"})
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "password")
    fresh = await make(buyer)
    assert (await log_in(buyer, former[5])).status_code == 401
    await again(buyer, fresh[5])


async def test_codes_need_a_second_factor_and_are_of_one_person(new_buyer: NewPerson) -> None:
    one, other = await new_buyer(), await new_buyer()
    early = await one.client.post(PATH, json={"password": PASSWORD})
    assert (early.status_code, early.json()["code"]) == (409, "totp_not_enabled")
    await enable(one)
    await enable(other)
    codes = await make(one)
    assert (await log_in(other, codes[0])).status_code == 401
    assert await left(one) == CODES


async def test_a_recovery_code_switches_the_lost_factor_off_and_the_rest_is_forgotten(
    new_buyer: NewPerson,
) -> None:
    buyer = await new_buyer()
    authenticator = await enable(buyer)
    codes = await make(buyer)
    removal = {"password": PASSWORD, "code": codes[0]}
    answer = await buyer.client.post("/api/v1/me/totp/disable", json=removal)
    assert answer.status_code == 204, answer.text
    assert await left(buyer) == 0
    # A new authenticator does not bring the old codes back.
    authenticator = pyotp.TOTP((await buyer.client.post("/api/v1/me/totp")).json()["secret"])
    body = {"code": authenticator.at(Clock().now() + timedelta(seconds=30))}
    assert (await buyer.client.post("/api/v1/me/totp/confirm", json=body)).status_code == 200
    assert (await log_in(buyer, codes[1])).status_code == 401


async def test_an_api_key_makes_no_codes(new_buyer: NewPerson) -> None:
    buyer = await new_buyer()
    headers = {"Authorization": f"Bearer {await buyer.api_key()}"}
    async with httpx.AsyncClient(base_url=buyer.client.base_url, headers=headers) as program:
        assert (await program.post(PATH, json={"password": PASSWORD})).status_code == 403
