"""Held rows, personal lists, history, progress, and whose business a price is."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from marketplace.kernel.db import Database
from pricing.imports.compare.tables import tables_of
from tests.people import Person, unique
from tests.pricing.conftest import API, NewShop, Shop

HEADER = "sku,unit,currency,price,price_unit\n"


async def test_odd_prices_are_named_held_and_published_once_confirmed(shop: Shop) -> None:
    rows = "".join(f"{sku},C62,EUR,10.00,1\n" for sku in "ABCDEF")
    await shop.upload(HEADER + rows, mode="replace")
    changed = (
        "A,C62,EUR,100.00,1\n"  # times ten
        "B,C62,EUR,10.00,100\n"  # the price stayed, its unit went
        "C,C62,EUR,17.00,1\n"  # a jump
        "D,C62,EUR,12.00,1\n"  # a change like any other
        "E,C62,EUR,0.01,1\n"  # divided by a thousand
        "F,C62,EUR,0,1\n"
    )
    done = await shop.upload(HEADER + changed, mode="replace")
    assert done["state"] == "published", done
    assert done["rows"]["held"] == 5
    named = {e["row"]: e["code"] for e in await shop.errors(done["id"])}
    assert named == {
        2: "decimal_shift",
        3: "price_unit_mistake",
        4: "price_jump",
        6: "decimal_shift",
        7: "zero_price",
    }
    assert await shop.prices() == dict.fromkeys("ABCEF", "10.00") | {"D": "12.00"}
    held = await shop.diff(done["id"], kind="held")
    assert [(d["sku"], d["reason"] is not None) for d in held["items"]] == [
        (sku, True) for sku in "ABCEF"
    ]
    wrong = await shop.post(done["id"], "commit", confirm_held=4)
    assert (wrong.status_code, wrong.json()["code"]) == (409, "confirm_held")
    answer = await shop.post(done["id"], "commit", confirm_held=5)
    assert answer.json()["held_import_id"]
    await shop.work()
    following = await shop.show(answer.json()["held_import_id"])
    assert (following["state"], following["rows"]["applied"]) == ("published", 5)
    assert (await shop.prices())["A"] == "100.00"


async def test_peers_are_compared_per_base_unit(new_shop: NewShop, new_buyer: Any) -> None:
    buyer = await new_buyer()
    sku = unique("peer")
    body = {"name": "Peer", "unit": "KGM", "sku": sku}
    assert (await buyer.client.post(f"{API}/items", json=body)).status_code == 201
    for row in (f"{sku},KGM,EUR,10.00,1\n", f"{sku},GRM,EUR,10.50,1000\n"):
        assert (await (await new_shop()).upload(HEADER + row, mode="replace"))["rows"]["held"] == 0
    late = await new_shop()
    done = await late.upload(HEADER + f"{sku},KGM,EUR,0.10,1\n", mode="replace")
    assert done["rows"]["held"] == 1
    [found] = await late.errors(done["id"])
    assert found["code"] == "decimal_shift"
    # What others ask is not given away.
    assert "10" not in found["message"]


async def test_agreement_before_tier_before_base(new_shop: NewShop, new_buyer: Any) -> None:
    base = await new_shop()
    friend, member, stranger = await new_buyer(), await new_buyer(), await new_buyer()
    tier = await new_shop(base.person, kind="tier", tier="gold")
    deal = await new_shop(base.person, kind="agreement", partner_id=str(friend.organisation_id))
    for each, price in ((base, "10"), (tier, "9"), (deal, "8")):
        await each.upload(HEADER + f"A,C62,EUR,{price},1\n", mode="replace")
    for buyer in (member, friend):
        path = f"{API}/price_tiers/{buyer.organisation_id}"
        assert (await base.client.put(path, json={"tier": "gold"})).status_code == 200

    async def price(buyer: Person) -> tuple[str, list[str]]:
        answer = (await base.resolve("A", buyer)).json()
        return answer["price"]["amount"], [step["outcome"] for step in answer["why"]]

    assert await price(stranger) == ("10.00", ["won"])
    assert await price(member) == ("9.00", ["won"])
    assert await price(friend) == ("8.00", ["won"])
    answer = (await base.resolve("A", friend, quantity="0.5")).json()
    assert answer["price"] is None
    outcomes = [step["outcome"] for step in answer["why"]]
    assert outcomes == ["below_minimum"] * 3 + ["no_price"]
    # A personal list is nobody else's business.
    path = f"{API}/price_lists/{deal.list_id}"
    assert (await friend.client.get(path)).status_code == 200
    assert (await stranger.client.get(path)).status_code == 404
    assert (await stranger.client.get(f"{path}/versions/1/lines")).status_code == 404


async def test_history_as_known_on_x_for_y(shop: Shop) -> None:
    head = "sku,unit,currency,price,valid_from\n"
    await shop.upload(head + "A,C62,EUR,10,2026-01-01\n", mode="replace")
    between = datetime.now(UTC)
    await shop.upload(head + "A,C62,EUR,11,2026-01-01\n", mode="replace")
    path = f"{API}/prices/history"
    params = {"item": "A", "supplier": shop.supplier_id}
    known = await shop.client.get(
        path, params=params | {"known_at": between.isoformat(), "on": "2026-02-01"}
    )
    assert [e["line"]["price"]["amount"] for e in known.json()["items"]] == ["10.00"]
    every = (await shop.client.get(path, params=params)).json()["items"]
    assert [(e["line"]["price"]["amount"], e["known_to"] is None) for e in every] == [
        ("11.00", True),
        ("10.00", False),
    ]
    then = await shop.resolve("A", known_at=between.isoformat(), on="2026-02-01")
    assert then.json()["price"]["amount"] == "10.00"


async def test_what_belongs_to_others_is_not_there(
    new_shop: NewShop, new_buyer: Any, database: Database
) -> None:
    mine, other, buyer = await new_shop(), await new_shop(), await new_buyer()
    done = await mine.upload(HEADER + "A,C62,EUR,10,1\n", mode="replace", dry_run=True)
    path = f"{API}/price_imports/{done['id']}"
    for stranger in (other.client, buyer.client):
        for call in ("", "/events", "/errors", "/diff"):
            assert (await stranger.get(path + call)).status_code == 404, call
    for call in ("/commit", "/cancel", "/rollback"):
        assert (await other.client.post(path + call, json={})).status_code == 404, call
    assert (await other.client.put(path + "/content", content=b"x")).status_code == 404
    body = {"price_list_id": mine.list_id}
    assert (await other.client.post(f"{API}/price_imports", json=body)).status_code == 404
    # Not published: not even the list is there for others.
    assert (await buyer.client.get(f"{API}/price_lists/{mine.list_id}")).status_code == 404
    assert (await mine.resolve("A", buyer)).status_code == 404
    # And the staging table hides its rows from everybody else's scope.
    pool = await database.pool()
    table = tables_of(UUID(done["id"])).s
    async with pool.acquire() as connection:
        assert await connection.fetchval(f"SELECT count(*) FROM {table}") == 1
        await connection.execute("SET app.scope = 'tenant'")
        await connection.execute(f"SET app.organisation = '{other.supplier_id}'")
        assert await connection.fetchval(f"SELECT count(*) FROM {table}") == 0


async def test_a_supplier_that_is_not_approved_uploads_nothing(new_supplier: Any) -> None:
    waiting = await new_supplier(approved=False)
    answer = await waiting.client.post(f"{API}/price_lists", json={"name": "Early"})
    assert answer.status_code == 403


async def test_progress_arrives_as_events(shop: Shop) -> None:
    begun = await shop.begin(mode="replace")
    states: list[str] = []

    async def follow() -> None:
        path = f"{API}/price_imports/{begun['id']}/events"
        async with shop.client.stream("GET", path) as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            async for line in answer.aiter_lines():
                if line.startswith("data: "):
                    states.append(json.loads(line.removeprefix("data: "))["state"])

    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        following = group.create_task(follow())
        await shop.send(begun["id"], (HEADER + "A,C62,EUR,10,1\n").encode())
        await shop.work()
        await following
    assert states[-1] == "published"
    assert states == sorted(
        states, key=["awaiting_upload", "reading", "validating", "publishing", "published"].index
    )


async def test_the_same_key_begins_once(shop: Shop) -> None:
    body = {"price_list_id": shop.list_id, "mode": "replace"}
    headers = {"Idempotency-Key": unique("key")}
    first = await shop.client.post(f"{API}/price_imports", json=body, headers=headers)
    again = await shop.client.post(f"{API}/price_imports", json=body, headers=headers)
    assert again.json()["id"] == first.json()["id"]
    assert again.headers["Idempotent-Replayed"] == "true"


async def test_a_supplier_waits_for_its_own_uploads_only(
    new_shop: NewShop, new_supplier: Any
) -> None:
    """Many files of one supplier stand in line; another one's single file is done with them."""
    busy, quick = await new_shop(), await new_shop()
    begun = []
    for n in range(5):
        upload = await busy.begin(mode="merge")
        await busy.send(upload["id"], (HEADER + f"A{n},C62,EUR,1,1\n").encode())
        begun.append(upload["id"])
    single = await quick.begin(mode="merge")
    await quick.send(single["id"], (HEADER + "B,C62,EUR,1,1\n").encode())
    await busy.work()
    ended = [(await busy.show(each))["ended_at"] for each in begun]
    assert (await quick.show(single["id"]))["ended_at"] < max(ended)
    assert ended == sorted(ended)
    assert (await busy.price_list())["version"] == 5
