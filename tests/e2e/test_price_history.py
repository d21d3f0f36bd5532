"""The history of a price in the browser: a chart, the same figures beside it, on phone and desk."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from playwright.async_api import ViewportSize, expect

from marketplace.kernel.clock import Clock
from marketplace.kernel.db import Database
from tests.e2e.conftest import DESK, PHONE, OpenPage
from tests.people import NewPerson, Person, unique
from tests.pricing.conftest import Shop

HEADER = "sku,unit,currency,price,min_quantity\n"


async def shop_of(supplier: Person, database: Database) -> Shop:
    """A list in which the article A cost 10, costs 12, and has a break at 10 since then."""
    made = await supplier.client.post("/api/v1/price_lists", json={"name": unique("Pumps")})
    shop = Shop(supplier, database, made.json()["id"])
    first = await shop.upload(HEADER + "A,C62,EUR,10.00,1\nB,C62,EUR,5.00,1\n", mode="replace")
    second = await shop.upload(HEADER + "A,C62,EUR,12.00,1\nA,C62,EUR,11.00,10\n", mode="merge")
    assert [first["state"], second["state"]] == ["published", "published"]
    return shop


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
async def test_a_price_is_drawn_and_told_beside(
    new_supplier: NewPerson, database: Database, open_page: OpenPage, size: ViewportSize
) -> None:
    supplier = await new_supplier()
    shop = await shop_of(supplier, database)
    page = await open_page(supplier, f"/prices/{shop.list_id}", size=size)
    await page.get_by_role("link", name="A", exact=True).first.click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Price history: A")
    await expect(page.get_by_role("img", name=re.compile("^Line chart"))).to_be_visible()
    await expect(page.locator("#history-plot canvas")).to_be_visible()
    await expect(page.locator("#history-legend li")).to_have_text(["1+ C62 · EUR", "10+ C62 · EUR"])
    rows = page.locator("#history-table tbody tr")
    told = [await row.locator("td").nth(2).inner_text() for row in await rows.all()]
    assert sorted(re.sub(r"[^\d.]", "", price) for price in told) == ["10.00", "11.00", "12.00"]
    # The old price ended when the new one began.
    spans = {
        await row.get_attribute("data-price"): (
            await row.get_attribute("data-since"),
            await row.get_attribute("data-until"),
        )
        for row in await rows.all()
    }
    assert spans["10.00"][1] == spans["12.00"][0]
    assert spans["12.00"][1] == ""
    width = await page.evaluate("document.documentElement.scrollWidth")
    assert width <= size["width"]


async def test_a_day_is_asked_as_known_on_another(
    new_supplier: NewPerson, database: Database, open_page: OpenPage
) -> None:
    supplier = await new_supplier()
    shop = await shop_of(supplier, database)
    page = await open_page(supplier, f"/prices/{shop.list_id}/history?sku=A")
    today = Clock().now().date()
    await page.get_by_label("As known at the end of").fill(today.isoformat())
    await page.get_by_role("button", name="Show").click()
    known = page.locator("section[aria-labelledby=known-title] p")
    await expect(known).to_have_count(2)
    await expect(known.filter(has_text="12.00")).to_be_visible()
    before = (today - timedelta(days=1)).isoformat()
    await page.get_by_label("As known at the end of").fill(before)
    await page.get_by_role("button", name="Show").click()
    await expect(page.get_by_text("No price was known.")).to_be_visible()
    await page.get_by_label("Article number").fill("never")
    await page.get_by_role("button", name="Show").click()
    await expect(page.get_by_text("This list never had a price")).to_be_visible()
