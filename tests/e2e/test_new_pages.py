"""Declining, moving a start, the catalogue and the check of receipts, by clicks from home."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from playwright.async_api import Page, expect

from tests.e2e.auctions import Arena, NewArena
from tests.e2e.conftest import DESK, SMALL_PHONE, OpenPage
from tests.e2e.test_layout import faults
from tests.e2e.test_pages import LOOKS, Look, each_look, look
from tests.people import NewPerson, Person, unique


async def go(page: Page, place: str) -> None:
    await page.get_by_role("navigation", name="Main").get_by_role("link", name=place).click()


async def menu(page: Page, line: str) -> None:
    await page.locator("details.menu > summary").click()
    await page.get_by_role("link", name=line).click()


async def ahead(new_arena: NewArena, third: Person) -> Arena:
    """An auction in two hours, to which `third` is invited too but has not answered."""
    arena = await new_arena(opens_in_s=7_200, wait=False, title=unique("Seals"))
    answer = await arena.buyer.client.post(
        f"/api/v1/tenders/{arena.tender_id}/invitations",
        json={"organisations": [str(third.organisation_id)]},
    )
    assert answer.status_code == 201, answer.text
    return arena


async def test_an_invitation_is_declined_on_a_phone_and_the_buyer_reads_why(
    open_page: OpenPage, new_arena: NewArena, new_supplier: NewPerson
) -> None:
    third = await new_supplier()
    arena = await ahead(new_arena, third)
    page = await open_page(third, "/", size=SMALL_PHONE)
    await go(page, "Tenders")
    await page.locator(f"a[href='/tenders/{arena.tender_id}']").click()
    await page.get_by_text("Decline the invitation").click()
    await page.get_by_role("button", name="Decline and tell the buyer why").click()
    await expect(page.get_by_role("alert")).to_contain_text("1 field needs another look")
    await expect(page.get_by_role("alert")).to_be_focused()
    await page.get_by_role("alert").get_by_role("link", name="Reason").click()
    await page.get_by_label("Reason").fill("No free capacity before March.")
    await page.get_by_role("button", name="Decline and tell the buyer why").click()
    await expect(page.locator("#declined")).to_contain_text("No free capacity before March.")
    assert await faults(page) == []
    buyer = await open_page(arena.buyer, f"/tenders/{arena.tender_id}")
    name = buyer.get_by_text(third.name, exact=True)
    row = buyer.locator("section[aria-labelledby=invited] li").filter(has=name)
    await expect(row).to_contain_text("No free capacity before March.")
    await expect(row.locator(".chip")).to_have_text("declined")


@pytest.mark.parametrize("zone", ["Europe/Warsaw", "America/New_York"])
async def test_a_start_moves_in_the_readers_zone_after_its_effect_was_read(
    open_page: OpenPage, new_arena: NewArena, new_supplier: NewPerson, zone: str
) -> None:
    third = await new_supplier()
    arena = await ahead(new_arena, third)
    page = await open_page(arena.buyer, "/", timezone_id=zone)
    await go(page, "Tenders")
    await page.locator(f"a[href='/tenders/{arena.tender_id}']").click()
    await page.get_by_role("link", name="Move a date").click()
    start = page.get_by_label(f"Start of 400 pumps ({zone})")
    before = await start.input_value()
    await start.fill("2027-03-01T10:15")
    await page.get_by_label("What changes, and why").fill("The gate is closed before.")
    await page.get_by_role("button", name="Look at what it does").click()
    effect = page.locator("#effect-start-0")
    await expect(effect.locator("ins")).to_contain_text(re.compile("Monday,? 1 March 2027"))
    await expect(effect.locator("ins")).to_contain_text("10:15")
    await expect(effect.locator("ins")).to_contain_text(zone)
    await expect(page.get_by_text("3 suppliers are told by mail")).to_be_visible()
    assert await faults(page) == []
    # What was typed is still there for another look.
    await page.get_by_role("button", name="Change it").click()
    await expect(start).to_have_value("2027-03-01T10:15")
    await page.get_by_role("button", name="Look at what it does").click()
    await page.get_by_role("button", name="Publish the addendum").click()
    changed = page.locator("section[aria-labelledby=addenda]")
    await expect(changed).to_contain_text("Start of the auction: 400 pumps")
    await expect(changed.locator("ins")).to_contain_text("10:15")
    theirs = await open_page(third, f"/tenders/{arena.tender_id}", timezone_id=zone)
    await expect(theirs.locator("section[aria-labelledby=addenda] ins")).to_contain_text("10:15")
    assert before != "2027-03-01T10:15"


async def test_of_two_tabs_the_second_loses_nothing(
    open_page: OpenPage, new_supplier: NewPerson
) -> None:
    supplier = await new_supplier()
    page = await open_page(supplier, "/", size=DESK)
    await go(page, "Catalogue")
    await page.get_by_role("link", name="New item").first.click()
    name = unique("Dosing pump")
    await page.get_by_label("Name", exact=True).fill(name)
    await page.get_by_label("Unit").fill("pcs")
    await page.get_by_role("button", name="Add to the catalogue").click()
    await expect(page.get_by_role("heading", name=name)).to_be_visible()
    await page.get_by_role("link", name="Edit").click()
    other = await page.context.new_page()
    await other.goto(page.url)
    await other.get_by_label("Description").fill("By the other tab\nin two lines")
    await other.get_by_role("button", name="Save").click()
    await expect(other.get_by_role("status")).to_have_text("Saved")
    await page.get_by_label("GTIN").fill("4006381333931")
    await page.get_by_role("button", name="Save").click()
    await expect(page.locator("#stale")).to_be_focused()
    # It was left alone, so it shows what is there now.
    await expect(page.get_by_label("Description")).to_have_value("By the other tab\nin two lines")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_text("4006381333931")).to_be_visible()
    await expect(page.get_by_text("By the other tab")).to_be_visible()


async def receipts(arena: Arena, person: Person) -> list[dict[str, Any]]:
    answer = await person.client.get(f"{arena.site}/api/v1{arena.path}/receipts")
    assert answer.status_code == 200, answer.text
    return [row["receipt"] for row in answer.json()["items"]]


async def test_a_dropped_file_is_checked_and_a_changed_one_refused(
    open_page: OpenPage, new_arena: NewArena, tmp_path: Path
) -> None:
    arena = await new_arena()
    bidder = arena.suppliers[0]
    await arena.bid(bidder, "45000.00")
    [receipt] = await receipts(arena, bidder)
    good, bad = tmp_path / "receipt.json", tmp_path / "changed.json"
    good.write_bytes(msgspec.json.encode(receipt))
    bad.write_bytes(msgspec.json.encode(receipt | {"outcome": "refused"}))
    page = await open_page(bidder, arena.path)
    await page.get_by_role("link", name="Check a receipt").click()
    verdict = page.locator("#verdict [data-focus]")
    await page.get_by_label("Choose a file").set_input_files(good)
    await expect(verdict).to_contain_text("This receipt is genuine")
    await expect(verdict).to_be_focused()
    await page.get_by_label("Choose a file").set_input_files(bad)
    await expect(verdict).to_contain_text("This receipt does not hold")
    rows = page.locator(".differences tbody tr")
    await expect(rows).to_have_count(1)
    await expect(rows).to_have_text(re.compile(r"Outcome\s*refused\s*accepted"))
    assert await faults(page) == []
    await page.get_by_label("Or paste it").fill(good.read_text())
    await page.get_by_role("button", name="Check").click()
    await expect(verdict).to_contain_text("This receipt is genuine")
    stranger = await open_page(None, "/", java_script_enabled=False)
    await stranger.get_by_role("link", name="Anyone can check it later.").click()
    await stranger.get_by_label("Or paste it").fill(bad.read_text())
    await stranger.get_by_role("button", name="Check").click()
    await expect(stranger.locator("#verdict")).to_contain_text("does not hold")
    await expect(stranger.locator("#verdict")).not_to_contain_text("In our log")


async def test_the_profile_is_found_and_read_in_the_menu(
    open_page: OpenPage, new_buyer: NewPerson, new_operator: NewPerson
) -> None:
    buyer = await new_buyer()
    page = await open_page(buyer, "/")
    await menu(page, "Organisation")
    name = unique("Renamed")
    await page.get_by_label("Name").fill(name)
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text(name)
    operator = await open_page(await new_operator(), "/")
    await go(operator, "Organisations")
    await operator.get_by_role("link", name="Buyers").click()
    await operator.get_by_role("link", name=re.compile("^Active")).click()
    await operator.get_by_role("link", name=name).click()
    await expect(operator.get_by_label("Tax id")).to_be_visible()


async def test_the_new_pages_hold_for_everybody(
    open_page: OpenPage, new_arena: NewArena, new_supplier: NewPerson, new_operator: NewPerson
) -> None:
    looks: list[Look] = [("light", SMALL_PHONE), *LOOKS[1:]]
    third = await new_supplier()
    arena = await ahead(new_arena, third)
    made = await third.client.post("/api/v1/items", json={"name": unique("Pump"), "unit": "C62"})
    item, tender = f"/catalogue/{made.json()['id']}", f"/tenders/{arena.tender_id}"
    tours = [
        (third, ["/catalogue", item, f"{item}/edit", "/catalogue/new", tender]),
        (third, [f"/organisations/{third.organisation_id}"]),
        (arena.buyer, [tender, f"{tender}/addendum", item]),
        (await new_operator(), [f"/organisations/{third.organisation_id}", "/suppliers?kind=buys"]),
        (None, ["/verify"]),
    ]
    for person, paths in tours:
        page = await open_page(person, paths[0])
        for path in paths:
            await page.goto(path)
            async for _ in each_look(page, looks):
                await look(page)
                assert await faults(page) == [], path
