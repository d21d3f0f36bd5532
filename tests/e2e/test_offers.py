"""Sealed offers in the browser: two people open them, one decides, and it goes on from there."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import Page, expect

from marketplace.kernel.db import Database
from tests.answers import ok
from tests.auctions.tenders.tendering import (
    URL,
    act,
    english,
    lot,
    overdue,
)
from tests.auctions.tenders.test_offers import offer, sealed
from tests.e2e.conftest import DESK, OpenPage
from tests.e2e.test_pages import look_everywhere
from tests.people import Connect, NewPerson, Person, peer, unique

PLAIN = {"java_script_enabled": False}
LONG = "Vereinigte Dichtungs- und Armaturenwerke Donaueschingen-Aasen"


async def press(page: Page, name: str) -> None:
    """With the keyboard alone."""
    await page.get_by_role("button", name=name).focus()
    await page.keyboard.press("Enter")


async def test_two_people_open_and_the_qualified_go_to_the_auction(
    new_buyer: NewPerson,
    new_supplier: NewPerson,
    connect_client: Connect,
    database: Database,
    open_page: OpenPage,
) -> None:
    buyer = await new_buyer()
    good, bad = await new_supplier(unique("Good")), await new_supplier(unique("Bad"))
    approver = await peer(connect_client, buyer, "approver")
    done = await sealed(buyer, good, bad, two_person=True)
    for supplier, amount in ((good, "300000.00"), (bad, "200000.00")):
        ok(await offer(supplier, done["lots"][0]["id"], amount), 201)
    mine = await open_page(buyer, f"/tenders/{done['id']}")
    await mine.get_by_role("link", name="To the sealed offers").click()
    await expect(mine.locator(".sealed-count")).to_have_text("2 offers are sealed")
    await expect(mine.get_by_role("button", name="Approve the opening")).to_be_disabled()

    await overdue(database, done["id"])
    await mine.reload()
    await press(mine, "Approve the opening")
    await expect(mine.locator("ol .chip")).to_have_text(["Approved", "Waiting"])
    button = mine.get_by_role("button", name="Open the offers")
    await expect(button).to_be_disabled()
    await expect(button).to_have_accessible_description(
        "Your approval is on record. Somebody else must give the other."
    )

    theirs = await open_page(approver, f"/tenders/{done['id']}/offers", **PLAIN)
    await theirs.get_by_role("button", name="Open the offers").click()
    rows = theirs.locator(".offer-row")
    await expect(rows.nth(0)).to_contain_text("€200,000.00")
    await expect(theirs.get_by_role("button")).to_have_count(0)

    await mine.reload()
    await press(mine, f"Qualify {good.name}")
    await expect(mine.locator(".offer-row", has_text=good.name)).to_contain_text("Qualified")
    await expect(mine.get_by_role("button", name="Start the auctions")).to_be_disabled()
    row = mine.locator(".offer-row", has_text=bad.name)
    await row.locator("summary").focus()
    await mine.keyboard.press("Enter")
    await press(mine, f"Reject {bad.name}")
    await expect(row.get_by_label("Reason")).to_be_focused()
    await expect(row.get_by_label("Reason")).to_have_accessible_description("This needs a reason.")
    await mine.keyboard.type("No certificate")
    await mine.keyboard.press("Enter")
    await expect(row).to_contain_text("Reason: No certificate")
    await press(mine, "Start the auctions")
    await expect(mine.locator(".page-head .chip")).to_have_text("In auction")
    await mine.get_by_role("link", name="To the auction").click()
    await expect(mine.locator("#lead-price")).to_have_text("€300,000.00")


async def test_a_supplier_hands_in_and_the_buyer_opens_and_qualifies(
    new_buyer: NewPerson, new_supplier: NewPerson, database: Database, open_page: OpenPage
) -> None:
    buyer, supplier = await new_buyer(), await new_supplier()
    done = await sealed(buyer, supplier)
    theirs = await open_page(supplier, f"/tenders/{done['id']}")
    await theirs.get_by_role("link", name="To your sealed offer").click()
    price = theirs.get_by_label("Price of the whole lot")
    await price.fill("600000")
    await press(theirs, "Hand in the offer")
    await expect(price).to_have_accessible_description("The lot has a lower ceiling.")
    await price.fill("300000")
    await theirs.get_by_label("Note to the buyer").fill("Delivered to plant 2.")
    await press(theirs, "Hand in the offer")
    chip = theirs.locator("section .chip")
    await expect(chip).to_have_text("Handed in")
    await price.fill("290000.50")
    await press(theirs, "Replace the offer")
    await expect(theirs.locator("dl.terms")).to_contain_text("Version2")
    await expect(price).to_have_value("")

    await overdue(database, done["id"])
    await theirs.reload()
    await expect(theirs.locator("#why")).to_contain_text("The last minute is over.")
    await expect(price).to_have_count(0)
    mine = await open_page(buyer, f"/tenders/{done['id']}/offers", size=DESK)
    await mine.get_by_role("button", name="Open the offers").click()
    await expect(mine.locator(".offer-row")).to_contain_text("€290,000.50")
    await mine.get_by_role("button", name=f"Qualify {supplier.name}").click()
    await expect(mine.locator(".offer-row")).to_contain_text("Qualified")
    await theirs.reload()
    await expect(chip).to_have_text("Qualified")
    await expect(theirs.locator("dl.terms")).to_contain_text("€290,000.50")


async def test_an_award_without_an_auction_is_asked_for_twice(
    new_buyer: NewPerson, new_supplier: NewPerson, database: Database, open_page: OpenPage
) -> None:
    buyer, supplier = await new_buyer(), await new_supplier()
    done = await sealed(buyer, supplier)
    ok(await offer(supplier, done["lots"][0]["id"], "300000.00"), 201)
    await overdue(database, done["id"])
    page = await open_page(buyer, f"/tenders/{done['id']}/offers", size=DESK)
    await page.get_by_role("button", name="Open the offers").click()
    await page.get_by_role("button", name=f"Qualify {supplier.name}").click()
    asked: list[str] = []
    page.on("dialog", lambda dialog: asked.append(dialog.message))
    page.once("dialog", lambda dialog: dialog.dismiss())
    await page.get_by_role("button", name="Award without an auction").click()
    await expect(page.locator(".page-head .chip")).to_have_text("Opened")
    page.once("dialog", lambda dialog: dialog.accept())
    await page.get_by_role("button", name="Award without an auction").click()
    await expect(page.locator(".page-head .chip")).to_have_text("Awarding")
    assert asked == ["There will be no auction: the lots are awarded on these offers."] * 2
    await page.get_by_role("link", name="Award sheet").click()
    await expect(page.locator(".award-row")).to_contain_text("€300,000.00")


@pytest.fixture(scope="module")
async def stages(
    new_buyer: NewPerson, new_supplier: NewPerson, connect_client: Connect, database: Database
) -> dict[str, Any]:
    """A tender at each stage of its sealed offers, with long names and a scored lot."""
    buyer = await new_buyer()
    approver = await peer(connect_client, buyer, "approver")
    suppliers = [await new_supplier(unique(LONG)), await new_supplier(), await new_supplier()]
    features = [
        {
            "id": "warranty",
            "title": "Warranty on all moving parts",
            "max": "0.15",
            "options": [{"id": "5y", "title": "Five years", "value": "0.15"}],
        },
    ]
    scored = english(scoring={"kind": "meat", "features": features})
    lots = [lot(), lot("Spare seals for the pumps of plant 2", rules=scored)]
    made = {
        name: await sealed(buyer, *suppliers, two_person=name != "early", lots=lots, title=title)
        for name, title in (
            ("early", unique("Pumps")),
            ("half", f"Pumps for {LONG}"),
            ("decided", unique("Pumps")),
        )
    }
    for done in made.values():
        for number, supplier in enumerate(suppliers):
            price = f"{300_000 - 1_000 * number}.00"
            note = "Delivered free of charge to plant 2.\nPacked for the sea." if number else ""
            ok(await offer(supplier, done["lots"][0]["id"], price, note=note), 201)
        answers = {"attributes": {"warranty": "5y"}}
        ok(await offer(suppliers[0], done["lots"][1]["id"], "90000.00", **answers), 201)
    for name in ("half", "decided"):
        await overdue(database, made[name]["id"])
        ok(await act(buyer, made[name]["id"], "open"))
    ok(await act(approver, made["decided"]["id"], "open"))
    await _decide(buyer, made["decided"]["id"])
    return {"buyer": buyer, "approver": approver, "supplier": suppliers[0], "made": made}


async def _decide(buyer: Person, tender_id: str) -> None:
    """One qualified, one rejected, the rest to decide."""
    first, second, *_ = ok(await buyer.client.get(f"{URL}/{tender_id}/offers"))["items"]
    ok(await buyer.client.post(f"/api/v1/offers/{first['id']}/accept"))
    reason = {"reason": "The certificate for drinking water is missing."}
    ok(await buyer.client.post(f"/api/v1/offers/{second['id']}/reject", json=reason))


async def test_the_stages_look_right(stages: dict[str, Any], open_page: OpenPage) -> None:
    page = await open_page(stages["buyer"], "/tenders")
    for done in stages["made"].values():
        await page.goto(f"/tenders/{done['id']}/offers")
        await look_everywhere(page)
    for fold in await page.locator(".reason summary").all():
        await fold.click()
    await look_everywhere(page)
    tender = f"/tenders/{stages['made']['early']['id']}"
    for name in ("buyer", "supplier"):
        page = await open_page(stages[name], tender)
        await look_everywhere(page)
    page = await open_page(stages["supplier"], "/tenders")
    for done in stages["made"].values():
        await page.goto(f"/tenders/{done['id']}/offer")
        await page.get_by_text("Receipt", exact=True).first.click()
        await look_everywhere(page)
    page = await open_page(stages["approver"], f"/tenders/{stages['made']['half']['id']}/offers")
    await look_everywhere(page)
