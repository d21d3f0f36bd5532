"""Every page: readable, on a phone and on a desk, in light and dark, with and without scripts."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Literal

import pytest
from playwright.async_api import Page, ViewportSize, expect

from tests.e2e.auctions import Arena, NewArena
from tests.e2e.conftest import DESK, PHONE, OpenPage
from tests.people import PASSWORD, NewPerson, unique

# WCAG 2.2, 1.4.3: 4.5 to 1, and 3 to 1 for large text. Colours are resolved by a canvas, because a
# computed style may say oklch() or light-dark().
_CONTRAST = """() => {
  const canvas = Object.assign(document.createElement("canvas"), { width: 1, height: 1 });
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  const read = (color) => {
    pen.clearRect(0, 0, 1, 1); pen.fillStyle = color; pen.fillRect(0, 0, 1, 1);
    return [...pen.getImageData(0, 0, 1, 1).data];
  };
  const light = (rgb) => {
    const linear = (v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    const [r, g, b] = rgb.map((v) => linear(v / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (let one = element; one; one = one.parentElement) {
      const [r, g, b, a] = read(getComputedStyle(one).backgroundColor);
      if (a > 250) return [r, g, b];
    }
    return [255, 255, 255];
  };
  const spared = "script, noscript, .visually-hidden, option, [aria-hidden=true], [disabled]";
  const bad = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode.textContent.trim();
    const element = walker.currentNode.parentElement;
    const seen = element.checkVisibility({ opacityProperty: true, visibilityProperty: true });
    if (!text || !seen || element.closest(spared)) continue;
    const style = getComputedStyle(element), size = parseFloat(style.fontSize);
    const pair = [light(read(style.color).slice(0, 3)), light(behind(element))];
    const [a, b] = pair.sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    if (ratio < (large ? 3 : 4.5)) bad.push(`${ratio.toFixed(2)} ${text.slice(0, 40)}`);
  }
  return bad;
}"""
_UNNAMED = """() => [...document.querySelectorAll("a[href], button, input, select, summary")]
  .filter((one) => one.checkVisibility())
  .filter((one) => !(one.innerText?.trim() || one.getAttribute("aria-label") || one.labels?.length))
  .map((one) => one.outerHTML.slice(0, 120))"""
_SMALL = """() => [...document.querySelectorAll("button, a.btn, select, summary, .menu-line")]
  .filter((one) => one.checkVisibility())
  .map((one) => [one.getBoundingClientRect(), one])
  .filter(([box]) => box.width < 24 || box.height < 24)
  .map(([, one]) => one.outerHTML.slice(0, 120))"""

# Two frames: observers of sizes run at the end of the first.
_DRAWN = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done())))"


async def look(page: Page) -> None:
    """What must hold for any page."""
    assert await page.evaluate(_CONTRAST) == []
    assert await page.evaluate(_UNNAMED) == []
    # WCAG 2.2, 2.5.8: targets of at least 24 by 24 pixels.
    assert await page.evaluate(_SMALL) == []
    assert await page.locator("h1").count() == 1
    assert page.viewport_size is not None
    width = await page.evaluate("document.documentElement.scrollWidth")
    assert width <= page.viewport_size["width"], "scrolls sideways"


Look = tuple[Literal["light", "dark"], ViewportSize]
LOOKS: list[Look] = [("light", PHONE), ("dark", PHONE), ("light", DESK), ("dark", DESK)]


async def each_look(page: Page, looks: Sequence[Look] = LOOKS) -> AsyncIterator[None]:
    """The page as it stands, in one look after the other. It is loaded once: only its styles know
    the size and the theme, and modules that follow a resize.
    """
    for scheme, size in looks:
        await page.emulate_media(color_scheme=scheme)
        await page.set_viewport_size(size)
        await page.evaluate(_DRAWN)
        assert await page.evaluate("innerWidth") == size["width"]
        yield


async def look_everywhere(page: Page) -> None:
    async for _ in each_look(page):
        await look(page)


@pytest.fixture(scope="module")
async def gallery(new_arena: NewArena) -> Arena:
    """An auction with a bid in it, to look at."""
    arena = await new_arena()
    await arena.bid(arena.suppliers[0], "45000.00")
    return arena


async def test_pages_for_everybody(open_page: OpenPage) -> None:
    page = await open_page(None, "/")
    forms = ["/register/supplier", "/register/buyer"]
    for path in ("/", *forms, "/nowhere", "/invitations/made-up"):
        await page.goto(path)
        await look_everywhere(page)


async def test_pages_for_members(
    open_page: OpenPage, gallery: Arena, new_operator: NewPerson
) -> None:
    tender = f"/tenders/{gallery.tender_id}"
    tours = [
        (gallery.buyer, ["/auctions", "/tenders", "/tenders/new", tender, "/keys"]),
        (gallery.buyer, ["/team", "/security"]),
        (gallery.suppliers[0], ["/auctions", "/tenders", tender, "/team"]),
        (await new_operator(), ["/auctions", "/suppliers?state=active", "/suppliers"]),
    ]
    for person, paths in tours:
        page = await open_page(person, paths[0])
        for path in paths:
            await page.goto(path)
            await look_everywhere(page)


@pytest.mark.parametrize(("scheme", "size"), LOOKS)
async def test_the_auction_page(
    open_page: OpenPage, gallery: Arena, scheme: str, size: ViewportSize
) -> None:
    for person in (gallery.buyer, gallery.suppliers[0]):
        page = await open_page(person, gallery.path, size=size, color_scheme=scheme)
        await expect(page.locator("#lead-price")).to_have_text("€45,000.00")
        await look(page)


async def test_modules_and_styles_are_compressed_and_kept(open_page: OpenPage) -> None:
    page = await open_page(None, "/login")
    style = await page.locator("link[rel=stylesheet]").first.get_attribute("href")
    answer = await page.request.get(style or "", headers={"Accept-Encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"
    assert "immutable" in answer.headers["cache-control"]
    assert len(await answer.body()) > int(answer.headers["content-length"])
    missing = await page.request.get("/assets/..%2f..%2fassets.py")
    assert missing.status == 404


async def test_numbers_change_without_a_shift(open_page: OpenPage, new_arena: NewArena) -> None:
    arena = await new_arena()
    me, rival = arena.suppliers
    await arena.bid(me, "49000.00")
    page = await open_page(me, arena.path)
    await expect(page.locator("#rank-number")).to_have_text("1")
    await expect(page.locator("#feed li").first).to_be_visible()
    await expect(page.locator("#banner")).to_be_hidden()
    await page.evaluate(
        "() => { window.shifts = 0; new PerformanceObserver((list) => { for (const entry of"
        " list.getEntries()) window.shifts += entry.value; }).observe({ type: 'layout-shift' }); }"
    )
    await page.evaluate("document.fonts.ready")
    boxes = [await page.locator(part).bounding_box() for part in ("#clock", "#rank", "#bid")]
    for price in ("48000.00", "47000.00", "46123.45"):
        await arena.bid(rival, price)
    await expect(page.locator("#lead-price")).to_have_text("€46,123.45")
    await expect(page.locator("#rank-number")).to_have_text("2")
    after = [await page.locator(part).bounding_box() for part in ("#clock", "#rank", "#bid")]
    assert after == boxes
    # The standing gained a row below the fold; nothing a thumb could be over may have moved.
    assert await page.evaluate("window.shifts") < 0.05


async def test_registering_shows_errors_at_the_fields_without_scripts(open_page: OpenPage) -> None:
    page = await open_page(None, "/register/supplier", java_script_enabled=False)
    await page.get_by_label("Name", exact=True).fill("Ferrari Pumps")
    await page.get_by_role("button", name="Register").click()
    country = page.get_by_label("Country")
    await expect(country).to_have_attribute("aria-invalid", "true")
    described = await country.get_attribute("aria-describedby")
    await expect(page.locator(f"#{described}")).to_contain_text("two capital letters")
    await expect(page.get_by_label("Name", exact=True)).to_have_value("Ferrari Pumps")


async def test_register_approve_publish_and_take_part_without_scripts(
    open_page: OpenPage, new_operator: NewPerson
) -> None:
    plain = {"java_script_enabled": False}
    name = unique("Ferrari")
    supplier = await register(await open_page(None, "/register/supplier", **plain), name)
    await expect(supplier.get_by_text("Waiting for approval")).to_be_visible()

    operator = await open_page(await new_operator(), "/suppliers", **plain)
    await operator.locator("li", has_text=name).get_by_role("button", name="Approve").click()
    await operator.get_by_role("link", name="Active").click()
    await expect(operator.locator("strong", has_text=name)).to_be_visible()

    buyer = await register(await open_page(None, "/register/buyer", **plain), unique("Nordwerk"))
    await buyer.get_by_role("link", name="New tender").first.click()
    await buyer.get_by_label("Title").fill("Valves")
    await buyer.get_by_label("Item").fill("Valve DN80")
    await buyer.get_by_label("Quantity").fill("40")
    await buyer.get_by_label("Ceiling").fill("a lot")
    await buyer.get_by_label(name).check()
    await buyer.get_by_role("button", name="Publish and invite").click()
    await expect(buyer.get_by_label("Ceiling")).to_have_attribute("aria-invalid", "true")
    await expect(buyer.get_by_label(name)).to_be_checked()
    await buyer.get_by_label("Ceiling").fill("9000.00")
    await buyer.get_by_role("button", name="Publish and invite").click()
    await expect(buyer.get_by_text("Published")).to_be_visible()

    await supplier.goto("/tenders")
    await supplier.get_by_role("link", name="Valves").click()
    await supplier.get_by_role("button", name="Accept the terms and take part").click()
    await expect(supplier.get_by_text("You take part")).to_be_visible()
    await supplier.get_by_role("link", name="To the auction").click()
    await expect(supplier.get_by_role("heading", level=1)).to_have_text("Valves")


async def register(page: Page, name: str) -> Page:
    fields = {
        "organisation.name": name,
        "organisation.country": "IT",
        "organisation.tax_id": unique("IT"),
        "user.name": "Ada Ferrari",
        "user.email": f"{unique('ada')}@example.com",
        "user.password": PASSWORD,
    }
    for field, value in fields.items():
        await page.locator(f'[name="{field}"]').fill(value)
    await page.get_by_role("button", name="Register").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Auctions")
    return page


async def test_login_returns_to_where_one_was_sent_from(
    open_page: OpenPage, new_arena: NewArena
) -> None:
    arena = await new_arena(suppliers=1)
    page = await open_page(None, arena.path)
    await page.get_by_label("Email").fill(arena.suppliers[0].email)
    await page.get_by_label("Password").fill("wrong")
    await page.get_by_role("button", name="Log in").click()
    await expect(page.get_by_role("alert")).to_contain_text("wrong")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Log in").click()
    await expect(page.locator("#wire")).to_have_attribute("data-wire", "live")
    assert page.url.endswith(arena.path)


async def test_a_key_is_shown_once_and_revoked(open_page: OpenPage, new_buyer: NewPerson) -> None:
    page = await open_page(await new_buyer(), "/keys")
    await page.get_by_label("Name").fill("Price robot")
    await page.get_by_role("button", name="Create the key").click()
    key = await page.locator("#made-key").inner_text()
    me = await page.request.get("/api/v1/me", headers={"Authorization": f"Bearer {key}"})
    assert me.status == 200
    await page.goto("/keys")
    assert key.partition(".")[2] not in await page.content()
    page.on("dialog", lambda dialog: dialog.accept())
    await page.get_by_role("button", name="Revoke Price robot").click()
    await expect(page.get_by_text("No keys yet")).to_be_visible()


async def test_the_theme_stays(open_page: OpenPage, new_buyer: NewPerson) -> None:
    page = await open_page(await new_buyer(), "/auctions")
    await page.locator(".menu summary").click()
    async with page.expect_response("**/theme"):
        await page.get_by_role("button", name="Dark").click()
    await expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    await page.reload()
    await expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    await page.locator(".menu summary").click()
    await page.get_by_role("button", name="Log out").click()
    await expect(page.get_by_role("heading", name="Log in")).to_be_visible()


async def test_a_form_from_another_site_is_refused(open_page: OpenPage, site: str) -> None:
    page = await open_page(None, "/")
    answer = await page.request.post(
        "/theme", form={"theme": "dark"}, headers={"Origin": "https://evil.example"}
    )
    assert answer.status == 403
    answer = await page.request.get("/login?next=//evil.example/")
    assert 'value="//evil' not in await answer.text()
