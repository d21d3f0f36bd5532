"""Sessions: logging in and out, rotation, the second factor, guessing, ended logins."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta

import asyncpg
import httpx
import msgspec
import pyotp
import pytest

from marketplace.accounts.gate import Gate
from marketplace.accounts.revocation import CHANNEL
from marketplace.accounts.rules import SESSION_ABSOLUTE, SESSION_IDLE
from marketplace.kernel.clock import Clock, Micros
from marketplace.kernel.db import Database
from marketplace.kernel.errors import Unavailable
from marketplace.kernel.redis import AnyRedis
from marketplace.kernel.settings import Settings
from tests.people import PASSWORD, NewPerson, Person, log_in
from tests.servers import Place

Connect = Callable[[], httpx.AsyncClient]


class MovedClock(Clock):
    """The real clock, moved by hand."""

    def __init__(self) -> None:
        self.moved = timedelta()

    def now_us(self) -> Micros:
        return Micros(super().now_us() + self.moved // timedelta(microseconds=1))


def credentials(person: Person, **other: str) -> dict[str, str]:
    return {"email": person.email, "password": PASSWORD} | other


async def test_a_login_sets_a_cookie_that_scripts_cannot_read(new_buyer: NewPerson) -> None:
    buyer = await new_buyer()
    answer = await buyer.client.post("/api/v1/sessions", json=credentials(buyer))
    session, csrf, device = answer.headers.get_list("set-cookie")
    assert session.startswith("session=")
    assert "HttpOnly" in session
    assert "SameSite=lax" in session
    assert csrf.startswith("csrf_token=")
    assert "HttpOnly" not in csrf
    assert device.startswith("device=")
    assert "HttpOnly" in device
    assert answer.json()["roles"] == [
        "admin",
        "approver",
        "channel_manager",
        "procurement_officer",
    ]


async def test_every_login_makes_a_new_session_and_ends_the_former(
    new_buyer: NewPerson, client: httpx.AsyncClient
) -> None:
    buyer = await new_buyer()
    before = buyer.client.cookies["session"]
    await log_in(buyer)
    assert buyer.client.cookies["session"] != before
    answer = await client.get("/api/v1/me", headers={"Cookie": f"session={before}"})
    assert answer.status_code == 401


async def test_a_session_id_chosen_by_the_client_is_nobody(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/v1/me", headers={"Cookie": "session=chosen-by-me"})
    assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")


async def test_only_hashes_of_tokens_are_stored(new_buyer: NewPerson, database: Database) -> None:
    buyer = await new_buyer()
    token = buyer.client.cookies["session"]
    pool = await database.pool()
    rows = await pool.fetch("SELECT * FROM sessions WHERE user_id = $1", buyer.user_id)
    assert rows
    assert token not in repr(rows)


async def test_wrong_password_and_unknown_address_answer_alike(
    new_buyer: NewPerson, client: httpx.AsyncClient
) -> None:
    buyer = await new_buyer()
    wrong = await client.post(
        "/api/v1/sessions", json={"email": buyer.email, "password": "wrong password"}
    )
    unknown = await client.post(
        "/api/v1/sessions", json={"email": "nobody@example.com", "password": "wrong password"}
    )
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.json() == unknown.json()


async def test_logging_out_ends_the_session_and_tells_every_node(
    new_buyer: NewPerson, redis: AnyRedis
) -> None:
    buyer = await new_buyer()
    sessions = (await buyer.client.get("/api/v1/sessions")).json()["items"]
    async with Listening(redis) as heard:
        assert (await buyer.client.delete("/api/v1/sessions/current")).status_code == 204
        assert await heard("session_id", sessions[0]["id"])
    assert (await buyer.client.get("/api/v1/me")).status_code == 401


async def test_changing_the_password_ends_the_other_sessions(
    new_buyer: NewPerson, connect_client: Connect
) -> None:
    here = await new_buyer()
    there = msgspec.structs.replace(here, client=connect_client())
    await log_in(there)
    change = {"current": PASSWORD, "new": "another good password"}
    assert (await here.client.post("/api/v1/me/password", json=change)).status_code == 204
    assert (await here.client.get("/api/v1/me")).status_code == 200
    assert (await there.client.get("/api/v1/me")).status_code == 401
    there.password = "another good password"
    await log_in(there)


async def test_a_wrong_present_password_changes_nothing(new_buyer: NewPerson) -> None:
    buyer = await new_buyer()
    change = {"current": "not this one", "new": "another good password"}
    answer = await buyer.client.post("/api/v1/me/password", json=change)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "current")
    await log_in(buyer)


async def test_a_second_factor_is_asked_for_and_no_code_serves_twice(
    new_buyer: NewPerson,
) -> None:
    buyer = await new_buyer()
    secret = (await buyer.client.post("/api/v1/me/totp")).json()["secret"]
    codes = pyotp.TOTP(secret)
    now = Clock().now()
    first = codes.at(now)
    confirmed = await buyer.client.post("/api/v1/me/totp/confirm", json={"code": first})
    assert confirmed.status_code == 200
    missing = await buyer.client.post("/api/v1/sessions", json=credentials(buyer))
    assert (missing.status_code, missing.json()["code"]) == (401, "totp_required")
    replayed = await buyer.client.post("/api/v1/sessions", json=credentials(buyer, totp=first))
    assert (replayed.status_code, replayed.json()["code"]) == (401, "totp_wrong")
    fresh = codes.at(now + timedelta(seconds=30))
    entered = await buyer.client.post("/api/v1/sessions", json=credentials(buyer, totp=fresh))
    assert entered.status_code == 201


async def test_an_unconfirmed_second_factor_asks_for_nothing(new_buyer: NewPerson) -> None:
    buyer = await new_buyer()
    assert (await buyer.client.post("/api/v1/me/totp")).status_code == 201
    wrong = await buyer.client.post("/api/v1/me/totp/confirm", json={"code": "000000"})
    assert wrong.status_code == 422
    await log_in(buyer)


async def test_a_session_ends_when_idle_and_at_its_absolute_age(
    new_buyer: NewPerson, database: Database, settings: Settings
) -> None:
    buyer = await new_buyer()
    clock = MovedClock()
    gate = Gate(database, settings, clock)
    headers = [(b"cookie", f"session={buyer.client.cookies['session']}".encode())]
    assert await gate.authenticate(headers) is not None
    clock.moved = SESSION_IDLE + timedelta(seconds=1)
    assert await gate.authenticate(headers) is None
    clock.moved = timedelta()
    while clock.moved < SESSION_ABSOLUTE:
        assert await gate.authenticate(headers) is not None, "it is used all the time"
        clock.moved += SESSION_IDLE / 2
    assert await gate.authenticate(headers) is None


async def test_without_the_server_nobody_is_turned_away_as_a_stranger(settings: Settings) -> None:
    away = Database("postgresql://nobody@127.0.0.1:1/nothing")
    gate = Gate(away, settings, Clock())
    for headers in ([(b"cookie", b"session=any")], [(b"authorization", b"Bearer any.key")]):
        with pytest.raises(Unavailable):
            await gate.authenticate(headers)
    await away.close()


async def test_a_login_is_found_again_after_the_server_ended_the_connection(
    new_buyer: NewPerson, settings: Settings, servers: Place
) -> None:
    buyer = await new_buyer()
    database = Database(servers.database_url, pool_size=1)
    gate = Gate(database, settings, Clock())
    headers = [(b"cookie", f"session={buyer.client.cookies['session']}".encode())]
    assert await gate.authenticate(headers) is not None
    pool = await database.pool(steady=True)
    pid = await pool.fetchval("SELECT pg_backend_pid()")
    admin = await asyncpg.connect(servers.database_url)
    await admin.execute("SELECT pg_terminate_backend($1)", pid)
    await admin.close()
    async with asyncio.timeout(10):
        while pool.get_size():  # noqa: ASYNC110  # the driver tells nobody
            await asyncio.sleep(0)
    assert await gate.authenticate(headers) is not None
    await database.close()


class Listening:
    """Listens to revocations: `await heard(field, value)` waits for that message."""

    def __init__(self, redis: AnyRedis) -> None:
        self._pubsub = redis.pubsub()  # type: ignore[union-attr]

    async def __aenter__(self) -> Callable[[str, str], object]:
        await self._pubsub.subscribe(CHANNEL)
        return self._heard

    async def __aexit__(self, *_: object) -> None:
        await self._pubsub.aclose()

    async def _heard(self, field: str, value: str) -> bool:
        async with asyncio.timeout(5):
            while True:
                message = await self._pubsub.get_message(
                    ignore_subscribe_messages=True, timeout=1.0
                )
                if message and msgspec.json.decode(message["data"]).get(field) == value:
                    return True
