"""A forgotten password: a link by mail, once, within an hour; nobody learns who is registered."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import httpx
import pyotp
import pytest
from sqlalchemy import text

from marketplace.accounts.guessing import LoginLimits
from marketplace.accounts.service import password_resets
from marketplace.kernel.clock import Clock
from marketplace.kernel.db import SYSTEM, Database
from marketplace.kernel.settings import Settings
from tests.accounts.test_guessing import browser, guess, new_place
from tests.accounts.test_logins import MovedClock
from tests.conftest import serve
from tests.people import PASSWORD, Connect, NewPerson, Person, colleague, unique
from web.app import Application, create_app

RESETS = "/api/v1/password_resets"
NEW = "a wholly new sentence"


async def work(app: Application, database: Database) -> None:
    """What the worker does about those who asked."""
    parts = app.litestar.state.living
    async with database.transaction(SYSTEM) as session:
        await password_resets.send_links(session, parts.facts, parts.clock)


async def ask(client: httpx.AsyncClient, email: str) -> httpx.Response:
    return await client.post(RESETS, json={"email": email})


@pytest.fixture
async def owner(new_buyer: NewPerson) -> Person:
    return await new_buyer()


@pytest.fixture
async def link(
    owner: Person,
    client: httpx.AsyncClient,
    database: Database,
    app: Application,
    connect_client: Connect,
) -> str:
    """The address in the owner's mail, below `/api/v1`."""
    assert (await ask(client, owner.email.upper())).status_code == 202
    await work(app, database)
    path = await connect_client.mailed_path(owner.email)
    assert path.startswith("/password_resets/")
    return f"/api/v1{path}"


async def log_in(client: httpx.AsyncClient, email: str, password: str, **more: str) -> int:
    body = {"email": email, "password": password} | more
    return (await client.post("/api/v1/sessions", json=body)).status_code


async def test_a_link_gives_a_new_password_once_and_ends_every_session(
    owner: Person, link: str, client: httpx.AsyncClient, connect_client: Connect
) -> None:
    answer = await client.post(link, json={"password": NEW})
    assert (answer.status_code, answer.content) == (204, b"")
    assert (await owner.client.get("/api/v1/me")).status_code == 401
    assert await log_in(client, owner.email, PASSWORD) == 401
    assert await log_in(client, owner.email, NEW) == 201
    again = await client.post(link, json={"password": "another new sentence"})
    assert (again.status_code, again.json()["code"]) == (410, "reset_used")
    log = (await client.get("/api/v1/audit_log")).json()["items"]
    assert "password_reset" in [entry["what"] for entry in log]
    assert await connect_client.mailed_path(owner.email) == "/password_resets", "the owner is told"


async def test_both_answers_are_the_same_for_strangers(
    owner: Person, client: httpx.AsyncClient, database: Database, app: Application
) -> None:
    nobody = f"{unique('nobody')}@example.com"
    known, unknown = await ask(client, owner.email), await ask(client, nobody)
    assert known.status_code == unknown.status_code == 202
    assert known.content == unknown.content
    async with database.transaction(SYSTEM) as session:
        query = "SELECT user_id, token_hash FROM password_resets WHERE email_normal = ANY(:emails)"
        rows = await session.execute(text(query), {"emails": [owner.email, nobody]})
        assert rows.all() == [(None, None)] * 2, "nothing tells them apart before the worker"
    await work(app, database)
    async with database.transaction(SYSTEM) as session:
        query = "SELECT email_normal FROM password_resets WHERE email_normal = ANY(:emails)"
        left = await session.scalars(text(query), {"emails": [owner.email, nobody]})
        assert left.all() == [owner.email], "addresses of strangers are not collected"


async def test_a_bad_new_password_leaves_the_link_usable(
    owner: Person, link: str, client: httpx.AsyncClient
) -> None:
    for password, code in [("short", "password_length"), ("Password123", "password_common")]:
        answer = await client.post(link, json={"password": password})
        assert answer.status_code == 422
        assert [(e["field"], e["code"]) for e in answer.json()["errors"]] == [("password", code)]
    assert await log_in(client, owner.email, PASSWORD) == 201
    assert (await client.post(link, json={"password": NEW})).status_code == 204


async def test_two_at_once_use_a_link_once(
    owner: Person, link: str, client: httpx.AsyncClient
) -> None:
    answers = await asyncio.gather(
        *(client.post(link, json={"password": f"{NEW} {number}"}) for number in range(4))
    )
    assert sorted(answer.status_code for answer in answers) == [204, 410, 410, 410]


async def test_using_one_link_ends_the_others(
    owner: Person,
    link: str,
    client: httpx.AsyncClient,
    database: Database,
    app: Application,
    connect_client: Connect,
) -> None:
    await ask(client, owner.email)
    await work(app, database)
    later = f"/api/v1{await connect_client.mailed_path(owner.email)}"
    assert later != link
    assert (await client.post(link, json={"password": NEW})).status_code == 204
    assert (await client.post(later, json={"password": NEW})).status_code == 410


