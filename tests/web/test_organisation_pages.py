"""The profile of an organisation: changed beside others, closed after reading what that means."""

from __future__ import annotations

from tests.answers import ok
from tests.people import Connect, NewPerson, colleague, unique
from tests.web.test_catalogue_pages import fields_of
from tests.web.test_tender_page import FORM, shown, words


async def test_an_administrator_renames_and_a_colleague_reads(
    new_supplier: NewPerson, connect_client: Connect
) -> None:
    admin = await new_supplier()
    path = f"/organisations/{admin.organisation_id}"
    home = await admin.client.get("/auctions", headers=FORM)
    assert f'href="{path}"' in home.text
    page = await admin.client.get(path, headers=FORM)
    name = unique("Renamed")
    form = fields_of(page.text) | {"name": name, "country": "FR"}
    saved = await admin.client.post(path, data=form)
    assert saved.status_code == 303, saved.text
    assert "Saved" in await shown(admin, saved.headers["location"])
    stored = ok(await admin.client.get(f"/api/v1{path}"))
    # The country is not for the own people to change, whatever they send.
    assert (stored["name"], stored["country"]) == (name, "DE")
    observer = await colleague(connect_client, admin, "observer")
    theirs = await observer.client.get(path, headers=FORM)
    assert name in theirs.text
    assert 'name="name"' not in theirs.text
    assert "Close this organisation" not in theirs.text
    refused = await observer.client.post(path, data=fields_of(page.text), headers=FORM)
    assert refused.status_code == 403
    assert ok(await admin.client.get(f"/api/v1{path}")) == stored


async def test_a_stale_form_shows_the_newer_values(
    new_supplier: NewPerson, new_operator: NewPerson
) -> None:
    supplier, operator = await new_supplier(), await new_operator()
    path = f"/organisations/{supplier.organisation_id}"
    form = fields_of((await operator.client.get(path, headers=FORM)).text)
    ok(await supplier.client.patch(f"/api/v1{path}", json={"name": unique("Meanwhile")}))
    tax_id = unique("TAX")
    typed = form | {"name": unique("Mine"), "tax_id": tax_id, "capabilities": "supplies"}
    refused = await operator.client.post(path, data=typed, headers=FORM)
    assert refused.status_code == 412
    assert "Somebody else wrote: Meanwhile" in words(refused.text)
    again = fields_of(refused.text)
    assert (again["name"], again["tax_id"]) == (typed["name"], tax_id)
    saved = await operator.client.post(path, data=again | {"capabilities": "supplies"})
    assert saved.status_code == 303, saved.text
    stored = ok(await supplier.client.get(f"/api/v1{path}"))
    assert (stored["name"], stored["tax_id"]) == (typed["name"], tax_id)


async def test_the_operator_corrects_what_the_approval_was_about(
    new_supplier: NewPerson, new_operator: NewPerson
) -> None:
    supplier, other, operator = await new_supplier(), await new_supplier(), await new_operator()
    path = f"/organisations/{supplier.organisation_id}"
    taken = ok(await other.client.get(f"/api/v1/organisations/{other.organisation_id}"))["tax_id"]
    form = fields_of((await operator.client.get(path, headers=FORM)).text)
    for wrong, said in (
        ({"tax_id": taken}, "is registered"),
        ({"country": "XX"}, "two capital letters"),
        ({"capabilities": []}, "at least one"),
        ({"name": " "}, "may not be empty"),
    ):
        typed = form | {"capabilities": "supplies"} | wrong
        refused = await operator.client.post(path, data=typed, headers=FORM)
        assert refused.status_code in {409, 422}, wrong
        assert said in words(refused.text), wrong
    done = await operator.client.post(path, data=form | {"capabilities": ["buys", "supplies"]})
    assert done.status_code == 303
    stored = ok(await supplier.client.get(f"/api/v1{path}"))
    assert stored["capabilities"] == ["buys", "supplies"]


async def test_closing_logs_everybody_out_and_says_so(
    new_supplier: NewPerson, new_operator: NewPerson, connect_client: Connect
) -> None:
    admin, operator = await new_supplier(), await new_operator()
    other = await colleague(connect_client, admin, "partner_manager")
    path = f"/organisations/{admin.organisation_id}"
    page = await shown(admin, path)
    assert "none of them can log in again" in page
    empty = await admin.client.post(f"{path}/retire", data={"reason": " "}, headers=FORM)
    assert empty.status_code == 422
    refused = await other.client.post(f"{path}/retire", data={"reason": "Mine"}, headers=FORM)
    assert refused.status_code == 403
    closed = await admin.client.post(f"{path}/retire", data={"reason": "Merged"})
    assert (closed.status_code, closed.headers["location"]) == (303, "/login?done=retired")
    landing = await admin.client.get(closed.headers["location"], headers=FORM)
    assert "Your organisation is closed" in words(landing.text)
    assert (await other.client.get("/api/v1/me")).status_code in {401, 403}
    assert "Retired" in await shown(operator, path)


async def test_an_organisation_is_nobody_elses(
    new_supplier: NewPerson, new_buyer: NewPerson
) -> None:
    supplier, buyer = await new_supplier(), await new_buyer()
    path = f"/organisations/{supplier.organisation_id}"
    assert (await buyer.client.get(path, headers=FORM)).status_code == 404
    assert (await buyer.client.post(path, data={"name": "Mine"}, headers=FORM)).status_code == 404
    closed = await buyer.client.post(f"{path}/retire", data={"reason": "x"}, headers=FORM)
    assert closed.status_code == 404


async def test_the_operator_finds_suppliers_and_buyers(
    new_buyer: NewPerson, new_operator: NewPerson
) -> None:
    buyer, operator = await new_buyer(), await new_operator()
    href = f'href="/organisations/{buyer.organisation_id}"'
    query = {"state": "active", "kind": "buys"}
    listed = await operator.client.get("/suppliers", params=query, headers=FORM)
    assert href in listed.text
    assert href not in (await operator.client.get("/suppliers?state=active", headers=FORM)).text
