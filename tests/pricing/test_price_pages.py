"""The pages of prices, as a browser without scripts uses them."""

from __future__ import annotations

from typing import Any

import httpx

from tests.pricing.conftest import API, Shop

HEADER = "sku,unit,currency,price,lead_time_days\n"


async def post_form(shop: Shop, path: str, **fields: str) -> httpx.Response:
    token = shop.client.cookies["csrf_token"]
    return await shop.client.post(path, data={"csrf_token": token, **fields})


async def test_a_list_is_made_and_shown(shop: Shop, new_buyer: Any) -> None:
    made = await post_form(shop, "/prices", name="By hand")
    assert made.status_code == 303, made.text
    assert "By hand" in (await shop.client.get("/prices")).text
    page = await shop.client.get(made.headers["location"])
    assert page.status_code == 200
    assert "Upload a file" in page.text
    buyer = await new_buyer()
    assert (await buyer.client.get(made.headers["location"])).status_code == 404


async def test_prices_typed_by_hand_are_checked_and_published(shop: Shop) -> None:
    typed = {
        "new.sku.0": "A",
        "new.unit.0": "C62",
        "new.currency.0": "EUR",
        "new.price.0": "10",
        "new.sku.1": "B",
        "new.unit.1": "C62",
        "new.currency.1": "EUR",
        "new.price.1": "20",
    }
    path = f"/prices/{shop.list_id}/lines"
    sent = await post_form(shop, path, **typed)
    assert sent.status_code == 303, sent.text
    await shop.work()
    assert await shop.prices() == {"A": "10.00", "B": "20.00"}
    changed = {
        "sku.0": "A",
        "unit.0": "C62",
        "currency.0": "EUR",
        "min_quantity.0": "1",
        "price.0": "11.5",
        "price.0.old": "10.00",
    }
    sent = await post_form(shop, path, **changed)
    await shop.work()
    assert await shop.prices() == {"A": "11.50", "B": "20.00"}
    page = await shop.client.get(sent.headers["location"])
    assert page.status_code == 200
    assert "11.50" in page.text


async def test_columns_are_mapped_once_and_remembered(shop: Shop) -> None:
    content = "Nr,ME,Whg,VK\nA,C62,EUR,10\n"
    failed = await shop.upload(content, mode="replace")
    assert failed["failure"]["code"] == "columns_missing"
    page = await shop.client.get(f"/prices/imports/{failed['id']}")
    assert "What are these columns?" in page.text
    fields = {}
    for n, (name, ours) in enumerate(
        [("Nr", "sku"), ("ME", "unit"), ("Whg", "currency"), ("VK", "price")]
    ):
        fields |= {f"header.{n}": name, f"column.{n}": ours}
    done = await post_form(shop, f"/prices/imports/{failed['id']}/columns", **fields)
    assert done.status_code == 303, done.text
    assert (await shop.upload(content, mode="replace"))["state"] == "published"
    assert await shop.prices() == {"A": "10.00"}


async def test_the_page_asks_how_an_unclear_file_is_written(shop: Shop) -> None:
    content = "sku;unit;currency;price;name\nA;C62;PLN;12,50;Śruba M8\n".encode("cp1250")
    failed = await shop.upload(content)
    path = f"/prices/imports/{failed['id']}"
    page = (await shop.client.get(path)).text
    assert "Which line reads right?" in page
    assert "A;C62;PLN;12,50;Śruba M8" in page
    wrong = await post_form(shop, f"{path}/reading", header_row="none")
    assert (wrong.status_code, "header_row" in wrong.text) == (422, True)
    assert (await post_form(shop, f"{path}/reading", candidate="cp1250")).status_code == 303
    assert (await shop.upload(content))["state"] == "published"
    assert [line["name"] for line in await shop.lines()] == ["Śruba M8"]


async def test_an_upload_is_committed_and_taken_back_on_its_page(shop: Shop) -> None:
    ready = await shop.upload(HEADER + "A,C62,EUR,10,5\n", mode="replace", dry_run=True)
    path = f"/prices/imports/{ready['id']}"
    assert "What changes" in (await shop.client.get(path)).text
    assert (await post_form(shop, f"{path}/commit")).status_code == 303
    await shop.work()
    assert (await post_form(shop, f"{path}/rollback")).status_code == 303
    answer = await shop.client.get(f"{API}/price_imports/{ready['id']}")
    assert answer.json()["state"] == "rolled_back"
    again = await post_form(shop, f"{path}/cancel")
    assert again.status_code == 409
    assert "cannot be cancelled" in again.text
