"""HTML forms against the real application, without a browser."""

from __future__ import annotations

from datetime import UTC, date, datetime

import httpx
import pytest

from marketplace.kernel.errors import Invalid
from tests.people import NewPerson
from web.pages.forms import Form
from web.pages.render import own_path


def test_only_own_paths_are_returned_to() -> None:
    assert own_path("/auctions?x=1") == "/auctions?x=1"
    for foreign in ("//evil.example", "/\\evil.example", "https://evil.example", "", None, "x"):
        assert own_path(foreign, "/home") == "/home"


@pytest.mark.parametrize(
    ("typed", "offset", "code"),
    [
        ("2027-03-28T02:30", "gap", "no_such_time"),
        ("9999-12-31T23:59", "0", "out_of_range"),
        ("9999-12-31T23:59", "720", "malformed"),
        ("0001-01-01T00:00", "0", "out_of_range"),
        ("2200-01-01T00:00", "0", "out_of_range"),
        ("2027-03-28T02:30", "100000", "out_of_range"),
        ("2027-03-28T02:30", "1e3", "malformed"),
        ("tomorrow", "0", "malformed"),
        ("", "0", "malformed"),
    ],
)
def test_a_time_that_cannot_be_is_refused(typed: str, offset: str, code: str) -> None:
    form = Form({"starts_at": [typed], "offset_min": [offset]})
    with pytest.raises(Invalid) as refused:
        form.instant("starts_at")
    assert [(each.field, each.code) for each in refused.value.errors] == [("starts_at", code)]


def test_a_typed_time_is_read_in_the_zone_of_the_browser() -> None:
    form = Form({"starts_at": ["2027-03-28T03:30"], "offset_min": ["-120"]})
    assert form.instant("starts_at") == datetime(2027, 3, 28, 1, 30, tzinfo=UTC)


@pytest.mark.parametrize("typed", ["9999-12-31", "0001-01-01", "2027-02-30", "soon"])
def test_a_day_that_cannot_be_is_refused(typed: str) -> None:
    with pytest.raises(Invalid):
        Form({"day": [typed]}).day("day")
    assert Form({"day": ["2027-02-28"]}).day("day") == date(2027, 2, 28)
    assert Form({}).day("day") is None


async def test_a_form_needs_token_and_origin(new_buyer: NewPerson) -> None:
    buyer = await new_buyer()
    token = buyer.client.headers.pop("X-CSRF-Token")
    form = {"name": "robot", "scopes": "*"}
    refused = await buyer.client.post("/keys", data=form)
    assert (refused.status_code, refused.json()["code"]) == (403, "csrf_token_wrong")
    wrong = await buyer.client.post("/keys", data=form | {"csrf_token": "guess"})
    assert wrong.json()["code"] == "csrf_token_wrong"
    origin = buyer.client.headers.pop("Origin")
    foreign = await buyer.client.post("/keys", data=form | {"csrf_token": token})
    assert foreign.json()["code"] == "origin_missing_or_foreign"
    buyer.client.headers.update({"Origin": origin, "X-CSRF-Token": token})
    keys = await buyer.client.get("/api/v1/api_keys")
    assert keys.json()["items"] == []


async def test_a_huge_form_is_refused(client: httpx.AsyncClient) -> None:
    answer = await client.post("/login", data={"email": "x" * 300_000})
    assert answer.status_code == 413


async def test_programs_get_problems_and_people_get_pages(client: httpx.AsyncClient) -> None:
    program = await client.get("/auctions", headers={"Accept": "application/json"})
    assert program.status_code == 401
    assert program.headers["content-type"] == "application/problem+json"
    person = await client.get("/auctions", headers={"Accept": "text/html"})
    assert (person.status_code, person.headers["location"]) == (303, "/login?next=/auctions")


async def test_pages_of_others_do_not_exist(new_buyer: NewPerson, new_supplier: NewPerson) -> None:
    supplier = await new_supplier()
    for path in ("/suppliers", "/tenders/new"):
        assert (await supplier.client.get(path)).status_code == 403
    nothing = "01a1ffb5-926a-7000-a2f7-6cb43005f569"
    for path in (f"/tenders/{nothing}", f"/auctions/{nothing}"):
        assert (await supplier.client.get(path)).status_code == 404
