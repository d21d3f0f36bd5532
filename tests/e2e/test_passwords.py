"""Forgotten passwords and the question who it is, in a browser."""

from __future__ import annotations

from playwright.async_api import Page, expect
from sqlalchemy import text

from marketplace.accounts.service import password_resets
from marketplace.kernel.db import SYSTEM, Database
from tests.e2e.conftest import OpenPage
from tests.people import PASSWORD, Connect, NewPerson, Person, unique
from web.app import Application

NEW = "a wholly new sentence"


async def fits(page: Page) -> None:
    """Nothing is wider than the screen."""
    wider = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert await page.evaluate(wider) <= 0


async def make_stale(database: Database, person: Person) -> None:
    """As if the person had logged in long ago."""
    async with database.transaction(SYSTEM) as session:
        await session.execute(
            text("UPDATE sessions SET verified_at = 'epoch' WHERE user_id = :user"),
            {"user": person.user_id},
        )


async def test_a_forgotten_password_is_replaced_from_the_login_page(
    open_page: OpenPage,
    new_buyer: NewPerson,
    app: Application,
    database: Database,
    connect_client: Connect,
) -> None:
    buyer = await new_buyer()
    page = await open_page(None, "/login", java_script_enabled=False)
    await page.get_by_role("link", name="Forgot your password?").click()
    await page.get_by_label("Email").fill("nobody")
    await page.get_by_role("button", name="Send the link").click()
    await expect(page.get_by_label("Email")).to_have_attribute("aria-invalid", "true")
    long = f"{'somebody.' * 6}{unique('x')}@{'a-long-subdomain.' * 3}example.com"
    await page.get_by_label("Email").fill(long)
    await page.get_by_role("button", name="Send the link").click()
    await expect(page.get_by_role("status")).to_contain_text(long)
    await fits(page)
    await page.get_by_role("link", name="Another address").click()
    await page.get_by_label("Email").fill(buyer.email)
    await page.get_by_role("button", name="Send the link").click()
    await expect(page.get_by_role("status")).to_contain_text(buyer.email)
    await fits(page)

    parts = app.litestar.state.living
    async with database.transaction(SYSTEM) as session:
        await password_resets.send_links(session, parts.facts, parts.clock)
    link = await connect_client.mailed_path(buyer.email)
    await page.goto(link)
    await page.get_by_label("New password").fill("Password123")
    await page.get_by_role("button", name="Save the new password").click()
    await expect(page.get_by_text("Many people use this password")).to_be_visible()
    await page.get_by_label("New password").fill(NEW)
    await page.get_by_role("button", name="Save the new password").click()
    await expect(page.get_by_role("status")).to_contain_text("Your new password counts")
    await page.get_by_label("Email").fill(buyer.email)
    await page.get_by_label("Password", exact=True).fill(NEW)
    await page.get_by_role("button", name="Log in").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Auctions")

    await page.goto(link)
    await expect(page.get_by_role("heading", level=1)).to_have_text("This link was used already")
    await fits(page)


async def test_a_key_is_made_after_the_password_was_given_again(
    open_page: OpenPage, new_buyer: NewPerson, database: Database
) -> None:
    buyer = await new_buyer()
    await make_stale(database, buyer)
    page = await open_page(buyer, "/keys")
    await page.get_by_label("Name").fill("Robot of the night")
    await page.get_by_role("button", name="Create the key").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Confirm that it is you")
    await fits(page)
    await page.get_by_label("Password").fill("wrong")
    await page.get_by_role("button", name="Confirm and go on").click()
    await expect(page.get_by_label("Password")).to_have_attribute("aria-invalid", "true")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Confirm and go on").click()
    # What was typed before counts: the browser posts it on.
    await expect(page.get_by_role("heading", name="Robot of the night")).to_be_visible()
    await expect(page.locator("#made-key")).to_contain_text(".")


async def test_a_colleague_is_invited_with_all_roles_that_were_ticked(
    open_page: OpenPage, new_buyer: NewPerson, database: Database
) -> None:
    buyer, email = await new_buyer(), f"{unique('new')}@example.com"
    await make_stale(database, buyer)
    page = await open_page(buyer, "/team", java_script_enabled=False)
    invite = page.locator("form", has=page.get_by_role("heading", name="Invite a colleague"))
    await invite.get_by_label("Email").fill(email)
    for role in ("approver", "observer"):
        await invite.locator(f"input[value={role}]").check()
    await invite.get_by_role("button", name="Send the invitation").click()
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Confirm and go on").click()
    await expect(page.locator("li", has_text=email)).to_contain_text("Approver")
    invited = (await buyer.client.get("/api/v1/invitations")).json()["items"]
    assert [(each["email"], each["roles"]) for each in invited] == [
        (email, ["approver", "observer"])
    ]
