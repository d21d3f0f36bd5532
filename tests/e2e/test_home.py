"""Home shows each person what it is there for; forms refuse times that no clock shows."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.e2e.auctions import NewArena
from tests.e2e.conftest import OpenPage
from tests.people import NewPerson, unique


async def test_the_operator_sees_what_runs_but_no_bid_and_nobody_else_does(
    open_page: OpenPage, new_arena: NewArena, new_operator: NewPerson
) -> None:
    arena = await new_arena(title=unique("Pumps"))
    await arena.bid(arena.suppliers[0], "45000.00")
    page = await open_page(await new_operator(), "/auctions")
    row = page.locator(f"#running-{arena.auction_id}")
    await expect(row).to_contain_text(arena.buyer.name)
    await expect(row.locator(".chip")).to_have_text("Open")
    shown = await row.inner_text()
    assert "45,000" not in shown
    assert arena.suppliers[0].name not in shown
    page = await open_page(arena.suppliers[0], "/auctions")
    await expect(page.locator(f"#auction-{arena.auction_id}")).to_be_visible()
    await expect(page.locator("#running")).to_have_count(0)


@pytest.mark.parametrize(
    ("zone", "typed", "said"),
    [
        ("Europe/Berlin", "2027-03-28T02:30", "does not exist"),
        ("America/New_York", "2027-03-14T02:30", "does not exist"),
        ("Europe/Berlin", "9999-12-31T23:59", "between 2000 and 2199"),
    ],
)
async def test_a_start_that_cannot_be_is_refused_as_it_is_typed(
    open_page: OpenPage, new_buyer: NewPerson, zone: str, typed: str, said: str
) -> None:
    page = await open_page(await new_buyer(), "/tenders/new", timezone_id=zone)
    start = page.get_by_label("Starts at")
    await start.fill(typed)
    await start.blur()
    error = page.locator("#starts_at-zone")
    await expect(error).to_contain_text(said)
    await expect(start).to_have_attribute("aria-invalid", "true")
    await page.get_by_role("button", name="Save as a draft").click()
    await expect(start).to_be_focused()
    assert page.url.endswith("/tenders/new")
    await start.fill("2027-03-28T03:30")
    await start.blur()
    await expect(error).to_have_count(0)
