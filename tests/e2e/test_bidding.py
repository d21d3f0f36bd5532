"""A supplier with a phone in a live auction."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any

from playwright.async_api import Page, WebSocketRoute, expect

from tests.e2e.auctions import NewArena
from tests.e2e.conftest import DESK, OpenPage

DOUBLE_TAP_MS = 350


async def opened(page: Page) -> None:
    """Wait for the first snapshot: the state alone is already in what the server drew."""
    await expect(page.locator("#clock")).to_have_attribute("data-state", "open")
    await expect(page.locator("#close-at")).to_contain_text(":")


async def tap_step(page: Page, number: int) -> str:
    """Tap one of the three steps and confirm; the price that was bid, as shown."""
    await page.locator(".step").nth(number).click()
    price = await page.locator("#confirm-price").inner_text()
    await page.wait_for_timeout(DOUBLE_TAP_MS)
    await page.locator("#confirm-yes").click()
    return price


async def test_one_tap_and_one_confirmation_place_a_bid_with_a_receipt(
    open_page: OpenPage, new_arena: NewArena
) -> None:
    arena = await new_arena(suppliers=1)
    page = await open_page(arena.suppliers[0], arena.path)
    await opened(page)
    assert await tap_step(page, 1) == "€49,950.00"
    await expect(page.locator("#bid-answer")).to_contain_text("€49,950.00 is in. Rank 1.")
    await expect(page.locator("#rank-number")).to_have_text("1")
    await expect(page.locator("#receipts li")).to_have_count(1)
    await expect(page.locator("#max-price")).to_have_text("€49,900.00")
    async with page.expect_download() as download:
        await page.locator("#receipts button").click()
    saved = await (await download.value).path()
    receipt = json.loads(await asyncio.to_thread(saved.read_text))
    assert receipt["auction"] == arena.auction_id
    assert receipt["outcome"] == "accepted"
    assert receipt["signature"]


async def test_a_double_tap_on_a_step_places_nothing(
    open_page: OpenPage, new_arena: NewArena
) -> None:
    arena = await new_arena(suppliers=1)
    page = await open_page(arena.suppliers[0], arena.path)
    await opened(page)
    await page.locator(".step").first.dblclick()
    await expect(page.locator("#bid")).to_have_attribute("data-mode", "confirm")
    await expect(page.locator("#confirm-yes")).to_have_text("Place this bid")
    # Enter held down is one decision, not two.
    await page.locator("#confirm-no").click()
    await page.locator("#bid-price").fill("49000.00")
    await page.keyboard.down("Enter")
    for _ in range(3):
        await page.keyboard.down("Enter")
    await page.keyboard.up("Enter")
    await expect(page.locator("#bid")).to_have_attribute("data-mode", "confirm")
    await expect(page.locator("#receipts-count")).to_have_text("0")
    assert (await arena.view(arena.buyer))["standing"] == []


async def test_a_tap_that_comes_too_early_is_shown_and_then_taken_once(
    open_page: OpenPage, new_arena: NewArena
) -> None:
    arena = await new_arena(suppliers=1)
    page = await open_page(arena.suppliers[0], arena.path)
    await opened(page)
    # In one breath: between two calls from here a slow machine fits a reading person.
    busy = await page.evaluate(
        "for (const id of ['.step', '#confirm-yes', '#confirm-yes'])"
        " document.querySelector(id).click();"
        "document.querySelector('#confirm-yes').ariaBusy"
    )
    assert busy == "true"
    await expect(page.locator("#bid-answer")).to_contain_text("is in. Rank 1.")
    await expect(page.locator("#receipts li")).to_have_count(1)


async def test_a_lost_rank_is_seen_and_spoken(open_page: OpenPage, new_arena: NewArena) -> None:
    arena = await new_arena()
    me, rival = arena.suppliers
    page = await open_page(me, arena.path)
    await opened(page)
    await tap_step(page, 0)
    await expect(page.locator("#rank-number")).to_have_text("1")
    await arena.bid(rival, "48000.00")
    await expect(page.locator("#rank-number")).to_have_text("2")
    await expect(page.locator("#rank")).to_have_attribute("data-place", "behind")
    await expect(page.locator("#announcer")).to_contain_text("You are now at rank 2.")
    await expect(page.locator("#lead-price")).to_have_text("€48,000.00")
    await expect(page.locator("#standing tr.mine .place")).to_have_text("2")


async def test_an_extension_moves_the_clock_and_is_spoken(
    open_page: OpenPage, new_arena: NewArena
) -> None:
    arena = await new_arena(window_s=300, duration_s=300)
    me, rival = arena.suppliers
    page = await open_page(me, arena.path)
    await opened(page)
    before = await page.locator("#close-at").inner_text()
    await arena.bid(rival, "48000.00")
    # Also for those who asked for less motion, as this page does.
    await expect(page.locator("#clock-flash")).to_be_visible()
    await expect(page.locator("#extended-by")).to_have_text("+02:00")
    await expect(page.locator("#extended-from")).to_contain_text(f"{before} →")
    await expect(page.locator("#announcer")).to_contain_text("Extended.")
    await expect(page.locator("#close-at")).not_to_have_text(before)
    await expect(page.locator("#feed li[data-kind=extended]")).to_have_count(1)


async def test_the_clock_is_the_servers_whatever_the_device_says(
    open_page: OpenPage, new_arena: NewArena
) -> None:
    arena = await new_arena(suppliers=1, duration_s=600)
    page = await open_page(None, "/login")
    await page.clock.install(time="2031-05-05T05:05:05")
    await page.clock.resume()
    cookies = arena.suppliers[0].client.cookies.jar
    url = page.url
    await page.context.add_cookies(
        [{"name": each.name, "value": each.value or "", "url": url} for each in cookies]
    )
    await page.goto(arena.path)
    await opened(page)
    await expect(page.locator("#clock-trust")).to_contain_text("exact to")
    await expect(page.locator("#clock-time")).to_have_text(re.compile(r"^(10:00|09:[345]\d)$"))


async def test_refusals_name_both_numbers_before_anything_is_sent(
    open_page: OpenPage, new_arena: NewArena
) -> None:
    arena = await new_arena(suppliers=1)
    page = await open_page(arena.suppliers[0], arena.path)
    await opened(page)
    await page.locator("#bid-price").fill("60000")
    await page.locator("#bid-price").press("Enter")
    await expect(page.locator("#bid-reading")).to_have_text("Too high: at most €50,000.00.")
    await page.locator("#bid-price").fill("49.500")
    await expect(page.locator("#bid-reading")).to_contain_text("€49,500.00 or €49.50?")
    assert (await arena.view(arena.buyer))["standing"] == []


async def test_a_price_typed_before_the_limits_are_here_is_read_again(
    open_page: OpenPage, new_arena: NewArena
) -> None:
    arena = await new_arena(suppliers=1)
    (me,) = arena.suppliers
    page = await open_page(None, "/login")
    cookies = me.client.cookies.jar
    await page.context.add_cookies(
        [{"name": each.name, "value": each.value or "", "url": page.url} for each in cookies]
    )
    typed = asyncio.Event()

    async def hold_back(wire: WebSocketRoute) -> None:
        await typed.wait()
        wire.connect_to_server()

    await page.route_web_socket(re.compile("/live"), hold_back)
    await page.goto(arena.path)
    await page.locator("#bid-price").fill("60000")
    await expect(page.locator("#bid-reading")).to_contain_text("€60,000.00")
    typed.set()
    await opened(page)
    await expect(page.locator("#bid-reading")).to_have_text("Too high: at most €50,000.00.")
    await page.locator("#bid-price").fill("48500")
    await expect(page.locator("#bid-reading")).to_have_attribute("data-tone", "none")
    # The same person on another device: the limit moves under what is being typed here.
    await arena.bid(me, "48000.00")
    await expect(page.locator("#bid-reading")).to_contain_text("Too high: at most")


async def test_a_slip_of_the_finger_asks_again(open_page: OpenPage, new_arena: NewArena) -> None:
    arena = await new_arena(suppliers=1)
    page = await open_page(arena.suppliers[0], arena.path)
    await opened(page)
    for answer in ("#ask-no", "#ask-yes"):
        await page.locator("#bid-price").fill("4950.00")
        await page.locator("#bid-price").press("Enter")
        await page.wait_for_timeout(DOUBLE_TAP_MS)
        await page.locator("#confirm-yes").click()
        await expect(page.locator("#ask")).to_be_visible()
        await expect(page.locator("#ask-yes")).to_have_text("Yes, bid €4,950.00")
        await page.locator(answer).click()
    await expect(page.locator("#bid-answer")).to_contain_text("€4,950.00 is in.")
    standing = (await arena.view(arena.buyer))["standing"]
    assert [row["price"] for row in standing] == ["4950.00"]


async def test_a_bid_by_keyboard_alone(open_page: OpenPage, new_arena: NewArena) -> None:
    arena = await new_arena(suppliers=1)
    page = await open_page(arena.suppliers[0], arena.path)
    await opened(page)
    for _ in range(30):
        await page.keyboard.press("Tab")
        if await page.evaluate("document.activeElement.id") == "bid-price":
            break
    await page.keyboard.type("48,500.00")
    await page.keyboard.press("Enter")
    await expect(page.locator("#confirm-yes")).to_be_focused()
    await page.wait_for_timeout(DOUBLE_TAP_MS)
    await page.keyboard.press("Enter")
    await expect(page.locator("#bid-answer")).to_contain_text("€48,500.00 is in.")
    assert await page.evaluate("document.activeElement !== document.body")


class Line:
    """A network between page and server that a test can cut."""

    def __init__(self) -> None:
        self.sockets: list[WebSocketRoute] = []
        self.sent: list[dict[str, Any]] = []
        self.swallow_acks = False

    async def hold(self, page: Page) -> None:
        await page.route_web_socket(re.compile("/live$"), self._joined)

    def _joined(self, socket: WebSocketRoute) -> None:
        self.sockets.append(socket)
        server = socket.connect_to_server()

        def up(message: str | bytes) -> None:
            self.sent.append(json.loads(message))
            server.send(message)

        def down(message: str | bytes) -> None:
            if not (self.swallow_acks and json.loads(message)["type"] == "ack"):
                socket.send(message)

        socket.on_message(up)
        server.on_message(down)

    async def cut(self) -> None:
        await self.sockets[-1].close(code=3001, reason="cut")

    def bids(self) -> list[dict[str, Any]]:
        return [frame for frame in self.sent if frame["type"] == "bid"]


async def test_a_cut_between_bid_and_answer_loses_and_doubles_nothing(
    open_page: OpenPage, new_arena: NewArena
) -> None:
    arena = await new_arena(suppliers=1)
    page = await open_page(arena.suppliers[0], "/auctions")
    line = Line()
    line.swallow_acks = True
    await line.hold(page)
    await page.goto(arena.path)
    await opened(page)
    await tap_step(page, 0)
    await expect(page.locator("#bid-answer")).to_contain_text("Sending €50,000.00")
    # The standing is durable, the answer never came: the phone must find out by itself.
    await expect(page.locator("#own-best")).to_have_text("€50,000.00")
    line.swallow_acks = False
    await line.cut()
    await expect(page.locator("#bid-answer")).to_contain_text("€50,000.00 is in.")
    first, again = line.bids()
    assert first == again
    assert len(line.sockets) == 2
    resumed = [frame for frame in line.sent if frame["type"] == "hello"][-1]
    assert "last_seq" in resumed
    assert len((await arena.view(arena.buyer))["standing"]) == 1


async def test_a_phone_that_died_finds_its_bid_and_receipt_again(
    open_page: OpenPage, new_arena: NewArena
) -> None:
    arena = await new_arena(suppliers=1)
    page = await open_page(arena.suppliers[0], "/auctions")
    line = Line()
    line.swallow_acks = True
    await line.hold(page)
    await page.goto(arena.path)
    await opened(page)
    await tap_step(page, 0)
    await expect(page.locator("#own-best")).to_have_text("€50,000.00")
    line.swallow_acks = False
    await page.reload()
    await expect(page.locator("#bid-answer")).to_contain_text("€50,000.00 is in.")
    await expect(page.locator("#receipts li")).to_have_count(1)


async def test_what_happened_while_away_is_there_after_the_reconnect(
    open_page: OpenPage, new_arena: NewArena
) -> None:
    arena = await new_arena()
    me, rival = arena.suppliers
    page = await open_page(me, "/auctions")
    line = Line()
    await line.hold(page)
    await page.goto(arena.path)
    await opened(page)
    await tap_step(page, 0)
    await expect(page.locator("#rank-number")).to_have_text("1")
    await line.cut()
    await arena.bid(rival, "47000.00")
    await expect(page.locator("#wire")).to_have_attribute("data-wire", "live")
    await expect(page.locator("#rank-number")).to_have_text("2")
    await expect(page.locator("#lead-price")).to_have_text("€47,000.00")


async def test_a_pause_shows_its_reason_and_stops_bidding(
    open_page: OpenPage, new_arena: NewArena
) -> None:
    arena = await new_arena(suppliers=1)
    page = await open_page(arena.suppliers[0], arena.path)
    await opened(page)
    await arena.command("pause", reason="A question about the flange")
    await expect(page.locator("#banner")).to_contain_text("A question about the flange")
    await expect(page.locator("#bid-over")).to_be_visible()
    await arena.command("resume", reason="Answered")
    await opened(page)
    await expect(page.locator("#bid-idle")).to_be_visible()
    await expect(page.locator("#banner")).to_be_hidden()


async def test_the_end_shows_the_result(open_page: OpenPage, new_arena: NewArena) -> None:
    arena = await new_arena(suppliers=1, duration_s=15)
    page = await open_page(arena.suppliers[0], arena.path)
    await opened(page)
    await tap_step(page, 0)
    await expect(page.locator("#over-title")).to_have_text(
        "You finished first with €50,000.00", timeout=30_000
    )
    await expect(page.locator("#clock")).to_have_attribute("data-state", "closed")


async def test_logging_out_elsewhere_says_so(open_page: OpenPage, new_arena: NewArena) -> None:
    arena = await new_arena(suppliers=1)
    page = await open_page(arena.suppliers[0], arena.path)
    await opened(page)
    ended = await arena.suppliers[0].client.delete("/api/v1/sessions/current")
    assert ended.status_code == 204
    await expect(page.locator("#banner")).to_contain_text("You are logged out")
    await expect(page.locator("#banner-link")).to_have_attribute(
        "href", re.compile(r"^/login\?next=")
    )


async def test_a_buyer_sees_names_curve_and_savings_and_withdraws_a_bid(
    open_page: OpenPage, new_arena: NewArena
) -> None:
    arena = await new_arena()
    first, second = arena.suppliers
    page = await open_page(arena.buyer, arena.path, size=DESK)
    await opened(page)
    await arena.bid(first, "45000.00")
    await arena.bid(second, "44000.00")
    await expect(page.locator("#lead-price")).to_have_text("€44,000.00")
    await expect(page.locator("#lead-name")).to_have_text(second.name)
    await expect(page.locator("#saving")).to_have_text("12.00%")
    await expect(page.locator("#curve canvas")).to_be_visible()
    # The bidder is chosen first; the standing, whose rows move, has nothing to press.
    assert await page.locator("#standing button").count() == 0
    await page.get_by_role("button", name="Withdraw a bid").click()
    chosen = page.get_by_label("Bidder and bid")
    await chosen.select_option(label=f"{second.name}: €44,000.00")
    await arena.bid(first, "43000.00")
    await expect(page.locator("#lead-price")).to_have_text("€43,000.00")
    named = page.get_by_role("button", name=f"Withdraw {second.name}: €44,000.00")
    await expect(named).to_be_visible()
    await page.locator("#withdraw-reason").fill("Entered for the wrong lot")
    await named.click()
    await expect(page.locator("#standing tr")).to_have_count(1)
    await expect(page.locator("#feed li[data-kind=withdrawn]")).to_contain_text("wrong lot")


async def test_a_buyer_pauses_extends_and_speaks_from_the_page(
    open_page: OpenPage, new_arena: NewArena
) -> None:
    arena = await new_arena(suppliers=1)
    buyer = await open_page(arena.buyer, arena.path, size=DESK)
    supplier = await open_page(arena.suppliers[0], arena.path)
    await opened(buyer)
    await opened(supplier)
    for name, text in (("message", "Mind the addendum"), ("extend", "Two more"), ("pause", "Wait")):
        await buyer.locator(f"[data-control={name}]").click()
        await buyer.locator("#ask-input").fill(text)
        await buyer.keyboard.press("Enter")
        await expect(supplier.locator("#feed")).to_contain_text(text)
    await expect(supplier.locator("#clock")).to_have_attribute("data-state", "paused")
