"""What a bidder must know at once: a lost line, a lost lead, a used limit, a slip, the receipts."""

from __future__ import annotations

import asyncio
import re

from playwright.async_api import Page, WebSocketRoute, expect

from tests.e2e.auctions import Arena, NewArena
from tests.e2e.conftest import DESK, OpenPage
from tests.e2e.test_bidding import opened, tap_step

SOON_MS = 2_500
"""A second or two, and what a busy machine adds."""


async def leading(open_page: OpenPage, arena: Arena) -> Page:
    """The first supplier's page; it leads at 45,000."""
    await arena.bid(arena.suppliers[0], "45000.00")
    page = await open_page(arena.suppliers[0], arena.path)
    await opened(page)
    await expect(page.locator("#band")).to_have_attribute("data-tone", "lead")
    await expect(page.locator("#band")).to_contain_text("You lead")
    return page


async def test_a_device_without_network_says_so_at_once_and_old_ranks_lose_their_colour(
    open_page: OpenPage, new_arena: NewArena
) -> None:
    arena = await new_arena()
    page = await leading(open_page, arena)
    green = await page.locator("#rank").evaluate("(one) => getComputedStyle(one).backgroundColor")
    await page.context.set_offline(True)
    await expect(page.locator("#band")).to_have_attribute("data-tone", "lost", timeout=SOON_MS)
    await expect(page.locator("#wire-text")).to_have_text("Reconnecting")
    await expect(page.locator("#rank")).not_to_have_css("background-color", green)
    await expect(page).to_have_title(re.compile("^No connection"))
    for step in await page.locator(".step").all():
        await expect(step).to_be_disabled()
    await arena.bid(arena.suppliers[1], "44000.00")
    await page.context.set_offline(False)
    await expect(page.locator("#band")).to_have_attribute("data-tone", "outbid")
    await expect(page.locator("#rank-number")).to_have_text("2")
    await expect(page.locator(".step").first).to_be_enabled()


async def test_a_line_that_falls_silent_in_the_last_minutes_is_doubted_within_seconds(
    open_page: OpenPage, new_arena: NewArena
) -> None:
    arena = await new_arena(suppliers=1, duration_s=110)
    page = await open_page(None, "/login")
    silent = asyncio.Event()

    def pass_on(wire: WebSocketRoute) -> None:
        server = wire.connect_to_server()
        server.on_message(lambda text: None if silent.is_set() else wire.send(text))

    await page.route_web_socket(re.compile("/live"), pass_on)
    cookies = arena.suppliers[0].client.cookies.jar
    await page.context.add_cookies(
        [{"name": each.name, "value": each.value or "", "url": page.url} for each in cookies]
    )
    await page.goto(arena.path)
    await opened(page)
    await expect(page.locator("#clock-trust")).to_contain_text("exact")
    silent.set()
    await expect(page.locator("#band")).to_have_attribute("data-tone", "lost", timeout=5_000)
    silent.clear()
    await expect(page.locator("#band")).not_to_have_attribute("data-tone", "lost")


async def test_outbid_is_the_strongest_thing_here_and_in_other_tabs(
    open_page: OpenPage, new_arena: NewArena
) -> None:
    arena = await new_arena()
    page = await leading(open_page, arena)
    await expect(page).to_have_title(re.compile(r"^\d\d:\d\d · rank 1 · 400 pumps$"))
    other = await page.context.new_page()
    await other.goto("/tenders")
    await arena.bid(arena.suppliers[1], "44000.00")
    await expect(page.locator("#band")).to_have_attribute("data-tone", "outbid")
    await expect(page.locator("#band")).to_have_text(re.compile(r"Outbid\s+now rank 2"))
    await expect(page).to_have_title(re.compile(r"^\d\d:\d\d · rank 2 · 400 pumps$"))
    strip = other.get_by_role("alert").filter(has_text="Outbid, now rank 2: 400 pumps")
    await expect(strip).to_be_visible()
    assert await strip.get_by_role("link").get_attribute("href") == arena.path
    # It stays until the person acts, and goes in every tab then.
    await page.bring_to_front()
    await tap_step(page, 0)
    await expect(page.locator("#band")).not_to_have_attribute("data-tone", "outbid")
    await expect(strip).to_have_count(0)


