"""A browser, the built pages, and auctions to take part in."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, ViewportSize, async_playwright, expect

from marketplace.accounts.guessing import LoginLimits
from marketplace.kernel.settings import Settings
from marketplace.kernel.throttle import Rate
from tests.conftest import serve
from tests.e2e.auctions import Arena, NewArena, open_arena
from tests.people import NewPerson, Person
from web.app import create_app
from web.build import build

PHONE: ViewportSize = {"width": 390, "height": 844}
DESK: ViewportSize = {"width": 1440, "height": 900}
# WCAG 2.2, 1.4.10: content reflows at 320 CSS pixels, a desk at 400 % zoom or the smallest phone.
SMALL_PHONE: ViewportSize = {"width": 320, "height": 640}
EXPECT_MS = 10_000
# The shell draws the same pages for a third of the CPU time: it has no windows of its own.
_BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
# Nothing but the page itself goes out: no component updates, no sync, no field trials.
_QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-software-rasterizer",
    "--in-process-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

# For a page whose font did not come: DejaVu Sans and Verdana are the widest that machines have, and
# the spacing makes any other as wide. A constructed sheet is what the security policy leaves open.
_WIDE_FONT = """addEventListener("DOMContentLoaded", () => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync('* { font-family: "DejaVu Sans", Verdana, sans-serif !important;' +
    ' letter-spacing: 0.02em !important; }');
  document.adoptedStyleSheets = [sheet];
})"""

OpenPage = Callable[..., Awaitable[Page]]
_FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    item.stash[_FAILED] = item.stash.get(_FAILED, False) or report.failed
    return report


@pytest.fixture(scope="session")
async def site(settings: Settings) -> AsyncIterator[str]:
    """The application with its pages built, as a second node beside `live_server`."""
    build()
    limits = LoginLimits(per_address=Rate(per_s=1_000, burst=100_000))
    async with serve(create_app(settings, limits=limits)) as url:
        yield url


def find_browser() -> str:
    """The path of a Chromium. Without one the browser tests are skipped, but fail in CI, where
    nobody would see that they never ran.
    """
    found = next(filter(None, map(shutil.which, _BROWSERS)), None)
    if found is not None:
        return found
    missing = "no Chromium is installed on this machine"
    if os.environ.get("CI"):
        pytest.fail(missing, pytrace=False)
    pytest.skip(missing)


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    found = find_browser()
    expect.set_options(timeout=EXPECT_MS)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=found, args=_QUIET)
        yield browser
        await browser.close()


@pytest.fixture
async def open_page(
    browser: Browser, site: str, request: pytest.FixtureRequest, tmp_path: Path
) -> AsyncIterator[OpenPage]:
    """`await open_page(person, "/auctions", ...)`: a page of this person, on a phone by default.
    `wide_font` keeps the portal's own font from coming and shows a wide one instead.

    Each test ends by asking whether any page reported an error, which CSP violations are too. A
    test that failed leaves pictures of its pages in its `tmp_path`.
    """
    pages: list[Page] = []
    errors: list[str] = []
    async with AsyncExitStack() as stack:

        async def open_one(
            person: Person | None,
            path: str,
            *,
            size: ViewportSize = PHONE,
            wide_font: bool = False,
            **options: object,
        ) -> Page:
            settings = {"locale": "en-GB", "reduced_motion": "reduce", **options}
            context = await browser.new_context(base_url=site, viewport=size, **settings)  # type: ignore[arg-type]
            stack.push_async_callback(context.close)
            context.set_default_timeout(EXPECT_MS)
            if wide_font:
                await context.route("**/*.woff2", lambda route: route.fulfill(status=404))
                await context.add_init_script(_WIDE_FONT)
            if person is not None:
                cookies = person.client.cookies.jar
                await context.add_cookies(
                    [
                        {"name": each.name, "value": each.value or "", "url": site}
                        for each in cookies
                    ]
                )
            page = await context.new_page()
            pages.append(page)
            page.on("pageerror", lambda error: errors.append(str(error)))
            page.on("console", lambda said: _note(errors, said.type, said.text))
            await page.goto(path)
            return page

        yield open_one
        if request.node.stash.get(_FAILED, False):
            for number, page in enumerate(page for page in pages if not page.is_closed()):
                await page.screenshot(path=tmp_path / f"page-{number}.png", full_page=True)
    assert errors == []


def _note(errors: list[str], kind: str, text: str) -> None:
    # The browser itself reports every answer of 400 and above; those are looked at by the tests.
    # So is a network that the test itself took away.
    spared = ("the server responded with a status of", "net::ERR_INTERNET_DISCONNECTED")
    if kind == "error" and not any(words in text for words in spared):
        errors.append(text)


@pytest.fixture(scope="session")
def new_arena(new_buyer: NewPerson, new_supplier: NewPerson, site: str) -> NewArena:
    """`await new_arena(suppliers=2)`: an auction that is open, with its people."""

    async def make(**wishes: object) -> Arena:
        return await open_arena(new_buyer, new_supplier, site, **wishes)  # type: ignore[arg-type]

    return make
