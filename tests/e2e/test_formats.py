"""Every format on the auction page: what can be done, what is said, what reaches the auction."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest
from playwright.async_api import Page, ViewportSize, expect

from auctions.live.client import AuctionClient
from tests.e2e.auctions import Arena, NewArena
from tests.e2e.conftest import DESK, PHONE, SMALL_PHONE, OpenPage
from tests.e2e.test_bidding import DOUBLE_TAP_MS, opened, tap_step
from tests.people import Person

DUTCH = {
    "format": "dutch",
    "start": "1000.00",
    "increment": "100.00",
    "interval_s": 60,
    "cap": "5000.00",
}
JAPANESE = {"format": "japanese", "start": "1000.00", "decrement": "100.00", "interval_s": 6}
ROUNDS = {
    "format": "rounds",
    "rounds": 2,
    "turn_s": 14,
    "first_pause_s": 12,
    "pause_s": 4,
    "announce_s": 2,
    "step": {"against": "own", "kind": "amount", "value": "50.00"},
}
SEALED = {"format": "sealed", "duration_s": 600}
SIZES: list[ViewportSize] = [SMALL_PHONE, PHONE, DESK, {"width": 1000, "height": 800}]
WARRANTY = {
    "kind": "mixed",
    "features": [
        {
            "id": "warranty",
            "title": "Warranty",
            "max": "0.15",
            "options": [
                {"id": "3y", "title": "3 years", "value": "0.10"},
                {"id": "5y", "title": "5 years", "value": "0.15"},
            ],
        }
    ],
    "costs": [{"id": "energy", "title": "Energy over ten years"}],
}
LONG_MS = 30_000
# Pages that must not miss the opening are there before it.
AHEAD_S = 8.0


async def type_price(page: Page, price: str) -> None:
    await page.locator("#bid-price").fill(price)
    await page.locator("#bid-price").press("Enter")
    await page.wait_for_timeout(DOUBLE_TAP_MS)
    await page.locator("#confirm-yes").click()


async def standing(arena: Arena) -> list[dict[str, Any]]:
    view = await arena.view(arena.buyer)
    return list(view["standing"])


async def test_dutch_one_tap_names_step_and_price_and_the_second_wins(
    open_page: OpenPage, new_arena: NewArena
) -> None:
    arena = await new_arena(rules=DUTCH, ceiling=None)
    me, rival = arena.suppliers
    page, other = await open_page(me, arena.path), await open_page(rival, arena.path)
    await opened(page)
    await expect(page.locator("#now-price")).to_have_text("€1,000.00")
    await expect(page.locator("#stage-note")).to_have_text("Next: €1,100.00")
    await page.wait_for_timeout(DOUBLE_TAP_MS)
    await page.locator("#accept").click()
    await expect(page.locator("#confirm-label")).to_have_text("Accept step 1 at")
    await expect(page.locator("#confirm-price")).to_have_text("€1,000.00")
    await page.wait_for_timeout(DOUBLE_TAP_MS)
    await page.locator("#confirm-yes").click()
    await expect(page.locator("#bid-answer")).to_contain_text("You accepted €1,000.00 and won.")
    await expect(page.locator("#over-title")).to_contain_text("You finished first")
    await expect(other.locator("#over-title")).to_have_text("Another bidder was first")
    await expect(other.locator("#over-text")).to_contain_text("€1,000.00")


async def test_dutch_a_step_that_went_by_accepts_nothing(
    open_page: OpenPage, new_arena: NewArena
) -> None:
    arena = await new_arena(rules=DUTCH | {"interval_s": 3}, ceiling=None, suppliers=1)
    page = await open_page(arena.suppliers[0], arena.path)
    await opened(page)
    await expect(page.locator("#accept-verb")).to_have_text(re.compile("Accept step [2-9]"))
    await page.wait_for_timeout(DOUBLE_TAP_MS)
    await page.locator("#accept").click()
    await expect(page.locator("#bid")).to_have_attribute("data-mode", "confirm")
    await expect(page.locator("#bid")).to_have_attribute("data-mode", "clock")
    await expect(page.locator("#bid-answer")).to_contain_text("Nothing was accepted.")
    assert await standing(arena) == []


async def stay_in(arena: Arena, rival: Person) -> None:
    """Confirms every step, as a program does, until it is cancelled."""
    made = await rival.client.post("/api/v1/api_keys", json={"name": "rival", "scopes": ["*"]})
    url = str(rival.client.base_url)
    async with AuctionClient(url, made.json()["key"], arena.auction_id) as client:
        while True:
            view = await client.when(lambda view: view["stage"].get("step") is not None)
            step = view["stage"]["step"]
            await client.accept(step)
            await client.when(lambda view, step=step: view["stage"].get("step") != step)  # type: ignore[misc]


async def test_japanese_staying_in_and_dropping_out(
    open_page: OpenPage, new_arena: NewArena
) -> None:
    arena = await new_arena(
        rules=JAPANESE, ceiling=None, suppliers=3, opens_in_s=AHEAD_S, wait=False
    )
    page = await open_page(arena.suppliers[0], arena.path)
    accept, verb = page.locator("#accept"), page.locator("#accept-verb")
    async with asyncio.TaskGroup() as group:
        rivals = [group.create_task(stay_in(arena, one)) for one in arena.suppliers[1:]]
        await expect(accept).to_be_visible(timeout=LONG_MS)
        for step in (1, 2):
            await expect(verb).to_have_text(f"Stay in, step {step}")
            await page.wait_for_timeout(DOUBLE_TAP_MS)
            await accept.click()
            await expect(accept).to_have_attribute("data-state", "in")
        out = "You dropped out at step 3"
        await expect(page.locator("#over-title")).to_have_text(out, timeout=LONG_MS)
        await expect(page.locator("#over-text")).to_contain_text("€900.00")
        await expect(page.locator("#announcer")).to_contain_text(out)
        for rival in rivals:
            rival.cancel()


async def test_rounds_the_own_turn_is_unmistakable_and_can_be_taken_back(
    open_page: OpenPage, new_arena: NewArena
) -> None:
    arena = await new_arena(
        rules=ROUNDS, visibility="rank_and_lead", opens_in_s=AHEAD_S, wait=False
    )
    page = await open_page(arena.suppliers[0], arena.path)
    buyer = await open_page(arena.buyer, arena.path, size=DESK)
    await expect(page.locator("#stage-title")).to_have_text("Initial bids", timeout=LONG_MS)
    await type_price(page, "40000.00")
    await expect(page.locator("#kept-text")).to_contain_text("€40,000.00")
    await arena.bid(arena.suppliers[1], "38000.00")
    turn = page.locator("#stage[data-turn=own]")
    await expect(turn).to_be_visible(timeout=LONG_MS)
    await expect(page.locator("#announcer")).to_contain_text("It is your turn, round 1.")
    await expect(page).to_have_title(re.compile("^Your turn"))
    await expect(buyer.locator("#stage-title")).to_contain_text(arena.suppliers[0].name)
    await tap_step(page, 0)
    await expect(page.locator("#kept-text")).to_contain_text("Your bid of this turn: €39,950.00")
    await page.locator("#kept-back").click()
    await expect(page.locator("#bid-answer")).to_contain_text("Your bid is taken back.")
    await tap_step(page, 1)
    await expect(page.locator("#kept-text")).to_contain_text("€39,900.00")
    await expect(page.locator("#over-title")).to_have_text("Wait for your turn", timeout=LONG_MS)
    # The page's clock may be ahead of the command that ends the turn.
    async with asyncio.timeout(LONG_MS / 1_000):
        while "39900.00" not in [row["price"] for row in await standing(arena)]:
            pass


async def test_sealed_replaced_and_seen_by_nobody(open_page: OpenPage, new_arena: NewArena) -> None:
    arena = await new_arena(rules=SEALED, suppliers=1)
    page = await open_page(arena.suppliers[0], arena.path)
    buyer = await open_page(arena.buyer, arena.path, size=DESK)
    await opened(page)
    await expect(page.locator(".step").first).to_be_hidden()
    for price, shown in (("40000.00", "€40,000.00"), ("41000.00", "€41,000.00")):
        await type_price(page, price)
        await expect(page.locator("#kept-text")).to_contain_text(f"Sealed: {shown}.")
    await expect(page.locator("#rank-word")).to_have_text("Your bid is sealed")
    await expect(buyer.locator("#standing-empty")).to_contain_text("Bids are sealed.")
    assert await standing(arena) == []
    await page.locator("#kept-back").click()
    await expect(page.locator("#kept-text")).not_to_contain_text("Sealed")


async def test_answers_show_what_a_price_is_worth_before_it_is_bid(
    open_page: OpenPage, new_arena: NewArena
) -> None:
    arena = await new_arena(rules={"scoring": WARRANTY})
    page = await open_page(arena.suppliers[0], arena.path)
    buyer = await open_page(arena.buyer, arena.path, size=DESK)
    await opened(page)
    await page.locator(".step").first.click()
    await expect(page.locator("#answer-warranty")).to_be_focused()
    await page.get_by_label("Warranty").select_option("5y")
    await page.get_by_label("Energy over ten years").fill("1,000.00")
    await expect(page.locator("#answers-worth")).to_contain_text("20/17")
    await expect(page.locator(".step-worth").first).to_have_text("≙ 43,500.00")
    await tap_step(page, 0)
    await expect(page.locator("#bid-answer")).to_contain_text("Evaluated €43,500.00.")
    await expect(page.locator("#own-worth")).to_contain_text("20/17")
    await expect(page.locator("#own-worth")).to_contain_text("€43,500.00")
    await page.reload()
    await expect(page.get_by_label("Warranty")).to_have_value("5y")
    await tap_step(page, 0)
    await expect(page.locator("#own-best")).to_have_text("€49,950.00")
    await expect(buyer.locator("#standing .worth")).to_contain_text("20/17")


async def test_an_automatic_limit_answers_a_rival_and_ends(
    open_page: OpenPage, new_arena: NewArena
) -> None:
    arena = await new_arena(visibility="rank_and_lead")
    me, rival = arena.suppliers
    page = await open_page(me, arena.path)
    await opened(page)
    await page.locator("#auto-limit").fill("45000.00")
    await page.locator("#auto-limit").press("Enter")
    await expect(page.locator("#ask-price")).to_have_text("€45,000.00")
    await page.locator("#ask-yes").click()
    await expect(page.locator("#auto-state")).to_have_text("On, down to €45,000.00")
    await arena.bid(rival, "48000.00")
    # Asked of the other node, which must know what this one has answered.
    row = (await standing(arena))[0]
    assert 45_000 <= float(row["price"]) < 48_000
    # The rank was 1 before as well: the lead tells that the answer is here.
    await expect(page.locator("#lead-price")).to_have_text(re.compile(r"€4[5-7],\d{3}"))
    await expect(page.locator("#rank-number")).to_have_text("1")
    await page.locator("#auto-end").click()
    await expect(page.locator("#auto-state")).to_have_text("Off")


async def test_the_price_for_a_rank_fills_the_field_and_is_no_bid(
    open_page: OpenPage, new_arena: NewArena
) -> None:
    arena = await new_arena()
    me, rival = arena.suppliers
    await arena.bid(me, "49000.00")
    await arena.bid(rival, "47000.00")
    page = await open_page(me, arena.path)
    await page.get_by_role("button", name="What must I bid for rank 1?").click()
    await expect(page.locator("#bid-price")).to_have_value("46,999.99")
    await expect(page.locator("#bid-reading")).to_contain_text("€2,000.01 below your last bid")
    assert [row["price"] for row in await standing(arena)] == ["47000.00", "49000.00"]


async def test_a_hybrid_says_where_it_is(open_page: OpenPage, new_arena: NewArena) -> None:
    english = {
        "format": "english",
        "duration_s": 600,
        "step": {"against": "own", "kind": "amount", "value": "50.00"},
    }
    phases = [{"format": "sealed", "duration_s": 3}, english]
    arena = await new_arena(rules={"format": "phases", "phases": phases}, suppliers=1)
    page = await open_page(arena.suppliers[0], arena.path)
    await opened(page)
    await expect(page.locator("#stage-label")).to_have_text("Phase 2 of 2")
    await expect(page.locator("#stage-track [aria-current]")).to_have_text("2 · Open bidding")
    await expect(page.locator(".step").first).to_be_enabled()


async def test_a_surrogate_bid_and_the_result_with_names(
    open_page: OpenPage, new_arena: NewArena
) -> None:
    arena = await new_arena(duration_s=12)
    first, second = arena.suppliers
    page = await open_page(arena.buyer, arena.path, size=DESK)
    await opened(page)
    await arena.bid(first, "45000.00")
    await page.locator("#surrogate-open").click()
    await page.get_by_label("Bidder", exact=True).select_option(label=second.name)
    await page.get_by_label("Price in EUR").fill("44000.00")
    await page.get_by_label("Written request").fill("Email of 10:12, their line is down")
    await page.get_by_role("button", name="Enter the bid").click()
    await expect(page.locator("#lead-name")).to_have_text(second.name)
    await expect(page.locator("#result-title")).to_contain_text(second.name, timeout=LONG_MS)
    await expect(page.get_by_role("link", name="Transcript")).to_be_visible()


@pytest.mark.parametrize("wide_font", [False, True], ids=["own-font", "wide-font"])
async def test_long_amounts_stay_inside_their_cards(
    open_page: OpenPage, new_arena: NewArena, wide_font: bool
) -> None:
    arena = await new_arena(ceiling="123456789012.00", rules={"typo_guard_percent": None})
    await arena.bid(arena.suppliers[0], "122222222222.22")
    for person in (arena.buyer, arena.suppliers[0]):
        page = await open_page(person, arena.path, wide_font=wide_font)
        for size in SIZES:
            await page.set_viewport_size(size)
            await expect(page.locator("#lead-price")).to_have_text("€122,222,222,222.22")
            await page.evaluate("document.fonts.ready")
            await page.evaluate("new Promise((done) => requestAnimationFrame(() => done()))")
            clipped = await page.evaluate(
                "[...document.querySelectorAll('.fit')].filter((one) => one.checkVisibility()"
                " && one.scrollWidth > one.clientWidth + 1 && one.clientWidth)"
                ".map((one) => one.id || one.className)"
            )
            assert clipped == []
            wide = await page.evaluate(
                "[...document.querySelectorAll('.fit')].filter((one) => one.checkVisibility()"
                " && one.getBoundingClientRect().right >"
                " one.parentElement.getBoundingClientRect().right + 1).map((one) => one.id)"
            )
            assert wide == []


async def test_tiles_tell_rank_lead_and_time_within_two_seconds(
    open_page: OpenPage, new_arena: NewArena
) -> None:
    arena = await new_arena()
    me, rival = arena.suppliers
    await arena.bid(me, "45000.00")
    page = await open_page(me, "/auctions")
    tile = page.locator(f"#auction-{arena.auction_id}")
    await expect(tile.locator(".tile-rank")).to_have_text("1")
    await expect(tile.locator("[data-left-s]")).to_have_text(re.compile(r"^0\d:\d\d$"))
    await arena.bid(rival, "44000.00")
    await expect(tile.locator(".tile-rank")).to_have_text("2", timeout=4_000)
    await expect(tile).to_contain_text("€44,000.00")
    await arena.command("pause", reason="A question")
    await expect(tile.locator(".chip")).to_have_text("Paused", timeout=8_000)