async def test_a_link_works_for_an_hour(
    owner: Person, link: str, settings: Settings, client: httpx.AsyncClient
) -> None:
    clock = MovedClock()
    async with serve(create_app(settings, clock=clock)) as url, browser(url) as late:
        clock.moved = timedelta(hours=1)
        answer = await late.post(link, json={"password": NEW})
        assert (answer.status_code, answer.json()["code"]) == (410, "reset_expired")
        clock.moved = timedelta(minutes=59)
        assert (await late.post(link, json={"password": NEW})).status_code == 204


async def test_a_made_up_link_is_missing(client: httpx.AsyncClient) -> None:
    answer = await client.post(f"{RESETS}/made-up", json={"password": NEW})
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize("end_keys", [True, False])
async def test_api_keys_end_where_it_is_wished(
    owner: Person, link: str, client: httpx.AsyncClient, end_keys: bool
) -> None:
    key = {"Authorization": f"Bearer {await owner.api_key()}"}
    body = {"password": NEW, "end_keys": end_keys}
    assert (await client.post(link, json=body)).status_code == 204
    async with httpx.AsyncClient(base_url=client.base_url, headers=key) as program:
        assert (await program.get("/api/v1/me")).status_code == (401 if end_keys else 200)


async def test_a_second_factor_stays(owner: Person, link: str, client: httpx.AsyncClient) -> None:
    secret = (await owner.client.post("/api/v1/me/totp")).json()["secret"]
    code = pyotp.TOTP(secret).at(Clock().now())
    await owner.client.post("/api/v1/me/totp/confirm", json={"code": code})
    assert (await client.post(link, json={"password": NEW})).status_code == 204
    assert await log_in(client, owner.email, NEW) == 401
    code = pyotp.TOTP(secret).at(Clock().now() + timedelta(seconds=30))
    assert await log_in(client, owner.email, NEW, totp=code) == 201


async def test_somebody_who_left_gets_no_link_and_uses_none(
    new_buyer: NewPerson,
    client: httpx.AsyncClient,
    database: Database,
    app: Application,
    connect_client: Connect,
) -> None:
    admin = await new_buyer()
    left = await colleague(connect_client, admin, "approver")
    await ask(client, left.email)
    await work(app, database)
    link = f"/api/v1{await connect_client.mailed_path(left.email)}"
    assert (await admin.client.delete(f"/api/v1/members/{left.user_id}")).status_code < 300
    answer = await client.post(link, json={"password": NEW})
    assert (answer.status_code, answer.json()["code"]) == (410, "reset_void")


async def test_nobody_fills_a_mailbox(
    owner: Person, client: httpx.AsyncClient, database: Database, app: Application
) -> None:
    for _ in range(LoginLimits().mails.burst + 4):
        assert (await ask(client, owner.email)).status_code == 202
    await work(app, database)
    async with database.transaction(SYSTEM) as session:
        count = await session.scalar(
            text("SELECT count(*) FROM password_resets WHERE email_normal = :email"),
            {"email": owner.email},
        )
    assert count == LoginLimits().mails.burst


@pytest.mark.parametrize("email", ["", "nobody", "a" * 300 + "@example.com", "a\0@example.com"])
async def test_what_is_no_address_is_named(client: httpx.AsyncClient, email: str) -> None:
    answer = await ask(client, email)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "email"


async def test_after_a_reset_former_guesses_count_no_more(
    owner: Person, link: str, live_server: str
) -> None:
    place = new_place()
    await guess(live_server, place, owner, 30)
    async with browser(live_server, place) as client:
        assert (await client.post(link, json={"password": NEW})).status_code == 204
        assert await log_in(client, owner.email, NEW) == 201


async def test_a_changed_password_is_told_to_the_owner(
    owner: Person, connect_client: Connect
) -> None:
    change = {"current": PASSWORD, "new": NEW}
    assert (await owner.client.post("/api/v1/me/password", json=change)).status_code == 204
    assert await connect_client.mailed_path(owner.email) == "/password_resets"


async def test_the_pages_lead_from_the_login_to_the_mail_and_back(
    owner: Person, link: str, live_server: str
) -> None:
    async with browser(live_server) as client:
        assert 'href="/password_resets"' in (await client.get("/login")).text
        sent = await client.post("/password_resets", data={"email": owner.email})
        assert sent.status_code == 202
        assert owner.email in sent.text
        path = link.removeprefix("/api/v1")
        # A mail program that looks at the link uses nothing up.
        assert (await client.get(path)).status_code == 200
        bad = await client.post(path, data={"password": "Password123"})
        assert (bad.status_code, "Many people use this password" in bad.text) == (422, True)
        done = await client.post(path, data={"password": NEW})
        assert (done.status_code, done.headers["location"]) == (303, "/login?done=password")
        assert (await client.get(path)).status_code == 410
        assert await log_in(client, owner.email, NEW) == 201
