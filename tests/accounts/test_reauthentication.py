"""A session that logged in a while ago gives its password again before it changes who gets in."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from urllib.parse import urlencode

import httpx
import pyotp
import pytest

from marketplace.accounts.guessing import LoginLimits
from marketplace.accounts.rules import VERIFIED_LIFE
from marketplace.kernel.db import Database
from marketplace.kernel.settings import Settings
from tests.accounts.test_logins import MovedClock
from tests.conftest import serve
from tests.people import PASSWORD, NewPerson, Person
from web.app import create_app

# Fixed, because it stands in the names of tests, which must be the same on every worker.
NOBODY = "00000000-0000-7000-8000-000000000000"

REAUTHENTICATE = "/api/v1/me/reauthenticate"
KEY = {"name": "Robot", "scopes": ["*"]}
GUARDED = [
    ("POST", "/api/v1/api_keys", KEY),
    ("POST", "/api/v1/me/totp", None),
    ("POST", "/api/v1/me/totp/confirm", {"code": "000000"}),
    ("POST", "/api/v1/invitations", {"email": "new@example.com", "roles": ["approver"]}),
    ("DELETE", f"/api/v1/invitations/{NOBODY}", None),
    ("PUT", f"/api/v1/members/{NOBODY}/roles", {"roles": ["observer"]}),
    ("DELETE", f"/api/v1/members/{NOBODY}", None),
    ("POST", f"/api/v1/organisations/{NOBODY}/retire", {"reason": "Closing"}),
]
PAGES = [
    ("/keys", "name=Robot&scopes=*"),
    ("/security/totp", ""),
    ("/security/totp/confirm", "code=000000"),
    ("/team/invitations", "email=new@example.com&roles=approver&roles=observer"),
    (f"/team/invitations/{NOBODY}/withdraw", ""),
    (f"/team/members/{NOBODY}/roles", "roles=observer"),
    (f"/team/members/{NOBODY}/remove", ""),
    (f"/team/members/{NOBODY}/restore", ""),
]
FORM = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "text/html"}


@pytest.fixture
async def stale(
    new_buyer: NewPerson, settings: Settings, clock: MovedClock
) -> AsyncIterator[Person]:
    """Somebody who logged in a quarter of an hour ago, at a node of another time."""
    person = await new_buyer()
    async with serve(create_app(settings, clock=clock)) as url:
        headers = dict(person.client.headers) | {"Origin": url}
        async with httpx.AsyncClient(
            base_url=url, headers=headers, cookies=person.client.cookies, timeout=20
        ) as client:
            person.client = client
            clock.moved = VERIFIED_LIFE
            yield person


@pytest.fixture
def clock() -> MovedClock:
    return MovedClock()


@pytest.mark.parametrize(("method", "path", "body"), GUARDED)
async def test_what_lets_somebody_in_needs_a_recent_password(
    stale: Person, method: str, path: str, body: object
) -> None:
    answer = await stale.client.request(method, path, json=body)
    assert (answer.status_code, answer.json()["code"]) == (403, "reauthentication_required")
    again = await stale.client.post(REAUTHENTICATE, json={"password": PASSWORD})
    assert (again.status_code, again.content) == (204, b"")
    answer = await stale.client.request(method, path, json=body)
    assert answer.json().get("code") != "reauthentication_required"


async def test_it_counts_for_a_quarter_of_an_hour_and_for_this_session_alone(
    stale: Person, clock: MovedClock, database: Database
) -> None:
    assert (await stale.client.post(REAUTHENTICATE, json={"password": PASSWORD})).is_success
    clock.moved += VERIFIED_LIFE - timedelta(seconds=30)
    assert (await stale.client.post("/api/v1/api_keys", json=KEY)).status_code == 201
    clock.moved += timedelta(seconds=31)
    assert (await stale.client.post("/api/v1/api_keys", json=KEY)).status_code == 403


async def test_reading_and_daily_work_need_no_password(stale: Person) -> None:
    for path in ("/api/v1/api_keys", "/api/v1/members", "/api/v1/invitations", "/api/v1/me"):
        assert (await stale.client.get(path)).status_code == 200
    assert (await stale.client.post("/api/v1/tenders", json={"title": "Pumps"})).status_code != 403


async def test_an_api_key_is_not_asked(stale: Person, clock: MovedClock) -> None:
    await stale.client.post(REAUTHENTICATE, json={"password": PASSWORD})
    key = (await stale.client.post("/api/v1/api_keys", json=KEY)).json()["key"]
    clock.moved += timedelta(days=1)
    headers = {"Authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(base_url=stale.client.base_url, headers=headers) as program:
        made = await program.post("/api/v1/api_keys", json=KEY)
        assert made.status_code == 201
        refused = await program.post(REAUTHENTICATE, json={"password": PASSWORD})
        assert (refused.status_code, refused.json()["code"]) == (403, "session_only")


async def test_a_code_does_as_well_as_the_password(stale: Person, clock: MovedClock) -> None:
    early = await stale.client.post(REAUTHENTICATE, json={"code": "000000"})
    assert (early.status_code, early.json()["code"]) == (422, "totp_not_enabled")
    await stale.client.post(REAUTHENTICATE, json={"password": PASSWORD})
    authenticator = pyotp.TOTP((await stale.client.post("/api/v1/me/totp")).json()["secret"])
    body = {"code": authenticator.at(clock.now())}
    codes = (await stale.client.post("/api/v1/me/totp/confirm", json=body)).json()["codes"]
    for code in (lambda: authenticator.at(clock.now()), lambda: codes[0]):
        clock.moved += VERIFIED_LIFE
        assert (await stale.client.post("/api/v1/api_keys", json=KEY)).status_code == 403
        spent = {"code": code()}
        assert (await stale.client.post(REAUTHENTICATE, json=spent)).status_code == 204
        assert (await stale.client.post("/api/v1/api_keys", json=KEY)).status_code == 201
        replayed = await stale.client.post(REAUTHENTICATE, json=spent)
        assert (replayed.status_code, replayed.json()["code"]) == (422, "totp_wrong")


@pytest.mark.parametrize("body", [{}, {"password": PASSWORD, "code": "000000"}])
async def test_exactly_one_of_the_two_is_sent(stale: Person, body: dict[str, str]) -> None:
    answer = await stale.client.post(REAUTHENTICATE, json=body)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "one_of_two")


ASKING = {
    REAUTHENTICATE: {"password": "wrong"},
    "/api/v1/me/password": {"current": "wrong", "new": "a wholly new sentence"},
    "/api/v1/me/totp/disable": {"password": "wrong", "code": "000000"},
    "/api/v1/me/totp/recovery_codes": {"password": "wrong"},
}


async def test_a_stolen_session_guesses_no_password(new_buyer: NewPerson) -> None:
    """Tries at all places together, and the owner's other sessions are not slowed down."""
    owner = await new_buyer()
    other = httpx.AsyncClient(base_url=owner.client.base_url, timeout=20)
    burst, answers = LoginLimits().in_session.burst, []
    for number in range(burst + 2):
        path = list(ASKING)[number % len(ASKING)]
        answers.append((await owner.client.post(path, json=ASKING[path])).status_code)
    assert answers == [422] * burst + [429] * 2
    right = await owner.client.post(REAUTHENTICATE, json={"password": PASSWORD})
    assert (right.status_code, right.json()["code"]) == (429, "too_fast")
    async with other:
        login = {"email": owner.email, "password": PASSWORD}
        assert (await other.post("/api/v1/sessions", json=login)).status_code == 201