async def test_sound_is_off_until_it_is_wanted(open_page: OpenPage, new_arena: NewArena) -> None:
    arena = await new_arena(suppliers=1)
    page = await open_page(arena.suppliers[0], arena.path)
    await opened(page)
    button = page.get_by_role("button", name="Sound and vibration")
    await expect(button).to_have_attribute("aria-pressed", "false")
    await button.click()
    await expect(button).to_have_attribute("aria-pressed", "true")
    await page.reload()
    await expect(button).to_have_attribute("aria-pressed", "true")


async def test_receipts_are_there_on_another_device(
    open_page: OpenPage, new_arena: NewArena
) -> None:
    arena = await new_arena(suppliers=1)
    await arena.bid(arena.suppliers[0], "45000.00")
    page = await open_page(arena.suppliers[0], arena.path)
    await expect(page.locator("#receipts li")).to_have_count(1)
    await expect(page.locator("#receipts li")).to_contain_text("€45,000.00")
    # A bid from elsewhere comes without a reload.
    await opened(page)
    await arena.bid(arena.suppliers[0], "44000.00")
    await expect(page.locator("#receipts li")).to_have_count(2)


async def test_a_slip_is_asked_about_in_words_with_what_was_meant(
    open_page: OpenPage, new_arena: NewArena
) -> None:
    arena = await new_arena()
    await arena.bid(arena.suppliers[1], "45000.00")
    # The best price is shown after one's own first bid.
    await arena.bid(arena.suppliers[0], "49000.00")
    page = await open_page(arena.suppliers[0], arena.path)
    await opened(page)
    await page.locator("#bid-price").fill("4,400.00 €")
    await page.locator("#bid-price").press("Enter")
    await page.locator("#confirm-yes").click()
    await expect(page.locator("#ask-text")).to_have_text(
        "€4,400.00 is 90 % below the best price. Did you mean €44,000.00?"
    )
    await expect(page.get_by_role("button", name="Yes, bid €4,400.00")).to_be_visible()
    await page.get_by_role("button", name="No, €44,000.00").click()
    await expect(page.locator("#confirm-price")).to_have_text("€44,000.00")
    await page.locator("#confirm-yes").click()
    await expect(page.locator("#own-best")).to_have_text("€44,000.00")


async def test_a_used_automatic_limit_turns_amber(open_page: OpenPage, new_arena: NewArena) -> None:
    arena = await new_arena(rules={"typo_guard_percent": None})
    page = await open_page(arena.suppliers[0], arena.path)
    await opened(page)
    await page.get_by_label("Your lowest price in EUR").fill("44000.00")
    await page.locator("#auto-go").click()
    await page.locator("#ask-yes").click()
    await expect(page.locator("#auto-state")).to_have_text("On, down to €44,000.00")
    await arena.bid(arena.suppliers[1], "43000.00")
    await expect(page.locator("#auto-panel")).to_have_attribute("data-on", "used")
    await expect(page.locator("#auto-state")).to_have_text("Used up at €44,000.00")
    await expect(page.locator("#auto-used")).to_contain_text("you are at rank 2")


async def test_a_long_clock_pushes_nothing_off(open_page: OpenPage, new_arena: NewArena) -> None:
    arena = await new_arena(suppliers=1, duration_s=7 * 86_400 - 60)
    for size in ({"width": 320, "height": 640}, DESK):
        page = await open_page(arena.suppliers[0], arena.path, size=size)
        await opened(page)
        await expect(page.locator("#clock-time")).to_have_text(re.compile(r"^16\d:\d\d:\d\d$"))
        cut = await page.evaluate(
            "[...document.querySelectorAll('#clock-time, .clock-facts dd')].filter((one) =>"
            " one.scrollWidth > one.clientWidth + 1 ||"
            " one.getBoundingClientRect().right > innerWidth).map((one) => one.id)"
        )
        assert cut == []
