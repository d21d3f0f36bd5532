"""The catalogue's pages: find an item, change it beside others, retire it and bring it back."""

from __future__ import annotations

import re
from html import unescape

from tests.answers import ok
from tests.people import NewPerson, Person, unique
from tests.web.test_tender_page import FORM, shown, words


async def new_item(person: Person, **fields: object) -> dict[str, object]:
    body = {"name": unique("Pump"), "unit": "C62", "sku": unique("P")} | fields
    made: dict[str, object] = ok(await person.client.post("/api/v1/items", json=body), 201)
    return made


async def opened(person: Person, path: str) -> dict[str, str]:
    """Every field of the form, as a browser would send it back."""
    answer = await person.client.get(path, headers=FORM)
    assert answer.status_code == 200, answer.text
    return fields_of(answer.text)


def fields_of(html: str) -> dict[str, str]:
    main = html[html.index("<main") :]
    fields = dict(re.findall(r'<input[^>]*?name="([\w.]+)"[^>]*?value="([^"]*)"', main))
    fields |= dict(re.findall(r'<textarea[^>]*?name="(\w+)"[^>]*>\n([^<]*)</textarea>', main))
    for name, body in re.findall(r'<select[^>]*?name="(\w+)"[^>]*>(.*?)</select>', main, re.DOTALL):
        chosen = re.search(r'value="([^"]*)" selected', body)
        fields[name] = chosen[1] if chosen else ""
    return {name: unescape(text) for name, text in fields.items()}


async def test_an_item_is_found_by_clicks_and_changed(new_supplier: NewPerson) -> None:
    supplier = await new_supplier()
    item = await new_item(supplier, names={"de": "Pumpe"}, description="Two\nlines")
    assert 'href="/catalogue"' in (await supplier.client.get("/auctions", headers=FORM)).text
    found = await supplier.client.get("/catalogue", params={"q": item["sku"]}, headers=FORM)
    assert f'href="/catalogue/{item["id"]}"' in found.text
    path = f"/catalogue/{item['id']}"
    page = await shown(supplier, path)
    assert "German Pumpe" in page
    fields = await opened(supplier, f"{path}/edit")
    assert fields["names"] == "de: Pumpe"
    name = unique("Dosing pump")
    saved = await supplier.client.post(f"{path}/edit", data=fields | {"name": name})
    assert (saved.status_code, saved.headers["location"]) == (303, f"{path}?saved=true")
    after = ok(await supplier.client.get(f"/api/v1/items/{item['id']}"))
    assert after == item | {"name": name}


async def test_of_two_who_edit_at_once_nobody_loses_anything(new_supplier: NewPerson) -> None:
    supplier = await new_supplier()
    item = await new_item(supplier, description="Old", gtin=None)
    path = f"/catalogue/{item['id']}/edit"
    mine = await opened(supplier, path)
    # Meanwhile a program changes the description and the SKU.
    sku = unique("Q")
    change = {"description": "By the program", "sku": sku}
    ok(await supplier.client.patch(f"/api/v1/items/{item['id']}", json=change))
    name = unique("Mine")
    typed = mine | {"name": name, "description": "Mine <too>"}
    refused = await supplier.client.post(path, data=typed, headers=FORM)
    assert refused.status_code == 412
    said = words(refused.text)
    assert "Somebody changed this while you were typing" in said
    assert "Somebody else wrote: By the program" in said
    again = fields_of(refused.text)
    # Typed values stay; the field that was left alone shows the newer value.
    assert (again["name"], again["description"], again["sku"]) == (name, "Mine <too>", sku)
    assert "Somebody else wrote" not in said.partition("Article number")[2].partition("GTIN")[0]
    stored = ok(await supplier.client.get(f"/api/v1/items/{item['id']}"))
    assert (stored["name"], stored["description"]) == (item["name"], "By the program")
    saved = await supplier.client.post(path, data=again)
    assert saved.status_code == 303, saved.text
    stored = ok(await supplier.client.get(f"/api/v1/items/{item['id']}"))
    assert (stored["name"], stored["description"], stored["sku"]) == (name, "Mine <too>", sku)


async def test_wrong_fields_are_named_and_nothing_typed_is_lost(new_supplier: NewPerson) -> None:
    supplier = await new_supplier()
    other, item = await new_item(supplier), await new_item(supplier)
    path = f"/catalogue/{item['id']}/edit"
    fields = await opened(supplier, path)
    cases = [
        ({"name": ""}, "may not be empty"),
        ({"gtin": "4006381333932"}, "check digit"),
        ({"sku": other["sku"]}, "An item with this SKU exists"),
        ({"names": "Pumpe"}, "Write a language and a name in each line"),
        ({"scheme": "cpv", "code": ""}, "A classification has a list, its version and a code"),
        ({"kind": "idea"}, "Choose from the list"),
    ]
    for wrong, said in cases:
        typed = fields | {"description": "Keep <this>"} | wrong
        refused = await supplier.client.post(path, data=typed, headers=FORM)
        assert refused.status_code in {409, 422}, wrong
        assert said in words(refused.text), wrong
        assert "1 field needs another look" in words(refused.text), wrong
        assert fields_of(refused.text)["description"] == "Keep <this>"
    assert ok(await supplier.client.get(f"/api/v1/items/{item['id']}")) == item


async def test_an_item_is_added_retired_and_brought_back(new_buyer: NewPerson) -> None:
    buyer = await new_buyer()
    name = unique("Seal")
    form = {"name": name, "unit": "pcs", "kind": "product", "sku": ""}
    made = await buyer.client.post("/catalogue/new", data=form)
    assert made.status_code == 303, made.text
    path = made.headers["location"]
    assert name in await shown(buyer, path)
    assert (await buyer.client.post(f"{path}/retire")).status_code == 303
    assert "This item is retired" in await shown(buyer, path)
    query = {"q": name}
    assert path not in (await buyer.client.get("/catalogue", params=query, headers=FORM)).text
    mine = query | {"mine": "true"}
    assert path in (await buyer.client.get("/catalogue", params=mine, headers=FORM)).text
    assert (await buyer.client.post(f"{path}/reinstate")).status_code == 303
    assert path in (await buyer.client.get("/catalogue", params=query, headers=FORM)).text


async def test_others_read_an_item_and_change_nothing(
    new_buyer: NewPerson, new_supplier: NewPerson
) -> None:
    owner, rival = await new_supplier(), await new_supplier()
    item = await new_item(owner)
    path = f"/catalogue/{item['id']}"
    page = await rival.client.get(path, headers=FORM)
    assert page.status_code == 200
    assert f"{path}/edit" not in page.text
    assert (await rival.client.get(f"{path}/edit", headers=FORM)).status_code == 404
    for verb in ("edit", "retire", "reinstate"):
        refused = await rival.client.post(f"{path}/{verb}", data={"name": "Mine"}, headers=FORM)
        assert refused.status_code == 404, verb
    assert ok(await owner.client.get(f"/api/v1/items/{item['id']}")) == item