async def test_whoever_has_session_and_password_guesses_no_codes(new_buyer: NewPerson) -> None:
    """The right password puts back no tries of codes."""
    owner = await new_buyer()
    secret = (await owner.client.post("/api/v1/me/totp")).json()["secret"]
    body = {"code": pyotp.TOTP(secret).at(MovedClock().now())}
    assert (await owner.client.post("/api/v1/me/totp/confirm", json=body)).status_code == 200
    removal, burst = {"password": PASSWORD, "code": "000000"}, LoginLimits().in_session.burst
    answers = [
        (await owner.client.post("/api/v1/me/totp/disable", json=removal)).status_code
        for _ in range(burst + 2)
    ]
    assert answers == [422] * burst + [429] * 2


@pytest.mark.parametrize(("path", "typed"), PAGES)
async def test_a_page_asks_and_goes_on_with_what_was_typed(
    stale: Person, path: str, typed: str
) -> None:
    token = urlencode({"csrf_token": stale.client.cookies["csrf_token"]})
    asked = await stale.client.post(path, content=f"{token}&{typed}", headers=FORM)
    assert asked.status_code == 403
    assert "Confirm that it is you" in asked.text
    for name, value in (pair.split("=") for pair in typed.split("&") if pair):
        assert f'name="{name}" value="{value}"' in asked.text
    carried = f"{token}&{typed}&reauthenticate.action={path}&reauthenticate.secret="
    wrong = await stale.client.post("/reauthenticate", content=f"{carried}no", headers=FORM)
    assert wrong.status_code == 422
    assert "not the present password" in wrong.text
    body = carried + PASSWORD.replace(" ", "+")
    right = await stale.client.post("/reauthenticate", content=body, headers=FORM)
    assert (right.status_code, right.headers["location"]) == (307, path)
    done = await stale.client.post(path, content=body, headers=FORM)
    assert "Confirm that it is you" not in done.text


async def test_the_page_leads_to_no_other_site(stale: Person) -> None:
    token = urlencode({"csrf_token": stale.client.cookies["csrf_token"]})
    body = f"{token}&reauthenticate.action=//evil.example/x&reauthenticate.secret="
    body += PASSWORD.replace(" ", "+")
    answer = await stale.client.post("/reauthenticate", content=body, headers=FORM)
    assert (answer.status_code, answer.headers["location"]) == (307, "/")
