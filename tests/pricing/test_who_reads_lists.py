"""A supplier reads none of its rivals' lists; those who buy read what is published."""

from __future__ import annotations

import pytest

from tests.people import Connect, NewPerson, Person, register, unique
from tests.pricing.conftest import API, NewShop, Shop

HEADER = "sku,unit,currency,price\n"


async def published(new_shop: NewShop, sku: str, price: str) -> Shop:
    shop = await new_shop()
    done = await shop.upload(f"{HEADER}{sku},C62,EUR,{price}\n", mode="replace")
    assert done["state"] == "published", done
    return shop


async def reads(person: Person, shop: Shop, sku: str) -> dict[str, int]:
    """The status of every call that names the list, its supplier or its prices."""
    one = f"{API}/price_lists/{shop.list_id}"
    asked = {"item": sku, "supplier": shop.supplier_id}
    calls = {
        "list": (one, None),
        "versions": (f"{one}/versions", None),
        "lines": (f"{one}/versions/1/lines", None),
        "resolve": (f"{API}/prices/resolve", asked),
        "history": (f"{API}/prices/history", asked),
        "page": (f"/prices/{shop.list_id}", None),
        "history page": (f"/prices/{shop.list_id}/history", {"sku": sku}),
    }
    return {
        name: (await person.client.get(path, params=params)).status_code
        for name, (path, params) in calls.items()
    }


async def add_item(person: Person) -> dict[str, str]:
    body = {"name": "Item", "unit": "C62", "sku": unique("sku")}
    answer = await person.client.post(f"{API}/items", json=body)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def test_a_rival_finds_no_list_no_price_no_history_and_no_offer(
    new_shop: NewShop, new_buyer: NewPerson
) -> None:
    item = await add_item(await new_buyer())
    theirs = await published(new_shop, item["sku"], "10.00")
    rival = await published(new_shop, item["sku"], "11.00")
    assert set((await reads(rival.person, theirs, item["sku"])).values()) == {404}
    for query in ({}, {"supplier": theirs.supplier_id}):
        answer = await rival.client.get(f"{API}/price_lists", params=query | {"limit": 200})
        assert {one["supplier_id"] for one in answer.json()["items"]} <= {rival.supplier_id}
    offers = (await rival.client.get(f"{API}/items/{item['id']}/offers")).json()["items"]
    assert [offer["supplier_id"] for offer in offers] == [rival.supplier_id]
    found = await rival.client.get(f"{API}/items", params={"supplier": theirs.supplier_id})
    assert found.json()["items"] == []
    assert theirs.list_id not in (await rival.client.get("/prices")).text


async def test_a_rivals_list_and_no_list_answer_alike(new_shop: NewShop) -> None:
    sku = unique("sku")
    theirs, rival = await published(new_shop, sku, "10.00"), await new_shop()
    other = unique("none")
    for call in ("resolve", "history"):
        answers = [
            await rival.client.get(
                f"{API}/prices/{call}", params={"item": name, "supplier": theirs.supplier_id}
            )
            for name in (sku, other)
        ]
        assert answers[0].status_code == answers[1].status_code == 404
        assert answers[0].json()["code"] == answers[1].json()["code"]


@pytest.mark.parametrize("capabilities", [["resells"], ["refers"], ["supplies", "refers"]])
async def test_partners_that_do_not_buy_read_no_base_list(
    new_shop: NewShop, connect_client: Connect, operator: Person, capabilities: list[str]
) -> None:
    theirs = await published(new_shop, "A", "10.00")
    partner = await approved(connect_client, operator, capabilities)
    assert set((await reads(partner, theirs, "A")).values()) == {404}


async def test_buyers_and_the_operator_read_published_base_lists(
    new_shop: NewShop, new_buyer: NewPerson, operator: Person
) -> None:
    theirs = await published(new_shop, "A", "10.00")
    for person in (await new_buyer(), operator):
        assert set((await reads(person, theirs, "A")).values()) == {200}


async def test_who_buys_and_supplies_reads_lists_once_the_operator_has_approved_it(
    new_shop: NewShop, connect_client: Connect, operator: Person
) -> None:
    """The capability alone is not enough: every supplier could register with it."""
    theirs = await published(new_shop, "A", "10.00")
    both = await register(connect_client, unique("Trader"), ["buys", "supplies"])
    assert set((await reads(both, theirs, "A")).values()) <= {403, 404}
    await approve(operator, both)
    assert set((await reads(both, theirs, "A")).values()) == {200}


async def test_a_suspended_suppliers_lists_are_gone(
    new_shop: NewShop, new_buyer: NewPerson, operator: Person
) -> None:
    theirs, buyer = await published(new_shop, "A", "10.00"), await new_buyer()
    path = f"{API}/organisations/{theirs.supplier_id}/suspend"
    assert (await operator.client.post(path, json={"reason": "test"})).status_code == 200
    for person in (buyer, operator):
        assert set((await reads(person, theirs, "A")).values()) == {404}


async def test_lists_say_whose_they_are_and_the_own_ones_come_first(
    new_shop: NewShop, connect_client: Connect, operator: Person
) -> None:
    theirs = await published(new_shop, "A", "10.00")
    both = await approved(connect_client, operator, ["buys", "supplies"])
    own = await new_shop(both)
    seen: list[dict[str, str]] = []
    cursor: str | None = None
    while True:
        query = {"limit": 3} | ({"cursor": cursor} if cursor else {})
        page = (await both.client.get(f"{API}/price_lists", params=query)).json()
        seen += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen[0]["id"] == own.list_id
    assert seen[0]["supplier"] == both.name
    assert len({one["id"] for one in seen}) == len(seen)
    [other] = [one for one in seen if one["id"] == theirs.list_id]
    assert other["supplier"] == theirs.person.name
    page = (await both.client.get("/prices")).text
    assert page.index(own.list_id) < page.index(theirs.list_id)
    assert theirs.person.name in page
    assert theirs.person.name in (await both.client.get(f"/prices/{theirs.list_id}")).text


async def approve(operator: Person, person: Person) -> None:
    path = f"{API}/organisations/{person.organisation_id}/approve"
    assert (await operator.client.post(path)).status_code == 200


async def approved(connect: Connect, operator: Person, capabilities: list[str]) -> Person:
    person = await register(connect, unique("Partner"), capabilities)
    await approve(operator, person)
    return person
