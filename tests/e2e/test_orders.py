"""Orders and ratings in the browser: from the confirmation to a claim, and what the rating says."""

from __future__ import annotations

from decimal import Decimal

from playwright.async_api import expect

from tests.answers import ok
from tests.e2e.conftest import DESK, PHONE, OpenPage
from tests.orders.ordering import URL, accepted, ordered
from tests.people import NewPerson


async def test_an_order_is_confirmed_delivered_and_accepted_by_buttons(
    new_buyer: NewPerson, new_supplier: NewPerson, open_page: OpenPage
) -> None:
    buyer, supplier = await new_buyer(), await new_supplier()
    made = await ordered(buyer, supplier)
    path = f"/orders/{made['id']}"
    theirs = await open_page(supplier, path)
    await theirs.get_by_role("button", name="Confirm").click()
    await theirs.get_by_label("Pump").fill("5")
    await theirs.get_by_role("button", name="Deliver these quantities").click()
    await expect(theirs.get_by_text("7 of 12 pieces to come")).to_be_visible()
    await theirs.get_by_role("button", name="Deliver these quantities").click()
    await expect(theirs.get_by_text("Check the goods")).to_be_visible()
    mine = await open_page(buyer, path)
    await mine.get_by_role("button", name="Accept the goods").click()
    await mine.get_by_role("button", name="5 ★").click()
    await expect(mine.get_by_role("button", name="5 ★")).to_have_attribute("aria-pressed", "true")
    await mine.get_by_text("File a claim").click()
    await mine.get_by_label("What is wrong?").fill("One pump leaks")
    await mine.get_by_role("button", name="File the claim").click()
    await theirs.reload()
    await theirs.get_by_role("button", name="Uphold the claim").click()
    await expect(theirs.get_by_text("Claim 1 upheld")).to_be_visible()


async def test_a_wrong_button_is_told_and_nothing_is_lost(
    new_buyer: NewPerson, new_supplier: NewPerson, open_page: OpenPage
) -> None:
    buyer, supplier = await new_buyer(), await new_supplier()
    made = await ordered(buyer, supplier)
    page = await open_page(supplier, f"/orders/{made['id']}")
    await page.get_by_role("button", name="Confirm").click()
    await page.get_by_label("Pump").fill("99")
    await page.get_by_role("button", name="Deliver these quantities").click()
    await expect(page.get_by_role("alert")).to_contain_text("Only 12 are still to come")
    assert ok(await buyer.client.get(f"{URL}/{made['id']}"))["state"] == "confirmed"


async def test_the_explanation_on_the_page_adds_up(
    new_buyer: NewPerson, new_supplier: NewPerson, open_page: OpenPage
) -> None:
    buyer, supplier = await new_buyer(), await new_supplier()
    for _ in range(3):
        await accepted(buyer, supplier)
    page = await open_page(buyer, "/ratings")
    await page.get_by_role("link", name=supplier.name).click()
    rows = page.locator("section[aria-labelledby=why] li b")
    parts = [Decimal(text) for text in await rows.all_inner_texts()]
    assert sum(parts[:-1]) == parts[-1]
    # The months are counted again after the page stands, and fetched by it.
    await expect(page.locator("#months li b").first).to_have_text(str(parts[-1]))
    theirs = await open_page(supplier, "/ratings")
    await theirs.get_by_role("link", name=buyer.name).click()
    await expect(theirs.get_by_role("heading", name=f"Why {parts[-1]}")).to_be_visible()


async def test_pages_fit_the_screen(
    new_buyer: NewPerson, new_supplier: NewPerson, open_page: OpenPage
) -> None:
    buyer, supplier = await new_buyer(), await new_supplier()
    made = [await accepted(buyer, supplier) for _ in range(3)]
    waiting = await ordered(buyer, supplier)
    link = ok(await buyer.client.post(f"{URL}/{made[0]['id']}/status_link"), 201)
    for person, path in [
        (buyer, "/orders"),
        (supplier, f"/orders/{waiting['id']}"),
        (buyer, f"/orders/{made[0]['id']}"),
        (buyer, "/ratings"),
        (buyer, f"/ratings/{supplier.organisation_id}"),
        (None, f"/order_status/{link['token']}"),
    ]:
        page = await open_page(person, path)
        for size in (PHONE, DESK):
            await page.set_viewport_size(size)
            assert await page.evaluate("innerWidth") == size["width"]
            width = await page.evaluate("document.documentElement.scrollWidth")
            assert width <= size["width"], path
