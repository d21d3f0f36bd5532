"""Pages hold on the smallest screen, with the longest words, and without the portal's own font."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, ViewportSize, expect

from marketplace.kernel.db import Database
from tests.e2e.auctions import Arena, NewArena
from tests.e2e.conftest import DESK, PHONE, SMALL_PHONE, OpenPage
from tests.e2e.test_award import every_entry_is_in_sight
from tests.e2e.test_pages import each_look
from tests.people import NewPerson, Person, unique
from tests.pricing.conftest import Shop

WORD = "Grundstücksverkehrsgenehmigungszuständigkeitsübertragungsverordnung"
SENTENCE = f"{WORD} für {WORD}"
HEADER = "sku,name,unit,currency,price,min_quantity\n"
# Text that its box cuts off: a number or a name nobody can read.
_CUT_OFF = """() => [...document.querySelectorAll("main *")]
  .filter((one) => one.checkVisibility() && one.clientWidth)
  .filter((one) => !one.matches(".visually-hidden, input, select, textarea"))
  .filter((one) => ["hidden", "clip"].includes(getComputedStyle(one).overflowX))
  .filter((one) => getComputedStyle(one).textOverflow !== "ellipsis")
  .filter((one) => one.scrollWidth > one.clientWidth + 1)
  .map((one) => one.outerHTML.slice(0, 120))"""
# Text that leaves its card although the page itself does not scroll.
_OUTSIDE = """() => {
  const bad = [];
  const spared = ".visually-hidden, .skip, .table-responsive, .scroll, .top-nav, .tabs, option";
  const cards = ".card, .tile-link, .kpi, .step, .btn, .chip, main, body";
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const one = walker.currentNode.parentElement;
    if (!walker.currentNode.textContent.trim() || !one.checkVisibility()) continue;
    if (one.closest(spared) || getComputedStyle(one).textOverflow === "ellipsis") continue;
    const range = document.createRange();
    range.selectNodeContents(walker.currentNode);
    const box = range.getBoundingClientRect();
    const card = one.closest(cards).getBoundingClientRect();
    const out = box.right > card.right + 1 || box.left < card.left - 1;
    if (out) bad.push(one.outerHTML.slice(0, 120));
  }
  return bad;
}"""

_FACES = """async (text) => (await document.fonts.load("16px 'Inter Variable'", text))
  .map((face) => face.status)"""


async def faults(page: Page) -> list[str]:
    assert page.viewport_size is not None
    width = await page.evaluate("document.documentElement.scrollWidth")
    sideways = ["scrolls sideways"] if width > page.viewport_size["width"] else []
    cut, outside = await page.evaluate(_CUT_OFF), await page.evaluate(_OUTSIDE)
    return [*sideways, *(f"cut off: {one}" for one in cut), *(f"outside: {one}" for one in outside)]


@pytest.fixture(scope="module")
async def arena(new_buyer: NewPerson, new_supplier: NewPerson, new_arena: NewArena) -> Arena:
    """A running auction whose names are as long as names get."""
    delivery = {"place": SENTENCE, "payment": SENTENCE, "remarks": SENTENCE}
    made = await new_arena(
        title=SENTENCE,
        buyer_name=unique(SENTENCE),
        supplier_name=unique(WORD),
        fields={"description": SENTENCE, "delivery": delivery},
    )
    tender = f"/api/v1/tenders/{made.tender_id}"
    supplier, buyer = made.suppliers[0].client, made.buyer.client
    calls = [
        supplier.post(f"{tender}/questions", json={"text": SENTENCE}),
        buyer.post(
            f"{tender}/documents?name={WORD}.pdf",
            content=b"%PDF-1.7\nx",
            headers={"Content-Type": "application/pdf"},
        ),
        buyer.post(f"{tender}/addenda", json={"text": SENTENCE, "description": f"{WORD} {WORD}"}),
    ]
    for call in calls:
        answer = await call
        assert answer.is_success, answer.text
    await made.bid(made.suppliers[0], "45000.00")
    return made


@pytest.fixture(scope="module")
async def shop(arena: Arena, database: Database) -> Shop:
    supplier = arena.suppliers[0]
    made = await supplier.client.post("/api/v1/price_lists", json={"name": SENTENCE})
    shop = Shop(supplier, database, made.json()["id"])
    rows = [f"{WORD}-{n},{SENTENCE},C62,EUR,123456789.12,{n}" for n in (1, 1000)]
    done = await shop.upload(HEADER + "\n".join(rows) + "\n", mode="replace")
    assert done["state"] == "published", done
    return shop


def tours(arena: Arena, shop: Shop) -> list[tuple[Person, list[str]]]:
    tender = f"/tenders/{arena.tender_id}"
    account = ["/team", "/security", "/keys"]
    prices = ["/prices", f"/prices/{shop.list_id}", f"/prices/{shop.list_id}/history?sku={WORD}-1"]
    both = ["/auctions", "/tenders", tender, arena.path, "/orders", "/ratings", "/practice"]
    return [
        (arena.buyer, [*both, "/tenders/new", *account]),
        (arena.suppliers[0], [*both, *prices, *account]),
    ]


@pytest.mark.parametrize(
    ("sizes", "wide_font"),
    [((SMALL_PHONE, PHONE), False), ((SMALL_PHONE, DESK), True)],
    ids=["own-font", "wide-font"],
)
async def test_long_words_never_scroll_a_page_sideways(
    open_page: OpenPage, arena: Arena, shop: Shop, sizes: list[ViewportSize], wide_font: bool
) -> None:
    found: dict[str, list[str]] = {}
    for person, paths in tours(arena, shop):
        page = await open_page(person, "/", wide_font=wide_font)
        role = "buyer" if person is arena.buyer else "supplier"
        for path in paths:
            await page.goto(path)
            if path == arena.path:
                await expect(page.locator("#wire")).to_have_attribute("data-wire", "live")
            async for _ in each_look(page, [("light", size) for size in sizes]):
                width = await page.evaluate("innerWidth")
                found[f"{role} {path} at {width}"] = await faults(page)
                if path == "/tenders":
                    await every_entry_is_in_sight(page)
    assert {path: wrong for path, wrong in found.items() if wrong} == {}


async def test_the_portal_brings_its_own_font_for_every_language(open_page: OpenPage) -> None:
    page = await open_page(None, "/")
    family = await page.evaluate("getComputedStyle(document.body).fontFamily")
    assert family.startswith('"Inter Variable"')
    preload = await page.locator("link[rel=preload][as=font]").first.get_attribute("href")
    answer = await page.request.get(preload or "")
    assert answer.headers["content-type"] == "font/woff2"
    assert "immutable" in answer.headers["cache-control"]
    for text in ("Pumps", "Łożysko żółte", "Șurub și țeavă", "Подшипник", "Ґанок"):
        faces = await page.evaluate(_FACES, text)
        assert faces, text
        assert set(faces) == {"loaded"}, text


async def test_text_does_not_move_when_the_font_comes_late(open_page: OpenPage) -> None:
    page = await open_page(None, "/nowhere")
    faces = await page.evaluate("[...document.fonts].map((face) => face.display)")
    assert set(faces) == {"optional"}
