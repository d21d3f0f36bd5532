"""From a tender to a changed rating and back, in the browser; and how the pages on the way look."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from playwright.async_api import Page, expect

from marketplace.kernel.db import Database
from tests.answers import ok
from tests.auctions.tenders.tendering import URL, act, in_seconds, join
from tests.auctions.tenders.test_awards import answer, offered, propose
from tests.e2e.auctions import Arena
from tests.e2e.conftest import DESK, PHONE, OpenPage
from tests.e2e.test_pages import LOOKS, Look, each_look, look
from tests.orders.ordering import accepted, claimed
from tests.people import Connect, NewPerson, Person, peer, unique
from tests.test_scenario import POLICY

# Long enough for two bids on a busy machine.
QUICK_S = 15


async def tender_by_form(page: Page, title: str, *suppliers: Person) -> str:
    """The id of a draft, written in the browser."""
    await page.get_by_label("Title").fill(title)
    await page.get_by_label("Item").fill("Pump, 40 m³/h")
    await page.get_by_label("Quantity").fill("400")
    await page.get_by_label("Ceiling").fill("50000.00")
    for supplier in suppliers:
        await page.get_by_label(supplier.name).check()
    await page.get_by_role("button", name="Save as a draft").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text(title)
    return page.url.rpartition("/")[2]


async def hurry(buyer: Person, tender_id: str) -> None:
    """The form knows minutes; this auction begins at once and is over in seconds."""
    draft = ok(await buyer.client.get(f"{URL}/{tender_id}"))
    [lot] = draft["lots"]
    rules = lot["rules"] | {"starts_at": in_seconds(3), "duration_s": QUICK_S, "overtime": None}
    change = {key: lot[key] for key in ("title", "items", "ceiling")} | {"rules": rules}
    ok(await buyer.client.patch(f"{URL}/{tender_id}", json={"lots": [change]}))


async def score(page: Page, buyer: Person, supplier: Person) -> Decimal:
    await page.goto(f"/ratings/{supplier.organisation_id}")
    await expect(page.get_by_role("heading", level=1)).to_have_text(supplier.name)
    shown = ok(await buyer.client.get(f"/api/v1/ratings/{supplier.organisation_id}"))
    await expect(page.locator(".page-head b")).to_have_text(shown["score"])
    return Decimal(await page.locator(".page-head b").inner_text())


async def test_from_a_tender_to_a_changed_rating_and_back(
    new_buyer: NewPerson, new_supplier: NewPerson, open_page: OpenPage, site: str
) -> None:
    buyer, winner, other = await new_buyer(), await new_supplier(), await new_supplier()
    ok(await buyer.client.post("/api/v1/rating_policies", json=POLICY), 201)
    mine = await open_page(buyer, "/tenders/new", size=DESK)
    tender_id = await tender_by_form(mine, unique("Pumps"), winner, other)
    await hurry(buyer, tender_id)
    await mine.get_by_role("button", name="Publish").click()
    await expect(mine.get_by_text("Published")).to_be_visible()
    for supplier in (winner, other):
        await join(supplier, tender_id)
    await mine.get_by_role("link", name="To the auction").click()
    await expect(mine.locator("#clock")).to_have_attribute("data-state", "open")
    auction_id = mine.url.rpartition("/")[2]
    arena = Arena(buyer, [winner, other], tender_id, auction_id, site)
    await arena.bid(other, "49000.00")
    await arena.bid(winner, "40000.00")

    await mine.get_by_role("link", name="Award sheet").click(timeout=60_000)
    rows = mine.locator(".award-row")
    await expect(rows.nth(0)).to_contain_text(winner.name)
    await expect(rows.nth(0)).to_contain_text("€40,000.00")
    await mine.get_by_role("button", name="Award these shares").click()
    await expect(mine.locator("#awards")).to_contain_text("Offered")

    # The winner reads it at home and in the list, and a mail waits to be sent.
    theirs = await open_page(winner, "/auctions")
    await expect(theirs.locator("#waiting")).to_contain_text("You won, answer now")
    tile = theirs.locator(f"#auction-{auction_id}")
    await expect(tile).to_contain_text("1, finished first")
    await expect(tile).to_contain_text("Awarded to you: answer now")
    await theirs.goto("/tenders")
    row = theirs.locator(f"a[href='/tenders/{tender_id}']")
    await expect(row.locator(".row-note")).to_have_text("Awarded to you: answer now")
    await theirs.goto(f"/tenders/{tender_id}")
    await theirs.get_by_role("link", name="Waits for your answer").click()
    await theirs.get_by_role("button", name="Accept the award").click()
    await theirs.get_by_role("button", name="Confirm").click()
    await theirs.get_by_role("button", name="Deliver these quantities").click()
    await expect(theirs.get_by_text("Check the goods")).to_be_visible()
    order = theirs.url
    await theirs.goto("/auctions")
    await expect(theirs.locator(f"#auction-{auction_id} .tile-note")).to_have_text("You won")
    await expect(theirs.locator("#waiting")).to_have_count(0)
    await theirs.goto(order)

    await mine.goto("/orders")
    await mine.get_by_role("link", name=winner.name).click()
    await mine.get_by_role("button", name="Accept the goods").click()
    await expect(mine.get_by_text("File a claim")).to_be_visible()
    before = await score(mine, buyer, winner)

    await mine.goto(order)
    await mine.get_by_text("File a claim").click()
    await mine.get_by_label("Severity").select_option("critical")
    await mine.get_by_label("What is wrong?").fill("All of them leak")
    await mine.get_by_role("button", name="File the claim").click()
    await theirs.reload()
    await theirs.get_by_role("button", name="Uphold the claim").click()
    await expect(theirs.get_by_text("Claim 1 upheld")).to_be_visible()
    assert await score(mine, buyer, winner) < before

    await mine.goto(order)
    await mine.get_by_role("button", name="Withdraw").click()
    await expect(mine.get_by_text("Claim 1 withdrawn")).to_be_visible()
    assert await score(mine, buyer, winner) == before


async def test_weights_are_tried_with_the_keyboard_and_a_split_needs_an_approver(
    new_buyer: NewPerson,
    new_supplier: NewPerson,
    connect_client: Connect,
    database: Database,
    open_page: OpenPage,
) -> None:
    buyer, cheap, dear = await new_buyer(), await new_supplier(), await new_supplier()
    approver = await peer(connect_client, buyer, "approver")
    done = await offered(database, buyer, {"250000.00": dear, "200000.00": cheap})
    path = f"/lots/{done['lots'][0]['id']}/award"
    page = await open_page(buyer, path)
    await expect(page.locator("#tried")).to_contain_text("100.0")
    await page.get_by_label("Weight of the rating in percent").focus()
    for _ in range(10):
        await page.keyboard.press("ArrowRight")
    await expect(page.locator("#tried")).to_contain_text("Price 50 %, rating 50 %")
    await expect(page.locator("#tried")).to_contain_text("75.0")

    await page.get_by_label(f"Share {cheap.name}").fill("60")
    await page.get_by_label(f"Share {dear.name}").fill("40")
    await page.get_by_role("button", name="Award these shares").click()
    await expect(page.get_by_role("alert")).to_contain_text("needs a reason")
    await expect(page.get_by_label(f"Share {dear.name}")).to_have_value("40")
    await page.get_by_label("Reason").fill("Two sources are safer")
    await page.get_by_role("button", name="Award these shares").click()
    await expect(page.locator("#awards .chip")).to_have_text(["Awaiting approval"] * 2)
    await expect(page.get_by_role("button", name="Release")).to_have_count(0)

    theirs = await open_page(approver, "/orders")
    await theirs.get_by_role("link", name=cheap.name).click()
    await theirs.get_by_role("button", name="Release").click()
    await expect(theirs.locator("#awards .chip").first).to_have_text("Offered")
    await theirs.locator("#awards li").nth(1).locator("summary", has_text="Refuse").click()
    await theirs.get_by_label("Reason").last.fill("One is enough")
    await theirs.locator("#awards li").nth(1).get_by_role("button", name="Refuse").click()
    await expect(theirs.locator("#awards .chip")).to_have_text(["Offered", "Refused"])

    # Declined, the share goes to the next on the sheet.
    offer = await open_page(cheap, "/orders")
    await offer.get_by_role("link", name="400 pumps").click()
    await offer.locator("summary", has_text="Decline").click()
    await offer.get_by_label("Reason").fill("No capacity")
    await offer.get_by_role("button", name="Decline").click()
    await expect(offer.locator(".page-head .chip")).to_have_text("Declined")
    await page.reload()
    await expect(page.locator("#awards li")).to_have_count(3)
    await expect(page.locator("#awards .chip").last).to_have_text("Offered")

    # The next takes it, and the rest is given to nobody.
    taken = await open_page(dear, "/orders")
    await taken.get_by_role("link", name="400 pumps").click()
    await taken.get_by_role("button", name="Accept the award").click()
    await expect(taken.get_by_text("Confirm or decline the order.")).to_be_visible()
    await page.reload()
    await page.get_by_role("button", name="Award no more").click()
    await expect(page.locator(".page-head .chip")).to_have_text("Awarded")


@pytest.fixture(scope="module")
async def business(
    new_buyer: NewPerson, new_supplier: NewPerson, database: Database
) -> dict[str, Any]:
    """A buyer and two suppliers in the middle of everything, with names that are long."""
    long = "Vereinigte Dichtungs- und Armaturenwerke Donaueschingen-Aasen"
    buyer = await new_buyer(unique("Nordwerk"))
    first, second = await new_supplier(unique(long)), await new_supplier()
    rated = [await accepted(buyer, first) for _ in range(3)]
    await claimed(buyer, rated[0])
    deciding = await offered(
        database, buyer, {"250000.00": second, "200000.00": first}, title=f"Pumps for {long}"
    )
    lot_id = deciding["lots"][0]["id"]
    shares = await propose(buyer, lot_id, (first, "60"), (second, "40"), reason="Two sources")
    waiting = ok(shares, 201)["items"]
    plain = await offered(database, buyer, {"90000.00": first, "95000.00": second})
    award = ok(await propose(buyer, plain["lots"][0]["id"], (first, "100")), 201)["items"][0]
    gone = await offered(database, buyer, {"80000.00": second})
    lost = ok(await propose(buyer, gone["lots"][0]["id"], (second, "100")), 201)["items"][0]
    ok(await answer(second, lost, "decline", reason="No capacity"))
    assert waiting
    ok(await act(buyer, gone["id"], "fail", reason="Nobody is left"))
    free = await offered(database, buyer, {"70000.00": first, "75000.00": second})
    return {
        "buyer": buyer,
        "supplier": first,
        "order": rated[0]["id"],
        "tender": deciding["id"],
        "split": lot_id,
        "free": free["lots"][0]["id"],
        "award": award["id"],
        "offered": plain["id"],
    }


@pytest.mark.parametrize(
    ("looks", "wide_font"),
    [(LOOKS, False), ([("light", PHONE), ("light", DESK)], True)],
    ids=["own-font", "wide-font"],
)
async def test_the_pages_of_the_deal(
    business: dict[str, Any],
    new_supplier: NewPerson,
    open_page: OpenPage,
    looks: list[Look],
    wide_font: bool,
) -> None:
    buyer, supplier = business["buyer"], business["supplier"]
    tours = [
        (
            buyer,
            [
                "/orders",
                f"/orders/{business['order']}",
                "/ratings",
                f"/ratings/{supplier.organisation_id}",
                f"/tenders/{business['tender']}",
                "/tenders",
                f"/lots/{business['free']}/award?rating=30",
                f"/lots/{business['split']}/award",
            ],
        ),
        (
            supplier,
            [
                "/orders",
                f"/orders/{business['order']}",
                f"/awards/{business['award']}",
                f"/tenders/{business['offered']}",
                "/ratings",
            ],
        ),
        (await new_supplier(), ["/orders", "/ratings", "/tenders"]),
    ]
    for person, paths in tours:
        page = await open_page(person, "/", wide_font=wide_font)
        for path in paths:
            await page.goto(path)
            async for _ in each_look(page, looks):
                await look(page)
                await every_entry_is_in_sight(page)


async def every_entry_is_in_sight(page: Page) -> None:
    """The navigation at the top is not cut off."""
    nav = page.get_by_role("navigation", name="Main")
    width = page.viewport_size["width"] if page.viewport_size else PHONE["width"]
    for entry in await nav.get_by_role("link").all():
        box = await entry.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
